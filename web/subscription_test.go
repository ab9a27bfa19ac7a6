package web_test

import (
	"net/http"
	"strings"
	"testing"
)

// A program starts a subscription, reports usage twice, changes it and ends it.
func TestSubscriptionByAPI(t *testing.T) {
	t.Parallel()
	o := open(t).signUp(t)
	p := o.program
	customer := p.made(t, "/v1/customers", map[string]any{"name": "Halden Optics"})
	at := "/v1/subscriptions/" + p.made(t, "/v1/subscriptions", map[string]any{"customer_id": customer, "unit": "month", "every": 1, "items": []any{
		map[string]any{"description": "Seats", "quantity": "3", "unit_price": "9.00"},
		map[string]any{"description": "Calls", "unit_price": "0.01", "metered": "sum"}}})
	var s struct {
		State string
		Price struct{ Amount string }
		Items []struct{ ID, Description, Quantity, Used string }
	}
	p.call(t, "GET", at, nil).decode(t, &s)
	if s.State != "trialing" || s.Price.Amount != "27.00" || len(s.Items) != 2 {
		t.Fatalf("it starts as %+v", s)
	}
	usage := map[string]any{"events": []any{
		map[string]any{"key": "a", "item_id": s.Items[1].ID, "quantity": "40"}, map[string]any{"key": "b", "item_id": s.Items[1].ID, "quantity": "2"}}}
	for n, want := range []string{`"recorded":2,"known":0`, `"recorded":0,"known":2`} {
		a := p.call(t, "POST", at+"/usage", usage)
		if a.status != http.StatusOK || !strings.Contains(strings.Join(strings.Fields(string(a.body)), ""), want) {
			t.Fatalf("usage sent %d times: %d %s", n+1, a.status, a.body)
		}
	}
	if a := p.call(t, "POST", at+"/usage", map[string]any{"events": []any{map[string]any{"key": "a", "item_id": s.Items[1].ID, "quantity": "41"}}}); a.status != http.StatusConflict && a.status != http.StatusUnprocessableEntity {
		t.Errorf("another event under the same key: %d %s", a.status, a.body)
	}
	if a := p.call(t, "POST", at+"/change", map[string]any{"item_id": s.Items[0].ID, "quantity": "5", "unit_price": "8.50"}); a.status != http.StatusOK {
		t.Fatalf("change: %d %s", a.status, a.body)
	}
	p.call(t, "GET", at, nil).decode(t, &s)
	if s.Price.Amount != "42.50" || s.Items[1].Used != "42" {
		t.Errorf("after the change and the usage it is %+v", s)
	}
	for _, act := range []string{"pause", "resume", "cancel", "keep"} {
		var body any
		if act == "cancel" {
			body = map[string]any{}
		}
		if a := p.call(t, "POST", at+"/"+act, body); a.status != http.StatusOK {
			t.Errorf("%s: %d %s", act, a.status, a.body)
		}
	}
	if a := p.call(t, "PUT", at, map[string]any{"coupon_percent": "101"}); a.status != http.StatusUnprocessableEntity {
		t.Errorf("a coupon of 101 %%: %d %s", a.status, a.body)
	}
}

// A member starts a subscription in the browser, changes it, and ends it.
func TestSubscriptionPages(t *testing.T) {
	t.Parallel()
	o := open(t).signUp(t)
	customer := o.program.made(t, "/v1/customers", map[string]any{"name": "Halden Optics"})
	list := o.path("/subscriptions")
	o.program.made(t, "/v1/tax-rates", map[string]any{"code": "VAT", "name": "VAT", "percent": "20"})
	form := []string{"idempotency_key", "sub-1", "customer_id", customer, "unit", "month", "every", "1", "currency", "EUR",
		"lines[0].description", "Seats", "lines[0].quantity", "3", "lines[0].unit_price", "9", "lines[0].tax_codes", "VAT", "lines[1].description", "Calls", "lines[1].unit_price", "0.01", "lines[1].metered", "sum"}
	if a := o.post(t, list, append(form[:len(form):len(form)], "every", "2")...); a.status == http.StatusSeeOther {
		t.Error("a field that stands twice is taken")
	}
	wrong := append([]string{}, form...)
	wrong[7] = "0"
	if a := o.post(t, list, wrong...); a.status != http.StatusUnprocessableEntity || !strings.Contains(string(a.body), "A period has 1 to 365") {
		t.Errorf("every 0 months: %d", a.status)
	}
	a := o.post(t, list, form...)
	if a.status != http.StatusSeeOther {
		t.Fatalf("start: %d %s", a.status, a.body)
	}
	at := a.header.Get("Location")
	seen := string(o.get(t, at).body)
	for _, want := range []string{"Halden Optics", "Every month", "Seats", "used so far"} {
		if !strings.Contains(seen, want) {
			t.Errorf("the page does not say %q", want)
		}
	}
	if a := o.get(t, list+"?state=trialing"); !strings.Contains(string(a.body), "Halden Optics") {
		t.Errorf("it is not in the list: %d", a.status)
	}
	item := between(seen, "/change?item=", `"`)
	if a := o.get(t, at+"/change?item="+item); a.status != http.StatusOK || !strings.Contains(string(a.body), `value="9`) {
		t.Errorf("the form of a change: %d", a.status)
	}
	if a := o.post(t, at+"/change", "idempotency_key", "sub-2", "version", "1", "item", item, "when", "next", "lines[0].quantity", "5", "lines[0].unit_price", "8"); a.status != http.StatusSeeOther {
		t.Errorf("change: %d %s", a.status, a.body)
	}
	if a := o.post(t, at+"/change", "idempotency_key", "sub-3", "version", "1", "item", item, "when", "next", "lines[0].quantity", "6", "lines[0].unit_price", "8"); a.status != http.StatusUnprocessableEntity && a.status != http.StatusConflict {
		t.Errorf("a change of what was changed meanwhile: %d", a.status)
	}
	if a := o.post(t, at, "idempotency_key", "sub-4", "version", "2", "coupon_percent", "20", "coupon_periods", "3", "send", "yes"); a.status != http.StatusSeeOther {
		t.Errorf("options: %d %s", a.status, a.body)
	}
	if seen = string(o.get(t, at).body); !strings.Contains(seen, "20 % off the next 3 invoices") {
		t.Error("the coupon is not told")
	}
	for n, act := range []string{"pause", "resume", "cancel", "keep", "end"} {
		if a := o.post(t, at+"/"+act, "idempotency_key", "act-"+act, "version", string(rune('3'+n))); a.status != http.StatusSeeOther {
			t.Errorf("%s: %d %s", act, a.status, a.body)
		}
	}
}

func between(s, from, to string) string {
	_, rest, _ := strings.Cut(s, from)
	found, _, _ := strings.Cut(rest, to)
	return found
}
