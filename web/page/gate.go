package page

import (
	"fmt"
	"net/http"
	"time"

	"github.com/countinghouse/countinghouse/internal/locale"
)

// Gate is what every page outside an organization needs; the data of such a page embeds it.
type Gate struct {
	Title  string
	Person Person // whoever is signed in; no e-mail address for nobody
	NoSave bool   // no browser is to save the passwords of its form

	Language locale.Language // that the page is drawn in; empty is English
}

// Speaks is the language.
func (g Gate) Speaks() locale.Language { return g.Language }

// PasswordType is the type of the password's field. Browsers offer to save what stands in a field of type password,
// whatever its autocomplete says; one that is masked by the stylesheet they leave alone.
func (g Gate) PasswordType() string {
	if g.NoSave {
		return "masked"
	}
	return "password"
}

// Completes is the autocomplete of a field: off where nothing is to be saved.
func (g Gate) Completes(usual string) string {
	if g.NoSave {
		return "off"
	}
	return usual
}

// SignUp is the data of the page "sign-up". Its form sends email.
type SignUp struct {
	Gate
	Form    Form
	Captcha *Captcha // nil for none
}

// SignUpSent is the data of "sign-up-sent": the same answer whether or not the address is known.
type SignUpSent struct {
	Gate
	Email  string
	Outbox string // where mails can be read, in dev; empty elsewhere
}

// SetUp is the data of "set-up", where the mailed link leads. Its form sends token, organization, slug, country,
// currency, time_zone, name and password.
type SetUp struct {
	Gate
	Form          Form
	Email         string // whose books these will be
	AddressPrefix string // what stands before the slug: "books.example/o/"
	PasswordHint  string // the password policy in a sentence; may be empty
}

// SignIn is the data of "sign-in". Its form sends email and password, and next when it has one.
type SignIn struct {
	Gate
	Form Form
}

// Open is the data of "open", where somebody signed in opens another organization. Its form sends organization,
// slug, country, currency and time_zone.
type Open struct {
	Gate
	Form          Form
	AddressPrefix string
}

// Choose is the data of "choose": which of one's organizations to enter.
type Choose struct {
	Gate
	Flash         Flash
	Organizations []Organization
	SampleOffer   bool // one may look around in a sample
}

// Error is the data of "error".
type Error struct {
	Gate
	Status     int
	Say        string // one or two sentences
	RequestID  string
	URL, Label string // the way on; none where URL is empty
}

// Outbox is the data of "outbox", in dev: the mails and text messages that would have gone out, newest first.
type Outbox struct {
	Gate
	Now   time.Time
	Mails []Mail
	Texts []TextSent
}

// TextSent is one text message, or call, of the outbox.
type TextSent struct {
	To, Text string
	Voice    bool
	Sent     time.Time
}

// Mail is one mail of the outbox.
type Mail struct {
	To, Subject, Text string
	Sent              time.Time
	Files             []File // that came along
}

// refusals are title and sentence for each status that a page may be refused with.
var refusals = map[int]struct{ title, say string }{
	http.StatusBadRequest:            {"We could not read that", "The request was not understood. Nothing was saved."},
	http.StatusUnauthorized:          {"Sign in first", "This page is for people who are signed in."},
	http.StatusForbidden:             {"Not yours to do", "Your role does not allow this. An owner of the organization can change that."},
	http.StatusNotFound:              {"Nothing here", "There is no such page, or it is not yours to see."},
	http.StatusMethodNotAllowed:      {"Not that way", "This address cannot be used like that. Go back and try from the page."},
	http.StatusConflict:              {"Not as things stand", "Somebody may have changed it meanwhile. Look at it again."},
	http.StatusRequestEntityTooLarge: {"Too much at once", "What was sent is too large. Nothing was saved."},
	http.StatusUnprocessableEntity:   {"Something needs putting right", "What was sent cannot be used as it is. Nothing was saved."},
	http.StatusTooManyRequests:       {"Too many tries", "Wait a little, then try again."},
	http.StatusServiceUnavailable:    {"Not just now", "Something that we depend on does not answer. Nothing was saved. Try again in a minute."},
}

// NewError is the data of the page "error" for a status. say replaces the usual sentence; empty keeps it. A status
// without words of its own, and every 5xx but 503, is told as our own fault.
func NewError(status int, say, requestID string) Error {
	told, ok := refusals[status]
	if !ok {
		told.title, told.say = "Something broke on our side", "Nothing was saved. Try again in a minute."
		if requestID != "" {
			told.say = fmt.Sprintf("Nothing was saved. Tell us %s if it stays.", requestID)
		}
	}
	if say == "" {
		say = told.say
	}
	return Error{Gate: Gate{Title: told.title}, Status: status, Say: say, RequestID: requestID}
}
