package web

import (
	"context"
	"net/http"
	"net/url"

	"github.com/gofiber/fiber/v2"

	"github.com/countinghouse/countinghouse/authz"
	"github.com/countinghouse/countinghouse/identity"
	"github.com/countinghouse/countinghouse/tenant"
	"github.com/countinghouse/countinghouse/web/page"
)

// staffVisit is a request for a page of the staff's console. It is in no organization and can enter none.
type staffVisit struct {
	server *Server
	c      *fiber.Ctx
	ctx    context.Context
	staff  authz.StaffMember
}

// staff registers a page at /staff + path, with the right of staff that it needs. Who is not on the staff finds nothing
// there; who has no second factor is led to set one up and gets nothing else. Both are asked anew at every request.
func (s *Server) staff(method, path string, right authz.StaffRight, show func(v *staffVisit) error) {
	route := Route{Method: method, Path: "/staff" + path, Staff: right}
	s.routes = append(s.routes, route)
	s.answer(method, route.Path, func(c *fiber.Ctx) error {
		v := &staffVisit{server: s, c: c, ctx: c.UserContext()}
		person, err := s.person(v.ctx, c)
		if err != nil {
			return err
		}
		err = v.run(func(tx *tenant.PlatformTx) (err error) {
			v.staff, err = authz.StaffByPerson(v.ctx, tx, person.ID)
			return err
		})
		if err != nil {
			return err
		}
		if !v.staff.SecondFactor {
			say(c, "Staff sign in with a second step. Set one up to go on.")
			return c.Redirect(secondFactorPath, http.StatusSeeOther)
		}
		if !v.may(right) {
			return authz.StaffForbidden(right)
		}
		return show(v)
	})
}

func staffTo(action authz.Action, module authz.StaffModule) authz.StaffRight {
	return authz.StaffRight{Module: module, Action: action}
}

func (v *staffVisit) may(right authz.StaffRight) bool {
	return v.server.staffPolicy.Decide(v.staff, right).Allowed
}

// run runs fn on the platform's tables.
func (v *staffVisit) run(fn func(tx *tenant.PlatformTx) error) error {
	return tenant.DoPlatform(v.ctx, v.server.DB, fn)
}

// frame is what every page of the console shows.
func (v *staffVisit) frame(title, nav string) page.StaffShell {
	return page.StaffShell{Title: title, Nav: nav, Person: personPage(v.staff.Person), Flash: said(v.c), Now: v.server.DB.Now(),
		May: func(name string) bool {
			right, ok := authz.ParseStaffRight(name)
			return ok && v.may(right)
		}}
}

func (s *Server) registerStaffPages() {
	s.registerStaffJobPages()
	s.registerStaffFleetPages()
	s.registerStaffPlanPages()
	s.staff("GET", "", staffTo(authz.Read, authz.StaffHome), showStaffHome)
	s.staff("GET", "/organizations", staffTo(authz.Read, authz.StaffOrganizations), showStaffOrganizations)
	s.staff("GET", "/people", staffTo(authz.Read, authz.StaffPeople), func(v *staffVisit) error {
		return showStaffPeople(v, http.StatusOK, page.NewForm("role", authz.StaffSupport))
	})
	s.staff("GET", "/settings", staffTo(authz.Read, authz.StaffSettings), func(v *staffVisit) error {
		return showStaffSettings(v, http.StatusOK, nil)
	})
	s.staff("POST", "/settings", staffTo(authz.Change, authz.StaffSettings), sendStaffSettings)
	s.staff("POST", "/people", staffTo(authz.Change, authz.StaffPeople), sendStaffPerson)
	s.staff("POST", "/people/:id/deny", staffTo(authz.Change, authz.StaffPeople), func(v *staffVisit) error {
		return sendStaffState(v, authz.StaffDenied, "Access denied.")
	})
	s.staff("POST", "/people/:id/allow", staffTo(authz.Change, authz.StaffPeople), func(v *staffVisit) error {
		return sendStaffState(v, authz.StaffActive, "Access allowed again.")
	})
}

func showStaffHome(v *staffVisit) error {
	data := page.StaffHome{StaffShell: v.frame("Staff console", "")}
	for _, role := range authz.StaffRoles() {
		if role.Name == v.staff.Role {
			data.Role = role
		}
	}
	return render(v.c, http.StatusOK, "staff-home", data)
}

const staffPageLength = 100

func showStaffOrganizations(v *staffVisit) error {
	data := page.StaffOrganizations{StaffShell: v.frame("Organizations", "organizations")}
	var found []authz.StaffOrganization
	err := v.run(func(tx *tenant.PlatformTx) (err error) {
		found, err = authz.ListStaffOrganizations(v.ctx, tx, v.c.Query("after"), staffPageLength+1)
		return err
	})
	if err != nil {
		return err
	}
	if len(found) > staffPageLength {
		found = found[:staffPageLength]
		data.More = v.c.Path() + "?after=" + url.QueryEscape(found[staffPageLength-1].Slug)
	}
	slugs := make([]string, len(found))
	for i, o := range found {
		slugs[i] = o.Slug
	}
	shapes, err := tenant.Shapes(v.ctx, v.server.DB, slugs)
	if err != nil {
		return err
	}
	for _, o := range found {
		shape := shapes[o.Slug]
		row := page.StaffOrganizationRow{StaffOrganization: o, Version: shape.Version, Behind: shape.Behind, Size: "–"}
		if shape.Bytes > 0 {
			row.Size = sizeText(shape.Bytes)
		}
		data.Items = append(data.Items, row)
	}
	return render(v.c, http.StatusOK, "staff-organizations", data)
}

func showStaffPeople(v *staffVisit, status int, form page.Form) error {
	data := page.StaffPeople{StaffShell: v.frame("Staff", "people"), Form: form}
	for _, role := range authz.StaffRoles() {
		data.Roles = append(data.Roles, page.Option{Value: role.Name, Label: role.Title})
	}
	for _, scope := range authz.StaffScopes() {
		data.Scopes = append(data.Scopes, page.Option{Value: scope, Label: authz.SayStaffScope(scope)})
	}
	err := v.run(func(tx *tenant.PlatformTx) error {
		all, err := authz.ListStaff(v.ctx, tx)
		for _, m := range all {
			data.Items = append(data.Items, page.StaffRow{StaffMember: m, Acts: v.staffActs(m)})
		}
		return err
	})
	if err != nil {
		return err
	}
	return render(v.c, status, "staff-people", data)
}

func (v *staffVisit) staffActs(m authz.StaffMember) []page.Act {
	if m.Person.ID == v.staff.Person.ID || !v.may(staffTo(authz.Change, authz.StaffPeople)) {
		return nil
	}
	at := "/staff/people/" + m.Person.ID.String()
	if m.State == authz.StaffDenied {
		return []page.Act{{URL: at + "/allow", Label: "Allow access", Icon: "undo-2", Class: "btn-small"}}
	}
	return []page.Act{{URL: at + "/deny", Label: "Deny access", Icon: "ban", Class: "btn-small btn-danger",
		Ask: "They get in nowhere from the next request on, and every visit of theirs ends.", Does: "Deny " + m.Person.Name + " access"}}
}

// sendStaffPerson takes a fresh proof: whoever found a console open must not make themselves an administrator.
func sendStaffPerson(v *staffVisit) error {
	if fresh, err := v.proved(); err != nil || !fresh {
		return orProve(v.c, err, "/staff/people")
	}
	sent, err := readForm(v.c, "rights")
	if err != nil {
		return err
	}
	address, err := identity.NormalizeEmail(sent.Get("email"))
	if err == nil {
		err = v.run(func(tx *tenant.PlatformTx) error {
			person, err := authz.PersonAt(v.ctx, tx, address)
			if err != nil {
				return err
			}
			return authz.SetStaff(v.ctx, tx, v.staff.Person.ID, authz.StaffMember{
				Person: person, Role: sent.Get("role"), Rights: sent["rights"], State: authz.StaffActive})
		})
	}
	return v.answerStaffForm(sent, err, "Saved.")
}

func sendStaffState(v *staffVisit, state, done string) error {
	if fresh, err := v.proved(); err != nil || !fresh {
		return orProve(v.c, err, "/staff/people")
	}
	person, err := pathID[tenant.Person](v.c.Params("id"))
	if err != nil {
		return err
	}
	err = v.run(func(tx *tenant.PlatformTx) error {
		return authz.SetStaffState(v.ctx, tx, v.staff.Person.ID, person, state)
	})
	return v.answerStaffForm(url.Values{"role": {authz.StaffSupport}}, err, done)
}

func (v *staffVisit) answerStaffForm(sent url.Values, err error, done string) error {
	form := page.FormOf(sent)
	if form.Refused(err) {
		return showStaffPeople(v, statusOf(form.Faults[0].Kind), form)
	} else if err != nil {
		return err
	}
	say(v.c, done)
	return v.c.Redirect("/staff/people", http.StatusSeeOther)
}

// proved says whether the reader has shown lately that it is them.
func (v *staffVisit) proved() (bool, error) {
	return v.server.Identity.Proved(v.ctx, v.c.Cookies(sessionCookie), 0)
}

// orProve leads to the proof that an act needs, and from there to next.
func orProve(c *fiber.Ctx, err error, next string) error {
	if err != nil {
		return err
	}
	return toProve(c, next)
}
