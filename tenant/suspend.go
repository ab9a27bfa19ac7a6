package tenant

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/jmoiron/sqlx"

	"github.com/countinghouse/countinghouse/internal/fault"
)

// Why an organization is not suspended or resumed.
var (
	ErrNotInUse     = fault.New(fault.Conflict, "organization.not_in_use", "This organization is suspended or being closed already.")
	ErrNotSuspended = fault.New(fault.Conflict, "organization.not_suspended", "This organization is not suspended.")
)

// SuspendOrganization shuts an organization for its members, tokens and customers, on every replica from their next request
// on. Operators still enter it, and what it is stays. It fails with ErrNoOrganization and ErrNotInUse.
func SuspendOrganization(ctx context.Context, db *DB, slug string) error {
	return changeState(ctx, db, slug, "active", "suspended", ErrNotInUse)
}

// ResumeOrganization opens an organization that is suspended. It fails with ErrNoOrganization and ErrNotSuspended.
func ResumeOrganization(ctx context.Context, db *DB, slug string) error {
	return changeState(ctx, db, slug, "suspended", "active", ErrNotSuspended)
}

func changeState(ctx context.Context, db *DB, slug, from, to string, otherwise *fault.Error) error {
	return db.owned(ctx, func(tx *sqlx.Tx) error {
		var state string
		err := tx.GetContext(ctx, &state, `SELECT state FROM platform.organization WHERE slug = $1 FOR UPDATE`, slug)
		switch {
		case errors.Is(err, sql.ErrNoRows):
			return ErrNoOrganization
		case err != nil:
			return fmt.Errorf("looking for an organization: %w", err)
		case state != from:
			return otherwise
		}
		return setState(ctx, tx, slug, to)
	})
}
