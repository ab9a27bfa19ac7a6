package tenant

import (
	"context"
	"crypto/hmac"
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
		Mine     bool       `db:"mine"`
		MAC      []byte     `db:"request_mac"`
		Resource *uuid.UUID `db:"resource_id"`
	}
	since := tx.now.Add(-keyLifetime)
	// One round trip. The look may be older than the lock by a moment, in which the first request ended: the insert
	// below finds that out.
	err = tx.Get(ctx, &kept, `
		SELECT pg_try_advisory_xact_lock(hashtextextended(current_schema() || ' ' || $1, 1)) AS mine, k.request_mac, k.resource_id
		  FROM (SELECT) one LEFT JOIN idempotency_key k ON k.key = $1 AND k.created_at > $2`, key, since)
	switch {
	case err != nil:
		return resource, false, fmt.Errorf("taking an idempotency key: %w", err)
	case kept.Resource != nil && !hmac.Equal(kept.MAC, mac):
		return resource, false, ErrKeyReused
	case kept.Resource != nil:
		return *kept.Resource, true, nil
	case !kept.Mine:
		return resource, false, ErrKeyInFlight
	}
	if resource, err = create(); err != nil {
		return resource, false, err
	}
	written, err := tx.Exec(ctx, `
		INSERT INTO idempotency_key AS k (key, request_mac, status, resource_id, created_at) VALUES ($1, $2, 201, $3, $4)
		ON CONFLICT (key) DO UPDATE SET request_mac = EXCLUDED.request_mac, status = EXCLUDED.status,
			resource_id = EXCLUDED.resource_id, created_at = EXCLUDED.created_at
		 WHERE k.created_at <= $5`, key, mac, resource, tx.now, since)
	if err != nil {
		return resource, false, fmt.Errorf("keeping an idempotency key: %w", err)
	}
	if written == 0 {
		return uuid.Nil, false, ErrKeyInFlight
	}
	return resource, false, nil
}
