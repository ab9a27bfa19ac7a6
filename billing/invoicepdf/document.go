package invoicepdf

import (
	"time"

	"github.com/shopspring/decimal"

	"github.com/countinghouse/countinghouse/billing/money"
	"github.com/countinghouse/countinghouse/internal/civil"
	"github.com/countinghouse/countinghouse/internal/locale"
)

// Kind is what the document is.
type Kind string

// The kinds of document.
const (
	Invoice    Kind = "invoice"
	CreditNote Kind = "credit_note"
	Quote      Kind = "quote"

	statement Kind = "statement"
)

// Document is what stands on the paper. All amounts are in Currency, as they were stored.
type Document struct {
	Kind     Kind
	Language locale.Language
	Number   string // none on a draft, which says so across the page
	Void     bool   // says so across the page

	Issuer   Party
	Customer Party
	Logo     []byte // PNG or JPEG as CheckLogo accepts; none
	Colour   string // of heading and rules, "#rrggbb"; none for ours

	IssueDate     civil.Date
	DueDate       civil.Date // a quote: until when it stands
	Reference     string
	PurchaseOrder string // the customer's
	Credits       string // a credit note: the number of the invoice that it takes back

	Currency money.Currency
	Lines    []Line
	// PricesWithTax says so above the prices.
	PricesWithTax bool
	Discount      money.Amount // on the whole, already within Net; zero for none
	Taxes         []Tax
	Net           money.Amount
	Tax           money.Amount
	Total         money.Amount
	Settled       money.Amount // paid or credited
	Open          money.Amount

	Note    string
	Remarks []string // why no tax is due, and whatever else must be said by law
	PayTo   string   // how to pay, several lines
	PayLink string   // https address that the "pay" line leads to; none
	Foot    string   // the issuer's own small print, several lines

	// Written is the document's own time of writing, so that the same document gives the same bytes.
	Written time.Time
}

// Party is who bills or is billed.
type Party struct {
	Name    string
	Address []string // line by line, as it is written on an envelope
	Country string   // ISO 3166-1 alpha-2 of the issuer: where paper is Letter, so is this
	Numbers []Number
}

// Number is a registration, such as a tax number, with what it is called.
type Number struct{ Label, Value string }

// Line is one line of the document.
type Line struct {
	Description     string
	Quantity        decimal.Decimal
	UnitPrice       decimal.Decimal // in major units
	DiscountPercent decimal.Decimal
	Taxes           []string // codes, as the totals name them
	Net             money.Amount
}

// Tax is what one rate came to on the whole document.
type Tax struct {
	Code    string
	Name    string
	Percent decimal.Decimal
	Base    money.Amount
	Amount  money.Amount
}
