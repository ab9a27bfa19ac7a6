package vaulttest

import (
	"bufio"
	"bytes"
	"crypto/rand"
	"fmt"
	"html"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// service is the whole of it, as an operator runs it, with its keys in a Vault.
type service struct {
	t    *testing.T
	home string
	http *http.Client
}

func runService(t *testing.T, v *realVault) *service {
	t.Helper()
	folder, err := os.MkdirTemp("", "countinghouse-on-vault-")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(folder, 0o755); err != nil { // the database's user passes through
		t.Fatal(err)
	}
	binary := filepath.Join(folder, "countinghouse")
	build := exec.Command("go", "build", "-buildvcs=false", "-o", binary, "./cmd/countinghouse")
	build.Dir = "../.."
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	port := listener.Addr().(*net.TCPAddr).Port
	if err := listener.Close(); err != nil {
		t.Fatal(err)
	}
	process := exec.Command(binary, "dev", "--demo", "--data", filepath.Join(folder, "data"), "--port", fmt.Sprint(port), "--keyring=vault",
		"--vault-address="+v.Address, "--vault-role-id="+v.RoleID, "--vault-secret-id-file="+v.SecretIDFile)
	out, err := process.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	process.Stderr = process.Stdout
	if err := process.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := process.Process.Signal(os.Interrupt); err != nil {
			t.Error(err)
		}
		if err := process.Wait(); err != nil {
			t.Errorf("it did not stop cleanly: %v", err)
		}
		if err := os.RemoveAll(folder); err != nil {
			t.Error(err)
		}
	})
	ready := make(chan string, 1)
	go func() {
		var said strings.Builder
		for scan := bufio.NewScanner(out); scan.Scan(); {
			fmt.Fprintln(&said, scan.Text())
			if strings.Contains(scan.Text(), "Ctrl-C stops it") {
				ready <- ""
			}
		}
		ready <- said.String()
	}()
	select {
	case said := <-ready:
		if said != "" {
			t.Fatalf("it ended: %s", said)
		}
	case <-time.After(5 * time.Minute):
		t.Fatal("it is not ready after five minutes")
	}
	return &service{t, fmt.Sprintf("http://localhost:%d", port), &http.Client{
		Timeout: 30 * time.Second, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// ask sends a request; a form makes it a POST. session may be "".
func (s *service) ask(path, session string, form url.Values) (*http.Response, string, error) {
	method, body := "GET", io.Reader(http.NoBody)
	if form != nil {
		method, body = "POST", strings.NewReader(form.Encode())
	}
	r, err := http.NewRequest(method, s.home+path, body)
	if err != nil {
		return nil, "", err
	}
	if form != nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	if session != "" {
		r.Header.Set("Cookie", "__Host-session="+session)
	}
	response, err := s.http.Do(r)
	if err != nil {
		return nil, "", err
	}
	defer response.Body.Close()
	text := new(bytes.Buffer)
	_, err = text.ReadFrom(response.Body)
	return response, text.String(), err
}

func (s *service) signIn() (session string) {
	s.t.Helper()
	response, text, err := s.ask("/sign-in", "", url.Values{"email": {"jane@chinook.example"}, "password": {"records spin under a quiet lamp"}})
	if err != nil {
		s.t.Fatal(err)
	}
	for _, c := range response.Cookies() {
		if c.Name == "__Host-session" {
			return c.Value
		}
	}
	s.t.Fatalf("signing in: %d %s", response.StatusCode, text)
	return ""
}

var mailed = regexp.MustCompile(`/set-up\?token=([A-Za-z0-9_-]+)`)

// found has somebody new open an organization's books, for which a key may have to be made.
func (s *service) found() (*http.Response, string) {
	s.t.Helper()
	who := strings.ToLower(rand.Text()[:10])
	email := who + "@tidewater.example"
	if _, _, err := s.ask("/sign-up", "", url.Values{"email": {email}}); err != nil {
		s.t.Fatal(err)
	}
	_, outbox, err := s.ask("/dev/outbox", "", nil)
	if err != nil {
		s.t.Fatal(err)
	}
	_, after, found := strings.Cut(html.UnescapeString(outbox), email)
	link := mailed.FindStringSubmatch(after)
	if !found || link == nil {
		s.t.Fatalf("no link for %s in %s", email, outbox)
	}
	response, text, err := s.ask("/set-up", "", url.Values{"token": {link[1]}, "organization": {"Tidewater"}, "slug": {"a" + who}, "country": {"IE"},
		"currency": {"EUR"}, "time_zone": {"Europe/Dublin"}, "name": {"Mara"}, "password": {"nine grey herons wade past the mill"}})
	if err != nil {
		s.t.Fatal(err)
	}
	return response, text
}

// TestServiceOnSealedVault seals the Vault while people work. Whoever needs no secret notices nothing; whoever needs a
// key, here for an organization's schema once those that are ready are taken, is told so, and when to try again.
func TestServiceOnSealedVault(t *testing.T) {
	t.Parallel()
	v := newVault(t)
	s := runService(t, v)
	session := s.signIn()

	var served atomic.Int64
	stop := make(chan struct{})
	var people sync.WaitGroup
	leave := sync.OnceFunc(func() { close(stop); people.Wait() })
	defer leave()
	for _, path := range []string{"/o/chinook/invoices", "/o/chinook/customers", "/o/chinook", "/sign-in"} {
		people.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				response, _, err := s.ask(path, session, nil)
				if err != nil || response.StatusCode >= 500 {
					t.Errorf("%s: %v %v", path, response, err)
					return
				}
				served.Add(1)
			}
		})
	}
	if response, text := s.found(); response.StatusCode != http.StatusSeeOther {
		t.Fatalf("before: %d %s", response.StatusCode, text)
	}
	if err := v.root.Sys().Seal(); err != nil {
		t.Fatal(err)
	}
	before := served.Load()
	refused := false
	for range 12 {
		response, text := s.found()
		if response.StatusCode == http.StatusSeeOther {
			continue // there was a schema, with its key, that was ready
		}
		refused = true
		if response.StatusCode != http.StatusServiceUnavailable || response.Header.Get("Retry-After") == "" || !strings.Contains(text, "the Vault is sealed") {
			t.Errorf("sealed: %d, Retry-After %q: %s", response.StatusCode, response.Header.Get("Retry-After"), text)
		}
		break
	}
	if !refused {
		t.Error("an organization gets a key from a Vault that is sealed")
	}
	if got := served.Load() - before; got < 20 {
		t.Errorf("while it was sealed only %d requests were answered", got)
	}
	if _, err := v.root.Sys().Unseal(v.unseal); err != nil {
		t.Fatal(err)
	}
	ends := time.After(30 * time.Second)
	for open := false; !open; {
		select {
		case <-ends:
			t.Fatal("30 s after it was unsealed no key is made")
		case <-time.After(500 * time.Millisecond): // the circuit closes after two seconds
		}
		response, _ := s.found()
		open = response.StatusCode == http.StatusSeeOther
	}
	leave()
	t.Logf("%d requests were answered, %d of them since it was sealed", served.Load(), served.Load()-before)
}
