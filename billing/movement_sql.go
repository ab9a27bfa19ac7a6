package billing

import (
	"context"
	"fmt"

	"github.com/google/uuid"

	"github.com/countinghouse/countinghouse/billing/ledger"
	"github.com/countinghouse/countinghouse/internal/civil"
	"github.com/countinghouse/countinghouse/tenant"
)

func selectMovementKept(ctx context.Context, tx *tenant.Tx, m movement) (kept bool, err error) {
	err = tx.Get(ctx, &kept, `SELECT EXISTS (SELECT FROM gateway_movement WHERE gateway_account_id = $1 AND kind::text = $2 AND ref = $3)`,
		m.charge.GatewayID, m.kind, m.ref)
	if err != nil {
		return false, fmt.Errorf("looking for a movement: %w", err)
	}
	return kept, nil
}

type movementAccounts struct {
	Clearing ledger.AccountID `db:"clearing"`
	Other    ledger.AccountID `db:"other"` // what customers owe
}

func selectMovementAccounts(ctx context.Context, tx *tenant.Tx, account GatewayAccountID) (a movementAccounts, err error) {
	err = tx.Get(ctx, &a, `SELECT g.account_id AS clearing, r.id AS other FROM gateway_account g, account r WHERE g.id = $1 AND r.purpose = 'receivable'`, account)
	if err != nil {
		return a, fmt.Errorf("reading a gateway's accounts: %w", err)
	}
	return a, nil
}

func insertMovement(ctx context.Context, tx *tenant.Tx, m movement, payment uuid.UUID, entry ledger.EntryID) error {
	_, err := tx.Exec(ctx, `
		INSERT INTO gateway_movement (gateway_account_id, kind, ref, intent_id, currency, amount, payment_id, entry_id, at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
		m.charge.GatewayID, m.kind, m.ref, m.charge.ID, m.amount.Currency, m.amount.Minor, orNull(payment), entry, tx.Now())
	if err != nil {
		return fmt.Errorf("keeping a movement: %w", err)
	}
	return nil
}

// insertGatewayPayment keeps a payment, or below zero what was given back, and settles as much of its invoice, which the
// caller has locked.
func insertGatewayPayment(ctx context.Context, tx *tenant.Tx, payment PaymentID, m movement, on civil.Date, settled int64,
	account ledger.AccountID, entry ledger.EntryID) error {
	_, err := tx.Exec(ctx, `
		WITH y AS (
			INSERT INTO payment (id, customer_id, date, currency, amount, method, reference, account_id, entry_id, created_at)
			VALUES ($1, $2, $3, $4, $5, 'card', $6, $7, $8, $9) RETURNING id
		), a AS (
			INSERT INTO payment_allocation (payment_id, document_id, amount) SELECT y.id, $10::uuid, $11::bigint FROM y WHERE $11::bigint <> 0
		)
		UPDATE document SET settled = settled + $11::bigint, version = version + 1 WHERE id = $10::uuid AND $11::bigint <> 0`,
		payment, m.charge.CustomerID, on, m.amount.Currency, m.amount.Minor, m.how, account, entry, tx.Now(), m.charge.InvoiceID, settled)
	if err != nil {
		return fmt.Errorf("keeping a gateway's payment: %w", err)
	}
	return nil
}

// selectChargeCredit gives what of a charge settles no invoice, and what settles its own.
func selectChargeCredit(ctx context.Context, tx *tenant.Tx, charge IntentID) (credit, allocated int64, err error) {
	var row struct {
		Credit    int64 `db:"credit"`
		Allocated int64 `db:"allocated"`
	}
	err = tx.Get(ctx, &row, `
		SELECT coalesce(sum(y.amount - coalesce(a.amount, 0)), 0)::bigint AS credit, coalesce(sum(a.amount), 0)::bigint AS allocated
		  FROM gateway_movement m
		  JOIN payment y ON y.id = m.payment_id
		  LEFT JOIN payment_allocation a ON a.payment_id = y.id
		 WHERE m.intent_id = $1`, charge)
	if err != nil {
		return 0, 0, fmt.Errorf("reading a charge's credit: %w", err)
	}
	return row.Credit, row.Allocated, nil
}
