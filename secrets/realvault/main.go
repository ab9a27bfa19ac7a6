// Command realvault runs a real HashiCorp Vault on loopback, initialised and unsealed: for the tests of the keyring
// and for trying the service on one's own machine. It is a module of its own, because Vault is large and brings
// its own versions of much: the service itself only speaks to it.
//
// It is for nothing else. Its unseal key and root token lie in its data folder, so whoever can read that folder has
// every key.
//
// Vault is by HashiCorp, Inc., under the Mozilla Public License 2.0 (version 1.13.1, the last minor version that
// builds outside its own tree); it is taken as it is, and neither changed nor passed on with the service.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"github.com/hashicorp/go-hclog"
	vaulthttp "github.com/hashicorp/vault/http"
	"github.com/hashicorp/vault/internalshared/configutil"
	"github.com/hashicorp/vault/vault"
)

type options struct {
	data, policy, listen string
	tls                  bool
}

func main() {
	var o options
	flag.StringVar(&o.data, "data", "", "the folder of storage and keys")
	flag.StringVar(&o.policy, "policy", "", "the file with the policy that the service gets")
	flag.StringVar(&o.listen, "listen", "127.0.0.1:0", "the address to answer on")
	flag.BoolVar(&o.tls, "tls", false, "answer with a certificate made for it, whose authority is ca.pem in the data folder")
	flag.Parse()
	if err := run(o); err != nil {
		fmt.Fprintln(os.Stderr, "realvault:", err)
		os.Exit(1)
	}
}

func run(o options) error {
	if o.data == "" || o.policy == "" {
		return fmt.Errorf("say where with -data, and what the service may do with -policy")
	}
	if err := os.MkdirAll(filepath.Join(o.data, "storage"), 0o700); err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	listener, err := net.Listen("tcp", o.listen)
	if err != nil {
		return err
	}
	log := hclog.New(&hclog.LoggerOptions{Level: hclog.Error, Output: os.Stderr})
	core, err := openCore(o.data, listener.Addr().String(), log)
	if err != nil {
		return err
	}
	k, err := unseal(ctx, core, o.data)
	if err != nil {
		return err
	}
	properties := &vault.HandlerProperties{Core: core, ListenerConfig: &configutil.Listener{}}
	server := &http.Server{Handler: vaulthttp.Handler.Handler(properties), ReadHeaderTimeout: 5 * time.Second}
	address, ready := "http://"+listener.Addr().String(), entrance{}
	if o.tls {
		address = "https://" + listener.Addr().String()
		if server.TLSConfig, ready.CAFile, err = makeCertificate(o.data); err != nil {
			return err
		}
	}
	failed := make(chan error, 1)
	go func() {
		if o.tls {
			failed <- server.ServeTLS(listener, "", "")
			return
		}
		failed <- server.Serve(listener)
	}()
	if ready, err = furnish(ctx, address, ready.CAFile, k, o); err != nil {
		return err
	}
	if err := json.NewEncoder(os.Stdout).Encode(ready); err != nil {
		return err
	}
	select {
	case err = <-failed:
	case <-ctx.Done():
	case <-parentEnds():
	}
	return end(server, core, err)
}

// parentEnds closes when standard input does, so that this never outlives who started it.
func parentEnds() <-chan struct{} {
	ended := make(chan struct{})
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin) // that it ends is all that matters
		close(ended)
	}()
	return ended
}

func end(server *http.Server, core *vault.Core, err error) error {
	wait, done := context.WithTimeout(context.Background(), 5*time.Second)
	defer done()
	if stopped := server.Shutdown(wait); err == nil {
		err = stopped
	}
	if stopped := core.Shutdown(); err == nil {
		err = stopped
	}
	return err
}
