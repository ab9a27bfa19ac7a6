package browser

import (
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

// An owner takes everything along: the export is made while nobody waits, and a reload loses nothing.
func takeEverything(t *testing.T, s service) {
	jane := visitFor(t, s.home, 5*time.Minute)
	jane.signIn(demoEmail, demoPassword)
	jane.sees("Owed to you")
	jane.open("/o/chinook/settings/exports")
	jane.choose("holds", "Everything")
	jane.press("Make the export")
	underway := `//*[@id="exports"]//tr[contains(., "Everything")]`
	jane.do("looking for it", chromedp.WaitVisible(underway, chromedp.BySearch))
	jane.picture("export-underway")
	jane.do("coming back to the page", chromedp.Reload(), chromedp.WaitVisible(underway, chromedp.BySearch))
	// Nobody does anything from here on: the list renews itself until the export is ready.
	jane.do("waiting until it is ready", chromedp.WaitVisible(underway+`//a[normalize-space(.)="Fetch"]`, chromedp.BySearch))
	jane.picture("export-ready")
	var begins string
	jane.do("fetching it", chromedp.Evaluate(`fetch(document.querySelector('#exports a[href$="/file"]').href).then(r => r.arrayBuffer()).then(b => String.fromCharCode(...new Uint8Array(b.slice(0, 2))) + (b.byteLength > 10000))`,
		&begins, awaited))
	if begins != "PKtrue" {
		t.Errorf("the archive begins %q", begins)
	}
	jane.hadNoTrouble()
}
