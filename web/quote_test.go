package web_test

import (
	"net/http"
	"regexp"
	"strings"
	"testing"
)

var offerLink = regexp.MustCompile(regexp.QuoteMeta(origin) + `(/quote/[^<"\s]+)`)

// The customer accepts by the link, signs with a name, and the quote becomes an invoice once.
func TestQuoteFromDraftToInvoice(t *testing.T) {
	t.Parallel()
	h := open(t)
	o := h.signUp(t)
	customer := o.program.made(t, "/v1/customers", map[string]any{"name": "Ada", "email": "ada@tidewater.example"})
	quote := o.program.made(t, "/v1/quotes", map[string]any{"customer_id": customer, "lines": []any{
		map[string]any{"description": "Mixing", "quantity": "3", "unit_price": "33.33"}}})
	if a := o.press(t, "/quotes/"+quote, "/quotes/"+quote+"/issue"); a.status != http.StatusSeeOther {
		t.Fatalf("issue: %d %s", a.status, a.body)
	}
	a := o.press(t, "/quotes/"+quote, "/quotes/"+quote+"/link")
	found := offerLink.FindSubmatch(a.body)
	if a.status != http.StatusCreated || found == nil {
		t.Fatalf("link: %d %s", a.status, a.body)
	}
	link, stranger := string(found[1]), h.browser()
	a = stranger.get(t, link)
	if html := string(a.body); a.status != http.StatusOK || !strings.Contains(html, "99.99") || !strings.Contains(html, "QUO-0001") || strings.Contains(html, "ada@tidewater.example") {
		t.Fatalf("the customer sees %d %s", a.status, html)
	}
	if a = stranger.post(t, link+"/accept", "name", " "); a.status != http.StatusUnprocessableEntity || !strings.Contains(string(a.body), `id="f-name"`) {
		t.Fatalf("without a name: %d %s", a.status, a.body)
	}
	if a = stranger.post(t, link+"/accept", "name", "Ada <b>Lovelace</b>"); a.status != http.StatusSeeOther {
		t.Fatalf("accept: %d %s", a.status, a.body)
	}
	if a = stranger.post(t, link+"/decline"); a.status != http.StatusUnprocessableEntity || !strings.Contains(string(a.body), "accepted or declined already") {
		t.Fatalf("declining after: %d %s", a.status, a.body)
	}
	if html := o.rendered(t, "/quotes/"+quote); !strings.Contains(html, "Ada &lt;b&gt;Lovelace") {
		t.Error("the page does not say who accepted")
	}
	if a = o.press(t, "/quotes/"+quote, "/quotes/"+quote+"/invoice"); a.status != http.StatusSeeOther || !strings.Contains(a.header.Get("Location"), "/invoices/") {
		t.Fatalf("invoice: %d %s", a.status, a.body)
	}
	invoice := a.header.Get("Location")
	if html := string(o.browser.get(t, invoice).body); !strings.Contains(html, "99.99") || !strings.Contains(html, "From QUO-0001") {
		t.Error("the invoice does not say where it comes from")
	}
	if a := o.program.call(t, "POST", "/v1/quotes/"+quote+"/invoice", nil); a.status != http.StatusConflict || a.problem(t).Code != "quote.invoiced" {
		t.Errorf("once more: %d %s", a.status, a.body)
	}
	if html := o.rendered(t, "/quotes?standing=invoiced"); !strings.Contains(html, "QUO-0001") {
		t.Error("it is not on the list of those that were invoiced")
	}
	if text := pdfText(t, o.program.call(t, "GET", "/v1/quotes/"+quote+"/pdf", nil).body); !strings.Contains(text, "Quote") || !strings.Contains(text, "Valid until") {
		t.Errorf("the paper says\n%s", text)
	}
}

// A link opens what it was made for and nothing else, and one that was tampered with opens nothing.
func TestQuoteLinkOpensNothingElse(t *testing.T) {
	t.Parallel()
	h := open(t)
	o := h.signUp(t)
	customer := o.program.made(t, "/v1/customers", map[string]any{"name": "Ada"})
	quote := o.program.made(t, "/v1/quotes", map[string]any{"customer_id": customer, "lines": []any{
		map[string]any{"description": "Mixing", "quantity": "1", "unit_price": "1"}}})
	if a := o.program.call(t, "POST", "/v1/quotes/"+quote+"/link", nil); a.status != http.StatusConflict {
		t.Errorf("a link to a draft: %d %s", a.status, a.body)
	}
	if a := o.program.call(t, "POST", "/v1/quotes/"+quote+"/issue", nil); a.status != http.StatusOK {
		t.Fatalf("issue: %d %s", a.status, a.body)
	}
	var link struct{ URL string }
	o.program.call(t, "POST", "/v1/quotes/"+quote+"/link", nil).decode(t, &link)
	path := strings.TrimPrefix(link.URL, origin)
	forged := []byte(path)
	forged[len("/quote/")+3] ^= 1
	pay := o.link(t, "/invoices/"+o.issuedFor(t, customer, "1")+"/link")
	for _, wrong := range []string{string(forged), path + "x", strings.Replace(path, "/quote/", "/pay/", 1), strings.Replace(pay, "/pay/", "/quote/", 1)} {
		for _, a := range []answer{h.browser().get(t, wrong), h.browser().post(t, wrong+"/accept", "name", "Eve")} {
			if a.status != http.StatusNotFound {
				t.Errorf("%s answers %d", wrong, a.status)
			}
		}
	}
}
