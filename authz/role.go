package authz

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/countinghouse/countinghouse/internal/fault"
	"github.com/countinghouse/countinghouse/internal/id"
	"github.com/countinghouse/countinghouse/internal/text"
	"github.com/countinghouse/countinghouse/tenant"
)

// Why a role is refused.
var (
	ErrNoRole      = fault.New(fault.NotFound, "role.not_found", "There is no such role in this organization.")
	ErrRoleName    = fault.New(fault.Conflict, "role.name_taken", "There is a role of this name already. Choose another name.").At("name")
	ErrRoleChanged = fault.New(fault.Conflict, "role.changed", "Somebody changed this role meanwhile. Look at it again, then save.")
	ErrRoleInUse   = fault.New(fault.Conflict, "role.in_use", "Members have this role. Give them another one first.")
	ErrRoleExceeds = fault.New(fault.Forbidden, "role.exceeds", "You cannot give a right that you do not hold yourself.")
	ErrRoles       = fault.New(fault.Conflict, "role.too_many", "An organization has 100 roles of its own at most. Delete one that nobody has.")
)

const (
	roleNameMax = 60
	rolesMax    = 100
)

// RoleID names a role that an organization made.
type RoleID = id.Of[OwnRole]

// OwnRole is a role that an organization made.
type OwnRole struct {
	ID        RoleID
	Name      string
	Ticks     Ticks
	CreatedAt time.Time
	Version   int
	Members   int // who have it, those denied access among them
}

// Role is the name under which members have it.
func (r OwnRole) Role() string { return ownPrefix + r.ID.String() }

// RoleInput is what a role is made of.
type RoleInput struct {
	Name  string
	Ticks Ticks
}

// ownRoleID is the id in the name of a role of the organization's own.
func ownRoleID(role string) (RoleID, bool) {
	rest, ok := strings.CutPrefix(role, ownPrefix)
	if !ok {
		return RoleID{}, false
	}
	return id.Parse[OwnRole](rest)
}

// ListRoles gives the organization's own roles by name.
func ListRoles(ctx context.Context, tx *tenant.Tx) ([]OwnRole, error) { return selectRoles(ctx, tx) }

// RoleByID gives one of the organization's own roles. It fails with ErrNoRole.
func RoleByID(ctx context.Context, tx *tenant.Tx, role RoleID) (OwnRole, error) {
	return selectRole(ctx, tx, role)
}

// Title is what people call a role: "Bookkeeper", or the name that the organization gave it.
func Title(ctx context.Context, tx *tenant.Tx, role string) (string, error) {
	for _, r := range readyMade {
		if r.Name == role {
			return r.Title, nil
		}
	}
	own, ok := ownRoleID(role)
	if !ok {
		return "", ErrRoleUnknown
	}
	r, err := selectRole(ctx, tx, own)
	return r.Name, err
}

// AddRole makes a role of the organization's own. It fails with ErrRoleExceeds when it holds a right that the caller
// does not, with ErrRoleName, ErrRoles, and text's faults about the name.
func (p *Policy) AddRole(ctx context.Context, tx *tenant.Tx, in RoleInput) (OwnRole, error) {
	if err := tx.LockRights(ctx); err != nil {
		return OwnRole{}, err
	}
	in, err := checkRole(in)
	if err != nil {
		return OwnRole{}, err
	}
	r := OwnRole{ID: id.New[OwnRole](), Name: in.Name, Ticks: in.Ticks, CreatedAt: tx.Now(), Version: 1}
	if !p.covers(HolderOf(tx.Scope()), p.holderOfTicks(r)) {
		return OwnRole{}, ErrRoleExceeds
	}
	all, err := selectRoles(ctx, tx)
	if err != nil {
		return OwnRole{}, err
	}
	if len(all) >= rolesMax {
		return OwnRole{}, ErrRoles
	}
	if err := insertRole(ctx, tx, r); err != nil {
		return OwnRole{}, err
	}
	return r, recordRole(ctx, tx, "role.add", r)
}

// ChangeRole gives a role another name and other ticks, for all who have it from their next request on. version is
// the one that the caller saw; 0 for whatever it is. It fails as AddRole does, with ErrRoleExceeds also when the
// role held more than the caller does, and with ErrNoRole and ErrRoleChanged.
func (p *Policy) ChangeRole(ctx context.Context, tx *tenant.Tx, role RoleID, version int, in RoleInput) (OwnRole, error) {
	if err := tx.LockRights(ctx); err != nil {
		return OwnRole{}, err
	}
	r, err := selectRole(ctx, tx, role)
	if err != nil {
		return OwnRole{}, err
	}
	if in, err = checkRole(in); err != nil {
		return OwnRole{}, err
	}
	if version != 0 && version != r.Version {
		return OwnRole{}, ErrRoleChanged
	}
	actor, before := HolderOf(tx.Scope()), p.holderOfTicks(r)
	r.Name, r.Ticks, r.Version = in.Name, in.Ticks, r.Version+1
	if !p.covers(actor, before) || !p.covers(actor, p.holderOfTicks(r)) {
		return OwnRole{}, ErrRoleExceeds
	}
	if err := updateRole(ctx, tx, r); err != nil {
		return OwnRole{}, err
	}
	if err := p.voidInvitations(ctx, tx); err != nil {
		return OwnRole{}, err
	}
	return r, recordRole(ctx, tx, "role.change", r)
}

// DeleteRole takes a role away that nobody has. It fails with ErrRoleInUse, and as ChangeRole does.
func (p *Policy) DeleteRole(ctx context.Context, tx *tenant.Tx, role RoleID) error {
	if err := tx.LockRights(ctx); err != nil {
		return err
	}
	r, err := selectRole(ctx, tx, role)
	if err != nil {
		return err
	}
	if r.Members > 0 {
		return ErrRoleInUse
	}
	if !p.covers(HolderOf(tx.Scope()), p.holderOfTicks(r)) {
		return ErrRoleExceeds
	}
	if err := deleteRole(ctx, tx, r); err != nil {
		return err
	}
	if err := p.voidInvitations(ctx, tx); err != nil {
		return err
	}
	return recordRole(ctx, tx, "role.delete", r)
}

func recordRole(ctx context.Context, tx *tenant.Tx, action string, r OwnRole) error {
	detail := r.Ticks.Text()
	return tx.Record(ctx, tenant.Act{Action: action, Object: "role", ID: r.ID.UUID, Detail: detail[:min(len(detail), 400)]})
}

func checkRole(in RoleInput) (RoleInput, error) {
	name, err := text.Required("name", in.Name, roleNameMax)
	if err != nil {
		return in, err
	}
	in.Name = name
	if slices.ContainsFunc(readyMade, func(r Role) bool { return strings.EqualFold(r.Title, name) }) {
		return in, ErrRoleName
	}
	return in, nil
}

// holderOfTicks is somebody with a role as it is about to be. Its version is none that an organization ever has, so
// that a role that is only thought of leaves no verdict behind for a real one.
func (p *Policy) holderOfTicks(r OwnRole) Holder {
	return Holder{Version: -1, Role: r.Role(), Rights: r.Ticks.Text()}
}

// holderOfRole is somebody with a role as it stands now. It fails with ErrRoleUnknown.
func (p *Policy) holderOfRole(ctx context.Context, tx *tenant.Tx, role string) (Holder, error) {
	if isReadyMade(role) {
		return Holder{Role: role}, nil
	}
	own, ok := ownRoleID(role)
	if !ok {
		return Holder{}, ErrRoleUnknown
	}
	r, err := selectRole(ctx, tx, own)
	if fault.KindOf(err) == fault.NotFound {
		return Holder{}, ErrRoleUnknown
	} else if err != nil {
		return Holder{}, err
	}
	return p.holderOfTicks(r), nil
}

// MayGive says whether the bearer of a scope may give somebody a role: they hold all that it holds. It fails with
// ErrRoleUnknown and ErrRoleExceeds.
func (p *Policy) MayGive(ctx context.Context, tx *tenant.Tx, role string) error {
	wanted, err := p.holderOfRole(ctx, tx, role)
	if err != nil {
		return err
	}
	if !p.covers(HolderOf(tx.Scope()), wanted) {
		return ErrRoleExceeds
	}
	return nil
}

// MayGiveFull says whether the bearer of a scope holds all that full access gives.
func (p *Policy) MayGiveFull(s tenant.Scope) bool { return p.covers(HolderOf(s), fullAccess) }

// InRoles says whether a role of an organization's own can hold a right at all.
func (p *Policy) InRoles(right Right) bool { return p.DecideFor(fullAccess, right).Allowed }

var fullAccess = Holder{Version: -1, Role: ownPrefix + full, Rights: full}
