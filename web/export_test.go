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

// The button of each list leads to the export of that list, chosen; who may not export is not shown it.
func TestExportButtonsOfLists(t *testing.T) {
	t.Parallel()
	h := open(t)
	o := h.signUp(t)
	viewer := h.memberWith(t, estate{owner: o}, "viewer")
	for _, list := range []string{"customers", "payees", "products", "journal"} {
		link := o.inside("/settings/exports") + "?holds=" + list
		o.browser.get(t, o.inside("/"+list)).holds(t, `href="`+link+`"`)
		o.browser.get(t, link).holds(t, `<option value="`+list+`" selected>`)
		if a := viewer.get(t, o.inside("/"+list)); a.status != http.StatusOK || strings.Contains(string(a.body), "?holds=") {
			t.Errorf("%s: who only reads is shown the button, with %d", list, a.status)
		}
	}
	o.browser.get(t, o.inside("/settings/exports")).holds(t, `<option value="bills"`, `<option value="credit_notes"`, "What credits settle")
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
	if page := string(o.browser.get(t, at).body); !strings.Contains(page, "Ready") || strings.Contains(page, `hx-trigger="every 2s"`) {
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

func TestEraseCustomerByPageAndAPI(t *testing.T) {
	t.Parallel()
	h := open(t)
	o := h.signUp(t)
	one := o.program.made(t, "/v1/customers", map[string]any{"name": "Zaharias", "email": "zaharias@unmistakable.example"})
	two := o.program.made(t, "/v1/customers", map[string]any{"name": "Kapodistrias"})
	at := o.inside("/customers/" + one)
	o.browser.get(t, at).holds(t, "Personal data")
	o.browser.get(t, at+"/data").holds(t, "Fetch the archive", "6 years", "Erase personal data")
	if a := o.browser.get(t, at+"/data.zip"); a.status != http.StatusOK || !strings.HasPrefix(string(a.body), "PK") {
		t.Errorf("the archive: %d", a.status)
	}
	o.browser.post(t, o.inside("/settings/keeping"), "idempotency_key", "years", "keep_years", "7").went(t)
	if a := o.browser.post(t, o.inside("/settings/keeping"), "idempotency_key", "ages", "keep_years", "77"); a.status != http.StatusUnprocessableEntity {
		t.Errorf("77 years: %d", a.status)
	}
	o.browser.get(t, at+"/data").holds(t, "7 years")
	o.browser.post(t, at+"/erase", "idempotency_key", "erase").went(t)
	if page := string(o.browser.get(t, at+"/data").body); !strings.Contains(page, "Nothing is left to go") || strings.Contains(page, "Zaharias") {
		t.Errorf("after it the page is\n%s", page)
	}
	if a := o.browser.post(t, at+"/erase", "idempotency_key", "again"); a.status != http.StatusUnprocessableEntity || !strings.Contains(string(a.body), "erased already") {
		t.Errorf("again: %d", a.status)
	}
	if a := o.program.call(t, "POST", "/v1/customers/"+two+"/erase", map[string]any{}); a.status != http.StatusOK || !strings.Contains(string(a.body), `"erased":true`) {
		t.Errorf("by the API: %d %s", a.status, a.body)
	}
	if a := o.program.call(t, "GET", "/v1/customers/"+two+"/data", nil); a.status != http.StatusOK || strings.Contains(string(a.body), "Kapodistrias") {
		t.Errorf("by the API, the data: %d %s", a.status, a.body)
	}
	sales, _ := h.invitedAs(t, o, "viewer")
	if a := sales.browser.post(t, sales.inside("/customers/"+two+"/erase"), "idempotency_key", "no"); a.status != http.StatusForbidden {
		t.Errorf("by a viewer: %d", a.status)
	}
}
