package browser

import (
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

// Support asks, the owner lets them see a part, watches what they open as they open it, shows them out, and keeps a
// receipt of it.
func letSupportIn(t *testing.T, s service) {
	hired := call(t, s.home)
	hired.signUp("nadia@countinghouse.example", "Nadia Brandt", "nine wet otters dance", "Front Desk", "front-desk")
	codes := s.staff(t, hired, "nadia@countinghouse.example", "support")
	jane := visitFor(t, s.home, 5*time.Minute)
	nadia := jane.someone()
	nadia.asks(codes[0])

	jane.signIn(demoEmail, demoPassword)
	jane.sees("Owed to you")
	jane.open("/o/chinook/support")
	jane.do("opening what is asked for", chromedp.Click(`//a[contains(@class, "row-link") and contains(., "Nadia Brandt")]`, chromedp.BySearch, chromedp.NodeVisible))
	jane.press("Choose and let them in")
	jane.sees("Who asks")
	jane.picture("support-choose")
	jane.press("Let Nadia Brandt in")
	jane.sees("Nothing so far.")

	nadia.open("/staff/visits")
	nadia.press("Enter")
	nadia.sees("You are here as support.")
	nadia.open("/o/chinook/invoices")
	nadia.sees("Invoices")
	nadia.picture("support-inside")
	nadia.expecting(403)
	nadia.open("/o/chinook/journal")
	nadia.sees("Status403")
	// What she looked at stands on the owner's page without a reload.
	jane.do("watching", chromedp.WaitVisible(`//*[@id="deeds"]//li[.//time][2]`, chromedp.BySearch))
	jane.picture("support-watched")
	jane.do("ending it", chromedp.Click(`//aside[contains(@class, "consent")]//button[normalize-space(.)="End access now"]`, chromedp.BySearch, chromedp.NodeVisible))
	jane.sees("Receipt")
	nadia.expecting(404)
	nadia.open("/o/chinook/invoices")
	nadia.sees("Status404")
	nadia.do("looking for the banner", chromedp.WaitNotPresent(`.consent`, chromedp.ByQuery))
	jane.receives()
	jane.hadNoTrouble()
	nadia.hadNoTrouble()
}

// asks signs a support person in and asks to see invoices.
func (v *visitor) asks(code string) {
	v.t.Helper()
	v.signIn("nadia@countinghouse.example", "nine wet otters dance")
	v.fill("code", code)
	v.send("code")
	v.sees("Overview")
	v.open("/staff/visits/new")
	v.fill("slug", "chinook")
	v.fill("ticket", "4711")
	v.fill("reason", "The totals of one invoice look wrong to them.")
	v.tick("scopes", "invoices:read")
	v.picture("staff-ask")
	v.press("Ask the owners")
	v.sees("The totals of one invoice look wrong to them.")
}

// receives waits for the receipt of a visit, which a worker writes.
func (v *visitor) receives() {
	v.t.Helper()
	for began := time.Now(); ; {
		var written bool
		v.do("looking for the receipt", chromedp.Reload(), chromedp.Evaluate(`document.body.innerText.includes("Lines on record")`, &written))
		if written {
			break
		}
		if time.Since(began) > 20*time.Second {
			v.t.Fatal("no receipt after 20 s")
		}
	}
	v.sees("Receipt as a file")
	v.picture("support-receipt")
}
