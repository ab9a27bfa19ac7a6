package web_test

import (
	"encoding/csv"
	"net/http"
	"strings"
	"testing"

	"github.com/countinghouse/countinghouse/tenant/tenanttest"
)

// listed is an organization with drafts over 10, 20 and 30 for Ada, and one that was issued for Ben over 100.
func (h *house) listed(t testing.TB) (o owner, drafts []string, issued string) {
	t.Helper()
	o = h.signUp(t)
	draft := func(customer, price, day string) string {
		return o.made(t, "/v1/invoices", map[string]any{"customer_id": customer, "issue_date": day, "due_date": day,
			"lines": []any{map[string]any{"description": "Work", "quantity": "1", "unit_price": price}}})
	}
	ada := o.made(t, "/v1/customers", map[string]any{"name": "Ada =1+1", "email": "ada@example.com"})
	ben := o.made(t, "/v1/customers", map[string]any{"name": "Ben", "email": "ben@example.com"})
	for _, price := range []string{"10", "20", "30"} {
		drafts = append(drafts, draft(ada, price, "2026-02-03"))
	}
	issued = draft(ben, "100", "2025-03-04")
	if a := o.call(t, "POST", "/v1/invoices/"+issued+"/issue", nil); a.status != http.StatusOK {
		t.Fatalf("issue: %d %s", a.status, a.body)
	}
	return o, drafts, issued
}

func TestInvoiceListTellsWhatItComesTo(t *testing.T) {
	t.Parallel()
	h := open(t)
	o, _, issued := h.listed(t)
	a := o.browser.get(t, o.path("/invoices"))
	a.holds(t, "4 invoices", "without drafts and void ones in the sum", `<span class="sum">100.00</span>`, "Export 4 rows", `form="chosen"`)
	a = o.browser.get(t, o.path("/invoices?from=2025-03-01&to=2025-03-31"))
	a.holds(t, "1 invoice", "Export these 1 row", o.path("/invoices/"+issued), "2025-03-01 to 2025-03-31", `name="from" value="2025-03-01"`)
	a.lacks(t, "Ada")
	o.browser.get(t, o.path("/invoices?from=2024-01-01&to=2024-12-31")).holds(t, "None of these")
	o.browser.get(t, o.path("/invoices?period=last-year&standing=draft")).holds(t, `period=last-year`, `chip chip-on`, `standing=draft`)
	for _, wrong := range []string{"?period=ever", "?from=yesterday", "?standing=lost"} {
		if a := o.browser.get(t, o.path("/invoices"+wrong)); a.status != http.StatusUnprocessableEntity {
			t.Errorf("%s: %d", wrong, a.status)
		}
	}
	for _, list := range []string{"/quotes", "/credit-notes", "/bills"} {
		if a := o.browser.get(t, o.path(list+"?period=this-year&q=x")); a.status != http.StatusOK || !strings.Contains(string(a.body), "chip chip-on") {
			t.Errorf("%s by its days: %d", list, a.status)
		}
	}
}

// The file holds what the list shows, no more and no less, and no cell that a spreadsheet works out.
func TestInvoicesOfTheListAsAFile(t *testing.T) {
	t.Parallel()
	h := open(t)
	o, _, _ := h.listed(t)
	rows := func(query string) [][]string {
		a := o.browser.get(t, o.path("/invoices.csv"+query))
		if a.status != http.StatusOK || !strings.Contains(a.header.Get("Content-Disposition"), "invoices.csv") {
			t.Fatalf("%s: %d %s", query, a.status, a.body)
		}
		all, err := csv.NewReader(strings.NewReader(string(a.body))).ReadAll()
		if err != nil {
			t.Fatal(err)
		}
		return all[1:]
	}
	if got := rows(""); len(got) != 4 || got[0][0] != "INV-0001" || got[0][2] != "Ben" || got[0][11] != "100.00" || got[1][1] != "draft" {
		t.Errorf("all: %q", got)
	}
	if got := rows("?standing=draft&q=ada"); len(got) != 3 || got[2][11] != "10.00" {
		t.Errorf("Ada's drafts: %q", got)
	}
	if got := rows("?q=ben&from=2026-01-01"); len(got) != 0 {
		t.Errorf("of Ben since 2026: %q", got)
	}
	o.browser.get(t, o.path("/activity?group=sales")).holds(t, "invoices.csv")
	viewer, _ := h.invitedAs(t, o, "viewer")
	if a := viewer.browser.get(t, o.path("/invoices.csv")); a.status != http.StatusForbidden {
		t.Errorf("a viewer takes the file: %d", a.status)
	}
	viewer.browser.get(t, o.path("/invoices")).lacks(t, "invoices.csv", `name="chosen"`, "Void the ticked")
}

func TestWhatIsDoneWithTickedInvoices(t *testing.T) {
	t.Parallel()
	h := open(t)
	o, drafts, issued := h.listed(t)
	at := o.path("/invoices/chosen?standing=draft")
	do := func(act string, chosen ...string) answer {
		pairs := []string{"idempotency_key", tenanttest.Random(8), "act", act}
		for _, c := range chosen {
			pairs = append(pairs, "chosen", c)
		}
		return o.browser.post(t, at, pairs...)
	}
	state := func(invoice string) string {
		var i struct{ State string }
		o.call(t, "GET", "/v1/invoices/"+invoice, nil).decode(t, &i)
		return i.State
	}
	do("issue").holds(t, "Tick the invoices first")
	do("burn", drafts[0]).holds(t, "This list cannot do that")
	// One of them cannot be issued: none is, and it is said which.
	a := do("issue", drafts[0], drafts[1], issued)
	if a.status != http.StatusConflict && a.status != http.StatusUnprocessableEntity || state(drafts[0]) != "draft" {
		t.Errorf("with one that is issued already: %d, %s", a.status, state(drafts[0]))
	}
	a.holds(t, "Nothing was done, because of INV-0001")
	wantRedirect(t, "issuing two", do("issue", drafts[0], drafts[1]), o.path("/invoices?standing=draft"))
	if state(drafts[0]) != "issued" || state(drafts[1]) != "issued" || state(drafts[2]) != "draft" {
		t.Errorf("issued two: %s, %s, %s", state(drafts[0]), state(drafts[1]), state(drafts[2]))
	}
	o.browser.get(t, o.path("/invoices")).holds(t, "Issued 2 invoices")
	wantRedirect(t, "mailing", do("mail", drafts[0], issued), o.path("/invoices?standing=draft"))
	wantRedirect(t, "voiding", do("void", drafts[1]), o.path("/invoices?standing=draft"))
	if state(drafts[1]) != "void" {
		t.Errorf("voided: %s", state(drafts[1]))
	}
	other := h.signUp(t)
	if a := other.browser.post(t, other.path("/invoices/chosen"), "idempotency_key", "theirs", "act", "void", "chosen", issued); a.status != http.StatusNotFound || state(issued) != "issued" {
		t.Errorf("another's invoice: %d, %s", a.status, state(issued))
	}
	clerk, _ := h.invitedAs(t, o, "viewer")
	if a := clerk.browser.post(t, at, "idempotency_key", "mine", "act", "void", "chosen", issued); a.status != http.StatusForbidden {
		t.Errorf("a viewer: %d", a.status)
	}
}

func TestPaymentListIsSearched(t *testing.T) {
	t.Parallel()
	h := open(t)
	o, _, issued := h.listed(t)
	payment := o.made(t, "/v1/payments", map[string]any{"invoice_id": issued, "method": "cash", "date": "2025-04-05", "reference": "Slip 55",
		"amount": map[string]string{"amount": "20.00", "currency": "EUR"}})
	row := o.path("/payments/" + payment)
	for _, query := range []string{"", "?q=slip", "?q=inv-0001", "?q=BEN", "?from=2025-04-05&to=2025-04-05", "?q=ben&from=2025-04-01"} {
		o.browser.get(t, o.path("/payments"+query)).holds(t, row)
	}
	for query, say := range map[string]string{"?q=ada": "No match", "?to=2025-04-04": "None on these days", "?from=2025-04-06": "None on these days"} {
		a := o.browser.get(t, o.path("/payments"+query))
		a.holds(t, say)
		a.lacks(t, row)
	}
	h.signUp(t).browser.get(t, o.path("/payments?q=slip")).lacks(t, row)
	nadia, _ := h.visitor(t, o, true, "payments:read")
	nadia.get(t, o.path("/payments?q=ben")).lacks(t, row)
	nadia.get(t, o.path("/payments?q=slip")).holds(t, row)
}
