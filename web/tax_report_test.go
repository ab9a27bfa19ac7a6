package web_test

import (
	"net/http"
	"strings"
	"testing"
)

func TestTaxReportPage(t *testing.T) {
	t.Parallel()
	h := open(t)
	o := h.signUp(t)
	o.program.made(t, "/v1/tax-rates", map[string]any{"code": "VAT", "name": "VAT", "percent": "20"})
	customer := o.program.made(t, "/v1/customers", map[string]any{"name": "Hugh"})
	invoice := o.program.made(t, "/v1/invoices", map[string]any{"customer_id": customer, "issue_date": "2026-03-02", "due_date": "2026-04-02",
		"lines": []any{map[string]any{"description": "Work", "quantity": "1", "unit_price": "200", "taxes": []string{"VAT"}}}})
	if a := o.program.call(t, "POST", "/v1/invoices/"+invoice+"/issue", nil); a.status != http.StatusOK {
		t.Fatalf("issue: %d %s", a.status, a.body)
	}
	o.program.made(t, "/v1/payments", map[string]any{"invoice_id": invoice, "method": "cash", "date": "2026-05-02", "amount": map[string]string{"amount": "120.00", "currency": "EUR"}})
	var report struct {
		Rows []struct {
			ID  string `json:"tax_rate_id"`
			Tax struct{ Amount string }
		}
	}
	a := o.program.call(t, "GET", "/v1/reports/taxes?from=2026-01-01&to=2026-03-31", nil)
	a.decode(t, &report)
	if len(report.Rows) != 1 || report.Rows[0].Tax.Amount != "40.00" {
		t.Fatalf("accrual: %d %s", a.status, a.body)
	}
	rate := report.Rows[0].ID
	for _, c := range []struct{ path, want string }{
		{"/v1/reports/taxes?from=2026-04-01&to=2026-06-30&basis=cash", `"tax":{"amount":"20.00"`},
		{"/v1/reports/general-ledger?from=2026-03-01&to=2026-03-31", `"credit":{"amount":"40.00"`},
		{"/v1/reports/taxes/documents?from=2026-01-01&to=2026-03-31&tax_rate_id=" + rate + "&percent=20", `"document_id":"` + invoice},
	} {
		if a := o.program.call(t, "GET", c.path, nil); a.status != http.StatusOK || !strings.Contains(string(a.body), c.want) {
			t.Errorf("%s: %d %s", c.path, a.status, a.body)
		}
	}
	if a := o.program.call(t, "GET", "/v1/reports/taxes?basis=hybrid", nil); a.status != http.StatusUnprocessableEntity {
		t.Errorf("another basis: %d", a.status)
	}
	page := string(o.browser.get(t, o.path("/reports/taxes?from=2026-01-01&to=2026-03-31&rate="+rate+"&percent=20")).body)
	for _, want := range []string{"€40.00 to remit.", `/invoices/` + invoice + `"`, "moved by the same", `/reports/taxes.csv?`} {
		if !strings.Contains(page, want) {
			t.Errorf("the page lacks %s", want)
		}
	}
	if a := o.browser.get(t, o.path("/reports/taxes.csv?from=2026-01-01&to=2026-03-31")); string(a.body) != "basis,code,name,kind,percent,currency,documents,base,tax\naccrual,VAT,VAT,standard,20,EUR,1,200.00,40.00\n" {
		t.Errorf("CSV: %d %s", a.status, a.body)
	}
}
