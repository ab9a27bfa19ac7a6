package tenant_test

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/countinghouse/countinghouse/tenant"
	"github.com/countinghouse/countinghouse/tenant/tenanttest"
)

func TestFound(t *testing.T) {
	t.Parallel()
	db, ctx := tenanttest.DB(), context.Background()

	t.Run("refuses an address that is no address", func(t *testing.T) {
		t.Parallel()
		person, _ := tenanttest.NewPerson(t, db)
		for slug, want := range map[string]error{
			"": tenant.ErrSlugMalformed, "ab": tenant.ErrSlugMalformed, "Acme": tenant.ErrSlugMalformed,
			"a--b": tenant.ErrSlugMalformed, "-ab": tenant.ErrSlugMalformed, "ab-": tenant.ErrSlugMalformed,
			"xn--80ak6aa92e": tenant.ErrSlugMalformed, "аcme": tenant.ErrSlugMalformed, "acme\x00": tenant.ErrSlugMalformed,
			"acme\n": tenant.ErrSlugMalformed, "admin": tenant.ErrSlugReserved, "www": tenant.ErrSlugReserved,
		} {
			err := tenant.Found(ctx, db, person, slug, "Acme", func(*tenant.Tx) error { t.Error("founded " + slug); return nil })
			if !errors.Is(err, want) {
				t.Errorf("%q: %v", slug, err)
			}
		}
	})
	t.Run("gives one address to one organization, however many ask at once", func(t *testing.T) {
		t.Parallel()
		person, _ := tenanttest.NewPerson(t, db)
		slug := "race-" + tenanttest.Random(6)
		var founded, refused atomic.Int32
		var wait sync.WaitGroup
		for range 10 {
			wait.Go(func() {
				err := tenant.Found(ctx, db, person, slug, "Race", func(tx *tenant.Tx) error {
					return tx.SetMember(ctx, person, "owner", tenant.Active)
				})
				switch {
				case err == nil:
					founded.Add(1)
				case errors.Is(err, tenant.ErrSlugTaken):
					refused.Add(1)
				default:
					t.Error(err)
				}
			})
		}
		wait.Wait()
		if founded.Load() != 1 || refused.Load() != 9 {
			t.Fatalf("%d founded, %d refused", founded.Load(), refused.Load())
		}
	})
	t.Run("leaves nothing of a founding that fails", func(t *testing.T) {
		t.Parallel()
		person, session := tenanttest.NewPerson(t, db)
		slug := "fail-" + tenanttest.Random(6)
		failure := errors.New("no")
		if err := tenant.Found(ctx, db, person, slug, "Fail", func(*tenant.Tx) error { return failure }); !errors.Is(err, failure) {
			t.Fatal(err)
		}
		if free, err := tenant.SlugFree(ctx, db, slug); err != nil || !free {
			t.Fatalf("free %v, %v", free, err)
		}
		if _, err := tenant.EnterMember(ctx, db, session, slug); !errors.Is(err, tenant.ErrNoOrganization) {
			t.Fatal(err)
		}
	})
	t.Run("serves all who come while schemas are being made", func(t *testing.T) {
		t.Parallel()
		var wait sync.WaitGroup
		wait.Go(func() {
			if err := tenant.Provision(ctx, db, 10); err != nil {
				t.Error(err)
			}
		})
		for range 20 {
			wait.Go(func() { tenanttest.Found(t, db, nil) })
		}
		wait.Wait()
	})
	t.Run("makes a schema when none is ready, and spreads over compartments", func(t *testing.T) {
		t.Parallel()
		for range 8 {
			tenanttest.Found(t, db, nil)
		}
		var used int
		err := tenant.OwnerPool(db).Get(&used, `SELECT count(DISTINCT compartment_id) FROM platform.organization WHERE state = 'active'`)
		if err != nil || used < 2 {
			t.Fatalf("%d compartments in use, %v", used, err)
		}
	})
}

func TestProvisionMakesTheKeyFirst(t *testing.T) {
	t.Parallel()
	ctx, config := context.Background(), tenanttest.Config()
	var asked []string
	fails := errors.New("the keyring does not answer")
	config.NewKey = func(_ context.Context, organization string) error {
		asked = append(asked, organization)
		if len(asked) == 2 {
			return fails
		}
		return nil
	}
	db, err := tenant.Open(ctx, config)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	}()
	if err := tenant.Provision(ctx, db, 3); !errors.Is(err, fails) || len(asked) != 2 {
		t.Fatalf("asked %d times, %v", len(asked), err)
	}
	for i, want := range []bool{true, false} {
		var made bool
		if err := tenant.OwnerPool(db).Get(&made, `SELECT EXISTS (SELECT FROM platform.organization WHERE id = $1)`, asked[i]); err != nil || made != want {
			t.Errorf("schema %d is there: %v, %v", i, made, err)
		}
	}
}

func TestEnter(t *testing.T) {
	t.Parallel()
	db, ctx := tenanttest.DB(), context.Background()
	o := tenanttest.Found(t, db, nil)
	nothing := func(*tenant.Tx) error { return nil }

	t.Run("refuses a stranger, an unknown address and no session alike", func(t *testing.T) {
		t.Parallel()
		_, stranger := tenanttest.NewPerson(t, db)
		if _, err := tenant.EnterMember(ctx, db, stranger, o.Slug); !errors.Is(err, tenant.ErrNoOrganization) {
			t.Error(err)
		}
		if _, err := tenant.EnterMember(ctx, db, o.Session, "no-such-place"); !errors.Is(err, tenant.ErrNoOrganization) {
			t.Error(err)
		}
		if _, err := tenant.EnterMember(ctx, db, tenant.Hash{1}, o.Slug); !errors.Is(err, tenant.ErrNotSignedIn) {
			t.Error(err)
		}
	})
	t.Run("is decided anew on every replica once the person is denied", func(t *testing.T) {
		t.Parallel()
		o := tenanttest.Found(t, db, nil)
		replica := tenanttest.OpenWith(t, &tenanttest.Clock{})
		there, err := tenant.EnterMember(ctx, replica, o.Session, o.Slug)
		if err != nil {
			t.Fatal(err)
		}
		if err := tenant.Do(ctx, replica, there, nothing); err != nil {
			t.Fatal(err)
		}
		other, _ := tenanttest.NewPerson(t, db)
		tenanttest.Do(t, db, o, func(ctx context.Context, tx *tenant.Tx) error {
			if err := tx.SetMember(ctx, other, "owner", tenant.Active); err != nil {
				return err
			}
			return tx.SetMember(ctx, o.Owner, "owner", tenant.Denied)
		})
		for _, replica := range []*tenant.DB{db, replica} {
			if err := tenant.Do(ctx, replica, there, nothing); !errors.Is(err, tenant.ErrStale) {
				t.Fatalf("still let in: %v", err)
			}
			if _, err := tenant.EnterMember(ctx, replica, o.Session, o.Slug); !errors.Is(err, tenant.ErrNoOrganization) {
				t.Fatalf("let in again: %v", err)
			}
		}
	})
	t.Run("ends with the session's idle time and with its life", func(t *testing.T) {
		t.Parallel()
		clock := &tenanttest.Clock{}
		moved := tenanttest.OpenWith(t, clock)
		o := tenanttest.Found(t, moved, nil)
		for range 30 { // used all the while, it lives on past its idle hour
			clock.Advance(45 * time.Minute)
			scope, err := tenant.EnterMember(ctx, moved, o.Session, o.Slug)
			if err != nil {
				t.Fatal(err)
			}
			if err := tenant.Seen(ctx, moved, scope); err != nil {
				t.Fatal(err)
			}
			if err := tenant.Do(ctx, moved, scope, nothing); err != nil {
				t.Fatal(err)
			}
		}
		clock.Advance(61 * time.Minute)
		if err := tenant.Do(ctx, moved, o.Scope, nothing); !errors.Is(err, tenant.ErrStale) {
			t.Fatalf("an idle session still works: %v", err)
		}
		if _, err := tenant.EnterMember(ctx, moved, o.Session, o.Slug); !errors.Is(err, tenant.ErrNotSignedIn) {
			t.Fatal(err)
		}
	})
}
