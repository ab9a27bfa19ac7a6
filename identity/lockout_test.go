package identity

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/countinghouse/countinghouse/tenant"
	"github.com/countinghouse/countinghouse/tenant/tenanttest"
)

const wrong = "not the password"

// guess is a wrong password; it gives how long the caller has to wait, 0 for not.
func guess(t testing.TB, i *Identity, email string, from RequestInfo) time.Duration {
	t.Helper()
	_, _, err := i.SignIn(context.Background(), email, wrong, from)
	var w *Wait
	if errors.As(err, &w) {
		wants(t, email, err, ErrWait)
		return w.For
	}
	wants(t, email, err, ErrRefused)
	return 0
}

func newDevice(t testing.TB) string {
	t.Helper()
	device, err := NewDevice()
	if err != nil {
		t.Fatal(err)
	}
	return device
}

// newNetwork is an address in a network of its own: the clocks of other tests go otherwise.
func newNetwork() string {
	return "2001:db8:" + tenanttest.Random(2) + ":1" + tenanttest.Random(1) + "::1"
}

// show is an address as it is written.
func show(network string) string { return netip.MustParseAddr(network).String() }

func signIn(t testing.TB, i *Identity, email string, from RequestInfo) string {
	t.Helper()
	_, session, err := i.SignIn(context.Background(), email, strong, from)
	if err != nil {
		t.Fatal(err)
	}
	return session
}

func TestLockout(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	t.Run("gives 500 guesses made at once no more tries than 500 made one after the other", func(t *testing.T) {
		t.Parallel()
		i, _, _ := newIdentity(t)
		for name, run := range map[string]func(guess func()){
			"at once": func(guess func()) {
				var all sync.WaitGroup
				for range 500 {
					all.Go(guess)
				}
				all.Wait()
			},
			"one after the other": func(guess func()) {
				for range 500 {
					guess()
				}
			},
		} {
			p := addPerson(t, i)
			var looked atomic.Int64
			began := time.Now()
			run(func() {
				if guess(t, i, p.Email, RequestInfo{}) == 0 {
					looked.Add(1)
				}
			})
			if most := 5 + int64(time.Since(began)/(30*time.Second)); looked.Load() < 5 || looked.Load() > most {
				t.Errorf("%s: %d guesses were looked at, want 5 to %d", name, looked.Load(), most)
			}
		}
	})
	t.Run("makes known and unknown addresses wait alike, longer each time, never for good", func(t *testing.T) {
		t.Parallel()
		i, _, clock := newIdentity(t)
		p := addPerson(t, i)
		for _, email := range []string{p.Email, newEmail()} {
			for range 5 {
				if wait := guess(t, i, email, RequestInfo{}); wait != 0 {
					t.Fatalf("had to wait %v before the fifth failure", wait)
				}
			}
			for n, seconds := range []int{30, 60, 120, 240, 480, 960, 1920, 3600, 3600, 3600} {
				// The machine's own time goes on meanwhile, by much less than this.
				const slack = 20 * time.Second
				want, wait := time.Duration(seconds)*time.Second, guess(t, i, email, RequestInfo{})
				if wait > want || wait < want-slack {
					t.Errorf("wait %d is %v, want %v", n, wait, want)
				}
				clock.Advance(want - slack)
				if guess(t, i, email, RequestInfo{}) == 0 {
					t.Errorf("a guess was looked at before the wait of %v was over", want)
				}
				clock.Advance(slack)
				if wait := guess(t, i, email, RequestInfo{}); wait != 0 {
					t.Errorf("after the wait, another of %v", wait)
				}
			}
		}
		guess(t, i, p.Email, RequestInfo{})
		_, _, err := i.SignIn(ctx, p.Email, strong, RequestInfo{})
		wants(t, "the right password during the wait", err, ErrWait)
		clock.Advance(time.Hour + time.Second)
		signIn(t, i, p.Email, RequestInfo{})
		for range 5 {
			if wait := guess(t, i, p.Email, RequestInfo{}); wait != 0 {
				t.Errorf("failures from before a login still count: %v", wait)
			}
		}
	})
	t.Run("lets the owner's own device in while others guess, with tries of its own", func(t *testing.T) {
		t.Parallel()
		i, _, _ := newIdentity(t)
		p := addPerson(t, i)
		device := newDevice(t)
		signIn(t, i, p.Email, RequestInfo{Device: device})
		for range 6 {
			guess(t, i, p.Email, RequestInfo{})
		}
		if guess(t, i, p.Email, RequestInfo{Device: newDevice(t)}) == 0 || guess(t, i, p.Email, RequestInfo{Device: strings.Repeat("x", 43)}) == 0 {
			t.Error("a device that nobody signed in with has tries of its own")
		}
		other, otherDevice := addPerson(t, i), newDevice(t)
		signIn(t, i, other.Email, RequestInfo{Device: otherDevice})
		if guess(t, i, p.Email, RequestInfo{Device: otherDevice}) == 0 {
			t.Error("another person's device has tries at this account")
		}
		signIn(t, i, p.Email, RequestInfo{Device: device})
		if guess(t, i, p.Email, RequestInfo{}) == 0 {
			t.Error("the owner's login gave the attacker new tries")
		}
		for range 5 {
			guess(t, i, p.Email, RequestInfo{Device: device})
		}
		if guess(t, i, p.Email, RequestInfo{Device: device}) == 0 {
			t.Error("the device may guess for ever")
		}
	})
	t.Run("makes a network wait that tries one password on many accounts, and no other network", func(t *testing.T) {
		t.Parallel()
		i, _, _ := newIdentity(t)
		home := fmt.Sprintf("2001:db8:%s:1::", tenanttest.Random(2))
		for n := range 30 {
			if wait := guess(t, i, newEmail(), RequestInfo{Network: fmt.Sprintf("%s%x", home, n+1)}); wait != 0 {
				t.Fatalf("guess %d had to wait", n)
			}
		}
		if guess(t, i, newEmail(), RequestInfo{Network: home + "ffff"}) == 0 {
			t.Error("the network may guess for ever")
		}
		if guess(t, i, newEmail(), RequestInfo{Network: strings.Replace(home, ":1::", ":2::", 1) + "1"}) != 0 {
			t.Error("another network has to wait")
		}
	})
	t.Run("gives a network no new tries for logins to an account of the attacker's own", func(t *testing.T) {
		t.Parallel()
		i, _, _ := newIdentity(t)
		own := addPerson(t, i)
		from := RequestInfo{Network: fmt.Sprintf("2001:db8:%s:1::1", tenanttest.Random(2))}
		looked := 0
		for range 40 {
			if guess(t, i, newEmail(), from) == 0 {
				looked++
			}
			if _, _, err := i.SignIn(ctx, own.Email, strong, from); err != nil {
				wants(t, "the attacker's own login", err, ErrWait)
			}
		}
		if looked != 30 {
			t.Errorf("%d guesses were looked at, want 30", looked)
		}
	})
	t.Run("tells the owner once a day, and nobody of an address that is unknown", func(t *testing.T) {
		t.Parallel()
		i, post, clock := newIdentity(t)
		p, nobody, network := addPerson(t, i), newEmail(), newNetwork()
		for range 8 {
			for _, email := range []string{p.Email, nobody} {
				guess(t, i, email, RequestInfo{Network: network, Device: newDevice(t)})
			}
			clock.Advance(20 * time.Minute)
		}
		i.Flush()
		mails := post.to(p.Email)
		if len(mails) != 1 || mails[0].Kind != "guessed" || !strings.Contains(mails[0].Text, show(network)) {
			t.Errorf("the owner got %+v", mails)
		}
		if mails := post.to(nobody); len(mails) != 0 {
			t.Errorf("an unknown address got %+v", mails)
		}
	})
	t.Run("says for how long", func(t *testing.T) {
		t.Parallel()
		for d, want := range map[time.Duration]string{time.Second: "1 second", 29*time.Second + 1: "30 seconds", 61 * time.Second: "2 minutes",
			time.Hour: "60 minutes", 3 * time.Hour: "3 hours"} {
			w := &Wait{d}
			if !strings.Contains(w.Error(), "Wait "+want+",") {
				t.Errorf("%v: %q", d, w.Error())
			}
		}
		if got := (&Wait{29*time.Second + 1}).Seconds(); got != 30 {
			t.Errorf("Retry-After would be %d", got)
		}
	})
}

func TestLoginHistory(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	const firefox = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
	t.Run("shows logins and failures of the person alone, newest first, ten of them", func(t *testing.T) {
		t.Parallel()
		i, _, _ := newIdentity(t)
		p, other := addPerson(t, i), addPerson(t, i)
		from, elsewhere := RequestInfo{Network: newNetwork(), UserAgent: firefox}, newNetwork()
		signIn(t, i, other.Email, from)
		for range 5 {
			signIn(t, i, p.Email, from)
			guess(t, i, p.Email, RequestInfo{Network: elsewhere})
		}
		session := signIn(t, i, p.Email, from)
		all, err := i.Logins(ctx, p.ID)
		if err != nil || len(all) != 10 {
			t.Fatalf("%d logins, %v", len(all), err)
		}
		for n, l := range all {
			want := [2]string{LoginSuccess, show(from.Network)}
			if n%2 == 1 {
				want = [2]string{LoginRefused, show(elsewhere)}
			}
			if l.Outcome != want[0] || l.Network != want[1] || l.Method != ByPassword || l.Open != (n%2 == 0) {
				t.Errorf("login %d: %+v", n, l)
			}
		}
		if got := all[0].Agent(); got != "Firefox on Linux" {
			t.Errorf("from %q", got)
		}
		if err := i.SignOut(ctx, session); err != nil {
			t.Fatal(err)
		}
		if all, err = i.Logins(ctx, p.ID); err != nil || all[0].Open {
			t.Errorf("a session that is over is shown as open: %+v, %v", all[0], err)
		}
		before, err := i.LastLogin(ctx, p.ID)
		if err != nil || before == nil || before.ID != all[2].ID || before.Refused != 1 {
			t.Errorf("the login before: %+v, %v", before, err)
		}
		if before, err := i.LastLogin(ctx, other.ID); before != nil || err != nil {
			t.Errorf("one login has one before it: %+v, %v", before, err)
		}
	})
	t.Run("can be added to and not changed, and holds no address in clear", func(t *testing.T) {
		t.Parallel()
		i, _, _ := newIdentity(t)
		email := newEmail()
		guess(t, i, email, RequestInfo{})
		err := tenant.DoPlatform(ctx, i.db, func(tx *tenant.PlatformTx) error {
			var clear, rows int
			if err := tx.Get(ctx, &rows, `SELECT count(*) FROM platform.login_event WHERE email_hash = $1 AND person_id IS NULL`, i.subject("address", email)); err != nil {
				return err
			}
			err := tx.Get(ctx, &clear, `SELECT (SELECT count(*) FROM platform.login_event e WHERE position($1 in e::text) > 0)
				+ (SELECT count(*) FROM platform.sign_in_budget b WHERE position($1 in b::text) > 0)`, email)
			if rows != 1 || clear != 0 {
				t.Errorf("%d rows of the address, %d with it in clear", rows, clear)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		for name, change := range map[string]func(tx *tenant.PlatformTx) error{
			"UPDATE": func(tx *tenant.PlatformTx) error {
				_, err := tx.Exec(ctx, `UPDATE platform.login_event SET outcome = 'success' WHERE false`)
				return err
			},
			"DELETE": func(tx *tenant.PlatformTx) error {
				_, err := tx.Exec(ctx, `DELETE FROM platform.login_event WHERE false`)
				return err
			},
		} {
			if err := tenant.DoPlatform(ctx, i.db, change); tenant.SQLState(err) != "42501" {
				t.Errorf("%s is answered %v", name, err)
			}
		}
	})
	t.Run("mails the person when a device is new, and not at the first or a known one", func(t *testing.T) {
		t.Parallel()
		i, post, _ := newIdentity(t)
		p := addPerson(t, i)
		known, network := newDevice(t), newNetwork()
		i.options.Place = func(at string) string {
			if at == show(network) {
				return "Galway, Ireland"
			}
			return ""
		}
		for range 2 {
			signIn(t, i, p.Email, RequestInfo{Device: known})
		}
		i.Flush()
		if mails := post.to(p.Email); len(mails) != 0 {
			t.Fatalf("known devices were told of: %+v", mails)
		}
		signIn(t, i, p.Email, RequestInfo{Device: newDevice(t), Network: network, UserAgent: firefox})
		signIn(t, i, p.Email, RequestInfo{})
		i.Flush()
		mails := post.to(p.Email)
		if len(mails) != 2 || mails[0].Kind != "new_device" || !strings.Contains(mails[0].Text+mails[1].Text, "from Firefox on Linux in Galway, Ireland at "+show(network)) {
			t.Errorf("got %+v", mails)
		}
	})
}

func FuzzDescribeAgent(f *testing.F) {
	f.Add("Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0")
	f.Add("curl/8.5.0")
	f.Add(" (;/)\xff")
	f.Fuzz(func(t *testing.T, userAgent string) {
		if said := DescribeAgent(userAgent); said == "" || len(said) > 100 {
			t.Errorf("%q is described as %q", userAgent, said)
		}
	})
}
