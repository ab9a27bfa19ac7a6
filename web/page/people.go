package page

import "github.com/countinghouse/countinghouse/authz"

// People is what the pages about members, invitations and roles have in common.
type People struct {
	Shell
	Form Form
	Tabs Tabs
}

// Members is the data of "members".
type Members struct {
	People
	Items []MemberRow
	Count int
	Pager Pager
}

// MemberRow is one member of the list.
type MemberRow struct {
	authz.Member
	You bool
}

// Initials are two letters for the avatar.
func (m MemberRow) Initials() string {
	return Person{Name: m.Person.Name, Email: m.Person.Email}.Initials()
}

// MemberPage is the data of "member". Its form sends role.
type MemberPage struct {
	People
	Member MemberRow
	Roles  []Option // that the reader may give; none where they may not change this member
	Acts   []Act
	Offer  []Act // to hand the organization over
}

// Invitations is the data of "invitations".
type Invitations struct {
	People
	Items []InvitationRow
}

// InvitationRow is one of those that are not over.
type InvitationRow struct {
	authz.Invitation
	State string // member_invited or expired
	Acts  []Act
}

// Invite is the data of "invite". Its form sends email and role.
type Invite struct {
	People
	Roles []Option
}

// Roles is the data of "roles".
type Roles struct {
	People
	Own   []authz.OwnRole
	Ready []authz.Role
}

// RoleForm is the data of "role-edit". Its form sends name, rights (each as often as it is ticked), and version.
type RoleForm struct {
	People
	Action, Does string
	Role         *authz.OwnRole // nil for a new one
	Columns      []string
	Grid         []GridRow
	Full         bool // the reader may tick it
	Editable     bool
	Acts         []Act
}

// GridRow is one module of the grid of rights.
type GridRow struct {
	Name  string
	Cells []GridCell
}

// GridCell is one box of it.
type GridCell struct {
	Right  string // "invoices:read"; empty where there is no such right
	Name   string // "see invoices"
	Column string
	Fixed  bool // the reader does not hold it, and cannot give it
}

// RightsOf is the data of "rights": what a role may do, and why.
type RightsOf struct {
	People
	Role   string // what it is called
	Member string // whose it is; may be empty
	Roles  []Option
	Rows   []RightRow
	May    int
	// Whether one person may do one thing: form person and right.
	Persons  []Option
	Rights   []Option
	Who      string        // that was asked about
	Answer   *authz.Answer // nil: nothing was asked
	GrantURL string        // of the support access that decides; may be empty
}

// RightRow is one right of it.
type RightRow struct {
	Module, Name, Right string
	Allowed             bool
	Rule                string
}

// Join is the data of "join", where a mailed invitation leads. Its form sends token, and name and password for an
// address that has no account yet.
type Join struct {
	Gate
	Form         Form
	Offer        authz.Offer
	Handover     bool
	Way          string // join, sign-in, other (somebody else is signed in), new
	SignIn       string // the address of the sign-in that leads back here
	PasswordHint string
}

// gridColumns are the actions of the grid as people read them.
var gridColumns = []struct {
	action authz.Action
	name   string
}{{authz.Read, "See"}, {authz.Create, "Create"}, {authz.Change, "Change"}, {authz.Delete, "Delete"}, {authz.Approve, "Approve"}, {authz.Export, "Export"}}

// NewGrid is the grid of all rights there are. can says which of them the reader can give.
func NewGrid(can func(authz.Right) bool) (columns []string, rows []GridRow) {
	for _, c := range gridColumns {
		columns = append(columns, c.name)
	}
	for _, group := range authz.Rights() {
		row := GridRow{Name: group.Name}
		for _, c := range gridColumns {
			cell := GridCell{Column: c.name}
			for _, grant := range group.Rights {
				if grant.Right.Action == c.action {
					cell.Right, cell.Name, cell.Fixed = grant.Right.String(), capital(grant.Name), !can(grant.Right)
				}
			}
			row.Cells = append(row.Cells, cell)
		}
		rows = append(rows, row)
	}
	return columns, rows
}
