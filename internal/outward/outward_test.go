package outward_test

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/net/dns/dnsmessage"

	"github.com/countinghouse/countinghouse/internal/outward"
)

func TestPublic(t *testing.T) {
	t.Parallel()
	for _, s := range []string{"127.0.0.1", "127.255.255.254", "10.1.2.3", "172.16.0.1", "172.31.255.255", "192.168.1.1", "169.254.169.254",
		"100.64.0.1", "100.100.100.200", "0.0.0.0", "0.1.2.3", "192.0.0.192", "168.63.129.16", "192.88.99.1", "224.0.0.1", "239.1.1.1",
		"255.255.255.255", "240.0.0.1", "198.18.0.1", "::", "::1", "fe80::1", "fe80::1%eth0", "fd00::1", "fd00:ec2::254", "fc00::1", "fec0::1",
		"::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:169.254.169.254", "::127.0.0.1", "::10.0.0.1", "::ffff:0:127.0.0.1",
		"64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe", "64:ff9b:1::a00:1", "2002:7f00:1::1", "2002:a00:1::", "2001:0:1::1", "2001:db8::1", "ff02::1", "ff0e::1"} {
		if outward.Public(netip.MustParseAddr(s)) {
			t.Errorf("%s passes for the public internet", s)
		}
	}
	for _, s := range []string{"1.1.1.1", "93.184.216.34", "172.32.0.1", "100.128.0.1", "2606:4700::1111", "2a00:1450::1", "::ffff:8.8.8.8"} {
		if !outward.Public(netip.MustParseAddr(s)) {
			t.Errorf("%s passes for an address of a network's own", s)
		}
	}
}

func TestCheckURL(t *testing.T) {
	t.Parallel()
	for _, s := range []string{"", "hooks.example.com", "http://hooks.example.com", "ftp://hooks.example.com", "https://", "https://:443/", "https://ada:secret@hooks.example.com/",
		"https://hooks.example.com/#here", "https://localhost/", "https://LOCALHOST./", "https://app.localhost/", "https://printer.local/", "https://metadata.google.internal/",
		"https://database/", "https://127.0.0.1/", "https://127.0.0.1:8443/", "https://[::1]/", "https://[::ffff:10.0.0.1]/", "https://169.254.169.254/latest", "https://1.0.0.127.in-addr.arpa/",
		"javascript:alert(1)", "//hooks.example.com", "https://hooks.example.com:99999999999999999999/ \n"} {
		if err := outward.CheckURL(s, false); !errors.Is(err, outward.ErrURL) {
			t.Errorf("%q: %v", s, err)
		}
	}
	for _, s := range []string{"https://hooks.example.com", "https://hooks.example.com:8443/a?b=c", "https://93.184.216.34/x", "https://[2606:4700::1111]/"} {
		if err := outward.CheckURL(s, false); err != nil {
			t.Errorf("%q: %v", s, err)
		}
	}
	if err := outward.CheckURL("http://localhost:3000/", true); err != nil {
		t.Errorf("on a machine of one's own: %v", err)
	}
}

// named is a server of names that gives each question the next of its addresses, and the last again and again.
func named(t *testing.T, addresses ...string) *net.Resolver {
	t.Helper()
	listener, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	go func() {
		asked, buffer := 0, make([]byte, 1500)
		for {
			n, from, err := listener.ReadFrom(buffer)
			if err != nil {
				return
			}
			var m dnsmessage.Message
			if m.Unpack(buffer[:n]) != nil || len(m.Questions) != 1 {
				continue
			}
			m.Response, m.RecursionAvailable, m.Additionals = true, true, nil
			a, q := netip.MustParseAddr(addresses[min(asked, len(addresses)-1)]), m.Questions[0]
			header := dnsmessage.ResourceHeader{Name: q.Name, Class: q.Class}
			switch {
			case q.Type == dnsmessage.TypeA && a.Is4():
				m.Answers = []dnsmessage.Resource{{Header: header, Body: &dnsmessage.AResource{A: a.As4()}}}
				asked++
			case q.Type == dnsmessage.TypeAAAA && a.Is6():
				m.Answers = []dnsmessage.Resource{{Header: header, Body: &dnsmessage.AAAAResource{AAAA: a.As16()}}}
				asked++
			}
			if out, err := m.Pack(); err == nil {
				_, _ = listener.WriteTo(out, from) // a lost answer is asked for again
			}
		}
	}()
	return &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "udp", listener.LocalAddr().String())
	}}
}

func post(t *testing.T, client *http.Client, within time.Duration, address string) error {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), within)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, address, strings.NewReader("{}"))
	if err != nil {
		t.Fatal(err)
	}
	answer, err := client.Do(r)
	if err == nil {
		answer.Body.Close()
	}
	return err
}

func TestAServerOfNamesThatChangesItsMind(t *testing.T) {
	t.Parallel()
	var reached atomic.Int32
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { reached.Add(1) }))
	t.Cleanup(server.Close)
	_, port, err := net.SplitHostPort(server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	address := "http://rebinding.example.com.:" + port + "/"
	t.Run("is harmless first and leads inside afterwards", func(t *testing.T) {
		client := outward.NewClient(outward.Options{Resolver: named(t, "93.184.216.34", "127.0.0.1")})
		if err := post(t, client, 300*time.Millisecond, address); err == nil || errors.Is(err, outward.ErrInternal) {
			t.Fatalf("the public address: %v", err)
		}
		if err := post(t, client, 5*time.Second, address); !errors.Is(err, outward.ErrInternal) {
			t.Fatalf("then 127.0.0.1: %v", err)
		}
	})
	for _, inside := range []string{"127.0.0.1", "::1", "::ffff:127.0.0.1", "169.254.169.254", "64:ff9b::7f00:1", "10.0.0.1", "fe80::1"} {
		t.Run("leads to "+inside, func(t *testing.T) {
			if err := post(t, outward.NewClient(outward.Options{Resolver: named(t, inside)}), 5*time.Second, address); !errors.Is(err, outward.ErrInternal) {
				t.Fatal(err)
			}
		})
	}
	if reached.Load() != 0 {
		t.Fatal("a server inside was reached")
	}
	if err := post(t, outward.NewClient(outward.Options{Resolver: named(t, "127.0.0.1"), Internal: true}), 5*time.Second, address); err != nil || reached.Load() != 1 {
		t.Fatalf("where it is allowed: %v", err)
	}
}

func TestRedirectsAreNotFollowed(t *testing.T) {
	t.Parallel()
	var inner atomic.Int32
	inside := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { inner.Add(1) }))
	t.Cleanup(inside.Close)
	for _, status := range []int{301, 302, 303, 307, 308} {
		outside := httptest.NewServer(http.RedirectHandler(inside.URL, status))
		t.Cleanup(outside.Close)
		answer, err := outward.NewClient(outward.Options{Internal: true}).Post(outside.URL, "application/json", strings.NewReader("{}"))
		if err != nil {
			t.Fatal(err)
		}
		answer.Body.Close()
		if answer.StatusCode != status || inner.Load() != 0 {
			t.Fatalf("%d: answered %d, followed %d times", status, answer.StatusCode, inner.Load())
		}
	}
}

func TestAProxyOfTheEnvironmentIsNotUsed(t *testing.T) {
	var proxied atomic.Int32
	proxy := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { proxied.Add(1) }))
	t.Cleanup(proxy.Close)
	t.Setenv("HTTP_PROXY", proxy.URL)
	t.Setenv("http_proxy", proxy.URL)
	client := outward.NewClient(outward.Options{Resolver: named(t, "10.0.0.1")})
	if err := post(t, client, 5*time.Second, "http://inside.example.com./"); !errors.Is(err, outward.ErrInternal) || proxied.Load() != 0 {
		t.Fatalf("%v, proxied %d times", err, proxied.Load())
	}
}
