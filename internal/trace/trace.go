// Package trace keeps one id for all that a request causes, in whichever program: it comes in and goes on in the
// traceparent header (W3C Trace Context, level 1), and stands in the log.
//
// A trace id that a caller sends is taken as it is: it names things in logs, and nothing is decided by it.
package trace

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"net/http"
	"strconv"
	"strings"
)

// Header is where a trace comes in and goes on.
const Header = "traceparent"

// Trace is the id of all that one request causes, and of our part in it. The zero Trace is none.
type Trace struct {
	ID   string // 32 hex digits in lower case
	Span string // 16: ours
	// Sampled says that the caller keeps the trace.
	Sampled bool
}

// Begin takes part in the trace of a traceparent header, or begins one where there is none that can be read: as the
// standard asks, a broken one is passed over.
func Begin(header string) Trace {
	t := Trace{ID: digits(16), Span: digits(8)}
	version, rest, _ := strings.Cut(header, "-")
	if len(version) != 2 || !isHex(version) || version == "ff" {
		return t
	}
	parts := strings.Split(rest, "-")
	if len(parts) < 3 || version == "00" && len(parts) != 3 {
		return t
	}
	id, parent, flags := parts[0], parts[1], parts[2]
	if len(id) != 32 || !isHex(id) || strings.Trim(id, "0") == "" || len(parent) != 16 || !isHex(parent) ||
		strings.Trim(parent, "0") == "" || len(flags) != 2 || !isHex(flags) {
		return t
	}
	bits, err := hex.DecodeString(flags)
	if err != nil {
		return t
	}
	t.ID, t.Sampled = id, bits[0]&1 == 1
	return t
}

// String is the header that goes on.
func (t Trace) String() string {
	flags := "00"
	if t.Sampled {
		flags = "01"
	}
	return "00-" + t.ID + "-" + t.Span + "-" + flags
}

type key struct{}

// With marks all that is done under the context as part of the trace.
func With(ctx context.Context, t Trace) context.Context { return context.WithValue(ctx, key{}, t) }

// From is the trace of the context; the zero Trace where there is none.
func From(ctx context.Context) Trace {
	t, _ := ctx.Value(key{}).(Trace)
	return t
}

// Onward passes the trace of each request's context on with it. It is for servers of our own: to others an id of ours
// is none of their business.
type Onward struct{ Next http.RoundTripper }

// RoundTrip sends the request with the header, where there is a trace, as a part of it.
func (o Onward) RoundTrip(r *http.Request) (*http.Response, error) {
	t := From(r.Context())
	if t.ID == "" {
		return o.Next.RoundTrip(r)
	}
	ctx, ended := Part(r.Context(), "call "+methodOf(r.Method))
	r = r.Clone(ctx)
	r.Header.Set(Header, From(ctx).String())
	answer, err := o.Next.RoundTrip(r)
	switch {
	case err != nil:
		ended("unreachable")
	case answer.StatusCode >= http.StatusBadRequest:
		ended(strconv.Itoa(answer.StatusCode))
	default:
		ended("")
	}
	return answer, err
}

func isHex(s string) bool {
	return !strings.ContainsFunc(s, func(c rune) bool { return (c < '0' || c > '9') && (c < 'a' || c > 'f') })
}

func digits(bytes int) string {
	b := make([]byte, bytes)
	rand.Read(b) // never fails: see crypto/rand
	return hex.EncodeToString(b)
}
