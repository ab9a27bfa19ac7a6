package web_test

import (
	"net/http"
	"strings"
	"testing"
)

// A payee, their bill, its payment and what comes of it on every page and in the API that tells of it.
func TestBuyOnThePages(t *testing.T) {
	t.Parallel()
	h := open(t)
	o := h.signUp(t)
	p := o.program
	p.made(t, "/v1/tax-rates", map[string]any{"code": "VAT", "name": "VAT", "percent": "20"})
	cost := o.account(t, "5300")
	at := o.press(t, "/payees/new", "/payees", "name", "Ana Duarte", "company", "Atlas Paper", "expense_account_id", cost, "payment_terms_days", "14").went(t)
	payee := at[strings.LastIndex(at, "/")+1:]
	o.browser.get(t, o.inside("/payees?q=atlas")).holds(t, "Ana Duarte")
	o.browser.get(t, o.inside("/bills/new?payee="+payee)).holds(t, "Atlas Paper, Ana Duarte", "5300 Office and software")

	line := []string{"customer_id", payee, "reference", "A-77", "issue_date", "2026-03-02", "due_date", "", "currency", "EUR", "lines[0].description", "Paper",
		"lines[0].quantity", "2", "lines[0].unit_price", "50", "lines[0].tax_codes", "VAT", "action", "issue"}
	at = o.press(t, "/bills/new", "/bills", line...).went(t)
	bill := at[strings.LastIndex(at, "/")+1:]
	o.browser.get(t, o.inside("/bills/"+bill)).holds(t, "BILL-0001", "Overdue", "A-77", "5300 Office and software", "120.00")
	if a := o.press(t, "/bills/new", "/bills", line...); a.status != http.StatusUnprocessableEntity || !strings.Contains(string(a.body), "BILL-0001 has number A-77 of this payee already") {
		t.Errorf("the same bill again: %d", a.status)
	}

	pay := "/payees/" + payee + "/pay"
	if a := o.press(t, pay, pay, "currency", "EUR", "date", "2026-03-10", "method", "cash", "paid_"+bill, "120.01"); a.status != http.StatusUnprocessableEntity || !strings.Contains(string(a.body), "BILL-0001 has 120.00 EUR open") {
		t.Errorf("more than is open: %d", a.status)
	}
	at = o.press(t, pay, pay, "currency", "EUR", "date", "2026-03-10", "method", "cash", "amount", "110", "paid_"+bill, "100").went(t)
	payment := at[strings.LastIndex(at, "/")+1:]
	o.browser.get(t, o.inside("/bill-payments/"+payment)).holds(t, "10.00", "of it in advance", "BILL-0001")
	o.press(t, "/bill-payments/"+payment, "/bill-payments/"+payment+"/take-back").went(t)
	o.browser.get(t, o.inside("/bills/"+bill)).holds(t, "Taken back", "120.00")

	o.browser.get(t, o.inside("")).holds(t, "Owed by you", "120.00")
	o.browser.get(t, o.inside("/reports/aged-payables")).holds(t, "Ana Duarte", "120.00")
	o.browser.get(t, o.inside("/reports/aged-payables.csv")).holds(t, "Ana Duarte", "120.00")
	o.browser.get(t, o.inside("/reports/taxes?from=2026-03-01&to=2026-03-31")).holds(t, "on bills", "−20.00")
	o.browser.get(t, o.inside("/customers")).holds(t, "No customers yet")
	o.browser.get(t, o.inside("/invoices")).holds(t, "No invoices yet")
	o.browser.get(t, o.inside("/payments")).holds(t, "No payments yet")
	var aged struct {
		Sections []struct {
			Rows []struct {
				Payee   string `json:"payee_id"`
				Amounts []struct{ Amount string }
			}
		}
	}
	p.call(t, "GET", "/v1/reports/aged-payables", nil).decode(t, &aged)
	if rows := aged.Sections[0].Rows; len(rows) != 1 || rows[0].Payee != payee || rows[0].Amounts[6].Amount != "120.00" {
		t.Errorf("the API says %+v", aged)
	}
}

// A payee pays back what is left of a credit and of what was paid in advance, on the pages and by the API.
func TestMoneyBackFromAPayee(t *testing.T) {
	t.Parallel()
	h := open(t)
	o := h.signUp(t)
	payee := o.program.made(t, "/v1/payees", map[string]any{"name": "Atlas", "expense_account_id": o.account(t, "5300")})
	credit := o.program.made(t, "/v1/payee-credits", map[string]any{"payee_id": payee, "issue_date": "2026-03-02", "lines": []any{map[string]any{"description": "Paper", "quantity": "1", "unit_price": "90"}}})
	if a := o.program.call(t, "POST", "/v1/payee-credits/"+credit+"/enter", nil); a.status != http.StatusOK {
		t.Fatalf("enter: %d %s", a.status, a.body)
	}
	on := "/payee-credits/" + credit
	o.browser.get(t, o.inside(on)).holds(t, "Money back", "Record what came back")
	if a := o.press(t, on, on+"/money-back", "what", "give-back", "amount", "90.01", "date", "2026-03-05", "method", "cash"); a.status != http.StatusUnprocessableEntity || strings.Count(string(a.body), "90.00 EUR is left.") != 2 { // above its form and at the field, and nowhere else
		t.Errorf("more than is left: %d %s", a.status, a.body)
	}
	at := o.press(t, on, on+"/money-back", "what", "give-back", "amount", "30", "date", "2026-03-05", "method", "cash").went(t)
	o.browser.get(t, at).holds(t, "Money back from Atlas", "of their credit", "30.00")
	o.browser.get(t, o.inside(on)).holds(t, "60.00", `href="`+at+`"`)
	o.browser.get(t, o.inside("/bill-payments")).holds(t, "money back")
	o.press(t, strings.TrimPrefix(at, o.inside("")), strings.TrimPrefix(at, o.inside(""))+"/take-back").went(t)
	o.browser.get(t, o.inside(on)).holds(t, "Money back, undone", "90.00")

	payment := o.program.made(t, "/v1/bill-payments", map[string]any{"payee_id": payee, "method": "cash", "amount": map[string]string{"amount": "50.00", "currency": "EUR"}})
	var back struct {
		RefundOf string `json:"refund_of"`
		Amount   struct{ Amount string }
	}
	made := o.program.made(t, "/v1/bill-payments/"+payment+"/money-back", map[string]any{"method": "cash"})
	o.program.call(t, "GET", "/v1/bill-payments/"+made, nil).decode(t, &back)
	if back.RefundOf != payment || back.Amount.Amount != "-50.00" {
		t.Errorf("it is %+v", back)
	}
	o.browser.get(t, o.inside("/bill-payments/"+payment)).holds(t, "50.00 of it came back")
	if a := o.program.call(t, "POST", "/v1/bill-payments/"+payment+"/money-back", map[string]any{"method": "cash"}); a.status != http.StatusConflict || !strings.Contains(string(a.body), "bill_payment.nothing_left") {
		t.Errorf("once more: %d %s", a.status, a.body)
	}
}

// account is the id of an account of the chart.
func (o owner) account(t *testing.T, code string) string {
	t.Helper()
	var all struct{ Items []struct{ ID, Code string } }
	o.program.call(t, "GET", "/v1/accounts", nil).decode(t, &all)
	for _, a := range all.Items {
		if a.Code == code {
			return a.ID
		}
	}
	t.Fatalf("there is no account %s", code)
	return ""
}

// An expense is entered and paid in one go, with its receipt; the receipt goes with bills and with nothing else.
func TestExpenseWithReceipt(t *testing.T) {
	t.Parallel()
	h := open(t)
	o := h.signUp(t)
	key := formKey.FindStringSubmatch(o.rendered(t, "/expenses/new"))[1]
	q := uploadOf(t, o.inside("/expenses/files"), "taxi.txt", []byte("18.50, thank you"), "idempotency_key", key, "date", "2026-03-02", "currency", "EUR", "amount", "18.50",
		"description", "To the airport", "account_id", o.account(t, "5400"), "new_payee", "Taxi Rossio", "method", "cash", "paid_from", o.account(t, "1000"))
	at := o.browser.do(t, q).went(t)
	bill := at[strings.LastIndex(at, "/")+1:]
	o.browser.get(t, at).holds(t, "Paid in full", "Taxi Rossio", "taxi.txt", "5400 Travel")
	var files struct{ Items []struct{ ID string } }
	o.program.call(t, "GET", "/v1/bills/"+bill+"/files", nil).decode(t, &files)
	o.browser.get(t, at+"/files/"+files.Items[0].ID).holds(t, "18.50, thank you")
	for _, path := range []string{"/v1/invoices/", "/v1/payee-credits/"} {
		if a := o.program.call(t, "GET", path+bill+"/files/"+files.Items[0].ID, nil); a.status != http.StatusNotFound {
			t.Errorf("%s hands the receipt of a bill out: %d %s", path, a.status, a.body)
		}
	}
}

// Who may write bills and not approve them cannot enter, pay or void one, nor let a recurring bill enter its own.
func TestWhoWritesBillsDoesNotApproveThem(t *testing.T) {
	t.Parallel()
	h := open(t)
	o := h.signUp(t)
	payee := o.program.made(t, "/v1/payees", map[string]any{"name": "Ana", "expense_account_id": o.account(t, "5300")})
	writer := o
	writer.browser = h.memberWith(t, estate{owner: o}, "bookkeeper")
	fields := []string{"customer_id", payee, "issue_date", "2026-03-02", "currency", "EUR", "lines[0].description", "Paper", "lines[0].quantity", "1", "lines[0].unit_price", "50"}
	if a := writer.press(t, "/bills/new", "/bills", append(fields, "action", "issue")...); a.status != http.StatusForbidden {
		t.Errorf("entering: %d", a.status)
	}
	at := writer.press(t, "/bills/new", "/bills", append(fields, "action", "save")...).went(t)
	for _, act := range []string{"/issue", "/void"} {
		if a := writer.browser.post(t, at+act, "version", "1", "idempotency_key", "w"+act[1:]); a.status != http.StatusForbidden {
			t.Errorf("%s: %d", act, a.status)
		}
	}
	if a := writer.browser.get(t, o.inside("/payees/"+payee+"/pay")); a.status != http.StatusForbidden {
		t.Errorf("paying: %d", a.status)
	}
	repeat := append(fields, "action", "save", "every", "1", "unit", "month")
	if a := writer.press(t, "/recurring-bills/new", "/recurring-bills", append(repeat, "enters", "yes")...); a.status != http.StatusForbidden {
		t.Errorf("a recurring bill that enters: %d", a.status)
	}
	at = writer.press(t, "/recurring-bills/new", "/recurring-bills", repeat...).went(t)
	writer.browser.get(t, at).holds(t, "Every month", "as a draft")
}
