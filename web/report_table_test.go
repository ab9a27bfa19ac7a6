package web_test

import (
	"html"
	"net/http"
	"regexp"
	"strings"
	"testing"
)

// A sale shows in every report that it belongs into, and each figure leads to what it comes from.
func TestReportsOfASale(t *testing.T) {
	t.Parallel()
	h := open(t)
	o := h.signUp(t)
	p := o.program
	customer := p.made(t, "/v1/customers", map[string]any{"name": "Ada Quill"})
	product := p.made(t, "/v1/products", map[string]any{"name": "Ink", "unit_price": "10"})
	p.made(t, "/v1/tax-rates", map[string]any{"code": "VAT", "name": "VAT", "percent": "20"})
	invoice := p.made(t, "/v1/invoices", map[string]any{"customer_id": customer, "issue_date": "2026-03-02", "due_date": "2026-03-16", "discount_percent": "10", "lines": []any{
		map[string]any{"product_id": product, "description": "Ink", "quantity": "7", "unit_price": "10", "taxes": []string{"VAT"}},
		map[string]any{"description": "Advice", "quantity": "1", "unit_price": "30"}}})
	if a := p.call(t, "POST", "/v1/invoices/"+invoice+"/issue", nil); a.status != http.StatusOK {
		t.Fatalf("issue: %d %s", a.status, a.body)
	}
	p.made(t, "/v1/payments", map[string]any{"invoice_id": invoice, "method": "cash", "date": "2026-03-20", "amount": map[string]string{"amount": "20.00", "currency": "EUR"}})
	const march = "?from=2026-03-01&to=2026-03-31"
	// 70.00 and 30.00, less 10 %, and 20 % of 63.00: 102.60, of which 20.00 is paid.
	for path, want := range map[string]string{
		"/reports/profit-and-loss" + march:                   "result=90.00",
		"/reports/balance-sheet" + march:                     "funding=102.60",
		"/reports/cash-flow" + march:                         "change=20.00",
		"/reports/aged-receivables?as_of=2026-03-31":         "total=0.00",
		"/reports/sales" + march:                             "total=90.00",
		"/reports/sales" + march + "&by=product":             "total=90.00",
		"/reports/profit-and-loss?from=2026-04-01":           "result=0.00",
		"/reports/profit-and-loss" + march + "&currency=JPY": "result=0",
	} {
		var got struct {
			Sums []struct {
				Key     string
				Amounts []struct{ Amount string }
			}
		}
		a := p.call(t, "GET", "/v1"+path, nil)
		a.decode(t, &got)
		found := ""
		for _, s := range got.Sums {
			found += " " + s.Key + "=" + s.Amounts[0].Amount
		}
		if !strings.Contains(found+" ", " "+want+" ") {
			t.Errorf("%s has%s, and not %s: %s", path, found, want, a.body)
		}
		if o.browser.get(t, o.inside(path)).status != http.StatusOK {
			t.Errorf("%s is not shown", path)
		}
		for format, begins := range map[string]string{".csv": "section,code,name,currency,", ".xlsx": "PK\x03\x04"} {
			file := strings.Replace(path, "?", format+"?", 1)
			if a := o.browser.get(t, o.inside(file)); a.status != http.StatusOK || !strings.HasPrefix(string(a.body), begins) ||
				!strings.HasSuffix(a.header.Get("Content-Disposition"), format+`"`) {
				t.Errorf("%s: %d %q %.40q", file, a.status, a.header.Get("Content-Disposition"), a.body)
			}
		}
	}
	o.browser.get(t, o.inside("/reports/aged-receivables?as_of=2026-03-31")).holds(t, "Ada Quill", "82.60")
	o.browser.get(t, o.inside("/reports/sales"+march+"&by=product")).holds(t, "Ink", "63.00", "Without a product", "27.00")
	for path, want := range map[string]string{"/reports/profit-and-loss" + march: "INV-0001", "/reports/sales" + march: "INV-0001", "/reports/sales" + march + "&by=product": "INV-0001",
		"/reports/cash-flow" + march: "J-0002", "/reports/aged-receivables?as_of=2026-03-31": "INV-0001", "/reports/balance-sheet" + march: "J-0002"} {
		page := o.browser.get(t, o.inside(path))
		figure := regexp.MustCompile(`<a class="who" href="([^"]+)">`).FindSubmatch(page.body)
		if figure == nil {
			t.Errorf("no figure of %s leads anywhere", path)
			continue
		}
		to := html.UnescapeString(string(figure[1]))
		if there := o.browser.get(t, to); there.status != http.StatusOK || !strings.Contains(string(there.body), want) {
			t.Errorf("%s leads to %s: %d, without %s", path, to, there.status, want)
		}
	}
	for path, status := range map[string]int{"/reports/sales?by=colour": 422, "/reports/cash-flow?currency=XQQ": 422, "/reports/balance-sheet?from=2026-02-02&to=2026-02-01": 422,
		"/reports/aged-receivables.xlsx?as_of=never": 422, "/reports/payables": 404, "/reports": 200} {
		if a := o.browser.get(t, o.inside(path)); a.status != status {
			t.Errorf("%s: %d", path, a.status)
		}
	}
}
