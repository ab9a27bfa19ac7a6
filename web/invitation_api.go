package web

import (
	"context"
	"net/http"
	"time"

	"github.com/google/uuid"

	"github.com/countinghouse/countinghouse/authz"
	"github.com/countinghouse/countinghouse/identity"
	"github.com/countinghouse/countinghouse/internal/cursor"
	"github.com/countinghouse/countinghouse/internal/id"
	"github.com/countinghouse/countinghouse/tenant"
)

// InvitationBody is whom to invite.
type InvitationBody struct {
	Email string `json:"email" maxLength:"254"`
	Role  string `json:"role" maxLength:"40" doc:"A ready-made role, or own: and the id of one of the organization's"`
}

// InvitationView is an invitation as a program reads it. The link is in the mail alone.
type InvitationView struct {
	ID string `json:"id"`
	InvitationBody
	Kind      string    `json:"kind" doc:"join, or handover for one to become owner"`
	RoleName  string    `json:"role_name"`
	InvitedBy string    `json:"invited_by"`
	SentAt    time.Time `json:"sent_at"`
	ExpiresAt time.Time `json:"expires_at"`
}

func viewInvitation(i authz.Invitation) InvitationView {
	return InvitationView{ID: i.ID.String(), Kind: i.Kind, InvitationBody: InvitationBody{Email: i.Email, Role: i.Role}, RoleName: i.RoleTitle,
		InvitedBy: i.InviterName, SentAt: i.SentAt, ExpiresAt: i.ExpiresAt}
}

func (s *Server) registerInvitationAPI() {
	const tag = "Invitations"
	handle(s, operation{id: "list-invitations", method: "GET", path: "/v1/invitations", right: rightTo(authz.Read, authz.Members), tag: tag, summary: "List invitations that are not over, newest first"},
		func(ctx context.Context, c *call, _ *struct{}) (*Body[List[InvitationView]], error) {
			return list(ctx, c, PageInput{}, func(tx *tenant.Tx, _ cursor.Query) (cursor.Page[authz.Invitation], error) {
				all, err := authz.ListInvitations(ctx, tx) // a hundred at most
				return cursor.Page[authz.Invitation]{Items: all}, err
			}, viewInvitation)
		})
	handle(s, operation{id: "invite", method: "POST", path: "/v1/invitations", right: rightTo(authz.Create, authz.Members), tag: tag, summary: "Invite somebody by mail", status: http.StatusCreated},
		func(ctx context.Context, c *call, in *Create[InvitationBody]) (*Versioned[InvitationView], error) {
			var made authz.Invitation
			var secret string
			out, err := create(ctx, c, func(tx *tenant.Tx) (uuid.UUID, error) {
				email, err := identity.NormalizeEmail(in.Body.Email)
				if err != nil {
					return uuid.Nil, err
				}
				made, secret, err = s.Policy.InviteMember(ctx, tx, authz.Invite{Email: email, Role: in.Body.Role})
				return made.ID.UUID, err
			}, func(tx *tenant.Tx, made uuid.UUID) (InvitationView, int, error) {
				i, err := authz.InvitationByID(ctx, tx, id.Of[authz.Invitation]{UUID: made})
				return viewInvitation(i), 0, err
			})
			if err != nil || secret == "" {
				return out, err
			}
			return out, s.sendInvitation(ctx, c.scope.Organization(), made, secret)
		})
	handle(s, operation{id: "send-invitation", method: "POST", path: "/v1/invitations/{id}/send", right: rightTo(authz.Create, authz.Members), tag: tag, summary: "Send an invitation again, with a new link"},
		func(ctx context.Context, c *call, in *Act) (*Versioned[InvitationView], error) {
			var made authz.Invitation
			var secret string
			out, err := change(ctx, c, in.ID, IfMatch{}, func(tx *tenant.Tx, i authz.InvitationID, _ int) (_ InvitationView, _ int, err error) {
				made, secret, err = s.Policy.RenewInvitation(ctx, tx, i)
				return viewInvitation(made), 0, err
			})
			if err != nil {
				return nil, err
			}
			return out, s.sendInvitation(ctx, c.scope.Organization(), made, secret)
		})
	handle(s, operation{id: "revoke-invitation", method: "DELETE", path: "/v1/invitations/{id}", right: rightTo(authz.Create, authz.Members), tag: tag, summary: "Revoke an invitation", status: http.StatusNoContent},
		func(ctx context.Context, c *call, in *ByID) (*struct{}, error) {
			i, err := pathID[authz.Invitation](in.ID)
			if err != nil {
				return nil, err
			}
			return nil, c.do(ctx, func(tx *tenant.Tx) error { return authz.RevokeInvitation(ctx, tx, i) })
		})
}
