package browser

import (
	"fmt"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// Whoever runs no scripts signs in, writes an invoice of two lines, issues it and records what came in.
func sellWithoutScripts(t *testing.T, s service) {
	v := visitFor(t, s.home, 3*time.Minute)
	v.do("switching scripts off", emulation.SetScriptExecutionDisabled(true))
	v.signIn(demoEmail, demoPassword)
	v.sees("Owed to you")
	v.press("New invoice")
	v.sees("Who and when")
	var scripted bool
	v.do("looking for scripts", chromedp.Evaluate(`"htmx" in window`, &scripted))
	if scripted {
		t.Fatal("the page runs scripts")
	}
	v.choose("customer_id", "Aaron Mitchell")
	v.fill("lines[0].description", "Mixing, per track")
	v.fill("lines[0].quantity", "8")
	v.fill("lines[0].unit_price", "145")
	v.press("Add a line")
	v.fill("lines[1].description", "Mastering")
	v.fill("lines[1].quantity", "1")
	v.fill("lines[1].unit_price", "60.00")
	v.press("Work out the totals")
	v.sees("1,220.00")
	v.picture("bare-editor")
	v.press("Save and issue")
	v.sees("Still to come")
	v.press("Record payment")
	v.sees("Received")
	v.press("Record payment")
	v.sees("Paid in full")
	v.do("opening the account's menu", chromedp.Click(`.account > summary`, chromedp.ByQuery))
	v.press("Sign out")
	v.sees("Forgot your password?")
	v.hadNoTrouble()
}

// Whoever has no mouse does the same by Tab, Enter, Space and arrows, and sees at each step where they are.
func sellByKeys(t *testing.T, s service) {
	v := visitFor(t, s.home, 4*time.Minute)
	v.open("/sign-in")
	v.goTo(`[name="email"]`)
	v.types(demoEmail)
	v.goTo(`[name="password"]`)
	v.types(demoPassword + kb.Enter)
	v.sees("Owed to you")
	v.goTo(`.skip`)
	v.types(kb.Enter)
	v.goTo(`a[href$="/invoices/new"]`)
	v.types(kb.Enter)
	v.sees("Who and when")
	v.goTo(`[name="customer_id"]`)
	v.types(kb.ArrowDown)
	v.goTo(`[name="lines[0].description"]`)
	v.types("Mixing, per track")
	v.goTo(`[name="lines[0].quantity"]`)
	v.types("8")
	v.goTo(`[name="lines[0].unit_price"]`)
	v.types("145")
	v.goTo(`button[value="add"]`)
	v.types(kb.Enter)
	v.do("waiting for the second line", chromedp.WaitVisible(`[name="lines[1].quantity"]`, chromedp.ByQuery))
	v.goTo(`[name="lines[1].description"]`)
	v.types("Mastering")
	v.goTo(`[name="lines[1].quantity"]`)
	v.types("1")
	v.goTo(`[name="lines[1].unit_price"]`)
	v.types("60")
	v.sees("1,220.00")
	v.picture("keys-editor")
	v.goTo(`button[value="issue"]:not(.sr)`)
	v.types(kb.Enter)
	v.sees("Still to come")
	v.goTo(`main a[href$="/payment"]`)
	v.types(kb.Enter)
	v.sees("Received")
	v.goTo(`main form .btn-primary`)
	v.types(kb.Enter)
	v.sees("Paid in full")
	v.goTo(`.account > summary`)
	v.types(kb.Enter)
	v.goTo(`form[action="/sign-out"] button`)
	v.types(kb.Enter)
	v.sees("Forgot your password?")
	v.hadNoTrouble()
}

// focus says whether the element that has the focus is the one that is wanted, and what is wrong with how it shows: nothing
// marks it, it is out of view, or something lies over it (WCAG 2.4.7 and 2.4.11).
const focus = `(wanted => {
	const e = document.activeElement;
	if (!e || e === document.body) return { there: false, wrong: "" };
	const label = e.closest("label");
	const rings = x => { const s = getComputedStyle(x); return s.outlineStyle !== "none" && parseFloat(s.outlineWidth) >= 1 && s.opacity !== "0"; };
	const shown = !rings(e) && label && rings(label) ? label : e, box = shown.getBoundingClientRect();
	const y = (Math.max(box.top, 0) + Math.min(box.bottom, innerHeight)) / 2;
	const free = [.1, .5, .9].some(at => {
		const x = box.left + box.width * at, top = document.elementFromPoint(x, y);
		return top && (shown.contains(top) || top.contains(shown) || label && label.contains(top));
	});
	const wrong = !rings(shown) ? "nothing marks it" : box.bottom <= 0 || box.top >= innerHeight || box.width === 0 ? "it is out of view" : free ? "" : "something lies over it";
	return { there: e.matches(wanted), wrong: wrong && wrong + ": " + e.outerHTML.slice(0, 160) };
})(%q)`

// goTo presses Tab until what a selector matches has the focus; where it has it already, it stays.
func (v *visitor) goTo(selector string) {
	v.t.Helper()
	for range 150 {
		var at struct {
			There bool
			Wrong string
		}
		v.do("going to "+selector, chromedp.Evaluate(fmt.Sprintf(focus, selector), &at))
		if at.Wrong != "" {
			v.picture("focus")
			v.t.Errorf("on the way to %s: %s", selector, at.Wrong)
		}
		if at.There {
			return
		}
		v.types(kb.Tab)
	}
	v.picture("failed")
	v.t.Fatalf("Tab does not lead to %s", selector)
}

// types presses keys where the focus is.
func (v *visitor) types(keys string) {
	v.t.Helper()
	v.do("typing", chromedp.KeyEvent(keys))
}
