package web_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/countinghouse/countinghouse/tenant/tenanttest"
)

// verifies goes through the page on which a number is verified.
func (b buyer) verifies(t testing.TB, number, next string) answer {
	t.Helper()
	if a := b.post(t, "/phone", "number", number, "next", next); a.status != http.StatusSeeOther {
		t.Fatalf("asking for a code: %d %s", a.status, a.body)
	}
	return b.post(t, "/phone/code", "code", b.h.codeFor(t, number), "next", next)
}

// codesOfYesterday lets what was sent be long ago, and no longer good.
func (o owner) codesOfYesterday(t testing.TB) {
	t.Helper()
	tenanttest.AsOwner(t, tenanttest.Organization{Slug: o.slug}, fmt.Sprintf(`UPDATE platform.customer_code SET created_at = created_at - interval '25 hours', expires_at = expires_at - interval '25 hours'
		WHERE organization_id = (SELECT id FROM platform.organization WHERE slug = '%s')`, o.slug))
}

func (o owner) verified(t testing.TB, customer string) string {
	t.Helper()
	var got struct {
		VerifiedPhone string `json:"verified_phone"`
	}
	o.program.call(t, "GET", "/v1/customers/"+customer, nil).decode(t, &got)
	return got.VerifiedPhone
}

func TestShopOrderWaitsForAVerifiedNumber(t *testing.T) {
	t.Parallel()
	h := open(t)
	o := h.signUp(t)
	o.addGateway(t, "practice_"+tenanttest.Random(8))
	once, monthly, _ := o.sells(t)
	ines := o.buyer(t, allRights()...)
	if a := ines.get(t, "/"); strings.Contains(string(a.body), "Verify") {
		t.Error("a number is asked for although nobody wants one")
	}
	o.askForNumbers(t, "before")
	ines.get(t, "/").holds(t, "Verify your phone number.", "More information", "before you order or pay", `href="/phone?next=%2F"`)
	ines.post(t, "/cart", "product", once, "quantity", "2")
	ines.get(t, "/cart").holds(t, ">Verify phone number</button>")
	a := ines.orders(t, monthly, "1")
	asking, err := url.Parse(a.header.Get("Location"))
	if err != nil || a.status != http.StatusSeeOther || asking.Path != "/phone" || !orderPath.MatchString(asking.Query().Get("next")) {
		t.Fatalf("%d to %q: %s", a.status, a.header.Get("Location"), a.body)
	}
	at := asking.Query().Get("next")
	if got := o.order(t, at); got.State != "placed" || got.InvoiceID != "" || len(got.Reasons) != 1 {
		t.Fatalf("%+v", got)
	}
	ines.get(t, at).holds(t, "Your order waits", ">Verify phone number</a>")
	ines.get(t, asking.String()).holds(t, "asks for a phone number that is yours", at)
	number := newNumber()
	wantRedirect(t, "a number", ines.post(t, "/phone", "number", number, "next", at), "/phone?"+url.Values{"next": {at}, "sent": {"yes"}}.Encode())
	ines.get(t, "/phone?sent=yes&next="+at).holds(t, "Type the code")
	wantRedirect(t, "the code", ines.post(t, "/phone/code", "code", h.codeFor(t, number), "next", at), at)
	// And the order went on where it was.
	got := o.order(t, at)
	if got.State != "done" || got.InvoiceID == "" {
		t.Fatalf("%+v", got)
	}
	var subscriptions struct{ Items []struct{ State string } }
	o.program.call(t, "GET", "/v1/subscriptions?customer_id="+ines.customer, nil).decode(t, &subscriptions)
	if len(subscriptions.Items) != 1 {
		t.Errorf("what recurs: %+v", subscriptions)
	}
	if stored := o.verified(t, ines.customer); stored != number {
		t.Errorf("%q is stored", stored)
	}
	o.get(t, o.path("/customers/"+ines.customer)).holds(t, strings.TrimPrefix(number, "+"), "verified")
	if a := ines.get(t, at); strings.Contains(string(a.body), "Verify") || !strings.Contains(string(a.body), "/invoices/"+got.InvoiceID+"/pay") {
		t.Errorf("afterwards: %s", a.body)
	}
	pay := ines.post(t, "/invoices/"+got.InvoiceID+"/pay").header.Get("Location")
	ines.get(t, pay).holds(t, "by card")
	wantRedirect(t, "its page, when no number is asked for", ines.get(t, "/phone?next=/orders"), "/orders")
	wantRedirect(t, "another site as the way back", ines.get(t, "/phone?next=//evil.example"), "/")
	a = ines.orders(t, once, "1")
	if next := o.order(t, a.header.Get("Location")); next.State != "done" {
		t.Errorf("the next order: %+v", next)
	}
}

func TestNarrowerRuleWinsInTheShop(t *testing.T) {
	t.Parallel()
	h := open(t)
	o := h.signUp(t)
	once, monthly, _ := o.sells(t)
	typed := o.program.made(t, "/v1/products", map[string]any{"name": "Gift card", "unit_price": "5", "shop": map[string]any{"in_shop": true, "type": "Gift cards"}})
	rule := func(product, when string) {
		t.Helper()
		if a := o.program.call(t, "PUT", "/v1/products/"+product+"/phone-check", map[string]any{"when": when}); a.status != http.StatusOK {
			t.Fatalf("%d %s", a.status, a.body)
		}
	}
	ordered := func(product string) string {
		t.Helper()
		b := o.buyer(t, allRights()...)
		a := b.orders(t, product, "1")
		if a.status != http.StatusSeeOther {
			t.Fatalf("%d %s", a.status, a.body)
		}
		u, err := url.Parse(a.header.Get("Location"))
		if err != nil {
			t.Fatal(err)
		}
		if u.Path == "/phone" {
			return o.order(t, u.Query().Get("next")).State
		}
		return o.order(t, u.Path).State
	}
	rule(monthly, "before")
	for product, want := range map[string]string{once: "done", monthly: "placed", typed: "done"} {
		if got := ordered(product); got != want {
			t.Errorf("a product alone asks: %s, not %s", got, want)
		}
	}
	var rules map[string]any
	o.program.call(t, "GET", "/v1/phone-check", nil).decode(t, &rules)
	delete(rules, "$schema")
	rules["when"], rules["types"] = "before", map[string]string{"gift cards": "never"}
	if a := o.program.call(t, "PUT", "/v1/phone-check", rules); a.status != http.StatusOK {
		t.Fatalf("%d %s", a.status, a.body)
	}
	rule(monthly, "never")
	for product, want := range map[string]string{once: "placed", monthly: "done", typed: "done"} {
		if got := ordered(product); got != want {
			t.Errorf("the shop asks, a type and a product do not: %s, not %s", got, want)
		}
	}
}

func TestANumberAfterTheFirstOrder(t *testing.T) {
	t.Parallel()
	h := open(t)
	o := h.signUp(t)
	once, _, _ := o.sells(t)
	o.askForNumbers(t, "after")
	ines := o.buyer(t, allRights()...)
	if a := ines.get(t, "/"); strings.Contains(string(a.body), "Verify") {
		t.Error("a number is asked for before anything was paid")
	}
	first := o.order(t, ines.orders(t, once, "1").header.Get("Location"))
	if first.State != "done" {
		t.Fatalf("the first: %+v", first)
	}
	o.program.made(t, "/v1/payments", map[string]any{"invoice_id": first.InvoiceID, "method": "cash", "amount": map[string]string{"amount": first.Total.Amount, "currency": "EUR"}})
	ines.get(t, "/").holds(t, "Verify your phone number.")
	second := strings.TrimPrefix(ines.orders(t, once, "1").header.Get("Location"), "/phone?next=")
	at, err := url.QueryUnescape(second)
	if err != nil || o.order(t, at).State != "placed" {
		t.Fatalf("the second: %q", second)
	}
	wantRedirect(t, "the code", ines.verifies(t, newNumber(), at), at)
	if got := o.order(t, at); got.State != "done" {
		t.Errorf("it did not go on: %+v", got)
	}
}

func TestANumberAtRegistration(t *testing.T) {
	t.Parallel()
	h := open(t)
	o := h.signUp(t)
	once, _, _ := o.sells(t)
	if a := o.program.call(t, "PUT", "/v1/portal", map[string]any{"sign_up": true, "shop_open": true}); a.status != http.StatusOK {
		t.Fatalf("%d", a.status)
	}
	var rules map[string]any
	o.program.call(t, "GET", "/v1/phone-check", nil).decode(t, &rules)
	delete(rules, "$schema")
	rules["at_registration"] = true
	if a := o.program.call(t, "PUT", "/v1/phone-check", rules); a.status != http.StatusOK {
		t.Fatalf("%d %s", a.status, a.body)
	}
	// Whatever a product says: it is the customer that is asked.
	o.program.call(t, "PUT", "/v1/products/"+once+"/phone-check", map[string]any{"when": "never"})
	email := tenanttest.Random(6) + "@pear.example"
	b := h.at(o.slug)
	b.post(t, "/sign-up", "email", email)
	token := strings.TrimPrefix(h.portalLink(t, email, "contact_sign_up"), "/join?token=")
	wantRedirect(t, "registering", b.post(t, "/join", "token", token, "name", "Per Aalto", "company", "Pear", "password", buyerPassword), "/phone?next=%2F")
	per := buyer{browser: b, email: email}
	per.get(t, "/").holds(t, "Verify your phone number.")
	a := per.orders(t, once, "1")
	at, err := url.QueryUnescape(strings.TrimPrefix(a.header.Get("Location"), "/phone?next="))
	if err != nil || o.order(t, at).State != "placed" {
		t.Fatalf("%d to %q", a.status, a.header.Get("Location"))
	}
	wantRedirect(t, "the code", per.verifies(t, newNumber(), "/"), "/")
	if got := o.order(t, at); got.State != "done" {
		t.Errorf("%+v", got)
	}
	// Whom the organization invited is its own to know.
	invited := o.buyer(t, allRights()...)
	if got := o.order(t, invited.orders(t, once, "1").header.Get("Location")); got.State != "done" {
		t.Errorf("someone who was invited: %+v", got)
	}
}

func TestFiftyGuessesInTheShop(t *testing.T) {
	t.Parallel()
	h := open(t)
	o := h.signUp(t)
	o.sells(t)
	o.askForNumbers(t, "before")
	ines := o.buyer(t, allRights()...)
	number := newNumber()
	ines.post(t, "/phone", "number", number)
	code := h.codeFor(t, number)
	wrong := "000000"
	if code == wrong {
		wrong = "000001"
	}
	var all sync.WaitGroup
	for range 50 {
		again := buyer{browser: h.at(o.slug)}
		again.cookies = map[string]string{"__Host-customer": ines.cookies["__Host-customer"]}
		all.Go(func() {
			if a := again.post(t, "/phone/code", "code", wrong); a.status != http.StatusUnprocessableEntity {
				t.Errorf("a wrong code: %d", a.status)
			}
		})
	}
	all.Wait()
	// No more of them were looked at than are allowed.
	tenanttest.AsOwner(t, tenanttest.Organization{Slug: o.slug}, fmt.Sprintf(`DO $$ BEGIN
		IF (SELECT max(tries) FROM platform.customer_code WHERE number = '%s') <> 5 THEN RAISE EXCEPTION 'not 5 guesses were counted'; END IF; END $$`, number))
	if a := ines.post(t, "/phone/code", "code", code); a.status != http.StatusUnprocessableEntity || o.verified(t, ines.customer) != "" {
		t.Errorf("the right one after 50 guesses: %d", a.status)
	}
}

// TestWaysAroundTheShopsPhoneCheck tries what one would try who has no number. After each of them the order waits, nothing is
// charged, and no number is stored.
func TestWaysAroundTheShopsPhoneCheck(t *testing.T) {
	t.Parallel()
	h := open(t)
	o, other := h.signUp(t), h.signUp(t)
	account := o.addGateway(t, "practice_"+tenanttest.Random(8))
	once, monthly, _ := o.sells(t)
	free := o.program.made(t, "/v1/products", map[string]any{"name": "Reeds", "unit_price": "4", "shop": map[string]any{"in_shop": true}})
	o.program.call(t, "PUT", "/v1/products/"+free+"/phone-check", map[string]any{"when": "never"})
	o.askForNumbers(t, "before")
	other.sells(t)
	other.askForNumbers(t, "before")
	ines, eve, away := o.buyer(t, allRights()...), o.buyer(t, allRights()...), other.buyer(t, allRights()...)
	clerk := o.buyerOf(t, ines.customer, "invoices")

	// What ines has: an order that waits, an invoice, a quote with a link, a paused subscription, and an invoice for what asked for
	// nothing when it was ordered.
	at, err := url.QueryUnescape(strings.TrimPrefix(ines.orders(t, once, "1").header.Get("Location"), "/phone?next="))
	if err != nil || !orderPath.MatchString(at) {
		t.Fatal(at, err)
	}
	invoice := o.invoiceFor(t, ines.customer, "50")
	link := o.link(t, "/invoices/"+invoice+"/link")
	portalLink := ines.post(t, "/invoices/"+invoice+"/pay").header.Get("Location")
	lines := []any{map[string]any{"product_id": once, "description": "Fork", "quantity": "1", "unit_price": "10"}}
	quote := o.program.made(t, "/v1/quotes", map[string]any{"customer_id": ines.customer, "lines": lines})
	o.program.call(t, "POST", "/v1/quotes/"+quote+"/issue", nil)
	found := offerLink.FindSubmatch(o.press(t, "/quotes/"+quote, "/quotes/"+quote+"/link").body)
	if found == nil {
		t.Fatal("no link to the quote")
	}
	offer := string(found[1])
	sub := o.program.made(t, "/v1/subscriptions", map[string]any{"customer_id": ines.customer, "unit": "month", "every": 1, "items": lines})
	o.program.call(t, "POST", "/v1/subscriptions/"+sub+"/pause", nil)
	bought := o.order(t, ines.orders(t, free, "1").header.Get("Location"))
	if bought.State != "done" {
		t.Fatalf("what asks for nothing: %+v", bought)
	}
	later := ines.post(t, "/invoices/"+bought.InvoiceID+"/pay").header.Get("Location")
	o.program.call(t, "PUT", "/v1/products/"+free+"/phone-check", map[string]any{"when": "before"})

	// Eve is another customer, whose number is verified; and a code of hers is used up.
	number := newNumber()
	if a := eve.verifies(t, number, "/"); a.status != http.StatusSeeOther {
		t.Fatalf("%d %s", a.status, a.body)
	}
	used := h.codeFor(t, number)
	o.codesOfYesterday(t)
	theirs := newNumber()
	away.post(t, "/phone", "number", theirs)
	foreign := h.codeFor(t, theirs)

	key := func() string { return tenanttest.Random(6) }
	passing := func(b *browser, path string, pairs ...string) func() answer {
		return func() answer { return b.post(t, path, append(pairs, "idempotency_key", key())...) }
	}
	paying := []string{"gateway", account}
	me := ines.browser
	with := func(cookies map[string]string) *browser { b := h.at(o.slug); b.cookies = cookies; return b }
	api := program{h, ""}
	order := map[string]any{"customer_id": ines.customer, "lines": []any{map[string]any{"product_id": once, "quantity": 1}}}
	ways := map[string]func() answer{
		"going on":                             passing(me, at+"/continue"),
		"going on, with a field that says so":  passing(me, at+"/continue", "verified", "yes", "phone", "+353861234567", "force", "1"),
		"going on, by a query":                 passing(me, at+"/continue?verified=yes&sent=yes"),
		"going on, by a cookie":                passing(with(map[string]string{"__Host-customer": ines.cookies["__Host-customer"], "phone_verified": "yes"}), at+"/continue"),
		"going on with it as another customer": passing(eve.browser, at+"/continue"),
		"going on without a session":           passing(h.at(o.slug), at+"/continue"),
		"with another portal's cookie":         passing(with(away.cookies), at+"/continue"),
		"with a session as a member's":         passing(with(map[string]string{"__Host-session": ines.cookies["__Host-customer"]}), at+"/continue"),
		"releasing it as a member would":       passing(me, "/o/"+o.slug+at+"/release"),
		"by the API with the customer's cookie": func() answer {
			return api.call(t, "POST", "/v1"+at+"/release", nil, "Cookie", "__Host-session="+ines.cookies["__Host-customer"])
		},
		"turning the rule off at the portal's host": func() answer {
			r := httptest.NewRequest("PUT", "/v1/phone-check", strings.NewReader(`{"when":"never"}`))
			r.Header.Set("Content-Type", "application/json")
			return me.do(t, r)
		},
		"turning it off from another organization": func() answer {
			return other.program.call(t, "PUT", "/v1/products/"+once+"/phone-check", map[string]any{"when": "never"})
		},
		"saying in an order that it is verified": func() answer {
			wrong := map[string]any{"verified_phone": "+353861234567"}
			for k, v := range order {
				wrong[k] = v
			}
			return o.program.call(t, "POST", "/v1/orders", wrong, "Idempotency-Key", key())
		},
		"saying in an order that it is done": func() answer {
			wrong := map[string]any{"state": "done"}
			for k, v := range order {
				wrong[k] = v
			}
			return o.program.call(t, "POST", "/v1/orders", wrong, "Idempotency-Key", key())
		},
		"writing the number onto the customer": func() answer {
			return o.program.call(t, "PUT", "/v1/customers/"+ines.customer, map[string]any{"name": "Apple", "verified_phone": "+353861234567"})
		},
		"writing it with one's own address":       passing(me, "/company", "name", "", "verified_phone", "+353861234567", "version", "1"),
		"a wrong code":                            passing(me, "/phone/code", "code", "000000"),
		"no code":                                 passing(me, "/phone/code"),
		"a code of letters":                       passing(me, "/phone/code", "code", "'; --"),
		"another customer's code, used up":        passing(me, "/phone/code", "code", used),
		"another organization's code":             passing(me, "/phone/code", "code", foreign),
		"as a colleague who may not order or pay": passing(clerk.browser, "/phone", "number", newNumber()),
		"their code as well":                      passing(clerk.browser, "/phone/code", "code", used),
		"a number of no country":                  passing(me, "/phone", "number", "0861234567"),
		"a number that costs whoever calls it":    passing(me, "/phone", "number", "+353 1550 123 456"),
		"no number":                               passing(me, "/phone", "number", ""),
		"paying by a link":                        passing(h.browser(), link, paying...),
		"paying by a link, keeping the card":      passing(h.browser(), link+"?verified=yes", append(paying, "keep", "yes")...),
		"paying in the portal":                    passing(me, portalLink, paying...),
		"paying for what asked for nothing then":  passing(me, later, paying...),
		"a code by the link of the invoice":       passing(h.browser(), link+"/phone/code", "code", foreign),
		"a code by the link of the quote":         passing(h.browser(), offer+"/phone/code", "code", foreign),
		"accepting a quote by its link":           passing(h.browser(), offer+"/accept", "name", "Inês"),
	}
	// These lead to the page on which one verifies.
	led := map[string]func() answer{
		"accepting a quote in the portal":  passing(me, "/quotes/"+quote+"/accept"),
		"letting a subscription go on":     passing(me, "/subscriptions/"+sub+"/resume", "version", "2"),
		"ordering what recurs":             func() answer { return ines.orders(t, monthly, "1") },
		"ordering what asked for nothing":  func() answer { return ines.orders(t, free, "1") },
		"ordering again":                   func() answer { return ines.orders(t, once, "2") },
		"ordering much of it, with a note": func() answer { return ines.orders(t, once, "900", free, "1") },
	}
	untouched := func(name string) {
		t.Helper()
		if got := o.order(t, at); got.State != "placed" || got.InvoiceID != "" {
			t.Errorf("%s: the order went on: %+v", name, got)
		}
		if stored := o.verified(t, ines.customer); stored != "" {
			t.Errorf("%s: %q is stored", name, stored)
		}
	}
	if n := len(ways) + len(led); n < 30 {
		t.Fatalf("only %d ways", n)
	}
	for name, try := range ways {
		a := try()
		if a.status < 400 && (a.status != http.StatusSeeOther || !strings.HasPrefix(a.header.Get("Location"), "/sign-in")) || a.status >= 500 || strings.Contains(string(a.body), "Go to the card page") {
			t.Errorf("%s: %d to %q", name, a.status, a.header.Get("Location"))
		}
		untouched(name)
	}
	for name, try := range led {
		if a := try(); a.status != http.StatusSeeOther || !strings.HasPrefix(a.header.Get("Location"), "/phone?next=") {
			t.Errorf("%s: %d to %q", name, a.status, a.header.Get("Location"))
		}
		untouched(name)
	}
	// A program's order waits as well.
	made := o.program.made(t, "/v1/orders", order)
	if got := o.order(t, "/orders/"+made); got.State != "placed" {
		t.Errorf("a program's order: %+v", got)
	}
	t.Run("with a number that another customer verified, though the code is right", func(t *testing.T) {
		if a := ines.post(t, "/phone", "number", number); a.status != http.StatusSeeOther {
			t.Fatalf("%d %s", a.status, a.body)
		}
		ines.post(t, "/phone/code", "code", h.codeFor(t, number)).holds(t, "Another customer has verified this number already")
		untouched("a number that is taken")
	})
	t.Run("with a code that is past, and with one that was replaced", func(t *testing.T) {
		o.codesOfYesterday(t)
		own := newNumber()
		ines.post(t, "/phone", "number", own)
		past := h.codeFor(t, own)
		o.codesOfYesterday(t)
		if a := ines.post(t, "/phone/code", "code", past); a.status != http.StatusUnprocessableEntity {
			t.Errorf("past: %d", a.status)
		}
		ines.post(t, "/phone", "number", own)
		if again := h.codeFor(t, own); again != past {
			if a := ines.post(t, "/phone/code", "code", past); a.status != http.StatusUnprocessableEntity {
				t.Errorf("replaced: %d", a.status)
			}
		}
		untouched("a code of before")
		// And the right one, so that all of this was refused for what it was.
		wantRedirect(t, "the right one", ines.post(t, "/phone/code", "code", h.codeFor(t, own), "next", at), at)
		if got := o.order(t, at); got.State != "done" {
			t.Errorf("%+v", got)
		}
	})
	t.Run("nothing was accepted, resumed or charged", func(t *testing.T) {
		var q, s struct{ State string }
		o.program.call(t, "GET", "/v1/quotes/"+quote, nil).decode(t, &q)
		o.program.call(t, "GET", "/v1/subscriptions/"+sub, nil).decode(t, &s)
		if q.State != "issued" || s.State != "paused" {
			t.Errorf("the quote is %s, the subscription %s", q.State, s.State)
		}
		var charges struct{ Items []any }
		o.program.call(t, "GET", "/v1/charges", nil).decode(t, &charges)
		if len(charges.Items) != 0 {
			t.Errorf("%d charges", len(charges.Items))
		}
	})
}
