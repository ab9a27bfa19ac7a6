package tenant

import (
	"context"
	"errors"
	"fmt"

	"github.com/countinghouse/countinghouse/internal/fault"
)

// Membership states.
const (
	Active = "active"
	Denied = "denied" // the person and what they did stay; they get in no more
	// Removed is who belongs there no more. Their name stays beside what they did, and nothing else of them.
	Removed = "removed"
)

// SetMember makes a person a member with a role, or changes the role or state of one. The organization's own
// table and the platform's index of it change together, and what the person may do is decided anew from their
// next request on. Whether the caller may do this is authz's to say. An organization keeps an active owner: what
// would take the last one away fails, and Violates says "last_owner"; a role of the organization's own that does not
// exist, and "membership_role".
func (tx *Tx) SetMember(ctx context.Context, p Person, role, state string) error {
	_, err := tx.Exec(ctx, `
		INSERT INTO member (person_id, name, email, role, state, joined_at) VALUES ($1, $2, $3, $4, $5, $6)
		ON CONFLICT (person_id) DO UPDATE SET role = EXCLUDED.role, state = EXCLUDED.state`,
		p.ID, p.Name, p.Email, role, state, tx.now)
	if err != nil {
		return fmt.Errorf("setting a member: %w", err)
	}
	if state == Removed {
		if _, err := tx.Exec(ctx, `SELECT platform.remove_member($1, $2)`, p.ID, tx.now); err != nil {
			return fmt.Errorf("ending a membership: %w", err)
		}
		return nil
	}
	if _, err := tx.Exec(ctx, `SELECT platform.set_member($1, $2, $3)`, p.ID, role, state); err != nil {
		return fmt.Errorf("setting a membership: %w", err)
	}
	return nil
}

// ErrSoleOwner keeps an organization from being left without anyone who may run it.
var ErrSoleOwner = fault.New(fault.Conflict, "member.sole_owner", "Make someone else an owner first: this organization would be left with none.")

var errNotSelf = errors.New("tenant: only a person takes their own name away")

// LeaveForGood ends the membership of the scope's own person and puts a pseudonym in place of name and address:
// what they did stays on record, and the books whole. It fails with ErrSoleOwner.
func (tx *Tx) LeaveForGood(ctx context.Context, pseudonym, address string) error {
	if tx.scope.kind != Self {
		return errNotSelf
	}
	me := tx.scope.person.ID
	var owners []PersonID
	// Locked, so that of two last owners who leave at once one stays.
	err := tx.Select(ctx, &owners, `SELECT person_id FROM member WHERE role::text = 'owner' AND state::text = 'active' ORDER BY person_id FOR UPDATE`)
	if err != nil {
		return fmt.Errorf("looking for owners: %w", err)
	}
	if len(owners) == 1 && owners[0] == me {
		return ErrSoleOwner
	}
	if _, err := tx.Exec(ctx, `UPDATE member SET name = $2, email = $3,
		state = CASE WHEN state::text = 'removed' THEN state ELSE 'denied' END WHERE person_id = $1`, me, pseudonym, address); err != nil {
		return fmt.Errorf("taking a name out: %w", err)
	}
	// What the record held of them apart from itself goes; its digests stay.
	_, err = tx.Exec(ctx, `DELETE FROM audit_private WHERE audit_id IN (SELECT id FROM audit_log WHERE object_id = $1)`, me)
	if err != nil {
		return fmt.Errorf("taking a name out of the record: %w", err)
	}
	if _, err := tx.Exec(ctx, `SELECT platform.set_member($1, $2, 'denied')`, me, tx.scope.role); err != nil {
		return fmt.Errorf("ending a membership: %w", err)
	}
	return tx.Record(ctx, Act{Action: "member.leave", Object: "member", ID: me.UUID})
}
