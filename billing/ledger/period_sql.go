package ledger

import (
	"context"
	"fmt"

	"github.com/countinghouse/countinghouse/internal/civil"
	"github.com/countinghouse/countinghouse/tenant"
)

func updateClosedThrough(ctx context.Context, tx *tenant.Tx, through civil.Date) error {
	_, err := tx.Exec(ctx, `UPDATE settings SET books_closed_through = $1, version = version + 1`, through)
	if err != nil {
		return fmt.Errorf("closing the books: %w", err)
	}
	return nil
}

func selectTimeZone(ctx context.Context, tx *tenant.Tx) (name string, err error) {
	if err := tx.Get(ctx, &name, `SELECT time_zone FROM settings`); err != nil {
		return "", fmt.Errorf("reading the time zone: %w", err)
	}
	return name, nil
}
