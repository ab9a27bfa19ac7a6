package identity

import (
	"context"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/countinghouse/countinghouse/internal/watch"
	"github.com/countinghouse/countinghouse/tenant"
	"github.com/countinghouse/countinghouse/tenant/tenanttest"
)

// listener keeps what was raised.
type listener struct {
	mu     sync.Mutex
	raised []watch.Event
}

func (l *listener) Raise(_ context.Context, e watch.Event) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.raised = append(l.raised, e)
	return nil
}

func (l *listener) of(kind string) []watch.Event {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(l.raised), func(e watch.Event) bool { return e.Kind != kind })
}

func watched(t testing.TB) (*Identity, *listener) {
	t.Helper()
	heard := &listener{}
	i, err := New(tenanttest.OpenWith(t, &tenanttest.Clock{}), &postbox{}, Options{Origin: origin, Watch: heard})
	if err != nil {
		t.Fatal(err)
	}
	return i, heard
}

func TestRaises(t *testing.T) {
	t.Parallel()
	t.Run("guessing at one account, once the free tries are used up", func(t *testing.T) {
		t.Parallel()
		i, heard := watched(t)
		p := addPerson(t, i)
		for n := range accountBudget().free {
			i.Flush()
			if found := heard.of(watch.Guessing); len(found) != 0 {
				t.Fatalf("after %d wrong passwords: %+v", n, found)
			}
			guess(t, i, p.Email, RequestInfo{Network: newNetwork()})
		}
		i.Flush()
		found := heard.of(watch.Guessing)
		if len(found) != 1 || found[0].Person != p.ID || strings.Contains(found[0].Subject+found[0].Detail, "@") {
			t.Fatalf("%+v", found)
		}
	})
	t.Run("guessing at an address that nobody has, without naming it", func(t *testing.T) {
		t.Parallel()
		i, heard := watched(t)
		email := newEmail()
		for range accountBudget().free {
			guess(t, i, email, RequestInfo{Network: newNetwork()})
		}
		i.Flush()
		found := heard.of(watch.Guessing)
		if len(found) != 1 || !found[0].Person.IsZero() || strings.Contains(found[0].Subject+found[0].Detail, email) {
			t.Fatalf("%+v", found)
		}
	})
	t.Run("one network that tries many accounts, from any address of its own", func(t *testing.T) {
		t.Parallel()
		i, heard := watched(t)
		network := "2001:db8:" + tenanttest.Random(2) + ":" + tenanttest.Random(2) + "::"
		for n := range sprayedAccounts {
			i.Flush()
			if found := heard.of(watch.Spraying); len(found) != 0 {
				t.Fatalf("after %d accounts: %+v", n, found)
			}
			guess(t, i, newEmail(), RequestInfo{Network: network + tenanttest.Random(2)})
		}
		i.Flush()
		found := heard.of(watch.Spraying)
		if len(found) != 1 || !strings.HasSuffix(found[0].Network, "::/64") || found[0].Subject == "" {
			t.Fatalf("%+v", found)
		}
	})
	t.Run("not one account that is tried often from one network", func(t *testing.T) {
		t.Parallel()
		i, heard := watched(t)
		email, network := newEmail(), newNetwork()
		for range sprayedAccounts {
			guess(t, i, email, RequestInfo{Network: network})
		}
		i.Flush()
		if found := heard.of(watch.Spraying); len(found) != 0 {
			t.Fatalf("%+v", found)
		}
	})
	t.Run("a login that its person disowns", func(t *testing.T) {
		t.Parallel()
		i, heard := watched(t)
		p := addPerson(t, i)
		mine := signIn(t, i, p.Email, RequestInfo{Network: newNetwork(), Device: newDevice(t)})
		signIn(t, i, p.Email, RequestInfo{Network: newNetwork(), Device: newDevice(t)})
		logins, err := i.Logins(context.Background(), p.ID)
		if err != nil {
			t.Fatal(err)
		}
		if err := i.Disown(context.Background(), mine, logins[0].Session, RequestInfo{}); err != nil {
			t.Fatal(err)
		}
		i.Flush()
		found := heard.of(watch.Disowned)
		if len(found) != 1 || found[0].Person != p.ID || !strings.Contains(found[0].Detail, logins[0].Session.String()) {
			t.Fatalf("%+v", found)
		}
	})
	t.Run("is the watch's row in the end", func(t *testing.T) {
		t.Parallel()
		i, err := New(tenanttest.DB(), &postbox{}, Options{Origin: origin, Watch: watch.New(tenanttest.DB(), watch.Options{})})
		if err != nil {
			t.Fatal(err)
		}
		p := addPerson(t, i)
		for range accountBudget().free {
			guess(t, i, p.Email, RequestInfo{Network: newNetwork()})
		}
		i.Flush()
		var n int
		err = tenant.DoPlatform(context.Background(), tenanttest.DB(), func(tx *tenant.PlatformTx) error {
			return tx.Get(context.Background(), &n, `SELECT count(*) FROM platform.security_event WHERE kind = 'guessing' AND person_id = $1`, p.ID)
		})
		if err != nil || n != 1 {
			t.Fatalf("%d events, %v", n, err)
		}
	})
}
