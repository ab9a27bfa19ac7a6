package page

import (
	"fmt"
	"strings"
	"time"

	"github.com/countinghouse/countinghouse/billing"
	"github.com/countinghouse/countinghouse/billing/contact"
	"github.com/countinghouse/countinghouse/billing/money"
	"github.com/countinghouse/countinghouse/billing/phone"
	"github.com/countinghouse/countinghouse/billing/report"
	"github.com/countinghouse/countinghouse/billing/subscription"
	"github.com/countinghouse/countinghouse/internal/civil"
	"github.com/countinghouse/countinghouse/internal/locale"
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
	Cart             int  // how many different products are in the cart
	NoSave           bool // no browser is to save the passwords of its form

	Person   Person         // of the customer's people; no e-mail address for nobody
	Customer string         // whose people they are of
	May      contact.Rights // what they may do
	Language locale.Language

	Phone phone.Need // whether a verified number is asked for; the zero Need for who could not verify one
	Here  string     // this page, to which one comes back
}

// Speaks is the language that the page is drawn in.
func (p Portal) Speaks() locale.Language { return p.Language }

// Asks says whether the banner stands on the page that asks for a number.
func (p Portal) Asks() bool { return p.Phone.Open() && p.Nav != "phone" }

// ToPhone is where one verifies and comes back from.
func (p Portal) ToPhone() string { return PhonePath(p.Here) }

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
	{"invoices", "Invoices", "/invoices", contact.Invoices},
	{"quotes", "Quotes", "/quotes", contact.Invoices},
	{"orders", "Orders", "/orders", contact.Order},
	{"subscriptions", "Subscriptions", "/subscriptions", contact.Subscriptions},
	{"methods", "Payment methods", "/methods", contact.Methods},
	{"statement", "Statement", "/statement", contact.Invoices},
	{"people", "People", "/people", contact.People},
	{"company", "Address", "/company", contact.People},
}

// Ways are the ways that the reader may go; none for nobody.
func (p Portal) Ways() Tabs {
	tabs := Tabs{Label: "Main"}
	if p.ShopOpen {
		tabs.Tabs = append(tabs.Tabs, Tab{Label: "Shop", URL: "/shop", Current: p.Nav == "shop"})
	}
	if p.Cart > 0 {
		tabs.Tabs = append(tabs.Tabs, Tab{Label: "Cart", URL: "/cart", Count: p.Cart, Counted: true, Current: p.Nav == "cart"})
	}
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

// PortalInvoices is the data of "portal-invoices".
type PortalInvoices struct {
	Portal
	Items []billing.InvoiceHead
	Pager Pager
}

// Column is how the amounts are written.
func (l PortalInvoices) Column() Column {
	amounts := make([]money.Amount, len(l.Items))
	for i, item := range l.Items {
		amounts[i] = item.Total
	}
	return ColumnOf(money.Currency{}, amounts...)
}

// PortalInvoice is the data of "portal-invoice".
type PortalInvoice struct {
	Portal
	Invoice  billing.Invoice
	Settings billing.Settings
	Payable  bool       // the reader may pay what is open
	Need     phone.Need // whether they verify a number first
}

// Standing is how it stands today.
func (p PortalInvoice) Standing() billing.Standing { return p.Invoice.Standing(p.Invoice.Today) }

// Sheet is the invoice on paper.
func (p PortalInvoice) Sheet() Sheet {
	return Invoice{Shell: Shell{Today: p.Today}, Invoice: p.Invoice, Settings: p.Settings}.Sheet()
}

// PortalQuotes is the data of "portal-quotes".
type PortalQuotes struct {
	Portal
	Items []billing.QuoteHead
	Pager Pager
}

// Column is how the amounts are written.
func (l PortalQuotes) Column() Column {
	amounts := make([]money.Amount, len(l.Items))
	for i, item := range l.Items {
		amounts[i] = item.Total
	}
	return ColumnOf(money.Currency{}, amounts...)
}

// PortalQuote is the data of "portal-quote". Its forms send nothing but their key.
type PortalQuote struct {
	Portal
	Form     Form
	Quote    billing.Quote
	Settings billing.Settings
	Decides  bool       // the reader may answer it
	Need     phone.Need // whether they verify a number before they accept it
}

// Standing is how it stands today.
func (p PortalQuote) Standing() billing.Standing { return p.Quote.Standing(p.Quote.Today) }

// Sheet is the quote on paper.
func (p PortalQuote) Sheet() Sheet {
	return quoteSheet(p.Quote, p.Settings, p.Today)
}

// PortalStatement is the data of "portal-statement".
type PortalStatement struct {
	Portal
	From, To civil.Date
	Parts    []report.Statement
	PDF      string
}

// PortalSubscriptions is the data of "portal-subscriptions".
type PortalSubscriptions struct {
	Portal
	Items []subscription.Subscription
	Pager Pager
}

// PortalSubscription is the data of "portal-subscription".
type PortalSubscription struct {
	Portal
	Form         Form // of an act that was refused
	Subscription subscription.Subscription
	Next         *money.Amount // of the next invoice, with tax; nil for nothing
	Acts         []Act
}

// PortalMethods is the data of "portal-methods". Its form sends kind, iban, routing_number and account_number.
type PortalMethods struct {
	Portal
	Form  Form
	Items []PaymentMethodRow
	Kinds []Option
	// Charged is the card that is charged for what falls due; zero where none is.
	Charged billing.PaymentMethodID
}

// PortalShop is the data of "portal-shop".
type PortalShop struct {
	Portal
	Items  []billing.Product
	Search string
	Pager  Pager
}

// PortalProduct is the data of "portal-product". Its form sends product and quantity.
type PortalProduct struct {
	Portal
	Form    Form
	Product billing.Product
}

// CartRow is a product in the cart.
type CartRow struct {
	Product  billing.Product
	Quantity int64
	Gone     bool // it is not sold any more
}

// PortalCart is the data of "portal-cart". One form sends product and quantity, the other purchase_order and note.
type PortalCart struct {
	Portal
	Form            Form
	Rows            []CartRow
	Priced          bool // the figures below could be worked out
	Net, Tax, Total money.Amount
	MayOrder        bool
	Need            phone.Need // whether the order waits until a number is verified
}

// Orders is a list of orders, for the pages "orders" and "portal-orders".
type Orders struct {
	Shell
	Narrowed bool // some are left out
	Items    []billing.OrderHead
	Tabs     Tabs
	Find     Find
	Pager    Pager
}

// Column is how the amounts are written.
func (l Orders) Column() Column { return orderColumn(l.Items) }

func orderColumn(items []billing.OrderHead) Column {
	amounts := make([]money.Amount, len(items))
	for i, item := range items {
		amounts[i] = item.Total
	}
	return ColumnOf(money.Currency{}, amounts...)
}

// PortalOrders is the data of "portal-orders".
type PortalOrders struct {
	Portal
	Items []billing.OrderHead
	Pager Pager
}

// Column is how the amounts are written.
func (l PortalOrders) Column() Column { return orderColumn(l.Items) }

// PortalOrder is the data of "portal-order".
type PortalOrder struct {
	Portal
	Form     Form // of an act that was refused
	Order    billing.Order
	Invoice  billing.Invoice // that it became; zero for none
	Settings billing.Settings
	Payable  bool
	Key      string     // of the button that goes on
	Need     phone.Need // whether a number is verified first
}

// Sheet is the order on paper.
func (p PortalOrder) Sheet() Sheet {
	return orderSheet(p.Order, p.Settings, p.Today)
}

// Waits are the reasons for which it waits.
func (p PortalOrder) Waits() []string { return strings.Split(p.Order.HeldFor, "\n") }

// OrderPage is the data of "order", for members.
type OrderPage struct {
	Shell
	Form     Form // of an act that was refused
	Order    billing.Order
	Settings billing.Settings
	Acts     []Act
}

// Sheet is the order on paper.
func (p OrderPage) Sheet() Sheet { return orderSheet(p.Order, p.Settings, p.Today) }

// Reasons are why it waited for a person.
func (p OrderPage) Reasons() []string {
	if p.Order.HeldFor == "" {
		return nil
	}
	return strings.Split(p.Order.HeldFor, "\n")
}

func orderSheet(o billing.Order, settings billing.Settings, today time.Time) Sheet {
	return Sheet{Title: "Order", Document: billing.Document{DocumentHead: o.DocumentHead, DocumentBody: o.DocumentBody},
		Settings: settings, Today: today, Open: o.Total, Closing: "Total"}
}

// offerRhythm says how often a product recurs: "every month"; empty for what is sold once.
func offerRhythm(o billing.Offer) string {
	switch {
	case !o.Recurs():
		return ""
	case o.Every == 1:
		return "every " + o.Unit
	}
	return fmt.Sprintf("every %d %ss", o.Every, o.Unit)
}

// shopUnits are the rhythms to choose from.
func shopUnits() []Option {
	return []Option{{Value: "day", Label: "Days"}, {Value: "week", Label: "Weeks"}, {Value: "month", Label: "Months"}, {Value: "year", Label: "Years"}}
}
