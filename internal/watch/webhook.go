package watch

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strconv"
	"syscall"
	"time"
)

// Webhook posts security events to an address of the operator's.
type Webhook struct {
	url    string
	key    []byte
	client *http.Client
}

// WebhookOptions say where to and how.
type WebhookOptions struct {
	URL string // https, or http where Internal allows it
	Key []byte // signs each post; 32 bytes or more
	// Internal allows addresses inside the operator's own network. Without it, a name that leads there is refused when
	// it is dialled: a name that was harmless when it was set may lead elsewhere later.
	Internal bool
}

var errInternal = errors.New("the webhook's name leads to an address inside a network: allow that by its own setting, if it is meant")

// NewWebhook checks what an operator set.
func NewWebhook(o WebhookOptions) (*Webhook, error) {
	u, err := url.Parse(o.URL)
	if err != nil || u.Host == "" || u.User != nil || u.Fragment != "" || (u.Scheme != "https" && !(o.Internal && u.Scheme == "http")) {
		return nil, errors.New("the security webhook is not of the form https://host/path")
	}
	if len(o.Key) < 32 {
		return nil, errors.New("the key of the security webhook is shorter than 32 bytes")
	}
	dialer := &net.Dialer{Timeout: 5 * time.Second}
	if !o.Internal {
		dialer.Control = refuseInternal
	}
	client := &http.Client{
		Timeout: 15 * time.Second,
		// No proxy of the environment's: it would dial in our place, past the guard.
		Transport:     &http.Transport{DialContext: dialer.DialContext, TLSHandshakeTimeout: 5 * time.Second, ResponseHeaderTimeout: 10 * time.Second, DisableKeepAlives: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	return &Webhook{url: o.URL, key: o.Key, client: client}, nil
}

// Sign is what X-Countinghouse-Signature holds for a body posted at a time, in Unix seconds as
// X-Countinghouse-Timestamp has it: "v1=" and the HMAC-SHA256, in hex, of the timestamp, a point and the body. Who
// receives it computes the same, compares in constant time, and refuses what is older than five minutes.
func Sign(key []byte, timestamp string, body []byte) string {
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(timestamp + "."))
	mac.Write(body)
	return "v1=" + hex.EncodeToString(mac.Sum(nil))
}

func (h *Webhook) post(ctx context.Context, now time.Time, body []byte) (err error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, h.url, bytes.NewReader(body))
	if err != nil {
		return err
	}
	timestamp := strconv.FormatInt(now.Unix(), 10)
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("User-Agent", "Countinghouse")
	r.Header.Set("X-Countinghouse-Timestamp", timestamp)
	r.Header.Set("X-Countinghouse-Signature", Sign(h.key, timestamp, body))
	answer, err := h.client.Do(r)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, answer.Body.Close()) }()
	if _, err := io.Copy(io.Discard, io.LimitReader(answer.Body, 64<<10)); err != nil {
		return err
	}
	if answer.StatusCode < 200 || answer.StatusCode > 299 {
		return fmt.Errorf("the webhook answered %d", answer.StatusCode)
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
	if err != nil || internal(a) {
		return errInternal
	}
	return nil
}

// inside are networks that are not the public internet and that netip does not tell (IANA special-purpose address
// registries), and those whose addresses hold others in them.
var inside = []netip.Prefix{
	netip.MustParsePrefix("0.0.0.0/8"), netip.MustParsePrefix("100.64.0.0/10"), netip.MustParsePrefix("192.0.0.0/24"),
	netip.MustParsePrefix("192.0.2.0/24"), netip.MustParsePrefix("198.18.0.0/15"), netip.MustParsePrefix("198.51.100.0/24"),
	netip.MustParsePrefix("203.0.113.0/24"), netip.MustParsePrefix("240.0.0.0/4"), netip.MustParsePrefix("64:ff9b::/96"),
	netip.MustParsePrefix("64:ff9b:1::/48"), netip.MustParsePrefix("100::/64"), netip.MustParsePrefix("2001::/23"),
	netip.MustParsePrefix("2001:db8::/32"), netip.MustParsePrefix("2002::/16"), netip.MustParsePrefix("fec0::/10"),
}

func internal(a netip.Addr) bool {
	a = a.Unmap().WithZone("")
	if !a.IsGlobalUnicast() || a.IsPrivate() {
		return true
	}
	for _, p := range inside {
		if p.Contains(a) {
			return true
		}
	}
	return false
}
