package tenant_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/countinghouse/countinghouse/tenant"
	"github.com/countinghouse/countinghouse/tenant/tenanttest"
)

// sameCompartment founds two organizations that share one pool of connections.
func sameCompartment(t *testing.T, db *tenant.DB) (loud, quiet tenanttest.Organization) {
	t.Helper()
	login := func(o tenanttest.Organization) (user string) {
		tenanttest.Do(t, db, o, func(ctx context.Context, tx *tenant.Tx) error {
			return tx.Get(ctx, &user, `SELECT session_user`)
		})
		return user
	}
	loud = tenanttest.Found(t, db, nil)
	for range 40 {
		if quiet = tenanttest.Found(t, db, nil); login(quiet) == login(loud) {
			return loud, quiet
		}
	}
	t.Fatal("no two organizations share a compartment")
	return loud, quiet
}

// However much one organization has under way, and however long each of it takes, another in the same compartment is
// served at once.
func TestOneOrganizationLeavesRoomForOthers(t *testing.T) {
	t.Parallel()
	db := tenanttest.OpenWith(t, &tenanttest.Clock{})
	loud, quiet := sameCompartment(t, db)
	enter := func(o tenanttest.Organization) tenant.Scope {
		scope, err := tenant.EnterMember(t.Context(), db, o.Session, o.Slug)
		if err != nil {
			t.Fatal(err)
		}
		return scope
	}
	one := func(scope tenant.Scope) error {
		return tenant.Do(t.Context(), db, scope, func(tx *tenant.Tx) error {
			var n int
			return tx.Get(t.Context(), &n, `SELECT count(*) FROM member`)
		})
	}
	shouting, hush := enter(loud), make(chan struct{})
	idle := took(t, func() error { return one(enter(quiet)) })
	var blast sync.WaitGroup
	started := make(chan struct{}, 100)
	failed := make(chan error, 100)
	for range 100 {
		blast.Go(func() {
			failed <- tenant.Do(t.Context(), db, shouting, func(tx *tenant.Tx) error {
				started <- struct{}{}
				<-hush
				return nil
			})
		})
	}
	<-started
	busy := took(t, func() error { return one(enter(quiet)) })
	close(hush)
	blast.Wait()
	for range 100 {
		if err := <-failed; err != nil {
			t.Errorf("one that waited its turn: %v", err)
		}
	}
	t.Logf("the quiet one's slowest of 50: %v alone, %v beside 100 transactions that do not end", idle, busy)
	if busy > 5*time.Second {
		t.Errorf("the quiet organization waits %v", busy)
	}
}

// took gives the slowest of 50.
func took(t *testing.T, fn func() error) time.Duration {
	t.Helper()
	var all []time.Duration
	for range 50 {
		began := time.Now()
		if err := fn(); err != nil {
			t.Fatal(err)
		}
		all = append(all, time.Since(began))
	}
	return slices.Max(all)
}

// A line that is too long is refused at once, in words; and whoever gives up leaves it.
func TestALineHasAnEnd(t *testing.T) {
	t.Parallel()
	db := tenanttest.OpenWith(t, &tenanttest.Clock{})
	o := tenanttest.Found(t, db, nil)
	scope, err := tenant.EnterMember(t.Context(), db, o.Session, o.Slug)
	if err != nil {
		t.Fatal(err)
	}
	waiting, giveUp := context.WithCancel(t.Context())
	hush := make(chan struct{})
	answers := make(chan error, 300)
	for range 300 {
		go func() {
			answers <- tenant.Do(waiting, db, scope, func(*tenant.Tx) error { <-hush; return errHushed })
		}()
	}
	busy := 0
	for busy == 0 || busy < 90 {
		if err := <-answers; !errors.Is(err, tenant.ErrBusy) {
			t.Fatalf("with 300 at once: %v", err)
		}
		busy++
	}
	giveUp()
	close(hush)
	for range 300 - busy {
		if err := <-answers; err == nil {
			t.Fatal("one that failed was kept")
		}
	}
	if err := tenant.Do(t.Context(), db, scope, func(*tenant.Tx) error { return nil }); err != nil {
		t.Errorf("afterwards: %v", err)
	}
}

var errHushed = fmt.Errorf("hushed")

func TestPoolsAndCensus(t *testing.T) {
	t.Parallel()
	db := tenanttest.OpenWith(t, &tenanttest.Clock{})
	o := tenanttest.Found(t, db, nil)
	tenanttest.Do(t, db, o, func(context.Context, *tenant.Tx) error {
		var logins []string
		used := 0
		for _, p := range db.Pools() {
			logins = append(logins, p.Login)
			used += p.InUse
			if p.Most == 0 || p.InUse > p.Open {
				t.Errorf("%+v", p)
			}
		}
		if len(logins) < 3 || !slices.Contains(logins, "countinghouse_app") || used == 0 {
			t.Errorf("pools %v, %d connections in use", logins, used)
		}
		return nil
	})
	found, err := tenant.Count(t.Context(), db)
	if err != nil || found.Organizations["active"] == 0 || found.People == 0 {
		t.Errorf("%+v, %v", found, err)
	}
	if _, err := tenant.Behind(t.Context(), db); err != nil {
		t.Error(err)
	}
	if err := db.Reach(t.Context()); err != nil {
		t.Error(err)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if err := db.Reach(ended); !errors.Is(err, tenant.ErrUnavailable) {
		t.Errorf("out of reach: %v", err)
	}
}
