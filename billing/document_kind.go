package billing

import (
	"github.com/countinghouse/countinghouse/billing/ledger"
	"github.com/countinghouse/countinghouse/internal/fault"
)

// kind is what an invoice, a credit note and a quote differ in.
type kind struct {
	stored    string // in the database, and as the object of what goes on record
	said      string // at the start of a sentence
	source    ledger.SourceKind
	notFound  *fault.Error
	changed   *fault.Error
	notDraft  *fault.Error
	noLines   *fault.Error
	external  *fault.Error
	dueBefore *fault.Error
}

var (
	invoiceKind = kind{
		stored: "invoice", said: "Invoice", source: ledger.SourceInvoice,
		notFound: ErrInvoiceNotFound, changed: ErrInvoiceChanged, notDraft: ErrNotDraft, noLines: ErrNoLines, external: ErrInvoiceExternal,
		dueBefore: ErrDueBeforeIssue,
	}
	creditNoteKind = kind{
		stored: "credit_note", said: "Credit note", source: ledger.SourceCreditNote,
		notFound: ErrCreditNoteNotFound, changed: ErrCreditNoteChanged, notDraft: ErrCreditNoteNotDraft, noLines: ErrCreditNoteNoLines,
		external: ErrCreditNoteExternal, dueBefore: ErrDueBeforeIssue,
	}
	quoteKind = kind{
		stored: "quote", said: "Quote",
		notFound: ErrQuoteNotFound, changed: ErrQuoteChanged, notDraft: ErrQuoteNotDraft, noLines: ErrQuoteNoLines, external: ErrQuoteExternal,
		dueBefore: ErrQuoteEndsEarly,
	}
)
