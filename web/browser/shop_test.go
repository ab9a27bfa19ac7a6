package browser

import (
	"fmt"
	"net/url"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
)

// follow opens the newest address in the outbox that begins so.
func (v *visitor) follow(outbox, begins string) {
	v.t.Helper()
	var to string
	v.do("opening the outbox", chromedp.Navigate(outbox+"/dev/outbox"))
	v.do("looking for "+begins, chromedp.WaitVisible(`a[href^="`+begins+`"]`, chromedp.ByQuery),
		chromedp.Evaluate(fmt.Sprintf(`document.querySelector('a[href^="' + %q + '"]').href`, begins), &to))
	v.do("following it", chromedp.Navigate(to))
}

// From the shop to a verified number to a paid invoice: the organization sets it up, and a customer who comes for the first
// time orders, is asked for their number, and pays at the practice gateway.
func TestFromShopToVerifiedNumberToPaidInvoice(t *testing.T) {
	s := serve(t)
	t.Run("the organization sells", func(t *testing.T) {
		v := visit(t, s.home)
		v.open("/sign-up")
		v.fill("email", "mara@tidewater.example")
		v.send("email")
		v.mailed("/set-up")
		v.fill("organization", "Tidewater Studios")
		v.choose("country", "Ireland")
		v.fill("slug", "tidewater")
		v.fill("name", "Mara Lindqvist")
		v.fill("password", "seven quiet herons wade")
		v.press("Open the books")
		v.sees("Overview")
		v.sells()
		v.hadNoTrouble()
	})
	origin, err := url.Parse(s.home)
	if err != nil {
		t.Fatal(err)
	}
	portal := "http://tidewater." + origin.Host
	t.Run("a customer orders", func(t *testing.T) {
		v := visit(t, portal)
		v.orders(s.home)
		v.verifies(s.home)
		v.pays()
		v.hadNoTrouble()
	})
	t.Run("and the organization reads the number", func(t *testing.T) {
		v := visit(t, s.home)
		v.open("/sign-in")
		v.fill("email", "mara@tidewater.example")
		v.fill("password", "seven quiet herons wade")
		v.send("password")
		v.sees("Overview")
		v.open("/o/tidewater/customers")
		v.press("Per Aalto")
		v.sees("+353860123456")
		v.sees("verified")
		v.picture("customer-verified")
		v.hadNoTrouble()
	})
}

// sells opens the shop with one product, and asks for a number before anything is paid.
func (v *visitor) sells() {
	v.t.Helper()
	tick := func(name string) {
		v.do("ticking "+name, chromedp.Click(`input[type="checkbox"][name="`+name+`"]`, chromedp.ByQuery))
	}
	v.open("/o/tidewater/settings/gateways/new")
	v.do("choosing practice", chromedp.Click(`input[name="kind"][value="practice"] + *, label:has(input[name="kind"][value="practice"])`, chromedp.ByQuery))
	v.fill("name", "Card")
	v.fill("key", "practice_0123456789abcdef")
	v.send("key")
	v.sees("Payment gateway added")
	v.open("/o/tidewater/products/new")
	v.fill("name", "Tuning fork")
	v.fill("unit_price", "10")
	tick("in_shop")
	v.send("unit_price")
	v.sees("Tuning fork")
	v.open("/o/tidewater/settings/portal")
	tick("sign_up")
	tick("shop_open")
	v.press("Save portal settings")
	v.sees("Portal settings saved")
	v.open("/o/tidewater/settings/phone-check")
	v.do("choosing before", chromedp.Click(`label:has(input[name="when"][value="before"])`, chromedp.ByQuery))
	v.press("Save phone check")
	v.sees("Phone check saved")
}

// orders puts something into the cart of somebody who registers first, and orders it.
func (v *visitor) orders(outbox string) {
	v.t.Helper()
	v.open("/sign-up")
	v.fill("email", "per@pear.example")
	v.send("email")
	v.sees("Look in your mail")
	v.follow(outbox, v.home+"/join?token=")
	v.fill("name", "Per Aalto")
	v.fill("company", "Pear Oy")
	v.fill("password", "four amber kites drifting")
	v.send("password")
	v.sees("Verify your phone number.") // the banner
	v.open("/shop")
	v.press("Tuning fork")
	v.fill("quantity", "3")
	v.send("quantity")
	v.sees("€30.00")
	v.picture("portal-cart")
	v.press("Verify phone number")
	v.sees("asks for a phone number that is yours")
}

// verifies types a number and the code that came to it, and is back at the order, which has gone on.
func (v *visitor) verifies(outbox string) {
	v.t.Helper()
	v.fill("number", "+353 86 012 3456")
	v.send("number")
	v.sees("Type the code")
	v.picture("portal-phone-code")
	var here, messages, code string
	v.do("reading the code", chromedp.Location(&here), chromedp.Navigate(outbox+"/dev/outbox"), chromedp.Text(`#mails`, &messages, chromedp.ByQuery))
	v.do("going back", chromedp.Navigate(here))
	for _, word := range strings.Fields(messages) {
		if len(word) == 6 && strings.Trim(word, "0123456789") == "" {
			code = word
			break // the newest stands first
		}
	}
	v.fill("code", code)
	v.send("code")
	v.sees("Your phone number is verified")
	v.sees("It is invoice")
	v.picture("portal-order")
}

// pays pays the invoice of the order at the practice gateway, to which the pay page leads by itself.
func (v *visitor) pays() {
	v.t.Helper()
	v.press("Pay €30.00")
	v.press("Pay €30.00 by card")
	v.sees("Practice gateway")
	v.do("paying there", chromedp.Click(`//button[starts-with(normalize-space(.), "Pay")]`, chromedp.BySearch, chromedp.NodeVisible))
	v.sees("Settled in full")
	v.picture("portal-paid")
	v.open("/invoices")
	v.sees("Paid")
}
