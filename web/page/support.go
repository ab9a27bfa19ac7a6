package page

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	"github.com/countinghouse/countinghouse/authz"
)

// VisitBanner says that someone of support is in, on every page of the organization.
type VisitBanner struct {
	Who    string
	May    string // "read Invoices and Payments"
	Until  time.Time
	Now    time.Time
	Whole  time.Duration
	Masks  string // "names masked"
	Own    bool   // the reader is the support person
	SeeURL string // empty where the reader may not see what is looked at
	EndURL string // empty where the reader may not end it
}

// Left is the time that is left, as the countdown begins: "23:41", "3:07:20".
func (b VisitBanner) Left() string {
	left := max(b.Until.Sub(b.Now), 0).Round(time.Second)
	h, m, s := int(left.Hours()), int(left.Minutes())%60, int(left.Seconds())%60
	if h > 0 {
		return fmt.Sprintf("%d:%02d:%02d", h, m, s)
	}
	return fmt.Sprintf("%d:%02d", m, s)
}

// LeftSeconds and WholeSeconds are for the progress beside it.
func (b VisitBanner) LeftSeconds() int { return int(max(b.Until.Sub(b.Now), 0).Seconds()) }

// WholeSeconds is how long the visit may be.
func (b VisitBanner) WholeSeconds() int { return int(b.Whole.Seconds()) }

// GrantRow is a support grant, how things stand with it, and what can be done.
type GrantRow struct {
	authz.SupportGrant
	State string
	URL   string // where an open visit begins; on the staff's side
	Acts  []Act
}

// Badge is the state as it is drawn.
func (r GrantRow) Badge() string {
	switch r.State {
	case authz.GrantOpen:
		return "inside"
	case authz.GrantExpired:
		return "ran_out"
	}
	return r.State
}

// Waits is while nobody has decided.
func (r GrantRow) Waits() bool { return r.State == authz.GrantWaiting }

// IsOpen is while someone is in.
func (r GrantRow) IsOpen() bool { return r.State == authz.GrantOpen }

// IsOver is when it was given and is no more: then there is a receipt.
func (r GrantRow) IsOver() bool { return r.State == authz.GrantEnded || r.State == authz.GrantExpired }

// OverAt is when it was over.
func (r GrantRow) OverAt() time.Time {
	if r.EndedAt != nil {
		return *r.EndedAt
	}
	return *r.Until
}

// Who names who came in, or may.
func (r GrantRow) Who() string {
	if r.StaffName == "" {
		return "Whoever takes it up"
	}
	return r.StaffName
}

// Ended says how it came to its end.
func (r GrantRow) Ended() string {
	switch r.EndedHow {
	case "owner":
		return "Ended by your organization"
	case "link":
		return "Ended by the link in the mail"
	case "support":
		return "The support person left"
	case "staff":
		return "The support person’s access was changed"
	}
	return "The time ran out"
}

// Lasts is for how long support may be in: "4 hours".
func (r GrantRow) Lasts() string { return lasts(r.Terms.Minutes) }

func lasts(minutes int) string {
	switch {
	case minutes%1440 == 0:
		return plural(minutes/1440, "day", "days")
	case minutes%60 == 0:
		return plural(minutes/60, "hour", "hours")
	}
	return plural(minutes, "minute", "minutes")
}

// Support is the data of "support".
type Support struct {
	Shell
	Now, Past []GrantRow
}

// SupportVisit is the data of "support-visit": a request, an invitation, a visit, or its receipt.
type SupportVisit struct {
	Shell
	Form       Form
	Grant      GrantRow
	Deeds      Deeds
	ApproveURL string
	Acts       []Act
}

// Deeds is the data of the part "deeds": what was done in a visit, newest first.
type Deeds struct {
	Home  string // the organization's address: "/o/acme"
	URL   string // where the part is asked for again
	Today time.Time
	Live  bool
	Items []authz.Deed
}

// To is the page that was looked at; empty for what is no page.
func (d Deeds) To(deed authz.Deed) string {
	path, ok := strings.CutPrefix(deedDetail(deed), "GET ")
	if !ok || deed.Action != "support.read" {
		return ""
	}
	path = strings.Replace(path, "/:id", "/"+deed.Thing.String(), 1)
	if strings.Contains(path, ":") {
		return ""
	}
	return d.Home + path
}

// Counts are the totals of a receipt.
func (d Deeds) Counts() (c struct{ Read, Changed, Refused int }) {
	for _, deed := range d.Items {
		switch deed.Action {
		case "support.read":
			c.Read++
		case "support.refused":
			c.Refused++
		case "support.change":
		default:
			c.Changed++
		}
	}
	return c
}

// deedIcon and deedSay draw one line of what was done.
func deedIcon(d authz.Deed) string {
	switch d.Action {
	case "support.read":
		return "eye"
	case "support.refused":
		return "ban"
	}
	return "pencil"
}

func deedSay(d authz.Deed) string {
	object := strings.ReplaceAll(d.Object, "_", " ")
	switch d.Action {
	case "support.read":
		return "Looked at " + object
	case "support.refused":
		return "Tried to open " + object + ", and was refused"
	case "support.change":
		return "Sent a change of " + object
	}
	return strings.ReplaceAll(d.Action, ".", ": ")
}

// deedDetail leaves out of a line's detail why the visit is: that stands above.
func deedDetail(d authz.Deed) string {
	if detail, _, ok := strings.Cut(d.Detail, ". "); ok && strings.HasPrefix(d.Action, "support.") {
		if before, at, ok := strings.Cut(detail, "/o/:slug"); ok {
			return before + cmp.Or(at, "/")
		}
		return detail
	}
	return d.Detail
}

// SupportForm is the data of "support-edit". Its form sends scopes, masks and minutes, and for an invitation reason.
type SupportForm struct {
	Shell
	Form   Form
	Action string
	Invite bool
	Grant  authz.SupportGrant // what was asked for; not for an invitation
	Scopes []ScopeRow
}

// SupportEnd is the data of "support-end". Its form sends token.
type SupportEnd struct {
	Gate
	Token  string
	Done   bool
	Before bool // it was over before
}

// StaffVisits is the data of "staff-visits".
type StaffVisits struct {
	StaffShell
	Form  Form
	Items []GrantRow
}

// StaffRequest is the data of "staff-visit-edit". Its form sends slug, ticket, reason, scopes, masks and minutes.
type StaffRequest struct {
	StaffShell
	Form   Form
	Scopes []ScopeRow
}

// grantMinutes are the lengths of a visit to choose from.
func grantMinutes() []Option {
	var options []Option
	for _, minutes := range []int{authz.GrantMinutesMin, 30, 60, authz.GrantMinutesDefault, 480, 1440, 2880, authz.GrantMinutesMax} {
		options = append(options, Option{Value: fmt.Sprint(minutes), Label: lasts(minutes)})
	}
	return options
}
