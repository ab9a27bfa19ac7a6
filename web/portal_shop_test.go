package web_test

import (
	"context"
	"errors"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/countinghouse/countinghouse/billing/shop"
	"github.com/countinghouse/countinghouse/internal/fault"
	"github.com/countinghouse/countinghouse/tenant"
	"github.com/countinghouse/countinghouse/tenant/tenanttest"
)

// sells opens the shop with a product that is sold once, one that recurs monthly, and one that is not in the shop.
func (o owner) sells(t testing.TB) (once, monthly, hidden string) {
	t.Helper()
	p := o.program
	if a := p.call(t, "PUT", "/v1/portal", map[string]any{"sign_up": false, "shop_open": true}); a.status != http.StatusOK {
		t.Fatalf("%d %s", a.status, a.body)
	}
	p.made(t, "/v1/tax-rates", map[string]any{"code": "VAT", "name": "VAT", "percent": "20"})
	once = p.made(t, "/v1/products", map[string]any{"name": "Tuning fork", "unit_price": "10", "shop": map[string]any{"in_shop": true, "taxes": []string{"VAT"}}})
	monthly = p.made(t, "/v1/products", map[string]any{"name": "Piano care", "unit_price": "30", "shop": map[string]any{"in_shop": true, "taxes": []string{"VAT"}, "recurring_unit": "month", "recurring_every": 1}})
	hidden = p.made(t, "/v1/products", map[string]any{"name": "Hidden organ", "unit_price": "1"})
	return once, monthly, hidden
}

var orderPath = regexp.MustCompile(`^/orders/[0-9a-f-]{36}$`)

// orders fills the cart and orders it.
func (b buyer) orders(t testing.TB, pairs ...string) answer {
	t.Helper()
	for i := 0; i+1 < len(pairs); i += 2 {
		if a := b.post(t, "/cart", "product", pairs[i], "quantity", pairs[i+1]); a.status != http.StatusSeeOther {
			t.Fatalf("cart: %d %s", a.status, a.body)
		}
	}
	return b.post(t, "/orders", "idempotency_key", tenanttest.Random(6), "purchase_order", "PO 7", "unit_price", "0.01", "total", "0")
}

func (o owner) order(t testing.TB, at string) (got struct {
	ID, State, Number string
	Reasons           []string
	InvoiceID         string `json:"invoice_id"`
	ContactID         string `json:"contact_id"`
	Total             struct{ Amount string }
}) {
	t.Helper()
	a := o.program.call(t, "GET", "/v1"+at, nil)
	if a.status != http.StatusOK {
		t.Fatalf("%s: %d %s", at, a.status, a.body)
	}
	a.decode(t, &got)
	return got
}

func TestShopFromListToPaidInvoice(t *testing.T) {
	t.Parallel()
	h := open(t)
	o := h.signUp(t)
	o.addGateway(t, "practice_"+tenanttest.Random(8))
	stranger := h.at(o.slug)
	if a := stranger.get(t, "/shop"); a.status != http.StatusConflict {
		t.Errorf("a shop that is shut: %d", a.status)
	}
	once, monthly, _ := o.sells(t)
	if a := stranger.get(t, "/shop"); a.status != http.StatusOK || !strings.Contains(string(a.body), "Tuning fork") || strings.Contains(string(a.body), "Hidden organ") {
		t.Fatalf("%d %s", a.status, a.body)
	}
	if a := stranger.get(t, "/shop/"+monthly); a.status != http.StatusOK || !strings.Contains(string(a.body), "every month") {
		t.Errorf("%d %s", a.status, a.body)
	}
	ines := o.buyer(t, allRights()...)
	if a := ines.post(t, "/cart", "product", once, "quantity", "1"); a.status != http.StatusSeeOther {
		t.Fatalf("%d", a.status)
	}
	ines.post(t, "/cart", "product", once, "quantity", "1", "add", "yes")
	a := ines.get(t, "/cart")
	if a.status != http.StatusOK || !strings.Contains(string(a.body), "24.00") {
		t.Fatalf("two at 10 and 20 %%: %d %s", a.status, a.body)
	}
	a = ines.orders(t, monthly, "1")
	if a.status != http.StatusSeeOther || !orderPath.MatchString(a.header.Get("Location")) {
		t.Fatalf("%d to %q: %s", a.status, a.header.Get("Location"), a.body)
	}
	at := a.header.Get("Location")
	got := o.order(t, at)
	if got.State != "done" || got.Total.Amount != "60.00" || got.InvoiceID == "" || got.ContactID != ines.id {
		t.Errorf("the order is %+v", got)
	}
	a = ines.get(t, at)
	if a.status != http.StatusOK || !strings.Contains(string(a.body), "/invoices/"+got.InvoiceID+"/pay") {
		t.Fatalf("%d %s", a.status, a.body)
	}
	var subscriptions struct {
		Items []struct {
			State  string
			NextOn string `json:"next_on"`
		}
	}
	o.program.call(t, "GET", "/v1/subscriptions?customer_id="+ines.customer, nil).decode(t, &subscriptions)
	if len(subscriptions.Items) != 1 || subscriptions.Items[0].State != "trialing" {
		t.Errorf("what recurs began as %+v", subscriptions.Items)
	}
	a = ines.post(t, "/invoices/"+got.InvoiceID+"/pay")
	pay := a.header.Get("Location")
	if a.status != http.StatusSeeOther || !strings.HasPrefix(pay, "/pay/") {
		t.Fatalf("%d to %q", a.status, pay)
	}
	if a := ines.get(t, pay); a.status != http.StatusOK || !strings.Contains(string(a.body), "60.00") {
		t.Errorf("the pay page: %d %s", a.status, a.body)
	}
	if a := h.at(h.signUp(t).slug).get(t, pay); a.status != http.StatusNotFound {
		t.Errorf("the pay page at another organization's host: %d", a.status)
	}
	for _, path := range []string{"/", "/invoices", "/invoices/" + got.InvoiceID, "/orders", "/subscriptions", "/methods", "/statement", "/quotes", "/company"} {
		if a := ines.get(t, path); a.status != http.StatusOK {
			t.Errorf("%s: %d %s", path, a.status, a.body)
		}
	}
	for _, path := range []string{"/invoices/" + got.InvoiceID + "/pdf", "/statement.pdf"} {
		if a := ines.get(t, path); a.status != http.StatusOK || !strings.HasPrefix(string(a.body), "%PDF") {
			t.Errorf("%s: %d", path, a.status)
		}
	}
	if a := o.get(t, o.path("/orders")); a.status != http.StatusOK || !strings.Contains(string(a.body), got.Number) {
		t.Errorf("the members' list: %d", a.status)
	}
}

func TestShopTakesNoPriceFromTheBuyer(t *testing.T) {
	t.Parallel()
	h := open(t)
	o := h.signUp(t)
	once, _, hidden := o.sells(t)
	ines := o.buyer(t, allRights()...)
	for name, cart := range map[string]string{
		"not in the shop": hidden + "x1", "none": "", "too many": once + "x1001", "less than none": once + "x-1", "another price": once + "x1x0.01",
		"twice": once + "x1." + once + "x1000000", "no product": "nonsense", "of another organization": h.signUp(t).program.made(t, "/v1/products", map[string]any{"name": "Theirs", "unit_price": "1"}) + "x1",
	} {
		ines.cookies["__Host-cart"] = cart
		a := ines.post(t, "/orders", "idempotency_key", tenanttest.Random(6))
		if name == "twice" { // the first one counts
			if got := o.order(t, a.header.Get("Location")); got.Total.Amount != "12.00" {
				t.Errorf("twice: %+v", got)
			}
			continue
		}
		if a.status != http.StatusUnprocessableEntity {
			t.Errorf("%s: %d to %q", name, a.status, a.header.Get("Location"))
		}
	}
	for _, quantity := range []string{"-1", "1.5", "1001", "many", ""} {
		if a := ines.post(t, "/cart", "product", once, "quantity", quantity); a.status != http.StatusUnprocessableEntity {
			t.Errorf("%q of them: %d", quantity, a.status)
		}
	}
	if a := ines.post(t, "/cart", "product", hidden, "quantity", "1"); a.status != http.StatusNotFound {
		t.Errorf("what is not sold: %d", a.status)
	}
	delete(ines.cookies, "__Host-cart")
	if got := o.order(t, ines.orders(t, once, "3").header.Get("Location")); got.Total.Amount != "36.00" {
		t.Errorf("three at 10 with 20 %%: %+v", got)
	}
}

func TestShopAsksBeforeAnOrderGoesOn(t *testing.T) {
	t.Parallel()
	h := open(t)
	o := h.signUp(t)
	once, _, _ := o.sells(t)
	ines := o.buyer(t, allRights()...)
	say := shop.Verdict{}
	var refuse error
	h.Shop = &shop.Shop{Checks: []shop.Check{func(_ context.Context, _ *tenant.Tx, a shop.Asked) (shop.Verdict, error) {
		if a.Customer.ID.String() != ines.customer || len(a.Products) != 1 {
			return say, errors.New("asked about something else")
		}
		return say, refuse
	}}}
	t.Run("held, for a person to release", func(t *testing.T) {
		say = shop.Verdict{Hold: []string{"Five orders within an hour."}}
		at := ines.orders(t, once, "1").header.Get("Location")
		got := o.order(t, at)
		if got.State != "held" || got.InvoiceID != "" || len(got.Reasons) != 1 {
			t.Fatalf("%+v", got)
		}
		if a := ines.get(t, at); strings.Contains(string(a.body), "Five orders") {
			t.Error("the customer reads why")
		}
		if a := ines.post(t, at+"/continue", "idempotency_key", "c1"); a.status != http.StatusUnprocessableEntity {
			t.Errorf("the customer went on: %d", a.status)
		}
		say = shop.Verdict{}
		if a := ines.post(t, at+"/continue", "idempotency_key", "c2"); a.status != http.StatusUnprocessableEntity || o.order(t, at).State != "held" {
			t.Errorf("the customer went on: %d", a.status)
		}
		a := o.get(t, o.path("/orders/"+got.ID))
		if a.status != http.StatusOK || !strings.Contains(string(a.body), "Five orders within an hour.") {
			t.Errorf("the member reads %d %s", a.status, a.body)
		}
		if a := o.post(t, o.path("/orders/"+got.ID+"/release"), "idempotency_key", tenanttest.Random(6), "version", "1"); a.status != http.StatusSeeOther {
			t.Fatalf("%d %s", a.status, a.body)
		}
		if got := o.order(t, at); got.State != "done" || got.InvoiceID == "" {
			t.Errorf("%+v", got)
		}
		if a := o.program.call(t, "POST", "/v1"+at+"/release", nil); a.status != http.StatusConflict {
			t.Errorf("released twice: %d", a.status)
		}
	})
	t.Run("waits for the customer, by the API too", func(t *testing.T) {
		say = shop.Verdict{Wait: []string{"Verify your phone number."}}
		made := o.program.made(t, "/v1/orders", map[string]any{"customer_id": ines.customer, "lines": []any{map[string]any{"product_id": once, "quantity": 1}}})
		at := "/orders/" + made
		if got := o.order(t, at); got.State != "placed" || got.InvoiceID != "" {
			t.Fatalf("%+v", got)
		}
		if a := ines.get(t, at); !strings.Contains(string(a.body), "Verify your phone number.") {
			t.Errorf("%s", a.body)
		}
		if a := ines.post(t, at+"/continue", "idempotency_key", "w1"); a.status != http.StatusUnprocessableEntity || o.order(t, at).InvoiceID != "" {
			t.Errorf("it went on: %d", a.status)
		}
		say = shop.Verdict{}
		if a := ines.post(t, at+"/continue", "idempotency_key", "w2"); a.status != http.StatusSeeOther || o.order(t, at).State != "done" {
			t.Errorf("it did not go on: %d %s", a.status, a.body)
		}
	})
	t.Run("held after all when it goes on", func(t *testing.T) {
		say = shop.Verdict{Wait: []string{"Verify your phone number."}}
		at := ines.orders(t, once, "1").header.Get("Location")
		say = shop.Verdict{Hold: []string{"Too many countries."}}
		ines.post(t, at+"/continue", "idempotency_key", "h1")
		got := o.order(t, at)
		if got.State != "held" || len(got.Reasons) != 1 || got.Reasons[0] != "Too many countries." {
			t.Errorf("%+v", got)
		}
		if a := o.program.call(t, "POST", "/v1"+at+"/refuse", nil); a.status != http.StatusOK || o.order(t, at).State != "refused" {
			t.Errorf("refuse: %d %s", a.status, a.body)
		}
	})
	t.Run("refused, and nothing is kept", func(t *testing.T) {
		refuse = fault.New(fault.Conflict, "order.blocked", "No orders from here.")
		if a := ines.orders(t, once, "1"); a.status != http.StatusUnprocessableEntity || !strings.Contains(string(a.body), "No orders from here.") {
			t.Errorf("%d", a.status)
		}
	})
}

func TestCustomersSeeTheirOwnAlone(t *testing.T) {
	t.Parallel()
	h := open(t)
	o := h.signUp(t)
	o.addGateway(t, "practice_"+tenanttest.Random(8))
	once, _, _ := o.sells(t)
	ines, eve := o.buyer(t, allRights()...), o.buyer(t, allRights()...)
	order := o.order(t, ines.orders(t, once, "1").header.Get("Location"))
	line := []any{map[string]any{"description": "Unmistakable concert", "quantity": "1", "unit_price": "5"}}
	quote := o.program.made(t, "/v1/quotes", map[string]any{"customer_id": ines.customer, "lines": line})
	draft := o.program.made(t, "/v1/invoices", map[string]any{"customer_id": ines.customer, "lines": line})
	sub := o.program.made(t, "/v1/subscriptions", map[string]any{"customer_id": ines.customer, "unit": "month", "every": 1, "items": line})
	if a := ines.get(t, "/quotes/"+quote); a.status != http.StatusNotFound {
		t.Errorf("the draft of a quote: %d", a.status)
	}
	if a := ines.get(t, "/invoices/"+draft); a.status != http.StatusNotFound {
		t.Errorf("the draft of an invoice: %d", a.status)
	}
	if a := ines.get(t, "/invoices"); strings.Contains(string(a.body), draft) {
		t.Error("drafts are on the list")
	}
	o.program.call(t, "POST", "/v1/quotes/"+quote+"/issue", nil)
	if a := ines.post(t, "/methods", "kind", "us_bank", "routing_number", "011000015", "account_number", "12345678", "idempotency_key", "m"); a.status != http.StatusSeeOther {
		t.Fatalf("method: %d %s", a.status, a.body)
	}
	method := regexp.MustCompile(`/methods/([0-9a-f-]{36})/remove`).FindSubmatch(ines.get(t, "/methods").body)
	if method == nil {
		t.Fatal("no method")
	}
	for _, path := range []string{"/orders/" + order.ID, "/invoices/" + order.InvoiceID, "/invoices/" + order.InvoiceID + "/pdf", "/quotes/" + quote, "/subscriptions/" + sub} {
		if a := ines.get(t, path); a.status != http.StatusOK {
			t.Errorf("%s: its own customer gets %d", path, a.status)
		}
		if a := eve.get(t, path); a.status != http.StatusNotFound || strings.Contains(string(a.body), "Unmistakable") {
			t.Errorf("%s: another customer gets %d", path, a.status)
		}
	}
	for _, path := range []string{"/orders/" + order.ID + "/continue", "/invoices/" + order.InvoiceID + "/pay", "/quotes/" + quote + "/accept", "/quotes/" + quote + "/decline",
		"/subscriptions/" + sub + "/cancel", "/subscriptions/" + sub + "/pause", "/methods/" + string(method[1]) + "/remove"} {
		if a := eve.post(t, path, "idempotency_key", tenanttest.Random(6), "version", "1"); a.status != http.StatusNotFound {
			t.Errorf("%s: another customer gets %d", path, a.status)
		}
	}
	if a := ines.post(t, "/quotes/"+quote+"/accept", "idempotency_key", "q"); a.status != http.StatusSeeOther {
		t.Errorf("accepting it: %d %s", a.status, a.body)
	}
	if a := ines.post(t, "/subscriptions/"+sub+"/cancel", "idempotency_key", "s", "version", "1"); a.status != http.StatusSeeOther {
		t.Errorf("cancelling it: %d %s", a.status, a.body)
	}
	if a := ines.post(t, "/methods/"+string(method[1])+"/remove", "idempotency_key", "r"); a.status != http.StatusSeeOther {
		t.Errorf("removing it: %d %s", a.status, a.body)
	}
	if a := ines.post(t, "/company", "idempotency_key", "c", "version", "1", "name", "Apple Records", "street", "3 Savile Row", "country", "GB"); a.status != http.StatusSeeOther {
		t.Errorf("the address: %d %s", a.status, a.body)
	}
	if a := eve.get(t, "/company"); strings.Contains(string(a.body), "Savile") {
		t.Error("another customer reads the address")
	}
}
