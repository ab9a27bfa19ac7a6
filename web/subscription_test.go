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
