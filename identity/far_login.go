package identity

import (
	"context"
	"fmt"
	"time"

	"github.com/countinghouse/countinghouse/internal/watch"
	"github.com/countinghouse/countinghouse/tenant"
)

const (
	// fastestTravel is what an airliner makes, in kilometres an hour.
	fastestTravel = 900
	// leastFar is how many kilometres a database of places may be wrong by, when it knows a mobile network by the
	// city of its exchange.
	leastFar = 300
	// reach is how long an airliner takes to wherever on Earth is farthest, 20,015 km. A login from before says nothing.
	reach = 23 * time.Hour
	// placesTried is how many logins back we look for one whose place is known.
	placesTried = 10
)

// loginBefore is a login that another is held against.
type loginBefore struct {
	At      time.Time
	Network string
}

// raiseFar tells the watch of a login that its person cannot have travelled to since the one before. The caller goes on
// meanwhile.
func (i *Identity) raiseFar(ctx context.Context, p tenant.Person, e entry, from RequestInfo) {
	network, ok := cleanNetwork(from.Network).(string)
	if !ok || i.options.Between == nil || i.options.Watch == nil {
		return
	}
	if _, known := i.options.Between(network, network); !known {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Minute)
	i.sending.Go(func() {
		defer cancel()
		var before []loginBefore
		err := tenant.DoPlatform(ctx, i.db, func(tx *tenant.PlatformTx) (err error) {
			before, err = loginsBefore(ctx, tx, p.ID, e)
			return err
		})
		if err != nil {
			i.options.Log.Error("a login was not held against the one before", "error", err)
			return
		}
		for _, b := range before {
			kilometres, known := i.options.Between(b.Network, network)
			if !known {
				continue
			}
			if took := e.At.Sub(b.At); tooFar(kilometres, took) {
				i.raise(ctx, farLogin(p, e, kilometres, took, from))
			}
			return
		}
	})
}

func tooFar(kilometres int, took time.Duration) bool {
	return kilometres > leastFar && float64(kilometres) > fastestTravel*took.Hours()
}

// farLogin is one event for each login. Where it was, and where the one before, is the person's own affair.
func farLogin(p tenant.Person, e entry, kilometres int, took time.Duration, from RequestInfo) watch.Event {
	return watch.Event{Kind: watch.FarLogin, Person: p.ID, Network: networkOf(from.Network), Subject: "session " + e.Session.String(),
		Detail: fmt.Sprintf("%d km at least from the login %d minutes before", kilometres, int(took.Minutes()))}
}
