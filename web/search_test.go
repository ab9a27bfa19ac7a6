package web_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/countinghouse/countinghouse/tenant/tenanttest"
)

// lacks fails if the answer has one of the words.
func (a answer) lacks(t testing.TB, words ...string) {
	t.Helper()
	for _, w := range words {
		if strings.Contains(string(a.body), w) {
			t.Errorf("status %d, and the page has %q", a.status, w)
		}
	}
}

// sought is an organization with something of each kind under one name, and what the invoice is called.
func (h *house) sought(t testing.TB) (o owner, customer, invoice string) {
	t.Helper()
	o = h.signUp(t)
	customer = o.made(t, "/v1/customers", map[string]any{"name": "Berit Quillfeather", "company": "Oyster Press", "email": "berit@oyster.example"})
	o.made(t, "/v1/payees", map[string]any{"name": "Quillfeather Paper"})
	o.made(t, "/v1/products", map[string]any{"name": "Quillfeather tuning", "unit_price": "10"})
	invoice = o.made(t, "/v1/invoices", map[string]any{"customer_id": customer, "purchase_order": "PO-Oyster-9",
		"lines": []any{map[string]any{"description": "Work", "quantity": "1", "unit_price": "4321.09"}}})
	if a := o.call(t, "POST", "/v1/invoices/"+invoice+"/issue", nil); a.status != http.StatusOK {
		t.Fatalf("issue: %d %s", a.status, a.body)
	}
	return o, customer, invoice
}

func TestSearchPage(t *testing.T) {
	t.Parallel()
	h := open(t)
	o, customer, invoice := h.sought(t)
	at := o.path("/search?q=")
	o.browser.get(t, o.path("/search")).holds(t, "What do you look for?", `action="`+o.path("/search")+`"`)
	a := o.browser.get(t, at+"quillfeather")
	a.holds(t, "<title>Search", o.path("/customers/"+customer), o.path("/invoices/"+invoice), "Quillfeather Paper", "Quillfeather tuning", "INV-0001", "€4,321.09")
	for _, words := range []string{"inv-0001", "4%2C321.09", "po-oyster-9", "berit%40oyster"} {
		o.browser.get(t, at+words).holds(t, o.path("/invoices/"+invoice))
	}
	for n := range 7 {
		o.made(t, "/v1/customers", map[string]any{"name": fmt.Sprintf("Quill %d", n)})
		o.made(t, "/v1/invoices", map[string]any{"customer_id": customer, "lines": []any{map[string]any{"description": "Work", "quantity": "1", "unit_price": "77.31"}}})
	}
	o.browser.get(t, at+"quill").holds(t, `href="`+o.path("/customers?q=quill")+`"`, "All that match")
	o.browser.get(t, at+"77.31").lacks(t, "All that match") // no list is searched by amounts
	o.browser.get(t, at+"tax+rep").holds(t, `href="`+o.path("/reports/taxes")+`"`, "Pages")
	o.browser.get(t, at+"zzzz").holds(t, "Nothing that you may see has “zzzz”")
	o.browser.get(t, at+"z").holds(t, "two letters or digits")

	part := o.browser.get(t, o.path("/search?part=hits&q=quillfeather"))
	part.holds(t, o.path("/customers/"+customer))
	part.lacks(t, "<html", "<title>")
	if a := o.browser.get(t, o.path("/search?part=hits&q=")); a.status != http.StatusOK || len(a.body) != 0 {
		t.Errorf("nothing typed shows %d %s", a.status, a.body)
	}
	other := h.signUp(t)
	other.browser.get(t, other.path("/search?q=quillfeather")).lacks(t, "Oyster", "Quillfeather Paper")
}

// Each is shown what their rights let them see, and nothing tells of the rest.
func TestSearchStaysWithinRights(t *testing.T) {
	t.Parallel()
	h := open(t)
	o, _, invoice := h.sought(t)
	role := o.made(t, "/v1/roles", map[string]any{"name": "Clerk " + tenanttest.Random(4), "rights": []string{"invoices:read"}})
	clerk, _ := h.invitedAs(t, o, "own:"+role)
	a := clerk.browser.get(t, o.path("/search?q=quillfeather"))
	a.holds(t, o.path("/invoices/"+invoice), "INV-0001")
	a.lacks(t, "Quillfeather Paper", "Quillfeather tuning", o.path("/customers/"), o.path("/payees"), "Payees", "Products")
	clerk.browser.get(t, o.path("/search?q=reports")).holds(t, "Nothing that you may see")

	var found struct {
		Items []struct{ Kind, Name, Number string }
	}
	clerk.call(t, "GET", "/v1/search?q=quillfeather", nil).decode(t, &found)
	if len(found.Items) != 1 || found.Items[0].Kind != "invoice" || found.Items[0].Number != "INV-0001" {
		t.Errorf("the clerk's program finds %+v", found.Items)
	}
	narrow := program{h, h.tokenFor(t, o.browser, o.slug, "products:read")}
	narrow.call(t, "GET", "/v1/search?q=quillfeather", nil).decode(t, &found)
	if len(found.Items) != 1 || found.Items[0].Kind != "product" {
		t.Errorf("a token for products finds %+v", found.Items)
	}
	if a := o.call(t, "GET", "/v1/search?q=quillfeather", nil); a.status != http.StatusOK || strings.Count(string(a.body), `"kind"`) != 4 {
		t.Errorf("the owner's program finds %s", a.body)
	}
}

// A name that is masked is not found either: letter by letter it could be guessed.
func TestSearchFindsNoMaskedName(t *testing.T) {
	t.Parallel()
	h := open(t)
	o, customer, invoice := h.sought(t)
	nadia, grant := h.visitor(t, o, true, "customers:read", "invoices:read")
	for _, words := range []string{"berit", "quillf", "berit%40oyster"} {
		a := nadia.get(t, o.path("/search?q="+words))
		a.lacks(t, o.path("/customers/"+customer), o.path("/invoices/"+invoice), "Oyster Press")
	}
	a := nadia.get(t, o.path("/search?q=oyster+press"))
	a.holds(t, o.path("/customers/"+customer), "Oyster Press")
	a.lacks(t, "Quillfeather", "berit", "hx-get=\""+o.path("/search"))
	if lines := o.onRecord(t, grant); len(lines) != 4 || !strings.HasPrefix(lines[3], "support.read GET /o/:slug/search") {
		t.Errorf("on record is %q", lines)
	}
}

func TestKeysCanBeSwitchedOff(t *testing.T) {
	t.Parallel()
	h := open(t)
	o := h.signUp(t)
	o.browser.get(t, o.path("")).holds(t, "<body data-keys>", `href="/account/keys"`, `data-go="i"`)
	o.browser.get(t, "/account/keys").holds(t, "Switch them off", "<kbd>?</kbd>", "<kbd>g</kbd> then <kbd>i</kbd>")
	wantRedirect(t, "switching off", o.browser.post(t, "/account/keys"), "/account/keys")
	o.browser.get(t, "/account/keys").holds(t, "Switch them on", "The keys are off.")
	o.browser.get(t, o.path("")).lacks(t, "<body data-keys>")
	wantRedirect(t, "switching on", o.browser.post(t, "/account/keys"), "/account/keys")
	o.browser.get(t, o.path("")).holds(t, "<body data-keys>")
	if a := h.browser().get(t, "/account/keys"); a.status != http.StatusSeeOther {
		t.Errorf("a stranger is shown %d", a.status)
	}
}

func TestTheSwitchLeadsToOnesOtherOrganizations(t *testing.T) {
	t.Parallel()
	h := open(t)
	acme, stranger := h.signUp(t), h.signUp(t)
	other, _ := h.invitedAs(t, acme, "viewer")
	slug := "second-" + tenanttest.Random(6)
	if a := other.browser.post(t, "/open", "organization", "Elm Row Allotments", "slug", slug, "country", "IE", "currency", "EUR", "time_zone", "Europe/Dublin"); a.status != http.StatusSeeOther {
		t.Fatalf("opening another: %d %s", a.status, a.body)
	}
	page := other.browser.get(t, acme.path("/invoices"))
	page.holds(t, `<a href="/o/`+slug+`">`, "Elm Row Allotments")
	page.lacks(t, stranger.slug)
	acme.browser.get(t, acme.path("/invoices")).lacks(t, slug, "Elm Row")
	acme.browser.get(t, "/o/"+slug).lacks(t, "Elm Row")
}
