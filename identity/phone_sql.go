package identity

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/countinghouse/countinghouse/tenant"
)

// phoneOf is nil for who has none.
func phoneOf(ctx context.Context, tx *tenant.PlatformTx, person tenant.PersonID) (*Phone, error) {
	var row struct {
		Number string    `db:"number"`
		Since  time.Time `db:"verified_at"`
	}
	err := tx.Get(ctx, &row, `SELECT number, verified_at FROM platform.phone WHERE person_id = $1`, person)
	if errors.Is(err, tenant.ErrNoRows) {
		return nil, nil
	} else if err != nil {
		return nil, fmt.Errorf("looking for a phone number: %w", err)
	}
	return &Phone{Number: row.Number, Since: row.Since.UTC()}, nil
}

func storePhone(ctx context.Context, tx *tenant.PlatformTx, person tenant.PersonID, number string) error {
	_, err := tx.Exec(ctx, `
		INSERT INTO platform.phone (person_id, number, verified_at) VALUES ($1, $2, $3)
		ON CONFLICT (person_id) DO UPDATE SET number = EXCLUDED.number, verified_at = EXCLUDED.verified_at`, person, number, tx.Now())
	if err != nil {
		return fmt.Errorf("keeping a phone number: %w", err)
	}
	return nil
}

func deletePhone(ctx context.Context, tx *tenant.PlatformTx, person tenant.PersonID) (bool, error) {
	n, err := tx.Exec(ctx, `DELETE FROM platform.phone WHERE person_id = $1`, person)
	if err != nil {
		return false, fmt.Errorf("removing a phone number: %w", err)
	}
	return n == 1, nil
}

// lockTexts lets one transaction at a time count what was sent to a number, and from a network; always in this order,
// so that no two wait for each other.
func lockTexts(ctx context.Context, tx *tenant.PlatformTx, number, network string) error {
	for _, subject := range []string{"text to " + number, "text from " + network} {
		if _, err := tx.Exec(ctx, `SELECT pg_advisory_xact_lock(hashtextextended($1, 0))`, subject); err != nil {
			return fmt.Errorf("locking a phone number: %w", err)
		}
	}
	return nil
}

type textCount struct {
	Number  int        `db:"to_number"`
	Network int        `db:"from_network"`
	Last    *time.Time `db:"last"`
}

func countTexts(ctx context.Context, tx *tenant.PlatformTx, number, network string) (n textCount, err error) {
	err = tx.Get(ctx, &n, `
		SELECT (SELECT count(*) FROM platform.phone_code WHERE number = $1 AND created_at > $3) AS to_number,
		       (SELECT count(*) FROM platform.phone_code WHERE network = $2 AND created_at > $3 AND network::text <> '') AS from_network,
		       (SELECT max(created_at) FROM platform.phone_code WHERE number = $1 AND created_at > $3) AS last`,
		number, network, tx.Now().Add(-codeDay))
	if err != nil {
		return n, fmt.Errorf("counting text messages: %w", err)
	}
	return n, nil
}

func insertCode(ctx context.Context, tx *tenant.PlatformTx, c phoneCode) error {
	var number any
	if c.number != "" {
		number = c.number
	}
	_, err := tx.Exec(ctx, `
		INSERT INTO platform.phone_code (token_hash, purpose, person_id, number, network, code_hash, link_hash, created_at, expires_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
		c.hash[:], c.purpose, orNobody(c.person), number, c.network, c.digest, c.link, tx.Now(), tx.Now().Add(codeLifetime))
	if err != nil {
		return fmt.Errorf("keeping a code: %w", err)
	}
	return nil
}

// chargeCode counts a try at a code before it is looked at. ErrPhoneCode when it has none left, or is over; one that sets
// a password is over too when its number is no longer the person's: what is taken away may be in other hands.
func chargeCode(ctx context.Context, tx *tenant.PlatformTx, purpose string, hash tenant.Hash) (phoneCode, error) {
	var row struct {
		Person *uuid.UUID `db:"person_id"`
		Number *string    `db:"number"`
		Digest []byte     `db:"code_hash"`
		Link   []byte     `db:"link_hash"`
	}
	err := tx.Get(ctx, &row, `
		UPDATE platform.phone_code SET tries = tries + 1
		 WHERE token_hash = $1 AND purpose::text = $2 AND used_at IS NULL AND expires_at > $3 AND tries < $4
		   AND (purpose::text = 'verify' OR number IS NULL
		     OR EXISTS (SELECT FROM platform.phone p WHERE p.person_id = phone_code.person_id AND p.number = phone_code.number))
		RETURNING person_id, number, code_hash, link_hash`, hash[:], purpose, tx.Now(), codeTries)
	if errors.Is(err, tenant.ErrNoRows) {
		return phoneCode{}, ErrPhoneCode
	} else if err != nil {
		return phoneCode{}, fmt.Errorf("looking for a code: %w", err)
	}
	c := phoneCode{purpose: purpose, hash: hash, digest: row.Digest, link: row.Link}
	if row.Person != nil && row.Number != nil {
		c.person, c.number = tenant.PersonID{UUID: *row.Person}, *row.Number
	}
	return c, nil
}

func useCode(ctx context.Context, tx *tenant.PlatformTx, hash tenant.Hash) error {
	if _, err := tx.Exec(ctx, `UPDATE platform.phone_code SET used_at = $2 WHERE token_hash = $1`, hash[:], tx.Now()); err != nil {
		return fmt.Errorf("using a code: %w", err)
	}
	return nil
}
