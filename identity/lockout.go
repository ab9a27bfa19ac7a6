package identity

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"errors"
	"fmt"
	"net/netip"
	"time"

	"github.com/countinghouse/countinghouse/internal/fault"
	"github.com/countinghouse/countinghouse/tenant"
)

// ErrWait refuses a try that comes too soon. What SignIn and ChangePassword return is a *Wait, which matches it.
var ErrWait = fault.New(fault.TooMany, "sign_in.wait", "Too many tries. Wait a little, then try again.")

// Wait is ErrWait with how long: the time after which a further try is looked at.
type Wait struct{ For time.Duration }

// Error gives code and sentence.
func (w *Wait) Error() string { return w.Unwrap().Error() }

// Unwrap is ErrWait with the time in its sentence.
func (w *Wait) Unwrap() error {
	return ErrWait.Sayf("Too many tries. Wait %s, then try again, or set a new password by e-mail.", roughly(w.For))
}

// Seconds is For in whole seconds, rounded up, for Retry-After (RFC 9110 section 10.2.3).
func (w *Wait) Seconds() int { return int((w.For + time.Second - 1) / time.Second) }

func roughly(d time.Duration) string {
	switch {
	case d <= time.Minute:
		return plural(int((d+time.Second-1)/time.Second), "second")
	case d <= 90*time.Minute:
		return plural(int((d+time.Minute-1)/time.Minute), "minute")
	}
	return plural(int((d+time.Hour-1)/time.Hour), "hour")
}

func plural(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// budget is how often a subject may fail: free times at once, and then each time after a wait that doubles from
// first up to most. It is forgotten when nothing failed for so long. No subject is ever shut out for good.
type budget struct {
	kind                string
	free                int
	first, most, forget time.Duration
}

// With a wait of an hour at most an address can be guessed at 28 times on the first day and 24 on each further
// one. NIST SP 800-63B-4 section 3.2.2 allows 100 failures in a row.
func accountBudget() budget {
	return budget{"account", 5, 30 * time.Second, time.Hour, 24 * time.Hour}
}

// A known device has the same tries as an account, but of its own: whoever guesses from elsewhere uses up none of
// them.
func deviceBudget() budget {
	b := accountBudget()
	b.kind = "device"
	return b
}

// Behind one address there may be an office.
func networkBudget(free int) budget {
	return budget{"network", free, 30 * time.Second, 15 * time.Minute, time.Hour}
}

// proofBudget is of a person who is signed in and is asked for the password again.
func proofBudget() budget {
	b := accountBudget()
	b.kind = "proof"
	return b
}

// try is one that was taken from a subject's budget, before anyone knows whether it fails.
type try struct {
	budget   budget
	subject  []byte
	failures int // with this one
}

// subject is the digest under which something is counted or recorded: its words are in no table.
func (i *Identity) subject(kind string, parts ...string) []byte {
	h := hmac.New(sha256.New, i.options.Key)
	for _, s := range append([]string{kind}, parts...) {
		fmt.Fprintf(h, "%d:%s", len(s), s)
	}
	return h.Sum(nil)
}

// take uses up one try of the subject, or fails with a *Wait. It must be committed before the try is made, so that
// tries made at once are counted like tries made one after the other.
func (i *Identity) take(ctx context.Context, tx *tenant.PlatformTx, b budget, parts ...string) (try, error) {
	t := try{budget: b, subject: i.subject(b.kind, parts...)}
	var err error
	t.failures, err = takeTry(ctx, tx, t)
	if !errors.Is(err, tenant.ErrNoRows) {
		return t, err
	}
	until, err := waitUntil(ctx, tx, t.subject)
	if err != nil {
		return t, err
	}
	return t, &Wait{max(until.Sub(tx.Now()), time.Second)}
}

// takeSignIn takes what a sign-in costs: of a known device its own budget alone, of any other the network's and
// the account's, always in this order, so that no two wait for each other.
func (i *Identity) takeSignIn(ctx context.Context, tx *tenant.PlatformTx, address string, known bool, from RequestInfo) ([]try, error) {
	if known {
		t, err := i.take(ctx, tx, deviceBudget(), address, from.Device)
		return []try{t}, err
	}
	var taken []try
	if network := networkOf(from.Network); network != "" {
		t, err := i.take(ctx, tx, networkBudget(i.options.NetworkTries), network)
		if err != nil {
			return nil, err
		}
		taken = append(taken, t)
	}
	t, err := i.take(ctx, tx, accountBudget(), address)
	return append(taken, t), err
}

// giveBack undoes tries that turned out right. An account and a device then begin afresh; a network only gets the
// one try back, or an attacker with an account of their own would clear it at will.
func giveBack(ctx context.Context, tx *tenant.PlatformTx, taken []try) error {
	for _, t := range taken {
		back := t.failures
		if t.budget.kind == "network" {
			back = 1
		}
		if err := giveTriesBack(ctx, tx, t.subject, back); err != nil {
			return err
		}
	}
	return nil
}

// exhausted gives the account's or device's try that used up the free ones.
func exhausted(taken []try) (try, bool) {
	for _, t := range taken {
		if t.budget.kind != "network" && t.failures >= t.budget.free {
			return t, true
		}
	}
	return try{}, false
}

// networkOf is what one subscriber has: an IPv4 address, or the /64 of an IPv6 address, within which anyone takes
// as many addresses as they like.
func networkOf(s string) string {
	a, err := netip.ParseAddr(s)
	if err != nil {
		return ""
	}
	a = a.Unmap().WithZone("")
	if a.Is4() {
		return a.String()
	}
	return netip.PrefixFrom(a, 64).Masked().String()
}

// typedAddress is the normalized address or, for what is none, something that tells one from another.
func typedAddress(email string) string {
	if address, err := NormalizeEmail(email); err == nil {
		return address
	}
	return fmt.Sprintf("?%x", sha256.Sum256([]byte(email)))
}
