package web_test

import (
	"net/http"
	"regexp"
	"strings"
	"testing"
)

// rendered is a page, or the end of the test.
func (o owner) rendered(t *testing.T, path string) string {
	t.Helper()
	a := o.browser.get(t, o.inside(path))
	if a.status != http.StatusOK {
		t.Fatalf("%s: %d %s", path, a.status, a.body)
	}
	return string(a.body)
}

var formKey = regexp.MustCompile(`name="idempotency_key" value="([^"]+)"`)

// press sends the form of a page whose address ends so, as its button does, and gives where it leads.
func (o owner) press(t *testing.T, page, to string, pairs ...string) answer {
	t.Helper()
	html := o.rendered(t, page)
	form := ""
	for rest := html; !formKey.MatchString(form); { // the first of them may only look something up
		at := strings.Index(rest, `action="`+o.inside(to)+`"`)
		if at < 0 {
			t.Fatalf("%s has no form to %s", page, to)
		}
		rest = rest[at+1:]
		form = rest[:strings.Index(rest, "</form>")]
	}
	pairs = append(pairs, "idempotency_key", formKey.FindStringSubmatch(form)[1])
	if found := regexp.MustCompile(`name="version" value="(\d+)"`).FindStringSubmatch(form); found != nil {
		pairs = append(pairs, "version", found[1])
	}
	return o.browser.post(t, o.inside(to), pairs...)
}

func (o owner) issuedFor(t *testing.T, customer, price string) string {
	t.Helper()
	invoice := o.program.made(t, "/v1/invoices", map[string]any{"customer_id": customer, "lines": []any{
		map[string]any{"description": "Mixing", "quantity": "4", "unit_price": price}}})
	if a := o.program.call(t, "POST", "/v1/invoices/"+invoice+"/issue", nil); a.status != http.StatusOK {
		t.Fatalf("issue: %d %s", a.status, a.body)
	}
	return invoice
}

// Credited in part on its page, the invoice, the credit note, its paper, its JSON and the books agree.
func TestCreditAnInvoiceOnItsPage(t *testing.T) {
	t.Parallel()
	h := open(t)
	o := h.signUp(t)
	customer := o.program.made(t, "/v1/customers", map[string]any{"name": "Ada"})
	invoice, other := o.issuedFor(t, customer, "25.25"), o.issuedFor(t, customer, "10")
	a := o.press(t, "/invoices/"+invoice+"/credit", "/invoices/"+invoice+"/credit", "lines[0].line", "1", "lines[0].quantity", "5", "issue_date", "")
	if a.status != http.StatusUnprocessableEntity || !strings.Contains(string(a.body), "Of line 1 4 is left to credit") {
		t.Fatalf("more than there is: %d %s", a.status, a.body)
	}
	a = o.press(t, "/invoices/"+invoice+"/credit", "/invoices/"+invoice+"/credit", "lines[0].line", "1", "lines[0].quantity", "1", "note", "One too many")
	if a.status != http.StatusSeeOther {
		t.Fatalf("%d %s", a.status, a.body)
	}
	note := a.header.Get("Location")[strings.LastIndex(a.header.Get("Location"), "/")+1:]
	if html := o.rendered(t, "/invoices/"+invoice); !strings.Contains(html, "CN-0001") || !strings.Contains(html, "75.75") {
		t.Error("the invoice does not show its credit")
	}
	paper := pdfText(t, o.program.call(t, "GET", "/v1/credit-notes/"+note+"/pdf", nil).body)
	for _, want := range []string{"Credit note", "CN-0001", "INV-0001", "25.25", "One too many"} {
		if !strings.Contains(paper, want) {
			t.Errorf("the paper lacks %s:\n%s", want, paper)
		}
	}
	var view struct {
		Standing      string
		InvoiceNumber string `json:"invoice_number"`
		Total, Left   struct{ Amount string }
		Applied       []struct{ Number string }
	}
	o.program.call(t, "GET", "/v1/credit-notes/"+note, nil).decode(t, &view)
	if view.Standing != "used" || view.InvoiceNumber != "INV-0001" || view.Total.Amount != "25.25" || view.Left.Amount != "0.00" || len(view.Applied) != 1 {
		t.Errorf("%+v", view)
	}
	a = o.press(t, "/credit-notes/"+note, "/credit-notes/"+note+"/unapply", "invoice_id", invoice)
	if a.status != http.StatusSeeOther {
		t.Fatalf("taking back: %d %s", a.status, a.body)
	}
	a = o.press(t, "/credit-notes/"+note, "/credit-notes/"+note+"/apply", "invoice_id", other, "amount", "40.01")
	if a.status != http.StatusUnprocessableEntity || !strings.Contains(string(a.body), "at most 25.25 EUR") {
		t.Fatalf("applying too much: %d %s", a.status, a.body)
	}
	if a = o.press(t, "/credit-notes/"+note, "/credit-notes/"+note+"/apply", "invoice_id", other, "amount", "5.25"); a.status != http.StatusSeeOther {
		t.Fatalf("applying: %d %s", a.status, a.body)
	}
	html := o.rendered(t, "/credit-notes/"+note)
	if !strings.Contains(html, "20.00") || !strings.Contains(html, "INV-0002") || strings.Contains(html, "/void") {
		t.Error("the credit note does not show what is left, or can be voided")
	}
	if html := o.rendered(t, "/credit-notes?standing=open"); !strings.Contains(html, "CN-0001") {
		t.Error("it is not on the list of those that are open")
	}
	if balances := string(o.program.call(t, "GET", "/v1/reports/customer-balances", nil).body); !strings.Contains(balances, `"115.75"`) {
		t.Errorf("owed: %s", balances) // 101.00 and 40.00 less 25.25
	}
}

func TestVoidAndWriteOffOnThePage(t *testing.T) {
	t.Parallel()
	h := open(t)
	o := h.signUp(t)
	customer := o.program.made(t, "/v1/customers", map[string]any{"name": "Ada"})
	voided, given := o.issuedFor(t, customer, "1"), o.issuedFor(t, customer, "2")
	if a := o.press(t, "/invoices/"+voided, "/invoices/"+voided+"/void"); a.status != http.StatusSeeOther {
		t.Fatalf("void: %d %s", a.status, a.body)
	}
	html := o.rendered(t, "/invoices/"+voided)
	if !strings.Contains(html, "Void: nothing is owed") || strings.Contains(html, "Record payment") || strings.Contains(html, "Paid in full") {
		t.Error("the page does not say that it is void")
	}
	if a := o.press(t, "/invoices/"+given, "/invoices/"+given+"/write-off"); a.status != http.StatusSeeOther {
		t.Fatalf("write off: %d %s", a.status, a.body)
	}
	if html := o.rendered(t, "/invoices/"+given); !strings.Contains(html, "Written off") || !strings.Contains(html, "Record payment") {
		t.Error("the page does not say that it was written off, or that it can be paid after all")
	}
	for standing, number := range map[string]string{"void": "INV-0001", "written_off": "INV-0002"} {
		if html := o.rendered(t, "/invoices?standing="+standing); !strings.Contains(html, number) {
			t.Errorf("%s is not among those that are %s", number, standing)
		}
	}
	if a := o.program.call(t, "POST", "/v1/invoices/"+given+"/void", nil); a.status != http.StatusConflict {
		t.Errorf("voiding what was written off: %d %s", a.status, a.body)
	}
}
