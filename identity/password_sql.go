package identity

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/countinghouse/countinghouse/internal/id"
	"github.com/countinghouse/countinghouse/tenant"
)

type passwordRow struct {
	Secret     string    `db:"secret"`
	MustChange bool      `db:"must_change"`
	ChangeNext bool      `db:"change_next"`
	AgeExempt  bool      `db:"age_exempt"`
	Since      time.Time `db:"since"`
}

// lockPassword reads a person's password and keeps it as it is until the transaction ends. It is ErrRefused when
// they have none.
func lockPassword(ctx context.Context, tx *tenant.PlatformTx, person tenant.PersonID) (row passwordRow, err error) {
	err = tx.Get(ctx, &row, `
		SELECT secret, must_change, change_next, age_exempt, coalesce(changed_at, created_at) AS since FROM platform.credential
		 WHERE person_id = $1 AND kind::text = 'password' FOR UPDATE`, person)
	if errors.Is(err, tenant.ErrNoRows) {
		return row, ErrRefused
	} else if err != nil {
		return row, fmt.Errorf("locking a password: %w", err)
	}
	return row, nil
}

// passwordFacts is lockPassword without the lock and the secret.
func passwordFacts(ctx context.Context, tx *tenant.PlatformTx, person tenant.PersonID) (row passwordRow, err error) {
	err = tx.Get(ctx, &row, `
		SELECT must_change, change_next, age_exempt, coalesce(changed_at, created_at) AS since FROM platform.credential
		 WHERE person_id = $1 AND kind::text = 'password'`, person)
	if errors.Is(err, tenant.ErrNoRows) {
		return row, ErrRefused
	} else if err != nil {
		return row, fmt.Errorf("looking at a password: %w", err)
	}
	return row, nil
}

type formerPassword struct{}

// storePassword keeps so many of the former passwords and no more.
func storePassword(ctx context.Context, tx *tenant.PlatformTx, person tenant.PersonID, old string, fresh freshPassword, keep int) error {
	_, err := tx.Exec(ctx, `
		UPDATE platform.credential SET secret = $2, must_change = false, change_next = false, changed_at = $3,
		    length_class = $4, score = $5
		 WHERE person_id = $1 AND kind::text = 'password'`, person, fresh.phc, tx.Now(), fresh.length, fresh.score)
	if err != nil {
		return fmt.Errorf("changing a password: %w", err)
	}
	_, err = tx.Exec(ctx, `INSERT INTO platform.former_password (id, person_id, secret, ended_at) VALUES ($1, $2, $3, $4)`,
		id.New[formerPassword](), person, old, tx.Now())
	if err != nil {
		return fmt.Errorf("keeping a former password: %w", err)
	}
	_, err = tx.Exec(ctx, `
		DELETE FROM platform.former_password WHERE person_id = $1 AND id NOT IN (
		    SELECT id FROM platform.former_password WHERE person_id = $1 ORDER BY ended_at DESC, id DESC LIMIT $2)`, person, max(keep, 0))
	if err != nil {
		return fmt.Errorf("letting go of former passwords: %w", err)
	}
	return nil
}

// formerPasswords are the last n passwords of a person, the present one first.
func formerPasswords(ctx context.Context, tx *tenant.PlatformTx, person tenant.PersonID, n int) (all []string, err error) {
	err = tx.Select(ctx, &all, `
		(SELECT secret FROM platform.credential WHERE person_id = $1 AND kind::text = 'password' LIMIT $2)
		UNION ALL
		(SELECT secret FROM platform.former_password WHERE person_id = $1 ORDER BY ended_at DESC, id DESC LIMIT greatest($2 - 1, 0))`, person, n)
	if err != nil {
		return nil, fmt.Errorf("looking for former passwords: %w", err)
	}
	return all, nil
}

func requireChange(ctx context.Context, tx *tenant.PlatformTx, person tenant.PersonID) error {
	_, err := tx.Exec(ctx, `UPDATE platform.credential SET must_change = true WHERE person_id = $1 AND kind::text = 'password'`, person)
	if err != nil {
		return fmt.Errorf("asking for a new password: %w", err)
	}
	return nil
}

func requireChangeNext(ctx context.Context, tx *tenant.PlatformTx, person tenant.PersonID) error {
	n, err := tx.Exec(ctx, `UPDATE platform.credential SET change_next = true WHERE person_id = $1 AND kind::text = 'password'`, person)
	if err != nil {
		return fmt.Errorf("asking for a new password at the next login: %w", err)
	}
	if n == 0 {
		return ErrPerson
	}
	return nil
}

func setAgeExempt(ctx context.Context, tx *tenant.PlatformTx, person tenant.PersonID, exempt bool) error {
	n, err := tx.Exec(ctx, `UPDATE platform.credential SET age_exempt = $2 WHERE person_id = $1 AND kind::text = 'password'`, person, exempt)
	if err != nil {
		return fmt.Errorf("exempting someone's password from its age: %w", err)
	}
	if n == 0 {
		return ErrPerson
	}
	return nil
}

func revokeTokensOf(ctx context.Context, tx *tenant.PlatformTx, person tenant.PersonID) error {
	if _, err := tx.Exec(ctx, `SELECT platform.revoke_person_tokens($1, $2)`, person, tx.Now()); err != nil {
		return fmt.Errorf("revoking someone's API tokens: %w", err)
	}
	return nil
}

// loginOfSession is ErrLogin when the session is not one that the person's history tells of.
func loginOfSession(ctx context.Context, tx *tenant.PlatformTx, person tenant.PersonID, session SessionID) (method string, err error) {
	err = tx.Get(ctx, &method, `
		SELECT method FROM platform.login_event
		 WHERE person_id = $1 AND session_id = $2 AND outcome::text IN ('success', 'changed') LIMIT 1`, person, session)
	if errors.Is(err, tenant.ErrNoRows) {
		return "", ErrLogin
	} else if err != nil {
		return "", fmt.Errorf("looking for a login: %w", err)
	}
	return method, nil
}
