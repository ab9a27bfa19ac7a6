package web

import (
	"context"
	"net/http"

	"github.com/google/uuid"

	"github.com/countinghouse/countinghouse/authz"
	"github.com/countinghouse/countinghouse/internal/cursor"
	"github.com/countinghouse/countinghouse/internal/id"
	"github.com/countinghouse/countinghouse/tenant"
)

// RoleBody is what a role of the organization's own is made of.
type RoleBody struct {
	Name   string   `json:"name" maxLength:"60"`
	Rights []string `json:"rights" maxItems:"300" doc:"Such as invoices:read, of GET /v1/rights; * alone for full access"`
}

// RoleView is one as a program reads it.
type RoleView struct {
	ID string `json:"id"`
	RoleBody
	Role    string `json:"role" doc:"What a member's role is set to"`
	Members int    `json:"members"`
}

func viewRole(r authz.OwnRole) RoleView {
	return RoleView{ID: r.ID.String(), RoleBody: RoleBody{Name: r.Name, Rights: r.Ticks.Words()}, Role: r.Role(), Members: r.Members}
}

func (b RoleBody) input() (authz.RoleInput, error) {
	ticks, err := authz.ParseTicks(b.Rights)
	return authz.RoleInput{Name: b.Name, Ticks: ticks}, err
}

// RightView is one right of the list.
type RightView struct {
	Right  string `json:"right" example:"invoices:approve"`
	Name   string `json:"name" doc:"In words that go after may" example:"issue invoices"`
	Module string `json:"module" example:"Invoices"`
}

// ReasonView says for one right whether a member has it, and why.
type ReasonView struct {
	RightView
	Allowed bool   `json:"allowed"`
	Rule    string `json:"rule" doc:"The rule of the policy that decides: role, modules, actions, support, effect; empty: none speaks of it"`
}

// AnswerView says whether one person may do one thing at this moment, and why.
type AnswerView struct {
	RightView
	PersonID string   `json:"person_id"`
	Allowed  bool     `json:"allowed"`
	Cause    string   `json:"cause" enum:"role,no_rule,deny_rule,denied,support,scope,nobody" doc:"What decides: a rule of the role, no rule, a rule that forbids it, denied access, a support grant, its scope, or that they are neither a member nor let in"`
	Role     string   `json:"role" doc:"The member's role; empty for who has none"`
	Rule     string   `json:"rule" doc:"The rule of the policy that decides; empty: none speaks of it"`
	Grant    string   `json:"support_grant_id" doc:"The support grant that is open; empty: none"`
	Scopes   []string `json:"scopes" doc:"Of that grant"`
	Say      string   `json:"say" doc:"All of it in plain words"`
}

// AskInput is whom and what is asked about.
type AskInput struct {
	Person string `query:"person" doc:"The person, by id" maxLength:"36"`
	Right  string `query:"right" doc:"Such as invoices:approve, of GET /v1/rights" maxLength:"60"`
}

func viewAnswer(person string, a authz.Answer) AnswerView {
	v := AnswerView{RightView: RightView{Right: a.Right.String(), Name: a.Right.Name(), Module: string(a.Right.Module)}, PersonID: person, Allowed: a.Allowed,
		Cause: a.Cause, Role: a.Role, Rule: a.Rule, Scopes: append([]string{}, a.Scopes...), Say: a.Say}
	if !a.Grant.IsZero() {
		v.Grant = a.Grant.String()
	}
	return v
}

func (s *Server) registerRoleAPI() {
	s.registerRoleReadAPI()
	const tag = "Roles"
	handle(s, operation{id: "add-role", method: "POST", path: "/v1/roles", right: rightTo(authz.Create, authz.Roles), tag: tag, summary: "Make a role", status: http.StatusCreated},
		func(ctx context.Context, c *call, in *Create[RoleBody]) (*Versioned[RoleView], error) {
			return create(ctx, c, func(tx *tenant.Tx) (uuid.UUID, error) {
				input, err := in.Body.input()
				if err != nil {
					return uuid.Nil, err
				}
				made, err := s.Policy.AddRole(ctx, tx, input)
				return made.ID.UUID, err
			}, func(tx *tenant.Tx, made uuid.UUID) (RoleView, int, error) {
				r, err := authz.RoleByID(ctx, tx, id.Of[authz.OwnRole]{UUID: made})
				return viewRole(r), r.Version, err
			})
		})
	handle(s, operation{id: "change-role", method: "PUT", path: "/v1/roles/{id}", right: rightTo(authz.Change, authz.Roles), tag: tag, summary: "Write a role anew, for all who have it from their next request on"},
		func(ctx context.Context, c *call, in *Change[RoleBody]) (*Versioned[RoleView], error) {
			return change(ctx, c, in.ID, in.IfMatch, func(tx *tenant.Tx, i authz.RoleID, version int) (RoleView, int, error) {
				input, err := in.Body.input()
				if err != nil {
					return RoleView{}, 0, err
				}
				r, err := s.Policy.ChangeRole(ctx, tx, i, version, input)
				return viewRole(r), r.Version, err
			})
		})
	handle(s, operation{id: "delete-role", method: "DELETE", path: "/v1/roles/{id}", right: rightTo(authz.Delete, authz.Roles), tag: tag, summary: "Delete a role that nobody has", status: http.StatusNoContent},
		func(ctx context.Context, c *call, in *ByID) (*struct{}, error) {
			i, err := pathID[authz.OwnRole](in.ID)
			if err != nil {
				return nil, err
			}
			return nil, c.do(ctx, func(tx *tenant.Tx) error { return s.Policy.DeleteRole(ctx, tx, i) })
		})
}

func (s *Server) registerRoleReadAPI() {
	const tag = "Roles"
	handle(s, operation{id: "list-roles", method: "GET", path: "/v1/roles", right: rightTo(authz.Read, authz.Roles), tag: tag, summary: "List the organization's own roles by name"},
		func(ctx context.Context, c *call, _ *struct{}) (*Body[List[RoleView]], error) {
			return list(ctx, c, PageInput{}, func(tx *tenant.Tx, _ cursor.Query) (cursor.Page[authz.OwnRole], error) {
				all, err := authz.ListRoles(ctx, tx) // a hundred at most
				return cursor.Page[authz.OwnRole]{Items: all}, err
			}, viewRole)
		})
	handle(s, operation{id: "get-role", method: "GET", path: "/v1/roles/{id}", right: rightTo(authz.Read, authz.Roles), tag: tag, summary: "Read a role"},
		func(ctx context.Context, c *call, in *ByID) (*Versioned[RoleView], error) {
			return read(ctx, c, in.ID, func(tx *tenant.Tx, i authz.RoleID) (RoleView, int, error) {
				r, err := authz.RoleByID(ctx, tx, i)
				return viewRole(r), r.Version, err
			})
		})
	handle(s, operation{id: "list-rights", method: "GET", path: "/v1/rights", right: rightTo(authz.Read, authz.Roles), tag: tag, summary: "List every right there is"},
		func(ctx context.Context, c *call, _ *struct{}) (*Body[List[RightView]], error) {
			return list(ctx, c, PageInput{}, func(*tenant.Tx, cursor.Query) (cursor.Page[RightView], error) {
				return cursor.Page[RightView]{Items: everyRight()}, nil
			}, func(v RightView) RightView { return v })
		})
	handle(s, operation{id: "explain-right", method: "GET", path: "/v1/rights/explain", right: rightTo(authz.Read, authz.Roles), tag: tag, summary: "Say whether one person may do one thing, and why"},
		func(ctx context.Context, c *call, in *AskInput) (*Body[AnswerView], error) {
			var answer authz.Answer
			err := c.do(ctx, func(tx *tenant.Tx) (err error) {
				answer, err = s.answerFor(ctx, tx, in.Person, in.Right)
				return err
			})
			if err != nil {
				return nil, err
			}
			return &Body[AnswerView]{Body: viewAnswer(in.Person, answer)}, nil
		})
	handle(s, operation{id: "explain-member", method: "GET", path: "/v1/members/{id}/rights", right: rightTo(authz.Read, authz.Roles), tag: tag, summary: "Say what a member's role may do, and by which rule"},
		func(ctx context.Context, c *call, in *ByID) (*Body[List[ReasonView]], error) {
			person, err := pathID[tenant.Person](in.ID)
			if err != nil {
				return nil, err
			}
			return list(ctx, c, PageInput{}, func(tx *tenant.Tx, _ cursor.Query) (cursor.Page[authz.Explanation], error) {
				m, err := authz.MemberByID(ctx, tx, person)
				if err != nil {
					return cursor.Page[authz.Explanation]{}, err
				}
				all, err := s.Policy.Explain(ctx, tx, m.Role)
				return cursor.Page[authz.Explanation]{Items: all}, err
			}, func(e authz.Explanation) ReasonView {
				return ReasonView{RightView: RightView{Right: e.Right.String(), Name: e.Right.Name(), Module: string(e.Right.Module)}, Allowed: e.Allowed, Rule: e.Rule}
			})
		})
}

func everyRight() (all []RightView) {
	for _, group := range authz.Rights() {
		for _, g := range group.Rights {
			all = append(all, RightView{g.Right.String(), g.Name, group.Name})
		}
	}
	return all
}
