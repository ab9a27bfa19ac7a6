package identity

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/countinghouse/countinghouse/tenant"
)

// takeTry is tenant.ErrNoRows while the subject must wait. One statement looks and counts: of callers that come at
// once each sees what the one before it left. No wait is -infinity, so that replicas' clocks need not agree.
func takeTry(ctx context.Context, tx *tenant.PlatformTx, t try) (failures int, err error) {
	err = tx.Get(ctx, &failures, `
		INSERT INTO platform.sign_in_budget AS b (subject, failures, wait_until, last_at) VALUES ($1, 1, '-infinity', $2)
		ON CONFLICT (subject) DO UPDATE SET
		    failures = CASE WHEN b.last_at < $4 THEN 1 ELSE least(b.failures + 1, 1000) END,
		    wait_until = CASE WHEN b.last_at < $4 OR b.failures + 1 < $3 THEN '-infinity'
		        ELSE $2 + make_interval(secs => least($5 * power(2, least(b.failures + 1 - $3, 30)), $6)) END,
		    last_at = $2
		 WHERE b.wait_until <= $2
		RETURNING failures`,
		t.subject, tx.Now(), t.budget.free, tx.Now().Add(-t.budget.forget), int64(t.budget.first/time.Second), int64(t.budget.most/time.Second))
	if err != nil && !errors.Is(err, tenant.ErrNoRows) {
		return 0, fmt.Errorf("counting a try: %w", err)
	}
	return failures, err
}

func waitUntil(ctx context.Context, tx *tenant.PlatformTx, subject []byte) (at time.Time, err error) {
	// It may have ended since.
	err = tx.Get(ctx, &at, `SELECT greatest(wait_until, $2) FROM platform.sign_in_budget WHERE subject = $1`, subject, tx.Now())
	if err != nil {
		return at, fmt.Errorf("asking how long to wait: %w", err)
	}
	return at, nil
}

// giveTriesBack also ends the wait: there was none when the try was taken.
func giveTriesBack(ctx context.Context, tx *tenant.PlatformTx, subject []byte, n int) error {
	_, err := tx.Exec(ctx, `
		UPDATE platform.sign_in_budget SET failures = greatest(failures - $2, 0), wait_until = '-infinity' WHERE subject = $1`, subject, n)
	if err != nil {
		return fmt.Errorf("giving a try back: %w", err)
	}
	return nil
}

// noteTold says whether the owner is to be told now: once a day at most.
func noteTold(ctx context.Context, tx *tenant.PlatformTx, subject []byte) (bool, error) {
	n, err := tx.Exec(ctx, `
		UPDATE platform.sign_in_budget SET told_at = $2
		 WHERE subject = $1 AND (told_at IS NULL OR told_at <= $3)`, subject, tx.Now(), tx.Now().Add(-24*time.Hour))
	if err != nil {
		return false, fmt.Errorf("noting that someone is told: %w", err)
	}
	return n == 1, nil
}
