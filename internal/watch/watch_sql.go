package watch

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/countinghouse/countinghouse/tenant"
)

type eventRow struct {
	ID      ID
	At      time.Time
	Request string
}

// noteEvent says whether the event is the first in its window; of those raised at once, one is.
func noteEvent(ctx context.Context, tx *tenant.PlatformTx, row eventRow, e Event, window time.Duration) (bool, error) {
	var first ID
	err := tx.Get(ctx, &first, `
		INSERT INTO platform.security_event AS s (id, kind, severity, subject, window_at, at, last_at, organization_id, person_id,
			network, detail, request_id)
		VALUES ($1, $2, $3, $4, $5, $6, $6, $7, $8, $9, $10, $11)
		ON CONFLICT (kind, subject, window_at) DO UPDATE SET times = least(s.times + 1, 1000000), last_at = greatest(s.last_at, EXCLUDED.last_at)
		RETURNING s.id`,
		row.ID, e.Kind, string(e.Severity), e.subject(), row.At.Truncate(window), row.At, orNull(e.Organization.UUID), orNull(e.Person.UUID),
		e.network(), e.Detail, row.Request)
	if err != nil {
		return false, fmt.Errorf("keeping a security event: %w", err)
	}
	return first == row.ID, nil
}

func orNull(u uuid.UUID) any {
	if u == uuid.Nil {
		return nil
	}
	return u
}
