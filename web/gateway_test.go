package web_test

import (
	"context"
	"fmt"
	"html"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/countinghouse/countinghouse/billing"
	"github.com/countinghouse/countinghouse/billing/gateway"
	"github.com/countinghouse/countinghouse/billing/gateway/fake"
	"github.com/countinghouse/countinghouse/billing/till"
	"github.com/countinghouse/countinghouse/identity"
	"github.com/countinghouse/countinghouse/internal/id"
	"github.com/countinghouse/countinghouse/tenant"
	"github.com/countinghouse/countinghouse/tenant/tenanttest"
)

// countingSealer marks what is sealed by its place and counts how often it is asked.
type countingSealer struct{ calls *atomic.Int64 }

func (s countingSealer) Seal(_ context.Context, at billing.Place, plain []byte) (string, error) {
	s.calls.Add(1)
	return fmt.Sprintf("%s %s %x", at.Table, at.Row, plain), nil
}

func (s countingSealer) Open(_ context.Context, at billing.Place, sealed string) ([]byte, error) {
	s.calls.Add(1)
	var plain []byte
	var table, row string
	if _, err := fmt.Sscanf(sealed, "%s %s %x", &table, &row, &plain); err != nil || table != at.Table || row != at.Row {
		return nil, fmt.Errorf("%q was not sealed for %v", sealed, at)
	}
	return plain, nil
}

// newTill is one at the practice gateway of this house.
func newTill(practice *fake.House, calls *atomic.Int64) *till.Till {
	return &till.Till{Sealer: countingSealer{calls}, Connect: func(_ gateway.Kind, c gateway.Credentials) (gateway.Gateway, error) {
		return fake.NewClient(c, "http://practice.example", practice.Client()), nil
	}}
}

// addGateway adds a practice gateway through the pages and gives its id.
func (o owner) addGateway(t testing.TB, key string) string {
	t.Helper()
	a := o.post(t, o.path("/settings/gateways"), "kind", "practice", "name", "Card", "key", key, "webhook_secret", fake.SecretOf(key))
	to := a.header.Get("Location")
	if a.status != http.StatusSeeOther || !strings.HasPrefix(to, o.path("/settings/gateways/")) {
		t.Fatalf("adding a gateway: %d to %q: %s", a.status, to, a.body)
	}
	return to[strings.LastIndex(to, "/")+1:]
}

// issued is an invoice over 100.00 of a customer with an e-mail address.
func (o owner) issued(t testing.TB) (invoice, customer string) {
	t.Helper()
	customer = o.made(t, "/v1/customers", map[string]any{"name": secretName, "email": o.email})
	invoice = o.made(t, "/v1/invoices", map[string]any{"customer_id": customer,
		"lines": []any{map[string]any{"description": "Studio A", "quantity": "1", "unit_price": "100"}}})
	if a := o.call(t, "POST", "/v1/invoices/"+invoice+"/issue", nil); a.status != http.StatusOK {
		t.Fatalf("issue: %d %s", a.status, a.body)
	}
	return invoice, customer
}

var (
	shownLink    = regexp.MustCompile(`<code id="secret">` + regexp.QuoteMeta(origin) + `(/(?:pay|webhook)/[^<]+)</code>`)
	practicePage = regexp.MustCompile(`href="http://127\.0\.0\.1/pay/([^"]+)"`)
)

func (o owner) link(t testing.TB, path string) string {
	t.Helper()
	a := o.post(t, o.path(path))
	found := shownLink.FindSubmatch(a.body)
	if a.status != http.StatusCreated || found == nil {
		t.Fatalf("%s: %d %s", path, a.status, a.body)
	}
	return string(found[1])
}

func TestGatewaySecretsAreNeverShown(t *testing.T) {
	t.Parallel()
	h := open(t)
	o := h.signUp(t)
	key := "practice_" + tenanttest.Random(8)
	if a := o.post(t, o.path("/settings/gateways"), "kind", "practice", "name", "Card", "key", "sk_live_of_another_gateway"); a.status != http.StatusUnprocessableEntity ||
		strings.Contains(string(a.body), "sk_live") {
		t.Errorf("a wrong key: %d, or it is shown again", a.status)
	}
	made := o.addGateway(t, key)
	for _, path := range []string{"/settings/gateways", "/settings/gateways/" + made} {
		a := o.get(t, o.path(path))
		if a.status != http.StatusOK || strings.Contains(string(a.body), key) || strings.Contains(string(a.body), fake.SecretOf(key)) {
			t.Errorf("%s: %d, or it shows a secret", path, a.status)
		}
		if !strings.Contains(string(a.body), key[len(key)-4:]) {
			t.Errorf("%s does not say which key it is", path)
		}
	}
	if a := o.post(t, o.path("/settings/gateways/"+made), "version", "1", "name", "By card", "key", "", "webhook_secret", ""); a.status != http.StatusSeeOther {
		t.Fatalf("a change of the name: %d %s", a.status, a.body)
	}
	invoice, _ := o.issued(t)
	pay := o.link(t, "/invoices/"+invoice+"/link")
	if a := h.browser().post(t, pay, "gateway", made); a.status != http.StatusOK || practicePage.Find(a.body) == nil {
		t.Errorf("after the name was changed the key no longer opens: %d %s", a.status, a.body)
	}
	t.Run("changing it takes a fresh proof", func(t *testing.T) {
		hash, _ := identity.HashToken(o.cookies["__Host-session"])
		ctx := context.Background()
		err := tenant.DoPlatform(ctx, tenanttest.DB(), func(tx *tenant.PlatformTx) error {
			_, err := tx.Exec(ctx, `UPDATE platform.session SET authenticated_at = authenticated_at - interval '1 day' WHERE token_hash = $1`, hash[:])
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		for _, path := range []string{"/settings/gateways", "/settings/gateways/" + made, "/settings/gateways/" + made + "/address", "/settings/gateways/" + made + "/remove"} {
			if a := o.post(t, o.path(path), "version", "2", "name", "Mine", "kind", "transfer", "instructions", "To me"); a.status != http.StatusSeeOther ||
				!strings.HasPrefix(a.header.Get("Location"), "/account/prove") {
				t.Errorf("%s: %d to %q", path, a.status, a.header.Get("Location"))
			}
		}
	})
}

func TestPayPage(t *testing.T) {
	t.Parallel()
	h := open(t)
	o := h.signUp(t)
	key := "practice_" + tenanttest.Random(8)
	account := o.addGateway(t, key)
	if a := o.post(t, o.path("/settings/gateways"), "kind", "transfer", "name", "Transfer", "instructions", "IBAN of <Tidewater>"); a.status != http.StatusSeeOther {
		t.Fatalf("transfer: %d %s", a.status, a.body)
	}
	invoice, customer := o.issued(t)
	link := o.link(t, "/invoices/"+invoice+"/link")
	guest := h.browser()
	a := guest.get(t, link)
	body := string(a.body)
	if a.status != http.StatusOK || !strings.Contains(body, "€100") || !strings.Contains(body, "IBAN of &lt;Tidewater&gt;") || !strings.Contains(body, "Studio A") {
		t.Fatalf("%d %s", a.status, body)
	}
	for _, private := range []string{o.email, "Mara Lindqvist", "/o/" + o.slug} {
		if strings.Contains(body, private) {
			t.Errorf("the page shows %q", private)
		}
	}
	t.Run("paid on the gateway's page, twice asked for and once charged", func(t *testing.T) {
		var pages []string
		for range 2 {
			a := guest.post(t, link, "gateway", account, "keep", "yes")
			found := practicePage.FindSubmatch(a.body)
			if found == nil {
				t.Fatalf("%d %s", a.status, a.body)
			}
			pages = append(pages, string(found[1]))
		}
		if pages[0] != pages[1] {
			t.Error("two pages can be paid on")
		}
		if a := guest.get(t, link+"/back"); !strings.Contains(string(a.body), "Nothing was charged") {
			t.Errorf("back without paying: %s", a.body)
		}
		if !h.practice.PayPage(pages[0], fake.CardGood) {
			t.Fatal("the page is closed")
		}
		if a := guest.get(t, link+"/back"); a.status != http.StatusOK || !strings.Contains(string(a.body), "This page is your receipt") {
			t.Errorf("after paying: %d %s", a.status, a.body)
		}
		if a := guest.post(t, link, "gateway", account); a.status != http.StatusUnprocessableEntity && a.status != http.StatusConflict {
			t.Errorf("paid again: %d %s", a.status, a.body)
		}
		if h.practice.Balance(key)["EUR"] != 10000-165 {
			t.Errorf("the gateway has %v", h.practice.Balance(key))
		}
		methods := o.get(t, o.path("/customers/"+customer+"/methods"))
		if !strings.Contains(string(methods.body), "…4242") {
			t.Errorf("the card was not kept: %s", methods.body)
		}
	})
	t.Run("links that lead nowhere", func(t *testing.T) {
		webhook := o.link(t, "/settings/gateways/"+account+"/address")
		forged := []byte(link)
		forged[len("/pay/")+3] ^= 1
		for _, path := range []string{string(forged), link + "x", "/pay/", strings.Replace(webhook, "/webhook/", "/pay/", 1)} {
			if a := guest.get(t, path); a.status != http.StatusNotFound || strings.Contains(string(a.body), "Tidewater") {
				t.Errorf("%s: %d", path, a.status)
			}
		}
	})
	t.Run("an expired one", func(t *testing.T) {
		ctx := context.Background()
		hash, _ := identity.HashToken(o.cookies["__Host-session"])
		scope, err := tenant.EnterMember(ctx, tenanttest.DB(), hash, o.slug)
		if err != nil {
			t.Fatal(err)
		}
		var secret string
		err = tenant.Do(ctx, tenanttest.DB(), scope, func(tx *tenant.Tx) (err error) {
			of, _ := id.Parse[billing.Invoice](invoice)
			secret, err = tx.OpenLink(ctx, of.UUID, tx.Now().Add(-time.Second))
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		link := "/pay/" + secret
		for _, a := range []answer{guest.get(t, link), guest.post(t, link, "gateway", account), guest.get(t, link+"/back")} {
			if a.status != http.StatusNotFound || strings.Contains(string(a.body), "Tidewater") {
				t.Errorf("after its time: %d", a.status)
			}
		}
	})
}

func TestWebhook(t *testing.T) {
	t.Parallel()
	h := open(t)
	o := h.signUp(t)
	key := "practice_" + tenanttest.Random(8)
	account := o.addGateway(t, key)
	webhook := o.link(t, "/settings/gateways/"+account+"/address")
	invoice, _ := o.issued(t)
	pay := o.link(t, "/invoices/"+invoice+"/link")
	page := practicePage.FindSubmatch(h.browser().post(t, pay, "gateway", account).body)
	if page == nil || !h.practice.PayPage(string(page[1]), fake.CardGood) {
		t.Fatal("no page to pay on")
	}
	message := h.practice.Messages(key)[0]
	tell := func(path string, header http.Header) int {
		r := httptest.NewRequest("POST", path, strings.NewReader(string(message.Body)))
		r.Header = header.Clone()
		r.Header.Set("Content-Type", "application/json")
		return h.send(t, r).status
	}
	paid := func() bool {
		return strings.Contains(string(h.browser().get(t, pay).body), "your receipt")
	}
	other := h.signUp(t)
	elsewhere := other.link(t, "/settings/gateways/"+other.addGateway(t, key)+"/address")
	for name, c := range map[string]struct {
		path   string
		header http.Header
		status int
	}{
		"unsigned":               {webhook, http.Header{}, http.StatusUnprocessableEntity},
		"signed with other keys": {webhook, fake.Sign("practice_0123456789abcdef", time.Now(), message.Body), http.StatusUnprocessableEntity},
		"to a guessed address":   {webhook[:len(webhook)-4] + "AAAA", message.Header, http.StatusNotFound},
		"to a pay link":          {strings.Replace(pay, "/pay/", "/webhook/", 1), message.Header, http.StatusNotFound},
		// The same provider account there too: signed rightly, and yet about nothing of theirs.
		"to another organization": {elsewhere, message.Header, http.StatusNoContent},
	} {
		if got := tell(c.path, c.header); got != c.status && !(c.status == http.StatusNotFound && got == http.StatusNotFound) {
			t.Errorf("%s: %d", name, got)
		}
		if paid() {
			t.Fatalf("%s: it was believed", name)
		}
	}
	for range 3 {
		if got := tell(webhook, fake.Sign(key, time.Now(), message.Body)); got != http.StatusNoContent {
			t.Errorf("told: %d", got)
		}
	}
	if !paid() {
		t.Error("it was not believed")
	}
	var entries struct {
		Items []struct{ Description string }
	}
	o.call(t, "GET", "/v1/journal-entries?limit=100", nil).decode(t, &entries)
	if len(entries.Items) != 3 { // the invoice, the charge, its fee
		t.Errorf("posted: %+v", entries.Items)
	}
	again := o.link(t, "/settings/gateways/"+account+"/address")
	if old, fresh := tell(webhook, message.Header), tell(again, message.Header); old != http.StatusNotFound || fresh != http.StatusNoContent {
		t.Errorf("after a new address: the old one %d, the new one %d", old, fresh)
	}
}

func TestManyPaymentMethodsOpenNothing(t *testing.T) {
	t.Parallel()
	h := open(t)
	o := h.signUp(t)
	_, customer := o.issued(t)
	methods := o.path("/customers/" + customer + "/methods")
	for n := range 50 {
		if a := o.post(t, methods, "kind", "us_bank", "routing_number", "011000015", "account_number", fmt.Sprintf("7391846205%04d", n)); a.status != http.StatusSeeOther {
			t.Fatalf("%d %s", a.status, a.body)
		}
	}
	before := h.sealed.Load()
	a := o.get(t, methods)
	if got := strings.Count(string(a.body), "…00"); got != 50 {
		t.Errorf("%d of 50 are shown", got)
	}
	if calls := h.sealed.Load() - before; calls != 0 {
		t.Errorf("the page asked the keyring %d times", calls)
	}
	if strings.Contains(string(a.body), "7391846205") || strings.Contains(string(a.body), "011000015") {
		t.Error("a number is shown")
	}
	for _, c := range []url.Values{
		{"kind": {"iban"}, "iban": {"IE29 AIBK 9311 5212 3456 79"}}, {"kind": {"us_bank"}, "routing_number": {"011000016"}, "account_number": {"12345678"}},
		{"kind": {"us_bank"}, "routing_number": {"011000015"}, "account_number": {"1"}}, {"kind": {"card"}},
	} {
		a := o.post(t, methods, "kind", c.Get("kind"), "iban", c.Get("iban"), "routing_number", c.Get("routing_number"), "account_number", c.Get("account_number"))
		if a.status != http.StatusUnprocessableEntity || strings.Contains(html.UnescapeString(string(a.body)), "AIBK") {
			t.Errorf("%v: %d, or it is shown again", c, a.status)
		}
	}
	if a := o.post(t, methods, "kind", "iban", "iban", "ie29 aibk 9311 5212 3456 78"); a.status != http.StatusSeeOther {
		t.Errorf("a good IBAN: %d %s", a.status, a.body)
	}
}

// collects turns collecting by itself on.
func (o owner) collects(t testing.TB) {
	t.Helper()
	var settings map[string]any
	o.call(t, "GET", "/v1/settings", nil).decode(t, &settings)
	for _, shown := range []string{"base_currency", "books_closed_through", "$schema"} {
		delete(settings, shown)
	}
	settings["collect_automatically"] = true
	if a := o.call(t, "PUT", "/v1/settings", settings); a.status != http.StatusOK {
		t.Fatalf("%d %s", a.status, a.body)
	}
}

func TestCollectionOnTheInvoice(t *testing.T) {
	t.Parallel()
	h := open(t)
	o := h.signUp(t)
	invoice, _ := o.issued(t)
	at := o.path("/invoices/" + invoice)
	shows := func(words string, there bool) {
		t.Helper()
		if a := o.get(t, at); a.status != http.StatusOK || strings.Contains(string(a.body), words) != there {
			t.Errorf("%q shown: %t of %d", words, !there, a.status)
		}
	}
	shows("Collected by itself", false)
	if a := o.post(t, at+"/collection/start"); a.status != http.StatusConflict && a.status != http.StatusUnprocessableEntity {
		t.Errorf("begun while it is off: %d", a.status)
	}
	o.collects(t)
	if a := o.get(t, o.path("/settings")); !regexp.MustCompile(`name="collect_automatically"[^>]* checked`).Match(a.body) {
		t.Error("the settings do not show the switch as on")
	}
	shows("Collected by itself from", true)
	if a := o.post(t, at+"/collection/stop"); a.status != http.StatusSeeOther {
		t.Errorf("stop: %d", a.status)
	}
	shows("Not collected by itself: by hand.", true)
	if a := o.post(t, at+"/collection/start"); a.status != http.StatusSeeOther {
		t.Errorf("start: %d", a.status)
	}
	shows("tried 0 of 4 times, next on", true)
}
