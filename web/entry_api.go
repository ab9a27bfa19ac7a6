package web

import (
	"context"
	"time"

	"github.com/countinghouse/countinghouse/authz"
	"github.com/countinghouse/countinghouse/identity"
	"github.com/countinghouse/countinghouse/internal/cursor"
	"github.com/countinghouse/countinghouse/tenant"
)

// MemberEntryView is a login with which a member came into the organization. What they do elsewhere is in none.
type MemberEntryView struct {
	ID        string    `json:"id"`
	MemberID  string    `json:"member_id"`
	Name      string    `json:"name" doc:"Of the member"`
	At        time.Time `json:"at"`
	Network   string    `json:"network" doc:"The address from which they signed in; empty when it was not known"`
	Place     string    `json:"place" doc:"City and country; empty when they are not known"`
	UserAgent string    `json:"user_agent"`
	Agent     string    `json:"agent" doc:"Browser and system in words"`
}

func viewMemberEntry(e identity.Entry) MemberEntryView {
	return MemberEntryView{ID: e.ID.String(), MemberID: e.Person.String(), Name: e.Name, At: e.At.UTC(), Network: e.Network, Place: e.Place, UserAgent: e.UserAgent, Agent: e.Agent()}
}

// MemberFactorsView is what guards a member's account beside their password.
type MemberFactorsView struct {
	MemberID string `json:"member_id"`
	Name     string `json:"name"`
	On       bool   `json:"on" doc:"Whether signing in takes them a second step"`
	App      bool   `json:"app" doc:"They have set up an authenticator app"`
	Passkeys int    `json:"passkeys"`
}

func viewMemberFactors(f identity.MemberFactors) MemberFactorsView {
	return MemberFactorsView{MemberID: f.Person.String(), Name: f.Name, On: f.On(), App: f.App, Passkeys: f.Passkeys}
}

func (s *Server) registerEntryAPI() {
	const tag = "Members"
	handle(s, operation{id: "list-member-entries", method: "GET", path: "/v1/member-entries", right: rightTo(authz.Read, authz.Members), tag: tag, summary: "List who came into the organization, the last to sign in first"},
		func(ctx context.Context, c *call, in *PageInput) (*Body[List[MemberEntryView]], error) {
			return list(ctx, c, *in, func(tx *tenant.Tx, q cursor.Query) (cursor.Page[identity.Entry], error) {
				found, err := identity.Entries(ctx, tx, q)
				found.Items = s.Identity.WithPlaces(found.Items)
				return found, err
			}, viewMemberEntry)
		})
	handle(s, operation{id: "list-member-second-factors", method: "GET", path: "/v1/member-second-factors", right: rightTo(authz.Read, authz.Members), tag: tag, summary: "List what guards the accounts of all active members, by name"},
		func(ctx context.Context, c *call, _ *struct{}) (*Body[List[MemberFactorsView]], error) {
			var found []identity.MemberFactors
			err := c.do(ctx, func(tx *tenant.Tx) (err error) {
				found, err = identity.Factors(ctx, tx)
				return err
			})
			return all(found, viewMemberFactors), err
		})
}
