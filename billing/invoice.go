package billing

import (
	"context"

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
	ErrStandingUnknown = fault.New(fault.Invalid, "invoice.standing_unknown", "Ask for draft, open, part_paid, overdue, paid, written_off or void.").At("standing")
)

// InvoiceID names an invoice.
type InvoiceID = id.Of[Invoice]

// Standing is how an invoice stands on a day.
type Standing string

// The standings. An invoice that is partly paid and past its due date is overdue.
const (
	StandingDraft    Standing = "draft"
	StandingOpen     Standing = "open" // nothing paid yet, not yet past its due date
	StandingPartPaid Standing = "part_paid"
	StandingOverdue  Standing = "overdue"
	StandingPaid     Standing = "paid"
	StandingVoid     Standing = "void"
	// StandingWrittenOff is of what nobody expects to be paid any more.
	StandingWrittenOff Standing = "written_off"
	// StandingSentOut asks for all but drafts, of invoices and of quotes: what a customer may see.
	StandingSentOut Standing = "sent_out"
)

// InvoiceHead is an invoice without its lines, as lists show it.
type InvoiceHead struct {
	ID InvoiceID
	DocumentHead
}

// Open is what is still owed; nothing on a draft, nor on what was voided.
func (h InvoiceHead) Open() money.Amount {
	if h.State != Issued {
		return money.Amount{Currency: h.Currency}
	}
	return h.open()
}

// Standing is how the invoice stands on a day.
func (h InvoiceHead) Standing(today civil.Date) Standing {
	switch {
	case h.State == Draft:
		return StandingDraft
	case h.State == Void:
		return StandingVoid
	case !h.WrittenOff.IsZero() && h.open().IsZero():
		return StandingWrittenOff
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
	DocumentBody
	Payments []InvoicePayment
	Credits  []CreditApplied // what of credit notes settles it
}

// InvoicePayment is a payment as its invoice shows it. Amount is what it settled of this invoice.
type InvoicePayment struct {
	ID        PaymentID
	Date      civil.Date
	Amount    money.Amount
	Method    Method
	Reference string
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
	made, err := draftDocument(ctx, tx, invoiceKind, in)
	if err != nil {
		return Invoice{}, err
	}
	return selectInvoice(ctx, tx, InvoiceID{UUID: made})
}

// ReviseInvoice writes all of a draft anew. version is the one that the change was made on; 0 is any. It fails as
// DraftInvoice does, and with ErrInvoiceNotFound, ErrNotDraft or ErrInvoiceChanged.
func ReviseInvoice(ctx context.Context, tx *tenant.Tx, invoice InvoiceID, version int, in InvoiceInput) (Invoice, error) {
	if err := reviseDocument(ctx, tx, invoiceKind, invoice.UUID, version, in); err != nil {
		return Invoice{}, err
	}
	return selectInvoice(ctx, tx, invoice)
}

// DiscardInvoice deletes a draft. No number is lost, since a draft has none. It fails with ErrInvoiceNotFound,
// ErrNotDraft or ErrInvoiceChanged.
func DiscardInvoice(ctx context.Context, tx *tenant.Tx, invoice InvoiceID, version int) error {
	return discardDocument(ctx, tx, invoiceKind, invoice.UUID, version)
}

// IssueInvoice gives a draft the next number of its series and posts it: the total is owed by the customer, the net
// amounts are income, each tax is owed to whom it is due. From then on it does not change. An issue date in a closed
// period is posted on the first open day. An invoice over nothing has no journal entry. It fails with
// ErrInvoiceNotFound, ErrNotDraft, ErrInvoiceChanged, ErrNoLines, ErrPercentChanged, and with what ledger.Post refuses.
func IssueInvoice(ctx context.Context, tx *tenant.Tx, invoice InvoiceID, version int) (Invoice, error) {
	if err := issueDraft(ctx, tx, invoiceKind, invoice.UUID, version); err != nil {
		return Invoice{}, err
	}
	return selectInvoice(ctx, tx, invoice)
}

// PreviewInvoice works out what a draft would come to, without keeping anything. It fails with what is wrong with the
// figures, products, accounts, dates and tax codes; customer and texts may still be missing.
func PreviewInvoice(ctx context.Context, tx *tenant.Tx, in InvoiceInput) (tax.Result, error) {
	var f fields
	d, err := prepare(ctx, tx, invoiceKind, in, &f)
	if err != nil {
		return tax.Result{}, err
	}
	return d.figures, f.err()
}

// InvoiceByID gives one invoice; ErrInvoiceNotFound.
func InvoiceByID(ctx context.Context, tx *tenant.Tx, invoice InvoiceID) (Invoice, error) {
	return selectInvoice(ctx, tx, invoice)
}

// Invoices lists invoices, the newest first. It fails with ErrStandingUnknown.
func Invoices(ctx context.Context, tx *tenant.Tx, filter InvoiceFilter, q cursor.Query) (cursor.Page[InvoiceHead], error) {
	none := cursor.Page[InvoiceHead]{}
	q, err := q.Check()
	if err != nil {
		return none, err
	}
	filter, today, err := filter.check(ctx, tx)
	if err != nil {
		return none, err
	}
	rows, err := selectInvoices(ctx, tx, filter, today, q)
	if err != nil {
		return none, err
	}
	return cursor.Cut(q, rows), nil
}

// check gives the filter as the database takes it, and the day that it is about.
func (f InvoiceFilter) check(ctx context.Context, tx *tenant.Tx) (_ InvoiceFilter, today civil.Date, err error) {
	if f.Search, err = text.Line("search", f.Search, nameLength); err != nil {
		return f, today, err
	}
	switch f.Standing {
	case "", StandingDraft, StandingPaid, StandingVoid, StandingWrittenOff, StandingSentOut: // the same on every day
	case StandingOpen, StandingPartPaid, StandingOverdue:
		today, err = Today(ctx, tx)
	default:
		err = ErrStandingUnknown
	}
	return f, today, err
}

// InvoiceSum is what a list of invoices comes to in one currency.
type InvoiceSum struct {
	Invoices    int          // in the list
	Counted     int          // of these, in the sums: drafts and void ones are not
	Total, Open money.Amount // of those that count
	TooLarge    bool         // the sums are more than an amount holds, and left out
}

// InvoiceSums gives what all invoices of a filter come to, by currency, the base currency first. It fails with
// ErrStandingUnknown.
func InvoiceSums(ctx context.Context, tx *tenant.Tx, filter InvoiceFilter) ([]InvoiceSum, error) {
	filter, today, err := filter.check(ctx, tx)
	if err != nil {
		return nil, err
	}
	return sumInvoices(ctx, tx, filter, today)
}

// InvoiceCounts says how many invoices stand in each way today.
func InvoiceCounts(ctx context.Context, tx *tenant.Tx) (map[Standing]int, error) {
	today, err := Today(ctx, tx)
	if err != nil {
		return nil, err
	}
	return countInvoices(ctx, tx, today)
}

// OpenInvoices gives a customer's open invoices in a currency, at most 200, those that fell due first at the head.
func OpenInvoices(ctx context.Context, tx *tenant.Tx, customer CustomerID, currency money.Currency) ([]InvoiceHead, error) {
	return selectOpenInvoices(ctx, tx, customer, currency)
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
