package web_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/countinghouse/countinghouse/internal/metric"
	"github.com/countinghouse/countinghouse/internal/ready"
	"github.com/countinghouse/countinghouse/web"
)

// lines is a log that may be read while it is written.
type lines struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// openEdge is open, with what an operator may set.
func openEdge(t testing.TB, set func(c *web.Config)) (*house, *lines) {
	t.Helper()
	h, log := open(t), &lines{}
	config := h.Config
	config.Log = slog.New(slog.NewJSONHandler(log, nil))
	set(&config)
	s, err := web.New(config)
	if err != nil {
		t.Fatal(err)
	}
	h.Server = s
	return h, log
}

// listen serves on an address of this machine.
func (h *house) listen(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- h.Serve(l) }()
	t.Cleanup(func() {
		if err := errors.Join(h.Shutdown(context.WithoutCancel(t.Context())), <-served); err != nil {
			t.Error(err)
		}
	})
	return l.Addr().String()
}

func TestReadinessTellsStrangersNothing(t *testing.T) {
	t.Parallel()
	r := &ready.Ready{}
	var down error
	r.Add(ready.Check{Name: "database", Run: func(context.Context) error { return down }})
	h, _ := openEdge(t, func(c *web.Config) { c.Ready = r })
	ask := func(path string) (answer, bool) {
		request := httptest.NewRequest("GET", path, http.NoBody)
		request.Host = "10.2.3.4:8080" // a probe asks by address
		response, err := h.App().Test(request, -1)
		if err != nil {
			t.Fatal(err)
		}
		defer response.Body.Close()
		body, err := io.ReadAll(response.Body)
		if err != nil {
			t.Fatal(err)
		}
		return answer{response.StatusCode, response.Header, body}, response.Close
	}
	if a, _ := ask("/readyz"); a.status != http.StatusOK || string(a.body) != "ready\n" {
		t.Errorf("%d %s", a.status, a.body)
	}
	if a, _ := ask("/sign-in"); a.status != http.StatusNotFound {
		t.Errorf("a page under another name: %d", a.status)
	}
	down = errors.New("no route to db.internal")
	r.Add() // what was found before is forgotten
	if a, _ := ask("/readyz"); a.status != http.StatusServiceUnavailable || string(a.body) != "not ready\n" {
		t.Errorf("without its database: %d %s", a.status, a.body)
	}
	if a, _ := ask("/livez"); a.status != http.StatusOK {
		t.Errorf("it would be killed for a database that is away: %d", a.status)
	}
	down = nil
	r.Drain()
	a, closes := ask("/readyz")
	if a.status != http.StatusServiceUnavailable || !closes {
		t.Errorf("while it ends: %d, closes: %v", a.status, closes)
	}
}

func TestLimits(t *testing.T) {
	t.Parallel()
	meter := metric.New("test")
	h, _ := openEdge(t, func(c *web.Config) {
		c.Limits, c.Meter = web.Limits{Network: 10_000, Person: 20, Token: 5, Organization: 1000}, meter
	})
	o := h.signUp(t)
	var last answer
	passed := 0 // a slow machine earns a request back now and then
	for passed < 200 {
		if last = o.program.call(t, "GET", "/v1/customers", nil); last.status != http.StatusOK {
			break
		}
		passed++
	}
	if last.status != http.StatusTooManyRequests || passed < 5 {
		t.Fatalf("of 5 requests a minute %d pass, then %d", passed, last.status)
	}
	p := last.problem(t)
	if p.Code != "rate.limited" || last.header.Get("Retry-After") == "" || last.header.Get("Retry-After") == "0" {
		t.Errorf("%+v with Retry-After %q", p, last.header.Get("Retry-After"))
	}
	if got := strings.Join(last.header.Values("RateLimit-Policy"), ", "); !strings.Contains(got, `"token";q=5;w=60`) || !strings.Contains(got, `"network";q=10000;w=60`) {
		t.Errorf("RateLimit-Policy: %s", got)
	}
	if got := strings.Join(last.header.Values("RateLimit"), ", "); !strings.Contains(got, `"token";r=0;t=`) {
		t.Errorf("RateLimit: %s", got)
	}
	if a := o.browser.get(t, o.path("/customers")); a.status != http.StatusOK {
		t.Errorf("their browser pays for their program: %d", a.status)
	}
	other := h.signUp(t)
	if a := other.program.call(t, "GET", "/v1/customers", nil); a.status != http.StatusOK {
		t.Errorf("another organization pays for it: %d", a.status)
	}
	refused := false
	for n := 0; n < 500 && !refused; n++ {
		if a := o.browser.get(t, o.path("/customers")); a.status == http.StatusTooManyRequests {
			if refused = true; !strings.Contains(string(a.body), "Wait a little") {
				t.Errorf("the page says: %s", a.body)
			}
		}
	}
	if !refused {
		t.Error("a person of whom 20 requests a minute are allowed sends 500")
	}
	figures := scrape(t, meter)
	if !strings.Contains(figures, `countinghouse_rate_limited_total{by="token"} 1`) || !strings.Contains(figures, `by="person"`) {
		t.Error("the figures do not tell what was refused")
	}
	for _, secret := range []string{o.slug, other.slug, o.program.token, "tidewater"} {
		if secret != "" && strings.Contains(figures, secret) {
			t.Errorf("the figures name %s", secret)
		}
	}
	if !strings.Contains(figures, `countinghouse_http_requests_total{method="GET",route="/v1/customers",status="200"}`) {
		t.Errorf("no requests by route: %s", figures)
	}
}

func scrape(t *testing.T, m *metric.Meter) string {
	t.Helper()
	w := httptest.NewRecorder()
	m.Handler().ServeHTTP(w, httptest.NewRequest("GET", "/metrics", http.NoBody))
	if w.Code != http.StatusOK {
		t.Fatalf("figures: %d", w.Code)
	}
	return w.Body.String()
}

// A network is limited before anything is done for it, and by what a proxy of ours says of it: not by what it says.
func TestNetworksBehindProxies(t *testing.T) {
	t.Parallel()
	own := []netip.Prefix{netip.MustParsePrefix("0.0.0.0/32"), netip.MustParsePrefix("10.0.0.0/8")}
	h, _ := openEdge(t, func(c *web.Config) { c.Limits, c.Proxies = web.Limits{Network: 2}, own })
	bare, _ := openEdge(t, func(c *web.Config) { c.Limits = web.Limits{Network: 2} })
	ask := func(h *house, forwarded ...string) int {
		r := httptest.NewRequest("GET", "/sign-in", http.NoBody)
		for _, f := range forwarded {
			r.Header.Add("X-Forwarded-For", f)
		}
		return h.send(t, r).status
	}
	for n := range 2 {
		if got := ask(h, fmt.Sprintf("198.51.100.%d, 203.0.113.7, 10.1.2.3", n)); got != http.StatusOK {
			t.Fatalf("request %d: %d", n+1, got)
		}
	}
	if got := ask(h, "192.0.2.99, 203.0.113.7, 10.1.2.3"); got != http.StatusTooManyRequests {
		t.Errorf("an address that it made up lets it pass: %d", got)
	}
	if got := ask(h, "192.0.2.99", "203.0.113.7"); got != http.StatusTooManyRequests {
		t.Errorf("an address that it made up on a line of its own lets it pass: %d", got)
	}
	if got := ask(h, "203.0.113.8"); got != http.StatusOK {
		t.Errorf("its neighbour: %d", got)
	}
	for _, v6 := range []string{"2001:db8:1:2::1", "2001:db8:1:2:ffff::2"} {
		if got := ask(h, v6); got != http.StatusOK {
			t.Errorf("%s: %d", v6, got)
		}
	}
	if got := ask(h, "2001:db8:1:2:1:2:3:4"); got != http.StatusTooManyRequests {
		t.Errorf("a third address of one /64: %d", got)
	}
	ask(bare, "203.0.113.1")
	ask(bare, "203.0.113.2")
	if got := ask(bare, "203.0.113.3"); got != http.StatusTooManyRequests {
		t.Errorf("without proxies of ours, a caller's word for where it comes from is believed: %d", got)
	}
}

// The log tells which request it was, in which trace and organization, and nothing of people.
func TestLogOfRequests(t *testing.T) {
	t.Parallel()
	h, log := openEdge(t, func(*web.Config) {})
	o := h.signUp(t)
	const id = "4bf92f3577b34da6a3ce929d0e0e4736"
	r := httptest.NewRequest("GET", o.path("/customers?q=Ada+Byron"), http.NoBody)
	r.Header.Set("traceparent", "00-"+id+"-00f067aa0ba902b7-01")
	r.Header.Set("User-Agent", "Ada's telephone")
	r.AddCookie(&http.Cookie{Name: "__Host-session", Value: o.browser.cookies["__Host-session"]})
	if a := h.send(t, r); a.status != http.StatusOK {
		t.Fatalf("%d", a.status)
	}
	h.send(t, httptest.NewRequest("GET", "/no/such/ada@tidewater.example", http.NoBody))
	var found bool
	for line := range strings.Lines(log.String()) {
		var said map[string]any
		if err := json.Unmarshal([]byte(line), &said); err != nil {
			t.Fatalf("%v in %s", err, line)
		}
		if said["trace_id"] == id {
			found = true
			if said["request_id"] == "" || said["organization"] == nil || said["status"] != 200.0 || said["route"] != "/o/:slug/customers" {
				t.Errorf("%s", line)
			}
		}
		if said["msg"] == "request" && len(fmt.Sprint(said["trace_id"])) != 32 {
			t.Errorf("a request without a trace: %s", line)
		}
	}
	if !found {
		t.Error("the caller's trace is not in the log")
	}
	if !strings.Contains(log.String(), `"route":"none"`) {
		t.Error("what no route answers is logged as one")
	}
	for _, personal := range []string{"Byron", "tidewater.example", "telephone", o.slug, o.browser.cookies["__Host-session"], "0.0.0.0"} {
		if strings.Contains(log.String(), personal) {
			t.Errorf("the log holds %q", personal)
		}
	}
}

// Every answer, of whatever kind, tells browsers to run nothing but what is ours; over TLS, to come back by TLS alone.
func TestSecurityHeaders(t *testing.T) {
	t.Parallel()
	plain, _ := openEdge(t, func(*web.Config) {})
	secure, _ := openEdge(t, func(c *web.Config) { c.Origin = strings.Replace(origin, "http://", "https://", 1) })
	for _, path := range []string{"/sign-in", "/no/such/page", "/v1/customers", "/openapi.json", "/readyz", "/static/", "/o/none"} {
		a := secure.send(t, httptest.NewRequest("GET", path, http.NoBody))
		policy := a.header.Get("Content-Security-Policy")
		for _, want := range []string{"default-src 'none'", "script-src 'self'", "frame-ancestors 'none'", "base-uri 'none'", "form-action 'self'"} {
			if !strings.Contains(policy, want) {
				t.Errorf("%s: the policy lacks %s: %s", path, want, policy)
			}
		}
		if strings.Contains(policy, "unsafe") {
			t.Errorf("%s: %s", path, policy)
		}
		for name, want := range map[string]string{"X-Content-Type-Options": "nosniff", "Referrer-Policy": "same-origin", "Cross-Origin-Opener-Policy": "same-origin",
			"Cross-Origin-Resource-Policy": "same-origin", "Strict-Transport-Security": "max-age=31536000; includeSubDomains"} {
			if got := a.header.Get(name); got != want {
				t.Errorf("%s: %s is %q", path, name, got)
			}
		}
		if got := a.header.Get("Server"); got != "" {
			t.Errorf("%s tells what it is: %s", path, got)
		}
		if got := plain.send(t, httptest.NewRequest("GET", path, http.NoBody)).header.Get("Strict-Transport-Security"); got != "" {
			t.Errorf("%s: HSTS without TLS: %s", path, got)
		}
	}
}

// Whoever finds a hole is told whom to tell (RFC 9116).
func TestSecurityTxt(t *testing.T) {
	t.Parallel()
	h, _ := openEdge(t, func(c *web.Config) { c.SecurityContact = "mailto:security@books.example" })
	a := h.send(t, httptest.NewRequest("GET", "/.well-known/security.txt", http.NoBody))
	if a.status != http.StatusOK || a.header.Get("Content-Type") != "text/plain; charset=utf-8" {
		t.Fatalf("%d %s", a.status, a.header.Get("Content-Type"))
	}
	fields := map[string][]string{}
	for line := range strings.Lines(string(a.body)) {
		name, value, ok := strings.Cut(strings.TrimSuffix(line, "\n"), ": ")
		if !ok {
			t.Errorf("no field: %q", line)
		}
		fields[name] = append(fields[name], value)
	}
	until, err := time.Parse(time.RFC3339, strings.Join(fields["Expires"], ""))
	if err != nil || time.Until(until) < 24*time.Hour || time.Until(until) > 365*24*time.Hour {
		t.Errorf("expires %v, %v", fields["Expires"], err)
	}
	if len(fields["Contact"]) != 2 || fields["Contact"][0] != "mailto:security@books.example" || fields["Canonical"][0] != origin+"/.well-known/security.txt" {
		t.Errorf("%v", fields)
	}
}

// A client that sends slowly, or never ends, loses its connection; others are served meanwhile.
func TestSlowClients(t *testing.T) {
	t.Parallel()
	h, _ := openEdge(t, func(c *web.Config) { c.ReadTimeout = 300 * time.Millisecond })
	address := h.listen(t)
	host := strings.TrimPrefix(origin, "http://")
	for what, sent := range map[string]string{
		"headers that do not end": "POST /sign-in HTTP/1.1\r\nHost: " + host + "\r\nX-A: ",
		"a body that does not":    "POST /sign-in HTTP/1.1\r\nHost: " + host + "\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 1000\r\n\r\nemail=",
		"nothing":                 "",
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			c, err := net.Dial("tcp", address)
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			if _, err := io.WriteString(c, sent); err != nil {
				t.Fatal(err)
			}
			if err := c.SetReadDeadline(time.Now().Add(20 * time.Second)); err != nil {
				t.Fatal(err)
			}
			answered, err := io.ReadAll(c)
			var slow net.Error
			if errors.As(err, &slow) && slow.Timeout() {
				t.Error("the connection stays open")
			}
			if bytes.Contains(answered, []byte("HTTP/1.1 200")) {
				t.Errorf("it was answered: %s", answered)
			}
		})
	}
	var large strings.Builder
	for n := range 400 {
		fmt.Fprintf(&large, "X-%d: %s\r\n", n, strings.Repeat("a", 100))
	}
	c, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, err := io.WriteString(c, "GET /livez HTTP/1.1\r\nHost: "+host+"\r\n"+large.String()+"\r\n"); err != nil {
		t.Fatal(err)
	}
	response, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err == nil {
		defer response.Body.Close()
		if response.StatusCode != http.StatusRequestHeaderFieldsTooLarge {
			t.Errorf("40 kB of headers: %d", response.StatusCode)
		}
	} else if !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) && !strings.Contains(err.Error(), "reset") {
		t.Error(err)
	}
}
