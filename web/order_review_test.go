package web_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/countinghouse/countinghouse/billing/gateway/fake"
	"github.com/countinghouse/countinghouse/internal/webhook"
	"github.com/countinghouse/countinghouse/tenant/tenanttest"
)

// limits sets what is let through without a look.
func (o owner) limits(t testing.TB, orders, cards, addresses, countries int) {
	t.Helper()
	a := o.program.call(t, "PUT", "/v1/order-review", map[string]any{"hours": 24, "orders": orders, "cards": cards, "addresses": addresses, "countries": countries})
	if a.status != http.StatusOK {
		t.Fatalf("%d %s", a.status, a.body)
	}
}

func TestTooMuchAtOnceHoldsAnOrder(t *testing.T) {
	t.Parallel()
	h := open(t)
	o := h.signUp(t)
	once, _, _ := o.sells(t)
	ines := o.buyer(t, allRights()...)
	ordered := func(b buyer) (state string, reasons []string) {
		t.Helper()
		a := b.orders(t, once, "1")
		if a.status != http.StatusSeeOther {
			t.Fatalf("%d %s", a.status, a.body)
		}
		got := o.order(t, a.header.Get("Location"))
		return got.State, got.Reasons
	}
	if state, _ := ordered(ines); state != "done" {
		t.Fatalf("without limits: %s", state)
	}
	t.Run("orders of one customer, and of one network", func(t *testing.T) {
		o.limits(t, 2, 0, 0, 0)
		if state, reasons := ordered(ines); state != "done" {
			t.Errorf("the second of two: %s %v", state, reasons)
		}
		state, reasons := ordered(ines)
		if state != "held" || !slices.Contains(reasons, "3 orders by this customer within 24 h; at most 2.") || !slices.Contains(reasons, "3 orders from this network within 24 h; at most 2.") {
			t.Errorf("the third: %s %q", state, reasons)
		}
		// Another customer in the same network.
		eve := o.buyer(t, allRights()...)
		if state, reasons := ordered(eve); state != "held" || len(reasons) != 1 || reasons[0] != "4 orders from this network within 24 h; at most 2." {
			t.Errorf("another customer there: %s %q", state, reasons)
		}
		// A program is no network of the customer's.
		fresh := o.program.made(t, "/v1/customers", map[string]any{"name": "Ada"})
		made := o.program.made(t, "/v1/orders", map[string]any{"customer_id": fresh, "lines": []any{map[string]any{"product_id": once, "quantity": 1}}})
		if got := o.order(t, "/orders/"+made); got.State != "done" {
			t.Errorf("by a program: %+v", got)
		}
	})
	t.Run("addresses and countries", func(t *testing.T) {
		o.limits(t, 0, 0, 2, 2)
		moves := o.buyer(t, allRights()...)
		for i, address := range []struct{ street, country, want string }{{"1 Quay", "IE", "done"}, {"2 Quay", "GB", "done"}, {"3 Quay", "FR", "held"}} {
			body := map[string]any{"name": "Movers", "street": address.street, "city": "Somewhere", "country": address.country}
			if a := o.program.call(t, "PUT", "/v1/customers/"+moves.customer, body); a.status != http.StatusOK {
				t.Fatalf("%d %s", a.status, a.body)
			}
			made := o.program.made(t, "/v1/orders", map[string]any{"customer_id": moves.customer, "lines": []any{map[string]any{"product_id": once, "quantity": 1}}})
			got := o.order(t, "/orders/"+made)
			if got.State != address.want {
				t.Errorf("address %d: %+v", i+1, got)
			}
			if got.State == "held" && !slices.Equal(got.Reasons, []string{"3 addresses by this customer within 24 h; at most 2.", "3 countries by this customer within 24 h; at most 2."}) {
				t.Errorf("the reasons are %q", got.Reasons)
			}
		}
	})
	t.Run("cards", func(t *testing.T) {
		account := o.gatewayByAPI(t, "practice_"+tenanttest.Random(8))
		o.limits(t, 0, 1, 0, 0)
		payer := o.program.made(t, "/v1/customers", map[string]any{"name": "Cards"})
		order := func() string {
			t.Helper()
			made := o.program.made(t, "/v1/orders", map[string]any{"customer_id": payer, "lines": []any{map[string]any{"product_id": once, "quantity": 1}}})
			return o.order(t, "/orders/"+made).State
		}
		o.storedCard(t, account, payer, fake.CardGood)
		if state := order(); state != "done" {
			t.Errorf("with one card: %s", state)
		}
		o.storedCard(t, account, payer, fake.CardUnanswered)
		if state := order(); state != "held" {
			t.Errorf("with two cards: %s", state)
		}
	})
}

// ordersFor orders one piece for a customer by a program, which has no network of the customer's.
func (o owner) ordersFor(t testing.TB, customer, product string) (state string, reasons []string) {
	t.Helper()
	made := o.program.made(t, "/v1/orders", map[string]any{"customer_id": customer, "lines": []any{map[string]any{"product_id": product, "quantity": 1}}})
	got := o.order(t, "/orders/"+made)
	return got.State, got.Reasons
}

// Whoever opens one account after the other with the same phone is one person.
func TestOneNumberOfManyCustomersHoldsAnOrder(t *testing.T) {
	t.Parallel()
	h := open(t)
	o := h.signUp(t)
	once, _, _ := o.sells(t)
	ines := o.buyer(t, allRights()...)
	number := newNumber()
	o.askForNumbers(t, "before")
	if a := ines.verifies(t, number, "/"); a.status != http.StatusSeeOther || o.verified(t, ines.customer) != number {
		t.Fatalf("%d %s", a.status, a.body)
	}
	o.askForNumbers(t, "never")
	spaced := number[:4] + " (0) " // people write it so, and then it is another number: this one does not count
	others := []struct{ phone, country string }{{number[:4] + " " + number[4:6] + "-" + number[6:], "GB"}, {number, "GB"}, {number + "1", "FR"}, {spaced + number[4:], "FR"}}
	for i, c := range others {
		customer := o.program.made(t, "/v1/customers", map[string]any{"name": "Other", "phone": c.phone, "country": c.country})
		if state, reasons := o.ordersFor(t, customer, once); state != "done" {
			t.Fatalf("customer %d: %s %q", i, state, reasons)
		}
	}
	ordered := func() (string, []string) {
		got := o.order(t, ines.orders(t, once, "1").header.Get("Location"))
		return got.State, got.Reasons
	}
	o.limits(t, 3, 0, 0, 0)
	if state, reasons := ordered(); state != "done" {
		t.Errorf("the third of three: %s %q", state, reasons)
	}
	if state, reasons := ordered(); state != "held" || !slices.Equal(reasons, []string{"4 orders with this phone number within 24 h; at most 3."}) {
		t.Errorf("the fourth: %s %q", state, reasons)
	}
	if a := o.program.call(t, "PUT", "/v1/customers/"+ines.customer, map[string]any{"name": "Apple", "country": "IE"}); a.status != http.StatusOK {
		t.Fatalf("%d %s", a.status, a.body)
	}
	o.limits(t, 0, 0, 0, 1)
	if state, reasons := ordered(); state != "held" || !slices.Equal(reasons, []string{"2 countries with this phone number within 24 h; at most 1."}) {
		t.Errorf("from two countries: %s %q", state, reasons)
	}
}

func TestCountriesOfNetworksHoldAnOrder(t *testing.T) {
	t.Parallel()
	h := open(t)
	o := h.signUp(t)
	once, _, _ := o.sells(t)
	var from string
	asked := 0
	h.Shop.Country = func(address string) string {
		if asked++; address == "" {
			t.Error("it is asked for no address")
		}
		return from
	}
	o.limits(t, 0, 0, 0, 2)
	ines := o.buyer(t, allRights()...)
	for _, c := range []struct {
		from, state string
	}{{"", "done"}, {"IE", "done"}, {"IE", "done"}, {"BR", "done"}, {"", "done"}, {"KP", "held"}, {"IE", "held"}} {
		from = c.from
		got := o.order(t, ines.orders(t, once, "1").header.Get("Location"))
		if got.State != c.state {
			t.Errorf("from %q: %+v", c.from, got)
		}
		if got.State == "held" && !slices.Equal(got.Reasons, []string{"3 countries by this customer within 24 h; at most 2.", "3 countries from this network within 24 h; at most 2."}) {
			t.Errorf("from %q: the reasons are %q", c.from, got.Reasons)
		}
	}
	if asked == 0 {
		t.Error("nobody asked where a network is")
	}
}

func TestAHeldOrderIsReleasedOrRefusedInOneClick(t *testing.T) {
	t.Parallel()
	h := open(t)
	o := h.signUp(t)
	once, _, _ := o.sells(t)
	ines := o.buyer(t, allRights()...)
	ines.orders(t, once, "1")
	o.limits(t, 1, 0, 0, 0)
	hold := func() string {
		t.Helper()
		at := ines.orders(t, once, "1").header.Get("Location")
		if got := o.order(t, at); got.State != "held" {
			t.Fatalf("%+v", got)
		}
		return at
	}
	at := hold()
	o.get(t, o.path("/orders?state=held")).holds(t, o.order(t, at).Number)
	page := o.get(t, o.path(at))
	page.holds(t, "orders by this customer within 24 h; at most 1.", "Release and invoice", "Refuse")
	if a := o.press(t, at, at+"/release"); a.status != http.StatusSeeOther {
		t.Fatalf("release: %d %s", a.status, a.body)
	}
	if got := o.order(t, at); got.State != "done" || got.InvoiceID == "" {
		t.Errorf("released: %+v", got)
	}
	at = hold()
	if a := o.program.call(t, "POST", "/v1"+at+"/refuse", nil); a.status != http.StatusOK {
		t.Fatalf("refuse: %d %s", a.status, a.body)
	}
	if got := o.order(t, at); got.State != "refused" || got.InvoiceID != "" {
		t.Errorf("refused: %+v", got)
	}
	// What the record calls it is what webhooks are told by.
	var feed struct{ Items []struct{ Action string } }
	o.program.call(t, "GET", "/v1/activity?limit=100", nil).decode(t, &feed)
	told := map[string]bool{}
	for _, e := range webhook.Events() {
		told[e.Name] = true
	}
	for act, event := range map[string]string{"order.place": "order.placed", "order.hold": "order.held", "order.release": "order.released", "order.refuse": "order.refused"} {
		if !slices.ContainsFunc(feed.Items, func(i struct{ Action string }) bool { return i.Action == act }) || !told[event] || webhook.EventOf(act) != event {
			t.Errorf("%s is on no record, or webhooks do not call it %s", act, event)
		}
	}
}

func TestOrderReviewSettings(t *testing.T) {
	t.Parallel()
	h := open(t)
	o := h.signUp(t)
	at := o.path("/settings/order-review")
	good := map[string]string{"version": "1", "hours": "12", "orders": "5", "cards": "3", "addresses": "2", "countries": "2"}
	send := func(change map[string]string) answer {
		var pairs []string
		for name, value := range good {
			if other, ok := change[name]; ok {
				value = other
			}
			pairs = append(pairs, name, value)
		}
		return o.post(t, at, append(pairs, "idempotency_key", tenanttest.Random(8))...)
	}
	for field, value := range map[string]string{"hours": "0", "orders": "-1", "cards": "many", "addresses": "", "countries": "1001"} {
		if a := send(map[string]string{field: value}); a.status != http.StatusUnprocessableEntity || !strings.Contains(string(a.body), `class="form-errors"`) {
			t.Errorf("%s as %q: %d", field, value, a.status)
		}
	}
	wantRedirect(t, "saving", send(nil), at)
	o.get(t, at).holds(t, `value="12"`, `value="5"`)
	if a := send(nil); a.status != http.StatusUnprocessableEntity && a.status != http.StatusConflict {
		t.Errorf("on a version that is past: %d", a.status)
	}
}
