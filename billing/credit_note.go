package billing

import (
	"context"

	"github.com/countinghouse/countinghouse/billing/money"
	"github.com/countinghouse/countinghouse/internal/civil"
	"github.com/countinghouse/countinghouse/internal/cursor"
	"github.com/countinghouse/countinghouse/internal/fault"
	"github.com/countinghouse/countinghouse/internal/id"
	"github.com/countinghouse/countinghouse/internal/text"
	"github.com/countinghouse/countinghouse/tenant"
)

// What is refused about credit notes.
var (
	ErrCreditNoteNotFound = fault.New(fault.NotFound, "credit_note.not_found", "There is no such credit note.")
	ErrCreditNoteChanged  = fault.New(fault.Conflict, "credit_note.changed", "Someone else changed this credit note in the meantime. Look at it again, then repeat your change.")
	ErrCreditNoteNotDraft = fault.New(fault.Conflict, "credit_note.not_draft", "This credit note has been issued. Only a draft can be changed, discarded or issued.")
	ErrCreditNoteNoLines  = fault.New(fault.Conflict, "credit_note.no_lines", "A credit note needs a line before it can be issued.")
	ErrCreditNoteExternal = fault.New(fault.Conflict, "credit_note.external_id_taken", "Another credit note has this external id.").At("external_id")
	ErrCreditStanding     = fault.New(fault.Invalid, "credit_note.standing_unknown", "Ask for draft, open, used or void.").At("standing")
)

// The standings of a credit note, beside StandingDraft, StandingOpen and StandingVoid.
const StandingUsed Standing = "used" // all of it settles invoices or was given back

// CreditNoteID names a credit note.
type CreditNoteID = id.Of[CreditNote]

// CreditNote takes back what was invoiced: the customer owes as much less, or has it as credit.
type CreditNote struct {
	CreditNoteHead
	DocumentBody
	Applied []CreditApplied  // which invoices it settles
	Refunds []InvoicePayment // what of it was given back, below zero
}

// CreditNoteHead is a credit note without its lines, as lists show it.
type CreditNoteHead struct {
	ID CreditNoteID
	DocumentHead
}

// CreditApplied is what of one credit note settles one invoice. Number is that of the other of the two.
type CreditApplied struct {
	CreditNote CreditNoteID
	Invoice    InvoiceID
	Number     string
	Date       civil.Date
	Amount     money.Amount
}

// Left is what of it the customer still has as credit; nothing on a draft, nor on what was voided.
func (h CreditNoteHead) Left() money.Amount {
	if h.State != Issued {
		return money.Amount{Currency: h.Currency}
	}
	return h.open()
}

// Standing is how the credit note stands.
func (h CreditNoteHead) Standing() Standing {
	switch {
	case h.State == Draft:
		return StandingDraft
	case h.State == Void:
		return StandingVoid
	case h.open().IsZero():
		return StandingUsed
	}
	return StandingOpen
}

// DraftCreditNote keeps a new draft that is of no invoice. It has no number yet and nothing is posted. It fails with all
// that is wrong with the input, with ErrCustomerArchived or with ErrCreditNoteExternal.
func DraftCreditNote(ctx context.Context, tx *tenant.Tx, in DocumentInput) (CreditNote, error) {
	made, err := draftDocument(ctx, tx, creditNoteKind, in)
	if err != nil {
		return CreditNote{}, err
	}
	return selectCreditNote(ctx, tx, CreditNoteID{UUID: made})
}

// ReviseCreditNote writes all of a draft anew. version is the one that the change was made on; 0 is any. It fails as
// DraftCreditNote does, and with ErrCreditNoteNotFound, ErrCreditNoteNotDraft or ErrCreditNoteChanged.
func ReviseCreditNote(ctx context.Context, tx *tenant.Tx, note CreditNoteID, version int, in DocumentInput) (CreditNote, error) {
	if err := reviseDocument(ctx, tx, creditNoteKind, note.UUID, version, in); err != nil {
		return CreditNote{}, err
	}
	return selectCreditNote(ctx, tx, note)
}

// DiscardCreditNote deletes a draft. It fails with ErrCreditNoteNotFound, ErrCreditNoteNotDraft or ErrCreditNoteChanged.
func DiscardCreditNote(ctx context.Context, tx *tenant.Tx, note CreditNoteID, version int) error {
	return discardDocument(ctx, tx, creditNoteKind, note.UUID, version)
}

// IssueCreditNote gives a draft its number and posts it: income and taxes become less, and so does what the customer
// owes. It fails as IssueInvoice does.
func IssueCreditNote(ctx context.Context, tx *tenant.Tx, note CreditNoteID, version int) (CreditNote, error) {
	if err := issueDraft(ctx, tx, creditNoteKind, note.UUID, version); err != nil {
		return CreditNote{}, err
	}
	return selectCreditNote(ctx, tx, note)
}

// CreditNoteByID gives one credit note; ErrCreditNoteNotFound.
func CreditNoteByID(ctx context.Context, tx *tenant.Tx, note CreditNoteID) (CreditNote, error) {
	return selectCreditNote(ctx, tx, note)
}

// CreditNoteFilter narrows a list of credit notes. Search is as with invoices; From and To bound the issue date.
type CreditNoteFilter struct {
	Standing   Standing
	CustomerID CustomerID
	Origin     InvoiceID
	Search     string
	From, To   civil.Date
}

// CreditNotes lists credit notes, the newest first.
func CreditNotes(ctx context.Context, tx *tenant.Tx, filter CreditNoteFilter, q cursor.Query) (cursor.Page[CreditNoteHead], error) {
	none := cursor.Page[CreditNoteHead]{}
	q, err := q.Check()
	if err != nil {
		return none, err
	}
	if filter.Search, err = text.Line("search", filter.Search, nameLength); err != nil {
		return none, err
	}
	switch filter.Standing {
	case "", StandingDraft, StandingOpen, StandingUsed, StandingVoid:
	default:
		return none, ErrCreditStanding
	}
	rows, err := selectCreditNotes(ctx, tx, filter, q)
	if err != nil {
		return none, err
	}
	return cursor.Cut(q, rows), nil
}

// CreditNoteCounts says how many credit notes stand in each way.
func CreditNoteCounts(ctx context.Context, tx *tenant.Tx) (map[Standing]int, error) {
	return countCreditNotes(ctx, tx)
}
