package captcha

import (
	"context"
	"fmt"
	"time"

	"github.com/countinghouse/countinghouse/tenant"
)

// spend is ErrRefused for all but the first of those who bring the same solved task. It also clears away one that is
// over, so that their number stays bounded without anyone seeing to it; one, so that no two of us wait for each other.
func spend(ctx context.Context, tx *tenant.PlatformTx, challenge []byte, expires time.Time) error {
	n, err := tx.Exec(ctx, `
		INSERT INTO platform.captcha_spent (challenge, expires_at) VALUES ($1, $2) ON CONFLICT (challenge) DO NOTHING`,
		challenge, expires)
	if err != nil {
		return fmt.Errorf("spending a CAPTCHA: %w", err)
	}
	if n == 0 {
		return ErrRefused
	}
	_, err = tx.Exec(ctx, `
		DELETE FROM platform.captcha_spent WHERE challenge IN (
		    SELECT challenge FROM platform.captcha_spent WHERE expires_at < $1 ORDER BY expires_at LIMIT 1)`, tx.Now().Add(-time.Hour))
	if err != nil {
		return fmt.Errorf("clearing CAPTCHAs that are over: %w", err)
	}
	return nil
}
