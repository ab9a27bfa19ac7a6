package web_test

import (
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/countinghouse/countinghouse/billing/gateway/fake"
	"github.com/countinghouse/countinghouse/tenant/tenanttest"
)

var chargedRow = regexp.MustCompile(`charged when something falls due</span></td><td class="mono m3">…(\d{4})`)

// A customer chooses which of their cards is charged for what falls due.
func TestCustomersChooseTheCardThatIsCharged(t *testing.T) {
	t.Parallel()
	h := open(t)
	o := h.signUp(t)
	account := o.gatewayByAPI(t, "practice_"+tenanttest.Random(8))
	ines, eve := o.buyer(t, allRights()...), o.buyer(t, allRights()...)
	older := o.storedCard(t, account, ines.customer, fake.CardGood)
	o.storedCard(t, account, ines.customer, fake.CardUnanswered)
	if a := ines.get(t, "/methods"); strings.Contains(string(a.body), "Charge this one") || chargedRow.Match(a.body) {
		t.Error("a card can be chosen although nothing is charged by itself")
	}
	o.collects(t)
	charged := func() string {
		t.Helper()
		found := chargedRow.FindSubmatch(ines.get(t, "/methods").body)
		if found == nil {
			t.Fatal("no card is charged")
		}
		return string(found[1])
	}
	newest := charged()
	at := "/methods/" + older + "/automatic"
	if a := eve.post(t, at, "idempotency_key", "e"); a.status != http.StatusNotFound || charged() != newest {
		t.Errorf("another customer's: %d", a.status)
	}
	wantRedirect(t, "choosing", ines.post(t, at, "idempotency_key", "c"), "/methods")
	if now := charged(); now == newest {
		t.Errorf("still …%s is charged", now)
	}
	if a := ines.post(t, "/methods", "kind", "us_bank", "routing_number", "011000015", "account_number", "12345678", "idempotency_key", "m"); a.status != http.StatusSeeOther {
		t.Fatalf("%d %s", a.status, a.body)
	}
	if n := strings.Count(string(ines.get(t, "/methods").body), "Charge this one"); n != 1 {
		t.Errorf("%d can be chosen instead, not the other card alone", n)
	}
	ines.post(t, "/methods/"+older+"/remove", "idempotency_key", "r")
	if now := charged(); now != newest {
		t.Errorf("without the chosen one …%s is charged", now)
	}
	if a := ines.post(t, at, "idempotency_key", "again"); a.status != http.StatusNotFound {
		t.Errorf("one that was removed: %d", a.status)
	}
}

// Members choose it too, on their page and by their programs.
func TestMembersChooseTheCardThatIsCharged(t *testing.T) {
	t.Parallel()
	h := open(t)
	o := h.signUp(t)
	account := o.gatewayByAPI(t, "practice_"+tenanttest.Random(8))
	customer := o.program.made(t, "/v1/customers", map[string]any{"name": "Apple"})
	older, newer := o.storedCard(t, account, customer, fake.CardGood), o.storedCard(t, account, customer, fake.CardUnanswered)
	bank := o.program.made(t, "/v1/payment-methods", map[string]any{"customer_id": customer, "kind": "iban", "iban": "IE29AIBK93115212345678"})
	charged := func() (found string) {
		t.Helper()
		var all struct {
			Items []struct {
				ID      string
				Charged bool
			}
		}
		o.program.call(t, "GET", "/v1/payment-methods?customer_id="+customer, nil).decode(t, &all)
		for _, m := range all.Items {
			if m.Charged && found != "" {
				t.Fatal("two are charged")
			} else if m.Charged {
				found = m.ID
			}
		}
		return found
	}
	choose := func(method string) answer {
		t.Helper()
		return o.program.call(t, "POST", "/v1/payment-methods/"+method+"/automatic", nil)
	}
	if charged() != newer {
		t.Error("nobody chose, and it is not the newest")
	}
	if a := choose(older); a.status != http.StatusOK || charged() != older {
		t.Errorf("by API: %d %s", a.status, a.body)
	}
	if a := choose(bank); a.status != http.StatusUnprocessableEntity && a.status != http.StatusConflict || charged() != older {
		t.Errorf("a bank account: %d %s", a.status, a.body)
	}
	at := o.path("/customers/" + customer + "/methods")
	if a := o.get(t, at); strings.Contains(string(a.body), "Charge this one") {
		t.Error("the page offers it although nothing is charged by itself")
	}
	o.collects(t)
	if a := o.get(t, at); strings.Count(string(a.body), "Charge this one") != 1 || strings.Count(string(a.body), "charged when something falls due") != 1 {
		t.Errorf("the page: %s", a.body)
	}
	wantRedirect(t, "by page", o.post(t, o.path("/payment-methods/"+newer+"/automatic")), at)
	if charged() != newer {
		t.Error("the page chose another")
	}
	o.program.call(t, "POST", "/v1/payment-methods/"+newer+"/archive", nil)
	if charged() != older {
		t.Error("without the chosen one it is not the other")
	}
}
