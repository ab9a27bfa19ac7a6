package billing

import (
	"context"
	"time"

	"github.com/countinghouse/countinghouse/tenant"
)

func countIssuedSince(ctx context.Context, tx *tenant.Tx, since time.Time) (n int, err error) {
	err = tx.Get(ctx, &n, `SELECT count(*) FROM document WHERE kind::text = 'invoice' AND issued_at >= $1`, since.UTC())
	return n, err
}
