package browser

import (
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

// mailed follows the link in the newest mail that leads to a page of ours.
func (v *visitor) mailed(path string) {
	v.t.Helper()
	v.press("Read the mail in the outbox")
	v.do("following the link", chromedp.Click(`a[href*="`+path+`?token="]`, chromedp.ByQuery))
}

// Signing up and recovering past a CAPTCHA, signing in where no browser is to save it, and going idle.
func TestAtTheGate(t *testing.T) {
	s := serve(t)
	for _, setting := range []string{"captcha.sign_up", "captcha.recovery"} {
		s.set(t, setting, "yes")
	}
	s.set(t, "sign_in.save_logins", "no")
	v := visit(t, s.home)
	v.open("/sign-up")
	v.sees("Checked: you are no program.") // solved by the worker of the page
	v.picture("sign-up-captcha")
	v.fill("email", "mara@tidewater.example")
	v.send("email")
	v.mailed("/set-up")
	v.fill("organization", "Tidewater Studios")
	v.choose("country", "Ireland")
	v.chosen("currency", "EUR")
	v.chosen("time_zone", "Europe/Dublin") // as the country proposes
	v.fill("slug", "tidewater")
	v.fill("name", "Mara Lindqvist")
	v.fill("password", "seven quiet herons wade")
	v.press("Open the books")
	v.sees("Overview")

	// Whoever is faster than the check is sent on when it is made.
	s.set(t, "captcha.difficulty", "200000")
	v.open("/recover")
	v.fill("email", "mara@tidewater.example")
	v.send("email")
	v.mailed("/recover/set")
	v.fill("password", "nine wet otters dance")
	v.send("password")
	v.sees("Your password is set")

	v.press("Sign in")
	var masked string
	v.do("looking at the password", chromedp.WaitVisible(`[name="password"]`, chromedp.ByQuery),
		chromedp.Evaluate(`getComputedStyle(document.querySelector('[name="password"]')).webkitTextSecurity`, &masked))
	if masked != "disc" {
		t.Errorf("who looks over one's shoulder reads the password: %q", masked)
	}
	var known int
	v.do("counting passwords", chromedp.Evaluate(`document.querySelectorAll('[type="password"]').length`, &known))
	if known != 0 {
		t.Errorf("%d fields that a browser saves", known)
	}
	v.fill("email", "mara@tidewater.example")
	v.fill("password", "nine wet otters dance")
	v.picture("sign-in-masked")
	v.send("password")
	v.sees("Overview")
	v.idles(s)
	v.hadNoTrouble()
}

// idles does nothing: it is warned a minute before the end, stays, is warned again, and is signed out.
func (v *visitor) idles(s service) {
	v.t.Helper()
	warned := chromedp.WaitVisible(`#idle[open]`, chromedp.ByQuery)
	var open bool
	s.unused(v.t, 70*time.Second, 0)
	v.open("/o/tidewater/customers")
	v.do("waiting for the page", chromedp.WaitVisible(`h1`, chromedp.ByQuery), chromedp.Evaluate(`document.querySelector("#idle").open`, &open))
	if open {
		v.t.Error("it warns more than a minute before")
	}
	v.do("waiting for the warning", warned)
	v.sees("You are signed out of Tidewater Studios in")
	v.picture("idle")
	v.press("Stay signed in")
	v.do("waiting until it is gone", chromedp.WaitNotVisible(`#idle`, chromedp.ByQuery))
	s.unused(v.t, 64*time.Second, 0)
	v.open("/o/tidewater/products")
	v.sees("Products")
	v.do("waiting for the next warning", warned)
	s.unused(v.t, 64*time.Second, time.Minute)
	signIn := chromedp.WaitVisible(`form[action="/sign-in"]`, chromedp.ByQuery)
	v.do("waiting for the end, which comes by itself", signIn)
	v.open("/o/tidewater/products")
	v.do("asking once more", signIn)
}
