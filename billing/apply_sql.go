package billing

import (
	"context"
	"errors"
	"fmt"

	"github.com/google/uuid"

	"github.com/countinghouse/countinghouse/internal/civil"
	"github.com/countinghouse/countinghouse/tenant"
)

// lockCustomerOf lets one transaction at a time move a customer's credit. It comes before the lock of any document, so
// that no two wait for each other. A document's customer does not change once it is issued.
func lockCustomerOf(ctx context.Context, tx *tenant.Tx, k kind, document uuid.UUID) (customer CustomerID, err error) {
	err = tx.Get(ctx, &customer, `
		SELECT p.id FROM party p WHERE p.id = (SELECT d.customer_id FROM document d WHERE d.id = $1 AND d.kind::text = $2)
		   FOR NO KEY UPDATE`, document, k.stored)
	if errors.Is(err, tenant.ErrNoRows) {
		return customer, k.notFound
	} else if err != nil {
		return customer, fmt.Errorf("locking a customer's credit: %w", err)
	}
	return customer, nil
}

// lockWithCustomer locks a document after its customer.
func lockWithCustomer(ctx context.Context, tx *tenant.Tx, k kind, document uuid.UUID) (lockedDocument, error) {
	if _, err := lockCustomerOf(ctx, tx, k, document); err != nil {
		return lockedDocument{}, err
	}
	return lockDocument(ctx, tx, k, document)
}

func insertCreditAllocation(ctx context.Context, tx *tenant.Tx, note CreditNoteID, invoice InvoiceID, minor int64, on civil.Date) error {
	_, err := tx.Exec(ctx, `
		INSERT INTO credit_allocation AS a (credit_note_id, document_id, amount, date, created_at) VALUES ($1, $2, $3, $4, $5)
		ON CONFLICT (credit_note_id, document_id) DO UPDATE SET amount = a.amount + excluded.amount, date = excluded.date`,
		note, invoice, minor, on, tx.Now())
	if err != nil {
		return fmt.Errorf("applying a credit note: %w", err)
	}
	return nil
}

func deleteCreditAllocation(ctx context.Context, tx *tenant.Tx, note CreditNoteID, invoice InvoiceID) (minor int64, err error) {
	err = tx.Get(ctx, &minor, `DELETE FROM credit_allocation WHERE credit_note_id = $1 AND document_id = $2 RETURNING amount`, note, invoice)
	if errors.Is(err, tenant.ErrNoRows) {
		return 0, ErrNotApplied
	} else if err != nil {
		return 0, fmt.Errorf("taking a credit note back from an invoice: %w", err)
	}
	return minor, nil
}

// updateSettled moves what is settled of a document that the caller has locked.
func updateSettled(ctx context.Context, tx *tenant.Tx, document uuid.UUID, minor int64) error {
	_, err := tx.Exec(ctx, `UPDATE document SET settled = settled + $2, version = version + 1 WHERE id = $1`, document, minor)
	if err != nil {
		return fmt.Errorf("settling a document: %w", err)
	}
	return nil
}
