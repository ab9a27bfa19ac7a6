package identity

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/countinghouse/countinghouse/internal/id"
	"github.com/countinghouse/countinghouse/tenant"
)

// lockEmail lets one transaction at a time count or use what was mailed to an address. It is a statement of its
// own, so that the next one sees what the one before committed.
func lockEmail(ctx context.Context, tx *tenant.PlatformTx, email string) error {
	_, err := tx.Exec(ctx, `SELECT pg_advisory_xact_lock(hashtextextended('verification ' || $1, 0))`, email)
	if err != nil {
		return fmt.Errorf("locking an address: %w", err)
	}
	return nil
}

func countVerifications(ctx context.Context, tx *tenant.PlatformTx, email string, since time.Time) (n int, err error) {
	err = tx.Get(ctx, &n, `SELECT count(*) FROM platform.verification WHERE email = $1 AND created_at > $2`, email, since)
	if err != nil {
		return 0, fmt.Errorf("counting mails: %w", err)
	}
	return n, nil
}

func insertVerification(ctx context.Context, tx *tenant.PlatformTx, hash tenant.Hash, email string, expiry time.Time) error {
	_, err := tx.Exec(ctx, `
		INSERT INTO platform.verification (token_hash, purpose, email, created_at, expires_at)
		VALUES ($1, 'sign_up', $2, $3, $4)`, hash[:], email, tx.Now(), expiry)
	if err != nil {
		return fmt.Errorf("keeping a link: %w", err)
	}
	return nil
}

func emailKnown(ctx context.Context, tx *tenant.PlatformTx, email string) (known bool, err error) {
	err = tx.Get(ctx, &known, `SELECT EXISTS (SELECT FROM platform.person WHERE email = $1)`, email)
	if err != nil {
		return false, fmt.Errorf("looking for an address: %w", err)
	}
	return known, nil
}

// verifiedEmail is ErrLink when the link is unknown, used or too old.
func verifiedEmail(ctx context.Context, tx *tenant.PlatformTx, hash tenant.Hash) (email string, err error) {
	err = tx.Get(ctx, &email, `
		SELECT email FROM platform.verification
		 WHERE token_hash = $1 AND purpose::text = 'sign_up' AND used_at IS NULL AND expires_at > $2`, hash[:], tx.Now())
	if errors.Is(err, tenant.ErrNoRows) {
		return "", ErrLink
	} else if err != nil {
		return "", fmt.Errorf("looking for a link: %w", err)
	}
	return email, nil
}

// useVerification is ErrLink for all but one of those who use the same link.
func useVerification(ctx context.Context, tx *tenant.PlatformTx, hash tenant.Hash, email string) error {
	n, err := tx.Exec(ctx, `
		UPDATE platform.verification SET used_at = $2
		 WHERE token_hash = $1 AND purpose::text = 'sign_up' AND email = $3 AND used_at IS NULL AND expires_at > $2`,
		hash[:], tx.Now(), email)
	if err != nil {
		return fmt.Errorf("using a link: %w", err)
	}
	if n == 0 {
		return ErrLink
	}
	return nil
}

type credential struct{}

func insertPerson(ctx context.Context, tx *tenant.PlatformTx, p tenant.Person, fresh freshPassword) error {
	n, err := tx.Exec(ctx, `
		INSERT INTO platform.person (id, email, name, created_at) VALUES ($1, $2, $3, $4)
		ON CONFLICT (email) DO NOTHING`, p.ID, p.Email, p.Name, tx.Now())
	if err != nil {
		return fmt.Errorf("adding a person: %w", err)
	}
	if n == 0 {
		return ErrSignedUp
	}
	_, err = tx.Exec(ctx, `
		INSERT INTO platform.credential (id, person_id, kind, secret, created_at, length_class, score)
		VALUES ($1, $2, 'password', $3, $4, $5, $6)`,
		id.New[credential](), p.ID, fresh.phc, tx.Now(), fresh.length, fresh.score)
	if err != nil {
		return fmt.Errorf("keeping a password: %w", err)
	}
	return nil
}
