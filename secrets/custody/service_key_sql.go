package custody

import (
	"context"
	"fmt"
	"time"

	"github.com/countinghouse/countinghouse/tenant"
)

type serviceKeyRow struct {
	Version int        `db:"version"`
	Wrapped []byte     `db:"wrapped"`
	MadeAt  time.Time  `db:"made_at"`
	AloneAt *time.Time `db:"alone_at"`
}

// listServiceKeys gives the versions, the newest first.
func listServiceKeys(ctx context.Context, db *tenant.DB) (rows []serviceKeyRow, err error) {
	err = tenant.DoPlatform(ctx, db, func(tx *tenant.PlatformTx) error {
		return tx.Select(ctx, &rows, `SELECT version, wrapped, made_at, alone_at FROM platform.service_key ORDER BY version DESC`)
	})
	if err != nil {
		return nil, fmt.Errorf("reading the service's keys: %w", err)
	}
	return rows, nil
}

// insertServiceKey changes nothing where there is that version already.
func insertServiceKey(ctx context.Context, db *tenant.DB, version int, wrapped []byte) error {
	err := tenant.DoPlatform(ctx, db, func(tx *tenant.PlatformTx) error {
		_, err := tx.Exec(ctx, `
			INSERT INTO platform.service_key (version, wrapped, made_at, alone_at)
			VALUES ($1, $2, $3, CASE WHEN $1 = 1 THEN $3::timestamptz END) ON CONFLICT (version) DO NOTHING`, version, wrapped, tx.Now())
		return err
	})
	if err != nil {
		return fmt.Errorf("keeping a new version of the service's key: %w", err)
	}
	return nil
}

// retireServiceKeys ends every version before one, for good.
func retireServiceKeys(ctx context.Context, db *tenant.DB, version int) error {
	err := tenant.DoPlatform(ctx, db, func(tx *tenant.PlatformTx) error {
		if _, err := tx.Exec(ctx, `UPDATE platform.service_key SET alone_at = coalesce(alone_at, $2) WHERE version = $1`, version, tx.Now()); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, `DELETE FROM platform.service_key WHERE version < $1`, version)
		return err
	})
	if err != nil {
		return fmt.Errorf("retiring older versions of the service's key: %w", err)
	}
	return nil
}
