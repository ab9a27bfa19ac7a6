package authz

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/countinghouse/countinghouse/internal/cursor"
	"github.com/countinghouse/countinghouse/internal/fault"
	"github.com/countinghouse/countinghouse/tenant"
)

// Why somebody's membership stays as it is.
var (
	ErrRoleUnknown = fault.New(fault.Invalid, "role.unknown", "There is no such role. Choose one of the list.").At("role")
	ErrMember      = fault.New(fault.Conflict, "member.exists", "This person is a member already.")
	ErrNoMember    = fault.New(fault.NotFound, "member.not_found", "There is no such member of this organization.")
	ErrLastOwner   = fault.New(fault.Conflict, "member.last_owner", "This is the only owner. Make someone else an owner first, or hand the organization over.")
	// ErrNoRoom names no figure: the plan's page does.
	ErrNoRoom  = fault.New(fault.Conflict, "plan.members", "Your plan has no room for another member; open invitations count too. Remove somebody, take back an invitation, or choose a larger plan under Settings, Plan.")
	ErrMayMore = fault.New(fault.Forbidden, "member.may_more", "This person may do things here that you may not. Only someone who may do all of them can change that.")
)

// Member is someone in an organization.
type Member struct {
	Person   tenant.Person
	Role     string
	Title    string // of the role, as people call it
	State    string // tenant.Active or tenant.Denied
	JoinedAt time.Time
}

// AddMember makes a person a member with one of the ready-made roles. It fails with ErrRoleUnknown and
// ErrMember. Whether the caller may do this, their route's right says.
func AddMember(ctx context.Context, tx *tenant.Tx, person tenant.Person, role string) error {
	if !isReadyMade(role) {
		return ErrRoleUnknown
	}
	return join(ctx, tx, person, role)
}

// join makes somebody a member who is none, or no longer.
func join(ctx context.Context, tx *tenant.Tx, person tenant.Person, role string) error {
	added, err := insertMember(ctx, tx, person, role)
	if err != nil {
		return err
	}
	if !added {
		return ErrMember
	}
	if err := setMember(ctx, tx, person, role, tenant.Active); err != nil {
		return err
	}
	return tx.Record(ctx, tenant.Act{Action: "member.add", Object: "member", ID: person.ID.UUID, Detail: role})
}

func setMember(ctx context.Context, tx *tenant.Tx, person tenant.Person, role, state string) error {
	err := tx.SetMember(ctx, person, role, state)
	switch tenant.Violates(err) {
	case "last_owner":
		return ErrLastOwner
	case "membership_role":
		return ErrRoleUnknown
	case "plan_members":
		return ErrNoRoom
	}
	return err
}

// ListMembers gives the organization's people by name, those who are denied access among them.
func ListMembers(ctx context.Context, tx *tenant.Tx, q cursor.Query) (cursor.Page[Member], error) {
	q, err := q.Check()
	if err != nil {
		return cursor.Page[Member]{}, err
	}
	rows, err := selectMembers(ctx, tx, q)
	if err != nil {
		return cursor.Page[Member]{}, err
	}
	members := make([]Member, 0, len(rows))
	for _, r := range rows {
		members = append(members, r.member())
	}
	return cursor.Cut(q, members), nil
}

// CountMembers counts who belongs to the organization, those denied access among them.
func CountMembers(ctx context.Context, tx *tenant.Tx) (int, error) { return countMembers(ctx, tx) }

// MemberByID gives one of them. It fails with ErrNoMember.
func MemberByID(ctx context.Context, tx *tenant.Tx, person tenant.PersonID) (Member, error) {
	row, err := selectMember(ctx, tx, person)
	if err != nil {
		return Member{}, err
	}
	return row.member(), nil
}

// ChangeMemberRole gives a member another role from their next request on. It fails with ErrNoMember, ErrMayMore,
// ErrRoleUnknown, ErrRoleExceeds and ErrLastOwner.
func (p *Policy) ChangeMemberRole(ctx context.Context, tx *tenant.Tx, person tenant.PersonID, role string) error {
	return p.changeMember(ctx, tx, person, func(m Member) (string, string, error) {
		return role, m.State, p.MayGive(ctx, tx, role)
	}, "member.role", role)
}

// DenyMember shuts a member out at once, in open sessions and API tokens too, and keeps who they are and what they
// did. It fails with ErrNoMember, ErrMayMore and ErrLastOwner.
func (p *Policy) DenyMember(ctx context.Context, tx *tenant.Tx, person tenant.PersonID) error {
	return p.changeMember(ctx, tx, person, func(m Member) (string, string, error) {
		return m.Role, tenant.Denied, nil
	}, "member.deny", "")
}

// AllowMember lets a member in again with the role that they had. It fails with ErrNoMember and ErrMayMore.
func (p *Policy) AllowMember(ctx context.Context, tx *tenant.Tx, person tenant.PersonID) error {
	return p.changeMember(ctx, tx, person, func(m Member) (string, string, error) {
		return m.Role, tenant.Active, nil
	}, "member.allow", "")
}

// RemoveMember ends a membership, and revokes the API tokens that the person made here. It fails with ErrNoMember,
// ErrMayMore and ErrLastOwner.
func (p *Policy) RemoveMember(ctx context.Context, tx *tenant.Tx, person tenant.PersonID) error {
	return p.changeMember(ctx, tx, person, func(m Member) (string, string, error) {
		return m.Role, tenant.Removed, nil
	}, "member.remove", "")
}

// changeMember changes role and state of a member whom the caller may do so to, and takes back what they have no
// right to have offered any more.
func (p *Policy) changeMember(ctx context.Context, tx *tenant.Tx, person tenant.PersonID,
	to func(m Member) (role, state string, err error), action, detail string) error {
	if err := tx.LockRights(ctx); err != nil {
		return err
	}
	m, err := MemberByID(ctx, tx, person)
	if err != nil {
		return err
	}
	if err := p.MayTouch(ctx, tx, m); err != nil {
		return err
	}
	role, state, err := to(m)
	if err != nil {
		return err
	}
	if err := setMember(ctx, tx, m.Person, role, state); err != nil {
		return err
	}
	if err := p.voidInvitations(ctx, tx); err != nil {
		return err
	}
	return tx.Record(ctx, tenant.Act{Action: action, Object: "member", ID: person.UUID, Detail: detail, Changes: []tenant.Change{
		{Field: "role", Before: m.Role, After: role}, {Field: "state", Before: m.State, After: state}}})
}

// MayTouch refuses with ErrMayMore who holds less than the member does: else an administrator could shut the owner out.
func (p *Policy) MayTouch(ctx context.Context, tx *tenant.Tx, m Member) error {
	held, err := p.holderOfRole(ctx, tx, m.Role)
	if err != nil {
		return fmt.Errorf("what %s may do: %w", m.Role, err)
	}
	if !p.covers(HolderOf(tx.Scope()), held) {
		return ErrMayMore
	}
	return nil
}

func isReadyMade(role string) bool {
	for _, r := range readyMade {
		if r.Name == role {
			return true
		}
	}
	return false
}

func nullable(u uuid.UUID) any {
	if u == uuid.Nil {
		return nil
	}
	return u
}
