package identity

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/countinghouse/countinghouse/internal/cursor"
	"github.com/countinghouse/countinghouse/internal/place"
	"github.com/countinghouse/countinghouse/internal/place/placetest"
	"github.com/countinghouse/countinghouse/internal/watch"
	"github.com/countinghouse/countinghouse/tenant"
	"github.com/countinghouse/countinghouse/tenant/tenanttest"
)

const (
	fromDublin  = "81.0.0.7"
	fromSydney  = "82.0.0.7" // 17,200 km away, which an airliner flies in 19.1 hours
	fromGalway  = "83.0.0.7" // 187 km away
	fromIreland = "84.0.0.7" // the country alone is known
)

// traveller is someone whose logins are held against places.
type traveller struct {
	*Identity
	heard  *listener
	clock  *tenanttest.Clock
	person tenant.Person
}

func newTraveller(t *testing.T) traveller {
	t.Helper()
	places, err := place.Open(placetest.Write(t, placetest.Database(
		placetest.Network{First: 81, Record: placetest.City("Dublin", "Ireland", 53.3498, -6.2603, 0)},
		placetest.Network{First: 82, Record: placetest.City("Sydney", "Australia", -33.8688, 151.2093, 0)},
		placetest.Network{First: 83, Record: placetest.City("Galway", "Ireland", 53.2707, -9.0568, 0)},
		placetest.Network{First: 84, Record: placetest.Table("country", placetest.Table("names", placetest.Table("en", "Ireland")))},
	)))
	if err != nil {
		t.Fatal(err)
	}
	w := traveller{heard: &listener{}, clock: &tenanttest.Clock{}}
	w.Identity, err = New(tenanttest.OpenWith(t, w.clock), &postbox{}, Options{Origin: origin, Watch: w.heard, Place: places.Of, Between: places.Between})
	if err != nil {
		t.Fatal(err)
	}
	w.person = addPerson(t, w.Identity)
	return w
}

// far signs in from an address, a while after what was before, and tells how many logins were too far by then.
func (w traveller) far(t *testing.T, later time.Duration, network string) int {
	t.Helper()
	w.clock.Advance(later)
	signIn(t, w.Identity, w.person.Email, RequestInfo{Network: network})
	w.Flush()
	return len(w.heard.of(watch.FarLogin))
}

func TestFarLogin(t *testing.T) {
	t.Parallel()
	t.Run("from where nobody can be by now", func(t *testing.T) {
		t.Parallel()
		w := newTraveller(t)
		if n := w.far(t, 0, fromDublin); n != 0 {
			t.Fatalf("the first login: %d", n)
		}
		if n := w.far(t, 2*time.Hour, fromSydney); n != 1 {
			t.Fatalf("two hours later: %d", n)
		}
		e := w.heard.of(watch.FarLogin)[0]
		logins, err := w.Logins(context.Background(), w.person.ID)
		if err != nil {
			t.Fatal(err)
		}
		if e.Person != w.person.ID || e.Network != fromSydney || e.Severity != "" || !strings.Contains(e.Subject, logins[0].Session.String()) || !strings.HasSuffix(e.Detail, "from the login 120 minutes before") {
			t.Errorf("%+v", e)
		}
		for _, own := range []string{"@", "Sydney", "Dublin", fromSydney, fromDublin} {
			if strings.Contains(e.Detail+e.Subject, own) {
				t.Errorf("it holds %s: %+v", own, e)
			}
		}
		if n := w.far(t, time.Minute, fromSydney); n != 1 {
			t.Errorf("once more from there: %d", n)
		}
		if n := w.far(t, time.Minute, fromDublin); n != 2 {
			t.Errorf("and from home again: %d", n)
		}
	})
	t.Run("not from where one can be", func(t *testing.T) {
		t.Parallel()
		w := newTraveller(t)
		w.far(t, 0, fromDublin)
		if n := w.far(t, time.Second, fromGalway); n != 0 {
			t.Errorf("close by: %d", n)
		}
		if n := w.far(t, 20*time.Hour, fromSydney); n != 0 {
			t.Errorf("after a flight: %d", n)
		}
	})
	t.Run("held against the last one whose place is known", func(t *testing.T) {
		t.Parallel()
		w := newTraveller(t)
		for _, network := range []string{fromDublin, fromIreland, "", "10.0.0.7", "2001:db8::7"} {
			if n := w.far(t, time.Minute, network); n != 0 {
				t.Fatalf("from %q: %d", network, n)
			}
		}
		if n := w.far(t, time.Minute, fromSydney); n != 1 {
			t.Errorf("%d", n)
		}
	})
	t.Run("not held against a stranger's try or what was disowned", func(t *testing.T) {
		t.Parallel()
		w := newTraveller(t)
		guess(t, w.Identity, w.person.Email, RequestInfo{Network: fromSydney})
		if n := w.far(t, time.Minute, fromDublin); n != 0 {
			t.Errorf("after a try from far away: %d", n)
		}
		mine := signIn(t, w.Identity, w.person.Email, RequestInfo{Network: fromDublin})
		if n := w.far(t, time.Minute, fromSydney); n != 1 {
			t.Fatalf("the stranger's: %d", n)
		}
		logins, err := w.Logins(context.Background(), w.person.ID)
		if err != nil {
			t.Fatal(err)
		}
		if err := w.Disown(context.Background(), mine, logins[0].Session, RequestInfo{}); err != nil {
			t.Fatal(err)
		}
		p := w.person
		if err := w.enterAnew(p, fromDublin); err != nil {
			t.Fatal(err)
		}
		if n := len(w.heard.of(watch.FarLogin)); n != 1 {
			t.Errorf("after it was disowned: %d", n)
		}
	})
	t.Run("told to the owners of an organization of theirs", func(t *testing.T) {
		t.Parallel()
		w := newTraveller(t)
		w.options.Watch = watch.New(w.db, watch.Options{})
		o := tenanttest.Found(t, w.db, func(ctx context.Context, tx *tenant.Tx) error {
			return tx.SetMember(ctx, w.person, "bookkeeper", tenant.Active)
		})
		elsewhere := tenanttest.Found(t, w.db, nil)
		w.far(t, 0, fromDublin)
		w.far(t, time.Minute, fromSydney)
		told := func(o tenanttest.Organization) (all []watch.Raised) {
			tenanttest.Do(t, w.db, o, func(ctx context.Context, tx *tenant.Tx) error {
				found, err := watch.Events(ctx, tx, cursor.Query{})
				all = found.Items
				return err
			})
			return all
		}
		if all := told(o); len(all) != 1 || all[0].Kind != watch.FarLogin || all[0].Severity != watch.High || all[0].Person != w.person.ID || all[0].Network != "" {
			t.Errorf("%+v", all)
		}
		if all := told(elsewhere); len(all) != 0 {
			t.Errorf("where they are no member: %+v", all)
		}
	})
}

// enterAnew opens a session as a login does whose proofs are all given.
func (w traveller) enterAnew(p tenant.Person, network string) error {
	ctx, from := context.Background(), RequestInfo{Network: network}
	w.clock.Advance(time.Minute)
	var e entry
	err := tenant.DoPlatform(ctx, w.db, func(tx *tenant.PlatformTx) (err error) {
		e, err = w.enter(ctx, tx, p, ByPassword, from)
		return err
	})
	w.greet(ctx, p, e, from)
	w.Flush()
	return err
}
