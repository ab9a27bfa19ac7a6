package identity

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/countinghouse/countinghouse/tenant"
)

func countRecoveries(ctx context.Context, tx *tenant.PlatformTx, email string, since time.Time) (n int, err error) {
	err = tx.Get(ctx, &n, `
		SELECT count(*) FROM platform.verification WHERE email = $1 AND created_at > $2 AND purpose::text = 'recovery'`, email, since)
	if err != nil {
		return 0, fmt.Errorf("counting mails: %w", err)
	}
	return n, nil
}

func insertRecovery(ctx context.Context, tx *tenant.PlatformTx, hash tenant.Hash, email string, expiry time.Time) error {
	_, err := tx.Exec(ctx, `
		INSERT INTO platform.verification (token_hash, purpose, email, created_at, expires_at)
		VALUES ($1, 'recovery', $2, $3, $4)`, hash[:], email, tx.Now(), expiry)
	if err != nil {
		return fmt.Errorf("keeping a link: %w", err)
	}
	return nil
}

// personByRecovery is ErrLink when the link is unknown, used or too old, or nobody has the address.
func personByRecovery(ctx context.Context, tx *tenant.PlatformTx, hash tenant.Hash) (tenant.Person, error) {
	var row personRow
	err := tx.Get(ctx, &row, `
		SELECT p.id, p.name, p.email FROM platform.verification v JOIN platform.person p ON p.email = v.email
		 WHERE v.token_hash = $1 AND v.purpose::text = 'recovery' AND v.used_at IS NULL AND v.expires_at > $2`, hash[:], tx.Now())
	if errors.Is(err, tenant.ErrNoRows) {
		return tenant.Person{}, ErrLink
	} else if err != nil {
		return tenant.Person{}, fmt.Errorf("looking for a link: %w", err)
	}
	return row.person(), nil
}

// useRecovery is ErrLink for all but one of those who use the same link.
func useRecovery(ctx context.Context, tx *tenant.PlatformTx, hash tenant.Hash, email string) error {
	n, err := tx.Exec(ctx, `
		UPDATE platform.verification SET used_at = $2
		 WHERE token_hash = $1 AND purpose::text = 'recovery' AND email = $3 AND used_at IS NULL AND expires_at > $2`,
		hash[:], tx.Now(), email)
	if err != nil {
		return fmt.Errorf("using a link: %w", err)
	}
	if n == 0 {
		return ErrLink
	}
	return nil
}

// moveRecovery gives a link that was told to nobody a token that is told now; ErrPhoneCode when it has ended.
func moveRecovery(ctx context.Context, tx *tenant.PlatformTx, old []byte, hash tenant.Hash) error {
	n, err := tx.Exec(ctx, `
		UPDATE platform.verification SET token_hash = $2
		 WHERE token_hash = $1 AND purpose::text = 'recovery' AND used_at IS NULL AND expires_at > $3`, old, hash[:], tx.Now())
	if err != nil {
		return fmt.Errorf("exchanging a code for a link: %w", err)
	}
	if n == 0 {
		return ErrPhoneCode
	}
	return nil
}

// endRecovery ends the other links of an address: a password that was just set is not set again by an older mail.
func endRecovery(ctx context.Context, tx *tenant.PlatformTx, email string) error {
	_, err := tx.Exec(ctx, `
		UPDATE platform.verification SET used_at = $2
		 WHERE email = $1 AND purpose::text = 'recovery' AND used_at IS NULL`, email, tx.Now())
	if err != nil {
		return fmt.Errorf("ending links: %w", err)
	}
	return nil
}

func clearTries(ctx context.Context, tx *tenant.PlatformTx, subject []byte) error {
	_, err := tx.Exec(ctx, `
		UPDATE platform.sign_in_budget SET failures = 0, wait_until = '-infinity' WHERE subject = $1`, subject)
	if err != nil {
		return fmt.Errorf("letting an account be tried afresh: %w", err)
	}
	return nil
}
