package billing

import (
	"context"
	"errors"
	"fmt"

	"github.com/countinghouse/countinghouse/billing/ledger"
	"github.com/countinghouse/countinghouse/tenant"
)

func lockBookedPayment(ctx context.Context, tx *tenant.Tx, payment PaymentID) (b bookedPayment, err error) {
	err = tx.Get(ctx, &b, `
		SELECT y.amount, y.currency, y.date, y.entry_id, e.description, EXISTS (SELECT FROM payment r WHERE r.refund_of = y.id) AS undone
		  FROM payment y JOIN journal_entry e ON e.id = y.entry_id WHERE y.id = $1 FOR UPDATE OF y`, payment)
	if errors.Is(err, tenant.ErrNoRows) {
		return b, ErrPaymentNotFound
	} else if err != nil {
		return b, fmt.Errorf("reading a payment to take back: %w", err)
	}
	return b, nil
}

func selectSettledBy(ctx context.Context, tx *tenant.Tx, payment PaymentID) ([]settledBy, error) {
	var settled []settledBy
	err := tx.Select(ctx, &settled, `
		SELECT a.document_id, a.amount FROM payment_allocation a WHERE a.payment_id = $1 ORDER BY a.document_id`, payment)
	if err != nil {
		return nil, fmt.Errorf("reading what a payment settles: %w", err)
	}
	return settled, nil
}

// insertUnbooked keeps the payment below zero that undoes another, at the same rate.
func insertUnbooked(ctx context.Context, tx *tenant.Tx, back, payment PaymentID, entry ledger.Entry) error {
	_, err := tx.Exec(ctx, `
		INSERT INTO payment (id, customer_id, date, currency, amount, method, reference, account_id, entry_id, created_at, refund_of, base_rate, direction)
		SELECT $1, y.customer_id, $5::date, y.currency, -y.amount, y.method, y.reference, y.account_id, $3, $4, y.id, y.base_rate, y.direction
		  FROM payment y WHERE y.id = $2`, back, payment, entry.ID, tx.Now(), entry.Date)
	if err != nil {
		return fmt.Errorf("taking a payment back: %w", err)
	}
	return nil
}

func insertUnsettled(ctx context.Context, tx *tenant.Tx, back PaymentID, s settledBy) error {
	_, err := tx.Exec(ctx, `INSERT INTO payment_allocation (payment_id, document_id, amount) VALUES ($1, $2, $3)`, back, s.Invoice, -s.Amount)
	if err != nil {
		return fmt.Errorf("taking back what a payment settled: %w", err)
	}
	return nil
}
