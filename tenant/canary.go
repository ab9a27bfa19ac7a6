package tenant

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/countinghouse/countinghouse/internal/id"
)

// SetCanary marks an organization as one that nobody has business with, or no longer so: for the operator's command
// line. It fails with ErrNoOrganization.
func SetCanary(ctx context.Context, db *DB, slug string, canary bool) error {
	// Scopes that were minted before do not know it: they are minted anew.
	result, err := db.owner.ExecContext(ctx, `UPDATE platform.organization SET canary = $2, policy_version = policy_version + 1
		WHERE slug = $1 AND state::text <> 'ready'`, slug, canary)
	if err != nil {
		return reached(ctx, fmt.Errorf("marking a canary: %w", err))
	}
	if n, err := result.RowsAffected(); err != nil {
		return fmt.Errorf("marking a canary: %w", err)
	} else if n == 0 {
		return ErrNoOrganization
	}
	return nil
}

// CanaryAt says whether the organization at an address is a canary, for who was refused there.
func CanaryAt(ctx context.Context, db *DB, slug string) (OrganizationID, bool, error) {
	var found OrganizationID
	err := db.platform.GetContext(ctx, &found, `SELECT o.id FROM platform.organization o WHERE o.slug = $1 AND o.canary`, slug)
	if errors.Is(err, sql.ErrNoRows) {
		return id.Of[Organization]{}, false, nil
	} else if err != nil {
		return found, false, reached(ctx, fmt.Errorf("looking for a canary: %w", err))
	}
	return found, true, nil
}
