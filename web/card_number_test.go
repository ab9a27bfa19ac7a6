package web_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/countinghouse/countinghouse/billing"
	"github.com/countinghouse/countinghouse/billing/gateway/fake"
	"github.com/countinghouse/countinghouse/tenant/tenanttest"
)

const amexNumber, amexSpaced = "378282246310005", "3782 822463 10005"

func TestCardNumberAPI(t *testing.T) {
	t.Parallel()
	h := open(t)
	o := h.signUp(t)
	key := "practice_" + tenanttest.Random(8)
	account := o.gatewayByAPI(t, key)
	customer := o.made(t, "/v1/customers", map[string]any{"name": secretName})
	body := map[string]any{"customer_id": customer, "gateway_id": account, "card_number": amexSpaced, "expires": "04/31"}
	if a := o.call(t, "POST", "/v1/cards", body); a.status != http.StatusConflict || a.problem(t).Code != "card_numbers.off" || strings.Contains(string(a.body), "3782") {
		t.Fatalf("where none are kept: %d %s", a.status, a.body)
	}
	h.Till.CardNumbers = "Ada Byron"
	for _, wrong := range []struct{ field, value, code string }{
		{"card_number", "3782 822463 10006", "card.number"}, {"card_number", "9999999999999995", "card.brand"}, {"expires", "04/20", "card.expired"},
		{"expires", "soon", "card.expires"}, {"gateway_id", "", "payment_method.gateway"},
	} {
		sent := map[string]any{"customer_id": customer, "gateway_id": account, "card_number": amexSpaced, "expires": "04/31", wrong.field: wrong.value}
		a := o.call(t, "POST", "/v1/cards", sent)
		if a.status != http.StatusUnprocessableEntity || !strings.Contains(string(a.body), `"`+wrong.code+`"`) || strings.Contains(string(a.body), "3782") || strings.Contains(string(a.body), "99999") {
			t.Errorf("%v: %d %s", wrong, a.status, a.body)
		}
	}
	var card struct {
		ID, Kind, Brand, Expires string
		LastFour                 string `json:"last_four"`
		Chargeable               bool
	}
	a := o.call(t, "POST", "/v1/cards", body, "Idempotency-Key", "card")
	if a.decode(t, &card); a.status != http.StatusCreated || card.Kind != "card" || card.Brand != "amex" || card.LastFour != "0005" || card.Expires != "2031-04" || !card.Chargeable ||
		strings.Contains(string(a.body), amexNumber) {
		t.Fatalf("stored: %d %s", a.status, a.body)
	}
	invoice := o.invoiceFor(t, customer, "100")
	charge := map[string]any{"invoice_id": invoice, "payment_method_id": card.ID, "amount": map[string]string{"amount": "40.00", "currency": "EUR"}, "cvv": "7391"}
	for _, cvv := range []string{"739", "73x1"} {
		charge["cvv"] = cvv
		if a := o.call(t, "POST", "/v1/charges", charge); a.status != http.StatusUnprocessableEntity || !strings.Contains(string(a.body), `"card.cvv"`) || strings.Contains(string(a.body), cvv) {
			t.Errorf("code %s: %d %s", cvv, a.status, a.body)
		}
	}
	var done struct {
		ID, State string
		Ref       string `json:"gateway_reference"`
	}
	charge["cvv"] = "7391"
	a = o.call(t, "POST", "/v1/charges", charge, "Idempotency-Key", "one")
	if a.decode(t, &done); a.status != http.StatusCreated || done.State != "succeeded" || !h.practice.CheckedCVV(key, done.Ref) {
		t.Fatalf("charged: %d %s", a.status, a.body)
	}
	// The code is in nothing that is kept of the request: the same with another code is the same request.
	charge["cvv"] = "1111"
	first := done.ID
	a = o.call(t, "POST", "/v1/charges", charge, "Idempotency-Key", "one")
	if a.decode(t, &done); a.status != http.StatusCreated || done.ID != first || a.header.Get("Idempotency-Replayed") != "true" {
		t.Errorf("sent again: %d %s", a.status, a.body)
	}
	charge["amount"] = map[string]string{"amount": "41.00", "currency": "EUR"}
	if a := o.call(t, "POST", "/v1/charges", charge, "Idempotency-Key", "one"); a.status != http.StatusUnprocessableEntity {
		t.Errorf("another amount under the same key: %d %s", a.status, a.body)
	}
	if n := len(h.practice.Movements(key)); n != 2 {
		t.Errorf("%d movements", n)
	}
	token := o.storedCard(t, account, customer, fake.CardGood)
	delete(charge, "amount")
	charge["payment_method_id"] = token
	if a := o.call(t, "POST", "/v1/charges", charge); a.status != http.StatusUnprocessableEntity || !strings.Contains(string(a.body), `"charge.cvv"`) {
		t.Errorf("a code for a card that the gateway keeps: %d %s", a.status, a.body)
	}
}

func TestCardNumberPage(t *testing.T) {
	t.Parallel()
	h := open(t)
	o := h.signUp(t)
	key := "practice_" + tenanttest.Random(8)
	account := o.addGateway(t, key)
	invoice, customer := o.issued(t)
	methods := o.path("/customers/" + customer + "/methods")
	if a := o.get(t, methods); strings.Contains(string(a.body), "card_number") {
		t.Error("where no card numbers are kept, a form asks for one")
	}
	a := o.post(t, methods+"/card", "gateway_id", account, "card_number", amexNumber, "expires", "04/31")
	if a.status != http.StatusUnprocessableEntity || !strings.Contains(string(a.body), "keeps no card numbers") || strings.Contains(string(a.body), amexNumber) {
		t.Errorf("stored all the same: %d %s", a.status, a.body)
	}
	h.Till.CardNumbers = "Ada Byron"
	if a := o.get(t, methods); !strings.Contains(string(a.body), `name="card_number"`) || !strings.Contains(string(a.body), account) {
		t.Errorf("no form for a card: %s", a.body)
	}
	a = o.post(t, methods+"/card", "gateway_id", account, "card_number", amexNumber, "expires", "04/20")
	if a.status != http.StatusUnprocessableEntity || strings.Contains(string(a.body), amexNumber) || !strings.Contains(string(a.body), "no longer valid") || !strings.Contains(string(a.body), `value="04/20"`) {
		t.Errorf("a card of the past: %d %s", a.status, a.body)
	}
	if a := o.post(t, methods+"/card", "gateway_id", account, "card_number", amexSpaced, "expires", "04/31"); a.status != http.StatusSeeOther {
		t.Fatalf("%d %s", a.status, a.body)
	}
	a = o.get(t, methods)
	if body := string(a.body); !strings.Contains(body, "…0005") || !strings.Contains(body, "American Express") || strings.Contains(body, amexNumber) {
		t.Errorf("listed: %s", a.body)
	}
	page := string(o.get(t, o.path("/invoices/"+invoice)).body)
	_, after, found := strings.Cut(page, `name="method_id" value="`)
	if !found || !strings.Contains(page, `name="cvv"`) {
		t.Fatalf("it cannot be charged on %s", page)
	}
	method := after[:36]
	a = o.post(t, o.path("/invoices/"+invoice+"/charge"), "method_id", method, "cvv", "739")
	if a.status != http.StatusUnprocessableEntity || strings.Contains(string(a.body), `value="739"`) || !strings.Contains(string(a.body), "security code has three digits") {
		t.Errorf("a short code: %d %s", a.status, a.body)
	}
	if a := o.post(t, o.path("/invoices/"+invoice+"/charge"), "method_id", method, "cvv", "7391"); a.status != http.StatusSeeOther {
		t.Errorf("charged: %d %s", a.status, a.body)
	}
	charges := h.practice.Movements(key)
	if len(charges) != 2 || charges[0].Amount != 10000 || !h.practice.CheckedCVV(key, charges[0].Ref) {
		t.Errorf("the gateway has %v", charges)
	}
	h.Till.CardNumbers = ""
	other := o.invoiceFor(t, customer, "5")
	if page := string(o.get(t, o.path("/invoices/"+other)).body); strings.Contains(page, `name="cvv"`) {
		t.Error("a card number is offered where none is charged any more")
	}
	if a := o.post(t, o.path("/invoices/"+other+"/charge"), "method_id", method); a.status != http.StatusSeeOther || len(h.practice.Movements(key)) != 2 {
		t.Errorf("charged all the same: %d, %v", a.status, h.practice.Movements(key))
	}
	if page := string(o.get(t, o.path("/invoices/"+other)).body); !strings.Contains(page, billing.ErrCardNumbersOff.Say[:30]) {
		t.Errorf("it is not said why: %s", page)
	}
}
