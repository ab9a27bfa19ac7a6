package identity

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/countinghouse/countinghouse/tenant"
)

func personDates(ctx context.Context, tx *tenant.PlatformTx, person tenant.PersonID, d *PersonData) error {
	var row struct {
		Created  time.Time  `db:"created_at"`
		Password *time.Time `db:"password_since"`
	}
	err := tx.Get(ctx, &row, `
		SELECT p.created_at, (SELECT max(coalesce(c.changed_at, c.created_at)) FROM platform.credential c WHERE c.person_id = p.id) AS password_since
		  FROM platform.person p WHERE p.id = $1`, person)
	if err != nil {
		return fmt.Errorf("looking for a person: %w", err)
	}
	d.SignedUpAt, d.PasswordSince, d.Devices = row.Created.UTC(), utc(row.Password), []time.Time{}
	err = tx.Select(ctx, &d.Devices, `SELECT created_at FROM platform.device WHERE person_id = $1 AND forgotten_at IS NULL ORDER BY created_at`, person)
	if err != nil {
		return fmt.Errorf("listing devices: %w", err)
	}
	return nil
}

// organizationData is what the platform holds of a person in each of these organizations.
func organizationData(ctx context.Context, tx *tenant.PlatformTx, person tenant.PersonID, in []tenant.OrganizationID) ([]OrganizationData, error) {
	all := make([]OrganizationData, 0, len(in))
	for _, o := range in {
		d := OrganizationData{Entries: []EntryData{}, Tokens: []TokenData{}}
		err := errors.Join(tx.Select(ctx, &d.Entries, `
			SELECT at, coalesce(host(network), '') AS network, user_agent FROM platform.entry
			 WHERE organization_id = $1 AND person_id = $2 ORDER BY id`, o, person),
			tx.Select(ctx, &d.Tokens, `
			SELECT name, hint, created_at, last_used_at, revoked_at FROM platform.api_token
			 WHERE organization_id = $1 AND person_id = $2 ORDER BY id`, o, person))
		if err != nil {
			return nil, fmt.Errorf("listing what is held of a person: %w", err)
		}
		all = append(all, d)
	}
	return all, nil
}

// ownMember is nil for who has no row.
func ownMember(ctx context.Context, tx *tenant.Tx) (*MemberData, error) {
	var m MemberData
	err := tx.Get(ctx, &m, `SELECT name, email, role, state, joined_at FROM member WHERE person_id = $1`, tx.Scope().Person().ID)
	if errors.Is(err, tenant.ErrNoRows) {
		return nil, nil
	} else if err != nil {
		return nil, fmt.Errorf("looking for a member: %w", err)
	}
	m.JoinedAt = m.JoinedAt.UTC()
	return &m, nil
}
