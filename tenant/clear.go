package tenant

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
)

// clearAtOnce bounds how many rows of a kind one transaction deletes, so that none holds locks for long.
const clearAtOnce = 2000

// ClearOld deletes what is past its time: links that were mailed, counts of failed logins and sessions 30 days after
// they ended, logins and entries after keepLogins (90 days at least), codes sent to phones after 24 hours, invitations
// 90 days after their end, solved puzzles, finished jobs, who founded an organization after two days, and the answers that organizations kept for requests sent
// twice after 24 hours. It gives how many rows of the platform it deleted. It may be run again after any interruption.
func ClearOld(ctx context.Context, db *DB, keepLogins time.Duration) (cleared int64, err error) {
	for {
		var n int64
		err := DoPlatform(ctx, db, func(tx *PlatformTx) error {
			return tx.Get(ctx, &n, `SELECT platform.clear_old(make_interval(secs => $1), $2)`, keepLogins.Seconds(), clearAtOnce)
		})
		if err != nil {
			return cleared, fmt.Errorf("clearing what is old: %w", err)
		}
		if cleared += n; n == 0 {
			break
		}
	}
	err = DoPlatform(ctx, db, func(tx *PlatformTx) error {
		var n int64
		err := tx.Get(ctx, &n, `SELECT platform.forget_founders($1)`, tx.Now())
		cleared += n
		return err
	})
	if err != nil {
		return cleared, fmt.Errorf("forgetting who founded what: %w", err)
	}
	for after := (uuid.NullUUID{Valid: true}); after.Valid; {
		err := DoPlatform(ctx, db, func(tx *PlatformTx) error {
			return tx.Get(ctx, &after, `SELECT platform.clear_idempotency_keys($1, $2)`, after.UUID, 100)
		})
		if err != nil {
			return cleared, fmt.Errorf("clearing old answers: %w", err)
		}
	}
	return cleared, nil
}
