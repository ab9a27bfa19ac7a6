package page

import (
	"time"

	"github.com/countinghouse/countinghouse/billing"
	"github.com/countinghouse/countinghouse/billing/money"
	"github.com/countinghouse/countinghouse/billing/phone"
	"github.com/countinghouse/countinghouse/internal/civil"
)

// Documents is the data of "documents": a list of quotes or of credit notes.
type Documents struct {
	Shell
	Periods  Periods
	Table    DocumentTable
	Find     Find
	Tabs     Tabs
	Pager    Pager
	Narrowed bool   // some are left out
	CSV      string // the same list as a file; empty for none
	Say      string
	New      string // the button that begins one
	NewURL   string
	Empty    Empty // there are none at all
}

// DocumentTable is the data of the part "document-table".
type DocumentTable struct {
	Shell
	Rows   []DocumentRow
	Column Column
	Until  string // the head of the second date; empty for none
	Left   string // the head of what is left; empty for none
}

// DocumentRow is one document in a list.
type DocumentRow struct {
	URL      string
	Number   string
	Customer billing.Customer
	Issued   civil.Date
	Until    civil.Date
	Standing billing.Standing
	Total    money.Amount
	Left     money.Amount
}

// Sheet is the data of the part "document": a document as the customer gets it.
type Sheet struct {
	Title    string // what it is
	Document billing.Document
	Settings billing.Settings
	Today    time.Time
	Due      string // what the second date is; empty for none
	Credits  string // the number of the invoice that it takes back
	Settled  []SheetRow
	Open     money.Amount
	Closing  string // what stands before the last figure
	Payable  bool   // it says until when and how to pay
}

// SheetRow is one thing that was taken off the total.
type SheetRow struct {
	Say    string
	Date   civil.Date
	Amount money.Amount // below zero
}

// Column is how the document's amounts are written: all are of one currency.
func (s Sheet) Column() Column { return Column{currency: s.Document.Currency} }

// Amount is what a line comes to in the prices of the document, before the discount on the whole.
func (s Sheet) Amount(line int) money.Amount { return s.Document.Amounts()[line-1] }

// Discounted says whether the document needs a column for discounts.
func (s Sheet) Discounted() bool {
	for _, line := range s.Document.Lines {
		if !line.DiscountPercent.IsZero() {
			return true
		}
	}
	return false
}

// Sheet is the invoice as the customer gets it.
func (i Invoice) Sheet() Sheet {
	s := Sheet{Title: "Invoice", Document: billing.Document{DocumentHead: i.Invoice.DocumentHead, DocumentBody: i.Invoice.DocumentBody},
		Settings: i.Settings, Today: i.Today, Due: "Due", Open: i.Invoice.Open(), Closing: "To pay"}
	if i.Invoice.State == billing.Draft {
		s.Open = i.Invoice.Total
	}
	for _, c := range i.Invoice.Credits {
		s.Settled = append(s.Settled, SheetRow{"Credited by " + c.Number, c.Date, negated(c.Amount)})
	}
	for _, p := range i.Invoice.Payments {
		say := "Paid"
		if p.Amount.Sign() < 0 {
			say = "Given back"
		}
		s.Settled = append(s.Settled, SheetRow{say, p.Date, negated(p.Amount)})
	}
	s.Payable = i.Invoice.State == billing.Issued && !s.Open.IsZero()
	return s
}

// negated turns the sign of an amount that was checked when it was stored.
func negated(a money.Amount) money.Amount { return money.Amount{Minor: -a.Minor, Currency: a.Currency} }

// CreditNote is the data of "credit-note". The form of what it is applied to sends invoice_id and amount.
type CreditNote struct {
	Shell
	Mails    []MailShown // the newest first
	GiveBack GiveBack
	Form     Form // of an act that was refused; otherwise empty
	Note     billing.CreditNote
	Settings billing.Settings
	Acts     []Act
	Open     []Option // invoices that it could settle
}

// Sheet is the credit note as the customer gets it.
func (n CreditNote) Sheet() Sheet {
	return Sheet{Title: "Credit note", Document: billing.Document{DocumentHead: n.Note.DocumentHead, DocumentBody: n.Note.DocumentBody},
		Settings: n.Settings, Today: n.Today, Credits: n.Note.OriginNumber, Open: n.Note.Total, Closing: "Credited"}
}

// CreditForm is the data of "credit-edit". Its form sends of each line N lines[N].line and quantity, and issue_date,
// reference and note.
type CreditForm struct {
	Shell
	Form    Form
	Invoice billing.Invoice
	Lines   []CreditableRow
}

// CreditableRow is a line of an invoice that can be credited.
type CreditableRow struct {
	EditorLine
	billing.CreditableLine
}

// Quote is the data of "quote".
type Quote struct {
	Shell
	Mails    []MailShown // the newest first
	Form     Form        // of an act that was refused; otherwise empty
	Quote    billing.Quote
	Settings billing.Settings
	Acts     []Act
	Linkable bool
	LinkKey  string
}

// Standing is how the quote stands today.
func (q Quote) Standing() billing.Standing { return q.Quote.Standing(q.Quote.Today) }

// Sheet is the quote as the customer gets it.
func (q Quote) Sheet() Sheet { return quoteSheet(q.Quote, q.Settings, q.Today) }

func quoteSheet(q billing.Quote, settings billing.Settings, today time.Time) Sheet {
	return Sheet{Title: "Quote", Document: billing.Document{DocumentHead: q.DocumentHead, DocumentBody: q.DocumentBody},
		Settings: settings, Today: today, Due: "Valid until", Open: q.Total, Closing: "Total"}
}

// QuoteOffer is the data of "quote-offer", where a customer answers a quote. Its forms send name, or nothing.
type QuoteOffer struct {
	Gate
	Form     Form
	Quote    billing.Quote
	Settings billing.Settings
	Today    time.Time
	Phone    phone.Need // whether a verified number is asked for
	Action   string     // its own address
	Accept   string
	Decline  string
}

// Standing is how the quote stands today.
func (q QuoteOffer) Standing() billing.Standing { return q.Quote.Standing(q.Quote.Today) }

// Sheet is the quote.
func (q QuoteOffer) Sheet() Sheet {
	return quoteSheet(q.Quote, q.Settings, q.Today)
}

// QuoteLink is the data of "quote-link".
type QuoteLink struct {
	Shell
	Quote billing.Quote
	Link  string
}
