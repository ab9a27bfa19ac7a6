package tenant

import (
	"context"
	"fmt"
)

// Membership states.
const (
	Active = "active"
	Denied = "denied" // the person and what they did stay; they get in no more
)

// SetMember makes a person a member with a role, or changes the role or state of one. The organization's own
// table and the platform's index of it change together, and what the person may do is decided anew from their
// next request on. Whether the caller may do this is authz's to say.
func (tx *Tx) SetMember(ctx context.Context, p Person, role, state string) error {
	_, err := tx.Exec(ctx, `
		INSERT INTO member (person_id, name, email, role, state, joined_at) VALUES ($1, $2, $3, $4, $5, $6)
		ON CONFLICT (person_id) DO UPDATE SET role = EXCLUDED.role, state = EXCLUDED.state`,
		p.ID, p.Name, p.Email, role, state, tx.now)
	if err != nil {
		return fmt.Errorf("setting a member: %w", err)
	}
	if _, err := tx.Exec(ctx, `SELECT platform.set_member($1, $2, $3)`, p.ID, role, state); err != nil {
		return fmt.Errorf("setting a membership: %w", err)
	}
	return nil
}
