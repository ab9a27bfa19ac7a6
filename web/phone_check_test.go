package web_test

import (
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/countinghouse/countinghouse/tenant/tenanttest"
)

// askForNumbers turns the phone check on.
func (o owner) askForNumbers(t testing.TB, when string) {
	t.Helper()
	var rules map[string]any
	o.program.call(t, "GET", "/v1/phone-check", nil).decode(t, &rules)
	rules["when"] = when
	delete(rules, "$schema")
	if a := o.program.call(t, "PUT", "/v1/phone-check", rules); a.status != http.StatusOK {
		t.Fatalf("phone check: %d %s", a.status, a.body)
	}
}

func TestPayingWaitsForAVerifiedNumber(t *testing.T) {
	t.Parallel()
	h := open(t)
	e := h.estate(t)
	o := e.owner
	open := e.link(t, "/invoices/"+e.ids["invoices"]+"/link")
	// The estate paid by this link once: a page of the gateway's may be open.
	o.askForNumbers(t, "before")
	customer := h.browser()
	customer.get(t, open).holds(t, "Verify your phone number", "More information", "before you pay")
	if body := string(customer.get(t, open).body); strings.Contains(body, "by card") || strings.Contains(body, `name="gateway"`) {
		t.Error("the page offers to pay all the same")
	}
	paying := []string{"gateway", e.ids["gateways"]}
	around := map[string]func() answer{
		"the form of before":    func() answer { return customer.post(t, open, paying...) },
		"with a verified field": func() answer { return customer.post(t, open, append(paying, "verified", "yes", "phone", "ok")...) },
		"with a number":         func() answer { return customer.post(t, open, append(paying, "number", "+353861234567")...) },
		"with a code":           func() answer { return customer.post(t, open, append(paying, "code", "000000")...) },
		"keeping the card":      func() answer { return customer.post(t, open, append(paying, "keep", "yes")...) },
		"by a query":            func() answer { return customer.post(t, open+"?verified=yes&sent=yes", paying...) },
		"with a cookie": func() answer {
			c := h.browser()
			c.cookies["phone_verified"] = "yes"
			return c.post(t, open, paying...)
		},
		"another link":           func() answer { return customer.post(t, e.link(t, "/invoices/"+e.ids["invoices"]+"/link"), paying...) },
		"a wrong code":           func() answer { return customer.post(t, open+"/phone/code", "code", "000000") },
		"no code":                func() answer { return customer.post(t, open+"/phone/code") },
		"a code as a number":     func() answer { return customer.post(t, open+"/phone", "number", "000000") },
		"a number of no country": func() answer { return customer.post(t, open+"/phone", "number", "0861234567") },
	}
	for name, try := range around {
		if a := try(); a.status != http.StatusUnprocessableEntity && a.status != http.StatusConflict || strings.Contains(string(a.body), "Go to the card page") {
			t.Errorf("%s: %d to %q", name, a.status, a.header.Get("Location"))
		}
	}
	customer.get(t, open+"/back").holds(t, "Verify your phone number")

	number := newNumber()
	wantRedirect(t, "a number", customer.post(t, open+"/phone", "number", number), strings.TrimPrefix(open, origin)+"/phone?sent=yes")
	customer.get(t, open+"/phone?sent=yes").holds(t, "Type the code", "10 minutes", "5 tries")
	code := h.codeFor(t, number)
	if a := customer.post(t, open+"/phone", "number", newNumber()); a.status != http.StatusTooManyRequests {
		t.Errorf("another number at once: %d", a.status)
	}
	stranger := h.signUp(t)
	theirs := h.browser()
	if a := theirs.post(t, open[:len(open)-4]+"AAAA/phone/code", "code", code); a.status != http.StatusNotFound {
		t.Errorf("the code by a link that is none: %d", a.status)
	}
	if a := stranger.program.call(t, "PUT", "/v1/products/"+e.ids["products"]+"/phone-check", map[string]any{"when": "never"}); a.status != http.StatusNotFound {
		t.Errorf("another organization turns it off: %d", a.status)
	}
	wantRedirect(t, "the code", customer.post(t, open+"/phone/code", "code", code), strings.TrimPrefix(open, origin))
	// And the order goes on where it was.
	customer.get(t, open).holds(t, "by card")
	if a := customer.post(t, open, paying...); a.status != http.StatusOK || !strings.Contains(string(a.body), "Go to the card page") {
		t.Errorf("paying now: %d %s", a.status, a.body)
	}
	wantRedirect(t, "asking for a code that is not needed", customer.post(t, open+"/phone", "number", newNumber()), strings.TrimPrefix(open, origin)+"/phone?sent=yes")
	wantRedirect(t, "and its page", customer.get(t, open+"/phone?sent=yes"), strings.TrimPrefix(open, origin))
	if n := len(h.outbox.Texts()); n != 1 {
		t.Errorf("%d codes were sent", n)
	}
}

func TestANumberIsAskedForOncePaid(t *testing.T) {
	t.Parallel()
	h := open(t)
	e := h.estate(t)
	e.owner.askForNumbers(t, "after")
	link := e.link(t, "/invoices/"+e.ids["invoices"]+"/link")
	customer := h.browser()
	if body := string(customer.get(t, link).body); strings.Contains(body, "Verify") || !strings.Contains(body, "by card") {
		t.Error("before it is paid, a number is asked for")
	}
	var invoice struct {
		Open map[string]string `json:"open"`
	}
	e.program.call(t, "GET", "/v1/invoices/"+e.ids["invoices"], nil).decode(t, &invoice)
	e.program.made(t, "/v1/payments", map[string]any{"invoice_id": e.ids["invoices"], "method": "cash", "amount": invoice.Open})
	customer.get(t, link).holds(t, "Settled in full", "Verify phone number")
	number := newNumber()
	customer.post(t, link+"/phone", "number", number)
	wantRedirect(t, "the code", customer.post(t, link+"/phone/code", "code", h.codeFor(t, number)), strings.TrimPrefix(link, origin))
	if strings.Contains(string(customer.get(t, link).body), "Verify") {
		t.Error("it is asked for again")
	}
	e.owner.askForNumbers(t, "before")
	if strings.Contains(string(customer.get(t, link).body), "Verify") {
		t.Error("what is paid asks for a number before it is paid")
	}
}

func TestFiftyGuessesThroughTheFrontDoor(t *testing.T) {
	t.Parallel()
	h := open(t)
	e := h.estate(t)
	e.owner.askForNumbers(t, "before")
	link, number := e.link(t, "/invoices/"+e.ids["invoices"]+"/link"), newNumber()
	customer := h.browser()
	customer.post(t, link+"/phone", "number", number)
	code := h.codeFor(t, number)
	wrong := "000000"
	if code == wrong {
		wrong = "000001"
	}
	var all sync.WaitGroup
	for range 50 {
		all.Go(func() {
			if a := h.browser().post(t, link+"/phone/code", "code", wrong); a.status != http.StatusUnprocessableEntity {
				t.Errorf("a wrong code: %d", a.status)
			}
		})
	}
	all.Wait()
	if a := customer.post(t, link+"/phone/code", "code", code); a.status != http.StatusUnprocessableEntity {
		t.Errorf("the right one after 50 guesses: %d", a.status)
	}
}

func TestPhoneCheckSettings(t *testing.T) {
	t.Parallel()
	h := open(t)
	o := h.signUp(t)
	at := o.path("/settings/phone-check")
	good := url.Values{"version": {"1"}, "when": {"before"}, "types": {"Gift cards: after\nservice: never"}, "filter": {"^353"}, "text": {"%code% for Tidewater"}, "ways": {"text call"},
		"minutes": {"15"}, "tries": {"4"}, "delay": {"90"}, "number_day": {"3"}, "network_day": {"30"}, "denied": {"kp sy"}, "kinds": {"voip"}}
	send := func(change map[string]string) answer {
		var pairs []string
		for name, values := range good {
			value := values[0]
			if other, ok := change[name]; ok {
				value = other
			}
			pairs = append(pairs, name, value)
		}
		return o.post(t, at, append(pairs, "idempotency_key", tenanttest.Random(8))...)
	}
	for field, value := range map[string]string{"when": "sometimes", "types": "Gift cards", "filter": "^(353", "text": "no code", "ways": "x", "minutes": "0", "tries": "many", "delay": "1",
		"number_day": "100", "network_day": "", "denied": "Ireland", "kinds": "pager"} {
		if a := send(map[string]string{field: value}); a.status != http.StatusUnprocessableEntity || !strings.Contains(string(a.body), `class="form-errors"`) {
			t.Errorf("%s as %q: %d", field, value, a.status)
		}
	}
	wantRedirect(t, "saving", send(nil), at)
	o.get(t, at).holds(t, "gift cards: after", "^353", "KP SY", `value="15"`)
	if a := send(nil); a.status != http.StatusUnprocessableEntity && a.status != http.StatusConflict {
		t.Errorf("on a version that is past: %d", a.status)
	}
	product := o.program.made(t, "/v1/products", map[string]any{"name": "Voucher <b>", "unit_price": "10"})
	wantRedirect(t, "for a product", o.post(t, at+"/products", "idempotency_key", "p", "product_id", product, "when", "never"), at)
	o.get(t, at).holds(t, "<td class=\"m1\">Voucher &lt;b&gt;</td><td class=\"m2\">Never</td>")
	var listed struct {
		Items []struct {
			ProductID string `json:"product_id"`
			When      string
		}
	}
	o.program.call(t, "GET", "/v1/phone-check/products", nil).decode(t, &listed)
	if len(listed.Items) != 1 || listed.Items[0].ProductID != product || listed.Items[0].When != "never" {
		t.Errorf("%+v", listed)
	}
	o.get(t, o.path("/activity")).holds(t, "changed a phone check")
	h.Phones = nil
	if a := o.program.call(t, "PUT", "/v1/products/"+product+"/phone-check", map[string]any{"when": "before"}); a.status != http.StatusConflict || a.problem(t).Code != "phone_check.no_sender" {
		t.Errorf("where nothing is sent: %d %s", a.status, a.body)
	}
}
