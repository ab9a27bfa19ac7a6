package web_test

import (
	"net/http"
	"strings"
	"testing"
)

// A payment that is spread over a customer's invoices on their page, the rest of which is applied to another invoice on
// its page, taken off again and given back: at each step pages, JSON and the statement agree.
func TestPaymentOverSeveralInvoicesOnItsPages(t *testing.T) {
	t.Parallel()
	h := open(t)
	o := h.signUp(t)
	customer := o.program.made(t, "/v1/customers", map[string]any{"name": "Ada"})
	one, two := o.issuedFor(t, customer, "25.25"), o.issuedFor(t, customer, "10") // 101.00 and 40.00
	form := "/customers/" + customer + "/payment"
	lines := []string{"currency", "EUR", "method", "cash", "lines[0].invoice_id", one, "lines[1].invoice_id", two}
	a := o.press(t, form, form, append(lines, "amount", "120", "action", "spread")...)
	html := string(a.body)
	if a.status != http.StatusOK || !strings.Contains(html, ">INV-0001</a>") || !strings.Contains(html, `value="101.00"`) || !strings.Contains(html, `value="19.00"`) {
		t.Fatalf("spreading 120 gives %d %s", a.status, a.body)
	}
	a = o.press(t, form, form, append(lines, "amount", "120", "action", "record", "lines[0].amount", "101.00", "lines[1].amount", "40.01")...)
	if html = string(a.body); a.status != http.StatusUnprocessableEntity || !strings.Contains(html, "The invoices get 141.01 EUR and 120.00 EUR came in") {
		t.Fatalf("more than came in: %d %s", a.status, a.body)
	}
	a = o.press(t, form, form, append(lines, "amount", "150", "action", "record", "lines[0].amount", "101.00", "lines[1].amount", "40.01")...)
	if html = string(a.body); a.status != http.StatusUnprocessableEntity || !strings.Contains(html, "has 40.00 EUR open") || !strings.Contains(html, `href="#f-lines-1--amount"`) && !strings.Contains(html, "lines[1].amount") {
		t.Fatalf("more than is open: %d %s", a.status, a.body)
	}
	a = o.press(t, form, form, append(lines, "amount", "150", "action", "record", "lines[0].amount", "101.00", "lines[1].amount", "40.00")...)
	if a.status != http.StatusSeeOther {
		t.Fatalf("recording: %d %s", a.status, a.body)
	}
	payment := a.header.Get("Location")[strings.LastIndex(a.header.Get("Location"), "/")+1:]
	var view struct {
		Left    struct{ Amount string }
		Settles []struct {
			ID     string
			Amount struct{ Amount string }
		}
	}
	read := func() {
		t.Helper()
		o.program.call(t, "GET", "/v1/payments/"+payment, nil).decode(t, &view)
	}
	if read(); view.Left.Amount != "9.00" || len(view.Settles) != 2 || view.Settles[0].Amount.Amount != "101.00" {
		t.Errorf("kept as %+v", view)
	}
	if html := o.rendered(t, "/payments"); !strings.Contains(html, "INV-0001, INV-0002") {
		t.Error("the list of payments does not name both invoices")
	}
	if html := o.rendered(t, "/customers/"+customer); !strings.Contains(html, "/payments/"+payment) || !strings.Contains(html, "€9.00") {
		t.Errorf("the customer's page does not show the credit: %s", html)
	}
	three := o.issuedFor(t, customer, "1.25") // 5.00
	if a := o.press(t, "/invoices/"+three, "/invoices/"+three+"/apply", "payment_id", payment); a.status != http.StatusSeeOther {
		t.Fatalf("applying on the invoice: %d %s", a.status, a.body)
	}
	if read(); view.Left.Amount != "4.00" || len(view.Settles) != 3 {
		t.Errorf("applied it is %+v", view)
	}
	if a := o.press(t, "/payments/"+payment, "/payments/"+payment+"/unapply", "invoice_id", one); a.status != http.StatusSeeOther {
		t.Fatalf("taking off: %d %s", a.status, a.body)
	}
	if a := o.press(t, "/payments/"+payment, "/payments/"+payment+"/apply", "invoice_id", one, "amount", "106"); a.status != http.StatusUnprocessableEntity || !strings.Contains(string(a.body), "takes at most 101.00 EUR") {
		t.Fatalf("applying too much: %d %s", a.status, a.body)
	}
	if a := o.press(t, "/payments/"+payment, "/payments/"+payment+"/apply", "invoice_id", one, "amount", "95"); a.status != http.StatusSeeOther {
		t.Fatalf("applying: %d %s", a.status, a.body)
	}
	back := "/payments/" + payment + "/give-back"
	if a := o.press(t, "/payments/"+payment, back, "what", "give-back", "amount", "150.01", "method", "cash"); a.status != http.StatusUnprocessableEntity || !strings.Contains(string(a.body), "150.00 EUR of this payment is left") {
		t.Fatalf("giving back too much: %d %s", a.status, a.body)
	}
	if a := o.press(t, "/payments/"+payment, back, "what", "give-back", "amount", "10", "method", "cash"); a.status != http.StatusSeeOther {
		t.Fatalf("giving back: %d %s", a.status, a.body)
	}
	if read(); view.Left.Amount != "0.00" {
		t.Errorf("after giving back the credit it is %+v", view)
	}
	var credits struct{ Items []struct{} }
	o.program.call(t, "GET", "/v1/customers/"+customer+"/credits", nil).decode(t, &credits)
	if len(credits.Items) != 0 {
		t.Errorf("the customer still has %d credits", len(credits.Items))
	}
	// 146.00 were invoiced, 150.00 came in, 10.00 went back.
	if balances := string(o.program.call(t, "GET", "/v1/reports/customer-balances", nil).body); !strings.Contains(balances, `"6.00"`) {
		t.Errorf("owed: %s", balances)
	}
}

// A program records a deposit and a payment over two invoices, and pays a credit note out.
func TestPaymentsOfAProgram(t *testing.T) {
	t.Parallel()
	h := open(t)
	o := h.signUp(t)
	customer := o.program.made(t, "/v1/customers", map[string]any{"name": "Ada"})
	one, two := o.issuedFor(t, customer, "25.25"), o.issuedFor(t, customer, "10")
	eur := func(amount string) map[string]string { return map[string]string{"amount": amount, "currency": "EUR"} }
	allocation := func(invoice, amount string) map[string]any {
		return map[string]any{"invoice_id": invoice, "amount": eur(amount)}
	}
	a := o.program.call(t, "POST", "/v1/payments", map[string]any{"amount": eur("141.00"), "method": "cash", "allocations": []any{allocation(one, "101.00"), allocation(two, "40.01")}})
	if a.status != http.StatusUnprocessableEntity || !strings.Contains(string(a.body), "payment.allocated_too_much") {
		t.Fatalf("%d %s", a.status, a.body)
	}
	o.program.made(t, "/v1/payments", map[string]any{"amount": eur("141.00"), "method": "cash", "allocations": []any{allocation(one, "101.00"), allocation(two, "40.00")}})
	deposit := o.program.made(t, "/v1/payments", map[string]any{"amount": eur("7.00"), "method": "cash", "customer_id": customer})
	if a := o.program.call(t, "POST", "/v1/payments/"+deposit+"/apply", map[string]any{"invoice_id": one}); a.status != http.StatusConflict || !strings.Contains(string(a.body), "invoice.paid") {
		t.Errorf("applied to what is paid: %d %s", a.status, a.body)
	}
	a = o.program.call(t, "POST", "/v1/invoices/"+two+"/credit", map[string]any{})
	if a.status != http.StatusCreated {
		t.Fatalf("%d %s", a.status, a.body)
	}
	var note struct{ ID string }
	a.decode(t, &note)
	if a := o.program.call(t, "POST", "/v1/credit-notes/"+note.ID+"/give-back", map[string]any{"amount": eur("40.01"), "method": "cash"}); a.status != http.StatusUnprocessableEntity || !strings.Contains(string(a.body), "40.00 EUR of CN-0001 is left") {
		t.Errorf("more than is left: %d %s", a.status, a.body)
	}
	o.program.made(t, "/v1/credit-notes/"+note.ID+"/give-back", map[string]any{"amount": eur("40.00"), "method": "cash"})
	if html := o.rendered(t, "/credit-notes/"+note.ID); !strings.Contains(html, "Given back") {
		t.Error("the credit note does not show that it was paid out")
	}
	if balances := string(o.program.call(t, "GET", "/v1/reports/customer-balances", nil).body); !strings.Contains(balances, `"-7.00"`) {
		t.Errorf("owed: %s", balances)
	}
}
