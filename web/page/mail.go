package page

import (
	"github.com/countinghouse/countinghouse/billing"
	"github.com/countinghouse/countinghouse/billing/report"
	"github.com/countinghouse/countinghouse/internal/civil"
)

// File is a file that is attached to something.
type File struct {
	Name   string
	Size   string // for people: "320 kB"
	Mailed bool   // it goes along when its document is mailed
	URL    string // to fetch it; empty for who may not
	Acts   []Act
}

// MailShown is a mail on the timeline of its document.
type MailShown struct {
	billing.Mailing
	Acts []Act
}

// What says what was mailed.
func (m MailShown) What() string {
	switch {
	case m.Kind == billing.MailReminder:
		return "Reminder"
	case m.Kind == billing.MailStatement:
		return "Statement"
	}
	return "Mail"
}

// Why says why it failed, for people.
func (m MailShown) Why() string {
	switch m.Problem {
	case "mail.answered":
		return "It was answered, or does not stand any more, so nothing was sent."
	case "mail.settled":
		return "It was paid meanwhile, so nothing was sent."
	case "mail.refused":
		return "The mail server refused the address or the mail."
	case "mail.unreachable":
		return "The mail server could not be reached."
	}
	return "It could not be made: " + m.Problem + "."
}

// MailForm is the data of "mail-edit". Its form sends to and message.
type MailForm struct {
	Shell
	Form    Form
	List    string // the name of the list that it is in, and its address
	ListURL string
	Number  string
	What    string // "the invoice as PDF and a link to see and pay it, good for 60 days"
	Action  string
	Back    string
	Files   []File // that go along
}

// Branding is the data of "branding". Its form sends colour, pay_to, foot, reply_to, reminder_days and version; that of
// the logo sends a file.
type Branding struct {
	Shell
	Form    Form
	Logo    string // its address; empty for none
	LogoKey string
}

// Statement is the data of "statement". Its form sends from, to, to_email and message.
type Statement struct {
	Shell
	Form     Form
	Customer billing.Customer
	From, To civil.Date
	Parts    []report.Statement
	PDF, CSV string // CSV is empty for who may not
}
