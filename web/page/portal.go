package page

import (
	"time"

	"github.com/countinghouse/countinghouse/billing"
	"github.com/countinghouse/countinghouse/billing/contact"
	"github.com/countinghouse/countinghouse/billing/money"
)

// Portal is what every page at an organization's own host needs; the data of such a page embeds it.
type Portal struct {
	Title            string
	Nav              string // which way is current: "invoices"
	Name             string // the organization's
	Logo             bool
	SignUp, ShopOpen bool
	Flash            Flash
	Today            time.Time
	NoSave           bool // no browser is to save the passwords of its form

	Person   Person         // of the customer's people; no e-mail address for nobody
	Customer string         // whose people they are of
	May      contact.Rights // what they may do
}

// Can says whether the reader may do what that word names, for what a page offers.
func (p Portal) Can(word string) (bool, error) {
	right, err := contact.ReadRights([]string{word})
	return p.Person.Email != "" && p.May.Has(right), err
}

// PasswordType and Completes are as on the gate.
func (p Portal) PasswordType() string { return Gate{NoSave: p.NoSave}.PasswordType() }

// Completes is the autocomplete of a field: off where nothing is to be saved.
func (p Portal) Completes(usual string) string { return Gate{NoSave: p.NoSave}.Completes(usual) }

// portalWay is one way through the portal: who may go it.
type portalWay struct {
	key, label, url string
	right           contact.Rights
}

var portalWays = []portalWay{
	{"overview", "Overview", "/", contact.None},
	{"people", "People", "/people", contact.People},
}

// Ways are the ways that the reader may go; none for nobody.
func (p Portal) Ways() Tabs {
	tabs := Tabs{Label: "Main"}
	for _, w := range portalWays {
		if p.Person.Email != "" && p.May.Has(w.right) {
			tabs.Tabs = append(tabs.Tabs, Tab{Label: w.label, URL: w.url, Current: p.Nav == w.key})
		}
	}
	return tabs
}

// PortalForm is the data of "portal-sign-in". Its form sends email and password, and next when it has one.
type PortalForm struct {
	Portal
	Form Form
}

// PortalAsking is a form that takes an address and answers by mail.
type PortalAsking struct{ Head, Say, Action, Does string }

// PortalAsk is the data of "portal-ask". Its form sends email.
type PortalAsk struct {
	Portal
	PortalAsking
	Form    Form
	Captcha *Captcha // nil for none
}

// PortalSent is the data of "portal-sent": the same answer whether or not the address is known.
type PortalSent struct {
	Portal
	Email  string
	Outbox string // where mails can be read, in dev; empty elsewhere
}

// PortalSet is the data of "portal-set", where mailed links lead. Its form sends token and password; name when it is the
// first password, and company at a sign-up.
type PortalSet struct {
	Portal
	Form   Form
	Action string
	Email  string
	First  bool
	SignUp bool
	Hint   string // the password policy in a sentence
}

// PortalOverview is the data of "portal-overview".
type PortalOverview struct {
	Portal
	Owed []Owed                // by currency; none for nothing
	Open []billing.InvoiceHead // the oldest first; none where they may not be seen
}

// Column is how the amounts of the open invoices are written.
func (o PortalOverview) Column() Column {
	amounts := make([]money.Amount, len(o.Open))
	for i, invoice := range o.Open {
		amounts[i] = invoice.Open()
	}
	return ColumnOf(money.Currency{}, amounts...)
}

// ContactRow is one of a customer's people in a list.
type ContactRow struct {
	contact.Contact
	You bool
	URL string
}

// Initials are two letters for the avatar.
func (r ContactRow) Initials() string { return Person{Name: r.Name, Email: r.Email}.Initials() }

// State is the badge of how far they have come.
func (r ContactRow) State() string {
	if r.Joined {
		return "member_active"
	}
	return "member_invited"
}

// PortalPeople is the data of "portal-people".
type PortalPeople struct {
	Portal
	Items []ContactRow
}

// ContactForm is a form for one of a customer's people: it sends name, email when they are new, and rights.
type ContactForm struct {
	Form      Form
	Action    string
	Back      string
	New       bool
	Does      string
	Functions []contact.Function // that can be given
}

// PortalPerson is the data of "portal-person".
type PortalPerson struct {
	Portal
	ContactForm
	Contact contact.Contact
	Acts    []Act
}

// PortalAccount is the data of "portal-account": one form sends name, the other present and password.
type PortalAccount struct {
	Portal
	Form         Form
	PasswordForm Form
	Hint         string
}

// Contacts is the data of "contacts": the people of a customer, for members.
type Contacts struct {
	Shell
	ContactForm
	Customer billing.Customer
	Items    []ContactRow
	Address  string // where they sign in
}

// ContactPage is the data of "contact": one of them.
type ContactPage struct {
	Shell
	ContactForm
	Customer billing.Customer
	Contact  contact.Contact
	Acts     []Act
}

// PortalSettings is the data of "settings-portal". Its form sends sign_up, shop_open and version.
type PortalSettings struct {
	Shell
	Form    Form
	Address string // of the organization's own host
}
