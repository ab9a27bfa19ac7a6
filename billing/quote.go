package billing

import (
	"cmp"
	"context"
	"fmt"

	"github.com/countinghouse/countinghouse/billing/ledger"
	"github.com/countinghouse/countinghouse/internal/civil"
	"github.com/countinghouse/countinghouse/internal/cursor"
	"github.com/countinghouse/countinghouse/internal/fault"
	"github.com/countinghouse/countinghouse/internal/id"
	"github.com/countinghouse/countinghouse/internal/text"
	"github.com/countinghouse/countinghouse/tenant"
)

// What is refused about quotes.
var (
	ErrQuoteNotFound  = fault.New(fault.NotFound, "quote.not_found", "There is no such quote.")
	ErrQuoteChanged   = fault.New(fault.Conflict, "quote.changed", "Someone else changed this quote in the meantime. Look at it again, then repeat your change.")
	ErrQuoteNotDraft  = fault.New(fault.Conflict, "quote.not_draft", "This quote has been issued. Only a draft can be changed, discarded or issued.")
	ErrQuoteNoLines   = fault.New(fault.Conflict, "quote.no_lines", "A quote needs a line before it can be issued.")
	ErrQuoteExternal  = fault.New(fault.Conflict, "quote.external_id_taken", "Another quote has this external id.").At("external_id")
	ErrQuoteEndsEarly = fault.New(fault.Invalid, "quote.ends_early", "A quote cannot end before the day it is issued.").At("due_date")
	ErrQuoteNotIssued = fault.New(fault.Conflict, "quote.not_issued", "This quote is still a draft. Issue it first.")
	ErrQuoteDecided   = fault.New(fault.Conflict, "quote.decided", "This quote was accepted or declined already.")
	ErrQuoteDeclined  = fault.New(fault.Conflict, "quote.declined", "This quote was declined. Write a new one.")
	ErrQuoteExpired   = fault.New(fault.Conflict, "quote.expired", "This quote does not stand any more. Write a new one.")
	ErrQuoteStanding  = fault.New(fault.Invalid, "quote.standing_unknown", "Ask for draft, sent, accepted, invoiced, declined or expired.").At("standing")
	ErrMadeAlready    = fault.New(fault.Conflict, "quote.invoiced", "This quote has become an invoice already.")
)

// The standings of a quote, beside StandingDraft.
const (
	StandingSent     Standing = "sent"
	StandingAccepted Standing = "accepted"
	StandingInvoiced Standing = "invoiced"
	StandingDeclined Standing = "declined"
	StandingExpired  Standing = "expired"
)

// QuoteID names a quote.
type QuoteID = id.Of[Quote]

// Quote is an offer. It posts nothing; when the customer accepts it, it becomes an invoice.
type Quote struct {
	QuoteHead
	DocumentBody
}

// QuoteHead is a quote without its lines, as lists show it. It stands until its due date.
type QuoteHead struct {
	ID QuoteID
	DocumentHead
	AcceptedBy    string    // as the customer signed; empty when it was accepted for them
	Invoice       InvoiceID // what it became; none yet
	InvoiceNumber string    // none while that is a draft
}

// Standing is how the quote stands on a day.
func (h QuoteHead) Standing(today civil.Date) Standing {
	switch {
	case h.State == Draft:
		return StandingDraft
	case h.State == Declined:
		return StandingDeclined
	case !h.Invoice.IsZero():
		return StandingInvoiced
	case h.State == Accepted:
		return StandingAccepted
	case h.DueDate.Before(today):
		return StandingExpired
	}
	return StandingSent
}

// DraftQuote keeps a new draft. It fails with all that is wrong with the input, with ErrCustomerArchived or with
// ErrQuoteExternal.
func DraftQuote(ctx context.Context, tx *tenant.Tx, in DocumentInput) (Quote, error) {
	made, err := draftDocument(ctx, tx, quoteKind, in)
	if err != nil {
		return Quote{}, err
	}
	return selectQuote(ctx, tx, QuoteID{UUID: made})
}

// ReviseQuote writes all of a draft anew. version is the one that the change was made on; 0 is any. It fails as
// DraftQuote does, and with ErrQuoteNotFound, ErrQuoteNotDraft or ErrQuoteChanged.
func ReviseQuote(ctx context.Context, tx *tenant.Tx, quote QuoteID, version int, in DocumentInput) (Quote, error) {
	if err := reviseDocument(ctx, tx, quoteKind, quote.UUID, version, in); err != nil {
		return Quote{}, err
	}
	return selectQuote(ctx, tx, quote)
}

// DiscardQuote deletes a draft. It fails with ErrQuoteNotFound, ErrQuoteNotDraft or ErrQuoteChanged.
func DiscardQuote(ctx context.Context, tx *tenant.Tx, quote QuoteID, version int) error {
	return discardDocument(ctx, tx, quoteKind, quote.UUID, version)
}

// IssueQuote gives a draft its number. From then on it does not change, and can be accepted. It fails with
// ErrQuoteNotFound, ErrQuoteNotDraft, ErrQuoteChanged and ErrQuoteNoLines.
func IssueQuote(ctx context.Context, tx *tenant.Tx, quote QuoteID, version int) (Quote, error) {
	if err := issueDraft(ctx, tx, quoteKind, quote.UUID, version); err != nil {
		return Quote{}, err
	}
	return selectQuote(ctx, tx, quote)
}

// AcceptQuote keeps that the customer agreed, and by which name they signed; empty when a member accepts for them. It
// fails with what is wrong with the name, and with ErrQuoteNotFound, ErrQuoteChanged, ErrQuoteNotIssued, ErrQuoteDecided
// and ErrQuoteExpired.
func AcceptQuote(ctx context.Context, tx *tenant.Tx, quote QuoteID, version int, by string) (Quote, error) {
	by, err := text.Line("name", by, nameLength)
	if err != nil {
		return Quote{}, err
	}
	return decideQuote(ctx, tx, quote, version, Accepted, by)
}

// DeclineQuote keeps that the customer did not agree. It fails as AcceptQuote does.
func DeclineQuote(ctx context.Context, tx *tenant.Tx, quote QuoteID, version int) (Quote, error) {
	return decideQuote(ctx, tx, quote, version, Declined, "")
}

func decideQuote(ctx context.Context, tx *tenant.Tx, quote QuoteID, version int, state, by string) (Quote, error) {
	locked, err := lockDocument(ctx, tx, quoteKind, quote.UUID)
	if err != nil {
		return Quote{}, err
	}
	today, err := Today(ctx, tx)
	switch {
	case err != nil:
		return Quote{}, err
	case locked.State == Draft:
		return Quote{}, ErrQuoteNotIssued
	case locked.State != Issued:
		return Quote{}, ErrQuoteDecided
	case version != 0 && version != locked.Version:
		return Quote{}, ErrQuoteChanged
	case locked.DueDate.Before(today) && state == Accepted:
		return Quote{}, ErrQuoteExpired
	}
	if err := closeQuote(ctx, tx, locked, state, by); err != nil {
		return Quote{}, err
	}
	return selectQuote(ctx, tx, quote)
}

func closeQuote(ctx context.Context, tx *tenant.Tx, locked lockedDocument, state, by string) error {
	if err := updateClosed(ctx, tx, locked.ID, state, ledger.EntryID{}, by); err != nil {
		return err
	}
	verb := map[string]string{Accepted: "accept", Declined: "decline"}[state]
	return tx.Record(ctx, tenant.Act{Action: "quote." + verb, Object: "quote", ID: locked.ID, Detail: locked.Number,
		Changes: []tenant.Change{{Field: "state", Before: Issued, After: state}, {Field: "accepted_by", After: by, Personal: true}}})
}

// InvoiceQuote makes the draft of an invoice out of a quote, once, with the taxes of today; a quote that nobody decided
// is accepted by it. It fails with ErrQuoteNotFound, ErrQuoteChanged, ErrQuoteNotIssued, ErrQuoteDeclined, ErrQuoteExpired
// and ErrMadeAlready, and as DraftInvoice does.
func InvoiceQuote(ctx context.Context, tx *tenant.Tx, quote QuoteID, version int) (Invoice, error) {
	locked, err := lockDocument(ctx, tx, quoteKind, quote.UUID)
	if err != nil {
		return Invoice{}, err
	}
	q, err := selectQuote(ctx, tx, quote)
	switch {
	case err != nil:
		return Invoice{}, err
	case locked.State == Draft:
		return Invoice{}, ErrQuoteNotIssued
	case locked.State == Declined:
		return Invoice{}, ErrQuoteDeclined
	case !q.Invoice.IsZero():
		return Invoice{}, ErrMadeAlready
	case version != 0 && version != locked.Version:
		return Invoice{}, ErrQuoteChanged
	case q.Standing(q.Today) == StandingExpired:
		return Invoice{}, ErrQuoteExpired
	}
	if locked.State == Issued {
		if err := closeQuote(ctx, tx, locked, Accepted, ""); err != nil {
			return Invoice{}, err
		}
	}
	made, err := draftDocument(ctx, tx, invoiceKind, q.input())
	if err != nil {
		return Invoice{}, err
	}
	err = tx.Record(ctx, tenant.Act{Action: "quote.invoice", Object: "quote", ID: quote.UUID, Detail: fmt.Sprintf("%s as %s", locked.Number, made)})
	if err != nil {
		return Invoice{}, err
	}
	return selectInvoice(ctx, tx, InvoiceID{UUID: made})
}

// input is what a quote says, as one would write it on an invoice.
func (q Quote) input() DocumentInput {
	in := DocumentInput{CustomerID: q.Customer.ID, Currency: q.Currency, Reference: cmp.Or(q.Reference, q.Number), PurchaseOrder: q.PurchaseOrder,
		Language: q.Language, PricesWithTax: q.PricesWithTax, DiscountPercent: q.DiscountPercent, Discount: q.DiscountAmount(), Note: q.Note,
		Origin: DocumentID{UUID: q.ID.UUID}}
	for _, l := range q.Lines {
		line := InvoiceLineInput{ProductID: l.Product, Description: l.Description, Quantity: l.Quantity, UnitPrice: l.UnitPrice,
			DiscountPercent: l.DiscountPercent, AccountID: l.Account}
		for _, t := range l.Taxes {
			line.TaxCodes = append(line.TaxCodes, t.Code)
		}
		in.Lines = append(in.Lines, line)
	}
	return in
}

// QuoteByID gives one quote; ErrQuoteNotFound.
func QuoteByID(ctx context.Context, tx *tenant.Tx, quote QuoteID) (Quote, error) {
	return selectQuote(ctx, tx, quote)
}

// QuoteFilter narrows a list of quotes. Search is as with invoices; From and To bound the issue date.
type QuoteFilter struct {
	Standing   Standing
	CustomerID CustomerID
	Search     string
	From, To   civil.Date
}

// Quotes lists quotes, the newest first.
func Quotes(ctx context.Context, tx *tenant.Tx, filter QuoteFilter, q cursor.Query) (cursor.Page[QuoteHead], error) {
	none := cursor.Page[QuoteHead]{}
	q, err := q.Check()
	if err != nil {
		return none, err
	}
	if filter.Search, err = text.Line("search", filter.Search, nameLength); err != nil {
		return none, err
	}
	switch filter.Standing {
	case "", StandingDraft, StandingSent, StandingAccepted, StandingInvoiced, StandingDeclined, StandingExpired, StandingSentOut:
	default:
		return none, ErrQuoteStanding
	}
	today, err := Today(ctx, tx)
	if err != nil {
		return none, err
	}
	rows, err := selectQuotes(ctx, tx, filter, today, q)
	if err != nil {
		return none, err
	}
	return cursor.Cut(q, rows), nil
}

// QuoteCounts says how many quotes stand in each way today.
func QuoteCounts(ctx context.Context, tx *tenant.Tx) (map[Standing]int, error) {
	today, err := Today(ctx, tx)
	if err != nil {
		return nil, err
	}
	return countQuotes(ctx, tx, today)
}

// LinkQuote gives a quote for whose customer a link is opened, and records that. It fails with ErrQuoteNotFound,
// ErrQuoteNotIssued and ErrQuoteExpired.
func LinkQuote(ctx context.Context, tx *tenant.Tx, quote QuoteID) (Quote, error) {
	q, err := selectQuote(ctx, tx, quote)
	switch {
	case err != nil:
		return q, err
	case q.State == Draft:
		return q, ErrQuoteNotIssued
	case q.Standing(q.Today) == StandingExpired:
		return q, ErrQuoteExpired
	}
	return q, tx.Record(ctx, tenant.Act{Action: "quote.link", Object: "quote", ID: quote.UUID})
}
