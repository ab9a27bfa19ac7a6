package browser

import (
	"testing"

	"github.com/chromedp/chromedp"
)

// From the first page to a paid invoice and the books that come of it.
func TestFromSignUpToPaidInvoice(t *testing.T) {
	v := visit(t, serve(t).home)
	v.open("/")
	v.sees("Sign in")
	v.open("/sign-up")
	v.fill("email", "mara@tidewater.example")
	v.picture("sign-up")
	v.send("email")
	v.press("Read the mail in the outbox")
	v.sees("mara@tidewater.example")
	v.picture("outbox")
	v.do("following the link", chromedp.Click(`a[href*="/set-up?token="]`, chromedp.ByQuery))
	v.fill("organization", "Tidewater Studios")
	v.fill("slug", "tidewater")
	v.choose("country", "Ireland")
	v.choose("currency", "EUR")
	v.choose("time_zone", "Dublin")
	v.chosen("time_zone", "Europe/Dublin")
	v.fill("name", "Mara Lindqvist")
	v.fill("password", "seven quiet herons wade")
	v.picture("set-up")
	v.press("Open the books")
	v.sees("Overview")
	v.picture("overview-empty")

	v.open("/o/tidewater/taxes/new")
	v.fill("code", "VAT23")
	v.fill("name", "VAT 23 %")
	v.fill("percent", "23")
	v.send("percent")
	v.sees("VAT23")

	v.open("/o/tidewater/customers/new")
	v.fill("name", "Hugh O’Reilly")
	v.fill("email", "hughoreilly@apple.ie")
	v.send("email")
	v.sees("hughoreilly@apple.ie")
	v.picture("customer")

	v.open("/o/tidewater/invoices/new")
	v.choose("customer_id", "Hugh")
	v.fill("lines[0].description", "Mixing, per track")
	v.fill("lines[0].quantity", "8")
	v.fill("lines[0].unit_price", "145")
	v.do("ticking the tax", chromedp.Click(`input[type="checkbox"][value="VAT23"]`, chromedp.ByQuery))
	v.sees("1,426.80") // worked out by the server while one types: 8 × 145.00 and 23 %
	v.press("Add a line")
	v.do("waiting for the second line", chromedp.WaitVisible(`[name="lines[1].quantity"]`, chromedp.ByQuery))
	v.fill("lines[1].description", "Mastering")
	v.fill("lines[1].quantity", "1")
	v.fill("lines[1].unit_price", "60.00")
	v.sees("1,500.60")
	v.picture("invoice-editor")
	v.press("Save and issue")
	v.sees("INV-0001")
	v.sees("€1,500.60")
	v.picture("invoice")

	v.press("Record payment")
	v.fill("amount", "500.60")
	v.picture("payment")
	v.send("amount")
	v.sees("€1,000.00")
	v.open("/o/tidewater")
	v.sees("Owed to you")
	v.picture("overview")
	v.open("/o/tidewater/ledger?from=2020-01-01")
	v.sees("In balance")
	v.picture("ledger")
	for _, path := range []string{"invoices", "payments", "customers", "products", "journal", "journal/new", "accounts", "taxes",
		"reports/trial-balance", "reports/customer-balances", "tokens", "tokens/new", "settings"} {
		v.open("/o/tidewater/" + path)
		v.do("measuring the page", chromedp.Evaluate(`if (document.documentElement.scrollWidth > innerWidth) throw new Error("it is wider than the window")`, nil))
	}
	v.hadNoTrouble()
}
