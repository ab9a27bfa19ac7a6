package identity

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/countinghouse/countinghouse/tenant"
)

// After five wrong codes in a row the next is looked at a minute later, and twice as long after each further one, up
// to six hours: with three codes good at a time that is one chance in two hundred in a year. RFC 4226 section 7.3.
const totpFree = 5

type totpRow struct {
	Sealed   []byte `db:"sealed"`
	LastStep int64  `db:"last_step"`
}

// insertTOTP is ErrTOTPOn when one is confirmed.
func insertTOTP(ctx context.Context, tx *tenant.PlatformTx, person tenant.PersonID, sealed []byte) error {
	n, err := tx.Exec(ctx, `
		INSERT INTO platform.totp AS t (person_id, sealed, created_at) VALUES ($1, $2, $3)
		ON CONFLICT (person_id) DO UPDATE SET sealed = EXCLUDED.sealed, created_at = EXCLUDED.created_at, last_step = 0, failed = 0, blocked_until = NULL
		 WHERE t.confirmed_at IS NULL`, person, sealed, tx.Now())
	if err != nil {
		return fmt.Errorf("keeping the key of an app: %w", err)
	}
	if n == 0 {
		return ErrTOTPOn
	}
	return nil
}

// newTOTP is the one that is being set up; ErrTOTPNone when there is none since.
func newTOTP(ctx context.Context, tx *tenant.PlatformTx, person tenant.PersonID, since time.Time) (row totpRow, err error) {
	err = tx.Get(ctx, &row, `
		SELECT sealed, last_step FROM platform.totp
		 WHERE person_id = $1 AND confirmed_at IS NULL AND created_at > $2`, person, since)
	if errors.Is(err, tenant.ErrNoRows) {
		return row, ErrTOTPNone
	} else if err != nil {
		return row, fmt.Errorf("looking for the key of an app: %w", err)
	}
	return row, nil
}

// chargeNewTOTP counts a first code before it is looked at, and holds the row: ErrSecondStepWait when there were too
// many, ErrTOTPNone when nothing is being set up.
func chargeNewTOTP(ctx context.Context, tx *tenant.PlatformTx, person tenant.PersonID, since time.Time) (row totpRow, err error) {
	err = tx.Get(ctx, &row, `
		UPDATE platform.totp SET failed = failed + 1
		 WHERE person_id = $1 AND confirmed_at IS NULL AND created_at > $2 AND failed < $3
		RETURNING sealed, last_step`, person, since, 2*totpFree)
	if err == nil {
		return row, nil
	} else if !errors.Is(err, tenant.ErrNoRows) {
		return row, fmt.Errorf("counting the first code of an app: %w", err)
	}
	if _, err := newTOTP(ctx, tx, person, since); err != nil {
		return row, err
	}
	return row, ErrSecondStepWait
}

// chargeTOTP counts a code as wrong before it is looked at, and holds the row until the transaction ends: parallel
// guesses get no more tries than serial ones. It is ErrSecondStepWait while codes are blocked, and ErrSecondStep
// for who has no app.
func chargeTOTP(ctx context.Context, tx *tenant.PlatformTx, person tenant.PersonID) (row totpRow, err error) {
	err = tx.Get(ctx, &row, `
		UPDATE platform.totp SET failed = failed + 1, blocked_until = CASE WHEN failed + 1 >= $3
			THEN $2 + least(interval '1 minute' * 2 ^ least(failed + 1 - $3, 10), interval '6 hours') END
		 WHERE person_id = $1 AND confirmed_at IS NOT NULL AND (blocked_until IS NULL OR blocked_until <= $2)
		RETURNING sealed, last_step`, person, tx.Now(), totpFree)
	if err == nil {
		return row, nil
	} else if !errors.Is(err, tenant.ErrNoRows) {
		return row, fmt.Errorf("counting a code of an app: %w", err)
	}
	var on bool
	if err := tx.Get(ctx, &on, `SELECT EXISTS (SELECT FROM platform.totp WHERE person_id = $1 AND confirmed_at IS NOT NULL)`, person); err != nil {
		return row, fmt.Errorf("looking for an app: %w", err)
	}
	if on {
		return row, ErrSecondStepWait
	}
	return row, ErrSecondStep
}

// noteTOTP takes the count of wrong codes back, and keeps the step, so that no code up to it is taken again.
func noteTOTP(ctx context.Context, tx *tenant.PlatformTx, person tenant.PersonID, step int64) error {
	n, err := tx.Exec(ctx, `
		UPDATE platform.totp SET last_step = $2, failed = 0, blocked_until = NULL
		 WHERE person_id = $1 AND last_step < $2`, person, step)
	if err == nil && n != 1 {
		err = errors.New("the row has changed while it was held")
	}
	if err != nil {
		return fmt.Errorf("using a code of an app: %w", err)
	}
	return nil
}

func confirmTOTP(ctx context.Context, tx *tenant.PlatformTx, person tenant.PersonID) error {
	if _, err := tx.Exec(ctx, `UPDATE platform.totp SET confirmed_at = $2 WHERE person_id = $1`, person, tx.Now()); err != nil {
		return fmt.Errorf("turning an app on: %w", err)
	}
	return nil
}

// unblockTOTP is for who has shown in another way that they are the owner.
func unblockTOTP(ctx context.Context, tx *tenant.PlatformTx, person tenant.PersonID) error {
	if _, err := tx.Exec(ctx, `UPDATE platform.totp SET failed = 0, blocked_until = NULL WHERE person_id = $1`, person); err != nil {
		return fmt.Errorf("looking at codes again: %w", err)
	}
	return nil
}

func deleteTOTP(ctx context.Context, tx *tenant.PlatformTx, person tenant.PersonID) error {
	if _, err := tx.Exec(ctx, `DELETE FROM platform.totp WHERE person_id = $1`, person); err != nil {
		return fmt.Errorf("turning an app off: %w", err)
	}
	return nil
}
