package authz

import (
	"context"
	"errors"
	"testing"

	"github.com/countinghouse/countinghouse/tenant"
	"github.com/countinghouse/countinghouse/tenant/tenanttest"
)

var compiledStaff = func() *StaffPolicy {
	p, err := CompileStaff()
	if err != nil {
		panic(err)
	}
	return p
}()

func TestStaffPolicy(t *testing.T) {
	t.Parallel()
	support := map[string]bool{"home:read": true, "organizations:read": true, "visits:read": true, "visits:create": true}
	for right := range staffNames {
		name := right.String()
		for _, c := range []struct {
			what string
			m    StaffMember
			want bool
		}{
			{"an administrator", StaffMember{Role: StaffAdministrator, State: StaffActive}, true},
			{"a denied administrator", StaffMember{Role: StaffAdministrator, State: StaffDenied}, false},
			{"someone without a state", StaffMember{Role: StaffAdministrator}, false},
			{"support", StaffMember{Role: StaffSupport, State: StaffActive}, support[name]},
			{"an owner of an organization", StaffMember{Role: Owner, State: StaffActive}, false},
			{"an administrator for jobs alone", StaffMember{Role: StaffAdministrator, State: StaffActive, Rights: []string{"jobs:write", "events:read"}},
				right.Module == StaffJobs || name == "events:read" || name == "home:read"},
			{"support with a function that its role lacks", StaffMember{Role: StaffSupport, State: StaffActive, Rights: []string{"staff:write"}}, name == "home:read"},
			{"support with no function", StaffMember{Role: StaffSupport, State: StaffActive, Rights: []string{}}, name == "home:read"},
		} {
			if got := compiledStaff.Decide(c.m, right); got.Allowed != c.want {
				t.Errorf("%s, %s: %+v", c.what, name, got)
			}
		}
		// Two spaces of roles: no right of staff is one in an organization, save in name.
		if _, ok := ParseRight(name); ok {
			t.Errorf("%s is a right in organizations too", name)
		}
	}
	if compiledStaff.Decide(StaffMember{Role: StaffAdministrator, State: StaffActive}, StaffRight{"invoices", Read}).Allowed {
		t.Error("an administrator of the platform may read invoices")
	}
	for _, role := range StaffRoles() {
		if role.Name != "administrator" && compiled.Decide(role.Name, nil, false, Right{Invoices, Read}).Allowed {
			t.Errorf("the role %s of staff opens an organization", role.Name)
		}
	}
	if _, err := compileStaff("p, support, invoices, read, *, allow"); err == nil {
		t.Error("a rule about an organization's module was taken")
	}
}

func setStaff(t *testing.T, by tenant.PersonID, m StaffMember) error {
	t.Helper()
	return tenant.DoPlatform(context.Background(), tenanttest.DB(), func(tx *tenant.PlatformTx) error {
		return SetStaff(context.Background(), tx, by, m)
	})
}

func TestSetStaff(t *testing.T) { // not beside others: it counts administrators
	ctx, db := context.Background(), tenanttest.DB()
	boss, _ := tenanttest.NewPerson(t, db)
	nadia, _ := tenanttest.NewPerson(t, db)
	stranger, _ := tenanttest.NewPerson(t, db)
	administrator := StaffMember{Person: boss, Role: StaffAdministrator, State: StaffActive}
	support := StaffMember{Person: nadia, Role: StaffSupport, State: StaffActive}
	if err := setStaff(t, tenant.PersonID{}, administrator); err != nil {
		t.Fatal(err)
	}
	if err := setStaff(t, boss.ID, support); err != nil {
		t.Fatal(err)
	}
	for what, c := range map[string]struct {
		by   tenant.PersonID
		m    StaffMember
		want error
	}{
		"a role of an organization":   {boss.ID, StaffMember{Person: nadia, Role: "owner", State: StaffActive}, ErrStaffRole},
		"a function that is none":     {boss.ID, StaffMember{Person: nadia, Role: StaffSupport, Rights: []string{"invoices:read"}, State: StaffActive}, ErrStaffRights},
		"no function at all":          {boss.ID, StaffMember{Person: nadia, Role: StaffSupport, Rights: []string{}, State: StaffActive}, ErrStaffRights},
		"oneself":                     {nadia.ID, StaffMember{Person: nadia, Role: StaffAdministrator, State: StaffActive}, ErrStaffSelf},
		"by support":                  {nadia.ID, StaffMember{Person: boss, Role: StaffSupport, State: StaffActive}, ErrStaffForbidden},
		"by someone not on the staff": {stranger.ID, support, ErrNotStaff},
	} {
		if err := setStaff(t, c.by, c.m); !errors.Is(err, c.want) {
			t.Errorf("%s: got %v", what, err)
		}
	}
	second := StaffMember{Person: nadia, Role: StaffAdministrator, Rights: []string{"staff:write"}, State: StaffActive}
	if err := setStaff(t, boss.ID, second); err != nil {
		t.Fatal(err)
	}
	if err := setStaff(t, nadia.ID, StaffMember{Person: boss, Role: StaffSupport, State: StaffActive}); !errors.Is(err, ErrLastStaff) {
		t.Errorf("the last administrator with full access is demoted: %v", err)
	}
	err := tenant.DoPlatform(ctx, db, func(tx *tenant.PlatformTx) error {
		if err := SetStaffState(ctx, tx, boss.ID, nadia.ID, StaffDenied); err != nil {
			return err
		}
		if _, err := StaffByPerson(ctx, tx, nadia.ID); !errors.Is(err, ErrNotStaff) {
			t.Errorf("denied, and found: %v", err)
		}
		var kept []string
		if err := tx.Select(ctx, &kept, `SELECT action FROM platform.staff_log WHERE object_id = $1 ORDER BY id`, nadia.ID); err != nil {
			return err
		}
		if len(kept) != 3 || kept[2] != "staff.denied" {
			t.Errorf("on record: %q", kept)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := setStaff(t, nadia.ID, StaffMember{Person: boss, Role: StaffSupport, State: StaffActive}); !errors.Is(err, ErrNotStaff) {
		t.Errorf("who is denied access changes the staff: %v", err)
	}
}
