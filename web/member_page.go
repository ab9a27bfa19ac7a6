package web

import (
	"net/http"
	"net/url"

	"github.com/google/uuid"

	"github.com/countinghouse/countinghouse/authz"
	"github.com/countinghouse/countinghouse/tenant"
	"github.com/countinghouse/countinghouse/web/page"
)

func (s *Server) registerMemberPages() {
	s.member("GET", "/members", rightTo(authz.Read, authz.Members), showMembers)
	s.member("GET", "/members/:id", rightTo(authz.Read, authz.Members), func(v *visit) error { return showMember(v, http.StatusOK, nil) })
	s.member("POST", "/members/:id/role", rightTo(authz.Change, authz.Members), sendMemberRole)
	for _, way := range []struct {
		verb, done string
		action     authz.Action
		do         func(v *visit, tx *tenant.Tx, person tenant.PersonID) error
	}{
		{"deny", "Denied access, from this moment on", authz.Change, func(v *visit, tx *tenant.Tx, p tenant.PersonID) error {
			return s.Policy.DenyMember(v.ctx, tx, p)
		}},
		{"allow", "They get in again", authz.Change, func(v *visit, tx *tenant.Tx, p tenant.PersonID) error {
			return s.Policy.AllowMember(v.ctx, tx, p)
		}},
		{"remove", "Removed. What they did stays on record", authz.Delete, func(v *visit, tx *tenant.Tx, p tenant.PersonID) error {
			return s.Policy.RemoveMember(v.ctx, tx, p)
		}},
	} {
		s.member("POST", "/members/:id/"+way.verb, rightTo(way.action, authz.Members), func(v *visit) error {
			return sendMember(v, way.done, func(tx *tenant.Tx, person tenant.PersonID, _ url.Values) error { return way.do(v, tx, person) })
		})
	}
	s.member("POST", "/members/:id/handover", rightTo(authz.Change, authz.Members), sendHandover)
}

// people is what the pages about people share: their lists, and how many stand in each.
func (v *visit) people(tx *tenant.Tx, title, current string) (page.People, error) {
	shell, err := v.frame(tx, title, "people")
	if err != nil {
		return page.People{}, err
	}
	data := page.People{Shell: shell, Tabs: page.Tabs{Label: "People"}}
	members, err := authz.CountMembers(v.ctx, tx)
	if err != nil {
		return data, err
	}
	invited, err := authz.ListInvitations(v.ctx, tx)
	if err != nil {
		return data, err
	}
	data.Tabs.Tabs = []page.Tab{
		{Label: "Members", URL: v.at("members"), Count: members, Counted: true, Current: current == "members"},
		{Label: "Invited", URL: v.at("invitations"), Count: len(invited), Counted: true, Current: current == "invitations"},
	}
	if v.may(rightTo(authz.Read, authz.Roles)) {
		data.Tabs.Tabs = append(data.Tabs.Tabs, page.Tab{Label: "Roles", URL: v.at("roles"), Current: current == "roles"})
	}
	return data, nil
}

func showMembers(v *visit) error {
	q, err := v.page()
	if err != nil {
		return err
	}
	return v.show(http.StatusOK, "members", func(tx *tenant.Tx) (any, error) {
		data := page.Members{}
		var err error
		if data.People, err = v.people(tx, "People", "members"); err != nil {
			return nil, err
		}
		found, err := authz.ListMembers(v.ctx, tx, q)
		if err != nil {
			return nil, err
		}
		for _, m := range found.Items {
			data.Items = append(data.Items, page.MemberRow{Member: m, You: m.Person.ID == v.scope.Person().ID})
		}
		data.Count = data.Tabs.Tabs[0].Count
		data.Pager = pager(v, q, found, func(m authz.Member) uuid.UUID { return m.Person.ID.UUID }, "")
		data.Pager.ByName = true
		return data, nil
	})
}

func showMember(v *visit, status int, refused *page.Form) error {
	person, err := idParam[tenant.Person](v, "id")
	if err != nil {
		return err
	}
	return v.show(status, "member", func(tx *tenant.Tx) (any, error) {
		m, err := authz.MemberByID(v.ctx, tx, person)
		if err != nil {
			return nil, err
		}
		data := page.MemberPage{Member: page.MemberRow{Member: m, You: m.Person.ID == v.scope.Person().ID}}
		if data.People, err = v.people(tx, or(m.Person.Name, m.Person.Email), "members"); err != nil {
			return nil, err
		}
		data.Form = keyed(page.NewForm("role", m.Role))
		if refused != nil {
			data.Form.Faults = refused.Faults
		}
		err = v.server.Policy.MayTouch(v.ctx, tx, m)
		if err != nil {
			return data, unlessFault(err)
		}
		if v.may(rightTo(authz.Change, authz.Members)) {
			if data.Roles, err = v.rolesToGive(tx); err != nil {
				return nil, err
			}
		}
		data.Acts, data.Offer = memberActs(v, m)
		return data, nil
	})
}

// unlessFault is nil for a refusal, which the page tells by offering nothing.
func unlessFault(err error) error {
	if form := (&page.Form{}); form.Refused(err) {
		return nil
	}
	return err
}

func or(first, second string) string {
	if first != "" {
		return first
	}
	return second
}

// memberActs are the buttons of a member's page.
func memberActs(v *visit, m authz.Member) (acts, offer []page.Act) {
	at := v.at("members", m.Person.ID.String())
	name := or(m.Person.Name, m.Person.Email)
	if v.may(rightTo(authz.Change, authz.Members)) {
		if m.State == tenant.Denied {
			acts = append(acts, page.Act{URL: at + "/allow", Label: "Allow again", Icon: "user-check", Key: newFormKey()})
		} else {
			acts = append(acts, page.Act{URL: at + "/deny", Label: "Deny access", Icon: "ban", Class: "btn-danger", Key: newFormKey(),
				Ask: "They are shut out at once, everywhere. Who they are and what they did stays.", Does: "Deny " + name + " access"})
		}
		if v.scope.Role() == authz.Owner && m.Role != authz.Owner && m.State == tenant.Active {
			offer = []page.Act{{URL: at + "/handover", Label: "Hand over", Icon: "handshake", Key: newFormKey(),
				Ask: "Nothing changes until they agree. Then they are owner, and you are administrator.", Does: "Offer it to " + name}}
		}
	}
	if v.may(rightTo(authz.Delete, authz.Members)) {
		acts = append(acts, page.Act{URL: at + "/remove", Label: "Remove", Icon: "user-x", Class: "btn-danger", Key: newFormKey(),
			Ask: "They are shut out at once, and their API tokens end. What they did stays on record.", Does: "Remove " + name})
	}
	return acts, offer
}

// rolesToGive are the roles that the reader may give somebody.
func (v *visit) rolesToGive(tx *tenant.Tx) ([]page.Option, error) {
	var options []page.Option
	add := func(role, title, group string) error {
		err := v.server.Policy.MayGive(v.ctx, tx, role)
		if err == nil {
			options = append(options, page.Option{Value: role, Label: title, Group: group})
		}
		return unlessFault(err)
	}
	for _, r := range authz.ReadyMade() {
		if err := add(r.Name, r.Title, "Ready-made"); err != nil {
			return nil, err
		}
	}
	own, err := authz.ListRoles(v.ctx, tx)
	if err != nil {
		return nil, err
	}
	for _, r := range own {
		if err := add(r.Role(), r.Name, "Your own"); err != nil {
			return nil, err
		}
	}
	return options, nil
}

// sendMember handles a button of a member's page.
func sendMember(v *visit, done string, do func(tx *tenant.Tx, person tenant.PersonID, sent url.Values) error) error {
	person, err := idParam[tenant.Person](v, "id")
	if err != nil {
		return err
	}
	return v.send(nil, func(tx *tenant.Tx, sent url.Values) (uuid.UUID, error) {
		return person.UUID, do(tx, person, sent)
	}, func(uuid.UUID) string {
		say(v.c, done)
		return v.at("members")
	}, func(form page.Form) error { return showMember(v, http.StatusUnprocessableEntity, &form) })
}

func sendMemberRole(v *visit) error {
	return sendMember(v, "Role changed, from their next click on", func(tx *tenant.Tx, person tenant.PersonID, sent url.Values) error {
		return v.server.Policy.ChangeMemberRole(v.ctx, tx, person, sent.Get("role"))
	})
}

func sendHandover(v *visit) error {
	person, err := idParam[tenant.Person](v, "id")
	if err != nil {
		return err
	}
	if fresh, err := v.proved(); err != nil || !fresh {
		return orProve(v.c, err, v.at("members", person.String()))
	}
	var offered authz.Invitation
	var secret string
	return v.send(nil, func(tx *tenant.Tx, _ url.Values) (uuid.UUID, error) {
		var err error
		offered, secret, err = v.server.Policy.OfferOwnership(v.ctx, tx, person)
		return offered.ID.UUID, err
	}, func(uuid.UUID) string {
		say(v.c, v.server.mailed(v.ctx, v.scope.Organization(), offered, secret))
		return v.at("invitations")
	}, func(form page.Form) error { return showMember(v, http.StatusUnprocessableEntity, &form) })
}
