package web_test

import (
	"bytes"
	"cmp"
	"compress/gzip"
	"context"
	"html"
	"net/http"
	"net/http/httptest"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/countinghouse/countinghouse/identity"
	"github.com/countinghouse/countinghouse/tenant"
	"github.com/countinghouse/countinghouse/tenant/tenanttest"
	"github.com/countinghouse/countinghouse/web"
)

// A body may be 1 MB. Compressed, a few hundred bytes of it stand for as many megabytes, and nobody need sign in
// to send them.
func TestACompressedBodyIsRefusedUnread(t *testing.T) {
	t.Parallel()
	h := open(t)
	o := h.signUp(t)
	var packed bytes.Buffer
	w := gzip.NewWriter(&packed)
	if _, err := w.Write(append([]byte("email="), bytes.Repeat([]byte("a"), 8<<20)...)); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{"/sign-in", "/sign-up", o.inside("/customers"), "/v1/customers"} {
		for _, encoding := range []string{"gzip", "gzip, gzip", "br", "deflate"} {
			r := httptest.NewRequest("POST", path, bytes.NewReader(packed.Bytes()))
			r.Header.Set("Content-Encoding", encoding)
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			if strings.HasPrefix(path, "/v1/") {
				r.Header.Set("Content-Type", "application/json")
				r.Header.Set("Authorization", "Bearer "+o.token)
			}
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			a := o.browser.do(t, r)
			runtime.ReadMemStats(&after)
			if a.status != http.StatusUnsupportedMediaType {
				t.Errorf("%s, %s: %d after %d MB of memory", path, encoding, a.status, (after.TotalAlloc-before.TotalAlloc)>>20)
			}
		}
	}
}

// RFC 9110 section 9.1: GET and HEAD are what every server supports; other methods of a known address are 405.
func TestHeadIsGetWithoutTheBody(t *testing.T) {
	t.Parallel()
	h := open(t)
	o := h.signUp(t)
	for _, path := range []string{"/livez", "/sign-in", "/openapi.json", o.inside(""), o.inside("/customers")} {
		a := o.browser.do(t, httptest.NewRequest("HEAD", path, http.NoBody))
		if a.status != http.StatusOK || len(a.body) != 0 {
			t.Errorf("HEAD %s: %d with %d bytes", path, a.status, len(a.body))
		}
	}
}

func TestALineOfAFormIsNamedInOneWay(t *testing.T) {
	t.Parallel()
	h := open(t)
	o := h.signUp(t)
	customer := o.made(t, "/v1/customers", map[string]any{"name": "Acme"})
	a := o.browser.post(t, o.inside("/invoices"), "idempotency_key", "k", "action", "save", "customer_id", customer, "currency", "EUR",
		"lines[0].description", "cheap", "lines[0].quantity", "1", "lines[0].unit_price", "1",
		"lines[00].description", "dear", "lines[00].quantity", "1", "lines[00].unit_price", "1000")
	if a.status != http.StatusUnprocessableEntity {
		t.Errorf("a line that was sent twice: %d to %s", a.status, a.header.Get("Location"))
	}
}

func TestADebitBelowNothingIsRefused(t *testing.T) {
	t.Parallel()
	h := open(t)
	o := h.signUp(t)
	var accounts struct{ Items []struct{ ID string } }
	o.call(t, "GET", "/v1/accounts", nil).decode(t, &accounts)
	below := map[string]string{"amount": "-5.00", "currency": "EUR"}
	a := o.call(t, "POST", "/v1/journal-entries", map[string]any{"date": "2026-01-02", "description": "x", "lines": []any{
		map[string]any{"account_id": accounts.Items[0].ID, "debit": below},
		map[string]any{"account_id": accounts.Items[1].ID, "credit": below}}})
	if a.status != http.StatusUnprocessableEntity {
		t.Errorf("%d %s", a.status, a.body)
	}
}

// Whoever may post can make a report larger than it can show. It must cost that report, and not everyone's first page.
func TestAmountsTooLargeToAddUpLeaveTheFirstPage(t *testing.T) {
	t.Parallel()
	h := open(t)
	o := h.signUp(t)
	var accounts struct{ Items []struct{ ID, Kind string } }
	o.call(t, "GET", "/v1/accounts", nil).decode(t, &accounts)
	income := ""
	for _, a := range accounts.Items {
		if a.Kind == "income" {
			income = a.ID
			break
		}
	}
	most := map[string]string{"amount": "999999999999999.99", "currency": "EUR"}
	for range 93 {
		o.made(t, "/v1/journal-entries", map[string]any{"date": "2026-01-02", "description": "x", "lines": []any{
			map[string]any{"account_id": accounts.Items[0].ID, "debit": most}, map[string]any{"account_id": income, "credit": most}}})
	}
	for _, path := range []string{"", "/invoices", "/journal", "/accounts"} {
		if a := o.browser.get(t, o.inside(path)); a.status != http.StatusOK {
			t.Errorf("%q: %d", path, a.status)
		}
	}
}

func TestAnEmptyPriceIsNoPrice(t *testing.T) {
	t.Parallel()
	h := open(t)
	o := h.signUp(t)
	customer := o.made(t, "/v1/customers", map[string]any{"name": "Acme"})
	for path, body := range map[string]any{
		"/v1/products": map[string]any{"name": "Day", "unit_price": ""},
		"/v1/invoices": map[string]any{"customer_id": customer, "lines": []any{
			map[string]any{"description": "Day", "quantity": "1", "unit_price": ""}}},
	} {
		if a := o.call(t, "POST", path, body); a.status != http.StatusUnprocessableEntity {
			t.Errorf("%s: %d %s", path, a.status, a.body)
		}
	}
}

func TestTheKeyOfEveryFormIsChecked(t *testing.T) {
	t.Parallel()
	h := open(t)
	e := h.estate(t)
	for _, r := range h.Routes() {
		if r.Method != "POST" || !strings.HasPrefix(r.Path, "/o/") {
			continue
		}
		for _, key := range []string{strings.Repeat("a", 101), "a b", "\u00e9"} {
			a := e.browser.post(t, e.path(t, r), "idempotency_key", key, "name", "x", "scopes", "*:read", "version", "1", "action", "save")
			if a.status >= 500 || a.status < 400 && !strings.HasSuffix(r.Path, "/preview") && !strings.HasSuffix(r.Path, "/journal") {
				t.Errorf("%s with the key %.9q: %d", r.Path, key, a.status)
			}
		}
	}
}

// What customers owe is one account, which documents alone move: a sale that is booked there is owed and yet is not.
func TestASaleIsNotBookedOnWhatCustomersOwe(t *testing.T) {
	t.Parallel()
	h := open(t)
	o := h.signUp(t)
	var accounts struct {
		Items []struct{ ID, Purpose string }
	}
	o.call(t, "GET", "/v1/accounts", nil).decode(t, &accounts)
	customer, owed := o.made(t, "/v1/customers", map[string]any{"name": "Acme"}), ""
	for _, a := range accounts.Items {
		if a.Purpose == "receivable" {
			owed = a.ID
		}
	}
	if owed == "" {
		t.Fatal("no account for what customers owe")
	}
	for path, body := range map[string]any{
		"/v1/products": map[string]any{"name": "Day", "unit_price": "1", "income_account_id": owed},
		"/v1/invoices": map[string]any{"customer_id": customer, "lines": []any{
			map[string]any{"description": "Day", "quantity": "1", "unit_price": "1", "account_id": owed}}},
	} {
		if a := o.call(t, "POST", path, body); a.status != http.StatusUnprocessableEntity {
			t.Errorf("%s: %d", path, a.status)
		}
	}
}

var (
	linked   = regexp.MustCompile(`(?:href|hx-get)="(/[^"]*)"`)
	postForm = regexp.MustCompile(`(?s)<form[^>]*method="post"[^>]*>`)
	action   = regexp.MustCompile(`action="([^"]*)"`)
	anID     = regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}`)
)

// otherwise names the pages that answer whoever holds their right with something else than themselves, since the estate's thing is of
// another state than they show; with a role before it, what that one alone is answered.
var otherwise = map[string]int{
	"/o/:slug/bank/:id/files/:file":              http.StatusNotFound, // the estate's file is an invoice's
	"/o/:slug/bills/:id/files/:file":             http.StatusNotFound,
	"/o/:slug/payee-credits/:id/files/:file":     http.StatusNotFound,
	"/o/:slug/recurring-bills/:id/files/:file":   http.StatusNotFound,
	"/o/:slug/quotes/:id/send":                   http.StatusConflict, // it is a draft
	"/o/:slug/credit-notes/:id/send":             http.StatusConflict,
	"/o/:slug/settings/exports/:id/file":         http.StatusConflict,  // no worker makes it
	"auditor /o/:slug/settings/exports/:id/file": http.StatusForbidden, // who may not export customers
}

// Whatever a page offers its reader, they may do; whatever they may not, is refused.
func TestPagesOfferWhatTheirReaderMayDo(t *testing.T) {
	t.Parallel()
	h := open(t)
	acme := h.estate(t)
	may := whoMay(t)
	draft := acme.made(t, "/v1/invoices", map[string]any{"customer_id": acme.ids["customers"],
		"lines": []any{map[string]any{"description": "x", "quantity": "1", "unit_price": "1"}}})
	for _, role := range []string{"administrator", "accountant", "bookkeeper", "sales", "viewer", "auditor"} {
		t.Run(role, func(t *testing.T) {
			t.Parallel()
			r := offered{house: h, browser: h.memberWith(t, acme, role), acme: acme, links: []string{acme.inside("/invoices/" + draft)}, seen: map[string]bool{}, sent: map[string]bool{}}
			for _, route := range h.Routes() {
				if route.Method == "GET" && strings.HasPrefix(route.Path, "/o/:slug") {
					r.askRoute(t, role, route, route.AnyRight || slices.Contains(may[route.Right.String()], role))
				}
			}
			for len(r.links) > 0 {
				path := r.links[0]
				r.links = r.links[1:]
				if r.seen[path] {
					continue
				}
				r.seen[path] = true
				a := r.browser.get(t, path)
				if a.status != http.StatusOK && a.status != http.StatusSeeOther {
					t.Errorf("a link leads to %s: %d", anID.ReplaceAllString(path, "ID"), a.status)
				}
				r.note(t, path, a)
			}
		})
	}
}

// offered is what a reader finds at acme's pages: links yet to be followed, and what was seen and sent.
type offered struct {
	*house
	browser    *browser
	acme       estate
	links      []string
	seen, sent map[string]bool
}

// askRoute asks for a page that no link led to: whoever may not come is told so, and nobody else is.
func (o *offered) askRoute(t *testing.T, role string, route web.Route, may bool) {
	t.Helper()
	path := o.acme.path(t, route)
	a := o.browser.get(t, path)
	want := []int{http.StatusForbidden}
	if may {
		want = []int{http.StatusOK, http.StatusSeeOther}
		if other := cmp.Or(otherwise[role+" "+route.Path], otherwise[route.Path]); other != 0 {
			want = []int{other}
		}
	}
	if !slices.Contains(want, a.status) {
		t.Errorf("%s (%s): %d, not one of %d", route.Path, route.Right, a.status, want)
	}
	if a.status < 400 {
		o.seen[path] = true
		o.note(t, path, a)
	}
}

// note keeps the links of a page, and sends each of its forms once with a key that no form has: that is refused for the key and
// for nothing else, and changes nothing.
func (o *offered) note(t *testing.T, path string, a answer) {
	t.Helper()
	for _, link := range linked.FindAllStringSubmatch(string(a.body), -1) {
		if to := html.UnescapeString(link[1]); strings.HasPrefix(to, "/o/"+o.acme.slug) {
			to, _, _ = strings.Cut(to, "#")
			o.links = append(o.links, to)
		}
	}
	for _, form := range postForm.FindAllString(string(a.body), -1) {
		found := action.FindStringSubmatch(form)
		if found == nil || !strings.HasPrefix(found[1], "/o/") || o.sent[found[1]] {
			continue
		}
		o.sent[found[1]] = true
		to := html.UnescapeString(found[1])
		want := http.StatusUnprocessableEntity
		switch {
		case strings.Contains(form, "multipart/form-data"): // which this is not
			want = http.StatusUnsupportedMediaType
		case strings.Contains(form, `id="invoice-form"`), strings.Contains(form, `id="entry-form"`): // an editor that no button sent shows itself again
			want = http.StatusOK
		}
		if b := o.browser.post(t, to, "idempotency_key", " "); b.status != want {
			t.Errorf("%s offers %s, which answers %d", anID.ReplaceAllString(path, "ID"), anID.ReplaceAllString(to, "ID"), b.status)
		}
	}
}

func (o owner) inside(rest string) string { return "/o/" + o.slug + rest }

// memberWith is someone who belongs to acme with that role.
func (h *house) memberWith(t testing.TB, acme estate, role string) *browser {
	t.Helper()
	other := h.signUp(t)
	hash, _ := identity.HashToken(other.cookies["__Host-session"])
	mine, err := tenant.EnterMember(context.Background(), tenanttest.DB(), hash, other.slug)
	if err != nil {
		t.Fatal(err)
	}
	acmeHash, _ := identity.HashToken(acme.cookies["__Host-session"])
	for range 5 { // others join at the same time
		scope, err := tenant.EnterMember(context.Background(), tenanttest.DB(), acmeHash, acme.slug)
		if err != nil {
			t.Fatal(err)
		}
		err = tenant.Do(context.Background(), tenanttest.DB(), scope, func(tx *tenant.Tx) error {
			return tx.SetMember(context.Background(), mine.Person(), role, tenant.Active)
		})
		if err == nil {
			return other.browser
		}
	}
	t.Fatal("could not join")
	return nil
}
