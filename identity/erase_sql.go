package identity

import (
	"context"
	"fmt"

	"github.com/countinghouse/countinghouse/tenant"
)

// ownedAlone names the organizations of which a person is the last owner.
func ownedAlone(ctx context.Context, tx *tenant.PlatformTx, person tenant.PersonID) (names []string, err error) {
	err = tx.Select(ctx, &names, `
		SELECT o.name FROM platform.membership m JOIN platform.organization o ON o.id = m.organization_id
		 WHERE m.person_id = $1 AND m.state::text = 'active' AND m.role::text = 'owner' AND o.state::text IN ('active', 'suspended')
		   AND NOT EXISTS (SELECT FROM platform.membership other WHERE other.organization_id = m.organization_id
		       AND other.person_id <> $1 AND other.state::text = 'active' AND other.role::text = 'owner')
		 ORDER BY lower(o.name), o.id`, person)
	if err != nil {
		return nil, fmt.Errorf("looking for owners: %w", err)
	}
	return names, nil
}

// membershipsEver are the organizations in which a person is a member or was.
func membershipsEver(ctx context.Context, tx *tenant.PlatformTx, person tenant.PersonID) (all []tenant.OrganizationID, err error) {
	err = tx.Select(ctx, &all, `
		SELECT m.organization_id FROM platform.membership m JOIN platform.organization o ON o.id = m.organization_id
		 WHERE m.person_id = $1 AND o.state::text IN ('active', 'suspended') ORDER BY m.organization_id`, person)
	if err != nil {
		return nil, fmt.Errorf("listing someone's organizations: %w", err)
	}
	return all, nil
}

func erasePerson(ctx context.Context, tx *tenant.PlatformTx, person tenant.PersonID, name, address string) error {
	if _, err := tx.Exec(ctx, `SELECT platform.erase_person($1, $2, $3, $4)`, person, name, address, tx.Now()); err != nil {
		return fmt.Errorf("erasing a person: %w", err)
	}
	return nil
}
