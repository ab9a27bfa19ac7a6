package page

import (
	"strings"
	"testing"
	"time"

	"github.com/countinghouse/countinghouse/authz"
	"github.com/countinghouse/countinghouse/internal/fault"
	"github.com/countinghouse/countinghouse/internal/id"
)

func samplePeople(title string, faults ...*fault.Error) People {
	form := refused(NewForm("name", "Front desk <b>", "role", "bookkeeper", "rights", "invoices:read", "email", "tim@tidewater.example", "version", "3"), faults...)
	form.Key = "k"
	return People{Shell: sampleShell(title, "people"), Form: form, Tabs: sampleTabs()}
}

func sampleMember() authz.Member {
	m := authz.Member{Role: "bookkeeper", Title: "Bookkeeper", State: "active", JoinedAt: now}
	m.Person.Name, m.Person.Email = "Tim Goyer", "tim@tidewater.example"
	return m
}

func peopleSamples() map[string]any {
	taken := fault.New(fault.Conflict, "role.name_taken", "There is a role of this name already.").At("name")
	roles := []Option{{Value: "bookkeeper", Label: "Bookkeeper", Group: "Ready-made"}, {Value: "own:x", Label: "Front desk", Group: "Your own"}}
	front := authz.OwnRole{ID: id.New[authz.OwnRole](), Name: "Front desk <b>", Ticks: authz.Ticks{Rights: []authz.Right{{Module: authz.Invoices, Action: authz.Read}}}, Members: 2, Version: 3}
	columns, grid := NewGrid(func(r authz.Right) bool { return r.Module != authz.Bills })
	denied := sampleMember()
	denied.State = "denied"
	open := authz.Invitation{ID: id.New[authz.Invitation](), Kind: authz.Handover, Email: "tim@tidewater.example", Role: "owner", RoleTitle: "Owner", InviterName: "Mara", SentAt: now, ExpiresAt: now.Add(6 * 24 * time.Hour)}
	offer := authz.Offer{Organization: "Tidewater <Studios>", Kind: authz.Join, Email: "tim@tidewater.example", RoleTitle: "Front desk", InviterName: "Mara Lindqvist"}
	return map[string]any{
		"members":     Members{People: samplePeople("People"), Items: []MemberRow{{sampleMember(), true}, {denied, false}}, Count: 2, Pager: Pager{Older: "/x", ByName: true}},
		"member":      MemberPage{People: samplePeople("Tim Goyer", authz.ErrLastOwner), Member: MemberRow{sampleMember(), false}, Roles: roles, Acts: []Act{sampleAct()}, Offer: []Act{sampleAct()}},
		"invitations": Invitations{People: samplePeople("Invited people"), Items: []InvitationRow{{open, "member_invited", []Act{sampleAct()}}, {open, "expired", nil}}},
		"invite":      Invite{People: samplePeople("Invite someone", authz.ErrInvited), Roles: roles},
		"roles":       Roles{People: samplePeople("Roles"), Own: []authz.OwnRole{front, {ID: id.New[authz.OwnRole](), Name: "All", Ticks: authz.Ticks{Full: true}}}, Ready: authz.ReadyMade()},
		"role-edit":   RoleForm{People: samplePeople("Front desk", taken, authz.ErrTicks), Action: "/x", Does: "Save role", Role: &front, Columns: columns, Grid: grid, Full: true, Editable: true, Acts: []Act{sampleAct()}},
		"rights": RightsOf{People: samplePeople("What Bookkeeper may do"), Roles: roles, May: 1, Rows: []RightRow{{"Invoices", "issue invoices", "invoices:approve", true, "bookkeeper, invoices, *, *, allow"}, {"Bills", "approve and pay bills", "bills:approve", false, ""}},
			Persons: []Option{{Value: "1", Label: "Mara Lindqvist"}}, Rights: []Option{{Value: "bills:approve", Label: "approve bills", Group: "Bills"}}, Who: "Mara Lindqvist", GrantURL: "/x",
			Answer: &authz.Answer{Right: authz.Right{Module: authz.Bills, Action: authz.Approve}, Rule: "bookkeeper, bills, *, *, deny", Say: "A rule forbids it."}},
		"join": Join{Gate: Gate{Title: "Join Tidewater", Person: nobody}, Form: refused(NewForm("token", "t0ken", "name", ""), fault.New(fault.Invalid, "text.missing", "This cannot be empty.").At("name")), Offer: offer, Way: "new", PasswordHint: "At least 12 characters."},
	}
}

func TestTheGridHasABoxForEveryRight(t *testing.T) {
	t.Parallel()
	columns, rows := NewGrid(func(r authz.Right) bool { return r.Module != authz.Bills })
	boxes := map[string]GridCell{}
	for _, row := range rows {
		if len(row.Cells) != len(columns) {
			t.Errorf("%s has %d cells under %d heads", row.Name, len(row.Cells), len(columns))
		}
		for _, cell := range row.Cells {
			if cell.Right != "" {
				boxes[cell.Right] = cell
			}
		}
	}
	for _, group := range authz.Rights() {
		for _, grant := range group.Rights {
			cell, ok := boxes[grant.Right.String()]
			if !ok || !strings.EqualFold(cell.Name, grant.Name) || cell.Fixed != (grant.Right.Module == authz.Bills) {
				t.Errorf("%s: %+v", grant.Right, cell)
			}
			delete(boxes, grant.Right.String())
		}
	}
	if len(boxes) > 0 {
		t.Errorf("boxes for no right: %v", boxes)
	}
}

func TestARoleIsEditedWithinWhatItsEditorHolds(t *testing.T) {
	t.Parallel()
	html := drawn(t, set, "role-edit", peopleSamples()["role-edit"])
	if !strings.Contains(html, `value="invoices:read" checked`) || strings.Contains(html, `value="bills:`) || !strings.Contains(html, "not yours to give") {
		t.Error("a box that the editor may not tick can be ticked, or one that is ticked is not shown so")
	}
	joins := map[string]string{"join": `action="/join"`, "sign-in": "Sign in to go on", "other": "Sign out", "new": `name="password"`}
	for way, want := range joins {
		data := peopleSamples()["join"].(Join)
		data.Way = way
		if html := drawn(t, set, "join", data); !strings.Contains(html, want) {
			t.Errorf("%s does not show %s", way, want)
		}
	}
}
