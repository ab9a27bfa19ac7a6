package tenant_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/countinghouse/countinghouse/tenant"
	"github.com/countinghouse/countinghouse/tenant/tenanttest"
)

func TestDoors(t *testing.T) {
	t.Parallel()
	clock := &tenanttest.Clock{}
	db := tenanttest.OpenWith(t, clock)
	o := tenanttest.Found(t, db, nil)
	ctx, invoice, account := context.Background(), uuid.New(), uuid.New()
	var link, webhook string
	tenanttest.Do(t, db, o, func(ctx context.Context, tx *tenant.Tx) (err error) {
		if link, err = tx.OpenLink(ctx, invoice, tx.Now().Add(time.Hour)); err == nil {
			webhook, err = tx.OpenWebhook(ctx, account)
		}
		return err
	})
	hash := func(secret string) tenant.Hash {
		h, ok := tenant.HashDoor(secret)
		if !ok {
			t.Fatalf("%q is no address", secret)
		}
		return h
	}
	enter := func(db *tenant.DB) tenant.Scope {
		s, err := tenant.EnterLink(ctx, db, hash(link))
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	s := enter(db)
	if s.Kind() != tenant.Link || s.Subject() != invoice || s.Organization().Slug != o.Slug || !s.Person().ID.IsZero() {
		t.Errorf("entered as %v to %v of %v", s.Kind(), s.Subject(), s.Organization())
	}
	if w, err := tenant.EnterWebhook(ctx, db, hash(webhook)); err != nil || w.Subject() != account {
		t.Errorf("by the webhook: %v", err)
	}
	nothing := func(*tenant.Tx) error { return nil }
	t.Run("one kind does not open as the other, nor what was never given out", func(t *testing.T) {
		if _, err := tenant.EnterWebhook(ctx, db, hash(link)); !errors.Is(err, tenant.ErrNoDoor) {
			t.Errorf("a link as a webhook: %v", err)
		}
		if _, err := tenant.EnterLink(ctx, db, hash(webhook)); !errors.Is(err, tenant.ErrNoDoor) {
			t.Errorf("a webhook as a link: %v", err)
		}
		if _, err := tenant.EnterLink(ctx, db, tenant.Hash{1}); !errors.Is(err, tenant.ErrNoDoor) {
			t.Errorf("a guess: %v", err)
		}
		for _, forged := range []string{"", link + "A", link[1:], link[:len(link)-1] + "=", "A" + link} {
			if _, ok := tenant.HashDoor(forged); ok {
				t.Errorf("%q is read as an address", forged)
			}
		}
	})
	t.Run("it ends by itself, on a scope that was entered before too", func(t *testing.T) {
		if err := tenant.Do(ctx, db, s, nothing); err != nil {
			t.Fatal(err)
		}
		clock.Advance(2 * time.Hour)
		defer clock.Advance(-2 * time.Hour)
		if err := tenant.Do(ctx, db, s, nothing); !errors.Is(err, tenant.ErrStale) {
			t.Errorf("after its time: %v", err)
		}
		if _, err := tenant.EnterLink(ctx, db, hash(link)); !errors.Is(err, tenant.ErrNoDoor) {
			t.Errorf("entered after its time: %v", err)
		}
	})
	t.Run("closing it holds on another server from the next request on", func(t *testing.T) {
		other := tenanttest.OpenWith(t, &tenanttest.Clock{})
		there := enter(other)
		tenanttest.Do(t, db, o, func(ctx context.Context, tx *tenant.Tx) error {
			n, err := tx.CloseDoors(ctx, tenant.Link, invoice)
			if n != 1 {
				t.Errorf("%d were closed", n)
			}
			return err
		})
		if err := tenant.Do(ctx, other, there, nothing); !errors.Is(err, tenant.ErrStale) {
			t.Errorf("after it was closed: %v", err)
		}
	})
	t.Run("another organization closes nothing here", func(t *testing.T) {
		tenanttest.Do(t, db, tenanttest.Found(t, db, nil), func(ctx context.Context, tx *tenant.Tx) error {
			n, err := tx.CloseDoors(ctx, tenant.Webhook, account)
			if n != 0 {
				t.Errorf("%d were closed", n)
			}
			return err
		})
		if _, err := tenant.EnterWebhook(ctx, tenanttest.OpenWith(t, &tenanttest.Clock{}), hash(webhook)); err != nil {
			t.Errorf("the webhook: %v", err)
		}
	})
}
