package main

import (
	"bytes"
	"crypto/tls"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
)

// A service as it is to be has no hole.
func TestScanOfTheService(t *testing.T) {
	t.Parallel()
	address := "127.0.0.1:" + strconv.Itoa(freePort(t))
	startReplica(t, "--listen", address, "--origin", "http://"+address)
	var out bytes.Buffer
	scan := scanCommand{Origin: "http://" + address, Closed: []string{"127.0.0.1:" + strconv.Itoa(freePort(t))}}
	if err := scan.run(t.Context(), &out, &tls.Config{}); err != nil {
		t.Errorf("%v:\n%s", err, out.String())
	}
	if got := strings.Count(out.String(), "ok    "); got != 11 {
		t.Errorf("%d things were looked at:\n%s", got, out.String())
	}
}

// Each hole of one that has them all is found and named.
func TestScanFindsHoles(t *testing.T) {
	t.Parallel()
	bad := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/.well-known/security.txt" {
			_, _ = w.Write([]byte("Contact: mailto:a@b.example\nExpires: 2020-01-01T00:00:00Z\n"))
			return
		}
		_, _ = w.Write([]byte("everything"))
	}))
	bad.TLS = &tls.Config{MinVersion: tls.VersionTLS10}
	bad.StartTLS()
	defer bad.Close()
	open, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer open.Close()
	var out bytes.Buffer
	trust := bad.Client().Transport.(*http.Transport).TLSClientConfig.Clone()
	err = scanCommand{Origin: bad.URL, Closed: []string{open.Addr().String()}}.run(t.Context(), &out, trust)
	if !errors.Is(err, errHoles) {
		t.Fatalf("%v:\n%s", err, out.String())
	}
	for _, what := range []string{"pages carry", "books ask", "staff's console", "readiness", "security.txt", "/metrics", "/debug/pprof/", "/dev/outbox",
		"/.env", "/.git/config", "older than TLS 1.2", open.Addr().String()} {
		found := false
		for line := range strings.Lines(out.String()) {
			found = found || strings.HasPrefix(line, "HOLE  ") && strings.Contains(line, what)
		}
		if !found {
			t.Errorf("the hole is not found: %s\n%s", what, out.String())
		}
	}
	if err := (scanCommand{}).Run(t.Context()); err == nil {
		t.Error("a scan of nothing is well")
	}
}
