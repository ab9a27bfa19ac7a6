package identity

import (
	"context"
	"errors"
	"runtime"
	"sync"
	"testing"
)

// As many passwords are worked on as there are places, 19 MiB each, however many wait; and who waits holds no
// connection, so that everyone else is answered meanwhile.
func TestThreeHundredLoginsAtOnce(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	i, _, _ := newIdentity(t)
	const logins, places = 300, 2
	i.hasher = newHasherOf(places, 64)
	p := addPerson(t, i)
	session := signIn(t, i, p.Email, RequestInfo{})
	for range places { // all are taken, by whoever
		i.hasher.places <- struct{}{}
	}
	var all sync.WaitGroup
	for range logins {
		all.Go(func() {
			if _, _, err := i.SignIn(ctx, newEmail(), strong, RequestInfo{}); !errors.Is(err, ErrRefused) {
				t.Errorf("a login: %v", err)
			}
		})
	}
	for i.hasher.load.waiting.Load() < logins {
		runtime.Gosched()
	}
	if n := i.hasher.load.working.Load(); n != 0 {
		t.Errorf("%d passwords are worked on without a place", n)
	}
	// All 300 are in flight, and none of them can end before this does.
	if who, err := i.PersonBySession(ctx, session); err != nil || who.ID != p.ID {
		t.Errorf("another request: %+v, %v", who, err)
	}
	if _, err := i.Logins(ctx, p.ID); err != nil {
		t.Errorf("a page: %v", err)
	}
	over := make(chan struct{})
	go func() {
		all.Wait()
		close(over)
	}()
	for range places {
		<-i.hasher.places
	}
	for {
		select {
		case <-over:
			if n := i.hasher.load.waiting.Load(); n != 0 {
				t.Errorf("%d still wait", n)
			}
			return
		default:
			if n := i.hasher.load.working.Load(); n > places {
				t.Fatalf("%d passwords are worked on at once, in %d places", n, places)
			}
			runtime.Gosched()
		}
	}
}
