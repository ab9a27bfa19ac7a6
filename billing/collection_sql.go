package billing

import (
	"context"
	"errors"
	"fmt"

	"github.com/countinghouse/countinghouse/internal/civil"
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

func upsertCollection(ctx context.Context, tx *tenant.Tx, invoice InvoiceID, c Collection) error {
	_, err := tx.Exec(ctx, `
		INSERT INTO collection (document_id, state, step, next_on, reason, changed_at) VALUES ($1, $2, $3, $4, $5, $6)
		ON CONFLICT (document_id) DO UPDATE SET state = EXCLUDED.state, step = EXCLUDED.step, next_on = EXCLUDED.next_on,
		       reason = EXCLUDED.reason, changed_at = EXCLUDED.changed_at`,
		invoice, string(c.State), c.Step, c.NextOn, c.Reason, tx.Now())
	if err != nil {
		return fmt.Errorf("keeping how far the collection of an invoice is: %w", err)
	}
	return nil
}

func selectCollection(ctx context.Context, tx *tenant.Tx, invoice InvoiceID) (c Collection, err error) {
	err = tx.Get(ctx, &c, `SELECT state, step, next_on, reason FROM collection WHERE document_id = $1`, invoice)
	if errors.Is(err, tenant.ErrNoRows) {
		return Collection{}, nil
	} else if err != nil {
		return c, fmt.Errorf("reading the collection of an invoice: %w", err)
	}
	return c, nil
}

func updateCollectionsPaid(ctx context.Context, tx *tenant.Tx) error {
	_, err := tx.Exec(ctx, `
		UPDATE collection c SET state = 'done', next_on = NULL, reason = '', changed_at = $1
		  FROM document d WHERE d.id = c.document_id AND c.state::text = 'running' AND d.settled >= d.total`, tx.Now())
	if err != nil {
		return fmt.Errorf("ending the collection of what is paid: %w", err)
	}
	return nil
}

func selectDueCollections(ctx context.Context, tx *tenant.Tx, today civil.Date, limit int) (due []InvoiceID, err error) {
	err = tx.Select(ctx, &due, `
		SELECT d.id FROM document d LEFT JOIN collection c ON c.document_id = d.id
		 WHERE d.kind = 'invoice' AND d.state = 'issued' AND d.settled < d.total AND d.due_date <= $1
		   AND (c.document_id IS NULL OR c.state::text = 'running' AND c.next_on <= $1)
		   AND NOT EXISTS (SELECT FROM payment_intent i WHERE i.document_id = d.id AND i.settled_at IS NULL AND i.kind::text <> 'refund')
		 ORDER BY d.due_date, d.id LIMIT $2`, today, limit)
	if err != nil {
		return nil, fmt.Errorf("looking for what is to be collected: %w", err)
	}
	return due, nil
}

func selectLiveIntent(ctx context.Context, tx *tenant.Tx, invoice InvoiceID) (live bool, err error) {
	err = tx.Get(ctx, &live, `
		SELECT EXISTS (SELECT FROM payment_intent WHERE document_id = $1 AND settled_at IS NULL AND kind::text <> 'refund')`, invoice)
	if err != nil {
		return false, fmt.Errorf("looking whether an invoice is being charged: %w", err)
	}
	return live, nil
}

// selectCardToCharge gives the card that the customer chose, or else left last, where its gateway is in use; zero for none.
func selectCardToCharge(ctx context.Context, tx *tenant.Tx, customer CustomerID) (card PaymentMethodID, err error) {
	err = tx.Get(ctx, &card, `
		SELECT m.id FROM payment_method m JOIN gateway_account g ON g.id = m.gateway_account_id
		 WHERE m.customer_id = $1 AND m.kind::text IN ('token', 'card') AND m.archived_at IS NULL AND g.archived_at IS NULL ORDER BY m.automatic DESC, m.id DESC LIMIT 1`, customer)
	if errors.Is(err, tenant.ErrNoRows) {
		return PaymentMethodID{}, nil
	} else if err != nil {
		return card, fmt.Errorf("looking for a customer's card: %w", err)
	}
	return card, nil
}
