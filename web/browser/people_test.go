package browser

import (
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

// An owner invites two: one invitation is taken back before it is answered, the other is accepted, and whoever came in by
// it is shut out on their very next click.
func letPeopleIn(t *testing.T, s service) {
	jane := visitFor(t, s.home, 5*time.Minute)
	jane.signIn(demoEmail, demoPassword)
	jane.sees("Owed to you")
	for _, email := range []string{"margaret@chinook.example", "steve@chinook.example"} {
		jane.open("/o/chinook/invitations/new")
		jane.fill("email", email)
		jane.choose("role", "Bookkeeper")
		jane.press("Send the invitation")
		jane.sees(email)
	}
	jane.picture("invitations")

	steve := jane.someone()
	link := steve.invitation("steve@chinook.example")
	revoke := `//tr[contains(., "steve@chinook.example")]//button[normalize-space(.)="Revoke"]`
	jane.do("revoking", chromedp.Click(revoke, chromedp.BySearch, chromedp.NodeVisible))
	jane.do("waiting until it is gone", chromedp.WaitNotPresent(revoke, chromedp.BySearch))
	steve.expecting(404)
	steve.open(strings.TrimPrefix(link, s.home))
	steve.sees("This invitation is not valid, or no longer.")

	margaret := jane.someone()
	margaret.open(strings.TrimPrefix(margaret.invitation("margaret@chinook.example"), s.home))
	margaret.sees("margaret@chinook.example")
	margaret.picture("join")
	margaret.fill("name", "Margaret Park")
	margaret.fill("password", "eleven slow barges pass")
	margaret.press("Join Chinook Music")
	margaret.sees("Owed to you")
	margaret.open("/o/chinook/journal")
	margaret.sees("Every entry, the newest first.")

	jane.open("/o/chinook/members")
	jane.press("Margaret Park")
	jane.sees("What they may do")
	jane.confirm("Remove", "Remove Margaret Park")
	jane.do("waiting until she is gone", chromedp.WaitNotPresent(`//main//a[normalize-space(.)="Margaret Park"]`, chromedp.BySearch))
	margaret.expecting(404)
	margaret.press("Customers")
	margaret.sees("Status404")
	margaret.picture("shut-out")
	for _, v := range []*visitor{jane, steve, margaret} {
		v.hadNoTrouble()
	}
}

// invitation is the link of the mail that invites an address.
func (v *visitor) invitation(email string) (link string) {
	v.t.Helper()
	v.open("/dev/outbox")
	v.do("reading the mail", chromedp.AttributeValue(`//article[contains(., "To `+email+`")]//a[contains(@href, "/join?token=")]`, "href", &link, nil, chromedp.BySearch))
	return link
}
