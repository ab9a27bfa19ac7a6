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

	// Of what is bought. The party is a payee then, and what is owed is owed by us.
	bought       bool
	back         bool // it takes back what the others do: a credit note, a payee's credit
	partyField   string
	partyUnknown *fault.Error
	partyGone    *fault.Error
}

var (
	invoiceKind = kind{
		stored: "invoice", said: "Invoice", source: ledger.SourceInvoice,
		partyField: "customer_id", partyUnknown: ErrCustomerUnknown, partyGone: ErrCustomerArchived,
		notFound: ErrInvoiceNotFound, changed: ErrInvoiceChanged, notDraft: ErrNotDraft, noLines: ErrNoLines, external: ErrInvoiceExternal,
		dueBefore: ErrDueBeforeIssue,
	}
	creditNoteKind = kind{
		stored: "credit_note", said: "Credit note", source: ledger.SourceCreditNote,
		partyField: "customer_id", partyUnknown: ErrCustomerUnknown, partyGone: ErrCustomerArchived, back: true,
		notFound: ErrCreditNoteNotFound, changed: ErrCreditNoteChanged, notDraft: ErrCreditNoteNotDraft, noLines: ErrCreditNoteNoLines,
		external: ErrCreditNoteExternal, dueBefore: ErrDueBeforeIssue,
	}
	quoteKind = kind{
		stored: "quote", said: "Quote",
		partyField: "customer_id", partyUnknown: ErrCustomerUnknown, partyGone: ErrCustomerArchived,
		notFound: ErrQuoteNotFound, changed: ErrQuoteChanged, notDraft: ErrQuoteNotDraft, noLines: ErrQuoteNoLines, external: ErrQuoteExternal,
		dueBefore: ErrQuoteEndsEarly,
	}
	orderKind = kind{
		stored: "order", said: "Order",
		notFound: ErrOrderNotFound, changed: ErrOrderChanged, notDraft: ErrOrderDecided, noLines: ErrOrderNoLines, external: ErrOrderExternal,
		dueBefore: ErrDueBeforeIssue,
	}
)
