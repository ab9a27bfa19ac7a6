package web_test

import (
	"encoding/csv"
	"net/http"
	"strings"
	"testing"

	"github.com/countinghouse/countinghouse/tenant/tenanttest"
)

// rows reads a list as a file.
func (b *browser) rows(t testing.TB, path string) (rows [][]string) {
	t.Helper()
	a := b.get(t, path)
	if a.status != http.StatusOK || !strings.HasPrefix(a.header.Get("Content-Type"), "text/csv") {
		t.Fatalf("%s: %d %s", path, a.status, a.body)
	}
	rows, err := csv.NewReader(strings.NewReader(strings.TrimPrefix(string(a.body), "\ufeff"))).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	return rows
}

// Bills are entered, paid and voided several at once, or none of them.
func TestChosenBills(t *testing.T) {
	t.Parallel()
	h := open(t)
	o := h.signUp(t)
	atlas := o.made(t, "/v1/payees", map[string]any{"name": "Atlas", "expense_account_id": o.account(t, "5300")})
	draft := func(price, number string) string {
		return o.made(t, "/v1/bills", map[string]any{"payee_id": atlas, "reference": number, "issue_date": "2026-02-03",
			"lines": []any{map[string]any{"description": "Paper", "quantity": "1", "unit_price": price}}})
	}
	first, second, third := draft("10", "A-1"), draft("20", "A-2"), draft("40", "B-9")
	chosen := func(act string, besides []string, bills ...string) answer {
		t.Helper()
		pairs := append([]string{"idempotency_key", tenanttest.Random(8), "act", act}, besides...)
		for _, bill := range bills {
			pairs = append(pairs, "chosen", bill)
		}
		return o.browser.post(t, o.path("/bills/chosen?q=A-"), pairs...)
	}
	page := o.browser.get(t, o.path("/bills?q=A-"))
	page.holds(t, `form="chosen"`, "Record the ticked bills as paid", "Export these rows", "/bills.csv?q=A-")
	page.lacks(t, "B-9")
	if a := chosen("enter", nil); a.status != http.StatusUnprocessableEntity || !strings.Contains(string(a.body), "Tick the bills first") {
		t.Errorf("nothing ticked: %d", a.status)
	}
	if to := chosen("enter", nil, first, second).went(t); to != o.path("/bills?q=A-") {
		t.Errorf("it leads to %s", to)
	}
	o.browser.get(t, o.path("/bills")).holds(t, "Entered 2 bills")
	// The third is a draft: of the two nothing is paid.
	a := chosen("pay", []string{"method", "bank_transfer", "date", "2026-02-10"}, first, third)
	if a.status != http.StatusUnprocessableEntity || !strings.Contains(string(a.body), "Nothing was done, because of the draft of Atlas") {
		t.Fatalf("paying a draft: %d %s", a.status, a.body)
	}
	o.browser.get(t, o.path("/bill-payments")).holds(t, "Nothing paid yet")
	chosen("pay", []string{"method", "bank_transfer", "date", "2026-02-10"}, first).went(t)
	o.browser.get(t, o.path("/bill-payments?from=2026-02-10&to=2026-02-10")).holds(t, "10.00", "Atlas")
	o.browser.get(t, o.path("/bill-payments?from=2026-02-11&to=2026-02-12")).holds(t, "None on these days")
	chosen("void", nil, second).went(t)
	rows := o.browser.rows(t, o.path("/bills.csv?q=A-"))
	if len(rows) != 3 || strings.Join(rows[1], "|") == strings.Join(rows[2], "|") {
		t.Fatalf("the file: %v", rows)
	}
	states := rows[1][1] + " " + rows[2][1]
	if states != "paid void" && states != "void paid" {
		t.Errorf("they stand %s", states)
	}
	viewer, _ := h.invitedAs(t, o, "own:"+o.made(t, "/v1/roles", map[string]any{"name": "Reader", "rights": []string{"bills:read"}}))
	viewer.browser.get(t, o.path("/bills")).lacks(t, `form="chosen"`, "Export all rows")
}

// The lists of quotes, payments and the journal are narrowed and taken along as they are narrowed.
func TestListsAreNarrowedAndTaken(t *testing.T) {
	t.Parallel()
	h := open(t)
	o := h.signUp(t)
	customer := o.made(t, "/v1/customers", map[string]any{"name": "Ada"})
	lines := []any{map[string]any{"description": "Work", "quantity": "1", "unit_price": "100"}}
	for _, number := range []string{"PO-1", "PO-2"} {
		o.made(t, "/v1/quotes", map[string]any{"customer_id": customer, "purchase_order": number, "lines": lines})
	}
	if rows := o.browser.rows(t, o.path("/quotes.csv?q=PO-2")); len(rows) != 2 || rows[1][4] != "PO-2" {
		t.Errorf("quotes: %v", rows)
	}
	invoice := o.made(t, "/v1/invoices", map[string]any{"customer_id": customer, "issue_date": "2026-03-01", "lines": lines})
	if a := o.call(t, "POST", "/v1/invoices/"+invoice+"/issue", nil); a.status != http.StatusOK {
		t.Fatalf("issue: %d %s", a.status, a.body)
	}
	for _, day := range []string{"2026-03-02", "2026-04-02"} {
		o.made(t, "/v1/payments", map[string]any{"invoice_id": invoice, "method": "cash", "date": day, "reference": "Slip of " + day,
			"amount": map[string]string{"amount": "20.00", "currency": "EUR"}})
	}
	if rows := o.browser.rows(t, o.path("/payments.csv?from=2026-04-01")); len(rows) != 2 || rows[1][0] != "2026-04-02" || rows[1][6] != "20.00" {
		t.Errorf("payments: %v", rows)
	}
	o.browser.get(t, o.path("/payments?from=2026-04-01")).holds(t, "Export these rows")

	journal := func(query string) answer { return o.browser.get(t, o.path("/journal"+query)) }
	journal("").holds(t, "J-0001", "J-0002", "J-0003", "Any day")
	march := journal("?from=2026-03-01&to=2026-03-31")
	march.holds(t, "J-0001", "J-0002")
	march.lacks(t, "J-0003")
	byNumber := journal("?q=j-0003")
	byNumber.holds(t, "J-0003")
	byNumber.lacks(t, "J-0001", "J-0002")
	journal("?q=nothing+of+the+kind").holds(t, "No match")
	journal("?from=2020-01-01&to=2020-01-02").holds(t, "None on these days")
	o.browser.get(t, o.path("/orders?q=nothing")).holds(t, "No match")
}
