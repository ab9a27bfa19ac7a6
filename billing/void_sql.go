package billing

import (
	"context"
	"fmt"

	"github.com/google/uuid"

	"github.com/countinghouse/countinghouse/billing/ledger"
	"github.com/countinghouse/countinghouse/tenant"
)

func selectHasLiveCharge(ctx context.Context, tx *tenant.Tx, invoice InvoiceID) (live bool, err error) {
	err = tx.Get(ctx, &live, `SELECT EXISTS (SELECT FROM payment_intent i
		WHERE i.document_id = $1 AND i.settled_at IS NULL AND i.kind::text <> 'refund')`, invoice)
	if err != nil {
		return false, fmt.Errorf("looking for a charge under way: %w", err)
	}
	return live, nil
}

// updateClosed ends the life of a document that the caller has locked.
func updateClosed(ctx context.Context, tx *tenant.Tx, document uuid.UUID, state string, entry ledger.EntryID, acceptedBy string) error {
	_, err := tx.Exec(ctx, `
		UPDATE document SET state = $2, closing_entry_id = $3, closed_at = $4, accepted_by = $5, version = version + 1 WHERE id = $1`,
		document, state, orNull(entry.UUID), tx.Now(), acceptedBy)
	if err != nil {
		return fmt.Errorf("closing a document: %w", err)
	}
	return nil
}

// updateWrittenOff moves what of a document that the caller has locked nobody is expected to pay.
func updateWrittenOff(ctx context.Context, tx *tenant.Tx, document uuid.UUID, minor int64, entry ledger.EntryID) error {
	_, err := tx.Exec(ctx, `
		UPDATE document SET settled = settled + $2, written_off = written_off + $2, closing_entry_id = $3, closed_at = $4, version = version + 1
		 WHERE id = $1`, document, minor, orNull(entry.UUID), tx.Now())
	if err != nil {
		return fmt.Errorf("writing an invoice off: %w", err)
	}
	return nil
}
