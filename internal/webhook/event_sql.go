package webhook

import (
	"context"
	"fmt"

	"github.com/google/uuid"

	"github.com/countinghouse/countinghouse/tenant"
)

// selectGatewayPayments gives the payments that gateways made for these intents in this very transaction.
func selectGatewayPayments(ctx context.Context, tx *tenant.Tx, ids string) (all []happened, err error) {
	var rows []struct {
		Kind    string    `db:"kind"`
		Payment uuid.UUID `db:"payment_id"`
	}
	err = tx.Select(ctx, &rows, `
		SELECT DISTINCT m.kind, m.payment_id FROM payment_intent i JOIN gateway_movement m ON m.intent_id IN (i.id, i.charge_id)
		 WHERE i.id = ANY (string_to_array($1, ' ')::uuid[]) AND m.kind::text IN ('charge', 'refund') AND m.payment_id IS NOT NULL
		   AND m.xmin = pg_current_xact_id()::xid`, ids)
	if err != nil {
		return nil, fmt.Errorf("looking for what a gateway moved: %w", err)
	}
	for _, row := range rows {
		name := map[string]string{"charge": "payment.recorded", "refund": "payment.refunded"}[row.Kind]
		all = append(all, happened{name, "payment", row.Payment})
	}
	return all, nil
}

// selectPaid gives the invoices that became paid in full in this very transaction, by these payments, charges or credit
// notes. A row that this transaction wrote has its number in xmin.
func selectPaid(ctx context.Context, tx *tenant.Tx, ids string) (all []happened, err error) {
	var rows []uuid.UUID
	err = tx.Select(ctx, &rows, `
		WITH cause AS (SELECT unnest(string_to_array($1, ' ')::uuid[]) AS id),
		     touched AS (
		    SELECT a.document_id FROM cause c JOIN payment_allocation a ON a.payment_id = c.id
		     UNION SELECT a.document_id FROM cause c JOIN credit_allocation a ON a.credit_note_id = c.id
		     UNION SELECT i.document_id FROM cause c JOIN payment_intent i ON i.id = c.id)
		SELECT d.id FROM touched t JOIN document d ON d.id = t.document_id
		 WHERE d.kind = 'invoice' AND d.state::text = 'issued' AND d.settled = d.total AND d.written_off = 0
		   AND d.xmin = pg_current_xact_id()::xid ORDER BY d.id`, ids)
	if err != nil {
		return nil, fmt.Errorf("looking for invoices that became paid: %w", err)
	}
	for _, invoice := range rows {
		all = append(all, happened{"invoice.paid", "invoice", invoice})
	}
	return all, nil
}
