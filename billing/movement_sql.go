package billing

import (
	"context"
	"errors"
	"fmt"

	"github.com/google/uuid"

	"github.com/countinghouse/countinghouse/billing/ledger"
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

// selectChargePayment gives the payment that a charge was booked as; none where it was not yet.
func selectChargePayment(ctx context.Context, tx *tenant.Tx, charge IntentID) (payment PaymentID, err error) {
	err = tx.Get(ctx, &payment, `SELECT payment_id FROM gateway_movement WHERE intent_id = $1 AND kind::text = 'charge'`, charge)
	if errors.Is(err, tenant.ErrNoRows) {
		return payment, nil
	} else if err != nil {
		return payment, fmt.Errorf("looking for a charge's payment: %w", err)
	}
	return payment, nil
}
