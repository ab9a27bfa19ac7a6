package authz

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/countinghouse/countinghouse/internal/fault"
	"github.com/countinghouse/countinghouse/tenant"
)

// Why someone is not on the staff, or cannot be put there.
var (
	ErrNotStaff     = fault.New(fault.NotFound, "staff.none", "There is nothing at this address.")
	ErrStaffRole    = fault.New(fault.Invalid, "staff.role", "The roles of staff are administrator and support.").At("role")
	ErrStaffRights  = fault.New(fault.Invalid, "staff.rights", "Choose functions of the list, such as visits:write.").At("rights")
	ErrStaffUnknown = fault.New(fault.NotFound, "staff.not_found", "This person is not on the staff. Add them first.")
	ErrNoPerson     = fault.New(fault.NotFound, "staff.no_person", "Nobody has an account with this address. They sign up first.").At("email")
	ErrLastStaff    = fault.New(fault.Conflict, "staff.last", "The last administrator with full access stays. Add another first.")
	ErrStaffSelf    = fault.New(fault.Forbidden, "staff.self", "Nobody changes their own access. Ask another administrator.")
)

// States of a person on the staff.
const (
	StaffActive = "active"
	StaffDenied = "denied" // the person and what they did stay; they get in no more
)

// StaffMember is someone on the staff of the platform.
type StaffMember struct {
	Person       tenant.Person
	Role         string   // StaffAdministrator or StaffSupport
	Rights       []string // the chosen functions, as "module:read" or "module:write"; nil is full access
	State        string
	AddedAt      time.Time
	SecondFactor bool // they have one, without which they get in nowhere
}

// StaffByPerson finds someone on the staff, as they are at this moment. It fails with ErrNotStaff for who is not, or
// is denied access.
func StaffByPerson(ctx context.Context, tx *tenant.PlatformTx, person tenant.PersonID) (StaffMember, error) {
	m, err := selectStaffByID(ctx, tx, person)
	if errors.Is(err, tenant.ErrNoRows) || err == nil && m.State != StaffActive {
		return StaffMember{}, ErrNotStaff
	}
	return m, err
}

// PersonAt finds a person by their address in its normal form. It fails with ErrNoPerson.
func PersonAt(ctx context.Context, tx *tenant.PlatformTx, address string) (tenant.Person, error) {
	p, err := selectPersonAt(ctx, tx, address)
	if errors.Is(err, tenant.ErrNoRows) {
		return tenant.Person{}, ErrNoPerson
	}
	return p, err
}

// ListStaff gives all of the staff by name, those who are denied access among them.
func ListStaff(ctx context.Context, tx *tenant.PlatformTx) ([]StaffMember, error) {
	return selectStaff(ctx, tx)
}

// SetStaff puts someone on the staff, or changes their role, functions or state. What they were let in to before ends,
// since it was given to who they were then; all of it holds from their next request on. by is who does it; the zero
// person is the operator's command line. It fails with ErrStaffRole, ErrStaffRights, ErrStaffSelf and ErrLastStaff.
func SetStaff(ctx context.Context, tx *tenant.PlatformTx, by tenant.PersonID, m StaffMember) error {
	if !slices.ContainsFunc(staffRoles, func(r Role) bool { return r.Name == m.Role }) {
		return ErrStaffRole
	}
	known := StaffScopes()
	if m.Rights != nil && len(m.Rights) == 0 || slices.ContainsFunc(m.Rights, func(s string) bool { return !slices.Contains(known, s) }) {
		return ErrStaffRights
	}
	if by == m.Person.ID {
		return ErrStaffSelf
	}
	if err := lockStaff(ctx, tx); err != nil {
		return err
	}
	if !by.IsZero() { // who changes it may have been denied access while waiting
		if mine, err := StaffByPerson(ctx, tx, by); err != nil {
			return err
		} else if mine.Role != StaffAdministrator {
			return ErrStaffForbidden
		}
	}
	if err := upsertStaff(ctx, tx, m); err != nil {
		return err
	}
	if !by.IsZero() { // the command line may begin anew
		left, err := countFullAdministrators(ctx, tx)
		if err != nil {
			return err
		}
		if left == 0 {
			return ErrLastStaff
		}
	}
	detail := m.Role + ", full access"
	if m.Rights != nil {
		detail = m.Role + ", " + strings.Join(m.Rights, " ")
	}
	return recordStaff(ctx, tx, by, tenant.Act{Action: "staff." + m.State, Object: "staff", ID: m.Person.ID.UUID, Detail: detail})
}

// SetStaffState denies someone of the staff access, or allows it again. It fails as SetStaff does, and with
// ErrStaffUnknown.
func SetStaffState(ctx context.Context, tx *tenant.PlatformTx, by, person tenant.PersonID, state string) error {
	m, err := selectStaffByID(ctx, tx, person)
	if errors.Is(err, tenant.ErrNoRows) {
		return ErrStaffUnknown
	} else if err != nil {
		return err
	}
	m.State = state
	return SetStaff(ctx, tx, by, m)
}

// StaffOrganization is what staff may know of an organization: no name, no people, no books.
type StaffOrganization struct {
	Slug        string
	State       string
	Compartment int
	CreatedAt   time.Time
}

// ListStaffOrganizations gives a page of the organizations that there are, by address, after the one that is named.
func ListStaffOrganizations(ctx context.Context, tx *tenant.PlatformTx, after string, limit int) ([]StaffOrganization, error) {
	return selectStaffOrganizations(ctx, tx, after, limit)
}
