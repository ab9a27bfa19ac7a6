package billing

import (
	"context"

	"github.com/google/uuid"

	"github.com/countinghouse/countinghouse/billing/ledger"
	"github.com/countinghouse/countinghouse/internal/fault"
	"github.com/countinghouse/countinghouse/tenant"
)

// What is refused about voiding.
var (
	ErrVoidDraft    = fault.New(fault.Conflict, "document.draft_not_voided", "A draft is discarded, not voided.")
	ErrVoidSettled  = fault.New(fault.Conflict, "document.settled_not_voided", "Something is settled on this already. Credit it instead, or take the payments and credits off it first.")
	ErrVoidCredited = fault.New(fault.Conflict, "invoice.credited_not_voided", "A credit note takes this invoice back already. Void that first, or credit the rest.")
	ErrVoidCharge   = fault.New(fault.Conflict, "invoice.charge_not_voided", "A payment of this invoice is under way at a gateway. Wait until it is settled.")
)

// VoidInvoice undoes an invoice on which nothing is settled: its number stays, its entry is reversed, and nothing is
// owed. It fails with ErrInvoiceNotFound, ErrInvoiceChanged, ErrVoidDraft, ErrVoidDocument, ErrVoidSettled,
// ErrVoidCredited and ErrVoidCharge.
func VoidInvoice(ctx context.Context, tx *tenant.Tx, invoice InvoiceID, version int) (Invoice, error) {
	locked, err := lockVoidable(ctx, tx, invoiceKind, invoice.UUID, version)
	if err != nil {
		return Invoice{}, err
	}
	if credited, err := selectHasCreditNotes(ctx, tx, invoice.UUID); err != nil {
		return Invoice{}, err
	} else if credited {
		return Invoice{}, ErrVoidCredited
	}
	if live, err := selectHasLiveCharge(ctx, tx, invoice); err != nil {
		return Invoice{}, err
	} else if live {
		return Invoice{}, ErrVoidCharge
	}
	if err := void(ctx, tx, invoiceKind, locked); err != nil {
		return Invoice{}, err
	}
	if err := stopCollection(ctx, tx, invoice, "voided"); err != nil {
		return Invoice{}, err
	}
	return selectInvoice(ctx, tx, invoice)
}

// VoidCreditNote undoes a credit note of which nothing is used. It fails as VoidInvoice does.
func VoidCreditNote(ctx context.Context, tx *tenant.Tx, note CreditNoteID, version int) (CreditNote, error) {
	locked, err := lockVoidable(ctx, tx, creditNoteKind, note.UUID, version)
	if err != nil {
		return CreditNote{}, err
	}
	if err := void(ctx, tx, creditNoteKind, locked); err != nil {
		return CreditNote{}, err
	}
	return selectCreditNote(ctx, tx, note)
}

func lockVoidable(ctx context.Context, tx *tenant.Tx, k kind, document uuid.UUID, version int) (lockedDocument, error) {
	locked, err := lockWithCustomer(ctx, tx, k, document)
	switch {
	case err != nil:
		return locked, err
	case locked.State == Draft:
		return locked, ErrVoidDraft
	case locked.State != Issued:
		return locked, ErrVoidDocument
	case version != 0 && version != locked.Version:
		return locked, k.changed
	case locked.Settled != 0:
		return locked, ErrVoidSettled
	}
	return locked, nil
}

// void reverses the entry of a document that the caller has locked, and closes it.
func void(ctx context.Context, tx *tenant.Tx, k kind, locked lockedDocument) error {
	var reversal ledger.EntryID
	if !locked.Entry.IsZero() {
		today, err := Today(ctx, tx)
		if err != nil {
			return err
		}
		e, err := ledger.ReverseDocument(ctx, tx, locked.Entry, today, "Void of "+locked.Number)
		if err != nil {
			return err
		}
		reversal = e.ID
	}
	if err := updateClosed(ctx, tx, locked.ID, Void, reversal, ""); err != nil {
		return err
	}
	return tx.Record(ctx, tenant.Act{Action: k.stored + ".void", Object: k.stored, ID: locked.ID, Detail: locked.Number,
		Changes: []tenant.Change{{Field: "state", Before: Issued, After: Void}}})
}
