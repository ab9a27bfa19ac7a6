package page

import (
	"slices"
	"strings"
	"testing"

	"github.com/countinghouse/countinghouse/authz"
	"github.com/countinghouse/countinghouse/internal/fault"
)

func sampleStaffShell(title, nav string) StaffShell {
	return StaffShell{Title: title, Nav: nav, Person: mara, Flash: Flash{Say: "Saved."}, Now: now, May: func(string) bool { return true }}
}

func staffSamples() map[string]any {
	member := func(state string, factor bool, rights ...string) authz.StaffMember {
		m := authz.StaffMember{Role: authz.StaffSupport, Rights: rights, State: state, AddedAt: now, SecondFactor: factor}
		m.Person.Name, m.Person.Email = "Nadia Brandt", "nadia@countinghouse.example"
		return m
	}
	form := refused(NewForm("email", "nadia", "rights", "visits:read"), fault.New(fault.Invalid, "email.shape", "No.").At("email"), authz.ErrStaffRights)
	return map[string]any{
		"staff-home":          StaffHome{sampleStaffShell("Staff console", ""), authz.StaffRoles()[0]},
		"staff-organizations": StaffOrganizations{sampleStaffShell("Organizations", "organizations"), []authz.StaffOrganization{{Slug: "tidewater", State: "active", Compartment: 1, CreatedAt: now}, {Slug: "elm", State: "suspended", Compartment: 2, CreatedAt: now}}, "/staff/organizations?after=elm"},
		"staff-people": StaffPeople{sampleStaffShell("Staff", "people"), form, []StaffRow{{member("active", true), []Act{sampleAct()}}, {member("denied", false, "visits:read", "jobs:write"), nil}},
			[]Option{{Value: "support", Label: "Support"}}, []Option{{Value: "visits:read", Label: "visits:read"}}},
	}
}

func TestStaffNavigationLeadsWhereItsReaderMayGo(t *testing.T) {
	t.Parallel()
	shell := sampleStaffShell("Staff console", "")
	shell.May = func(right string) bool { return slices.Contains([]string{"organizations:read"}, right) }
	html := drawn(t, set, "staff-home", StaffHome{shell, authz.StaffRoles()[1]})
	if !strings.Contains(html, `href="/staff/organizations"`) || strings.Contains(html, `href="/staff/people"`) {
		t.Errorf("the navigation: %s", html)
	}
	for _, item := range staffNavigation {
		if _, ok := authz.ParseStaffRight(item.right); !ok {
			t.Errorf("%s asks for %q, which is no right of staff", item.key, item.right)
		}
	}
}
