package web_test

import (
	"bytes"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/countinghouse/countinghouse/internal/audit"
	"github.com/countinghouse/countinghouse/internal/watch"
	"github.com/countinghouse/countinghouse/tenant"
	"github.com/countinghouse/countinghouse/tenant/tenanttest"
)

func TestActivity(t *testing.T) {
	t.Parallel()
	h := open(t)
	o := h.signUp(t)
	customer := o.made(t, "/v1/customers", map[string]any{"name": "Ines Valente", "email": "ines@valente.example"})
	if a := o.call(t, "PUT", "/v1/customers/"+customer, map[string]any{"name": "Ines Valente", "email": "=ines@valente.example", "country": "PT"}); a.status != http.StatusOK {
		t.Fatalf("status %d: %s", a.status, a.body)
	}
	page := o.browser.get(t, o.path("/activity"))
	page.holds(t, "added a customer", "changed a customer", "by an API token", "Mara Lindqvist", o.path("/customers/"+customer),
		"Email: ines@valente.example became =ines@valente.example", "Country: nothing became PT", "not sealed yet", "request ")

	t.Run("is narrowed by its address", func(t *testing.T) {
		o.browser.get(t, o.path("/activity?group=books")).holds(t, "Nothing like that")
		o.browser.get(t, o.path("/activity?object="+customer)).holds(t, "changed a customer")
		if a := o.browser.get(t, o.path("/activity?support=true")); bytes.Contains(a.body, []byte("changed a customer")) {
			t.Error("what a member did passes for support's")
		}
		for _, bad := range []string{"group=x", "person=x", "object=x", "from=x", "to=2026-02-30", "starting_after=x"} {
			if a := o.browser.get(t, o.path("/activity?"+bad)); a.status != http.StatusUnprocessableEntity {
				t.Errorf("%s: status %d", bad, a.status)
			}
		}
	})
	t.Run("is read by programs, with people's data for who may see them", func(t *testing.T) {
		var all struct{ Items []audit.View }
		o.call(t, "GET", "/v1/activity?limit=1&object="+customer, nil).decode(t, &all)
		if len(all.Items) != 1 || all.Items[0].Action != "customer.change" || all.Items[0].Changes[0].After != "=ines@valente.example" {
			t.Fatalf("%+v", all.Items)
		}
		narrow := program{h, h.tokenFor(t, o.browser, o.slug, "audit:read")}
		narrow.call(t, "GET", "/v1/activity?limit=1&object="+customer, nil).decode(t, &all)
		if all.Items[0].Changes[0].State != "hidden" || all.Items[0].Changes[0].After != "" || all.Items[0].Changes[1].After != "PT" {
			t.Fatalf("who may not read customers: %+v", all.Items[0].Changes)
		}
	})
	t.Run("is exported, and that is on record too", func(t *testing.T) {
		sheet := o.browser.get(t, o.path("/activity.csv?object="+customer))
		if sheet.status != http.StatusOK || bytes.Count(sheet.body, []byte("\n")) != 3 || !strings.Contains(sheet.header.Get("Content-Disposition"), "activity.csv") {
			t.Fatalf("status %d: %s", sheet.status, sheet.body)
		}
		var views []audit.View
		o.browser.get(t, o.path("/activity.json?group=sales")).decode(t, &views)
		if len(views) != 2 || views[0].Action != "customer.change" {
			t.Fatalf("%+v", views)
		}
		o.browser.get(t, o.path("/activity")).holds(t, "exported the activity", "activity.csv", "activity.json")
		if a := o.browser.get(t, o.path("/activity.csv?from=x")); a.status != http.StatusUnprocessableEntity {
			t.Errorf("status %d", a.status)
		}
	})
	t.Run("gives the sealed record, which proves itself", func(t *testing.T) {
		file := o.browser.get(t, o.path("/activity/record.jsonl"))
		proof, err := audit.Verify(bytes.NewReader(file.body), "")
		if err != nil || proof.Rows < 4 || bytes.Contains(file.body, []byte("@valente")) {
			t.Fatalf("%+v, %v: %s", proof, err, file.body)
		}
		o.browser.get(t, o.path("/activity")).holds(t, proof.Head, "sealed as 1")
	})
	t.Run("mails the head once it is asked to", func(t *testing.T) {
		key := field(t, o.browser.get(t, o.path("/activity")), "idempotency_key")
		if to := o.browser.post(t, o.path("/activity/head"), "idempotency_key", key).went(t); to != o.path("/activity") {
			t.Fatalf("led to %s", to)
		}
		o.browser.get(t, o.path("/activity")).holds(t, "Stop mailing the head", "Mail chain head: false became true")
	})
}

func TestSecurityEventsPage(t *testing.T) {
	t.Parallel()
	h := open(t)
	o := h.signUp(t)
	o.browser.get(t, o.path("/settings/security-events")).holds(t, "Nobody has tried anything")
	scope, err := tenant.EnterOperator(t.Context(), tenanttest.DB(), o.slug)
	if err != nil {
		t.Fatal(err)
	}
	w := watch.New(tenanttest.DB(), watch.Options{})
	for range 2 {
		err := w.Raise(t.Context(), watch.Event{Kind: watch.RevokedToken, Organization: scope.Organization().ID, Network: "192.0.2.8", Detail: "token <x>"})
		if err != nil {
			t.Fatal(err)
		}
	}
	o.browser.get(t, o.path("/settings/security-events")).holds(t, "A revoked API token is still in use", "2 times", "192.0.2.8", "token &lt;x&gt;")
	if a := o.browser.get(t, "/staff/events?"+url.Values{"kind": {watch.RevokedToken}}.Encode()); a.status != http.StatusNotFound {
		t.Fatalf("an owner sees the staff's page: %d", a.status)
	}
}
