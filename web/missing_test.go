package web_test

import (
	"net/http"
	"strings"
	"testing"
)

// A price or a quantity that is missing is told once, as what it is, on the page and by the API.
func TestWhatIsMissingIsToldOnce(t *testing.T) {
	t.Parallel()
	h := open(t)
	o := h.signUp(t)
	customer := o.made(t, "/v1/customers", map[string]any{"name": "Ada"})
	draft := func(quantity, price string) answer {
		return o.browser.post(t, o.path("/invoices"), "idempotency_key", "k", "action", "save", "customer_id", customer, "currency", "EUR",
			"lines[0].description", "Work", "lines[0].quantity", quantity, "lines[0].unit_price", price)
	}
	for name, c := range map[string]struct {
		page answer
		says string
	}{
		"price of a product":  {o.browser.post(t, o.path("/products"), "idempotency_key", "p", "name", "Work", "currency", "EUR", "unit_price", ""), "Give the price"},
		"price of a line":     {draft("1", ""), "Give the price"},
		"quantity of a line":  {draft("", "10"), "needs a quantity"},
		"quantity as no word": {draft("two", "10"), "Write the number"},
	} {
		body := string(c.page.body)
		// Once in the list on top, once beside the field.
		if got := strings.Count(body, c.says); c.page.status != http.StatusUnprocessableEntity || got != 2 || strings.Count(body, `href="#f-`) != 1 {
			t.Errorf("%s: status %d, said %d times, %d links", name, c.page.status, got, strings.Count(body, `href="#f-`))
		}
	}
	for field, code := range map[string]string{"unit_price": "price.missing", "quantity": "quantity.zero"} {
		line := map[string]string{"description": "Work", "quantity": "1", "unit_price": "10"}
		line[field] = ""
		a := o.program.call(t, "POST", "/v1/invoices", map[string]any{"customer_id": customer, "lines": []any{line}})
		if p := a.problem(t); a.status != 422 || p.Code != code || len(p.Errors) != 1 {
			t.Errorf("%s: %d %s", field, a.status, a.body)
		}
	}
}
