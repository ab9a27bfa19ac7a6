package web_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/countinghouse/countinghouse/billing/gateway/fake"
	"github.com/countinghouse/countinghouse/tenant/tenanttest"
)

// gatewayByAPI adds a practice gateway by the API.
func (o owner) gatewayByAPI(t testing.TB, key string) string {
	t.Helper()
	return o.made(t, "/v1/gateways", map[string]any{"kind": "practice", "name": "Card", "key": key, "webhook_secret": fake.SecretOf(key)})
}

// invoiceFor is an issued invoice of a customer over so many whole units.
func (o owner) invoiceFor(t testing.TB, customer, total string) string {
	t.Helper()
	invoice := o.made(t, "/v1/invoices", map[string]any{"customer_id": customer,
		"lines": []any{map[string]any{"description": "Studio A", "quantity": "1", "unit_price": total}}})
	if a := o.call(t, "POST", "/v1/invoices/"+invoice+"/issue", nil); a.status != http.StatusOK {
		t.Fatalf("issue: %d %s", a.status, a.body)
	}
	return invoice
}

// storedCard has the customer pay an invoice by its link and leave the card; it gives the payment method's id.
func (o owner) storedCard(t testing.TB, account, customer, card string) string {
	t.Helper()
	var link struct{ URL string }
	a := o.call(t, "POST", "/v1/invoices/"+o.invoiceFor(t, customer, "1")+"/pay-link", nil)
	if a.decode(t, &link); a.status != http.StatusCreated || !strings.HasPrefix(link.URL, origin+"/pay/") {
		t.Fatalf("link: %d %s", a.status, a.body)
	}
	path, guest := strings.TrimPrefix(link.URL, origin), o.browser.h.browser()
	page := practicePage.FindSubmatch(guest.post(t, path, "gateway", account, "keep", "yes").body)
	if page == nil || !o.browser.h.practice.PayPage(string(page[1]), card) {
		t.Fatal("no page to pay on")
	}
	guest.get(t, path+"/back")
	var methods struct {
		Items []struct {
			ID, Kind string
			Brand    string `json:"brand"`
			LastFour string `json:"last_four"`
			Can      bool   `json:"chargeable"`
		}
	}
	o.call(t, "GET", "/v1/payment-methods?customer_id="+customer, nil).decode(t, &methods)
	if len(methods.Items) == 0 || methods.Items[0].Kind != "token" || !methods.Items[0].Can || methods.Items[0].LastFour == "" {
		t.Fatalf("the card was not stored: %+v", methods.Items)
	}
	return methods.Items[0].ID
}

type apiCharge struct {
	ID, Kind, State string
	Amount          struct{ Amount string }
	Refundable      struct{ Amount string }
	ChargeID        string `json:"charge_id"`
}

func TestGatewayAPI(t *testing.T) {
	t.Parallel()
	o := open(t).signUp(t)
	key, fresh := "practice_"+tenanttest.Random(8), "practice_"+tenanttest.Random(8)
	secrets := []string{key, fake.SecretOf(key), fresh, fake.SecretOf(fresh)}
	account := o.gatewayByAPI(t, key)
	at := "/v1/gateways/" + account
	a := o.call(t, "GET", at, nil)
	if tag := a.header.Get("ETag"); tag != `"1"` {
		t.Errorf("ETag %q", tag)
	}
	answers := []answer{a, o.call(t, "GET", "/v1/gateways", nil)}
	for _, c := range []struct {
		method, path string
		body         any
		status       int
		code         string
	}{
		{"POST", "/v1/gateways", map[string]any{"kind": "stripe", "name": "Card", "key": key}, http.StatusUnprocessableEntity, "gateway.key"},
		{"POST", "/v1/gateways", map[string]any{"kind": "moneybag", "name": "Card", "key": key}, http.StatusUnprocessableEntity, "gateway.kind"},
		{"POST", "/v1/gateways", map[string]any{"kind": "transfer", "name": "Bank"}, http.StatusUnprocessableEntity, "gateway.instructions"},
		{"PUT", at, map[string]any{"kind": "transfer", "name": "Bank", "instructions": "To us"}, http.StatusUnprocessableEntity, "gateway.kind"},
		{"PUT", at, map[string]any{"name": "Card", "key": "sk_live_of_another_gateway"}, http.StatusUnprocessableEntity, "gateway.key"},
		{"PUT", at, map[string]any{"name": "By card"}, http.StatusOK, ""},
		{"PUT", at, map[string]any{"name": "By card", "key": fresh, "webhook_secret": fake.SecretOf(fresh)}, http.StatusOK, ""},
		{"POST", at + "/address", nil, http.StatusCreated, ""},
	} {
		a := o.call(t, c.method, c.path, c.body)
		answers = append(answers, a)
		if a.status != c.status || c.code != "" && !strings.Contains(string(a.body), c.code) {
			t.Errorf("%s %s %v: %d %s", c.method, c.path, c.body, a.status, a.body)
		}
	}
	if a := o.call(t, "PUT", at, map[string]any{"name": "Late"}, "If-Match", `"1"`); a.status != http.StatusConflict {
		t.Errorf("a change of what is old: %d %s", a.status, a.body)
	}
	answers = append(answers, o.call(t, "POST", at+"/archive", nil), o.call(t, "GET", "/v1/gateways", nil))
	for _, a := range answers {
		for _, secret := range append(secrets, "sk_live") {
			if strings.Contains(string(a.body), secret) {
				t.Errorf("a secret is in %s", a.body)
			}
		}
	}
	if last := string(answers[len(answers)-1].body); !strings.Contains(last, `"archived":true`) || !strings.Contains(last, fresh[len(fresh)-4:]) {
		t.Errorf("archived: %s", last)
	}
}

func TestChargeAPI(t *testing.T) {
	t.Parallel()
	h := open(t)
	o := h.signUp(t)
	key := "practice_" + tenanttest.Random(8)
	account := o.gatewayByAPI(t, key)
	customer := o.made(t, "/v1/customers", map[string]any{"name": secretName})
	method := o.storedCard(t, account, customer, fake.CardGood)
	invoice := o.invoiceFor(t, customer, "100")
	before := h.practice.Balance(key)["EUR"]
	body := map[string]any{"invoice_id": invoice, "payment_method_id": method, "amount": map[string]string{"amount": "40.00", "currency": "EUR"}}
	var first, again, refund apiCharge
	a := o.call(t, "POST", "/v1/charges", body, "Idempotency-Key", "one")
	if a.decode(t, &first); a.status != http.StatusCreated || first.State != "succeeded" || first.Refundable.Amount != "40.00" {
		t.Fatalf("charged: %d %s", a.status, a.body)
	}
	a = o.call(t, "POST", "/v1/charges", body, "Idempotency-Key", "one")
	if a.decode(t, &again); again.ID != first.ID || a.header.Get("Idempotency-Replayed") != "true" {
		t.Errorf("sent again: %d %s", a.status, a.body)
	}
	if got := h.practice.Balance(key)["EUR"] - before; got <= 3000 || got > 4000 { // less its fee
		t.Errorf("the gateway took %d", got)
	}
	a = o.call(t, "POST", "/v1/charges/"+first.ID+"/refund", map[string]any{"amount": map[string]string{"amount": "15.00", "currency": "EUR"}})
	if a.decode(t, &refund); a.status != http.StatusCreated || refund.State != "succeeded" || refund.Kind != "refund" || refund.ChargeID != first.ID {
		t.Errorf("refunded in part: %d %s", a.status, a.body)
	}
	a = o.call(t, "POST", "/v1/charges/"+first.ID+"/refund", map[string]any{})
	if a.decode(t, &refund); a.status != http.StatusCreated || refund.Amount.Amount != "25.00" {
		t.Errorf("refunded whole: %d %s", a.status, a.body)
	}
	for path, body := range map[string]any{
		"/v1/charges/" + first.ID + "/refund": map[string]any{},
		"/v1/charges":                         map[string]any{"invoice_id": invoice, "payment_method_id": method, "amount": map[string]string{"amount": "100.01", "currency": "EUR"}},
	} {
		if a := o.call(t, "POST", path, body); a.status != http.StatusUnprocessableEntity && a.status != http.StatusConflict {
			t.Errorf("too much: %d %s", a.status, a.body)
		}
	}
	var all struct{ Items []apiCharge }
	o.call(t, "GET", "/v1/charges?invoice_id="+invoice, nil).decode(t, &all)
	if len(all.Items) != 3 || all.Items[2].ID != first.ID || all.Items[0].ID != refund.ID {
		t.Errorf("listed: %+v", all.Items)
	}
	if a := o.call(t, "GET", "/v1/charges/"+first.ID, nil); !strings.Contains(string(a.body), `"refundable":{"amount":"0.00"`) {
		t.Errorf("read: %s", a.body)
	}
	t.Run("a removed card is not charged, and what is settled is asked about in vain", func(t *testing.T) {
		gone := o.storedCard(t, account, customer, fake.CardGood)
		if a := o.call(t, "POST", "/v1/payment-methods/"+gone+"/archive", nil); a.status != http.StatusOK || !strings.Contains(string(a.body), `"archived":true`) {
			t.Errorf("archived: %d %s", a.status, a.body)
		}
		if a := o.call(t, "POST", "/v1/charges", map[string]any{"invoice_id": invoice, "payment_method_id": gone}); a.status != http.StatusConflict {
			t.Errorf("a removed card is charged: %d %s", a.status, a.body)
		}
		var asked apiCharge
		a := o.call(t, "POST", "/v1/charges/"+first.ID+"/ask", nil)
		if a.decode(t, &asked); a.status != http.StatusOK || asked.State != "succeeded" {
			t.Errorf("asked: %d %s", a.status, a.body)
		}
	})
}

func TestBankAccountAPI(t *testing.T) {
	t.Parallel()
	h := open(t)
	o := h.signUp(t)
	customer := o.made(t, "/v1/customers", map[string]any{"name": secretName})
	for name, body := range map[string]map[string]any{
		"payment_method.iban":    {"kind": "iban", "iban": "IE29 AIBK 9311 5212 3456 79"},
		"payment_method.kind":    {"kind": "card"},
		"payment_method.routing": {"kind": "us_bank", "routing_number": "011000016", "account_number": "12345678"},
	} {
		body["customer_id"] = customer
		if a := o.call(t, "POST", "/v1/payment-methods", body); a.status != http.StatusUnprocessableEntity || a.problem(t).Code == "" || !strings.Contains(string(a.body), name) ||
			strings.Contains(string(a.body), "AIBK") {
			t.Errorf("%s: %d %s", name, a.status, a.body)
		}
	}
	made := o.made(t, "/v1/payment-methods", map[string]any{"customer_id": customer, "kind": "iban", "iban": "IE29 AIBK 9311 5212 3456 78"})
	before := h.sealed.Load()
	for _, path := range []string{"/v1/payment-methods/" + made, "/v1/payment-methods?customer_id=" + customer} {
		a := o.call(t, "GET", path, nil)
		if a.status != http.StatusOK || !strings.Contains(string(a.body), `"last_four":"5678"`) || strings.Contains(string(a.body), "AIBK") || !strings.Contains(string(a.body), `"chargeable":false`) {
			t.Errorf("%s: %d %s", path, a.status, a.body)
		}
	}
	if h.sealed.Load() != before {
		t.Error("reading asked the keyring")
	}
	if a := o.call(t, "GET", "/v1/payment-methods", nil); a.status != http.StatusUnprocessableEntity {
		t.Errorf("nobody's: %d %s", a.status, a.body)
	}
}

func TestCollectionAPI(t *testing.T) {
	t.Parallel()
	h := open(t)
	o := h.signUp(t)
	invoice, _ := o.issued(t)
	at := "/v1/invoices/" + invoice + "/collection"
	expect := func(method, path string, status int, want string) {
		t.Helper()
		if a := o.call(t, method, path, nil); a.status != status || !strings.Contains(string(a.body), want) {
			t.Errorf("%s %s: %d %s", method, path, a.status, a.body)
		}
	}
	expect("GET", at, http.StatusOK, `"state":"none"`)
	expect("POST", at+"/start", http.StatusConflict, "collection.off")
	o.collects(t)
	expect("POST", at+"/start", http.StatusOK, `"state":"running","tries":0,"of":4,"next_on":"2`)
	expect("POST", at+"/stop", http.StatusOK, `"state":"stopped","tries":0,"of":4,"next_on":null,"reason":"by hand"`)
	expect("GET", at, http.StatusOK, `"state":"stopped"`)
	expect("POST", at+"/start", http.StatusOK, `"state":"running"`)
	o.made(t, "/v1/payments", map[string]any{"invoice_id": invoice, "method": "cash", "amount": map[string]string{"amount": "100.00", "currency": "EUR"}})
	expect("POST", at+"/start", http.StatusConflict, "collection.settled")
	expect("GET", "/v1/invoices/"+uuid.NewString()+"/collection", http.StatusNotFound, "invoice.not_found")
}
