package web_test

import (
	"net/http"
	"strings"
	"testing"
)

func TestCurrenciesByTheAPI(t *testing.T) {
	t.Parallel()
	h := open(t)
	p := h.signUp(t).program
	set := func(date, rate string) {
		t.Helper()
		if a := p.call(t, "PUT", "/v1/exchange-rates", map[string]any{"unit": "EUR", "currency": "USD", "date": date, "rate": rate}); a.status != http.StatusOK {
			t.Fatalf("set: %d %s", a.status, a.body)
		}
	}
	set("2026-03-02", "1.10")
	a := p.call(t, "POST", "/v1/exchange-rates/import", map[string]any{"csv": "Date,USD,GBP,\n2026-03-02,1.2,0.88,\n2025-03-02,1,1,\n", "since": "2026-01-01"})
	if a.status != http.StatusOK || !strings.Contains(string(a.body), `"rates":2`) {
		t.Errorf("import: %d %s", a.status, a.body)
	}
	// The dollar that was entered by hand stays: 1.10 / 0.88.
	if a := p.call(t, "GET", "/v1/exchange-rates/quote?from=GBP&to=USD&date=2026-03-05", nil); !strings.Contains(string(a.body), `"rate":"1.25"`) || !strings.Contains(string(a.body), `"source":"ecb"`) {
		t.Errorf("quote: %d %s", a.status, a.body)
	}
	customer := p.made(t, "/v1/customers", map[string]any{"name": "Hugh"})
	invoice := p.made(t, "/v1/invoices", map[string]any{"customer_id": customer, "currency": "USD", "issue_date": "2026-03-02", "due_date": "2026-04-02",
		"lines": []any{map[string]any{"description": "Work", "quantity": "1", "unit_price": "1000"}}})
	if a := p.call(t, "POST", "/v1/invoices/"+invoice+"/issue", nil); !strings.Contains(string(a.body), `"base_rate":"0.909090909091"`) {
		t.Errorf("issue: %d %s", a.status, a.body)
	}
	if a := p.call(t, "POST", "/v1/revaluations", map[string]any{"date": "2026-03-31"}); a.status != http.StatusConflict || !strings.Contains(string(a.body), "exchange_rate.none") {
		t.Errorf("without a rate: %d %s", a.status, a.body)
	}
	if a := p.call(t, "GET", "/v1/revaluations/preview?date=2026-03-31", nil); !strings.Contains(string(a.body), `"missing":[{"unit":"USD"`) {
		t.Errorf("preview without a rate: %d %s", a.status, a.body)
	}
	set("2026-03-31", "1.25")
	if a := p.call(t, "POST", "/v1/revaluations", map[string]any{"date": "2026-03-31"}); a.status != http.StatusCreated || !strings.Contains(string(a.body), `"gain":{"amount":"-109.09","currency":"EUR"}`) {
		t.Errorf("revalue: %d %s", a.status, a.body)
	}
	if a := p.call(t, "GET", "/v1/revaluations", nil); !strings.Contains(string(a.body), `"date":"2026-03-31"`) || !strings.Contains(string(a.body), `"replaced":false`) {
		t.Errorf("list: %d %s", a.status, a.body)
	}
	if a := p.call(t, "POST", "/v1/exchange-rates/drop", map[string]any{"unit": "EUR", "currency": "USD", "date": "2026-03-31"}); a.status != http.StatusNoContent {
		t.Errorf("drop: %d %s", a.status, a.body)
	}
	if a := p.call(t, "GET", "/v1/exchange-rates?currency=USD", nil); strings.Contains(string(a.body), "2026-03-31") || !strings.Contains(string(a.body), "2026-03-02") {
		t.Errorf("rates: %d %s", a.status, a.body)
	}
}

func TestCurrencyPages(t *testing.T) {
	t.Parallel()
	h := open(t)
	o := h.signUp(t)
	if a := o.browser.post(t, o.path("/currencies"), "unit", "USD", "currency", "EUR", "date", "2026-03-02", "rate", "0"); a.status != http.StatusUnprocessableEntity || !strings.Contains(string(a.body), "more than nothing") {
		t.Errorf("a rate of nothing: %d %s", a.status, a.body)
	}
	for date, rate := range map[string]string{"2026-03-02": "0.90", "2026-03-31": "0.95"} {
		if a := o.browser.post(t, o.path("/currencies"), "unit", "USD", "currency", "EUR", "date", date, "rate", rate); a.status != http.StatusSeeOther {
			t.Fatalf("set: %d %s", a.status, a.body)
		}
	}
	if a := o.browser.post(t, o.path("/currencies/import"), "csv", "no file", "since", ""); a.status != http.StatusUnprocessableEntity || !strings.Contains(string(a.body), "European Central Bank: its first line") {
		t.Errorf("import of nothing: %d %s", a.status, a.body)
	}
	if a := o.browser.post(t, o.path("/currencies/import"), "csv", "Date,JPY,\n2026-03-31,181.3,\n", "since", ""); a.status != http.StatusSeeOther {
		t.Fatalf("import: %d %s", a.status, a.body)
	}
	list := string(o.browser.get(t, o.path("/currencies")).body)
	for _, want := range []string{"0.95 EUR", "181.3 JPY", "By hand", "European Central Bank"} {
		if !strings.Contains(list, want) {
			t.Errorf("the list lacks %s", want)
		}
	}
	customer := o.program.made(t, "/v1/customers", map[string]any{"name": "Hugh"})
	invoice := o.program.made(t, "/v1/invoices", map[string]any{"customer_id": customer, "currency": "USD", "issue_date": "2026-03-02", "due_date": "2026-04-02",
		"lines": []any{map[string]any{"description": "Work", "quantity": "1", "unit_price": "200"}}})
	o.program.call(t, "POST", "/v1/invoices/"+invoice+"/issue", nil)
	page := string(o.browser.get(t, o.path("/currencies/revaluation?date=2026-03-31")).body)
	for _, want := range []string{"200.00 USD", "180.00", "190.00", `<span class="sum">10.00</span>`, "Post revaluation"} {
		if !strings.Contains(page, want) {
			t.Errorf("the preview lacks %s", want)
		}
	}
	if a := o.browser.post(t, o.path("/currencies/revaluation"), "date", "2026-03-31"); a.status != http.StatusSeeOther {
		t.Fatalf("revalue: %d %s", a.status, a.body)
	}
	if page := string(o.browser.get(t, o.path("/currencies/revaluation?date=2026-03-31")).body); !strings.Contains(page, "revalued already") {
		t.Error("the page does not tell that the day was revalued")
	}
	if a := o.browser.post(t, o.path("/currencies/revaluation"), "date", "2199-01-01"); a.status != http.StatusUnprocessableEntity {
		t.Errorf("a day to come: %d", a.status)
	}
	if a := o.browser.get(t, o.path("/currencies/revaluation?date=2199-01-01")); a.status != http.StatusUnprocessableEntity {
		t.Errorf("a look at a day to come: %d", a.status)
	}
	if a := o.browser.post(t, o.path("/currencies/drop"), "unit", "USD", "currency", "EUR", "date", "2026-03-31"); a.status != http.StatusSeeOther {
		t.Errorf("drop: %d %s", a.status, a.body)
	}
}
