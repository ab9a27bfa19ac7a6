package billing

import (
	"context"
	"fmt"

	"github.com/countinghouse/countinghouse/tenant"
)

// stopCollection ends the collection of an invoice by itself, begun or not; the reason is a word for people.
func stopCollection(ctx context.Context, tx *tenant.Tx, invoice InvoiceID, reason string) error {
	_, err := tx.Exec(ctx, `
		INSERT INTO collection (document_id, state, reason, changed_at) VALUES ($1, 'stopped', $2, $3)
		ON CONFLICT (document_id) DO UPDATE SET state = 'stopped', next_on = NULL, reason = EXCLUDED.reason, changed_at = EXCLUDED.changed_at`,
		invoice, reason, tx.Now())
	if err != nil {
		return fmt.Errorf("stopping the collection of an invoice: %w", err)
	}
	return nil
}
