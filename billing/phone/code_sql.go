package phone

import (
	"context"
	"errors"
	"fmt"

	"github.com/google/uuid"

	"github.com/countinghouse/countinghouse/tenant"
)

// newCode is a code to be kept.
type newCode struct {
	id, customer    uuid.UUID
	number, address string
	hash            []byte
}

// insertCode gives why it was not kept; "" when it was.
func insertCode(ctx context.Context, tx *tenant.Tx, c newCode, r Rules) (why string, err error) {
	err = tx.Get(ctx, &why, `SELECT platform.begin_customer_code($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`,
		c.id, c.customer, c.number, c.address, c.hash, tx.Now(), r.Minutes*60, r.Delay, r.NumberDay, r.NetworkDay)
	if err != nil {
		return "", fmt.Errorf("keeping a customer's code: %w", err)
	}
	return why, nil
}

type keptCode struct {
	ID     uuid.UUID `db:"id"`
	Number string    `db:"code_for"`
	Hash   []byte    `db:"code_hash"`
}

func tryCode(ctx context.Context, tx *tenant.Tx, customer uuid.UUID, tries int) (c keptCode, ok bool, err error) {
	err = tx.Get(ctx, &c, `SELECT id, number AS code_for, code_hash FROM platform.try_customer_code($1, $2, $3)`, customer, tx.Now(), tries)
	if errors.Is(err, tenant.ErrNoRows) {
		return c, false, nil
	} else if err != nil {
		return c, false, fmt.Errorf("looking for a customer's code: %w", err)
	}
	return c, true, nil
}

func useCode(ctx context.Context, tx *tenant.Tx, code uuid.UUID) (used bool, err error) {
	if err := tx.Get(ctx, &used, `SELECT platform.use_customer_code($1, $2)`, code, tx.Now()); err != nil {
		return false, fmt.Errorf("using a customer's code: %w", err)
	}
	return used, nil
}

// numberTaken says whether another customer has verified a number. Who asks for the same number waits until the other's
// transaction has ended.
func numberTaken(ctx context.Context, tx *tenant.Tx, customer uuid.UUID, number string) (taken bool, err error) {
	if _, err := tx.Exec(ctx, `SELECT pg_advisory_xact_lock(hashtextextended('verified ' || current_schema() || ' ' || $1, 0))`, number); err != nil {
		return false, fmt.Errorf("waiting for a number: %w", err)
	}
	if err := tx.Get(ctx, &taken, `SELECT EXISTS (SELECT FROM party WHERE verified_phone = $2 AND id <> $1 AND archived_at IS NULL)`, customer, number); err != nil {
		return false, fmt.Errorf("looking for whose number it is: %w", err)
	}
	return taken, nil
}

func updateJoined(ctx context.Context, tx *tenant.Tx, customer uuid.UUID) error {
	if _, err := tx.Exec(ctx, `UPDATE party SET phone_asked = true FROM settings s WHERE party.id = $1 AND s.phone_join`, customer); err != nil {
		return fmt.Errorf("keeping that a number is asked for: %w", err)
	}
	return nil
}

func updateVerified(ctx context.Context, tx *tenant.Tx, customer uuid.UUID, number string) error {
	_, err := tx.Exec(ctx, `UPDATE party SET verified_phone = $2, phone_verified_at = $3 WHERE id = $1`, customer, number, tx.Now())
	if err != nil {
		return fmt.Errorf("keeping a verified number: %w", err)
	}
	return nil
}
