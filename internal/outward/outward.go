// Package outward is how we post to addresses that somebody else chose: webhooks of organizations and of the operator.
//
// There is one such client, because each of them is a way into the networks that this service stands in (server-side
// request forgery, ASVS 5.0 V1.3.6): a name that was harmless when it was typed in may lead to a database later. So the
// address is looked at when it is dialled, after the name was looked up, and redirects are not followed.
package outward

import (
	"errors"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"syscall"
	"time"

	"github.com/countinghouse/countinghouse/internal/fault"
)

// ErrInternal is why nothing was sent: the name leads to an address that is not on the public internet.
var ErrInternal = errors.New("the name leads to an address inside a network")

// ErrURL refuses an address that cannot be posted to.
var ErrURL = fault.New(fault.Invalid, "url.unusable", "Give an address on the public internet that begins with https://, without a name or password in it.").At("url")

// Options say how a client posts.
type Options struct {
	// Internal allows plain http and addresses inside networks: for an operator's own, and on a machine of one's own.
	Internal bool
	// Timeout bounds a request with its answer; 0 means 15 s.
	Timeout time.Duration
	// Resolver looks names up; nil is the machine's.
	Resolver *net.Resolver
}

// NewClient gives a client that connects to nothing but what Options allow and follows no redirect: the answer that
// redirects is the answer. It fails with ErrInternal, wrapped, before anything is sent.
func NewClient(o Options) *http.Client {
	if o.Timeout == 0 {
		o.Timeout = 15 * time.Second
	}
	dialer := &net.Dialer{Timeout: 5 * time.Second, Resolver: o.Resolver}
	if !o.Internal {
		dialer.Control = refuseInternal
	}
	return &http.Client{
		Timeout: o.Timeout,
		// No proxy of the environment's: it would dial in our place, past the guard. No connection is kept: the next
		// request is to look at the address anew.
		Transport: &http.Transport{DialContext: dialer.DialContext, TLSHandshakeTimeout: 5 * time.Second, ResponseHeaderTimeout: o.Timeout,
			MaxResponseHeaderBytes: 64 << 10, DisableKeepAlives: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// CheckURL refuses, with ErrURL, what is not such an address. It looks nothing up: where a name leads is seen when it is
// dialled.
func CheckURL(address string, internal bool) error {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" || u.Hostname() == "" || u.User != nil || u.Fragment != "" || (u.Scheme != "https" && !(internal && u.Scheme == "http")) {
		return ErrURL
	}
	if internal {
		return nil
	}
	host := strings.ToLower(strings.TrimSuffix(u.Hostname(), "."))
	if a, err := netip.ParseAddr(host); err == nil {
		if !Public(a) {
			return ErrURL
		}
		return nil
	}
	// A name of one word is inside a network, and so are these (RFC 6761, RFC 6762, RFC 9476 and ICANN's .internal).
	at := strings.LastIndexByte(host, '.')
	switch host[at+1:] {
	case "localhost", "local", "internal", "test", "invalid", "onion", "alt", "arpa":
		return ErrURL
	}
	if at < 0 {
		return ErrURL
	}
	return nil
}

// refuseInternal runs when a name has been looked up, before anything is sent to the address.
func refuseInternal(_, address string, _ syscall.RawConn) error {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return err
	}
	a, err := netip.ParseAddr(host)
	if err != nil || !Public(a) {
		return ErrInternal
	}
	return nil
}

// inside are networks that are not the public internet and that netip does not tell (IANA special-purpose address
// registries), those whose addresses hold others in them (NAT64, 6to4, Teredo, IPv4-compatible), and the one public
// address at which a cloud answers its own machines.
var inside = []netip.Prefix{
	netip.MustParsePrefix("0.0.0.0/8"), netip.MustParsePrefix("100.64.0.0/10"), netip.MustParsePrefix("192.0.0.0/24"),
	netip.MustParsePrefix("192.0.2.0/24"), netip.MustParsePrefix("192.88.99.0/24"), netip.MustParsePrefix("198.18.0.0/15"),
	netip.MustParsePrefix("198.51.100.0/24"), netip.MustParsePrefix("203.0.113.0/24"), netip.MustParsePrefix("240.0.0.0/4"),
	netip.MustParsePrefix("168.63.129.16/32"),
	netip.MustParsePrefix("::/96"), netip.MustParsePrefix("::ffff:0:0:0/96"), netip.MustParsePrefix("64:ff9b::/96"),
	netip.MustParsePrefix("64:ff9b:1::/48"), netip.MustParsePrefix("100::/64"), netip.MustParsePrefix("100:0:0:1::/64"),
	netip.MustParsePrefix("2001::/23"), netip.MustParsePrefix("2001:db8::/32"), netip.MustParsePrefix("2002::/16"),
	netip.MustParsePrefix("3fff::/20"), netip.MustParsePrefix("5f00::/16"), netip.MustParsePrefix("fec0::/10"),
}

// Public says whether an address is one of the public internet. An IPv4 address in IPv6's clothes is judged as what it is.
func Public(a netip.Addr) bool {
	a = a.Unmap().WithZone("")
	if !a.IsGlobalUnicast() || a.IsPrivate() {
		return false
	}
	for _, p := range inside {
		if p.Contains(a) {
			return false
		}
	}
	return true
}
