package web_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/countinghouse/countinghouse/tenant/tenanttest"
)

// kept is what the editor's script is told.
type kept struct {
	Say, Key, Action, Paper string
	Version                 int
	Stop                    bool
}

// keep sends a draft as the editor's script does.
func (o owner) keep(t testing.TB, at string, pairs ...string) (k kept) {
	t.Helper()
	a := o.browser.post(t, at, append(pairs, "action", "keep")...)
	if a.status != http.StatusOK || !strings.HasPrefix(a.header.Get("Content-Type"), "application/json") {
		t.Fatalf("%d %s", a.status, a.body)
	}
	if err := json.Unmarshal(a.body, &k); err != nil {
		t.Fatal(err)
	}
	return k
}

func TestADraftKeepsItself(t *testing.T) {
	t.Parallel()
	h := open(t)
	o := h.signUp(t)
	customer := o.made(t, "/v1/customers", map[string]any{"name": "Ada"})
	o.browser.get(t, o.path("/invoices/new")).holds(t, "data-keeps", `src="/static/editor.`)
	written := func(what, price string, more ...string) []string {
		return append([]string{"customer_id", customer, "currency", "EUR", "issue_date", "2026-03-01", "lines[0].description", what,
			"lines[0].quantity", "1", "lines[0].unit_price", price}, more...)
	}

	half := o.keep(t, o.path("/invoices"), written("Work", "1,2,3", "idempotency_key", tenanttest.Random(8))...)
	if half.Version != 0 || half.Stop || !strings.HasPrefix(half.Say, "Not saved yet. Line 1, unit price: ") {
		t.Fatalf("what cannot be read: %+v", half)
	}
	o.browser.get(t, o.path("/invoices")).holds(t, "No invoices yet")

	key := tenanttest.Random(8)
	first := o.keep(t, o.path("/invoices"), written("Work", "100", "idempotency_key", key)...)
	if first.Version != 1 || first.Say != "Draft saved" || first.Paper != first.Action+"/pdf" || !strings.HasPrefix(first.Action, o.path("/invoices/")) {
		t.Fatalf("a new draft: %+v", first)
	}
	again := o.keep(t, o.path("/invoices"), written("Work", "100", "idempotency_key", key)...)
	if again.Action != first.Action || again.Version != 1 {
		t.Errorf("sent again for want of an answer it is another: %+v", again)
	}
	second := o.keep(t, first.Action, written("Work", "200", "idempotency_key", first.Key, "version", "1")...)
	if second.Version != 2 || second.Action != first.Action {
		t.Fatalf("the draft anew: %+v", second)
	}
	if lost := o.keep(t, first.Action, written("Work", "200", "idempotency_key", first.Key, "version", "1")...); lost.Version != 2 || lost.Stop {
		t.Errorf("sent again for want of an answer: %+v", lost)
	}

	// Another tab still has the first version.
	late := o.keep(t, first.Action, written("Other work", "300", "idempotency_key", tenanttest.Random(8), "version", "1")...)
	if late.Version != 0 || !late.Stop || !strings.HasPrefix(late.Say, "Not saved. Someone else changed this invoice in the meantime.") {
		t.Fatalf("a late tab: %+v", late)
	}
	o.browser.get(t, first.Action+"/edit").holds(t, `value="200.00"`, `name="version" value="2"`)
	// Its button shows all of it again, and only then, knowing of the other, keeps it.
	a := o.browser.post(t, first.Action, written("Other work", "300", "idempotency_key", tenanttest.Random(8), "version", "1", "action", "save")...)
	if a.status != http.StatusUnprocessableEntity {
		t.Fatalf("%d %s", a.status, a.body)
	}
	a.holds(t, "Someone else changed this invoice in the meantime.", "Other work", `value="300"`, `name="version" value="2"`)

	issued := o.browser.post(t, first.Action, written("Work", "200", "idempotency_key", tenanttest.Random(8), "version", "2", "action", "issue")...)
	if issued.status != http.StatusSeeOther {
		t.Fatalf("%d %s", issued.status, issued.body)
	}
	if over := o.keep(t, first.Action, written("Work", "250", "idempotency_key", tenanttest.Random(8), "version", "2")...); !over.Stop || over.Version != 0 {
		t.Errorf("an issued invoice: %+v", over)
	}
	o.browser.get(t, first.Action).lacks(t, "250.00")
}

// Bills are kept the same way, and have no paper of ours. Who may write drafts and not change them keeps by the button.
func TestADraftIsKeptByWhomMayChangeIt(t *testing.T) {
	t.Parallel()
	h := open(t)
	o := h.signUp(t)
	payee := o.made(t, "/v1/payees", map[string]any{"name": "Atlas", "expense_account_id": o.account(t, "5300")})
	bill := o.keep(t, o.path("/bills"), "customer_id", payee, "currency", "EUR", "issue_date", "2026-03-01", "idempotency_key", "a-bill-of-atlas",
		"lines[0].description", "Paper", "lines[0].quantity", "1", "lines[0].unit_price", "77")
	if bill.Version != 1 || bill.Paper != "" || !strings.HasPrefix(bill.Action, o.path("/bills/")) {
		t.Fatalf("%+v", bill)
	}
	o.browser.get(t, o.path("/recurring-bills/new")).lacks(t, "data-keeps")

	role := o.made(t, "/v1/roles", map[string]any{"name": "Scribe", "rights": []string{"invoices:read", "invoices:create", "customers:read", "products:read"}})
	scribe, _ := h.invitedAs(t, o, "own:"+role)
	page := scribe.browser.get(t, o.path("/invoices/new"))
	page.holds(t, `id="invoice-form"`)
	page.lacks(t, "data-keeps")
}

// A draft's PDF may stand beside its editor, and in no other site's page. Nothing else may stand in any page at all, and
// no other page has another in it.
func TestOnlyADraftOnPaperStandsInAPage(t *testing.T) {
	t.Parallel()
	h := open(t)
	e := h.estate(t)
	drafts := map[string]string{}
	for _, path := range []string{"invoices", "credit-notes", "quotes"} {
		drafts[path] = e.program.made(t, "/v1/"+path, map[string]any{"customer_id": e.ids["customers"],
			"lines": []any{map[string]any{"description": "Work", "quantity": "1", "unit_price": "1"}}})
	}
	framed, framing := 0, 0
	for _, r := range h.Routes() {
		if r.Method != http.MethodGet || r.Person || r.Staff.Module != "" || strings.Contains(r.Path, ":") && !strings.HasPrefix(r.Path, "/o/") {
			continue
		}
		kind := strings.Split(strings.TrimPrefix(r.Path, "/o/:slug/"), "/")[0]
		path := ""
		switch {
		case drafts[kind] != "" && strings.Contains(r.Path, ":id"):
			path = strings.Replace(strings.Replace(r.Path, ":slug", e.slug, 1), ":id", drafts[kind], 1)
		default:
			path = e.path(t, r)
		}
		if strings.Contains(path, ":") {
			continue
		}
		a := e.browser.get(t, path)
		if strings.HasPrefix(r.Path, "/v1/") {
			a = e.program.call(t, "GET", path, nil)
		}
		policy := a.header.Get("Content-Security-Policy")
		paper := drafts[kind] != "" && r.Path == "/o/:slug/"+kind+"/:id/pdf"
		editor := drafts[kind] != "" && (r.Path == "/o/:slug/"+kind+"/new" || r.Path == "/o/:slug/"+kind+"/:id/edit")
		if want := "frame-ancestors 'none'"; paper {
			framed++
			if a.status != http.StatusOK || !strings.Contains(policy, "frame-ancestors 'self'") || strings.Contains(policy, want) {
				t.Errorf("%s: %d %s", path, a.status, policy)
			}
		} else if !strings.Contains(policy, want) {
			t.Errorf("%s may be shown in a page: %s", path, policy)
		}
		if editor {
			framing++
			if a.status != http.StatusOK || !strings.Contains(policy, "; frame-src 'self'") {
				t.Errorf("%s: %d %s", path, a.status, policy)
			}
		} else if strings.Contains(policy, "frame-src") {
			t.Errorf("%s may show others: %s", path, policy)
		}
	}
	if framed != 3 || framing != 6 {
		t.Errorf("%d papers, %d editors", framed, framing)
	}
	nothing := e.browser.get(t, e.owner.path("/invoices/"+e.ids["customers"]+"/pdf"))
	if policy := nothing.header.Get("Content-Security-Policy"); nothing.status != http.StatusNotFound || !strings.Contains(policy, "frame-ancestors 'none'") {
		t.Errorf("no document: %d %s", nothing.status, policy)
	}
}
