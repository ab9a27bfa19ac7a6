package page

import (
	"strings"
	"time"

	"github.com/countinghouse/countinghouse/authz"
	"github.com/countinghouse/countinghouse/internal/jobs"
)

// StaffShell is what every page of the staff's console needs; the data of such a page embeds it.
type StaffShell struct {
	Title  string
	Nav    string // which entry of the navigation is current: "visits"
	Person Person
	Flash  Flash
	Now    time.Time // in UTC: staff serve all time zones
	// May says whether the reader holds a right of staff ("visits:create"). It is no protection. Nil is nothing.
	May func(right string) bool
}

// Can is May for templates.
func (s StaffShell) Can(right string) bool { return s.May != nil && s.May(right) }

// staffNavigation is every way through the console, in the order of the sidebar. Who may not read what an entry leads
// to is not shown it.
var staffNavigation = []navItem{
	{key: "visits", label: "Support visits", icon: "eye", path: []any{"visits"}, right: "visits:read"},
	{key: "organizations", label: "Organizations", icon: "building-2", path: []any{"organizations"}, right: "organizations:read"},
	{key: "plans", label: "Plans", icon: "package", path: []any{"plans"}, right: "plans:read"},
	{key: "events", label: "Security events", icon: "shield-alert", path: []any{"events"}, right: "events:read"},
	{key: "fleet", label: "Fleet", icon: "book-lock", path: []any{"fleet"}, right: "fleet:read"},
	{key: "jobs", label: "Jobs", icon: "history", path: []any{"jobs"}, right: "jobs:read"},
	{key: "people", label: "Staff", icon: "user-round", path: []any{"people"}, right: "staff:read"},
	{key: "settings", label: "Settings", icon: "settings", path: []any{"settings"}, right: "platform_settings:read"},
}

// Ways are the entries of the navigation that the reader may go.
func (s StaffShell) Ways() []NavEntry {
	var shown []NavEntry
	for _, item := range staffNavigation {
		if s.Can(item.right) {
			shown = append(shown, NavEntry{Label: item.label, Icon: item.icon, URL: joinPath("/staff", item.path...), Current: s.Nav == item.key})
		}
	}
	return shown
}

// StaffHome is the data of "staff-home".
type StaffHome struct {
	StaffShell
	Role authz.Role
}

// StaffPlace is a way from the first page of the console, and what one does there.
type StaffPlace struct {
	NavEntry
	Say string
}

var staffSays = map[string]string{
	"Support visits":  "Ask to be let in, enter where you were, see what waits for an answer.",
	"Organizations":   "Which there are, how large they are, and in which compartment they lie.",
	"Plans":           "What organizations pay and how each stands with it.",
	"Security events": "What looks like an attack, and what became of it.",
	"Fleet":           "How schemas, database and keys stand at this moment.",
	"Jobs":            "What is done in the background, and what failed at it.",
	"Staff":           "Who is on the staff, and what they may do.",
	"Settings":        "Passwords, puzzles, recovery and how long things are kept, for everyone.",
}

// Places are the ways that the reader may go, with what they are for.
func (h StaffHome) Places() []StaffPlace {
	var all []StaffPlace
	for _, way := range h.Ways() {
		all = append(all, StaffPlace{way, staffSays[way.Label]})
	}
	return all
}

// StaffOrganizations is the data of "staff-organizations".
type StaffOrganizations struct {
	StaffShell
	Items []StaffOrganizationRow
	More  string // the address of the next part; may be empty
}

// StaffJobs is the data of "staff-jobs". Its filter sends standing and kind.
type StaffJobs struct {
	StaffShell
	Form           Form // of a button that was refused
	Standing, Kind string
	Standings      []Option
	Kinds          []Option
	Items          []JobRow
	More           string // the address of the next part; may be empty
}

// JobRow is a background job, and what can be done about it.
type JobRow struct {
	jobs.Status
	Acts []Act
}

// StaffPeople is the data of "staff-people". Its form sends email, role and rights.
type StaffPeople struct {
	StaffShell
	Form   Form
	Items  []StaffRow
	Roles  []Option
	Scopes []Option
}

// StaffRow is someone on the staff, and what can be done about it.
type StaffRow struct {
	authz.StaffMember
	Acts []Act
}

// RoleTitle names a role of staff.
func (r StaffRow) RoleTitle() string { return staffRole(r.Role).Title }

// May says what they may do where that is less than their role.
func (r StaffRow) May() string {
	var said []string
	for _, scope := range r.Rights {
		said = append(said, authz.SayStaffScope(scope))
	}
	return strings.Join(said, ", ")
}

func staffRole(name string) authz.Role {
	for _, role := range authz.StaffRoles() {
		if role.Name == name {
			return role
		}
	}
	return authz.Role{Name: name, Title: name}
}
