package identity

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/countinghouse/countinghouse/tenant"
)

type proofRow struct {
	personRow
	Authenticated time.Time `db:"authenticated_at"`
	Tries         int       `db:"proof_tries"`
}

func proofBySession(ctx context.Context, tx *tenant.PlatformTx, hash tenant.Hash) (row proofRow, err error) {
	err = tx.Get(ctx, &row, `
		SELECT p.id, p.name, p.email, s.authenticated_at
		  FROM platform.session s JOIN platform.person p ON p.id = s.person_id
		 WHERE s.token_hash = $1 AND s.ended_at IS NULL AND s.expires_at > $2
		   AND s.last_seen_at + make_interval(secs => s.idle_seconds) > $2`, hash[:], tx.Now())
	return row, asSession(err)
}

// chargeProof counts a try, and gives the password's hash to hold it against.
func chargeProof(ctx context.Context, tx *tenant.PlatformTx, hash tenant.Hash) (row proofRow, err error) {
	err = tx.Get(ctx, &row, `
		UPDATE platform.session s SET proof_tries = s.proof_tries + 1
		  FROM platform.person p JOIN platform.credential c ON c.person_id = p.id AND c.kind::text = 'password'
		 WHERE s.token_hash = $1 AND p.id = s.person_id AND s.ended_at IS NULL AND s.expires_at > $2
		   AND s.last_seen_at + make_interval(secs => s.idle_seconds) > $2
		RETURNING p.id, p.name, p.email, c.secret, s.authenticated_at, s.proof_tries`, hash[:], tx.Now())
	return row, asSession(err)
}

// noteProof keeps a proof and moves the session to a new token.
func noteProof(ctx context.Context, tx *tenant.PlatformTx, old, hash tenant.Hash) error {
	n, err := tx.Exec(ctx, `
		UPDATE platform.session SET token_hash = $2, authenticated_at = $3, last_seen_at = $3, proof_tries = 0, idle_gap_seconds = 0,
			access_version = access_version + 1
		 WHERE token_hash = $1 AND ended_at IS NULL`, old[:], hash[:], tx.Now())
	if err != nil {
		return fmt.Errorf("keeping a proof: %w", err)
	}
	if n == 0 {
		return tenant.ErrNotSignedIn
	}
	return nil
}

func asSession(err error) error {
	if errors.Is(err, tenant.ErrNoRows) {
		return tenant.ErrNotSignedIn
	} else if err != nil {
		return fmt.Errorf("looking for a session: %w", err)
	}
	return nil
}
