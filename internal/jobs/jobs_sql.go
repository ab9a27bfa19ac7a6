package jobs

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/countinghouse/countinghouse/tenant"
)

// insertJob adds a job on behalf of the person of the scope, or of nobody.
func insertJob(ctx context.Context, tx *tenant.Tx, j Job, behalf tenant.PersonID, args string, runAt time.Time) error {
	var person, ceiling any
	if s := tx.Scope(); !behalf.IsZero() {
		person = behalf
		if s.Ceiling() != nil {
			b, err := json.Marshal(s.Ceiling())
			if err != nil {
				return fmt.Errorf("writing the ceiling of job %s: %w", j.Kind, err)
			}
			ceiling = string(b)
		}
	}
	_, err := tx.Exec(ctx, `SELECT jobs.enqueue($1, $2, $3, $4, $5, $6, $7)`, j.Kind, args, runAt, j.Key, person, ceiling, tx.Now())
	if err != nil {
		return fmt.Errorf("queueing job %s: %w", j.Kind, err)
	}
	return nil
}

func insertPlatformJob(ctx context.Context, tx *tenant.PlatformTx, j Job, args string, runAt time.Time) error {
	_, err := tx.Exec(ctx, `SELECT jobs.enqueue_platform($1, $2, $3, $4, $5)`, j.Kind, args, runAt, j.Key, tx.Now())
	if err != nil {
		return fmt.Errorf("queueing job %s: %w", j.Kind, err)
	}
	return nil
}

// spreadJobs gives every active organization one job of a kind, unless it has one already.
func spreadJobs(ctx context.Context, tx *tenant.PlatformTx, kind string, over time.Duration) error {
	_, err := tx.Exec(ctx, `SELECT jobs.enqueue_each($1, make_interval(secs => $2), $3)`, kind, over.Seconds(), tx.Now())
	if err != nil {
		return fmt.Errorf("queueing job %s for every organization: %w", kind, err)
	}
	return nil
}
