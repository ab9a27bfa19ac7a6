package billing

import (
	"github.com/countinghouse/countinghouse/billing/money"
	"github.com/countinghouse/countinghouse/internal/civil"
	"github.com/countinghouse/countinghouse/internal/fault"
	"github.com/countinghouse/countinghouse/internal/id"
)

// What is refused about credit notes.
var (
	ErrCreditNoteNotFound = fault.New(fault.NotFound, "credit_note.not_found", "There is no such credit note.")
	ErrCreditNoteChanged  = fault.New(fault.Conflict, "credit_note.changed", "Someone else changed this credit note in the meantime. Look at it again, then repeat your change.")
	ErrCreditNoteNotDraft = fault.New(fault.Conflict, "credit_note.not_draft", "This credit note has been issued. Only a draft can be changed, discarded or issued.")
	ErrCreditNoteNoLines  = fault.New(fault.Conflict, "credit_note.no_lines", "A credit note needs a line before it can be issued.")
	ErrCreditNoteExternal = fault.New(fault.Conflict, "credit_note.external_id_taken", "Another credit note has this external id.").At("external_id")
)

// CreditNoteID names a credit note.
type CreditNoteID = id.Of[CreditNote]

// CreditNote takes back what was invoiced: the customer owes as much less, or has it as credit.
type CreditNote struct {
	CreditNoteHead
	DocumentBody
	Applied []CreditApplied // which invoices it settles
	Refunds []InvoicePayment
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
