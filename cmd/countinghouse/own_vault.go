package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"

	"github.com/countinghouse/countinghouse/secrets"
)

// ownVault says how dev gets a Vault: a program that runs one for this machine alone (secrets/realvault).
type ownVault struct {
	Keyring      string `default:"local" enum:"local,vault" help:"Who keeps the organizations' keys: local, in files of the data folder, or vault."`
	VaultProgram string `type:"path" default:"bin/realvault" placeholder:"FILE" help:"With --keyring=vault and no address: the program that runs a Vault in the data folder."`
	VaultPolicy  string `type:"path" default:"charts/countinghouse/vault/policy.hcl" placeholder:"FILE" help:"The policy that this Vault gives the service."`
	vaultFlags
}

// open opens the keyring for a data folder; stop ends what was started for it.
func (o ownVault) open(ctx context.Context, data string) (keyring secrets.Keyring, stop func() error, err error) {
	stop = func() error { return nil }
	if o.Keyring != "vault" {
		keyring, err = secrets.OpenLocal(filepath.Join(data, "keys", "organizations"))
		return keyring, stop, err
	}
	if o.VaultAddress == "" {
		if stop, err = o.start(ctx, filepath.Join(data, "vault")); err != nil {
			return nil, nil, err
		}
	}
	if keyring, err = o.openVault(); err != nil {
		return nil, nil, errors.Join(err, stop())
	}
	return keyring, stop, nil
}

// say tells whose Vault it is, and what must not be done with the one of a data folder.
func (o ownVault) say() string {
	switch {
	case o.Keyring != "vault":
		return ""
	case o.VaultAddress != "":
		return fmt.Sprintf("\n  Keys  in the Vault at %s\n", o.VaultAddress)
	}
	return "\n  Keys  in a Vault of its own. What unseals it lies beside it in the data folder: it is for this machine\n" +
		"        alone. Keep nothing in it that matters.\n"
}

// start runs the program and takes from it how to get in.
func (o *ownVault) start(ctx context.Context, data string) (stop func() error, err error) {
	program := exec.Command(o.VaultProgram, "-data", data, "-policy", o.VaultPolicy)
	// Ctrl-C is for us: Vault ends when we close its standard input, once no request needs it any more.
	program.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	program.Stderr = os.Stderr
	out, err := program.StdoutPipe()
	if err != nil {
		return nil, fmt.Errorf("starting Vault: %w", err)
	}
	hold, err := program.StdinPipe()
	if err != nil {
		return nil, fmt.Errorf("starting Vault: %w", err)
	}
	if err := program.Start(); err != nil {
		return nil, fmt.Errorf("starting Vault: %w (make run VAULT=1 builds it; or name yours with --vault-address)", err)
	}
	stop = func() error {
		if err := hold.Close(); err != nil {
			return fmt.Errorf("stopping Vault: %w", err)
		}
		if err := program.Wait(); err != nil {
			return fmt.Errorf("stopping Vault: %w", err)
		}
		return nil
	}
	way, err := readEntrance(ctx, out)
	if err != nil {
		return nil, errors.Join(err, stop())
	}
	o.lead(way)
	note := vaultNote(data)
	err = writeWhole(note, func(w io.Writer) error { return json.NewEncoder(w).Encode(way) })
	if err != nil {
		return nil, errors.Join(err, stop())
	}
	return func() error { return errors.Join(os.Remove(note), stop()) }, nil
}

// entrance is how to get into the Vault that the program runs.
type entrance struct {
	Address      string `json:"address"`
	RoleID       string `json:"role_id"`
	SecretIDFile string `json:"secret_id_file"`
}

// readEntrance takes the line in which the program says how to get in.
func readEntrance(ctx context.Context, out io.Reader) (in entrance, err error) {
	lines := make(chan []byte, 1)
	go func() {
		line, _ := bufio.NewReader(out).ReadBytes('\n') // what is no JSON is told below
		lines <- line
	}()
	select {
	case line := <-lines:
		if err := json.Unmarshal(line, &in); err != nil {
			return in, errors.New("the Vault of the data folder did not start: what it says is above")
		}
		return in, nil
	case <-ctx.Done():
		return in, ctx.Err()
	case <-time.After(time.Minute):
		return in, errors.New("the Vault of the data folder is not ready after a minute")
	}
}

// lead points the settings there.
func (f *vaultFlags) lead(in entrance) {
	f.VaultAddress, f.VaultAuth, f.VaultRoleID, f.VaultSecretIDFile = in.Address, "approle", in.RoleID, in.SecretIDFile
}

func vaultNote(data string) string { return filepath.Join(data, "service.json") }

// readNote points the settings at the Vault that dev runs in a folder.
func (f *vaultFlags) readNote(data string) error {
	text, err := os.ReadFile(vaultNote(data))
	if err != nil {
		return fmt.Errorf("no Vault runs in %s: run countinghouse dev --keyring=vault beside this, or say which with --vault-address (%w)", data, err)
	}
	var in entrance
	if err := json.Unmarshal(text, &in); err != nil {
		return fmt.Errorf("%s is damaged: start dev again", vaultNote(data))
	}
	f.lead(in)
	return nil
}
