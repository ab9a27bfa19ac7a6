package web

import (
	"context"
	"net/http"
	"net/url"
	"strconv"

	"github.com/google/uuid"

	"github.com/countinghouse/countinghouse/authz"
	"github.com/countinghouse/countinghouse/internal/audit"
	"github.com/countinghouse/countinghouse/tenant"
	"github.com/countinghouse/countinghouse/web/page"
)

func (s *Server) registerRolePages() {
	s.member("GET", "/roles", rightTo(authz.Read, authz.Roles), showRoles)
	s.member("GET", "/roles/new", rightTo(authz.Create, authz.Roles), func(v *visit) error {
		return showNewRole(v, http.StatusOK, keyed(page.NewForm()))
	})
	s.member("POST", "/roles", rightTo(authz.Create, authz.Roles), sendRole)
	s.member("GET", "/roles/:id", rightTo(authz.Read, authz.Roles), func(v *visit) error { return showRole(v, http.StatusOK, nil) })
	s.member("POST", "/roles/:id", rightTo(authz.Change, authz.Roles), sendRoleChange)
	s.member("POST", "/roles/:id/delete", rightTo(authz.Delete, authz.Roles), sendRoleDelete)
	s.member("GET", "/rights", rightTo(authz.Read, authz.Roles), showRights)
}

func showRoles(v *visit) error {
	return v.show(http.StatusOK, "roles", func(tx *tenant.Tx) (any, error) {
		data := page.Roles{Ready: authz.ReadyMade()}
		var err error
		if data.People, err = v.people(tx, "Roles", "roles"); err != nil {
			return nil, err
		}
		data.Own, err = authz.ListRoles(v.ctx, tx)
		return data, err
	})
}

// roleForm is the grid with what the reader can give.
func (v *visit) roleForm(tx *tenant.Tx, title string, form page.Form) (page.RoleForm, error) {
	data := page.RoleForm{Action: v.at("roles"), Does: "Make the role", Editable: true}
	var err error
	data.People, err = v.people(tx, title, "roles")
	data.Form = form
	data.Full = v.server.Policy.MayGiveFull(tx.Scope())
	data.Columns, data.Grid = page.NewGrid(func(right authz.Right) bool { return v.may(right) && v.server.Policy.InRoles(right) })
	return data, err
}

func showNewRole(v *visit, status int, form page.Form) error {
	return v.show(status, "role-edit", func(tx *tenant.Tx) (any, error) { return v.roleForm(tx, "Make a role", form) })
}

func showRole(v *visit, status int, refused *page.Form) error {
	role, err := idParam[authz.OwnRole](v, "id")
	if err != nil {
		return err
	}
	return v.show(status, "role-edit", func(tx *tenant.Tx) (any, error) {
		r, err := authz.RoleByID(v.ctx, tx, role)
		if err != nil {
			return nil, err
		}
		form := keyed(page.NewForm("name", r.Name, "version", strconv.Itoa(r.Version)))
		form.Values["rights"] = r.Ticks.Words()
		if refused != nil {
			if refused.Values.Has("name") { // else a button was refused
				form.Values = refused.Values
			}
			form.Faults = refused.Faults
		}
		renewVersion(&form, r.Version)
		data, err := v.roleForm(tx, r.Name, form)
		if err != nil {
			return nil, err
		}
		data.Role, data.Action, data.Does = &r, v.at("roles", r.ID.String()), "Save role"
		touch := v.server.Policy.MayGive(v.ctx, tx, r.Role())
		data.Editable = touch == nil && v.may(rightTo(authz.Change, authz.Roles))
		if touch == nil && r.Members == 0 && v.may(rightTo(authz.Delete, authz.Roles)) {
			data.Acts = []page.Act{{URL: v.at("roles", r.ID.String(), "delete"), Label: "Delete", Icon: "trash-2", Class: "btn-danger",
				Ask: "Nobody has it. Invitations to it are void.", Does: "Delete " + r.Name, Key: newFormKey()}}
		}
		return data, unlessFault(touch)
	})
}

func roleInput(sent url.Values) (authz.RoleInput, error) {
	ticks, err := authz.ParseTicks(sent["rights"])
	return authz.RoleInput{Name: sent.Get("name"), Ticks: ticks}, err
}

func sendRole(v *visit) error {
	return v.send([]string{"rights"}, func(tx *tenant.Tx, sent url.Values) (uuid.UUID, error) {
		in, err := roleInput(sent)
		if err != nil {
			return uuid.Nil, err
		}
		made, err := v.server.Policy.AddRole(v.ctx, tx, in)
		return made.ID.UUID, err
	}, func(uuid.UUID) string {
		say(v.c, "Role made")
		return v.at("roles")
	}, func(form page.Form) error { return showNewRole(v, http.StatusUnprocessableEntity, form) })
}

func sendRoleChange(v *visit) error {
	role, err := idParam[authz.OwnRole](v, "id")
	if err != nil {
		return err
	}
	return v.send([]string{"rights"}, func(tx *tenant.Tx, sent url.Values) (uuid.UUID, error) {
		version, err := versionOf(sent)
		if err != nil {
			return role.UUID, err
		}
		in, err := roleInput(sent)
		if err != nil {
			return role.UUID, err
		}
		_, err = v.server.Policy.ChangeRole(v.ctx, tx, role, version, in)
		return role.UUID, err
	}, func(uuid.UUID) string {
		say(v.c, "Role saved. It holds from the next click on, everywhere")
		return v.at("roles")
	}, func(form page.Form) error { return showRole(v, http.StatusUnprocessableEntity, &form) })
}

func sendRoleDelete(v *visit) error {
	role, err := idParam[authz.OwnRole](v, "id")
	if err != nil {
		return err
	}
	return v.send(nil, func(tx *tenant.Tx, _ url.Values) (uuid.UUID, error) {
		return role.UUID, v.server.Policy.DeleteRole(v.ctx, tx, role)
	}, func(uuid.UUID) string {
		say(v.c, "Role deleted")
		return v.at("roles")
	}, func(form page.Form) error { return showRole(v, http.StatusUnprocessableEntity, &form) })
}

// showRights tells what a role may do, and by which rule.
func showRights(v *visit) error {
	role := v.query("role")
	if role == "" {
		role = v.scope.Role()
	}
	return v.show(http.StatusOK, "rights", func(tx *tenant.Tx) (any, error) {
		title, err := authz.Title(v.ctx, tx, role)
		if err != nil {
			return nil, err
		}
		data := page.RightsOf{}
		if data.People, err = v.people(tx, "What "+title+" may do", "roles"); err != nil {
			return nil, err
		}
		data.Form = page.NewForm("role", role, "person", v.query("person"), "right", v.query("right"))
		if err := v.explain(tx, &data); err != nil {
			return nil, err
		}
		for _, r := range authz.ReadyMade() {
			data.Roles = append(data.Roles, page.Option{Value: r.Name, Label: r.Title, Group: "Ready-made"})
		}
		own, err := authz.ListRoles(v.ctx, tx)
		if err != nil {
			return nil, err
		}
		for _, r := range own {
			data.Roles = append(data.Roles, page.Option{Value: r.Role(), Label: r.Name, Group: "Your own"})
		}
		data.Rows, err = v.rightRows(tx, role)
		for _, r := range data.Rows {
			if r.Allowed {
				data.May++
			}
		}
		return data, err
	})
}

// explain fills in whom and what can be asked about, and the answer where that was done.
func (v *visit) explain(tx *tenant.Tx, data *page.RightsOf) error {
	people, err := audit.Actors(v.ctx, tx)
	if err != nil {
		return err
	}
	asked := v.query("person")
	for _, p := range people {
		data.Persons = append(data.Persons, page.Option{Value: p.ID.String(), Label: actorName(p)})
		if p.ID.String() == asked {
			data.Who = p.Name
		}
	}
	for _, group := range authz.Rights() {
		for _, g := range group.Rights {
			data.Rights = append(data.Rights, page.Option{Value: g.Right.String(), Label: g.Name, Group: group.Name})
		}
	}
	if asked == "" || v.query("right") == "" {
		return nil
	}
	answer, err := v.server.answerFor(v.ctx, tx, asked, v.query("right"))
	if err != nil {
		return err
	}
	data.Answer = &answer
	if !answer.Grant.IsZero() && v.may(rightTo(authz.Read, authz.Support)) {
		data.GrantURL = v.at("support", answer.Grant.String())
	}
	return nil
}

// answerFor reads whom and what somebody asks about, and answers.
func (s *Server) answerFor(ctx context.Context, tx *tenant.Tx, person, right string) (authz.Answer, error) {
	who, err := bodyID[tenant.Person]("person", person)
	if err != nil {
		return authz.Answer{}, err
	} else if who.IsZero() {
		return authz.Answer{}, errIDShape.At("person")
	}
	what, ok := authz.ParseRight(right)
	if !ok {
		return authz.Answer{}, authz.ErrRightUnknown
	}
	return s.Policy.ExplainPerson(ctx, tx, who, what)
}

func (v *visit) rightRows(tx *tenant.Tx, role string) ([]page.RightRow, error) {
	all, err := v.server.Policy.Explain(v.ctx, tx, role)
	if err != nil {
		return nil, err
	}
	modules := map[authz.Module]string{}
	for _, group := range authz.Rights() {
		modules[group.Module] = group.Name
	}
	rows := make([]page.RightRow, 0, len(all))
	for _, e := range all {
		rows = append(rows, page.RightRow{Module: modules[e.Right.Module], Name: e.Right.Name(), Right: e.Right.String(), Allowed: e.Allowed, Rule: e.Rule})
	}
	return rows, nil
}
