package web_test

import (
	"net/http"
	"regexp"
	"strings"
	"testing"
)

func TestTaxesByTheAPI(t *testing.T) {
	t.Parallel()
	h := open(t)
	o := h.signUp(t)
	p := o.program
	var ready struct {
		Items []struct {
			Key, Place, Source, AsOf string
			Codes                    []string
		}
	}
	p.call(t, "GET", "/v1/ready-taxes", nil).decode(t, &ready)
	if len(ready.Items) != 42 || ready.Items[0].Key != "eu-at" || ready.Items[0].Source == "" {
		t.Fatalf("%d ready taxes, the first %+v", len(ready.Items), ready.Items[0])
	}
	a := p.call(t, "POST", "/v1/ready-taxes/ca-qc/add", nil)
	if a.status != http.StatusOK || !strings.Contains(string(a.body), `["GST","QST","GST+QST"]`) {
		t.Fatalf("add: %d %s", a.status, a.body)
	}
	if a := p.call(t, "POST", "/v1/ready-taxes/ca-xx/add", nil); a.status != http.StatusNotFound {
		t.Errorf("an unknown entry: %d %s", a.status, a.body)
	}
	rate := p.made(t, "/v1/tax-rates", map[string]any{"code": "VAT", "name": "VAT", "percent": "20", "registration": "SK2020273893"})
	a = p.call(t, "PUT", "/v1/tax-rates/"+rate, map[string]any{"code": "VAT", "name": "VAT", "percent": "23", "since": "2025-01-01"})
	var view struct {
		Percents []struct{ Since, Percent string }
	}
	a.decode(t, &view)
	if a.status != http.StatusOK || len(view.Percents) != 1 || view.Percents[0].Since != "2025-01-01" || view.Percents[0].Percent != "23" {
		t.Errorf("change: %d %s", a.status, a.body)
	}
	customer := p.made(t, "/v1/customers", map[string]any{"name": "Hugh"})
	for day, want := range map[string]string{"2024-12-31": `"tax":{"amount":"20.00"`, "2025-01-01": `"tax":{"amount":"23.00"`} {
		invoice := p.made(t, "/v1/invoices", map[string]any{"customer_id": customer, "issue_date": day, "due_date": "2025-03-01",
			"lines": []any{map[string]any{"description": "Work", "quantity": "1", "unit_price": "100", "taxes": []string{"VAT"}}}})
		if a := p.call(t, "GET", "/v1/invoices/"+invoice, nil); !strings.Contains(string(a.body), want) {
			t.Errorf("dated %s: %s", day, a.body)
		}
	}
	if a := p.call(t, "POST", "/v1/tax-rates/"+rate+"/percents/2025-01-01/drop", nil); a.status != http.StatusOK || !strings.Contains(string(a.body), `"percents":[]`) {
		t.Errorf("drop: %d %s", a.status, a.body)
	}
	if a := p.call(t, "POST", "/v1/tax-rates/"+rate+"/percents/2025-01-01/drop", nil); a.status != http.StatusNotFound {
		t.Errorf("drop again: %d %s", a.status, a.body)
	}
	a = p.call(t, "POST", "/v1/tax-rates", map[string]any{"code": "X", "name": "X", "kind": "exempt"})
	if a.status != http.StatusUnprocessableEntity || !strings.Contains(string(a.body), "tax.reason_missing") {
		t.Errorf("exempt for no reason: %d %s", a.status, a.body)
	}
}

func TestTaxPages(t *testing.T) {
	t.Parallel()
	h := open(t)
	o := h.signUp(t)
	if a := o.browser.post(t, o.path("/taxes/ready/ca-qc"), "version", "1"); a.status != http.StatusSeeOther {
		t.Fatalf("add: %d %s", a.status, a.body)
	}
	list := string(o.browser.get(t, o.path("/taxes")).body)
	for _, want := range []string{"GST and QST, Quebec", "5 + 9.975 %"} {
		if !strings.Contains(list, want) {
			t.Errorf("the list lacks %s", want)
		}
	}
	if a := o.browser.post(t, o.path("/taxes"), "kind", "group", "code", "TWICE", "name", "Twice", "rates[0]", "GST", "rates[1]", "GST"); a.status != http.StatusUnprocessableEntity ||
		!strings.Contains(string(a.body), "each once") || !strings.Contains(string(a.body), "Add tax group") {
		t.Errorf("a group with one rate twice: %d %s", a.status, a.body)
	}
	if a := o.browser.post(t, o.path("/taxes"), "kind", "reverse_charge", "code", "RC", "name", "VAT reverse charge", "registration", "IE1234567T"); a.status != http.StatusSeeOther {
		t.Fatalf("add: %d %s", a.status, a.body)
	}
	found := regexp.MustCompile(`/taxes/([0-9a-f-]{36})">GST<`).FindSubmatch(o.browser.get(t, o.path("/taxes")).body)
	if found == nil {
		t.Fatal("no GST in the list")
	}
	edit := o.path("/taxes/" + string(found[1]))
	if a := o.browser.post(t, edit, "code", "GST", "name", "GST", "kind", "standard", "percent", "6", "since", "2031-07-01", "version", "1"); a.status != http.StatusSeeOther {
		t.Fatalf("change: %d %s", a.status, a.body)
	}
	page := string(o.browser.get(t, edit).body)
	if !strings.Contains(page, "1 Jul 2031") || !strings.Contains(page, `value="5"`) {
		t.Errorf("the page does not tell both percents: %s", page)
	}
	if a := o.browser.post(t, edit+"/percents/2031-07-01/drop", "version", "2"); a.status != http.StatusSeeOther {
		t.Fatalf("drop: %d %s", a.status, a.body)
	}
	if page := string(o.browser.get(t, edit).body); strings.Contains(page, "2031") {
		t.Error("the percent is still there")
	}
	// On an invoice: the reason and the number stand on the page and on paper.
	customer := o.program.made(t, "/v1/customers", map[string]any{"name": "Hugh"})
	invoice := o.program.made(t, "/v1/invoices", map[string]any{"customer_id": customer, "lines": []any{map[string]any{"description": "Work", "quantity": "1", "unit_price": "100", "taxes": []string{"RC"}}}})
	if page := string(o.browser.get(t, o.path("/invoices/"+invoice)).body); !strings.Contains(page, "<p class=\"doc-note\">Reverse charge</p>") || !strings.Contains(page, "IE1234567T") {
		t.Errorf("the invoice lacks the reason or the number")
	}
}
