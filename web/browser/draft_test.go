package browser

import (
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

// A draft keeps itself while it is written, stands on paper beside its editor, and is never written over from another tab.
// Then a look around in a sample, which fills by itself, and back.
func TestADraftAndASample(t *testing.T) {
	s := serve(t)
	c := call(t, s.home)
	c.signUp("mara@tidewater.example", "Mara Lindqvist", "seven quiet herons wade", "Tidewater Studios", "tidewater")
	c.post("/o/tidewater/customers", "idempotency_key", "the-first-customer", "name", "Hugh O’Reilly")
	mara := visitFor(t, s.home, 4*time.Minute)
	mara.signIn("mara@tidewater.example", "seven quiet herons wade")
	mara.do("a wide window", chromedp.EmulateViewport(1760, 1000))
	mara.open("/o/tidewater/invoices/new")
	mara.sees("It stands here once it is saved")
	mara.choose("customer_id", "Hugh")
	mara.fill("lines[0].description", "Mixing, per track")
	mara.fill("lines[0].unit_price", "145")
	mara.sees("Draft saved")
	var address, paper string
	mara.do("looking at the paper", chromedp.WaitReady(`#paper iframe:not(.coming)`, chromedp.ByQuery),
		chromedp.Location(&address), chromedp.AttributeValue(`#paper iframe`, "src", &paper, nil, chromedp.ByQuery))
	path := strings.TrimPrefix(address, s.home)
	if !strings.HasSuffix(path, "/edit") || !strings.HasPrefix(paper, strings.TrimSuffix(path, "edit")+"pdf?version=1") {
		t.Errorf("it is kept at %s, its paper at %s", path, paper)
	}
	mara.picture("editor-beside-paper")
	mara.do("coming back to the page", chromedp.Reload())
	mara.holds("lines[0].unit_price", "145")

	other := mara.another()
	other.open(path)
	mara.fill("lines[0].unit_price", "150")
	mara.sees("Draft saved")
	other.fill("lines[0].unit_price", "99")
	other.sees("Someone else changed this invoice in the meantime.")
	other.sees("See in a new tab how the draft stands now")
	other.holds("lines[0].unit_price", "99")
	other.picture("editor-late")
	mara.do("coming back to the page", chromedp.Reload())
	mara.holds("lines[0].unit_price", "150")
	other.hadNoTrouble()

	// What is pressed while a draft is on its way is not lost.
	mara.fill("lines[0].unit_price", "160")
	mara.press("Save and issue")
	mara.sees("Issued INV-0001")
	mara.sees("160.00")

	mara.do("a usual window", chromedp.EmulateViewport(1280, 900))
	mara.open("/o/tidewater/invoices")
	mara.do("opening the switch", chromedp.Click(`.switch summary`, chromedp.ByQuery))
	mara.press("Look around in a sample")
	mara.sees("This is a sample")
	mara.sees("It is filled: see it")
	mara.press("It is filled: see it")
	mara.sees("Recently issued")
	mara.picture("sample")
	mara.do("asking to leave", chromedp.Click(`.sample summary`, chromedp.ByQuery))
	mara.press("Delete the sample")
	mara.sees("The sample is deleted.")
	mara.sees("INV-0001")
	mara.hadNoTrouble()
}

// holds fails unless the field has that value.
func (v *visitor) holds(name, value string) {
	v.t.Helper()
	var is string
	field := `[name="` + name + `"]`
	v.do("reading "+name, chromedp.WaitVisible(field, chromedp.ByQuery), chromedp.Value(field, &is, chromedp.ByQuery))
	if is != value {
		v.t.Fatalf("%s is %q, not %q", name, is, value)
	}
}
