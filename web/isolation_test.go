package web_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"

	"github.com/countinghouse/countinghouse/authz"
	"github.com/countinghouse/countinghouse/identity"
	"github.com/countinghouse/countinghouse/tenant"
	"github.com/countinghouse/countinghouse/tenant/tenanttest"
	"github.com/countinghouse/countinghouse/web"
)

// estate is an organization with one of everything.
type estate struct {
	owner
	ids map[string]string // by the part of a path that names the kind
}

const secretName = "Zaharias Kapodistrias-Unmistakable"

func (h *house) estate(t testing.TB) estate {
	t.Helper()
	e := estate{h.signUp(t), map[string]string{}}
	p := e.program
	e.ids["customers"] = p.made(t, "/v1/customers", map[string]any{"name": secretName})
	e.ids["contacts"] = p.made(t, "/v1/contacts", map[string]any{"customer_id": e.ids["customers"], "email": tenanttest.Random(6) + "@estate.example",
		"name": secretName, "rights": []string{"invoices"}})
	e.ids["products"] = p.made(t, "/v1/products", map[string]any{"name": secretName, "unit_price": "10", "shop": map[string]any{"in_shop": true}})
	if a := p.call(t, "PUT", "/v1/portal", map[string]any{"sign_up": false, "shop_open": true}); a.status != http.StatusOK {
		t.Fatalf("portal: %d %s", a.status, a.body)
	}
	e.ids["orders"] = p.made(t, "/v1/orders", map[string]any{"customer_id": e.ids["customers"], "lines": []any{map[string]any{"product_id": e.ids["products"], "quantity": 1}}})
	e.ids["tax-rates"] = p.made(t, "/v1/tax-rates", map[string]any{"code": "VAT", "name": secretName, "percent": "20"})
	e.ids["taxes"] = e.ids["tax-rates"]
	e.ids["percents"], e.ids["ready"], e.ids["ready-taxes"] = "2020-01-01", "ca-qc", "ca-qc"
	e.ids["accounts"] = p.made(t, "/v1/accounts", map[string]any{"code": "6999", "name": secretName, "kind": "expense"})
	var tokens struct{ Items []struct{ ID string } }
	p.call(t, "GET", "/v1/tokens", nil).decode(t, &tokens)
	e.ids["tokens"] = tokens.Items[0].ID
	e.ids["invoices"] = p.made(t, "/v1/invoices", map[string]any{"customer_id": e.ids["customers"],
		"lines": []any{map[string]any{"description": secretName, "quantity": "1", "unit_price": "100", "taxes": []string{"VAT"}}}})
	if a := p.call(t, "POST", "/v1/invoices/"+e.ids["invoices"]+"/issue", nil); a.status != http.StatusOK {
		t.Fatalf("issue: %d %s", a.status, a.body)
	}
	e.ids["payments"] = p.made(t, "/v1/payments", map[string]any{"invoice_id": e.ids["invoices"], "method": "cash",
		"amount": map[string]string{"amount": "20.00", "currency": "EUR"}})
	e.ids["credit-notes"] = p.made(t, "/v1/credit-notes", map[string]any{"customer_id": e.ids["customers"],
		"lines": []any{map[string]any{"description": secretName, "quantity": "1", "unit_price": "1"}}})
	e.ids["quotes"] = p.made(t, "/v1/quotes", map[string]any{"customer_id": e.ids["customers"],
		"lines": []any{map[string]any{"description": secretName, "quantity": "1", "unit_price": "1"}}})
	e.addBills(t)
	e.ids["webhooks"] = p.made(t, "/v1/webhooks", map[string]any{"name": secretName, "url": "https://hooks.example.com/a", "events": []string{"*"}})
	var sent struct{ ID string }
	p.call(t, "POST", "/v1/webhooks/"+e.ids["webhooks"]+"/test", nil).decode(t, &sent)
	e.ids["deliveries"] = sent.ID
	e.ids["text-gateways"] = p.made(t, "/v1/text-gateways", map[string]any{"kind": "vonage", "name": secretName, "url": "http://127.0.0.1:1", "account": "k1", "key": "12345678", "sender": "Tidewater", "sends": "text"})
	p.call(t, "POST", "/v1/text-gateways/"+e.ids["text-gateways"]+"/disable", nil)
	e.addCharge(t)
	e.addFile(t)
	e.addBank(t)
	e.ids["imports"] = e.importFile(t)
	e.ids["exports"] = p.made(t, "/v1/exports", map[string]any{"holds": "customers"})
	e.ids["subscriptions"] = p.made(t, "/v1/subscriptions", map[string]any{"customer_id": e.ids["customers"], "unit": "month", "every": 1,
		"items": []any{map[string]any{"description": secretName, "quantity": "1", "unit_price": "100", "taxes": []string{"VAT"}}}})
	var accounts struct{ Items []struct{ ID string } }
	p.call(t, "GET", "/v1/accounts", nil).decode(t, &accounts)
	e.ids["journal-entries"] = p.made(t, "/v1/journal-entries", map[string]any{"date": "2026-01-02", "description": secretName, "lines": []any{
		map[string]any{"account_id": accounts.Items[0].ID, "debit": map[string]string{"amount": "5.00", "currency": "EUR"}},
		map[string]any{"account_id": accounts.Items[1].ID, "credit": map[string]string{"amount": "5.00", "currency": "EUR"}}}})
	e.ids["journal"] = e.ids["journal-entries"]
	var members struct{ Items []struct{ ID string } }
	p.call(t, "GET", "/v1/members", nil).decode(t, &members)
	e.ids["members"] = members.Items[0].ID
	e.ids["roles"] = p.made(t, "/v1/roles", map[string]any{"name": secretName, "rights": []string{"invoices:read"}})
	e.ids["invitations"] = p.made(t, "/v1/invitations", map[string]any{"email": tenanttest.Random(6) + "@tidewater.example", "role": "own:" + e.ids["roles"]})
	e.ids["support"] = h.askedIn(t, e.slug)
	e.ids["support-grants"] = e.ids["support"]
	return e
}

// addBills adds a payee, and one of each kind of what is bought.
func (e estate) addBills(t testing.TB) {
	t.Helper()
	p := e.program
	e.ids["payees"] = p.made(t, "/v1/payees", map[string]any{"name": secretName, "expense_account_id": e.ids["accounts"]})
	body := func(more ...any) map[string]any {
		b := map[string]any{"payee_id": e.ids["payees"], "lines": []any{map[string]any{"description": secretName, "quantity": "1", "unit_price": "100", "taxes": []string{"VAT"}}}}
		for i := 0; i < len(more); i += 2 {
			b[more[i].(string)] = more[i+1]
		}
		return b
	}
	e.ids["bills"] = p.made(t, "/v1/bills", body("reference", "A-77"))
	e.ids["payee-credits"] = p.made(t, "/v1/payee-credits", body())
	e.ids["recurring-bills"] = p.made(t, "/v1/recurring-bills", body("every", 1, "unit", "month", "issue_date", "2030-01-01"))
	if a := p.call(t, "POST", "/v1/bills/"+e.ids["bills"]+"/enter", nil); a.status != http.StatusOK {
		t.Fatalf("enter: %d %s", a.status, a.body)
	}
	amount := map[string]string{"amount": "20.00", "currency": "EUR"}
	e.ids["bill-payments"] = p.made(t, "/v1/bill-payments", map[string]any{"payee_id": e.ids["payees"], "method": "cash",
		"bills": []any{map[string]any{"bill_id": e.ids["bills"], "amount": amount}}})
}

// addCharge adds a gateway, a charge through it and a payment method.
func (e estate) addCharge(t testing.TB) {
	t.Helper()
	e.ids["gateways"] = e.addGateway(t, "practice_"+tenanttest.Random(8))
	pay := e.link(t, "/invoices/"+e.ids["invoices"]+"/link")
	if a := e.browser.h.browser().post(t, pay, "gateway", e.ids["gateways"]); a.status != http.StatusOK {
		t.Fatalf("pay: %d %s", a.status, a.body)
	}
	a := e.get(t, e.owner.path("/invoices/"+e.ids["invoices"]))
	found := regexp.MustCompile(`/charges/([0-9a-f-]{36})"`).FindSubmatch(a.body)
	if found == nil {
		t.Fatalf("no charge on %s", a.body)
	}
	e.ids["charges"] = string(found[1])
	methods := e.owner.path("/customers/" + e.ids["customers"] + "/methods")
	if a := e.post(t, methods, "kind", "us_bank", "routing_number", "011000015", "account_number", "12345678"); a.status != http.StatusSeeOther {
		t.Fatalf("method: %d %s", a.status, a.body)
	}
	found = regexp.MustCompile(`/payment-methods/([0-9a-f-]{36})/remove"`).FindSubmatch(e.get(t, methods).body)
	if found == nil {
		t.Fatal("no method")
	}
	e.ids["payment-methods"] = string(found[1])
}

// addFile attaches a file to the invoice, mails it, and adds a logo.
func (e estate) addFile(t testing.TB) {
	t.Helper()
	at := "/invoices/" + e.ids["invoices"]
	if a := e.browser.do(t, uploadOf(t, e.owner.path(at+"/files"), "estate.txt", []byte(secretName))); a.status != http.StatusSeeOther {
		t.Fatalf("file: %d %s", a.status, a.body)
	}
	if a := e.browser.do(t, uploadOf(t, e.owner.path("/settings/branding/logo"), "logo.png", samplePicture(t))); a.status != http.StatusSeeOther {
		t.Fatalf("logo: %d %s", a.status, a.body)
	}
	if a := e.post(t, e.owner.path(at+"/send"), "idempotency_key", "mail-estate", "to", "estate@example.com"); a.status != http.StatusSeeOther {
		t.Fatalf("mail: %d %s", a.status, a.body)
	}
	for kind, path := range map[string]string{"files": "/v1" + at + "/files", "mailings": "/v1" + at + "/mailings"} {
		var all struct{ Items []struct{ ID string } }
		e.program.call(t, "GET", path, nil).decode(t, &all)
		e.ids[kind] = all.Items[0].ID
	}
}

// importFile has a file wait for a yes.
func (e estate) importFile(t testing.TB) string {
	t.Helper()
	a := e.browser.do(t, uploadOf(t, e.owner.path("/settings/imports/files"), "estate.csv", []byte("external_id,name\n1,"+secretName+"\n")))
	found := regexp.MustCompile(`/imports/([0-9a-f-]{36})/take"`).FindSubmatch(a.body)
	if found == nil {
		t.Fatalf("import: %d %s", a.status, a.body)
	}
	return string(found[1])
}

// path fills in a route's parameters with the ids of the estate.
func (e estate) path(t testing.TB, r web.Route) string {
	t.Helper()
	path := strings.Replace(r.Path, ":slug", e.slug, 1)
	kind := ""
	parts := strings.Split(path, "/")
	for i, part := range parts {
		if strings.HasPrefix(part, ":") {
			if parts[i] = e.ids[kind]; parts[i] == "" {
				t.Fatalf("route %s %s names a kind of thing that this test does not make: add one to the estate", r.Method, r.Path)
			}
			continue
		}
		kind = part
	}
	return strings.Join(parts, "/")
}

// Every route, as the router has them: a new one cannot be forgotten.
func TestEveryRouteIsClosedToStrangers(t *testing.T) {
	t.Parallel()
	h := open(t)
	acme, other := h.estate(t), h.signUp(t)
	denied := h.deniedMember(t, acme)
	inside := 0
	for _, r := range h.Routes() {
		if r.Public {
			continue
		}
		if r.Staff != (authz.StaffRight{}) {
			testClosedToMembers(t, h, acme, r)
			continue
		}
		if r.Person {
			testClosedWithoutSession(t, h, acme, other, r)
			continue
		}
		inside++
		t.Run(r.Method+" "+r.Path, func(t *testing.T) {
			path := acme.path(t, r)
			if strings.HasPrefix(r.Path, "/v1/") {
				testForeignToken(t, h, other, acme, r, path)
				return
			}
			request := func() *http.Request {
				q := httptest.NewRequest(r.Method, path, strings.NewReader(""))
				q.Header.Set("Content-Type", "application/x-www-form-urlencoded")
				return q
			}
			if a := other.browser.do(t, request()); a.status != http.StatusNotFound || strings.Contains(string(a.body), secretName) {
				t.Errorf("a member of another organization gets %d", a.status)
			}
			if a := denied.do(t, request()); a.status != http.StatusNotFound || strings.Contains(string(a.body), secretName) {
				t.Errorf("a denied member gets %d", a.status)
			}
			if a := h.browser().do(t, request()); a.status != http.StatusSeeOther || !strings.HasPrefix(a.header.Get("Location"), "/sign-in") {
				t.Errorf("without a session: %d to %q", a.status, a.header.Get("Location"))
			}
			if strings.Contains(r.Path, ":id") { // one's own organization, another's thing
				q := request()
				if strings.HasSuffix(r.Path, "/files") {
					q = uploadOf(t, path, "a.txt", []byte("a"))
				}
				q.URL.Path = strings.Replace(path, acme.slug, other.slug, 1)
				q.RequestURI = q.URL.Path
				if a := other.browser.do(t, q); a.status != http.StatusNotFound || strings.Contains(string(a.body), secretName) {
					t.Errorf("another organization's id gets %d: %s", a.status, a.body)
				}
			}
		})
	}
	if inside < 30 {
		t.Fatalf("only %d routes inside organizations were found", inside)
	}
}

// testClosedToMembers asks a page of the staff's console as an owner who is not on the staff, and as nobody.
func testClosedToMembers(t *testing.T, h *house, o estate, r web.Route) {
	t.Helper()
	t.Run(r.Method+" "+r.Path, func(t *testing.T) {
		request := func() *http.Request {
			q := httptest.NewRequest(r.Method, strings.Replace(r.Path, ":id", o.ids["customers"], 1), strings.NewReader(""))
			q.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			return q
		}
		if a := o.browser.do(t, request()); a.status != http.StatusNotFound {
			t.Errorf("an owner who is not on the staff gets %d", a.status)
		}
		if a := h.browser().do(t, request()); a.status != http.StatusSeeOther || !strings.HasPrefix(a.header.Get("Location"), "/sign-in") {
			t.Errorf("without a session: %d to %q", a.status, a.header.Get("Location"))
		}
	})
}

// testClosedWithoutSession asks for someone's own account with the keys of an organization, and with none; and with
// another person's session for what is theirs.
func testClosedWithoutSession(t *testing.T, h *house, acme estate, other owner, r web.Route) {
	t.Helper()
	t.Run(r.Method+" "+r.Path, func(t *testing.T) {
		path := strings.Replace(r.Path, ":id", acme.present(t).ID, 1)
		cookie := "__Host-session=" + acme.cookies["__Host-session"]
		for name, a := range map[string]answer{
			"nobody":                      (program{h, ""}).call(t, r.Method, path, nil),
			"an API token":                acme.program.call(t, r.Method, path, nil),
			"an API token with a session": acme.program.call(t, r.Method, path, nil, "Cookie", cookie),
			"a token as a session":        (program{h, ""}).call(t, r.Method, path, nil, "Cookie", "__Host-session="+acme.token),
		} {
			if a.status != http.StatusUnauthorized || strings.Contains(string(a.body), acme.email) {
				t.Errorf("%s gets %d %s", name, a.status, a.body)
			}
		}
		if a := (program{h, ""}).call(t, r.Method, path, nil, "Cookie", cookie, "Sec-Fetch-Site", "cross-site"); r.Method != "GET" && a.status != http.StatusForbidden {
			t.Errorf("another site gets %d", a.status)
		}
		a := other.browser.do(t, httptest.NewRequest(r.Method, path, http.NoBody))
		if strings.Contains(string(a.body), acme.email) || a.status >= http.StatusInternalServerError {
			t.Errorf("someone else gets %d %s", a.status, a.body)
		}
		if acme.browser.get(t, "/v1/account").status != http.StatusOK {
			t.Error("someone else ended the session")
		}
	})
}

// testForeignToken asks the API for acme's things with another organization's token, and with none.
func testForeignToken(t *testing.T, h *house, other owner, acme estate, r web.Route, path string) {
	t.Helper()
	var body any
	if r.Method != "GET" && r.Method != "DELETE" {
		body = validBody(r, acme)
	}
	var headers []string
	if strings.HasSuffix(r.Path, "/files") && r.Method == "POST" {
		path, body, headers = path+"?name=a.txt", "a", []string{"Content-Type", "application/octet-stream"}
	}
	a := other.program.call(t, r.Method, path, body, headers...)
	if strings.Contains(r.Path, ":id") && a.status != http.StatusNotFound {
		t.Errorf("another organization's id gets %d: %s", a.status, a.body)
	}
	if strings.Contains(string(a.body), secretName) {
		t.Errorf("it shows another organization's data: %s", a.body)
	}
	if a := (program{h, ""}).call(t, r.Method, path, body, headers...); a.status != http.StatusUnauthorized {
		t.Errorf("without a token: %d", a.status)
	}
	if a := (program{h, ""}).call(t, r.Method, path, body, "Cookie", "__Host-session="+acme.cookies["__Host-session"]); a.status != http.StatusUnauthorized {
		t.Errorf("with a session instead of a token: %d", a.status)
	}
}

// validBody is a body that would do, so that a refusal is for the id and nothing else.
func validBody(r web.Route, e estate) any {
	amount := map[string]string{"amount": "5.00", "currency": "EUR"}
	if body := validBankBody(r, e); body != nil {
		return body
	}
	if r.Path == "/v1/subscriptions/:id" {
		return map[string]any{"send": true}
	}
	for part, body := range map[string]any{
		"/customers": map[string]any{"name": "New"}, "/products": map[string]any{"name": "New", "unit_price": "1"},
		"/tax-rates":       map[string]any{"code": "NEW", "name": "New", "percent": "1"},
		"/invoices":        map[string]any{"customer_id": e.ids["customers"], "lines": []any{}},
		"/credit-notes":    map[string]any{"customer_id": e.ids["customers"], "lines": []any{}},
		"/quotes":          map[string]any{"customer_id": e.ids["customers"], "lines": []any{}},
		"/payees":          map[string]any{"name": "New"},
		"/bills":           map[string]any{"payee_id": e.ids["payees"], "lines": []any{}},
		"/payee-credits":   map[string]any{"payee_id": e.ids["payees"], "lines": []any{}},
		"/recurring-bills": map[string]any{"payee_id": e.ids["payees"], "lines": []any{}, "every": 1, "unit": "month"},
		"/bill-payments":   map[string]any{"payee_id": e.ids["payees"], "method": "cash", "amount": amount},
		"/expenses":        map[string]any{"payee_id": e.ids["payees"], "method": "cash", "lines": []any{}},
		"/subscriptions":   map[string]any{"customer_id": e.ids["customers"], "unit": "month", "every": 1, "items": []any{}},
		"/exports":         map[string]any{"holds": "customers"},
		"/payments":        map[string]any{"invoice_id": e.ids["invoices"], "method": "cash", "amount": amount},
		"/webhooks":        map[string]any{"name": "New", "url": "https://hooks.example.com/b", "events": []string{"*"}},
		"/text-gateways":   map[string]any{"kind": "vonage", "name": "New", "account": "k2", "key": "12345678", "sender": "Tidewater", "sends": "text"},
		"/gateways":        map[string]any{"kind": "practice", "name": "New", "key": "practice_0123456789abcdef"},
		"/charges":         map[string]any{"invoice_id": e.ids["invoices"], "payment_method_id": e.ids["payment-methods"], "amount": amount},
		"/payment-methods": map[string]any{"customer_id": e.ids["customers"], "kind": "iban", "iban": "IE29AIBK93115212345678"},
	} {
		if strings.HasPrefix(r.Path, "/v1"+part) && strings.Count(r.Path, "/") <= 3 {
			return body
		}
	}
	switch {
	case strings.HasPrefix(r.Path, "/v1/bill-payments/"), strings.HasPrefix(r.Path, "/v1/payee-credits/"):
		if strings.HasSuffix(r.Path, "apply") {
			return map[string]any{"bill_id": e.ids["bills"]}
		}
		if strings.HasSuffix(r.Path, "money-back") {
			return map[string]any{"method": "cash"}
		}
		return nil
	case r.Path == "/v1/portal" && r.Method == "PUT":
		return map[string]any{"sign_up": false, "shop_open": false}
	case r.Path == "/v1/orders":
		return map[string]any{"customer_id": e.ids["customers"], "lines": []any{map[string]any{"product_id": e.ids["products"], "quantity": 1}}}
	case r.Path == "/v1/contacts":
		return map[string]any{"customer_id": e.ids["customers"], "email": "new@estate.example", "rights": []string{}}
	case strings.HasPrefix(r.Path, "/v1/contacts/") && r.Method == "PUT":
		return map[string]any{"rights": []string{}}
	case r.Path == "/v1/text-gateways/:id/place":
		return map[string]any{"place": 1}
	case r.Path == "/v1/text-gateways/:id/test":
		return map[string]any{"number": "+353861234567", "way": "text"}
	case r.Path == "/v1/products/:id/phone-check":
		return map[string]any{"when": "never"}
	case strings.HasSuffix(r.Path, "/cancel"), strings.HasSuffix(r.Path, "/rotate"), strings.HasSuffix(r.Path, "/erase"):
		return map[string]any{}
	case strings.HasSuffix(r.Path, "/change"):
		return map[string]any{"description": "New", "quantity": "1", "unit_price": "1"}
	case strings.HasSuffix(r.Path, "/usage"):
		return map[string]any{"events": []any{map[string]any{"key": "1", "item_id": e.ids["customers"], "quantity": "1"}}}
	case strings.HasPrefix(r.Path, "/v1/members/") && r.Method == "PUT":
		return map[string]any{"role": "viewer"}
	case strings.HasPrefix(r.Path, "/v1/roles"):
		return map[string]any{"name": "New", "rights": []string{}}
	case r.Path == "/v1/invitations":
		return map[string]any{"email": "new@tidewater.example", "role": "viewer"}
	case strings.HasSuffix(r.Path, "/unfreeze"):
		return map[string]any{"note": "Entry 7"}
	case strings.HasSuffix(r.Path, "/give-back"):
		return map[string]any{"method": "cash", "amount": amount}
	case strings.HasSuffix(r.Path, "/apply"), strings.HasSuffix(r.Path, "/unapply"):
		return map[string]any{"invoice_id": e.ids["invoices"]}
	case strings.HasSuffix(r.Path, "/credit"), strings.HasSuffix(r.Path, "/reverse"), strings.HasSuffix(r.Path, "/refund"), strings.HasSuffix(r.Path, "/send") && r.Path != "/v1/invitations/:id/send":
		return map[string]any{}
	case r.Method == "PATCH":
		return map[string]any{"name": "New"}
	case strings.HasPrefix(r.Path, "/v1/accounts") && !strings.Contains(r.Path, ":id"):
		return map[string]any{"code": "6998", "name": "New", "kind": "expense"}
	case strings.HasPrefix(r.Path, "/v1/journal-entries"):
		return map[string]any{"date": "2026-01-02", "description": "New", "lines": []any{}}
	}
	return nil
}

// deniedMember is someone who was in acme until a moment ago, with a session still open.
func (h *house) deniedMember(t testing.TB, acme estate) *browser {
	t.Helper()
	gone := h.signUp(t)
	hash, _ := identity.HashToken(gone.cookies["__Host-session"])
	mine, err := tenant.EnterMember(context.Background(), tenanttest.DB(), hash, gone.slug)
	if err != nil {
		t.Fatal(err)
	}
	acmeHash, _ := identity.HashToken(acme.cookies["__Host-session"])
	set := func(state string) {
		theirs, err := tenant.EnterMember(context.Background(), tenanttest.DB(), acmeHash, acme.slug)
		if err != nil {
			t.Fatal(err)
		}
		tenanttest.Do(t, tenanttest.DB(), tenanttest.Organization{Scope: theirs, Slug: acme.slug, Session: acmeHash}, func(ctx context.Context, tx *tenant.Tx) error {
			return tx.SetMember(ctx, mine.Person(), "administrator", state)
		})
	}
	set(tenant.Active)
	if a := gone.browser.get(t, "/o/"+acme.slug+"/customers"); a.status != http.StatusOK || !strings.Contains(string(a.body), secretName) {
		t.Fatalf("a member cannot see the customers: %d", a.status)
	}
	set(tenant.Denied)
	return gone.browser
}

func TestHostsAndOtherSites(t *testing.T) {
	t.Parallel()
	h := open(t)
	o := h.signUp(t)
	t.Run("an unknown host serves nothing", func(t *testing.T) {
		for _, host := range []string{"evil.example", "books.example", "books.example:80", "nobody-" + o.slug + ".books.example:8080", "a." + o.slug + ".books.example:8080", o.slug + ".books.example"} {
			r := httptest.NewRequest("GET", "/sign-in", http.NoBody)
			r.Host = host
			response, err := h.App().Test(r, -1)
			if err != nil {
				t.Fatal(err)
			}
			response.Body.Close()
			if response.StatusCode != http.StatusNotFound {
				t.Errorf("%s gets %d", host, response.StatusCode)
			}
		}
	})
	t.Run("another site cannot send a form", func(t *testing.T) {
		for name, value := range map[string]string{"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example"} {
			r := httptest.NewRequest("POST", "/sign-out", strings.NewReader(""))
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			r.Header.Set(name, value)
			if a := o.browser.do(t, r); a.status != http.StatusForbidden {
				t.Errorf("%s: %s gets %d", name, value, a.status)
			}
		}
		if a := o.browser.get(t, "/o/"+o.slug); a.status != http.StatusOK {
			t.Fatalf("signed out all the same: %d", a.status)
		}
	})
	t.Run("a slug in other letters is another address", func(t *testing.T) {
		for _, slug := range []string{strings.ToUpper(o.slug), o.slug + "%20", strings.Replace(o.slug, "o", "о", 1), o.slug + "%00", o.slug + "/", "./" + o.slug} {
			r := httptest.NewRequest("GET", "/", http.NoBody)
			r.RequestURI = "/o/" + slug
			if a := o.browser.do(t, r); a.status != http.StatusNotFound && a.status != http.StatusUnprocessableEntity {
				t.Errorf("%q gets %d", slug, a.status)
			}
		}
	})
}
