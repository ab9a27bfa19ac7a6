package authz

import (
	_ "embed"
	"fmt"
	"slices"
	"strings"

	"github.com/countinghouse/countinghouse/internal/fault"
)

//go:embed staff.csv
var staffText string

// StaffModule is a part of the platform that its staff have rights for. It is a type of its own, so that no right of
// staff can be named where a right in an organization is wanted.
type StaffModule string

// The modules of the platform, in the order of its navigation.
const (
	StaffHome          StaffModule = "home"
	StaffOrganizations StaffModule = "organizations"
	StaffPlans         StaffModule = "plans"
	StaffVisits        StaffModule = "visits"
	StaffEvents        StaffModule = "events"
	StaffJobs          StaffModule = "jobs"
	StaffFleet         StaffModule = "fleet"
	StaffSettings      StaffModule = "platform_settings"
	StaffPeople        StaffModule = "staff"
)

// StaffRight is one thing that staff may or may not do. The zero StaffRight is none.
type StaffRight struct {
	Module StaffModule
	Action Action
}

// String writes it as "visits:create".
func (r StaffRight) String() string { return string(r.Module) + ":" + string(r.Action) }

// Name says it in plain words that go after "may"; "" for what is no right.
func (r StaffRight) Name() string { return staffNames[r] }

// ParseStaffRight reads "module:action"; ok is false for anything that is not a right of staff.
func ParseStaffRight(s string) (r StaffRight, ok bool) {
	module, action, _ := strings.Cut(s, ":")
	r = StaffRight{StaffModule(module), Action(action)}
	_, ok = staffNames[r]
	return r, ok
}

// staffGrid is the one list of what staff can do.
var staffGrid = []struct {
	module StaffModule
	name   string
	boxes  []box
}{
	{StaffHome, "Console", []box{{Read, "open the staff console"}}},
	{StaffOrganizations, "Organizations", []box{{Read, "see which organizations there are"}, {Change, "suspend organizations"}}},
	{StaffPlans, "Plans", []box{{Read, "see plans and how organizations stand"}, {Change, "define plans and put organizations on them"}}},
	{StaffVisits, "Visits", []box{{Read, "see their own requests and visits"}, {Create, "ask to be let in to an organization"}}},
	{StaffEvents, "Security events", []box{{Read, "see security events"}, {Change, "settle security events"}}},
	{StaffJobs, "Jobs", []box{{Read, "see background jobs"}, {Change, "retry and cancel background jobs"}}},
	{StaffFleet, "Fleet", []box{{Read, "see the state of the fleet"}, {Change, "change the fleet"}}},
	{StaffSettings, "Platform settings", []box{{Read, "see the platform's settings"}, {Change, "change the platform's settings"}}},
	{StaffPeople, "Staff", []box{{Read, "see who is on the staff"}, {Change, "add staff and deny them access"}}},
}

var staffNames = func() map[StaffRight]string {
	all := map[StaffRight]string{}
	for _, row := range staffGrid {
		for _, b := range row.boxes {
			all[StaffRight{row.module, b.action}] = b.name
		}
	}
	return all
}()

// The roles of staff.
const (
	StaffAdministrator = "administrator"
	StaffSupport       = "support"
)

var staffRoles = []Role{
	{StaffAdministrator, "Administrator", "Runs the platform. Sees no organization's books unless its owner lets them in."},
	{StaffSupport, "Support", "Asks organizations to be let in, and helps within what they allow."},
}

// StaffRoles lists the roles that staff can have.
func StaffRoles() []Role { return slices.Clone(staffRoles) }

// StaffPolicy holds every verdict of the roles of staff. It never changes, and is safe for concurrent use.
type StaffPolicy struct {
	roles map[string]map[StaffRight]Verdict
}

// CompileStaff asks Casbin once for every role and right of staff, in a policy apart from that of organizations.
func CompileStaff() (*StaffPolicy, error) { return compileStaff(staffText) }

func compileStaff(text string) (*StaffPolicy, error) {
	known := [][]string{{"p"}, nil, nil, nil, {"no"}, {"allow", "deny"}}
	for _, role := range staffRoles {
		known[1] = append(known[1], role.Name)
	}
	for right := range staffNames {
		known[2], known[3] = append(known[2], string(right.Module)), append(known[3], string(right.Action))
	}
	rules, err := readRules(text, known)
	if err != nil {
		return nil, err
	}
	enforcer, err := newEnforcer(rules)
	if err != nil {
		return nil, err
	}
	p := &StaffPolicy{roles: map[string]map[StaffRight]Verdict{}}
	for _, role := range known[1] {
		p.roles[role] = map[StaffRight]Verdict{}
		for right, name := range staffNames {
			allowed, rule, err := enforcer.EnforceEx(role, string(right.Module), string(right.Action), "no")
			if err != nil {
				return nil, fmt.Errorf("deciding %s for staff %s: %w", right, role, err)
			}
			p.roles[role][right] = Verdict{allowed, fmt.Sprintf("%s, %s, by the rule %q", role, name, strings.Join(rule, ", "))}
		}
	}
	return p, nil
}

// Decide says whether someone of the staff may do what right names: their role allows it, and where they have chosen
// functions alone, those reach it too. Who is denied access may do nothing.
func (p *StaffPolicy) Decide(m StaffMember, right StaffRight) Verdict {
	v, ok := p.roles[m.Role][right]
	switch {
	case m.State != StaffActive:
		return Verdict{Reason: "access is denied"}
	case !ok:
		return Verdict{Reason: "there is no such role or right"}
	case v.Allowed && right.Module != StaffHome && m.Rights != nil && !admitsModule(m.Rights, string(right.Module), right.Action):
		return Verdict{Reason: "the chosen functions do not reach it"}
	}
	return v
}

// ErrStaffForbidden refuses what someone of the staff may not do.
var ErrStaffForbidden = fault.New(fault.Forbidden, "staff.right_missing", "Your role on the staff does not let you do this. An administrator can change it.")

// StaffForbidden is ErrStaffForbidden for one right, in plain words.
func StaffForbidden(r StaffRight) error {
	return ErrStaffForbidden.Sayf("You may not %s (%s). An administrator of the platform can let you.", r.Name(), r)
}

// StaffScopes lists every function that can be chosen: "visits:read", "visits:write".
func StaffScopes() []string {
	var all []string
	for _, row := range staffGrid {
		if row.module == StaffHome {
			continue // whoever is on the staff has it
		}
		all = append(all, string(row.module)+":read")
		if len(row.boxes) > 1 {
			all = append(all, string(row.module)+":write")
		}
	}
	return all
}

// SayStaffScope says in plain words what a function that can be chosen lets one do: "see background jobs". What is none of
// them is given as it is.
func SayStaffScope(scope string) string {
	module, way, _ := strings.Cut(scope, ":")
	for _, row := range staffGrid {
		if string(row.module) != module {
			continue
		}
		boxes := row.boxes[:1]
		if way == "write" {
			boxes = row.boxes[1:]
		}
		var names []string
		for _, b := range boxes {
			names = append(names, b.name)
		}
		return strings.Join(names, " and ")
	}
	return scope
}
