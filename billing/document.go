package billing

import (
	"time"

	"github.com/shopspring/decimal"

	"github.com/countinghouse/countinghouse/billing/ledger"
	"github.com/countinghouse/countinghouse/billing/money"
	"github.com/countinghouse/countinghouse/billing/tax"
	"github.com/countinghouse/countinghouse/internal/civil"
	"github.com/countinghouse/countinghouse/internal/id"
	"github.com/countinghouse/countinghouse/internal/locale"
)

// The states that a document is stored in. Accepted and Declined are a quote's.
const (
	Draft    = "draft"
	Issued   = "issued"
	Void     = "void"
	Accepted = "accepted"
	Declined = "declined"
)

// DocumentID names a document of whatever kind.
type DocumentID = id.Of[Document]

// Document is what an invoice, a credit note and a quote have in common, with all that was stored when it was last
// written.
type Document struct {
	DocumentHead
	DocumentBody
}

// DocumentHead is a document without its lines, as lists show it.
type DocumentHead struct {
	State         string
	Number        string   // none on a draft
	ExternalID    string   // the document's id in another system, or empty
	Customer      Customer // once it is issued, with the name and address that it was issued to
	IssueDate     civil.Date
	DueDate       civil.Date // of a quote: until when it stands
	Currency      money.Currency
	Reference     string
	PurchaseOrder string // the customer's
	Language      locale.Language
	Note          string
	Net           money.Amount
	Tax           money.Amount
	Total         money.Amount
	Settled       money.Amount     // paid, credited and written off; of a credit note: applied and given back
	WrittenOff    money.Amount     // the part of Settled that nobody paid
	BaseRate      *decimal.Decimal // what one unit of a foreign currency was worth in the base currency; nil for none known
	Entry         ledger.EntryID   // none on a draft, nor when the total is nothing
	Origin        DocumentID       // what it credits, was accepted as or is a fee for; none for most
	CreatedAt     time.Time
	IssuedAt      time.Time
	ClosedAt      time.Time // when it was voided, written off, accepted or declined
	ClosingEntry  ledger.EntryID
	Version       int
	Today         civil.Date // the organization's date when this was read
}

// DocumentBody is what only the document itself shows.
type DocumentBody struct {
	PricesWithTax      bool
	DiscountPercent    decimal.Decimal // on the whole; 0 where it was given as an amount
	Discount           money.Amount    // on the whole: what was taken off the lines
	Lines              []InvoiceLine
	EntryNumber        int64 // of the journal entry; 0 for none
	ClosingEntryNumber int64
	OriginNumber       string
}

// InvoiceLine is one line of a document. Net and Taxes are as the calculator gave them when the line was written.
type InvoiceLine struct {
	Line            int // counted from 1
	Product         ProductID
	Description     string
	Quantity        decimal.Decimal
	UnitPrice       decimal.Decimal // in major units
	DiscountPercent decimal.Decimal
	DiscountShare   money.Amount     // its part of the discount on the whole
	Account         ledger.AccountID // what it is income on
	Net             money.Amount
	Taxes           []LineTax
}

// LineTax is what one rate came to on one line, with the rate as it was then.
type LineTax struct {
	Rate     tax.RateID
	Code     string
	Name     string
	Percent  decimal.Decimal
	Compound bool
	Base     money.Amount
	Amount   money.Amount

	Kind         tax.Kind
	Reason       string // why no tax is due, as it is printed
	Registration string // the organization's number for this tax, as it is printed
}

// TaxTotals sums the stored taxes by rate, in the order in which the lines first name them.
func (b DocumentBody) TaxTotals() []LineTax {
	type key struct {
		rate    tax.RateID
		percent string
	}
	at := map[key]int{}
	var totals []LineTax
	for _, line := range b.Lines {
		for _, t := range line.Taxes {
			k := key{t.Rate, t.Percent.String()}
			n, ok := at[k]
			if !ok {
				at[k] = len(totals)
				totals = append(totals, t)
				continue
			}
			totals[n].Base.Minor += t.Base.Minor
			totals[n].Amount.Minor += t.Amount.Minor
		}
	}
	return totals
}

// DiscountAmount is the discount on the whole where it was written as an amount, in major units; else 0.
func (b DocumentBody) DiscountAmount() decimal.Decimal {
	if !b.DiscountPercent.IsZero() {
		return decimal.Zero
	}
	return b.Discount.Decimal()
}

// Amounts are what the lines come to in the prices of the document, with tax or without, before the discount on the
// whole: less that discount they are its total or its net.
func (b DocumentBody) Amounts() []money.Amount {
	all := make([]money.Amount, len(b.Lines))
	for i, l := range b.Lines {
		all[i] = money.Amount{Minor: l.Net.Minor + l.DiscountShare.Minor, Currency: l.Net.Currency}
		for _, t := range l.Taxes {
			if b.PricesWithTax {
				all[i].Minor += t.Amount.Minor
			}
		}
	}
	return all
}

// open is what is left of the total.
func (h DocumentHead) open() money.Amount {
	return money.Amount{Minor: h.Total.Minor - h.Settled.Minor, Currency: h.Currency}
}

// DocumentInput is what is written on a draft of any kind.
type DocumentInput struct {
	CustomerID      CustomerID
	ExternalID      string
	IssueDate       civil.Date     // zero: today
	DueDate         civil.Date     // zero: by the customer's or the organization's terms
	Currency        money.Currency // zero: the organization's own
	Reference       string
	PurchaseOrder   string
	Language        locale.Language // empty: the customer's
	PricesWithTax   bool
	DiscountPercent decimal.Decimal // on the whole: this, or an amount
	Discount        decimal.Decimal // in major units
	Note            string
	Lines           []InvoiceLineInput
	Origin          DocumentID
}

// InvoiceInput is what is written on a draft invoice.
type InvoiceInput = DocumentInput

// InvoiceLineInput is one line of a draft. Without a description it has the product's name.
type InvoiceLineInput struct {
	ProductID       ProductID // may be zero
	Description     string
	Quantity        decimal.Decimal
	UnitPrice       decimal.Decimal // in major units
	DiscountPercent decimal.Decimal
	AccountID       ledger.AccountID // zero: the product's, else the account whose purpose is income
	TaxCodes        []string
}
