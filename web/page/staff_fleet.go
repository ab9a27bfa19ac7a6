package page

import (
	"time"

	"github.com/countinghouse/countinghouse/authz"
)

// StaffFleet is the data of "staff-fleet".
type StaffFleet struct {
	StaffShell
	URL               string     // of the page itself
	Version, Platform int64      // of an organization's schema and of the platform's tables
	Last              *time.Time // when a migration was last done; nil for never
	Compartments      []FleetCompartment
	Failed            int // how many could not be brought forward
	Failures          []FleetFailure
	Server, Size      string // of the database
	Connections, Most int
	Spare             bool // it follows another database
	Parts             []FleetPart
}

// FleetCompartment counts the schemas of a compartment.
type FleetCompartment struct{ ID, Organizations, Ready, Behind int }

// FleetFailure is why a schema stays on its version. Slug is empty where nobody has claimed it.
type FleetFailure struct {
	Slug, Schema, SQLState, Reason string
	Version                        int64
	At                             time.Time
}

// FleetPart is a part that the service stands on.
type FleetPart struct {
	Name string
	OK   bool
}

// Total is how many schemas there are.
func (f StaffFleet) Total() (n int) {
	for _, c := range f.Compartments {
		n += c.Organizations + c.Ready
	}
	return n
}

// Behind is how many of them lack migrations.
func (f StaffFleet) Behind() (n int) {
	for _, c := range f.Compartments {
		n += c.Behind
	}
	return n
}

// Done is how many lack none.
func (f StaffFleet) Done() int { return f.Total() - f.Behind() }

// StaffOrganizationRow is an organization in the staff's list: its schema's version and size too.
type StaffOrganizationRow struct {
	authz.StaffOrganization
	Version int64
	Behind  bool
	Size    string
}
