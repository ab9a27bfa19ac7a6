package web_test

import (
	"context"
	"net/http"
	"testing"

	"github.com/google/uuid"

	"github.com/countinghouse/countinghouse/identity"
	"github.com/countinghouse/countinghouse/internal/cursor"
	"github.com/countinghouse/countinghouse/internal/watch"
	"github.com/countinghouse/countinghouse/tenant"
	"github.com/countinghouse/countinghouse/tenant/tenanttest"
)

// eventsOf gives what was raised about an organization, newest first.
func eventsOf(t testing.TB, slug string) []watch.Raised {
	t.Helper()
	ctx := context.Background()
	scope, err := tenant.EnterOperator(ctx, tenanttest.DB(), slug)
	if err != nil {
		t.Fatal(err)
	}
	var page cursor.Page[watch.Raised]
	err = tenant.DoPlatform(ctx, tenanttest.DB(), func(tx *tenant.PlatformTx) (err error) {
		page, err = watch.AllEvents(ctx, tx, watch.Filter{Organization: scope.Organization().ID}, cursor.Query{})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return page.Items
}

func TestWatch(t *testing.T) {
	t.Parallel()
	h := open(t)
	t.Run("tells of a revoked token that is still in use", func(t *testing.T) {
		t.Parallel()
		o := h.signUp(t)
		if a := o.call(t, "GET", "/v1/customers", nil); a.status != http.StatusOK {
			t.Fatalf("status %d", a.status)
		}
		scope, err := tenant.EnterOperator(t.Context(), tenanttest.DB(), o.slug)
		if err == nil {
			err = tenant.Do(t.Context(), tenanttest.DB(), scope, func(tx *tenant.Tx) error {
				all, err := identity.Tokens(t.Context(), tx, cursor.Query{})
				if err != nil {
					return err
				}
				return identity.RevokeToken(t.Context(), tx, all.Items[0].ID)
			})
		}
		if err != nil {
			t.Fatal(err)
		}
		if found := eventsOf(t, o.slug); len(found) != 0 {
			t.Fatalf("before it was used: %+v", found)
		}
		never := program{h, "ch_" + o.token[3:len(o.token)-4] + "AAAA"}
		same := never.call(t, "GET", "/v1/customers", nil).problem(t)
		for range 3 {
			if p := o.call(t, "GET", "/v1/customers", nil).problem(t); p.Status != http.StatusUnauthorized || p.Code != same.Code || p.Detail != same.Detail {
				t.Fatalf("its bearer is told %+v, a stranger %+v", p, same)
			}
		}
		found := eventsOf(t, o.slug)
		if len(found) != 1 || found[0].Kind != watch.RevokedToken || found[0].Times != 3 || found[0].Person.IsZero() {
			t.Fatalf("%+v", found)
		}
	})
	t.Run("tells of who asks for many ids that are not there", func(t *testing.T) {
		t.Parallel()
		o, other := h.signUp(t), h.signUp(t)
		theirs := other.made(t, "/v1/customers", map[string]any{"name": "Ines Valente"})
		for range 40 { // a bookmark
			if a := o.browser.get(t, o.path("/customers/"+theirs)); a.status != http.StatusNotFound {
				t.Fatalf("status %d", a.status)
			}
		}
		if found := eventsOf(t, o.slug); len(found) != 0 {
			t.Fatalf("one id again and again: %+v", found)
		}
		for range 30 {
			o.browser.get(t, o.path("/invoices/"+uuid.NewString()))
		}
		found := eventsOf(t, o.slug)
		if len(found) != 1 || found[0].Kind != watch.Probing || found[0].Person.IsZero() {
			t.Fatalf("%+v", found)
		}
		for range 20 {
			o.call(t, "GET", "/v1/customers/"+uuid.NewString(), nil)
		}
		if found = eventsOf(t, o.slug); len(found) != 1 || found[0].Times != 2 {
			t.Fatalf("by the API, on behalf of the same person: %+v", found)
		}
		if found := eventsOf(t, other.slug); len(found) != 0 {
			t.Fatalf("told to another organization: %+v", found)
		}
	})
	t.Run("tells of who touches a canary, from outside and inside", func(t *testing.T) {
		t.Parallel()
		o, stranger := h.signUp(t), h.signUp(t)
		if a := o.browser.get(t, o.path("")); a.status != http.StatusOK { // the process knows the way in from before
			t.Fatalf("status %d", a.status)
		}
		if err := tenant.SetCanary(t.Context(), tenanttest.DB(), o.slug, true); err != nil {
			t.Fatal(err)
		}
		if a := stranger.browser.get(t, o.path("/customers")); a.status != http.StatusNotFound {
			t.Fatalf("status %d", a.status)
		}
		found := eventsOf(t, o.slug)
		if len(found) != 1 || found[0].Kind != watch.Canary || found[0].Severity != watch.High {
			t.Fatalf("%+v", found)
		}
		o.browser.get(t, o.path(""))
		o.browser.get(t, o.path(""))
		if found = eventsOf(t, o.slug); len(found) != 2 || found[0].Person.IsZero() {
			t.Fatalf("%+v", found)
		}
		if err := tenant.SetCanary(t.Context(), tenanttest.DB(), "nobody-"+o.slug, true); err == nil {
			t.Fatal("an organization that is not there was marked")
		}
	})
}
