package vaulttest

import (
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"sync"
	"testing"
	"time"
)

// between is what stands between the service and a Vault: it passes requests on, unless its rule answers them.
type between struct {
	address string

	mu    sync.Mutex
	rule  func(w http.ResponseWriter, r *http.Request) (answered bool)
	paths []string
	seen  []http.Header
}

func standBetween(t *testing.T, v *realVault) *between {
	t.Helper()
	to, err := url.Parse(v.Address)
	if err != nil {
		t.Fatal(err)
	}
	b := &between{}
	pass := httputil.NewSingleHostReverseProxy(to)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b.mu.Lock()
		b.paths = append(b.paths, r.URL.Path)
		b.seen = append(b.seen, r.Header.Clone())
		rule := b.rule
		b.mu.Unlock()
		if rule == nil || !rule(w, r) {
			pass.ServeHTTP(w, r)
		}
	}))
	t.Cleanup(server.Close)
	b.address = server.URL
	return b
}

func (b *between) answer(rule func(w http.ResponseWriter, r *http.Request) bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.rule = rule
}

// count is how many requests for paths that end so came since the last count of anything.
func (b *between) asked() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	paths := b.paths
	b.paths = nil
	return paths
}

// always answers with one status.
func always(status int, body string) func(http.ResponseWriter, *http.Request) bool {
	return func(w http.ResponseWriter, _ *http.Request) bool {
		w.WriteHeader(status)
		_, err := w.Write([]byte(body))
		return err == nil
	}
}

// clock stands still until it is moved.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func newClock() *clock { return &clock{now: time.Now()} }

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}
