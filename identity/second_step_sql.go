package identity

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/countinghouse/countinghouse/tenant"
)

func secondFactorOf(ctx context.Context, tx *tenant.PlatformTx, person tenant.PersonID) (has bool, err error) {
	err = tx.Get(ctx, &has, `
		SELECT EXISTS (SELECT FROM platform.totp WHERE person_id = $1 AND confirmed_at IS NOT NULL)
		    OR EXISTS (SELECT FROM platform.passkey WHERE person_id = $1)`, person)
	if err != nil {
		return false, fmt.Errorf("looking for a second factor: %w", err)
	}
	return has, nil
}

// What a sign-in waits for.
const (
	forStep   = "second_step"
	forChange = "change"
)

// insertPending also clears away what that person left behind and can no longer be used.
func insertPending(ctx context.Context, tx *tenant.PlatformTx, purpose string, hash tenant.Hash, person tenant.PersonID, expires time.Time) error {
	_, err := tx.Exec(ctx, `DELETE FROM platform.pending_login WHERE person_id = $1 AND expires_at <= $2`, person, tx.Now())
	if err != nil {
		return fmt.Errorf("clearing old sign-ins: %w", err)
	}
	_, err = tx.Exec(ctx, `
		INSERT INTO platform.pending_login (token_hash, person_id, created_at, expires_at, purpose) VALUES ($1, $2, $3, $4, $5)`,
		hash[:], person, tx.Now(), expires, purpose)
	if err != nil {
		return fmt.Errorf("keeping a sign-in for its next step: %w", err)
	}
	return nil
}

// chargePending counts a try before it is made, so that parallel ones pass no limit. It is ErrSecondStepOver when
// there is no try left.
func chargePending(ctx context.Context, tx *tenant.PlatformTx, hash tenant.Hash) (tenant.Person, error) {
	var row personRow
	err := tx.Get(ctx, &row, `
		UPDATE platform.pending_login l SET tries = l.tries + 1
		  FROM platform.person p
		 WHERE l.token_hash = $1 AND p.id = l.person_id AND l.used_at IS NULL AND l.expires_at > $2 AND l.tries < $3
		   AND l.purpose::text = 'second_step'
		RETURNING p.id, p.name, p.email`, hash[:], tx.Now(), secondStepTries)
	if errors.Is(err, tenant.ErrNoRows) {
		return tenant.Person{}, ErrSecondStepOver
	} else if err != nil {
		return tenant.Person{}, fmt.Errorf("counting a second step: %w", err)
	}
	return row.person(), nil
}

// pendingPerson says whose sign-in it is, without a try; ErrSecondStepOver when there is none left.
func pendingPerson(ctx context.Context, tx *tenant.PlatformTx, hash tenant.Hash) (tenant.Person, error) {
	var row personRow
	err := tx.Get(ctx, &row, `
		SELECT p.id, p.name, p.email FROM platform.pending_login l JOIN platform.person p ON p.id = l.person_id
		 WHERE l.token_hash = $1 AND l.used_at IS NULL AND l.expires_at > $2 AND l.tries < $3
		   AND l.purpose::text = 'second_step'`, hash[:], tx.Now(), secondStepTries)
	if errors.Is(err, tenant.ErrNoRows) {
		return tenant.Person{}, ErrSecondStepOver
	} else if err != nil {
		return tenant.Person{}, fmt.Errorf("looking for a second step: %w", err)
	}
	return row.person(), nil
}

// changingPerson says who has to change their password; ErrChangeOver when their sign-in is over.
func changingPerson(ctx context.Context, tx *tenant.PlatformTx, hash tenant.Hash) (tenant.Person, error) {
	var row personRow
	err := tx.Get(ctx, &row, `
		SELECT p.id, p.name, p.email FROM platform.pending_login l JOIN platform.person p ON p.id = l.person_id
		 WHERE l.token_hash = $1 AND l.used_at IS NULL AND l.expires_at > $2 AND l.purpose::text = 'change'`, hash[:], tx.Now())
	if errors.Is(err, tenant.ErrNoRows) {
		return tenant.Person{}, ErrChangeOver
	} else if err != nil {
		return tenant.Person{}, fmt.Errorf("looking for a change of password: %w", err)
	}
	return row.person(), nil
}

func usePending(ctx context.Context, tx *tenant.PlatformTx, hash tenant.Hash) error {
	if _, err := tx.Exec(ctx, `UPDATE platform.pending_login SET used_at = $2 WHERE token_hash = $1`, hash[:], tx.Now()); err != nil {
		return fmt.Errorf("using a second step: %w", err)
	}
	return nil
}

// endPending ends every sign-in of a person that waits for its second step: what let it begin is no longer good.
func endPending(ctx context.Context, tx *tenant.PlatformTx, person tenant.PersonID) error {
	if _, err := tx.Exec(ctx, `DELETE FROM platform.pending_login WHERE person_id = $1`, person); err != nil {
		return fmt.Errorf("ending sign-ins that wait for a second step: %w", err)
	}
	return nil
}
