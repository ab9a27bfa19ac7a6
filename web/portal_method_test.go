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
