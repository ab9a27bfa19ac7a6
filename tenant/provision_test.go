package tenant_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jmoiron/sqlx"

	"github.com/countinghouse/countinghouse/internal/fault"
	"github.com/countinghouse/countinghouse/tenant"
	"github.com/countinghouse/countinghouse/tenant/tenanttest"
)

// replicaOf is another process on a fleet's database, with what changes of its settings.
func replicaOf(t *testing.T, config tenant.Config, change func(*tenant.Config)) *tenant.DB {
	t.Helper()
	if change != nil {
		change(&config)
	}
	db, err := tenant.Open(context.Background(), config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return db
}

func refills(t *testing.T, db *tenant.DB, want int, when string) {
	t.Helper()
	made, err := tenant.Refill(context.Background(), db)
	if err != nil || made != want {
		t.Errorf("%s: %d were made (%v), want %d", when, made, err, want)
	}
}

// The pool holds as many as the last hour took, between 4 and 100. Not beside others: fleetOf sets passwords.
func TestRefillFollowsTheRateOfSignUps(t *testing.T) {
	config, owner := fleetOf(t, 0)
	clock := &tenanttest.Clock{}
	db := replicaOf(t, config, func(c *tenant.Config) { c.Now = clock.Now })
	refills(t, db, 4, "an empty pool")
	refills(t, db, 0, "a full pool")
	for range 6 { // two more than are ready
		tenanttest.Found(t, db, nil)
	}
	refills(t, db, 6, "after six sign-ups")
	clock.Advance(61 * time.Minute)
	refills(t, db, 0, "an hour without any")
	tenanttest.Found(t, db, nil)
	tenanttest.Found(t, db, nil)
	tenanttest.Found(t, db, nil)
	refills(t, db, 1, "an hour with three")
	// A flood: 300 within the hour, and 98 that are ready.
	change(t, owner, fmt.Sprintf(`INSERT INTO platform.organization (id, compartment_id, schema_name, slug, name, state, created_at, claimed_at)
		SELECT gen_random_uuid(), 1, 't_' || lpad(to_hex(n), 20, '0'), 'gone-' || n, 'Gone', 'gone', now(), '%s' FROM generate_series(1, 300) n`, clock.Now().Format(time.RFC3339)))
	change(t, owner, `INSERT INTO platform.organization (id, compartment_id, schema_name, state, created_at)
		SELECT gen_random_uuid(), 1, 't_f' || lpad(to_hex(n), 19, '0'), 'ready', now() FROM generate_series(1, 94) n`)
	refills(t, db, 2, "a flood")
}

// Of two processes that refill one does, the other goes away at once; one that is cut leaves what it made, and the next goes on.
func TestRefillOneAtATime(t *testing.T) {
	config, _ := fleetOf(t, 0)
	working, release := make(chan bool), make(chan bool)
	var keys atomic.Int32
	first := replicaOf(t, config, func(c *tenant.Config) {
		c.NewKey = func(context.Context, string) error {
			if keys.Add(1) == 1 {
				close(working)
				<-release
			}
			return nil
		}
	})
	second := replicaOf(t, config, nil)
	var done sync.WaitGroup
	done.Go(func() { refills(t, first, 4, "the one that came first") })
	<-working
	refills(t, second, 0, "the one that came second")
	close(release)
	done.Wait()
	refills(t, second, 0, "afterwards")

	for range 3 {
		tenanttest.Found(t, second, nil)
	}
	fails := errors.New("the keyring does not answer")
	keys.Store(0)
	cut := replicaOf(t, config, func(c *tenant.Config) {
		c.NewKey = func(context.Context, string) error {
			if keys.Add(1) == 2 {
				return fails
			}
			return nil
		}
	})
	if made, err := tenant.Refill(context.Background(), cut); made != 1 || !errors.Is(err, fails) {
		t.Errorf("cut short, %d were made, %v", made, err)
	}
	refills(t, second, 2, "the one that goes on")
}

// Nothing is made while somebody waits: the claim changes one row of the list of organizations, and adds one to the accounts.
func TestClaimingIsOneRow(t *testing.T) {
	t.Parallel()
	ctx, db := context.Background(), tenanttest.OpenWith(t, &tenanttest.Clock{})
	if err := tenant.Provision(ctx, db, 4); err != nil {
		t.Fatal(err)
	}
	person, _ := tenanttest.NewPerson(t, db)
	// What is counted is a connection's, and may be of transactions before this one: this is the first of its connection.
	var changed []struct {
		Name    string `db:"name"`
		Added   int    `db:"added"`
		Changed int    `db:"changed"`
		Removed int    `db:"removed"`
	}
	err := tenant.Found(ctx, db, person, "row-"+tenanttest.Random(6), "One Row", func(tx *tenant.Tx) error {
		err := tx.Select(ctx, &changed, `SELECT schemaname || '.' || relname AS name, n_tup_ins AS added, n_tup_upd AS changed, n_tup_del AS removed
			FROM pg_stat_xact_all_tables WHERE n_tup_ins + n_tup_upd + n_tup_del > 0 ORDER BY 1`)
		if err != nil {
			return err
		}
		return tx.SetMember(ctx, person, "owner", tenant.Active)
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range changed {
		if c.Name == "platform.organization" && (c.Changed != 1 || c.Added+c.Removed != 0) || c.Name == "platform.plan_account" && c.Added != 1 ||
			c.Name != "platform.organization" && c.Name != "platform.plan_account" {
			t.Errorf("claiming: %+v", c)
		}
	}
	if len(changed) == 0 {
		t.Error("nothing was changed: this looks in the wrong place")
	}
}

// Neither one person, nor many from one network, take all that is ready; also not at once and through several processes.
func TestNobodyDrainsThePool(t *testing.T) {
	config, owner := fleetOf(t, 12)
	clock := &tenanttest.Clock{}
	bound := func(c *tenant.Config) { c.Now, c.FoundingsByPerson, c.FoundingsByNetwork = clock.Now, 3, 5 }
	replicas := []*tenant.DB{replicaOf(t, config, bound), replicaOf(t, config, bound)}
	founds := func(at int, p tenant.Person, network string) error {
		ctx := tenant.WithRequest(context.Background(), tenant.Request{ID: "drain", Network: network})
		return tenant.Found(ctx, replicas[at%2], p, "drain-"+tenanttest.Random(8), "Drain", func(tx *tenant.Tx) error {
			return tx.SetMember(ctx, p, "owner", tenant.Active)
		})
	}
	greedy, _ := tenanttest.NewPerson(t, replicas[0])
	count := func(want error, each func(n int) error) (founded, refused int) {
		t.Helper()
		var all sync.WaitGroup
		var did, not atomic.Int32
		for n := range 10 {
			all.Go(func() {
				switch err := each(n); {
				case err == nil:
					did.Add(1)
				case errors.Is(err, want) && fault.KindOf(err) == fault.TooMany:
					not.Add(1)
				default:
					t.Errorf("number %d: %v", n, err)
				}
			})
		}
		all.Wait()
		return int(did.Load()), int(not.Load())
	}
	if did, not := count(tenant.ErrFoundedEnough, func(n int) error { return founds(n, greedy, fmt.Sprintf("192.0.2.%d", n)) }); did != 3 || not != 7 {
		t.Errorf("one person from ten networks founded %d and was refused %d times", did, not)
	}
	people := make([]tenant.Person, 10)
	for n := range people {
		people[n], _ = tenanttest.NewPerson(t, replicas[0])
	}
	// Within the /64 of an IPv6 address anybody takes any.
	if did, not := count(tenant.ErrFoundedNearby, func(n int) error { return founds(n, people[n], fmt.Sprintf("2001:db8::%x", n+1)) }); did != 5 || not != 5 {
		t.Errorf("ten people of one network founded %d and were refused %d times", did, not)
	}
	if err := founds(0, people[9], "2001:db8:0:1::1"); err != nil {
		t.Errorf("from the network beside it: %v", err)
	}
	stranger, _ := tenanttest.NewPerson(t, replicas[0])
	if err := founds(1, stranger, "198.51.100.7"); err != nil {
		t.Errorf("somebody else is kept out: %v", err)
	}
	clock.Advance(24*time.Hour + time.Minute)
	if err := founds(0, greedy, "192.0.2.1"); err != nil {
		t.Errorf("a day later: %v", err)
	}
	clock.Advance(49 * time.Hour)
	if _, err := tenant.ClearOld(context.Background(), replicas[0], 365*24*time.Hour); err != nil {
		t.Fatal(err)
	}
	if left := known(t, owner); left != 0 {
		t.Errorf("of %d it is still known who founded them, and from where", left)
	}
}

func known(t *testing.T, owner *sqlx.DB) (n int) {
	t.Helper()
	if err := owner.Get(&n, `SELECT count(*) FROM platform.organization WHERE founder_id IS NOT NULL OR founder_network <> ''`); err != nil {
		t.Fatal(err)
	}
	return n
}
