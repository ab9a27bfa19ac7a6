package web_test

import (
	"bytes"
	"context"
	"fmt"
	"html"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/countinghouse/countinghouse/authz"
	"github.com/countinghouse/countinghouse/internal/audit"
	"github.com/countinghouse/countinghouse/tenant"
	"github.com/countinghouse/countinghouse/tenant/tenanttest"
)

// askedIn puts a request of a support person who signs in nowhere before an organization's owners.
func (h *house) askedIn(t testing.TB, slug string) string {
	t.Helper()
	ctx := context.Background()
	person, err := h.Identity.AddPerson(ctx, tenanttest.Random(6)+"@countinghouse.example", "Nadia Brandt", goodPassword)
	if err != nil {
		t.Fatal(err)
	}
	var grant authz.GrantID
	err = tenant.DoPlatform(ctx, tenanttest.DB(), func(tx *tenant.PlatformTx) error {
		if err := authz.SetStaff(ctx, tx, tenant.PersonID{}, authz.StaffMember{Person: person, Role: authz.StaffSupport, State: authz.StaffActive}); err != nil {
			return err
		}
		grant, err = authz.RequestSupport(ctx, tx, h.Policy, person, slug, authz.Terms{Reason: "The estate", Ticket: "1", Scopes: []string{"invoices:read"}, Masks: tenant.MaskAll, Minutes: 60})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return grant.String()
}

var everyScope = func() []string {
	p, err := compiled()
	if err != nil {
		panic(err)
	}
	return p.SupportScopes()
}()

// pairs are the fields of a form of terms.
func termsPairs(masked bool, minutes int, scopes ...string) []string {
	pairs := []string{"minutes", fmt.Sprint(minutes)}
	if masked {
		pairs = append(pairs, maskPairs("names", "contact", "addresses", "bank", "traces", "notes")...)
	}
	for _, s := range scopes {
		pairs = append(pairs, "scopes", s)
	}
	return pairs
}

func maskPairs(groups ...string) (pairs []string) {
	for _, g := range groups {
		pairs = append(pairs, "masks", g)
	}
	return pairs
}

var visitPath = regexp.MustCompile(`/o/[a-z0-9-]+/support/([0-9a-f-]{36})`)

// asks raises a request through the pages and gives its id, as the owner's mail names it.
func (c colleague) asks(t testing.TB, o owner, scopes ...string) string {
	t.Helper()
	pairs := append([]string{"slug", o.slug, "ticket", "48213", "reason", "A payment is not shown"}, termsPairs(true, 240, scopes...)...)
	wantRedirect(t, "asking", c.post(t, "/staff/visits", pairs...), "/staff/visits")
	c.h.Desk.Flush()
	for _, m := range c.h.outbox.All() {
		if m.To == o.email && strings.HasPrefix(m.Subject, "Support asks") && strings.Contains(m.Text, "/o/"+o.slug+"/") {
			return visitPath.FindStringSubmatch(m.Text)[1]
		}
	}
	t.Fatal("the owner was not told")
	return ""
}

func (o owner) lets(t testing.TB, grant string, masked bool, minutes int, scopes ...string) {
	t.Helper()
	approve := func() answer {
		return o.post(t, o.path("/support/"+grant+"/approve"), termsPairs(masked, minutes, scopes...)...)
	}
	a := approve()
	// Where tests run slowly, ten minutes may have gone by since the owner signed in.
	if location := a.header.Get("Location"); strings.HasPrefix(location, "/account/prove") {
		wantRedirect(t, "the proof", o.post(t, "/account/prove", "password", goodPassword, "next", "/account"), "/account")
		a = approve()
	}
	wantRedirect(t, "approving", a, o.path("/support/"+grant))
}

// visitor is a support person who was let in on all that the policy leaves to support.
func (h *house) visitor(t testing.TB, o owner, masked bool, scopes ...string) (colleague, string) {
	t.Helper()
	c := h.hire(t, authz.StaffSupport, true)
	if len(scopes) == 0 {
		scopes = everyScope
	}
	grant := c.asks(t, o, scopes...)
	o.lets(t, grant, masked, 240, scopes...)
	return c, grant
}

func (o owner) endLink(t testing.TB) string {
	t.Helper()
	o.browser.h.Desk.Flush()
	for _, m := range o.browser.h.outbox.All() {
		if _, link, ok := strings.Cut(m.Text, "/support/end?token="); ok && m.To == o.email {
			return strings.TrimSpace(link)
		}
	}
	t.Fatal("no link to end it was mailed")
	return ""
}

// onRecord lists action and detail of what is on the record under a grant, oldest first.
func (o owner) onRecord(t testing.TB, grant string) (lines []string) {
	t.Helper()
	scope, err := tenant.EnterOperator(context.Background(), tenanttest.DB(), o.slug)
	if err == nil {
		err = tenant.Do(context.Background(), tenanttest.DB(), scope, func(tx *tenant.Tx) error {
			return tx.Select(context.Background(), &lines, `SELECT action || ' ' || detail FROM audit_log WHERE grant_id = $1 ORDER BY id`, grant)
		})
	}
	if err != nil {
		t.Fatal(err)
	}
	return lines
}

func TestSupportVisit(t *testing.T) {
	t.Parallel()
	h := open(t)
	e := h.estate(t)
	o := e.owner
	nadia := h.hire(t, authz.StaffSupport, true)

	if a := nadia.get(t, o.path("/invoices")); a.status != http.StatusNotFound {
		t.Fatalf("before she is let in: %d", a.status)
	}
	grant := nadia.asks(t, o, "invoices:read", "payments:read")
	if a := nadia.get(t, o.path("/invoices")); a.status != http.StatusNotFound {
		t.Fatalf("asking opens the door: %d", a.status)
	}
	if a := nadia.post(t, "/staff/visits", append([]string{"slug", o.slug, "ticket", "1", "reason", "x"}, termsPairs(true, 60, "invoices:read")...)...); a.status != http.StatusConflict {
		t.Errorf("asking twice: %d", a.status)
	}
	if a := o.browser.get(t, o.path("/support")); !strings.Contains(string(a.body), "A payment is not shown") || !strings.Contains(string(a.body), "Waiting for you") {
		t.Errorf("the owner's page: %s", a.body)
	}
	o.ageProof(t)
	wantRedirect(t, "approving with an old proof", o.browser.post(t, o.path("/support/"+grant+"/approve"), termsPairs(true, 60, "invoices:read")...),
		"/account/prove?next="+strings.ReplaceAll(o.path("/support/"+grant+"/approve"), "/", "%2F"))
	wantRedirect(t, "proving", o.browser.post(t, "/account/prove", "password", goodPassword, "next", o.path("/support/"+grant+"/approve")), o.path("/support/"+grant+"/approve"))
	if a := o.browser.get(t, o.path("/support/"+grant+"/approve")); a.status != http.StatusOK || !strings.Contains(string(a.body), "Let Nadia Brandt in") {
		t.Fatalf("the form: %d", a.status)
	}
	for what, pairs := range map[string][]string{
		"no scope": termsPairs(true, 60), "tokens": termsPairs(true, 60, "tokens:read"), "all": termsPairs(true, 60, "*:read"), "exports": termsPairs(true, 60, "exports:read"),
		"support itself": termsPairs(true, 60, "support:write"), "eight days": termsPairs(true, 8*1440, "invoices:read"), "a minute": termsPairs(true, 1, "invoices:read"),
	} {
		if a := o.browser.post(t, o.path("/support/"+grant+"/approve"), pairs...); a.status != http.StatusUnprocessableEntity {
			t.Errorf("approving %s: %d", what, a.status)
		}
	}
	o.lets(t, grant, true, 60, "invoices:read")

	a := nadia.get(t, o.path("/invoices"))
	if a.status != http.StatusOK || !strings.Contains(string(a.body), "You are here as support") || !strings.Contains(string(a.body), `action="/staff/visits/`+grant+`/leave"`) {
		t.Fatalf("her page: %d %s", a.status, a.body)
	}
	if a := nadia.get(t, o.path("/payments")); a.status != http.StatusForbidden {
		t.Errorf("what she asked for and was not given: %d", a.status)
	}
	if a := nadia.get(t, o.path("/invoices/"+e.ids["invoices"])); a.status != http.StatusOK {
		t.Errorf("an invoice: %d %s", a.status, a.body)
	}
	for _, path := range []string{"/invoices", "", "/settings", "/customers"} {
		if a := o.browser.get(t, o.path(path)); !strings.Contains(string(a.body), "Nadia Brandt") || !strings.Contains(string(a.body), "End access now") {
			t.Errorf("the owner's page %s has no banner: %d", path, a.status)
		}
	}
	a = o.browser.get(t, o.path("/support/"+grant+"/deeds?live=1"))
	for _, want := range []string{"Looked at invoices", "GET /invoices/:id", "Tried to open payments, and was refused"} {
		if !strings.Contains(string(a.body), want) {
			t.Errorf("the feed lacks %q: %s", want, a.body)
		}
	}
	feed := o.browser.get(t, o.path("/activity?support=true"))
	for _, want := range []string{"<b>Nadia Brandt</b>", "looked at invoices", "was refused payments", "as support, on behalf of " + "Mara Lindqvist",
		`<a href="` + o.path("/support/"+grant) + `">Support visit, ticket 48213: A payment is not shown</a>`} {
		if !strings.Contains(string(feed.body), want) {
			t.Errorf("the activity lacks %q: %s", want, feed.body)
		}
	}
	if a := o.browser.get(t, o.path("/activity")); !strings.Contains(string(a.body), `<option value="`+nadia.person.ID.String()+`">Nadia Brandt, support</option>`) {
		t.Errorf("the activity cannot be narrowed to her: %s", a.body)
	}
	if a := o.browser.get(t, o.path("/activity?person="+nadia.person.ID.String())); !strings.Contains(string(a.body), "looked at invoices") || strings.Contains(string(a.body), "<b>Mara Lindqvist</b> ") {
		t.Errorf("narrowed to her: %s", a.body)
	}
	var views struct{ Items []map[string]any }
	o.call(t, "GET", "/v1/activity?support=true&limit=1", nil).decode(t, &views)
	for field, want := range map[string]string{"person": "Nadia Brandt", "on_behalf_of": "Mara Lindqvist", "support_ticket": "48213", "support_reason": "A payment is not shown", "support_grant_id": grant} {
		if len(views.Items) != 1 || views.Items[0][field] != want {
			t.Errorf("a program reads of %s: %v", field, views.Items)
		}
	}
	if sheet := o.browser.get(t, o.path("/activity.csv?support=true")); !strings.Contains(string(sheet.body), ",Nadia Brandt,support,"+grant+","+"Mara Lindqvist"+",48213,A payment is not shown,") {
		t.Errorf("the sheet: %s", sheet.body)
	}
	wantRedirect(t, "ending", o.browser.post(t, o.path("/support/"+grant+"/end")), o.path("/support/"+grant))
	if a := nadia.get(t, o.path("/invoices")); a.status != http.StatusNotFound {
		t.Errorf("after its end: %d", a.status)
	}
	if a := o.browser.post(t, o.path("/support/"+grant+"/end")); a.status != http.StatusConflict {
		t.Errorf("ending twice: %d", a.status)
	}
	lines := o.onRecord(t, grant)
	if len(lines) != 3 || !strings.HasPrefix(lines[0], "support.read GET /o/:slug/invoices. 48213 A payment is not shown") || !strings.HasPrefix(lines[1], "support.refused GET /o/:slug/payments") {
		t.Errorf("on record: %q", lines)
	}
	h.Desk.Flush()
	told := h.outbox.All()[0]
	for _, want := range append([]string{"an owner ended it", "Who came in: Nadia Brandt", "Lines on your record: 3", "A payment is not shown"}, lines...) {
		if !strings.Contains(told.Text, want) {
			t.Errorf("the receipt lacks %q: %s", want, told.Text)
		}
	}
	digest := regexp.MustCompile(`[0-9a-f]{64}`).FindString(told.Text)
	receipt, record := o.browser.get(t, o.path("/support/"+grant+"/receipt.json")), o.browser.get(t, o.path("/activity/record.jsonl"))
	if proof, err := audit.VerifyReceipt(bytes.NewReader(receipt.body), bytes.NewReader(record.body)); err != nil || proof.Lines != 3 || proof.Seal != digest || proof.Grant != grant {
		t.Errorf("the receipt as a file: %+v, %v: %s", proof, err, receipt.body)
	}
	wantRedirect(t, "the receipt of a request", o.browser.get(t, o.path("/support/"+e.ids["support"]+"/receipt.json")), o.path("/support/"+e.ids["support"]))
	if a := o.browser.get(t, o.path("/support/"+grant)); digest == "" || !strings.Contains(string(a.body), digest) || !strings.Contains(string(a.body), "Ended by your organization") {
		t.Errorf("the page's receipt: %s", a.body)
	}
}

// Every route that there is, as a support person sees it who was let in on everything that there is to let in on: it is
// closed to them, or what they asked for is on the record when they are answered.
func TestEveryRouteUnderAGrant(t *testing.T) {
	t.Parallel()
	h := open(t)
	e := h.estate(t)
	o := e.owner
	e.personal(t)
	inside := 0
	nadia, grant := h.visitor(t, o, true)
	never := regexp.MustCompile(`^/o/:slug/(tokens|support|exports|imports|security|roles|members|gateways)(/|$)`)
	for _, r := range h.Routes() {
		if r.Public || r.Person || r.Staff != (authz.StaffRight{}) {
			continue
		}
		inside++
		path := e.path(t, r)
		before := len(o.onRecord(t, grant))
		var a answer
		switch {
		case strings.HasPrefix(r.Path, "/v1/"):
			var body any
			if r.Method != "GET" && r.Method != "DELETE" {
				body = validBody(r, e)
			}
			a = program{h, ""}.call(t, r.Method, path, body, "Cookie", "__Host-session="+nadia.cookies["__Host-session"])
			if a.status != http.StatusUnauthorized {
				t.Errorf("%s %s lets support in: %d", r.Method, r.Path, a.status)
			}
			continue
		case r.Method == "GET":
			a = nadia.get(t, path)
		default:
			a = nadia.post(t, path)
		}
		for _, secret := range personalValues {
			if bytes.Contains([]byte(html.UnescapeString(string(a.body))), []byte(secret)) {
				t.Errorf("%s %s shows %q", r.Method, r.Path, secret)
			}
		}
		lines := o.onRecord(t, grant)
		if len(lines) <= before {
			t.Errorf("%s %s answered %d and left nothing on record", r.Method, r.Path, a.status)
			continue
		}
		forbidden := never.MatchString(r.Path) && (r.Method != "GET" || !regexp.MustCompile(`/(roles|members|gateways)`).MatchString(r.Path))
		if (forbidden || r.Right.Action == authz.Export) && a.status != http.StatusForbidden {
			t.Errorf("%s %s is open to support: %d", r.Method, r.Path, a.status)
		}
		if a.status == http.StatusForbidden != strings.HasPrefix(lines[before], "support.refused") {
			t.Errorf("%s %s answered %d, on record is %q", r.Method, r.Path, a.status, lines[before])
		}
		if a.status >= 500 {
			t.Errorf("%s %s broke: %d %s", r.Method, r.Path, a.status, a.body)
		}
	}
	if inside < 30 {
		t.Fatalf("only %d routes", inside)
	}
}

// personalValues are all people's data of the estate, each unlike anything else.
var personalValues = []string{
	"Papanikolaou", "zaharias.k@unmistakable.example", "+30 2109 554433", "Odos Ermou 77b", "TT-90210", "Nafplio", "Argolis-Region",
	"EL-998877665", "Own Street 5c", "PC-OWN-77", "Mara Lindqvist", "Cork-Own",
}

// personal fills the estate with people's data in every place that has some.
func (e estate) personal(t testing.TB) {
	t.Helper()
	a := e.program.call(t, "PUT", "/v1/customers/"+e.ids["customers"], map[string]any{"name": "Aristides " + personalValues[0], "email": personalValues[1], "phone": personalValues[2],
		"street": personalValues[3], "postal_code": personalValues[4], "city": personalValues[5], "region": personalValues[6]})
	if a.status != http.StatusOK {
		t.Fatalf("the customer: %d %s", a.status, a.body)
	}
	a = e.program.call(t, "PUT", "/v1/settings", map[string]any{"name": "Tidewater Studios", "time_zone": "Europe/Dublin", "country": "IE", "invoice_prefix": "INV-",
		"payment_terms_days": 30, "tax_rounding": "line", "tax_number": personalValues[7], "street": personalValues[8], "postal_code": personalValues[9], "city": personalValues[11]})
	if a.status != http.StatusOK {
		t.Fatalf("the settings: %d %s", a.status, a.body)
	}
	// One more invoice, issued to whom all of that is known of; and a draft.
	lines := []any{map[string]any{"description": "Work", "quantity": "1", "unit_price": "100"}}
	invoice := e.program.made(t, "/v1/invoices", map[string]any{"customer_id": e.ids["customers"], "lines": lines})
	if a := e.program.call(t, "POST", "/v1/invoices/"+invoice+"/issue", nil); a.status != http.StatusOK {
		t.Fatalf("issue: %d %s", a.status, a.body)
	}
	e.ids["invoices"] = invoice
	for _, secret := range personalValues[:4] { // the values are where the test looks for them
		if a := e.browser.get(t, e.owner.path("/customers/"+e.ids["customers"])); !strings.Contains(html.UnescapeString(string(a.body)), secret) {
			t.Fatalf("the owner does not see %q either", secret)
		}
	}
}

// Whether something is found by it tells what is hidden, letter by letter.
func TestMaskedSearchFindsNobodyByWhatIsHidden(t *testing.T) {
	t.Parallel()
	h := open(t)
	e := h.estate(t)
	e.personal(t)
	nadia, _ := h.visitor(t, e.owner, true)
	things := map[string]string{
		"/customers?q=ZAHARIAS.K": "/customers/" + e.ids["customers"], "/customers?q=papanik": "/customers/" + e.ids["customers"],
		"/invoices?q=Papanik": "/invoices/" + e.ids["invoices"],
	}
	for search, thing := range things {
		if a := e.owner.browser.get(t, e.owner.path(search)); !strings.Contains(string(a.body), thing) {
			t.Errorf("the owner does not find it by %s: %d", search, a.status)
		}
		if a := nadia.get(t, e.owner.path(search)); a.status != http.StatusOK || strings.Contains(string(a.body), thing) {
			t.Errorf("%s: %d, or found although it is masked", search, a.status)
		}
	}
}

// An owner chooses what is masked group by group: what is ticked is shown nowhere, and what is not is shown.
func TestMaskGroups(t *testing.T) {
	t.Parallel()
	h := open(t)
	e := h.estate(t)
	o := e.owner
	e.personal(t)
	const note = "Call my daughter Ekaterini first"
	invoice := o.program.made(t, "/v1/invoices", map[string]any{"customer_id": e.ids["customers"], "note": note, "lines": []any{map[string]any{"description": "Work", "quantity": "1", "unit_price": "100"}}})
	if a := o.program.call(t, "POST", "/v1/invoices/"+invoice+"/issue", nil); a.status != http.StatusOK {
		t.Fatalf("issue: %d %s", a.status, a.body)
	}
	groups := map[string][]string{"names": personalValues[:1], "contact": personalValues[1:3], "addresses": personalValues[3:7], "bank": personalValues[7:8], "notes": {note}}
	c := h.hire(t, authz.StaffSupport, true)
	for ticked := range groups {
		grant := c.asks(t, o, everyScope...)
		if a := o.browser.get(t, o.path("/support/"+grant+"/approve")); !strings.Contains(string(a.body), `name="masks" value="`+ticked+`" checked`) {
			t.Errorf("%s is not masked unless the owner says otherwise: %s", ticked, a.body)
		}
		wantRedirect(t, "approving", o.browser.post(t, o.path("/support/"+grant+"/approve"), append(termsPairs(false, 60, everyScope...), maskPairs(ticked)...)...), o.path("/support/"+grant))
		var shown strings.Builder
		for _, path := range []string{"/customers/" + e.ids["customers"], "/customers/" + e.ids["customers"] + "/edit", "/customers", "/invoices/" + invoice, "/settings", "/activity", "/activity?group=settings"} {
			a := c.get(t, o.path(path))
			if a.status >= 500 || path == "/invoices/"+invoice && a.status != http.StatusOK {
				t.Errorf("%s: %d", path, a.status)
			}
			shown.WriteString(html.UnescapeString(string(a.body)))
		}
		if a := c.get(t, o.path("/invoices/"+invoice+"/pdf")); a.status != http.StatusOK {
			t.Errorf("the invoice on paper: %d", a.status)
		} else {
			shown.WriteString(pdfText(t, a.body))
		}
		for group, values := range groups {
			for _, value := range values {
				if strings.Contains(shown.String(), value) != (group != ticked) {
					t.Errorf("with %s masked, %s %q: shown %v", ticked, group, value, group == ticked)
				}
			}
		}
		for search, group := range map[string]string{"papanik": "names", "zaharias.k": "contact"} {
			a := c.get(t, o.path("/customers?q="+search))
			if found := strings.Contains(string(a.body), "/customers/"+e.ids["customers"]); found != (group != ticked) {
				t.Errorf("with %s masked, searching by %s finds: %v", ticked, group, found)
			}
		}
		for _, path := range []string{"/reports/customer-balances.csv", "/ledger.csv", "/activity.csv", "/activity/record.jsonl"} {
			wantStatus(t, "taking away "+path, c.get(t, o.path(path)), http.StatusForbidden)
		}
		var view struct {
			Masked bool
			Masks  []string
		}
		o.program.call(t, "GET", "/v1/support-grants/"+grant, nil).decode(t, &view)
		if !view.Masked || len(view.Masks) != 1 || view.Masks[0] != ticked {
			t.Errorf("a program reads %+v", view)
		}
		wantRedirect(t, "ending", o.browser.post(t, o.path("/support/"+grant+"/end")), o.path("/support/"+grant))
	}
	grant := c.asks(t, o, everyScope...)
	wantRedirect(t, "approving a group that there is not", o.browser.post(t, o.path("/support/"+grant+"/approve"), append(termsPairs(false, 60, everyScope...), maskPairs("nothing")...)...), o.path("/support/"+grant))
	if a := c.get(t, o.path("/customers/"+e.ids["customers"])); a.status != http.StatusOK || strings.Contains(string(a.body), personalValues[0]) {
		t.Errorf("what is unknown masks too little: %d", a.status)
	}
}
