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

// Why someone cannot become a member.
var (
	ErrRoleUnknown = fault.New(fault.Invalid, "role.unknown", "There is no such role. Choose one of the list.").At("role")
	ErrMember      = fault.New(fault.Conflict, "member.exists", "This person is a member already.")
)

// Member is someone in an organization.
type Member struct {
	Person   tenant.Person
	Role     string
	State    string // tenant.Active or tenant.Denied
	JoinedAt time.Time
}

// AddMember makes a person a member with one of the ready-made roles. It fails with ErrRoleUnknown and
// ErrMember. Whether the caller may do this, their route's right says.
func AddMember(ctx context.Context, tx *tenant.Tx, person tenant.Person, role string) error {
	if !isReadyMade(role) {
		return ErrRoleUnknown
	}
	added, err := insertMember(ctx, tx, person, role)
	if err != nil {
		return err
	}
	if !added {
		return ErrMember
	}
	if err := tx.SetMember(ctx, person, role, tenant.Active); err != nil {
		return fmt.Errorf("adding a member: %w", err)
	}
	return tx.Record(ctx, tenant.Act{Action: "member.add", Object: "member", ID: person.ID.UUID, Detail: role})
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
		members = append(members, Member{
			Person: tenant.Person{ID: r.ID, Name: r.Name, Email: r.Email},
			Role:   r.Role, State: r.State, JoinedAt: r.JoinedAt.UTC(),
		})
	}
	return cursor.Cut(q, members), nil
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
