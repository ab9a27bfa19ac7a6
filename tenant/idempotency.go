package tenant

import (
	"context"
	"crypto/hmac"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/countinghouse/countinghouse/internal/fault"
)

// Why a request with an Idempotency-Key is refused.
var (
	ErrKeyInFlight = fault.New(fault.Conflict, "idempotency.in_flight", "The first request with this Idempotency-Key is still being answered. Send it again in a moment.")
	ErrKeyReused   = fault.New(fault.Invalid, "idempotency.reused", "This Idempotency-Key was used for another request. Use a new key.")
)

// keyLifetime is how long an answer is kept.
const keyLifetime = 24 * time.Hour

// Once runs create unless a request with the same key was answered within the last 24 hours; then it gives
// that request's resource again, and replayed is true. mac is a keyed digest of the request: another request
// under the same key is ErrKeyReused, and one that comes while the first is under way ErrKeyInFlight. What
// fails is not kept. An empty key always runs create.
func (tx *Tx) Once(ctx context.Context, key string, mac []byte, create func() (uuid.UUID, error)) (resource uuid.UUID, replayed bool, err error) {
	if key == "" {
		resource, err = create()
		return resource, false, err
	}
	var kept struct {
		MAC      []byte    `db:"request_mac"`
		Resource uuid.UUID `db:"resource_id"`
	}
	var mine bool
	// The lock and the look are two statements: the second must see what committed before the first.
	err = tx.Get(ctx, &mine, `SELECT pg_try_advisory_xact_lock(hashtextextended(current_schema() || ' ' || $1, 1))`, key)
	if err != nil {
		return resource, false, fmt.Errorf("taking an idempotency key: %w", err)
	}
	if !mine {
		return resource, false, ErrKeyInFlight
	}
	err = tx.Get(ctx, &kept, `SELECT request_mac, resource_id FROM idempotency_key WHERE key = $1 AND created_at > $2`,
		key, tx.now.Add(-keyLifetime))
	if err == nil {
		if !hmac.Equal(kept.MAC, mac) {
			return resource, false, ErrKeyReused
		}
		return kept.Resource, true, nil
	} else if !errors.Is(err, sql.ErrNoRows) {
		return resource, false, fmt.Errorf("looking for an idempotency key: %w", err)
	}
	if resource, err = create(); err != nil {
		return resource, false, err
	}
	_, err = tx.Exec(ctx, `
		INSERT INTO idempotency_key (key, request_mac, status, resource_id, created_at) VALUES ($1, $2, 201, $3, $4)
		ON CONFLICT (key) DO UPDATE SET request_mac = EXCLUDED.request_mac, status = EXCLUDED.status,
			resource_id = EXCLUDED.resource_id, created_at = EXCLUDED.created_at`, key, mac, resource, tx.now)
	if err != nil {
		return resource, false, fmt.Errorf("keeping an idempotency key: %w", err)
	}
	return resource, false, nil
}
