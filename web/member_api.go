package web

import (
	"context"
	"net/http"
	"time"

	"github.com/countinghouse/countinghouse/authz"
	"github.com/countinghouse/countinghouse/internal/cursor"
	"github.com/countinghouse/countinghouse/tenant"
)

// MemberView is a member as a program reads them.
type MemberView struct {
	ID       string    `json:"id"`
	Name     string    `json:"name"`
	Email    string    `json:"email"`
	Role     string    `json:"role" doc:"A ready-made role, or own: and the id of one of the organization's"`
	RoleName string    `json:"role_name"`
	State    string    `json:"state" doc:"active or denied"`
	JoinedAt time.Time `json:"joined_at"`
}

func viewMember(m authz.Member) MemberView {
	return MemberView{ID: m.Person.ID.String(), Name: m.Person.Name, Email: m.Person.Email, Role: m.Role, RoleName: m.Title, State: m.State, JoinedAt: m.JoinedAt}
}

// MemberBody is what can be changed of a member.
type MemberBody struct {
	Role string `json:"role" maxLength:"40" doc:"A ready-made role, or own: and the id of one of the organization's"`
}

func (s *Server) registerMemberAPI() {
	const tag = "Members"
	handle(s, operation{id: "list-members", method: "GET", path: "/v1/members", right: rightTo(authz.Read, authz.Members), tag: tag, summary: "List members by name"},
		func(ctx context.Context, c *call, in *PageInput) (*Body[List[MemberView]], error) {
			return list(ctx, c, *in, func(tx *tenant.Tx, q cursor.Query) (cursor.Page[authz.Member], error) {
				return authz.ListMembers(ctx, tx, q)
			}, viewMember)
		})
	handle(s, operation{id: "get-member", method: "GET", path: "/v1/members/{id}", right: rightTo(authz.Read, authz.Members), tag: tag, summary: "Read a member"},
		func(ctx context.Context, c *call, in *ByID) (*Versioned[MemberView], error) {
			return read(ctx, c, in.ID, func(tx *tenant.Tx, i tenant.PersonID) (MemberView, int, error) {
				m, err := authz.MemberByID(ctx, tx, i)
				return viewMember(m), 0, err
			})
		})
	handle(s, operation{id: "change-member", method: "PUT", path: "/v1/members/{id}", right: rightTo(authz.Change, authz.Members), tag: tag, summary: "Give a member another role, from their next request on"},
		func(ctx context.Context, c *call, in *Change[MemberBody]) (*Versioned[MemberView], error) {
			return s.changeMember(ctx, c, in.ID, func(tx *tenant.Tx, i tenant.PersonID) error {
				return s.Policy.ChangeMemberRole(ctx, tx, i, in.Body.Role)
			})
		})
	for _, way := range []struct {
		verb, say string
		do        func(ctx context.Context, tx *tenant.Tx, i tenant.PersonID) error
	}{
		{"deny", "Shut a member out at once", s.Policy.DenyMember},
		{"allow", "Let a member in again who was denied access", s.Policy.AllowMember},
	} {
		handle(s, operation{id: way.verb + "-member", method: "POST", path: "/v1/members/{id}/" + way.verb, right: rightTo(authz.Change, authz.Members), tag: tag, summary: way.say},
			func(ctx context.Context, c *call, in *Act) (*Versioned[MemberView], error) {
				return s.changeMember(ctx, c, in.ID, func(tx *tenant.Tx, i tenant.PersonID) error { return way.do(ctx, tx, i) })
			})
	}
	handle(s, operation{id: "remove-member", method: "DELETE", path: "/v1/members/{id}", right: rightTo(authz.Delete, authz.Members), tag: tag, summary: "Remove a member, and end their API tokens", status: http.StatusNoContent},
		func(ctx context.Context, c *call, in *ByID) (*struct{}, error) {
			i, err := pathID[tenant.Person](in.ID)
			if err != nil {
				return nil, err
			}
			return nil, c.do(ctx, func(tx *tenant.Tx) error { return s.Policy.RemoveMember(ctx, tx, i) })
		})
}

func (s *Server) changeMember(ctx context.Context, c *call, text string, do func(tx *tenant.Tx, i tenant.PersonID) error) (*Versioned[MemberView], error) {
	return change(ctx, c, text, IfMatch{}, func(tx *tenant.Tx, i tenant.PersonID, _ int) (MemberView, int, error) {
		if err := do(tx, i); err != nil {
			return MemberView{}, 0, err
		}
		m, err := authz.MemberByID(ctx, tx, i)
		return viewMember(m), 0, err
	})
}
