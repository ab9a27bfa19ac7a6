package watch_test

import (
	"bytes"
	"context"
	"encoding/json"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/countinghouse/countinghouse/internal/cursor"
	"github.com/countinghouse/countinghouse/internal/watch"
	"github.com/countinghouse/countinghouse/tenant"
	"github.com/countinghouse/countinghouse/tenant/tenanttest"
)

func eventsOf(t *testing.T, o tenanttest.Organization, q cursor.Query) (page cursor.Page[watch.Raised]) {
	t.Helper()
	tenanttest.Do(t, tenanttest.DB(), o, func(ctx context.Context, tx *tenant.Tx) (err error) {
		page, err = watch.Events(ctx, tx, q)
		return err
	})
	return page
}

func raise(t *testing.T, w *watch.Watch, e watch.Event) {
	t.Helper()
	if err := w.Raise(context.Background(), e); err != nil {
		t.Fatal(err)
	}
}

func TestRaise(t *testing.T) {
	t.Parallel()
	db := tenanttest.DB()
	t.Run("told at once by many, is one event that counts, and is delivered once", func(t *testing.T) {
		t.Parallel()
		o := tenanttest.Found(t, db, nil)
		var log bytes.Buffer
		var queued atomic.Int64
		enqueue := func(context.Context, *tenant.PlatformTx, watch.ID) error { queued.Add(1); return nil }
		clock := &tenanttest.Clock{}
		replicas := []*watch.Watch{watch.New(tenanttest.OpenWith(t, clock), watch.Options{Log: &log, Enqueue: enqueue}),
			watch.New(tenanttest.OpenWith(t, clock), watch.Options{Enqueue: enqueue})}
		// Begin within a window, whatever the time of day.
		clock.Advance(time.Until(time.Now().Truncate(time.Hour).Add(time.Hour + time.Minute)))
		var all sync.WaitGroup
		for n := range 40 {
			all.Go(func() {
				e := watch.Event{Kind: watch.Probing, Organization: o.Scope.Organization().ID, Network: "192.0.2.7", Detail: "40 ids"}
				if err := replicas[n%2].Raise(context.Background(), e); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
		page := eventsOf(t, o, cursor.Query{})
		if len(page.Items) != 1 || page.Items[0].Times != 40 || page.Items[0].Network != "192.0.2.7" || page.Items[0].Severity != watch.Medium {
			t.Fatalf("%+v", page.Items)
		}
		if queued.Load() != 1 {
			t.Fatalf("delivered %d times", queued.Load())
		}
		clock.Advance(time.Hour)
		raise(t, replicas[1], watch.Event{Kind: watch.Probing, Organization: o.Scope.Organization().ID, Network: "192.0.2.7"})
		raise(t, replicas[1], watch.Event{Kind: watch.Probing, Organization: o.Scope.Organization().ID, Network: "192.0.2.8"})
		if page = eventsOf(t, o, cursor.Query{}); len(page.Items) != 3 || queued.Load() != 3 {
			t.Fatalf("an hour later, and from elsewhere: %d events, %d delivered", len(page.Items), queued.Load())
		}
	})
	t.Run("is shown to whom it is about and to nobody else", func(t *testing.T) {
		t.Parallel()
		o, other := tenanttest.Found(t, db, nil), tenanttest.Found(t, db, nil)
		w := watch.New(db, watch.Options{})
		raise(t, w, watch.Event{Kind: watch.RevokedToken, Organization: o.Scope.Organization().ID, Network: "192.0.2.9"})
		raise(t, w, watch.Event{Kind: watch.Guessing, Person: o.Owner.ID, Network: "192.0.2.10"})
		raise(t, w, watch.Event{Kind: watch.Spraying, Network: "192.0.2.11", Subject: tenanttest.Random(8)})
		mine := eventsOf(t, o, cursor.Query{}).Items
		if len(mine) != 2 || mine[0].Kind != watch.Guessing || mine[1].Kind != watch.RevokedToken {
			t.Fatalf("its owner sees %+v", mine)
		}
		if mine[0].Network != "" || mine[1].Network != "192.0.2.9" {
			t.Fatal("where a person signs in from elsewhere is their own affair")
		}
		if found := eventsOf(t, other, cursor.Query{}).Items; len(found) != 0 {
			t.Fatalf("another organization sees %+v", found)
		}
	})
	t.Run("pages both ways", func(t *testing.T) {
		t.Parallel()
		o := tenanttest.Found(t, db, nil)
		w := watch.New(db, watch.Options{})
		for range 5 {
			raise(t, w, watch.Event{Kind: watch.Canary, Organization: o.Scope.Organization().ID, Subject: tenanttest.Random(8)})
		}
		first := eventsOf(t, o, cursor.Query{Limit: 2})
		second := eventsOf(t, o, cursor.Query{Limit: 2, After: first.Items[1].ID.UUID})
		back := eventsOf(t, o, cursor.Query{Limit: 2, Before: second.Items[0].ID.UUID})
		if !first.HasMore || !second.HasMore || back.HasMore || back.Items[0].ID != first.Items[0].ID || back.Items[1].ID != first.Items[1].ID {
			t.Fatalf("%+v\n%+v\n%+v", first, second, back)
		}
	})
	t.Run("refuses a kind that nobody could read", func(t *testing.T) {
		t.Parallel()
		if err := watch.New(db, watch.Options{}).Raise(context.Background(), watch.Event{Kind: "hm"}); err == nil {
			t.Fatal("taken")
		}
	})
	t.Run("tells the operator's log of whom by ids alone", func(t *testing.T) {
		t.Parallel()
		o := tenanttest.Found(t, db, nil)
		var log bytes.Buffer
		w := watch.New(db, watch.Options{Log: &log})
		ctx := tenant.WithRequest(context.Background(), tenant.Request{ID: "REQUEST", Network: "192.0.2.12"})
		for range 3 {
			err := w.Raise(ctx, watch.Event{Kind: watch.Disowned, Organization: o.Scope.Organization().ID, Person: o.Owner.ID, Network: "2001:db8::/64",
				Subject: o.Owner.Email, Detail: "token ends\nwith a line"})
			if err != nil {
				t.Fatal(err)
			}
		}
		var line map[string]any
		if strings.Count(log.String(), "\n") != 1 || json.Unmarshal(log.Bytes(), &line) != nil {
			t.Fatalf("not one line of JSON: %q", log.String())
		}
		if line["person"] != o.Owner.ID.String() || line["network"] != "2001:db8::/64" || line["severity"] != "high" || line["request_id"] != "REQUEST" {
			t.Fatalf("%v", line)
		}
		for _, personal := range []string{o.Owner.Email, o.Owner.Name, o.Slug} {
			if strings.Contains(log.String(), personal) {
				t.Errorf("the line tells %q", personal)
			}
		}
	})
}

func TestAllEvents(t *testing.T) {
	t.Parallel()
	db := tenanttest.DB()
	o := tenanttest.Found(t, db, nil)
	w := watch.New(db, watch.Options{})
	for _, kind := range []string{watch.Canary, watch.Probing} {
		raise(t, w, watch.Event{Kind: kind, Organization: o.Scope.Organization().ID})
	}
	ask := func(f watch.Filter, q cursor.Query) (page cursor.Page[watch.Raised]) {
		f.Organization = o.Scope.Organization().ID
		err := tenant.DoPlatform(context.Background(), db, func(tx *tenant.PlatformTx) (err error) {
			page, err = watch.AllEvents(context.Background(), tx, f, q)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		return page
	}
	all := ask(watch.Filter{}, cursor.Query{}).Items
	if len(all) != 2 || all[0].Kind != watch.Probing || all[0].Slug != o.Slug {
		t.Fatalf("%+v", all)
	}
	if found := ask(watch.Filter{Severity: watch.High}, cursor.Query{}).Items; len(found) != 1 || found[0].Kind != watch.Canary {
		t.Fatalf("%+v", found)
	}
	if found := ask(watch.Filter{}, cursor.Query{Before: all[1].ID.UUID}).Items; len(found) != 1 || found[0].ID != all[0].ID {
		t.Fatalf("%+v", found)
	}
}

func TestEventsStay(t *testing.T) {
	t.Parallel()
	o := tenanttest.Found(t, tenanttest.DB(), nil)
	for name, attack := range map[string]func(ctx context.Context, tx *tenant.Tx) (int64, error){
		"delete": func(ctx context.Context, tx *tenant.Tx) (int64, error) {
			return tx.Exec(ctx, `DELETE FROM platform.security_event`)
		},
		"update": func(ctx context.Context, tx *tenant.Tx) (int64, error) {
			return tx.Exec(ctx, `UPDATE platform.security_event SET times = 0`)
		},
		"insert": func(ctx context.Context, tx *tenant.Tx) (int64, error) {
			return tx.Exec(ctx, `INSERT INTO platform.security_event (id) VALUES (gen_random_uuid())`)
		},
		"select": func(ctx context.Context, tx *tenant.Tx) (int64, error) {
			return tx.Exec(ctx, `SELECT count(*) FROM platform.security_event`)
		},
	} {
		err := tenant.Do(context.Background(), tenanttest.DB(), o.Scope, func(tx *tenant.Tx) error {
			_, err := attack(context.Background(), tx)
			return err
		})
		if tenant.SQLState(err) != "42501" {
			t.Errorf("a tenant's role may %s: %v", name, err)
		}
	}
	err := tenant.DoPlatform(context.Background(), tenanttest.DB(), func(tx *tenant.PlatformTx) error {
		_, err := tx.Exec(context.Background(), `DELETE FROM platform.security_event WHERE id IS NULL`)
		return err
	})
	if tenant.SQLState(err) != "42501" {
		t.Errorf("the service: %v", err)
	}
}
