package gateway_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/stripe/stripe-go/v85/webhook"

	"github.com/countinghouse/countinghouse/billing/gateway"
	"github.com/countinghouse/countinghouse/billing/money"
)

const (
	stripeKey    = "sk_test_0123456789abcdef"
	stripeSecret = "whsec_0123456789abcdef"
)

var eur = money.MustCurrency("EUR")

func euros(minor int64) money.Amount { return money.Amount{Minor: minor, Currency: eur} }

// stripeHouse answers as Stripe's API does, in the parts that we use, and remembers what it was told.
type stripeHouse struct {
	mu       sync.Mutex
	t        *testing.T
	intents  []map[string]any
	sessions []map[string]any
	refunds  []map[string]any
	byKey    map[string]map[string]any
	cut      bool // answer nothing to the next order, after doing it
	fail     int  // answer the next order with this status, without doing it
}

type object = map[string]any

func openStripe(t *testing.T) (*stripeHouse, gateway.Gateway) {
	t.Helper()
	h := &stripeHouse{t: t, byKey: map[string]map[string]any{}}
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	return h, gateway.NewStripe(gateway.Credentials{Key: stripeKey, WebhookSecret: stripeSecret}, server.URL, fresh())
}

// fresh opens a connection for each call: on one that it has used before, net/http itself sends a request with an
// Idempotency-Key once more when it is cut.
func fresh() *http.Client {
	return &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
}

func (h *stripeHouse) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if r.Header.Get("Authorization") != "Bearer "+stripeKey {
		h.write(w, 401, object{"error": object{"type": "invalid_request_error"}})
		return
	}
	if err := r.ParseForm(); err != nil {
		h.t.Error(err)
	}
	if r.Method == http.MethodGet {
		h.get(w, r)
		return
	}
	key := r.Header.Get("Idempotency-Key")
	if kept, ok := h.byKey[key]; ok && key != "" {
		h.write(w, 200, kept)
		return
	}
	if h.fail != 0 {
		status := h.fail
		h.fail = 0
		h.write(w, status, object{"error": object{"type": "api_error", "message": "4242424242424242 was not accepted"}})
		return
	}
	made, status := h.order(r)
	if status == 200 {
		h.byKey[key] = made
	}
	if h.cut {
		h.cut = false
		panic(http.ErrAbortHandler)
	}
	h.write(w, status, made)
}

func (h *stripeHouse) order(r *http.Request) (object, int) {
	form := r.PostForm
	minor := func(name string) int64 {
		n, err := strconv.ParseInt(form.Get(name), 10, 64)
		if err != nil {
			h.t.Errorf("%s: %v in %v", name, err, form)
		}
		return n
	}
	switch r.URL.Path {
	case "/v1/payment_intents":
		if form.Get("off_session") != "true" || form.Get("confirm") != "true" || form.Get("customer") != "cus_1" {
			h.t.Errorf("ordered by %v", form)
		}
		i := h.intent(minor("amount"), form.Get("currency"), form.Get("metadata[countinghouse_key]"))
		if form.Get("payment_method") == "pm_declined" {
			i["status"] = "requires_payment_method"
			return object{"error": object{"type": "card_error", "code": "card_declined", "decline_code": "insufficient_funds", "payment_intent": i}}, 402
		}
		return i, 200
	case "/v1/checkout/sessions":
		if form.Get("mode") != "payment" || form.Get("success_url") == "" || form.Get("line_items[0][quantity]") != "1" ||
			form.Get("payment_intent_data[metadata][countinghouse_key]") != form.Get("client_reference_id") {
			h.t.Errorf("page ordered by %v", form)
		}
		s := object{"object": "checkout.session", "id": fmt.Sprintf("cs_%d", len(h.sessions)+1), "status": "open", "payment_status": "unpaid",
			"amount_total": minor("line_items[0][price_data][unit_amount]"), "currency": form.Get("line_items[0][price_data][currency]"),
			"client_reference_id": form.Get("client_reference_id"), "url": "https://checkout.stripe.example/1"}
		h.sessions = append(h.sessions, s)
		return s, 200
	case "/v1/refunds":
		f := object{"object": "refund", "id": fmt.Sprintf("re_%d", len(h.refunds)+1), "amount": minor("amount"), "currency": "eur", "status": "succeeded",
			"payment_intent": form.Get("payment_intent"), "metadata": object{"countinghouse_key": form.Get("metadata[countinghouse_key]")}}
		h.refunds = append(h.refunds, f)
		return f, 200
	case "/v1/checkout/sessions/cs_1/expire":
		if h.sessions[0]["status"] != "open" {
			return object{"error": object{"type": "invalid_request_error"}}, 400
		}
		h.sessions[0]["status"] = "expired"
		return h.sessions[0], 200
	}
	return object{"error": object{"type": "invalid_request_error"}}, 404
}

func (h *stripeHouse) intent(amount int64, currency, key string) object {
	i := object{"object": "payment_intent", "id": fmt.Sprintf("pi_%d", len(h.intents)+1), "amount": amount, "amount_received": amount,
		"currency": currency, "status": "succeeded", "customer": "cus_1", "payment_method": "pm_1", "metadata": object{"countinghouse_key": key},
		"latest_charge": object{"id": "ch_1", "balance_transaction": object{"id": "txn_1", "fee": 59, "currency": "eur"},
			"payment_method_details": object{"card": object{"brand": "visa", "last4": "4242", "exp_month": 4, "exp_year": 2031}}}}
	h.intents = append(h.intents, i)
	return i
}

func (h *stripeHouse) get(w http.ResponseWriter, r *http.Request) {
	lists := map[string][]map[string]any{"/v1/payment_intents": h.intents, "/v1/checkout/sessions": h.sessions, "/v1/refunds": h.refunds}
	for path, all := range lists {
		if r.URL.Path == path {
			h.write(w, 200, object{"object": "list", "data": all, "has_more": false, "url": path})
			return
		}
		for _, one := range all {
			if r.URL.Path == path+"/"+one["id"].(string) {
				h.write(w, 200, one)
				return
			}
		}
	}
	h.write(w, 404, object{"error": object{"type": "invalid_request_error", "code": "resource_missing"}})
}

func (h *stripeHouse) write(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	if err := json.NewEncoder(w).Encode(v); err != nil {
		h.t.Error(err)
	}
}

func charge(key, method string) gateway.ChargeOrder {
	return gateway.ChargeOrder{Key: key, Amount: euros(1999), Card: gateway.Card{Token: method, Customer: "cus_1"}, Description: "Invoice INV-0001"}
}

func TestStripeCharges(t *testing.T) {
	t.Parallel()
	h, g := openStripe(t)
	got, err := g.Charge(t.Context(), charge("k1", "pm_1"))
	want := gateway.Charge{Key: "k1", Ref: "pi_1", State: gateway.Succeeded, Amount: euros(1999), Fee: euros(59),
		Card: gateway.Card{Token: "pm_1", Customer: "cus_1", Brand: "visa", LastFour: "4242", Expires: "2031-04"}}
	if err != nil || got != want {
		t.Errorf("%+v, %v", got, err)
	}
	if got, err := g.Charge(t.Context(), charge("k2", "pm_declined")); err != nil || got.State != gateway.Declined || got.Reason != "insufficient_funds" {
		t.Errorf("declined: %+v, %v", got, err)
	}
	t.Run("an answer that is lost is unknown, and found by its key", func(t *testing.T) {
		h.mu.Lock()
		h.cut = true
		before := len(h.intents)
		h.mu.Unlock()
		if _, err := g.Charge(t.Context(), charge("k3", "pm_1")); !errors.Is(err, gateway.ErrUnknown) {
			t.Fatalf("cut off: %v", err)
		}
		found, err := g.FindCharge(t.Context(), gateway.Query{Key: "k3", Since: time.Now()})
		if err != nil || found.State != gateway.Succeeded || found.Key != "k3" {
			t.Errorf("asked: %+v, %v", found, err)
		}
		h.mu.Lock()
		defer h.mu.Unlock()
		if len(h.intents) != before+1 {
			t.Errorf("%d charges were made of one order", len(h.intents)-before)
		}
	})
	if _, err := g.FindCharge(t.Context(), gateway.Query{Key: "k9", Since: time.Now()}); !errors.Is(err, gateway.ErrNotThere) {
		t.Errorf("what was never ordered: %v", err)
	}
}

func TestStripeFailures(t *testing.T) {
	t.Parallel()
	h, g := openStripe(t)
	for status, want := range map[int]error{500: gateway.ErrUnknown, 503: gateway.ErrUnknown, 409: gateway.ErrUnknown, 429: gateway.ErrUnreachable,
		400: gateway.ErrRefused, 403: gateway.ErrCredentials} {
		h.mu.Lock()
		h.fail = status
		h.mu.Unlock()
		_, err := g.Charge(t.Context(), charge(fmt.Sprint("f", status), "pm_1"))
		if !errors.Is(err, want) {
			t.Errorf("%d: %v", status, err)
		}
		for cause := err; cause != nil; cause = errors.Unwrap(cause) {
			if s := cause.Error(); len(s) > 400 || contains(s, "4242") || contains(s, stripeKey) {
				t.Errorf("%d: the error tells what it should not: %s", status, s)
			}
		}
	}
	stranger := gateway.NewStripe(gateway.Credentials{Key: "sk_test_of_somebody_else"}, serverOf(t, h), http.DefaultClient)
	if _, err := stranger.Charge(t.Context(), charge("x", "pm_1")); !errors.Is(err, gateway.ErrCredentials) {
		t.Errorf("a wrong key: %v", err)
	}
	if _, err := stranger.FindCharge(t.Context(), gateway.Query{Ref: "pi_1"}); !errors.Is(err, gateway.ErrCredentials) {
		t.Errorf("asking with a wrong key: %v", err)
	}
}

func serverOf(t *testing.T, h http.Handler) string {
	t.Helper()
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	return server.URL
}

func contains(s, part string) bool {
	for i := 0; i+len(part) <= len(s); i++ {
		if s[i:i+len(part)] == part {
			return true
		}
	}
	return false
}

func TestStripeHostedPage(t *testing.T) {
	t.Parallel()
	h, g := openStripe(t)
	page, err := g.Checkout(t.Context(), gateway.CheckoutOrder{Key: "c1", Amount: euros(500), Description: "Invoice", Back: "https://books.example/pay/x"})
	if err != nil || page.State != gateway.Waiting || page.URL == "" || page.Ref != "cs_1" || page.Amount != euros(500) {
		t.Fatalf("%+v, %v", page, err)
	}
	if got, err := g.FindCharge(t.Context(), gateway.Query{Key: "c1", Hosted: true, Since: time.Now()}); err != nil || got.Ref != "cs_1" {
		t.Errorf("found by key: %+v, %v", got, err)
	}
	h.mu.Lock()
	h.sessions[0]["payment_intent"], h.sessions[0]["status"] = h.intent(500, "eur", "c1"), "complete"
	h.mu.Unlock()
	got, err := g.Cancel(t.Context(), "cs_1")
	if err != nil || got.State != gateway.Succeeded || got.Ref != "pi_1" || got.Key != "c1" {
		t.Errorf("called off after it was paid: %+v, %v", got, err)
	}
}

func TestStripeRefunds(t *testing.T) {
	t.Parallel()
	_, g := openStripe(t)
	for range 2 {
		got, err := g.Refund(t.Context(), gateway.RefundOrder{Key: "r1", Charge: "pi_1", Amount: euros(500)})
		if err != nil || got != (gateway.Refund{Key: "r1", Ref: "re_1", Charge: "pi_1", State: gateway.Succeeded, Amount: euros(500)}) {
			t.Errorf("%+v, %v", got, err)
		}
	}
	if got, err := g.FindRefund(t.Context(), gateway.Query{Key: "r1", Charge: "pi_1"}); err != nil || got.Ref != "re_1" {
		t.Errorf("found by key: %+v, %v", got, err)
	}
	if _, err := g.FindRefund(t.Context(), gateway.Query{Key: "r2", Charge: "pi_1"}); !errors.Is(err, gateway.ErrNotThere) {
		t.Errorf("what was never ordered: %v", err)
	}
}

// A hundred times too much or too little is what mistaking the unit comes to.
func TestStripeUnits(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		code        string
		ours, wants int64
	}{{"EUR", 1999, 1999}, {"JPY", 500, 500}, {"KWD", 5120, 5120}, {"ISK", 500, 50000}, {"UGX", 5, 500}, {"MGA", 50000, 500}} {
		h, g := openStripe(t)
		o := charge("k-"+c.code, "pm_1")
		o.Amount = money.Amount{Minor: c.ours, Currency: money.MustCurrency(c.code)}
		got, err := g.Charge(t.Context(), o)
		if err != nil || got.Amount != o.Amount {
			t.Errorf("%s: charged %+v, %v", c.code, got.Amount, err)
		}
		page, err := g.Checkout(t.Context(), gateway.CheckoutOrder{Key: "p-" + c.code, Amount: o.Amount, Description: "x", Back: "https://here.example/"})
		if err != nil || page.Amount != o.Amount {
			t.Errorf("%s: the page asks for %+v, %v", c.code, page.Amount, err)
		}
		if charged, asked := h.intents[0]["amount"], h.sessions[0]["amount_total"]; charged != c.wants || asked != c.wants {
			t.Errorf("%s: stripe was told %v and %v, not %d", c.code, charged, asked, c.wants)
		}
		if _, err := g.Refund(t.Context(), gateway.RefundOrder{Key: "r-" + c.code, Charge: "pi_1", Amount: o.Amount}); err != nil {
			t.Errorf("%s: %v", c.code, err)
		}
		if back := h.refunds[0]["amount"]; back != c.wants {
			t.Errorf("%s: stripe was told to give back %v, not %d", c.code, back, c.wants)
		}
	}
	h, g := openStripe(t)
	o := charge("part", "pm_1")
	o.Amount = money.Amount{Minor: 5124, Currency: money.MustCurrency("KWD")}
	if _, err := g.Charge(t.Context(), o); !errors.Is(err, gateway.ErrRefused) {
		t.Errorf("a thousandth of a dinar: %v", err)
	}
	o.Amount = money.Amount{Minor: 150, Currency: money.MustCurrency("MGA")}
	if _, err := g.Charge(t.Context(), o); !errors.Is(err, gateway.ErrRefused) || len(h.intents) != 0 {
		t.Errorf("a part of an ariary: %v", err)
	}
}

func TestStripeMessages(t *testing.T) {
	t.Parallel()
	_, g := openStripe(t)
	if _, err := g.Charge(t.Context(), charge("k1", "pm_1")); err != nil {
		t.Fatal(err)
	}
	signed := func(body, secret string, at time.Time) http.Header {
		p := webhook.GenerateTestSignedPayload(&webhook.UnsignedPayload{Payload: []byte(body), Secret: secret, Timestamp: at})
		return http.Header{"Stripe-Signature": {p.Header}}
	}
	paid := `{"id":"evt_1","object":"event","type":"payment_intent.succeeded","data":{"object":{"id":"pi_1","amount_received":1}}}`
	e, err := g.Receive(t.Context(), signed(paid, stripeSecret, time.Now()), []byte(paid))
	if err != nil || e.Charge == nil || e.Charge.Amount != euros(1999) {
		t.Errorf("a message is asked about, not believed: %+v, %v", e.Charge, err)
	}
	withdrawn := `{"id":"evt_2","object":"event","type":"charge.dispute.funds_withdrawn","data":{"object":{"id":"du_1","object":"dispute","amount":1999,
		"currency":"eur","payment_intent":"pi_1","balance_transactions":[{"id":"txn_2","amount":-1999,"fee":2000,"currency":"eur"}]}}}`
	e, err = g.Receive(t.Context(), signed(withdrawn, stripeSecret, time.Now()), []byte(withdrawn))
	if err != nil || e.Dispute == nil || *e.Dispute != (gateway.Dispute{Ref: "du_1", Charge: "pi_1", Amount: euros(1999), Fee: euros(2000)}) {
		t.Errorf("a dispute: %+v, %v", e.Dispute, err)
	}
	other := `{"id":"evt_3","object":"event","type":"customer.created","data":{"object":{"id":"cus_1"}}}`
	if e, err := g.Receive(t.Context(), signed(other, stripeSecret, time.Now()), []byte(other)); err != nil || e != (gateway.Event{}) {
		t.Errorf("what does not concern us: %+v, %v", e, err)
	}
	for name, header := range map[string]http.Header{"unsigned": {}, "by another": signed(paid, "whsec_other", time.Now()),
		"an hour old": signed(paid, stripeSecret, time.Now().Add(-time.Hour))} {
		if _, err := g.Receive(t.Context(), header, []byte(paid)); !errors.Is(err, gateway.ErrSignature) {
			t.Errorf("%s: %v", name, err)
		}
	}
	without := gateway.NewStripe(gateway.Credentials{Key: stripeKey}, "https://stripe.example", fresh())
	if _, err := without.Receive(t.Context(), signed(withdrawn, "", time.Now()), []byte(withdrawn)); !errors.Is(err, gateway.ErrSignature) {
		t.Errorf("signed with nothing, to an account without a secret: %v", err)
	}
}
