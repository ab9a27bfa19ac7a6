package tenant

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"database/sql"
	"encoding/base64"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/countinghouse/countinghouse/internal/fault"
)

// ErrNoDoor says that an address leads nowhere: it was never given out, is too old, or has been closed. Which of them
// it is, its bearer is not told.
var ErrNoDoor = fault.New(fault.NotFound, "link.not_found", "This link does not lead anywhere, or no longer. Ask whoever sent it for a new one.")

const doorSecretLength = 32

// HashDoor reads the secret part of a door's address; ok is false for what none was ever given out as.
func HashDoor(secret string) (_ Hash, ok bool) {
	raw, err := base64.RawURLEncoding.Strict().DecodeString(secret)
	// The decoder passes over line ends, which would be second spellings of the same address.
	if err != nil || len(raw) != doorSecretLength || len(secret) != base64.RawURLEncoding.EncodedLen(doorSecretLength) {
		return Hash{}, false
	}
	return sha256.Sum256(raw), true
}

// OpenLink gives out a link to one thing of this organization, good until expiry, and returns the secret part of its
// address. Only its hash is kept: it cannot be shown again.
func (tx *Tx) OpenLink(ctx context.Context, subject uuid.UUID, expiry time.Time) (string, error) {
	return tx.openDoor(ctx, Link, subject, &expiry)
}

// OpenWebhook gives out the address for messages about one thing of this organization, until it is closed.
func (tx *Tx) OpenWebhook(ctx context.Context, subject uuid.UUID) (string, error) {
	return tx.openDoor(ctx, Webhook, subject, nil)
}

func (tx *Tx) openDoor(ctx context.Context, kind Kind, subject uuid.UUID, expiry *time.Time) (string, error) {
	secret, hash, err := newDoorSecret()
	if err != nil {
		return "", err
	}
	_, err = tx.Exec(ctx, `SELECT platform.open_door($1, $2, $3, $4, $5)`, hash[:], kind.String(), subject, tx.now, expiry)
	if err != nil {
		return "", fmt.Errorf("opening a door: %w", err)
	}
	return secret, nil
}

// newDoorSecret makes the secret part of an address, as HashDoor reads it, and what is kept of it.
func newDoorSecret() (secret string, hash Hash, err error) {
	raw := make([]byte, doorSecretLength)
	if _, err := rand.Read(raw); err != nil {
		return "", hash, fmt.Errorf("making a link: %w", err)
	}
	return base64.RawURLEncoding.EncodeToString(raw), sha256.Sum256(raw), nil
}

// CloseDoors ends all links, or all webhooks, to one thing, and says how many there were.
func (tx *Tx) CloseDoors(ctx context.Context, kind Kind, subject uuid.UUID) (closed int, err error) {
	if err := tx.Get(ctx, &closed, `SELECT platform.close_doors($1, $2, $3)`, kind.String(), subject, tx.now); err != nil {
		return 0, fmt.Errorf("closing doors: %w", err)
	}
	return closed, nil
}

// EnterLink mints a scope for whoever bears a link, to the one thing that it leads to. Nobody is known by it, and it
// holds no right. It fails with ErrNoDoor.
func EnterLink(ctx context.Context, db *DB, link Hash) (Scope, error) {
	return db.enterDoor(ctx, Link, link)
}

// EnterWebhook mints a scope for whoever sends to the secret address of a gateway's account: the organization is known
// from the address alone. It fails with ErrNoDoor.
func EnterWebhook(ctx context.Context, db *DB, address Hash) (Scope, error) {
	return db.enterDoor(ctx, Webhook, address)
}

func (db *DB) enterDoor(ctx context.Context, kind Kind, credential Hash) (Scope, error) {
	return db.enter(scopeKey{kind, credential, ""}, func() (*scope, error) {
		const q = `
			SELECT d.access_version AS access, '00000000-0000-0000-0000-000000000000'::uuid AS person_id, '' AS person_name, '' AS email,
			       o.id AS organization_id, o.slug, o.name, o.schema_name, o.compartment_id, o.policy_version, $3::text AS role,` + accountColumns + `,
			       d.subject_id
			  FROM platform.door d
			  JOIN platform.organization o ON o.id = d.organization_id AND o.state::text = 'active'
			 WHERE d.token_hash = $1 AND d.kind::text = $3 AND d.closed_at IS NULL AND (d.expires_at IS NULL OR d.expires_at > $2)`
		var row struct {
			scopeRow
			Subject uuid.UUID `db:"subject_id"`
		}
		err := db.platform.GetContext(ctx, &row, q, credential[:], db.Now(), kind.String())
		if errors.Is(err, sql.ErrNoRows) {
			return nil, ErrNoDoor
		} else if err != nil {
			return nil, reached(ctx, fmt.Errorf("entering by a link: %w", err))
		}
		s, err := row.scope(kind, credential)
		if err == nil {
			s.subject = row.Subject
		}
		return s, err
	})
}
