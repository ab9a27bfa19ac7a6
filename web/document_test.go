package web_test

import (
	"net/http"
	"strings"
	"testing"
)

// What a document says of itself as a whole stands the same on its page, in its JSON, on paper and in the books.
func TestDocumentAsAWholeIsTheSameEverywhere(t *testing.T) {
	t.Parallel()
	h := open(t)
	o := h.signUp(t)
	p := o.program
	customer := p.made(t, "/v1/customers", map[string]any{"name": "Chloé Petit", "language": "fr", "payment_terms_days": 10, "tax_number": "FR40303265045"})
	p.made(t, "/v1/tax-rates", map[string]any{"code": "TVA", "name": "TVA", "percent": "20"})
	invoice := p.made(t, "/v1/invoices", map[string]any{"customer_id": customer, "purchase_order": "BC-4711", "prices_with_tax": true,
		"discount": "12.34", "issue_date": "2026-03-01", "lines": []any{
			map[string]any{"description": "Conseil", "quantity": "3", "unit_price": "99.99", "taxes": []string{"TVA"}}}})
	// 299.97 less 12.34 is 287.63 to pay, of which 287.63 x 20/120 = 47.9383 is tax.
	var issued struct {
		DueDate       string `json:"due_date"`
		Language      string
		PurchaseOrder string `json:"purchase_order"`
		PricesWithTax bool   `json:"prices_with_tax"`
		Discount      struct{ Amount string }
		Net           struct{ Amount string }
		Tax           struct{ Amount string }
		Total         struct{ Amount string }
	}
	a := p.call(t, "POST", "/v1/invoices/"+invoice+"/issue", nil)
	a.decode(t, &issued)
	if issued.DueDate != "2026-03-11" || issued.Language != "fr" || issued.PurchaseOrder != "BC-4711" || !issued.PricesWithTax ||
		issued.Discount.Amount != "12.34" || issued.Net.Amount != "239.69" || issued.Tax.Amount != "47.94" || issued.Total.Amount != "287.63" {
		t.Fatalf("%s", a.body)
	}
	html := string(o.browser.get(t, o.inside("/invoices/"+invoice)).body)
	for _, want := range []string{"BC-4711", "FR40303265045", "Prices include tax", "299.97", "12.34", "239.69", "47.94", "287.63"} {
		if !strings.Contains(html, want) {
			t.Errorf("the page lacks %s", want)
		}
	}
	paper := pdfText(t, p.call(t, "GET", "/v1/invoices/"+invoice+"/pdf", nil).body)
	for _, want := range []string{"Facture", "BC-4711", "Numéro de taxe FR40303265045", "Les prix comprennent les taxes", "299,97", "-12,34", "239,69", "47,94", "287,63"} {
		if !strings.Contains(paper, want) {
			t.Errorf("the paper lacks %s:\n%s", want, paper)
		}
	}
	journal := string(p.call(t, "GET", "/v1/reports/trial-balance", nil).body)
	for _, want := range []string{`"287.63"`, `"-239.69"`, `"-47.94"`} {
		if !strings.Contains(journal, want) {
			t.Errorf("the books lack %s", want)
		}
	}
}

// The editor comes back with all that it was sent, and what is wrong stands beside it.
func TestEditorOfTheWholeDocument(t *testing.T) {
	t.Parallel()
	h := open(t)
	o := h.signUp(t)
	customer := o.program.made(t, "/v1/customers", map[string]any{"name": "Ada"})
	pairs := []string{"customer_id", customer, "currency", "EUR", "issue_date", "2026-03-01", "purchase_order", "PO 1", "language", "fr",
		"prices_with_tax", "yes", "lines[0].description", "Work", "lines[0].quantity", "1", "lines[0].unit_price", "100", "action", "save", "discount"}
	a := o.browser.post(t, o.inside("/invoices"), append(pairs, "100.01")...)
	html := string(a.body)
	if a.status != http.StatusUnprocessableEntity || !strings.Contains(html, "at most what the lines come to") || !strings.Contains(html, `value="100.01"`) ||
		!strings.Contains(html, `value="PO 1"`) || !strings.Contains(html, `name="prices_with_tax" value="yes" checked`) || !strings.Contains(html, `value="fr" selected`) {
		t.Fatalf("%d %s", a.status, html)
	}
	a = o.browser.post(t, o.inside("/invoices"), append(pairs, "0.01")...)
	if a.status != http.StatusSeeOther {
		t.Fatalf("%d %s", a.status, a.body)
	}
	edit := string(o.browser.get(t, a.header.Get("Location")+"/edit").body)
	for _, want := range []string{`value="0.01"`, `value="PO 1"`, `name="prices_with_tax" value="yes" checked`, `value="fr" selected`} {
		if !strings.Contains(edit, want) {
			t.Errorf("the draft comes back without %s", want)
		}
	}
}
