package web_test

import (
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/countinghouse/countinghouse/tenant/tenanttest"
)

// field finds the value that stands in a field of a page.
func field(t testing.TB, a answer, name string) string {
	t.Helper()
	found := regexp.MustCompile(`<input[^>]*name="` + regexp.QuoteMeta(name) + `"[^>]*value="([^"]*)"`).FindSubmatch(a.body)
	if found == nil {
		t.Fatalf("no field %s with a value (status %d)", name, a.status)
	}
	return string(found[1])
}

func (a answer) holds(t testing.TB, words ...string) {
	t.Helper()
	for _, w := range words {
		if !strings.Contains(string(a.body), w) {
			t.Errorf("status %d, and the page lacks %q", a.status, w)
		}
	}
}

// went says where a form that was taken leads to.
func (a answer) went(t testing.TB) string {
	t.Helper()
	if a.status != http.StatusSeeOther {
		t.Fatalf("status %d: %s", a.status, a.body)
	}
	return a.header.Get("Location")
}

func TestFormsOfCustomers(t *testing.T) {
	t.Parallel()
	h := open(t)
	o := h.signUp(t)
	o.browser.get(t, o.inside("/customers")).holds(t, "No customers yet", o.inside("/customers/new"))
	key := field(t, o.browser.get(t, o.inside("/customers/new")), "idempotency_key")
	once := o.browser.post(t, o.inside("/customers"), "idempotency_key", key, "name", "Stanisław Wójcik", "country", "PL").went(t)
	twice := o.browser.post(t, o.inside("/customers"), "idempotency_key", key, "name", "Stanisław Wójcik", "country", "PL").went(t)
	if once != twice {
		t.Errorf("pressed twice, it made %s and %s", once, twice)
	}
	o.browser.get(t, once).holds(t, "Stanisław Wójcik", "Poland", "Customer added")

	refused := o.browser.post(t, o.inside("/customers"), "name", " ", "company", "Ulica <b> & Sons", "email", "nowhere")
	if refused.status != http.StatusUnprocessableEntity {
		t.Errorf("a customer without a name: %d", refused.status)
	}
	refused.holds(t, "Ulica &lt;b&gt; &amp; Sons", `href="#f-name"`, `href="#f-email"`, `value="nowhere"`, `aria-invalid="true"`)

	o.browser.get(t, o.inside("/customers?q=wójcik")).holds(t, "Stanisław")
	o.browser.get(t, o.inside("/customers?q=zzz")).holds(t, "No match", "Show all customers")
}

func TestAChangeThatComesTooLate(t *testing.T) {
	t.Parallel()
	h := open(t)
	o := h.signUp(t)
	at := o.inside("/customers/" + o.made(t, "/v1/customers", map[string]any{"name": "Acme"}))
	version := field(t, o.browser.get(t, at+"/edit"), "version")
	o.browser.post(t, at, "version", version, "name", "Acme Ltd").went(t)
	late := o.browser.post(t, at, "version", version, "name", "Acme & Co")
	if late.status != http.StatusUnprocessableEntity {
		t.Fatalf("the second change: %d", late.status)
	}
	late.holds(t, "Someone else changed this customer", "Acme &amp; Co")
	o.browser.get(t, at).holds(t, "Acme Ltd")
	// Whoever was told may send it again.
	o.browser.post(t, at, "version", field(t, late, "version"), "name", "Acme & Co").went(t)
	if none := o.browser.post(t, at, "name", "Unseen"); none.status != http.StatusUnprocessableEntity {
		t.Errorf("a change of nothing that was seen: %d", none.status)
	}
}

func TestInvoiceEditorWithoutScript(t *testing.T) {
	t.Parallel()
	h := open(t)
	o := h.signUp(t)
	customer := o.made(t, "/v1/customers", map[string]any{"name": "Acme"})
	product := o.made(t, "/v1/products", map[string]any{"name": "Mixing, per track", "unit_price": "145"})
	o.made(t, "/v1/tax-rates", map[string]any{"code": "GST", "name": "GST 5 %", "percent": "5"})
	o.made(t, "/v1/tax-rates", map[string]any{"code": "QST", "name": "QST", "percent": "9.975", "compound": true})
	one := []string{"customer_id", customer, "currency", "EUR", "issue_date", "2026-11-20",
		"lines[0].description", "Day", "lines[0].quantity", "2", "lines[0].unit_price", "100", "lines[0].tax_codes", "GST", "lines[0].tax_codes", "QST"}

	added := o.browser.post(t, o.inside("/invoices"), append(one, "action", "add")...)
	added.holds(t, `name="lines[1].description"`, ">Day</textarea>", "230.95") // 200 + 10 + 9.975 % of 210
	chosen := o.browser.post(t, o.inside("/invoices"), append(one, "action", "add-product", "choose_product", product)...)
	chosen.holds(t, "Mixing, per track</textarea>", `name="lines[1].product_id" value="`+product+`"`, `value="145.00"`)
	removed := o.browser.post(t, o.inside("/invoices"), append(one, "action", "remove-0", "lines[1].description", "Night", "lines[1].quantity", "1")...)
	removed.holds(t, ">Night</textarea>")
	if strings.Contains(string(removed.body), ">Day</textarea>") || strings.Contains(string(removed.body), "lines[1].") {
		t.Error("the removed line is still there")
	}
	o.browser.get(t, o.inside("/invoices")).holds(t, "No invoices yet")

	wrong := o.browser.post(t, o.inside("/invoices"), append(one, "action", "save", "due_date", "2026-11-01", "lines[1].description", "Night", "lines[1].quantity", "-1", "lines[1].unit_price", "5")...)
	if wrong.status != http.StatusUnprocessableEntity {
		t.Fatalf("a due date before the issue date: %d", wrong.status)
	}
	wrong.holds(t, `href="#f-due-date"`, `href="#f-lines-1-quantity"`, `value="-1"`)

	draft := o.browser.post(t, o.inside("/invoices"), append(one, "action", "save", "lines[1].quantity", "1")...).went(t)
	o.browser.get(t, draft).holds(t, "Draft invoice", "GST 5 %", "230.95", "Nothing is owed until it is issued.")
	version := field(t, o.browser.get(t, draft+"/edit"), "version")
	o.browser.post(t, draft, append(one, "version", version, "action", "issue", "reference", "HOR-88")...).went(t)
	o.browser.get(t, draft).holds(t, "INV-0001", "HOR-88", "Still to come", "Record payment", "Issued and posted as")
	if again := o.browser.get(t, draft+"/edit"); again.status != http.StatusSeeOther {
		t.Errorf("an issued invoice can be edited: %d", again.status)
	}

	form := o.browser.get(t, draft+"/payment")
	if open := field(t, form, "amount"); open != "230.95" {
		t.Errorf("the amount to pay is %s", open)
	}
	much := o.browser.post(t, draft+"/payment", "amount", "230.96", "method", "cash")
	if much.status != http.StatusUnprocessableEntity {
		t.Errorf("an overpayment: %d", much.status)
	}
	much.holds(t, `value="230.96"`, `href="#f-amount"`)
	o.browser.post(t, draft+"/payment", "amount", "100", "method", "cash").went(t)
	o.browser.get(t, draft).holds(t, "Part paid", "130.95")
}

func TestPreviewCountsWhatIsComplete(t *testing.T) {
	t.Parallel()
	h := open(t)
	o := h.signUp(t)
	a := o.browser.post(t, o.inside("/invoices/preview"), "currency", "EUR", "lines[0].description", "Day", "lines[0].quantity", "2",
		"lines[0].unit_price", "12.345", "lines[1].description", "Night", "lines[1].quantity", "", "lines[1].unit_price", "5")
	a.holds(t, "24.69", "Line 2 not counted yet.", `<output id="sum-0" hx-swap-oob="innerHTML">24.69</output>`)
	if strings.Contains(string(a.body), "<html") {
		t.Error("a preview is a whole page")
	}
}

func TestJournalEntryByForm(t *testing.T) {
	t.Parallel()
	h := open(t)
	o := h.signUp(t)
	var accounts struct{ Items []struct{ ID string } }
	o.call(t, "GET", "/v1/accounts", nil).decode(t, &accounts)
	entry := func(credit string) answer {
		return o.browser.post(t, o.inside("/journal"), "action", "post", "date", "2026-11-20", "currency", "EUR", "description", "Capital",
			"lines[0].account_id", accounts.Items[0].ID, "lines[0].debit", "25000", "lines[1].account_id", accounts.Items[1].ID, "lines[1].credit", credit,
			"lines[2].account_id", "", "lines[2].debit", "")
	}
	short := entry("24999.99")
	if short.status != http.StatusUnprocessableEntity {
		t.Fatalf("an entry out of balance: %d", short.status)
	}
	short.holds(t, "0.01", `value="24999.99"`)
	posted := entry("25000").went(t)
	o.browser.get(t, posted).holds(t, "J-0001", "25,000.00", "Reverse J-0001")
	o.browser.post(t, posted+"/reverse", "description", "Wrong account").went(t)
	if again := o.browser.post(t, posted+"/reverse"); again.status != http.StatusUnprocessableEntity {
		t.Errorf("reversed twice: %d", again.status)
	}
	o.browser.get(t, o.inside("/journal")).holds(t, "J-0002", "Reversed")
}

func TestTokenIsShownOnce(t *testing.T) {
	t.Parallel()
	h := open(t)
	o := h.signUp(t)
	none := o.browser.post(t, o.inside("/tokens"), "name", "Shop")
	if none.status != http.StatusUnprocessableEntity {
		t.Errorf("a token that may do nothing: %d", none.status)
	}
	key := tenanttest.Random(8)
	made := o.browser.post(t, o.inside("/tokens"), "idempotency_key", key, "name", "Shop", "scopes", "invoices:read")
	secret := regexp.MustCompile(`ch_[A-Za-z0-9_-]{20,}`).FindString(string(made.body))
	if secret == "" || made.header.Get("Location") != "" || strings.Contains(strings.Join(made.header.Values("Set-Cookie"), " "), secret) {
		t.Fatalf("status %d, secret %q", made.status, secret)
	}
	if a := (program{h, secret}).call(t, "GET", "/v1/invoices", nil); a.status != http.StatusOK {
		t.Errorf("the token does not work: %d", a.status)
	}
	for _, later := range []answer{
		o.browser.post(t, o.inside("/tokens"), "idempotency_key", key, "name", "Shop", "scopes", "invoices:read"),
		o.browser.get(t, o.inside("/tokens")),
	} {
		if later.status >= 400 || strings.Contains(string(later.body), secret) {
			t.Errorf("status %d, or the token was shown again", later.status)
		}
	}
}

func TestFilesOfReports(t *testing.T) {
	t.Parallel()
	h := open(t)
	o := h.signUp(t)
	o.made(t, "/v1/customers", map[string]any{"name": "Acme"})
	for path, want := range map[string][2]string{
		"/ledger.csv?from=2026-01-01&to=2026-12-31":             {`attachment; filename="ledger-2026-01-01-to-2026-12-31.csv"`, "account,account_name,"},
		"/reports/trial-balance.csv?as_of=2026-11-20":           {`attachment; filename="trial-balance-2026-11-20.csv"`, "account,account_name,"},
		"/reports/customer-balances.csv?as_of=2026-11-20":       {`attachment; filename="customer-balances-2026-11-20.csv"`, "customer_id,customer,"},
		"/reports/customer-balances.csv?as_of=2026-11-20&x=%22": {`attachment; filename="customer-balances-2026-11-20.csv"`, "customer_id,customer,"},
	} {
		a := o.browser.get(t, o.inside(path))
		if got := a.header.Get("Content-Disposition"); got != want[0] || a.header.Get("Content-Type") != "text/csv; charset=utf-8" || !strings.HasPrefix(string(a.body), want[1]) {
			t.Errorf("%s: %d, %q, %q, %.40q", path, a.status, got, a.header.Get("Content-Type"), a.body)
		}
	}
	customer := o.made(t, "/v1/customers", map[string]any{"name": "Bo"})
	for _, path := range []string{"/ledger.xlsx", "/reports/trial-balance.xlsx", "/reports/customer-balances.xlsx", "/reports/taxes.xlsx", "/customers/" + customer + "/statement.xlsx"} {
		a := o.browser.get(t, o.inside(path))
		if a.status != http.StatusOK || !strings.HasPrefix(string(a.body), "PK") || !strings.HasSuffix(a.header.Get("Content-Disposition"), `.xlsx"`) {
			t.Errorf("%s: %d, %q, %.40q", path, a.status, a.header.Get("Content-Disposition"), a.body)
		}
	}
	if a := o.browser.get(t, o.inside("/ledger.csv?from=2026-02-30")); a.status != http.StatusUnprocessableEntity {
		t.Errorf("a day that does not exist: %d", a.status)
	}
}

func TestSettingsByForm(t *testing.T) {
	t.Parallel()
	h := open(t)
	o := h.signUp(t)
	version := field(t, o.browser.get(t, o.inside("/settings")), "version")
	sent := []string{"version", version, "name", "Tidewater", "time_zone", "Asia/Tokyo", "country", "JP", "invoice_prefix", "TW-", "tax_rounding", "document"}
	wrong := o.browser.post(t, o.inside("/settings"), append(sent, "payment_terms_days", "soon")...)
	if wrong.status != http.StatusUnprocessableEntity {
		t.Fatalf("terms of soon: %d", wrong.status)
	}
	wrong.holds(t, `value="soon"`, `<option value="Asia/Tokyo" selected`)
	o.browser.post(t, o.inside("/settings"), append(sent, "payment_terms_days", "14")...).went(t)
	o.browser.get(t, o.inside("/settings")).holds(t, `value="14"`, "<title>Settings · Tidewater</title>", `value="document" checked`)
}
