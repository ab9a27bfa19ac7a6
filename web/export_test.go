package web_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/countinghouse/countinghouse/billing/takeout"
	"github.com/countinghouse/countinghouse/tenant"
	"github.com/countinghouse/countinghouse/tenant/tenanttest"
)

// makeExport does what the background job does.
func (o owner) makeExport(t *testing.T, id string) {
	t.Helper()
	p := &takeout.Packer{DB: tenanttest.DB(), May: func(tenant.Scope, string) bool { return true }, Tell: func(context.Context, takeout.Notice) error { return nil }}
	for {
		err := p.Job(t.Context(), o.scope(t), json.RawMessage(fmt.Sprintf(`{"export":%q}`, id)))
		if errors.Is(err, tenant.ErrStale) { // rights were changed since; the queue runs it again
			continue
		} else if err != nil {
			t.Fatal(err)
		}
		return
	}
}

func TestExports(t *testing.T) {
	t.Parallel()
	h := open(t)
	o := h.signUp(t)
	o.program.made(t, "/v1/customers", map[string]any{"name": "Hugh O’Reilly"})
	at := o.inside("/settings/exports")
	o.browser.post(t, at, "idempotency_key", "one", "holds", "customers", "format", "xlsx").went(t)
	o.browser.get(t, at).holds(t, "Customers", "Waiting", `hx-trigger="every 2s"`, "Look now", "/cancel")
	var all struct{ Items []struct{ ID, State string } }
	o.program.call(t, "GET", "/v1/exports", nil).decode(t, &all)
	if len(all.Items) != 1 || all.Items[0].State != "queued" {
		t.Fatalf("%+v", all)
	}
	if a := o.browser.get(t, at+"/"+all.Items[0].ID+"/file"); a.status != http.StatusConflict {
		t.Errorf("fetched before it is ready: %d", a.status)
	}
	o.makeExport(t, all.Items[0].ID)
	if page := string(o.browser.get(t, at).body); !strings.Contains(page, "Ready") || strings.Contains(page, "hx-trigger") {
		t.Errorf("when it is ready the page is\n%s", page)
	}
	a := o.browser.get(t, at+"/"+all.Items[0].ID+"/file")
	if a.status != http.StatusOK || !strings.HasPrefix(string(a.body), "PK") || !strings.Contains(a.header.Get("Content-Disposition"), ".xlsx") {
		t.Errorf("the file: %d %v", a.status, a.header)
	}
	id := o.program.made(t, "/v1/exports", map[string]any{"holds": "customers"})
	o.makeExport(t, id)
	if a := o.program.call(t, "GET", "/v1/exports/"+id+"/file", nil); a.status != http.StatusOK || !strings.Contains(string(a.body), ",Hugh O’Reilly,") {
		t.Errorf("by the API: %d %s", a.status, a.body)
	}
	if a := o.program.call(t, "POST", "/v1/exports/"+id+"/cancel", nil); a.status != http.StatusConflict {
		t.Errorf("cancelled when ready: %d", a.status)
	}
	o.browser.get(t, o.inside("/activity")).holds(t, "asked for an export", "fetched an export")
	o.browser.post(t, at+"/"+id+"/remove", "idempotency_key", "gone").went(t)
	if a := o.program.call(t, "GET", "/v1/exports/"+id, nil); a.status != http.StatusNotFound {
		t.Errorf("deleted: %d", a.status)
	}
	for _, body := range []map[string]any{{"holds": "secrets"}, {"holds": "ledger", "format": "zip"}} {
		if a := o.program.call(t, "POST", "/v1/exports", body); a.status != http.StatusUnprocessableEntity {
			t.Errorf("%v: %d %s", body, a.status, a.body)
		}
	}
}

// Whoever may export, but not what is in an export, neither asks for it nor fetches it.
func TestExports_take_the_right_to_what_is_in_them(t *testing.T) {
	t.Parallel()
	h := open(t)
	o := h.signUp(t)
	role := o.program.made(t, "/v1/roles", map[string]any{"name": "Shelf", "rights": []string{"exports:read", "exports:create", "products:export"}})
	member, _ := h.invitedAs(t, o, "own:"+role)
	at := member.inside("/settings/exports")
	id := o.program.made(t, "/v1/exports", map[string]any{"holds": "customers"})
	o.makeExport(t, id)
	if a := member.browser.get(t, at+"/"+id+"/file"); a.status != http.StatusForbidden {
		t.Errorf("fetched: %d", a.status)
	}
	if a := member.browser.post(t, at, "idempotency_key", "no", "holds", "customers", "format", "csv"); a.status != http.StatusForbidden {
		t.Errorf("asked for: %d", a.status)
	}
	member.browser.post(t, at, "idempotency_key", "yes", "holds", "products", "format", "csv").went(t)
	if page := string(member.browser.get(t, at).body); strings.Contains(page, `value="customers"`) || !strings.Contains(page, `value="products"`) {
		t.Errorf("what they may ask for:\n%s", page)
	}
}
