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
		INSERT INTO credit_allocation AS a (credit_note_id, document_id, amount, date, created_at)
		VALUES ($1, $2, $3, greatest($4::date, (SELECT e.date FROM document d JOIN journal_entry e ON e.id = d.entry_id WHERE d.id = $2)), $5)
		ON CONFLICT (credit_note_id, document_id) DO UPDATE SET amount = a.amount + excluded.amount, date = greatest(a.date, excluded.date)`,
		note, invoice, minor, on, tx.Now())
	if err != nil {
		return fmt.Errorf("applying a credit note: %w", err)
	}
	return nil
}

// deleteCreditAllocation gives what was taken back, and the part of it whose gain on foreign currency was told.
func deleteCreditAllocation(ctx context.Context, tx *tenant.Tx, note CreditNoteID, invoice InvoiceID) (minor, told int64, err error) {
	var row struct {
		Amount     int64 `db:"amount"`
		Unrealised int64 `db:"unrealised"`
	}
	err = tx.Get(ctx, &row, `DELETE FROM credit_allocation WHERE credit_note_id = $1 AND document_id = $2 RETURNING amount, unrealised`, note, invoice)
	if errors.Is(err, tenant.ErrNoRows) {
		return 0, 0, ErrNotApplied
	} else if err != nil {
		return 0, 0, fmt.Errorf("taking a credit note back from an invoice: %w", err)
	}
	return row.Amount, row.Amount - row.Unrealised, nil
}

// updateSettled moves what is settled of a document that the caller has locked.
func updateSettled(ctx context.Context, tx *tenant.Tx, document uuid.UUID, minor int64) error {
	_, err := tx.Exec(ctx, `UPDATE document SET settled = settled + $2, version = version + 1 WHERE id = $1`, document, minor)
	if err != nil {
		return fmt.Errorf("settling a document: %w", err)
	}
	return nil
}
