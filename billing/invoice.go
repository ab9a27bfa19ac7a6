package billing

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/shopspring/decimal"

	"github.com/countinghouse/countinghouse/billing/currency"
	"github.com/countinghouse/countinghouse/billing/ledger"
	"github.com/countinghouse/countinghouse/billing/money"
	"github.com/countinghouse/countinghouse/billing/tax"
	"github.com/countinghouse/countinghouse/internal/civil"
	"github.com/countinghouse/countinghouse/internal/cursor"
	"github.com/countinghouse/countinghouse/internal/fault"
	"github.com/countinghouse/countinghouse/internal/id"
	"github.com/countinghouse/countinghouse/internal/text"
	"github.com/countinghouse/countinghouse/tenant"
)

// What is refused about invoices, besides what the calculator in tax refuses.
var (
	ErrInvoiceNotFound = fault.New(fault.NotFound, "invoice.not_found", "There is no such invoice.")
	ErrInvoiceChanged  = fault.New(fault.Conflict, "invoice.changed", "Someone else changed this invoice in the meantime. Look at it again, then repeat your change.")
	ErrInvoiceExternal = fault.New(fault.Conflict, "invoice.external_id_taken", "Another invoice has this external id.").At("external_id")
	ErrNotDraft        = fault.New(fault.Conflict, "invoice.not_draft", "This invoice has been issued. Only a draft can be changed, discarded or issued.")
	ErrNoLines         = fault.New(fault.Conflict, "invoice.no_lines", "An invoice needs a line before it can be issued.")
	ErrDueBeforeIssue  = fault.New(fault.Invalid, "invoice.due_before_issue", "An invoice cannot be due before the day it is issued.").At("due_date")
	ErrCustomerUnknown = fault.New(fault.Invalid, "customer.unknown", "Choose one of your customers.").At("customer_id")
	ErrProductUnknown  = fault.New(fault.Invalid, "product.unknown", "There is no such product.")
	ErrTaxUnknown      = fault.New(fault.Invalid, "tax.unknown", "There is no tax rate with this code, or it is archived.")
	ErrStandingUnknown = fault.New(fault.Invalid, "invoice.standing_unknown", "Ask for draft, open, part_paid, overdue or paid.").At("standing")
)

// InvoiceID names an invoice.
type InvoiceID = id.Of[Invoice]

// The states that an invoice is stored in.
const (
	Draft  = "draft"
	Issued = "issued"
)

// Standing is how an invoice stands on a day.
type Standing string

// The standings. An invoice that is partly paid and past its due date is overdue.
const (
	StandingDraft    Standing = "draft"
	StandingOpen     Standing = "open" // nothing paid yet, not yet past its due date
	StandingPartPaid Standing = "part_paid"
	StandingOverdue  Standing = "overdue"
	StandingPaid     Standing = "paid"
)

// InvoiceHead is an invoice without its lines, as lists show it.
type InvoiceHead struct {
	ID         InvoiceID
	State      string   // Draft or Issued
	Number     string   // none on a draft
	ExternalID string   // the invoice's id in another system, or empty
	Customer   Customer // once it is issued, with the name and address that it was issued to
	IssueDate  civil.Date
	DueDate    civil.Date
	Currency   money.Currency
	Reference  string
	Note       string
	Net        money.Amount
	Tax        money.Amount
	Total      money.Amount
	Settled    money.Amount     // what has been paid
	BaseRate   *decimal.Decimal // what one unit of a foreign currency was worth in the base currency; nil for none known
	Entry      ledger.EntryID   // none on a draft, nor when the total is nothing
	CreatedAt  time.Time
	IssuedAt   time.Time
	Version    int
	Today      civil.Date // the organization's date when this was read
}

// Open is what is still owed; nothing on a draft.
func (h InvoiceHead) Open() money.Amount {
	if h.State == Draft {
		return money.Amount{Currency: h.Currency}
	}
	return money.Amount{Minor: h.Total.Minor - h.Settled.Minor, Currency: h.Currency}
}

// Standing is how the invoice stands on a day.
func (h InvoiceHead) Standing(today civil.Date) Standing {
	switch {
	case h.State == Draft:
		return StandingDraft
	case h.Settled.Minor == h.Total.Minor:
		return StandingPaid
	case h.DueDate.Before(today):
		return StandingOverdue
	case h.Settled.IsZero():
		return StandingOpen
	}
	return StandingPartPaid
}

// Invoice is an invoice, with all that was stored when it was last written.
type Invoice struct {
	InvoiceHead
	Lines       []InvoiceLine
	EntryNumber int64 // of the journal entry; 0 for none
	Payments    []InvoicePayment
}

// InvoiceLine is one line. Net and Taxes are as the calculator gave them when the line was written.
type InvoiceLine struct {
	Line            int // counted from 1
	Product         ProductID
	Description     string
	Quantity        decimal.Decimal
	UnitPrice       decimal.Decimal // in major units
	DiscountPercent decimal.Decimal
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

// InvoicePayment is a payment as its invoice shows it. Amount is what it settled of this invoice.
type InvoicePayment struct {
	ID        PaymentID
	Date      civil.Date
	Amount    money.Amount
	Method    Method
	Reference string
}

// TaxTotals sums the stored taxes by rate, in the order in which the lines first name them.
func (i Invoice) TaxTotals() []LineTax {
	type key struct {
		rate    tax.RateID
		percent string
	}
	at := map[key]int{}
	var totals []LineTax
	for _, line := range i.Lines {
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

// InvoiceInput is what is written on a draft.
type InvoiceInput struct {
	CustomerID CustomerID
	ExternalID string
	IssueDate  civil.Date     // zero: today
	DueDate    civil.Date     // zero: the issue date and the organization's payment terms
	Currency   money.Currency // zero: the organization's own
	Reference  string
	Note       string
	Lines      []InvoiceLineInput
}

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

// InvoiceFilter narrows a list of invoices. Search looks at number, external id, reference, and the customer's name and
// company; From and To bound the issue date, both included.
type InvoiceFilter struct {
	Standing   Standing
	CustomerID CustomerID
	Search     string
	From, To   civil.Date
}

// DraftInvoice keeps a new draft. It has no number yet and nothing is posted. It fails with all that is wrong with the
// input, with ErrCustomerArchived or with ErrInvoiceExternal.
func DraftInvoice(ctx context.Context, tx *tenant.Tx, in InvoiceInput) (Invoice, error) {
	d, err := prepareDraft(ctx, tx, in)
	if err != nil {
		return Invoice{}, err
	}
	invoice := id.New[Invoice]()
	if err := insertDraft(ctx, tx, invoice, d); err != nil {
		return Invoice{}, err
	}
	if err := recordDraft(ctx, tx, "invoice.draft", invoice, d); err != nil {
		return Invoice{}, err
	}
	return selectInvoice(ctx, tx, invoice)
}

// ReviseInvoice writes all of a draft anew. version is the one that the change was made on; 0 is any. It fails as
// DraftInvoice does, and with ErrInvoiceNotFound, ErrNotDraft or ErrInvoiceChanged.
func ReviseInvoice(ctx context.Context, tx *tenant.Tx, invoice InvoiceID, version int, in InvoiceInput) (Invoice, error) {
	if _, err := lockDraft(ctx, tx, invoice, version); err != nil {
		return Invoice{}, err
	}
	d, err := prepareDraft(ctx, tx, in)
	if err != nil {
		return Invoice{}, err
	}
	if err := updateDraft(ctx, tx, invoice, d); err != nil {
		return Invoice{}, err
	}
	if err := recordDraft(ctx, tx, "invoice.revise", invoice, d); err != nil {
		return Invoice{}, err
	}
	return selectInvoice(ctx, tx, invoice)
}

func recordDraft(ctx context.Context, tx *tenant.Tx, action string, invoice InvoiceID, d draft) error {
	return tx.Record(ctx, tenant.Act{Action: action, Object: "invoice", ID: invoice.UUID,
		Detail: fmt.Sprintf("%d lines, %s %s", len(d.lines), d.figures.Total, d.currency)})
}

// DiscardInvoice deletes a draft. No number is lost, since a draft has none. It fails with ErrInvoiceNotFound,
// ErrNotDraft or ErrInvoiceChanged.
func DiscardInvoice(ctx context.Context, tx *tenant.Tx, invoice InvoiceID, version int) error {
	if _, err := lockDraft(ctx, tx, invoice, version); err != nil {
		return err
	}
	if err := deleteDraft(ctx, tx, invoice); err != nil {
		return err
	}
	return tx.Record(ctx, tenant.Act{Action: "invoice.discard", Object: "invoice", ID: invoice.UUID})
}

func lockDraft(ctx context.Context, tx *tenant.Tx, invoice InvoiceID, version int) (lockedInvoice, error) {
	locked, err := lockInvoice(ctx, tx, invoice)
	switch {
	case err != nil:
		return locked, err
	case locked.State != Draft:
		return locked, ErrNotDraft
	case version != 0 && version != locked.Version:
		return locked, ErrInvoiceChanged
	}
	return locked, nil
}

// IssueInvoice gives a draft the next number of its series and posts it: the total is owed by the customer, the net
// amounts are income, each tax is owed to whom it is due. From then on it does not change. An issue date in a closed
// period is posted on the first open day. An invoice over nothing has no journal entry. It fails with
// ErrInvoiceNotFound, ErrNotDraft, ErrInvoiceChanged, ErrNoLines, ErrPercentChanged, and with what ledger.Post refuses.
func IssueInvoice(ctx context.Context, tx *tenant.Tx, invoice InvoiceID, version int) (Invoice, error) {
	locked, err := lockDraft(ctx, tx, invoice, version)
	if err != nil {
		return Invoice{}, err
	}
	if err := checkPercents(ctx, tx, invoice); err != nil {
		return Invoice{}, err
	}
	parts, err := takeNumber(ctx, tx, invoice)
	if err != nil {
		return Invoice{}, err
	}
	number := fmt.Sprintf("%s%04d", parts.prefix, parts.number)
	var entry ledger.EntryID
	if locked.Total != 0 {
		posted, err := ledger.Post(ctx, tx, ledger.Posting{
			Date: locked.IssueDate, Description: "Invoice " + number, Source: ledger.SourceInvoice,
			SourceID: invoice.UUID, Lines: parts.lines(locked), Automatic: true,
		})
		if err != nil {
			return Invoice{}, err
		}
		entry = posted.ID
	}
	if err := currency.KeepDocumentRate(ctx, tx, invoice.UUID); err != nil {
		return Invoice{}, err
	}
	if err := updateIssued(ctx, tx, invoice, number, entry); err != nil {
		return Invoice{}, err
	}
	err = tx.Record(ctx, tenant.Act{Action: "invoice.issue", Object: "invoice", ID: invoice.UUID,
		Detail: fmt.Sprintf("%s, %s %s", number, money.Amount{Minor: locked.Total, Currency: locked.Currency}, locked.Currency)})
	if err != nil {
		return Invoice{}, err
	}
	return selectInvoice(ctx, tx, invoice)
}

// lines are the journal lines of an invoice: the customer's debt against income and taxes.
func (p postingParts) lines(invoice lockedInvoice) []ledger.Line {
	amount := func(minor int64) money.Amount { return money.Amount{Minor: minor, Currency: invoice.Currency} }
	lines := []ledger.Line{{Account: p.receivable, Party: invoice.Customer.UUID, Amount: amount(invoice.Total)}}
	for _, c := range p.credits {
		lines = append(lines, ledger.Line{Account: c.Account, Party: uuid.Nil, Amount: amount(-c.Amount), Memo: c.Memo})
	}
	return lines
}

// PreviewInvoice works out what a draft would come to, without keeping anything. It fails with what is wrong with the
// figures, products, accounts, dates and tax codes; customer and texts may still be missing.
func PreviewInvoice(ctx context.Context, tx *tenant.Tx, in InvoiceInput) (tax.Result, error) {
	var f fields
	d, err := prepare(ctx, tx, in, &f)
	if err != nil {
		return tax.Result{}, err
	}
	return d.figures, f.err()
}

// InvoiceByID gives one invoice; ErrInvoiceNotFound.
func InvoiceByID(ctx context.Context, tx *tenant.Tx, invoice InvoiceID) (Invoice, error) {
	return selectInvoice(ctx, tx, invoice)
}

// Invoices lists invoices, the newest first.
func Invoices(ctx context.Context, tx *tenant.Tx, filter InvoiceFilter, q cursor.Query) (cursor.Page[InvoiceHead], error) {
	none := cursor.Page[InvoiceHead]{}
	q, err := q.Check()
	if err != nil {
		return none, err
	}
	if filter.Search, err = text.Line("search", filter.Search, nameLength); err != nil {
		return none, err
	}
	var today civil.Date
	switch filter.Standing {
	case "", StandingDraft, StandingPaid: // the same on every day
	case StandingOpen, StandingPartPaid, StandingOverdue:
		if today, err = Today(ctx, tx); err != nil {
			return none, err
		}
	default:
		return none, ErrStandingUnknown
	}
	rows, err := selectInvoices(ctx, tx, filter, today, q)
	if err != nil {
		return none, err
	}
	return cursor.Cut(q, rows), nil
}

// InvoiceCounts says how many invoices stand in each way today.
func InvoiceCounts(ctx context.Context, tx *tenant.Tx) (map[Standing]int, error) {
	today, err := Today(ctx, tx)
	if err != nil {
		return nil, err
	}
	return countInvoices(ctx, tx, today)
}

// Overdue gives the invoices that have been overdue for longest, at most limit.
func Overdue(ctx context.Context, tx *tenant.Tx, limit int) ([]InvoiceHead, error) {
	today, err := Today(ctx, tx)
	if err != nil {
		return nil, err
	}
	return selectOverdue(ctx, tx, today, limit)
}

// InvoicesByExternalID gives the ids of those invoices that are known by these external ids.
func InvoicesByExternalID(ctx context.Context, tx *tenant.Tx, externalIDs []string) (map[string]InvoiceID, error) {
	return selectInvoiceIDs(ctx, tx, externalIDs)
}
