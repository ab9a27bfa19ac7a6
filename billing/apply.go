package billing

import (
	"bytes"
	"context"
	"fmt"

	"github.com/google/uuid"

	"github.com/countinghouse/countinghouse/billing/currency"
	"github.com/countinghouse/countinghouse/billing/money"
	"github.com/countinghouse/countinghouse/internal/civil"
	"github.com/countinghouse/countinghouse/internal/fault"
	"github.com/countinghouse/countinghouse/tenant"
)

// What is refused about credit.
var (
	ErrCreditCustomer = fault.New(fault.Conflict, "credit.other_customer", "A customer's credit settles their own invoices alone.").At("invoice_id")
	ErrCreditCurrency = fault.New(fault.Conflict, "credit.currency", "Credit settles invoices in its own currency alone.").At("invoice_id")
	ErrCreditUsed     = fault.New(fault.Conflict, "credit.used", "Nothing of this credit is left.")
	ErrCreditAmount   = fault.New(fault.Invalid, "credit.amount", "Give an amount that is more than nothing, and no more than is left of the credit and open on the invoice.").At("amount")
	ErrNotApplied     = fault.New(fault.Conflict, "credit.not_applied", "Nothing of this credit settles that invoice.")
)

// ApplyCreditNote lets a credit note settle an invoice of its customer: by an amount, or (zero) by as much as there is
// and is open. Nothing is posted but the gain or loss where the two are in a foreign currency and came at different
// rates: both stand on the same account. It fails with ErrCreditNoteNotFound, ErrInvoiceNotFound,
// ErrNotIssued, ErrVoidDocument, ErrCreditCustomer, ErrCreditCurrency, ErrCreditUsed,
// ErrAlreadyPaid and ErrCreditAmount.
func ApplyCreditNote(ctx context.Context, tx *tenant.Tx, note CreditNoteID, invoice InvoiceID, amount money.Amount) (CreditNote, error) {
	return ApplyCreditNoteOn(ctx, tx, note, invoice, amount, civil.Date{})
}

// ApplyCreditNoteOn is ApplyCreditNote on a day; zero is today.
func ApplyCreditNoteOn(ctx context.Context, tx *tenant.Tx, note CreditNoteID, invoice InvoiceID, amount money.Amount, on civil.Date) (CreditNote, error) {
	from, to, err := lockCreditAndInvoice(ctx, tx, note, invoice)
	if err != nil {
		return CreditNote{}, err
	}
	minor, err := takes(from, to, amount)
	if err != nil {
		return CreditNote{}, err
	}
	if on, err = orToday(ctx, tx, on); err != nil {
		return CreditNote{}, err
	}
	if err := settleByCredit(ctx, tx, note, invoice, minor, laterOf(on, from.IssueDate)); err != nil {
		return CreditNote{}, err
	}
	return selectCreditNote(ctx, tx, note)
}

// orToday is a day, or today where none is given.
func orToday(ctx context.Context, tx *tenant.Tx, on civil.Date) (civil.Date, error) {
	if !on.IsZero() {
		return on, nil
	}
	return Today(ctx, tx)
}

// lockCreditAndInvoice locks their customer and both of them, in the one order that all do.
func lockCreditAndInvoice(ctx context.Context, tx *tenant.Tx, note CreditNoteID, invoice InvoiceID) (from, to lockedDocument, err error) {
	if _, err = lockCustomerOf(ctx, tx, creditNoteKind, note.UUID); err != nil {
		return from, to, err
	}
	if bytes.Compare(note.UUID[:], invoice.UUID[:]) > 0 {
		if to, err = lockInvoice(ctx, tx, invoice); err != nil {
			return from, to, err
		}
	}
	if from, err = lockDocument(ctx, tx, creditNoteKind, note.UUID); err != nil || to.ID != uuid.Nil {
		return from, to, err
	}
	to, err = lockInvoice(ctx, tx, invoice)
	return from, to, err
}

// takes says how much of a credit an invoice takes.
func takes(from, to lockedDocument, wanted money.Amount) (int64, error) {
	switch {
	case from.State == Draft || to.State == Draft:
		return 0, ErrNotIssued
	case from.State == Void || to.State == Void:
		return 0, ErrVoidDocument
	}
	return fits(from.Customer, from.open(), to, wanted)
}

// fits says how much of what is left of a credit settles an invoice: all that can, or what was asked for.
func fits(customer CustomerID, left money.Amount, to lockedDocument, wanted money.Amount) (int64, error) {
	switch {
	case customer != to.Customer:
		return 0, ErrCreditCustomer
	case left.Currency != to.Currency:
		return 0, ErrCreditCurrency
	case left.Sign() <= 0:
		return 0, ErrCreditUsed
	case to.State == Void:
		return 0, ErrVoidDocument
	case to.open().IsZero():
		return 0, ErrAlreadyPaid.Sayf("%s is paid in full.", to.Number)
	}
	most := min(left.Minor, to.open().Minor)
	switch {
	case wanted == (money.Amount{}):
		return most, nil
	case wanted.Currency != left.Currency || wanted.Minor <= 0 || wanted.Minor > most:
		return 0, ErrCreditAmount.Sayf("%s takes at most %s %s of this credit.", to.Number, money.Amount{Minor: most, Currency: left.Currency}, left.Currency)
	}
	return wanted.Minor, nil
}

// settleByCredit keeps what of a credit note settles an invoice. The caller has locked both and knows that it fits.
func settleByCredit(ctx context.Context, tx *tenant.Tx, note CreditNoteID, invoice InvoiceID, minor int64, on civil.Date) error {
	if err := insertCreditAllocation(ctx, tx, note, invoice, minor, on); err != nil {
		return err
	}
	for _, document := range []uuid.UUID{note.UUID, invoice.UUID} {
		if err := updateSettled(ctx, tx, document, minor); err != nil {
			return err
		}
	}
	err := currency.Realise(ctx, tx, currency.Settlement{CreditNote: note.UUID, Document: invoice.UUID, Amount: minor, Date: on})
	if err != nil {
		return err
	}
	return tx.Record(ctx, tenant.Act{Action: "credit_note.apply", Object: "credit_note", ID: note.UUID,
		Detail: fmt.Sprintf("%d to %s", minor, invoice)})
}

// UnapplyCreditNote takes back what of a credit note settles an invoice: the one is credit again, the other open. It
// fails with ErrCreditNoteNotFound, ErrInvoiceNotFound and ErrNotApplied.
func UnapplyCreditNote(ctx context.Context, tx *tenant.Tx, note CreditNoteID, invoice InvoiceID) (CreditNote, error) {
	_, to, err := lockCreditAndInvoice(ctx, tx, note, invoice)
	if err != nil {
		return CreditNote{}, err
	}
	minor, told, err := deleteCreditAllocation(ctx, tx, note, invoice)
	if err != nil {
		return CreditNote{}, err
	}
	if to.WrittenOff > 0 { // what was written off would be open in part, and off in part
		return CreditNote{}, ErrWrittenOff
	}
	for _, document := range []uuid.UUID{note.UUID, invoice.UUID} {
		if err := updateSettled(ctx, tx, document, -minor); err != nil {
			return CreditNote{}, err
		}
	}
	today, err := Today(ctx, tx)
	if err != nil {
		return CreditNote{}, err
	}
	err = currency.Realise(ctx, tx, currency.Settlement{CreditNote: note.UUID, Document: invoice.UUID, Amount: -told, Date: laterOf(today, to.IssueDate)})
	if err != nil {
		return CreditNote{}, err
	}
	err = tx.Record(ctx, tenant.Act{Action: "credit_note.unapply", Object: "credit_note", ID: note.UUID, Detail: "from " + invoice.String()})
	if err != nil {
		return CreditNote{}, err
	}
	return selectCreditNote(ctx, tx, note)
}
