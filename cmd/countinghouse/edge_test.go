package main

import (
	"bufio"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/hex"
	"encoding/pem"
	"fmt"
	"io"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/alecthomas/kong"

	"github.com/countinghouse/countinghouse/internal/metric"
	"github.com/countinghouse/countinghouse/internal/ready"
)

// wrongSettings is a value for each flag of serve and work that no installation can mean; where every text may be
// meant, the reason.
var wrongSettings = map[string]string{
	"database-url": "mysql://books", "key-file": "/nowhere/key", "origin": "books.example", "keep-logins": "24h",
	"keyring": "paper", "keyring-dir": "/dev/null/keys",
	"vault-address": "vault.example", "vault-ca-file": "/nowhere/ca", "vault-auth": "knock", "vault-role-id": "",
	"vault-secret-id-file": "/nowhere/secret", "vault-timeout": "-1s",
	"vault-namespace": "any text", "vault-mount": "any text", "vault-auth-mount": "any text", "vault-role": "any text",
	"vault-token-file":      "any text", // of another way in than the one tried here; its error is that of secrets
	"database-backups-kept": "-1h", "key-backups-kept": "-1h",
	"smtp-host": "mail.example:25", "smtp-port": "70000", "smtp-tls": "perhaps", "smtp-user": "any text",
	"smtp-password-file": "/nowhere/password", "mail-from": "nobody",
	"security-log": "/nowhere/log", "security-mail": "nobody", "security-webhook": "ftp://x", "security-webhook-key-file": "/nowhere/key",
	"security-webhook-internal": "perhaps",
	"sms-url":                   "gateway", "sms-account": "", "sms-token-file": "/nowhere/token", "sms-from": "", "sms-voice": "perhaps",
	"sms-customers": "perhaps",
	"places":        "/nowhere/places", "refused-passwords": "/nowhere/list", "accept-pci-scope": "yes", "stripe-api": "stripe",
	"operator-listen": "203.0.113.7:9090",
	"listen":          "books", "work": "perhaps", "trusted-proxies": "0.0.0.0/0", "drain-delay": "1h",
	"tls-cert-file": "/nowhere/cert", "tls-key-file": "/nowhere/key", "acme-dir": "CERTIFICATE TOO", "acme-email": "books@books.example",
	"acme-directory": "http://authority", "redirect-listen": "books",
	"security-contact": "nobody",
	"limit-network":    "-1", "limit-person": "-1", "limit-token": "-1", "limit-organization": "-1", "limit-founding-person": "-1", "limit-founding-network": "-1",
	"database-pooler": "pooler", "database-citus": "perhaps", "trace-endpoint": "collector:4318", "trace-share": "1.5",
	"runs": "0", "connections": "-1",
}

// A setting that cannot be meant stops the start, before anything is opened, with a sentence that names it.
func TestEveryWrongSettingIsNamed(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	key, secret := filepath.Join(folder, "key"), filepath.Join(folder, "secret")
	for _, name := range []string{key, secret} {
		if err := os.WriteFile(name, []byte(hex.EncodeToString(testKey)), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	cert, certKey := writeCertificate(t, folder, "books.example", 1)
	right := map[string]string{
		"database-url": "postgres://countinghouse_owner@127.0.0.1:1/countinghouse", "key-file": key, "origin": "https://books.example",
		"keyring": "local", "keyring-dir": filepath.Join(folder, "keys"), "smtp-host": "127.0.0.1", "mail-from": "books@books.example",
	}
	// What a setting needs beside it before it is looked at.
	beside := map[string]map[string]string{
		"vault":         {"keyring": "vault", "vault-address": "https://127.0.0.1:1", "vault-role-id": "role", "vault-secret-id-file": secret},
		"sms":           {"sms-account": "AC1", "sms-token-file": secret, "sms-from": "+353860123456"},
		"security-webh": {"security-webhook": "https://ops.example/hook", "security-webhook-key-file": key},
		"tls-cert-file": {"tls-key-file": certKey},
		"tls-key-file":  {"tls-cert-file": cert},
		"acme-dir":      {"tls-cert-file": cert, "tls-key-file": certKey},
	}
	seen := map[string]bool{}
	for _, command := range []string{"serve", "work"} {
		for _, name := range flagsOf(t, command) {
			value, known := wrongSettings[name]
			if seen[name] = true; !known {
				t.Errorf("--%s has no wrong value in the table", name)
			}
			if value == "any text" {
				continue
			}
			args := map[string]string{}
			for from, more := range beside {
				if strings.HasPrefix(name, from) {
					for k, v := range more {
						args[k] = v
					}
				}
			}
			for k, v := range right {
				if _, there := args[k]; !there {
					args[k] = v
				}
			}
			args[name] = value
			err := start(t, command, args)
			if err == nil || !strings.Contains(say(err), "--"+name) {
				t.Errorf("%s --%s=%s: %v", command, name, value, err)
			}
			if err != nil && strings.Contains(say(err), hex.EncodeToString(testKey)) {
				t.Errorf("--%s tells a secret: %v", name, err)
			}
		}
	}
	for name := range wrongSettings {
		if !seen[name] {
			t.Errorf("there is no --%s", name)
		}
	}
}

func flagsOf(t *testing.T, command string) (names []string) {
	t.Helper()
	for _, node := range kong.Must(&commands{}).Model.Children {
		if node.Name == command {
			for _, f := range node.Flags {
				names = append(names, f.Name)
			}
		}
	}
	if len(names) < 20 {
		t.Fatalf("%s has %d flags", command, len(names))
	}
	return names
}

// start begins to run a command, up to where it would reach for its database.
func start(t *testing.T, command string, args map[string]string) error {
	t.Helper()
	var line commands
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	parser, err := kong.New(&line, kong.BindTo(ctx, (*context.Context)(nil)), kong.Exit(func(int) {}))
	if err != nil {
		t.Fatal(err)
	}
	words := []string{command}
	for k, v := range args {
		words = append(words, "--"+k+"="+v)
	}
	parsed, err := parser.Parse(words)
	if err != nil {
		return err
	}
	return parsed.Run()
}

// writeCertificate writes a certificate and its key for a host, with a serial number to know it by.
func writeCertificate(t *testing.T, folder, host string, serial int64) (certFile, keyFile string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	of := &x509.Certificate{SerialNumber: big.NewInt(serial), Subject: pkix.Name{CommonName: host}, DNSNames: []string{host},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour)}
	cert, err := x509.CreateCertificate(rand.Reader, of, of, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	certFile, keyFile = filepath.Join(folder, "tls.crt"), filepath.Join(folder, "tls.key")
	for name, block := range map[string]*pem.Block{certFile: {Type: "CERTIFICATE", Bytes: cert}, keyFile: {Type: "PRIVATE KEY", Bytes: private}} {
		if err := os.WriteFile(name, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return certFile, keyFile
}

func TestARenewedCertificateIsServed(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	f := tlsFlags{ACMEDirectory: "https://authority.example"}
	f.TLSCertFile, f.TLSKeyFile = writeCertificate(t, folder, "books.example", 1)
	now := time.Now()
	c := &certificate{certFile: f.TLSCertFile, keyFile: f.TLSKeyFile, log: slog.New(slog.DiscardHandler), now: func() time.Time { return now }}
	want := func(what string, serial int64) {
		t.Helper()
		got, err := c.get(nil)
		if err != nil {
			t.Fatalf("%s: %v", what, err)
		}
		if got.Leaf.SerialNumber.Int64() != serial {
			t.Errorf("%s: certificate %v, want %d", what, got.Leaf.SerialNumber, serial)
		}
	}
	want("at first", 1)
	writeCertificate(t, folder, "books.example", 2)
	later := time.Now().Add(2 * time.Second)
	for _, name := range []string{f.TLSCertFile, f.TLSKeyFile} {
		if err := os.Chtimes(name, later, later); err != nil {
			t.Fatal(err)
		}
	}
	want("within ten seconds", 1)
	now = now.Add(lookEvery)
	want("renewed", 2)
	if err := os.WriteFile(f.TLSKeyFile, []byte("half a key"), 0o600); err != nil {
		t.Fatal(err)
	}
	now = now.Add(lookEvery)
	want("half renewed", 2)
	writeCertificate(t, folder, "books.example", 3)
	now = now.Add(lookEvery)
	want("whole again", 3)
}

func TestEncryptedListener(t *testing.T) {
	t.Parallel()
	f := tlsFlags{}
	f.TLSCertFile, f.TLSKeyFile = writeCertificate(t, t.TempDir(), "books.example", 7)
	plain, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l, _, err := f.encrypt(plain, "https://books.example", slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{Handler: http.NotFoundHandler(), ReadHeaderTimeout: time.Second, ErrorLog: slog.NewLogLogger(slog.DiscardHandler, 0)}
	go server.Serve(l)
	defer server.Close()
	dial := func(most uint16) (tls.ConnectionState, error) {
		d := tls.Dialer{Config: &tls.Config{InsecureSkipVerify: true, ServerName: "books.example", MaxVersion: most, NextProtos: []string{"h2", "http/1.1"}}}
		c, err := d.DialContext(t.Context(), "tcp", plain.Addr().String())
		if err != nil {
			return tls.ConnectionState{}, err
		}
		defer c.Close()
		return c.(*tls.Conn).ConnectionState(), nil
	}
	state, err := dial(tls.VersionTLS13)
	if err != nil || state.NegotiatedProtocol != "http/1.1" || state.PeerCertificates[0].SerialNumber.Int64() != 7 {
		t.Errorf("%v, %+v", err, state)
	}
	if _, err := dial(tls.VersionTLS11); err == nil {
		t.Error("TLS 1.1 is spoken (RFC 8996)")
	}
}

// By ACME, certificates are fetched for our own host alone, and only the authority may come without HTTP.
func TestACMEIsForTheOriginAlone(t *testing.T) {
	t.Parallel()
	f := tlsFlags{ACMEDir: t.TempDir(), ACMEDirectory: "https://127.0.0.1:1/directory"}
	plain, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l, challenge, err := f.encrypt(plain, "https://books.example", slog.New(slog.DiscardHandler))
	if err != nil || challenge == nil {
		t.Fatal(err)
	}
	defer l.Close()
	failed := make(chan error, 1)
	go func() {
		c, err := l.Accept()
		if err == nil {
			err = c.(*tls.Conn).HandshakeContext(t.Context())
		}
		failed <- err
	}()
	d := tls.Dialer{Config: &tls.Config{InsecureSkipVerify: true, ServerName: "evil.example"}}
	if c, err := d.DialContext(t.Context(), "tcp", plain.Addr().String()); err == nil {
		c.Close()
		t.Error("there is a certificate for another host")
	}
	if err := <-failed; err == nil || !strings.Contains(err.Error(), "not configured") {
		t.Errorf("%v", err)
	}
}

func TestRedirect(t *testing.T) {
	t.Parallel()
	f := tlsFlags{RedirectListen: fmt.Sprintf("127.0.0.1:%d", freePort(t))}
	stop, err := f.redirect(t.Context(), "https://books.example", nil)
	if err != nil {
		t.Fatal(err)
	}
	stay := http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	for method, want := range map[string]int{"GET": http.StatusMovedPermanently, "POST": http.StatusMisdirectedRequest} {
		r, err := http.NewRequestWithContext(t.Context(), method, "http://"+f.RedirectListen+"/o/acme?x=1", http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		r.Host = "evil.example"
		answer, err := stay.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		answer.Body.Close()
		if answer.StatusCode != want || method == "GET" && answer.Header.Get("Location") != "https://books.example/o/acme?x=1" {
			t.Errorf("%s: %d to %s", method, answer.StatusCode, answer.Header.Get("Location"))
		}
	}
	// What no browser sends, and what would make another host of ours when it is put behind the origin.
	for _, asked := range []string{"http:@evil.example", "http:.evil.example/x", "mailto:@evil.example"} {
		if location := locationOf(t, f.RedirectListen, asked); location != "" && !strings.HasPrefix(location, "https://books.example/") {
			t.Errorf("%s leads to %s", asked, location)
		}
	}
	if err := stop(); err != nil {
		t.Error(err)
	}
}

// locationOf asks for something as no client library would, and says where the answer leads.
func locationOf(t *testing.T, address, asked string) string {
	t.Helper()
	c, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, err := fmt.Fprintf(c, "GET %s HTTP/1.1\r\nHost: books.example\r\n\r\n", asked); err != nil {
		t.Fatal(err)
	}
	answer, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	return answer.Header.Get("Location")
}

func TestOperatorsAreInside(t *testing.T) {
	t.Parallel()
	p := parts{ready: &ready.Ready{}, meter: metric.New("test"), log: slog.New(slog.DiscardHandler)}
	p.ready.Add(ready.Check{Name: "database", Run: func(context.Context) error { return fmt.Errorf("no route to db.internal") }})
	ask := func(from, host, path string) *httptest.ResponseRecorder {
		r := httptest.NewRequest("GET", path, http.NoBody)
		r.RemoteAddr, r.Host = from, host
		w := httptest.NewRecorder()
		operatorHandler(p).ServeHTTP(w, r)
		return w
	}
	for _, path := range []string{"/metrics", "/readyz", "/debug/pprof/", "/livez"} {
		for from, host := range map[string]string{"203.0.113.7:1": "10.0.0.1:9090", "[2001:db8::1]:1": "10.0.0.1:9090", "127.0.0.1:1": "evil.example:9090"} {
			if w := ask(from, host, path); w.Code != http.StatusForbidden {
				t.Errorf("%s from %s by the name %s: %d", path, from, host, w.Code)
			}
		}
		want := http.StatusOK
		if path == "/readyz" {
			want = http.StatusServiceUnavailable
		}
		for from, host := range map[string]string{"10.0.0.9:1": "10.0.0.1:9090", "[::1]:1": "localhost:9090", "[fd00::1]:1": "[fd00::2]:9090"} {
			if w := ask(from, host, path); w.Code != want {
				t.Errorf("%s from %s: %d", path, from, w.Code)
			}
		}
	}
	if w := ask("127.0.0.1:1", "127.0.0.1", "/readyz"); !strings.Contains(w.Body.String(), "db.internal") {
		t.Errorf("operators are not told what is wrong: %s", w.Body)
	}
}

// What operators see of a real process: figures of requests, pools, jobs, schemas and people, and of nobody in particular.
func TestFigures(t *testing.T) {
	operators := fmt.Sprintf("127.0.0.1:%d", freePort(t))
	r := startReplica(t, "--operator-listen", operators)
	h := newHouse(t)
	r.ask(t, h.owner, "GET", "/o/"+h.slug+"/invoices", nil)
	get := func(path string) (int, string) {
		request, err := http.NewRequestWithContext(t.Context(), "GET", "http://"+operators+path, http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		answer, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		defer answer.Body.Close()
		body, err := io.ReadAll(answer.Body)
		if err != nil {
			t.Fatal(err)
		}
		return answer.StatusCode, string(body)
	}
	ctx := t.Context()
	if err := (probeCommand{URL: "http://" + r.address + "/readyz", Timeout: 10 * time.Second}).Run(ctx); err != nil {
		t.Errorf("probe: %v", err)
	}
	if err := (probeCommand{URL: "http://" + r.address + "/nothing", Timeout: 10 * time.Second}).Run(ctx); err == nil {
		t.Error("a probe of nothing passes")
	}
	if status, body := get("/readyz"); status != http.StatusOK || !strings.Contains(body, `"name":"schema"`) {
		t.Errorf("ready: %d %s", status, body)
	}
	_, figures := get("/metrics")
	for _, name := range []string{
		`countinghouse_http_requests_total{method="GET",route="/o/:slug/invoices",status="200"} 1`,
		"countinghouse_http_request_duration_seconds_bucket", `countinghouse_pool_connections_open{login="countinghouse_app"}`,
		`countinghouse_jobs{standing="failed"}`, `countinghouse_organizations{state="active"}`, "countinghouse_people ", "countinghouse_sign_in_lockouts ",
		"countinghouse_schemas_behind ", "countinghouse_database_counted 1", "countinghouse_build_info", "go_goroutines", "process_open_fds",
	} {
		if !strings.Contains(figures, name) {
			t.Errorf("no %s", name)
		}
	}
	for _, no := range []string{h.slug, "tidewater", h.lead.ID.String()} {
		if strings.Contains(figures, no) {
			t.Errorf("the figures name %s", no)
		}
	}
	if status, _ := get("/debug/pprof/goroutine?debug=1"); status != http.StatusOK {
		t.Errorf("pprof: %d", status)
	}
	if status, _ := r.ask(t, h.owner, "GET", "/metrics", nil); status != http.StatusNotFound {
		t.Errorf("everybody is shown the figures: %d", status)
	}
}
