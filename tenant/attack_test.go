package tenant_test

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/countinghouse/countinghouse/internal/id"
	"github.com/countinghouse/countinghouse/tenant"
	"github.com/countinghouse/countinghouse/tenant/tenanttest"
)

func TestAttackOnSessions(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	nothing := func(*tenant.Tx) error { return nil }

	// The process remembers the scope, so that the request's own mark of use is the first thing to reach the
	// database: it must not wake a session that has ended by idleness.
	t.Run("a session that was idle too long is not woken by the request that finds it so", func(t *testing.T) {
		t.Parallel()
		clock := &tenanttest.Clock{}
		db := tenanttest.OpenWith(t, clock)
		o := tenanttest.Found(t, db, nil)
		if err := tenant.Do(ctx, db, o.Scope, nothing); err != nil {
			t.Fatal(err)
		}
		clock.Advance(2 * time.Hour) // idle after one
		scope, err := tenant.EnterMember(ctx, db, o.Session, o.Slug)
		if errors.Is(err, tenant.ErrNotSignedIn) {
			return
		}
		if err := tenant.Seen(ctx, db, scope); err != nil && !errors.Is(err, tenant.ErrStale) && !errors.Is(err, tenant.ErrNotSignedIn) {
			t.Fatal(err)
		}
		if err := tenant.Do(ctx, db, scope, nothing); err == nil {
			t.Fatal("an idle session got in")
		}
		if _, err := tenant.EnterMember(ctx, db, o.Session, o.Slug); !errors.Is(err, tenant.ErrNotSignedIn) {
			t.Fatalf("entering again: %v", err)
		}
	})
	t.Run("a session opened while its person is being shut out does not keep what they had", func(t *testing.T) {
		t.Parallel()
		db := tenanttest.DB()
		o := tenanttest.Found(t, db, nil)
		person, _ := tenanttest.NewPerson(t, db)
		tenanttest.Do(t, db, o, func(ctx context.Context, tx *tenant.Tx) error {
			return tx.SetMember(ctx, person, "accountant", tenant.Active)
		})
		var late tenant.Scope
		tenanttest.Do(t, db, o, func(ctx context.Context, tx *tenant.Tx) error {
			if err := tx.SetMember(ctx, person, "accountant", tenant.Denied); err != nil {
				return err
			}
			// Before this commits, the person signs in and enters.
			session := openSession(t, db, person)
			scope, err := tenant.EnterMember(ctx, db, session, o.Slug)
			late = scope
			return err
		})
		if err := tenant.Do(ctx, db, late, nothing); !errors.Is(err, tenant.ErrStale) {
			t.Fatalf("someone who was shut out is still in: %v", err)
		}
	})
	t.Run("a token made while its maker is being shut out opens nothing", func(t *testing.T) {
		t.Parallel()
		db := tenanttest.DB()
		o := tenanttest.Found(t, db, nil)
		person, session := tenanttest.NewPerson(t, db)
		tenanttest.Do(t, db, o, func(ctx context.Context, tx *tenant.Tx) error {
			return tx.SetMember(ctx, person, "owner", tenant.Active)
		})
		scope, err := tenant.EnterMember(ctx, db, session, o.Slug)
		if err != nil {
			t.Fatal(err)
		}
		secret := sha256.Sum256([]byte(tenanttest.Random(16)))
		var late tenant.Scope
		tenanttest.Do(t, db, o, func(ctx context.Context, tx *tenant.Tx) error {
			if err := tx.SetMember(ctx, person, "owner", tenant.Denied); err != nil {
				return err
			}
			err := tenant.Do(ctx, db, scope, func(other *tenant.Tx) error {
				_, err := other.Exec(ctx, `SELECT platform.add_api_token($1, $2, $3, 'late', 'ch_late', '{*:read,*:write}', $4, NULL)`,
					secret[:], id.New[tenant.Tx](), person.ID, other.Now())
				return err
			})
			if err != nil {
				return err
			}
			late, err = tenant.EnterToken(ctx, db, secret)
			return err
		})
		if err := tenant.Do(ctx, db, late, nothing); !errors.Is(err, tenant.ErrStale) {
			t.Fatalf("the token of someone who was shut out is still good: %v", err)
		}
	})
}

// More statements than a connection keeps, cancellations, failed transactions and panics at once: nobody ever sees
// another's rows, and every connection is good afterwards.
func TestAttackOnConnections(t *testing.T) {
	t.Parallel()
	ctx, config := context.Background(), tenanttest.Config()
	config.Connections = 2
	db, err := tenant.Open(ctx, config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	// In two compartments, a connection sees half of the organizations: more than the 400 that it keeps.
	const statements = 120
	var homes []tenanttest.Organization
	for i := range 8 {
		homes = append(homes, tenanttest.Found(t, db, func(ctx context.Context, tx *tenant.Tx) error {
			for range i { // organization i has i members besides its owner
				p, _ := tenanttest.NewPerson(t, db)
				if err := tx.SetMember(ctx, p, "viewer", tenant.Active); err != nil {
					return err
				}
			}
			return nil
		}))
	}
	look := func(ctx context.Context, i int, disturb func(tx *tenant.Tx) error) error {
		return tenant.Do(ctx, db, homes[i].Scope, func(tx *tenant.Tx) error {
			for range 12 {
				n, got := rand.IntN(statements), 0
				if err := countMembers(ctx, tx, n, &got); err != nil {
					return err
				}
				if got != i+n {
					t.Errorf("organization %d has %d members, not %d", i, got-n, i)
				}
			}
			return disturb(tx)
		})
	}
	quiet := func(*tenant.Tx) error { return nil }
	broken := func(tx *tenant.Tx) error {
		_, _ = tx.Exec(ctx, `SELECT 1 / $1::int`, 0) // aborts the transaction
		var n int
		_ = countMembers(ctx, tx, 3, &n)
		return nil // overlooked: Do must fail all the same
	}
	storm := func(acts ...func(random *rand.Rand, i int)) {
		var wait sync.WaitGroup
		for worker := range 8 {
			wait.Go(func() {
				random := rand.New(rand.NewPCG(uint64(worker), 7))
				for range 60 {
					acts[random.IntN(len(acts))](random, random.IntN(len(homes)))
				}
			})
		}
		wait.Wait()
	}
	good := func(_ *rand.Rand, i int) {
		if err := look(ctx, i, quiet); err != nil {
			t.Error(err)
		}
	}
	bad := func(_ *rand.Rand, i int) {
		if err := look(ctx, i, broken); err == nil {
			t.Error("a transaction that failed was said to be good")
		}
	}
	storm(good, bad) // on connections that live long enough to let statements go
	storm(good, bad, func(random *rand.Rand, i int) {
		short, cancel := context.WithTimeout(ctx, time.Duration(random.IntN(9000))*time.Microsecond)
		defer cancel()
		_ = look(short, i, quiet) // cancelled or not
	}, func(_ *rand.Rand, i int) {
		defer func() { _ = recover() }()
		_ = look(ctx, i, func(*tenant.Tx) error { panic("attack") })
	})
	for i := range homes {
		if err := look(ctx, i, quiet); err != nil {
			t.Errorf("organization %d afterwards: %v", i, err)
		}
	}
	// Outside a transaction of a tenant, the pool's connections are nobody.
	if _, err := tenant.EnterMember(ctx, db, homes[0].Session, homes[0].Slug); err != nil {
		t.Error(err)
	}
}

// countMembers gives n more than the organization has members, by a statement of its own for every n.
func countMembers(ctx context.Context, tx *tenant.Tx, n int, got *int) error {
	return tenant.GetUnchecked(ctx, tx, got, fmt.Sprintf(`SELECT count(*) + %d FROM member WHERE role = $1`, n), "viewer")
}

func openSession(t *testing.T, db *tenant.DB, p tenant.Person) tenant.Hash {
	t.Helper()
	ctx, hash := context.Background(), tenant.Hash(sha256.Sum256([]byte(tenanttest.Random(32))))
	err := tenant.DoPlatform(ctx, db, func(tx *tenant.PlatformTx) error {
		_, err := tx.Exec(ctx, `
			INSERT INTO platform.session (token_hash, id, person_id, created_at, authenticated_at, last_seen_at, idle_seconds, expires_at)
			VALUES ($1, $2, $3, $4, $4, $4, 3600, $5)`,
			hash[:], id.New[tenant.Tx](), p.ID, tx.Now(), tx.Now().Add(24*time.Hour))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return hash
}
