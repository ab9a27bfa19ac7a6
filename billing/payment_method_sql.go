package billing

import (
	"context"
	"errors"
	"fmt"

	"github.com/countinghouse/countinghouse/tenant"
)

const methodColumns = `SELECT m.id, m.customer_id, m.gateway_account_id, coalesce(g.name, '') AS gateway_name, m.kind, m.brand, m.last_four,
	m.expires, m.created_at, m.automatic, m.archived_at IS NOT NULL AS archived, m.version
	FROM payment_method m LEFT JOIN gateway_account g ON g.id = m.gateway_account_id`

func insertPaymentMethod(ctx context.Context, tx *tenant.Tx, s SealedPaymentMethod) error {
	m := s.method
	_, err := tx.Exec(ctx, `
		INSERT INTO payment_method (id, customer_id, gateway_account_id, kind, brand, last_four, expires, sealed, created_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
		m.ID, m.CustomerID, orNull(m.GatewayID.UUID), string(m.Kind), m.Brand, m.LastFour, m.Expires, s.sealed, tx.Now())
	if tenant.Violates(err) == "payment_method_customer_id_fkey" {
		return ErrCustomerUnknown.Because(err)
	} else if err != nil {
		return fmt.Errorf("keeping a payment method: %w", err)
	}
	return nil
}

func updateIntentMethod(ctx context.Context, tx *tenant.Tx, intent IntentID, method PaymentMethodID) error {
	if _, err := tx.Exec(ctx, `UPDATE payment_intent SET method_id = $2 WHERE id = $1`, intent, method); err != nil {
		return fmt.Errorf("noting what a charge was paid with: %w", err)
	}
	return nil
}

func updateMethodArchived(ctx context.Context, tx *tenant.Tx, method PaymentMethodID) error {
	n, err := tx.Exec(ctx, `UPDATE payment_method SET archived_at = $2, sealed = '', automatic = false, version = version + 1 WHERE id = $1 AND archived_at IS NULL`,
		method, tx.Now())
	if err != nil {
		return fmt.Errorf("removing a payment method: %w", err)
	}
	if n == 0 {
		return ErrMethodNotFound
	}
	return nil
}

func updateMethodAutomatic(ctx context.Context, tx *tenant.Tx, m PaymentMethod) error {
	_, err := tx.Exec(ctx, `UPDATE payment_method SET automatic = false, version = version + 1 WHERE customer_id = $1 AND automatic AND id <> $2`, m.CustomerID, m.ID)
	if err != nil {
		return fmt.Errorf("choosing another payment method: %w", err)
	}
	n, err := tx.Exec(ctx, `UPDATE payment_method SET automatic = true, version = version + 1 WHERE id = $1 AND archived_at IS NULL`, m.ID)
	if err == nil && n == 0 {
		return ErrMethodNotFound
	} else if err != nil {
		return fmt.Errorf("choosing a payment method: %w", err)
	}
	return nil
}

func methodFault(err error, doing string) error {
	if errors.Is(err, tenant.ErrNoRows) {
		return ErrMethodNotFound
	} else if err != nil {
		return fmt.Errorf("%s: %w", doing, err)
	}
	return nil
}

func selectPaymentMethod(ctx context.Context, tx *tenant.Tx, method PaymentMethodID) (m PaymentMethod, err error) {
	err = tx.Get(ctx, &m, methodColumns+` WHERE m.id = $1`, method)
	return m, methodFault(err, "reading a payment method")
}

func selectPaymentMethods(ctx context.Context, tx *tenant.Tx, customer CustomerID) (all []PaymentMethod, err error) {
	if err := tx.Select(ctx, &all, methodColumns+` WHERE m.customer_id = $1 AND m.archived_at IS NULL ORDER BY m.id DESC`, customer); err != nil {
		return nil, fmt.Errorf("listing payment methods: %w", err)
	}
	return all, nil
}

func selectMethodSealed(ctx context.Context, tx *tenant.Tx, method PaymentMethodID) (MethodKind, string, error) {
	var row struct {
		Kind   MethodKind `db:"kind"`
		Sealed string     `db:"sealed"`
	}
	err := tx.Get(ctx, &row, `SELECT kind, sealed FROM payment_method WHERE id = $1 AND archived_at IS NULL`, method)
	return row.Kind, row.Sealed, methodFault(err, "reading a stored card")
}
