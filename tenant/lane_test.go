package tenant_test

import (
	"context"
	"errors"
	"runtime"
	"sync"
	"testing"

	"github.com/countinghouse/countinghouse/tenant"
	"github.com/countinghouse/countinghouse/tenant/tenanttest"
)

// An organization that calls now and then meets the connection that knows its tables, however often others call between.
func TestOneComesBackToItsConnection(t *testing.T) {
	t.Parallel()
	db := tenanttest.OpenWith(t, &tenanttest.Clock{})
	var all []tenanttest.Organization
	for range 6 {
		all = append(all, tenanttest.Found(t, db, nil))
	}
	first := map[string]int{}
	backends := map[int]bool{}
	for range 5 {
		for _, o := range all {
			var backend int
			tenanttest.Do(t, db, o, func(ctx context.Context, tx *tenant.Tx) error {
				return tx.Get(ctx, &backend, `SELECT pg_backend_pid()`)
			})
			if known, ok := first[o.Slug]; ok && known != backend {
				t.Fatalf("%s went by %d and then by %d", o.Slug, known, backend)
			}
			first[o.Slug] = backend
			backends[backend] = true
		}
	}
	if len(backends) < 2 {
		t.Fatal("all of them share one connection")
	}
}

// A backend keeps what it learned of each organization's tables, so a connection ends when it has served many; whoever
// comes next notices nothing.
func TestAConnectionEndsWhenItHasMetMany(t *testing.T) {
	t.Parallel()
	config := tenant.MeetingAtMost(tenanttest.Config(), 3)
	config.Compartments, config.Connections = 1, 1
	db, err := tenant.Open(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	}()
	loud, quiet := sameCompartment(t, db)
	all := []tenanttest.Organization{loud, quiet}
	for len(all) < 8 {
		_, next := sameCompartment(t, db)
		all = append(all, next)
	}
	served := map[int]map[string]bool{}
	for range 3 {
		for _, o := range all {
			var backend int
			tenanttest.Do(t, db, o, func(ctx context.Context, tx *tenant.Tx) error {
				return tx.Get(ctx, &backend, `SELECT pg_backend_pid()`)
			})
			if served[backend] == nil {
				served[backend] = map[string]bool{}
			}
			served[backend][o.Slug] = true
		}
	}
	for backend, met := range served {
		if len(met) > 4 { // the one with which it ends included
			t.Errorf("backend %d served %d organizations", backend, len(met))
		}
	}
}

// While every connection is taken the next callers wait in line; whoever gives up takes none with them.
func TestWhoWaitsForAConnection(t *testing.T) {
	t.Parallel()
	config := tenanttest.Config()
	config.Compartments, config.Connections, config.PerOrganization = 1, 2, 2
	db, err := tenant.Open(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	}()
	holder, other := sameCompartment(t, db)
	enter := func(o tenanttest.Organization) tenant.Scope {
		scope, err := tenant.EnterMember(t.Context(), db, o.Session, o.Slug)
		if err != nil {
			t.Fatal(err)
		}
		return scope
	}
	holding, waiting := enter(holder), enter(other)
	release, held := make(chan struct{}), make(chan struct{}, 2)
	var all sync.WaitGroup
	for range 2 {
		all.Go(func() {
			err := tenant.Do(t.Context(), db, holding, func(tx *tenant.Tx) error {
				var one int
				err := tx.Get(t.Context(), &one, `SELECT 1`)
				held <- struct{}{}
				<-release
				return err
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
	<-held
	<-held
	ask := func(ctx context.Context) error {
		return tenant.Do(ctx, db, waiting, func(tx *tenant.Tx) error {
			var one int
			return tx.Get(ctx, &one, `SELECT 1`)
		})
	}
	impatient, giveUp := context.WithCancel(t.Context())
	refused := make(chan error, 2)
	for range 2 { // each organization may have two under way
		go func() { refused <- ask(impatient) }()
	}
	for tenant.Waiting(db) < 2 {
		if t.Context().Err() != nil {
			t.Fatal("nobody waits for a connection")
		}
		runtime.Gosched()
	}
	giveUp()
	for range 2 {
		if err := <-refused; !errors.Is(err, context.Canceled) {
			t.Errorf("who gave up was told %v", err)
		}
	}
	answered := make(chan error, 2)
	for range 2 {
		go func() { answered <- ask(t.Context()) }()
	}
	close(release)
	all.Wait()
	for range 2 {
		if err := <-answered; err != nil {
			t.Error(err)
		}
	}
	for _, use := range db.Pools() {
		if use.InUse != 0 || use.Open > use.Most {
			t.Errorf("at the end it is %+v", use)
		}
	}
}
