package custody

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/countinghouse/countinghouse/tenant"
)

type rotationRow struct {
	State      string    `db:"state"`
	Version    int       `db:"key_version"`
	AtColumn   string    `db:"at_column"`
	AtRow      string    `db:"at_row"`
	Rewrapped  int64     `db:"rewrapped"`
	Unreadable int64     `db:"unreadable"`
	Began      time.Time `db:"began_at"`
	RotatedAt  time.Time `db:"rotated_at"`
}

// take gets the lease of the organization's rotation, and begins one if there is none. A finished one is begun
// anew if it began before that moment, and always if the moment is zero. What was never rotated counts as
// finished now, unless the moment is zero.
func (r *rotation) take(ctx context.Context, before time.Time) (row rotationRow, err error) {
	now, always := r.DB.Now(), before.IsZero()
	err = tenant.DoPlatform(ctx, r.DB, func(tx *tenant.PlatformTx) error {
		first := "running"
		if !always {
			first = "done"
		}
		_, err := tx.Exec(ctx, `
			INSERT INTO platform.key_rotation (organization_id, state, key_version, began_at, rotated_at, finished_at, lease, leased_until)
			VALUES ($1, $2::varchar, CASE WHEN $2::varchar = 'done' THEN 1 ELSE 0 END, $3, CASE WHEN $2::varchar = 'done' THEN $3::timestamptz END,
			        CASE WHEN $2::varchar = 'done' THEN $3::timestamptz END, $4, $3)
			ON CONFLICT (organization_id) DO NOTHING`, r.scope.Organization().ID, first, now, r.lease)
		if err != nil {
			return fmt.Errorf("beginning a rotation: %w", err)
		}
		if _, err := tx.Exec(ctx, `
			UPDATE platform.key_rotation SET state = 'running', key_version = 0, at_column = '', rewrapped = 0, unreadable = 0,
			       at_row = '00000000-0000-0000-0000-000000000000', began_at = $2, rotated_at = NULL, finished_at = NULL
			 WHERE organization_id = $1 AND state = 'done' AND leased_until <= $2 AND ($3 OR began_at < $4)`,
			r.scope.Organization().ID, now, always, before); err != nil {
			return fmt.Errorf("beginning a rotation: %w", err)
		}
		err = tx.Get(ctx, &row, `
			UPDATE platform.key_rotation SET lease = $2, leased_until = CASE WHEN state = 'done' THEN leased_until ELSE $4 END
			 WHERE organization_id = $1 AND leased_until <= $3
			RETURNING state, key_version, at_column, at_row::text AS at_row, rewrapped, unreadable, began_at, coalesce(rotated_at, began_at) AS rotated_at`,
			r.scope.Organization().ID, r.lease, now, now.Add(leaseFor))
		if errors.Is(err, tenant.ErrNoRows) {
			return ErrUnderWay
		} else if err != nil {
			return fmt.Errorf("taking up a rotation: %w", err)
		}
		return nil
	})
	return row, err
}

// held fails with ErrUnderWay when another process has taken the lease meanwhile.
func held(rows int64, err error) error {
	if err != nil {
		return fmt.Errorf("noting how far a rotation is: %w", err)
	}
	if rows == 0 {
		return ErrUnderWay
	}
	return nil
}

func (r *rotation) noteVersion(ctx context.Context) error {
	return tenant.DoPlatform(ctx, r.DB, func(tx *tenant.PlatformTx) error {
		return held(tx.Exec(ctx, `
			UPDATE platform.key_rotation SET key_version = $3, rotated_at = $4, leased_until = $5 WHERE organization_id = $1 AND lease = $2`,
			r.scope.Organization().ID, r.lease, r.row.Version, r.row.RotatedAt, tx.Now().Add(leaseFor)))
	})
}

func (r *rotation) notePiece(ctx context.Context, column, row string) error {
	return tenant.DoPlatform(ctx, r.DB, func(tx *tenant.PlatformTx) error {
		return held(tx.Exec(ctx, `
			UPDATE platform.key_rotation SET at_column = $3, at_row = $4::uuid, rewrapped = $5, unreadable = $6, leased_until = $7
			 WHERE organization_id = $1 AND lease = $2`,
			r.scope.Organization().ID, r.lease, column, row, r.row.Rewrapped, r.row.Unreadable, tx.Now().Add(leaseFor)))
	})
}

// noteSettling has the next run walk from the beginning.
func (r *rotation) noteSettling(ctx context.Context) error {
	return tenant.DoPlatform(ctx, r.DB, func(tx *tenant.PlatformTx) error {
		return held(tx.Exec(ctx, `
			UPDATE platform.key_rotation SET state = 'settling', at_column = '', at_row = '00000000-0000-0000-0000-000000000000', unreadable = 0
			 WHERE organization_id = $1 AND lease = $2`, r.scope.Organization().ID, r.lease))
	})
}

func (r *rotation) noteDone(ctx context.Context) error {
	return tenant.DoPlatform(ctx, r.DB, func(tx *tenant.PlatformTx) error {
		return held(tx.Exec(ctx, `
			UPDATE platform.key_rotation SET state = 'done', finished_at = $3 WHERE organization_id = $1 AND lease = $2`,
			r.scope.Organization().ID, r.lease, tx.Now()))
	})
}

func (r *rotation) giveBack(ctx context.Context) error {
	return tenant.DoPlatform(ctx, r.DB, func(tx *tenant.PlatformTx) error {
		_, err := tx.Exec(ctx, `UPDATE platform.key_rotation SET leased_until = $3 WHERE organization_id = $1 AND lease = $2`,
			r.scope.Organization().ID, r.lease, tx.Now())
		return err
	})
}

// DueRotations lists the addresses of the organizations whose key was last renewed before that long, or never was
// looked at, or whose rotation was cut short.
func DueRotations(ctx context.Context, db *tenant.DB, age time.Duration) (slugs []string, err error) {
	err = tenant.DoPlatform(ctx, db, func(tx *tenant.PlatformTx) error {
		return tx.Select(ctx, &slugs, `
			SELECT o.slug FROM platform.organization o LEFT JOIN platform.key_rotation k ON k.organization_id = o.id
			 WHERE o.state::text IN ('active', 'suspended')
			   AND (k.state IS NULL OR k.state::text <> 'done' OR k.began_at < $1) ORDER BY o.id`, tx.Now().Add(-age))
	})
	if err != nil {
		return nil, fmt.Errorf("listing keys that are due: %w", err)
	}
	return slugs, nil
}
