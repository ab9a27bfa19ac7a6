package web

import (
	"context"
	"net/http"
	"net/url"

	"github.com/google/uuid"

	"github.com/countinghouse/countinghouse/authz"
	"github.com/countinghouse/countinghouse/identity"
	"github.com/countinghouse/countinghouse/internal/notify"
	"github.com/countinghouse/countinghouse/tenant"
	"github.com/countinghouse/countinghouse/web/page"
)

func (s *Server) registerInvitationPages() {
	s.member("GET", "/invitations", rightTo(authz.Read, authz.Members), func(v *visit) error { return showInvitations(v, http.StatusOK, page.Form{}) })
	s.member("GET", "/invitations/new", rightTo(authz.Create, authz.Members), func(v *visit) error {
		return showInviteForm(v, http.StatusOK, keyed(page.NewForm("role", "viewer")))
	})
	s.member("POST", "/invitations", rightTo(authz.Create, authz.Members), sendInvitation)
	s.member("POST", "/invitations/:id/send", rightTo(authz.Create, authz.Members), sendInvitationAgain)
	s.member("POST", "/invitations/:id/revoke", rightTo(authz.Create, authz.Members), sendInvitationRevoke)
}

func showInvitations(v *visit, status int, form page.Form) error {
	return v.show(status, "invitations", func(tx *tenant.Tx) (any, error) {
		data := page.Invitations{}
		var err error
		if data.People, err = v.people(tx, "Invited people", "invitations"); err != nil {
			return nil, err
		}
		data.Form = form
		open, err := authz.ListInvitations(v.ctx, tx)
		for _, i := range open {
			row := page.InvitationRow{Invitation: i, State: "member_invited"}
			if !i.ExpiresAt.After(tx.Now()) {
				row.State = "expired"
			}
			if v.may(rightTo(authz.Create, authz.Members)) {
				at := v.at("invitations", i.ID.String())
				row.Acts = []page.Act{
					{URL: at + "/send", Label: "Send again", Icon: "send", Class: "btn-small", Key: newFormKey()},
					{URL: at + "/revoke", Label: "Revoke", Icon: "ban", Class: "btn-small btn-danger", Key: newFormKey()},
				}
			}
			data.Items = append(data.Items, row)
		}
		return data, err
	})
}

func showInviteForm(v *visit, status int, form page.Form) error {
	return v.show(status, "invite", func(tx *tenant.Tx) (any, error) {
		data := page.Invite{}
		var err error
		if data.People, err = v.people(tx, "Invite someone", "invitations"); err != nil {
			return nil, err
		}
		data.Form = form
		data.Roles, err = v.rolesToGive(tx)
		return data, err
	})
}

func sendInvitation(v *visit) error {
	var made authz.Invitation
	var secret string
	return v.send(nil, func(tx *tenant.Tx, sent url.Values) (uuid.UUID, error) {
		email, err := identity.NormalizeEmail(sent.Get("email"))
		if err != nil {
			return uuid.Nil, err
		}
		made, secret, err = v.server.Policy.InviteMember(v.ctx, tx, authz.Invite{Email: email, Role: sent.Get("role")})
		return made.ID.UUID, err
	}, func(uuid.UUID) string {
		say(v.c, v.server.mailed(v.ctx, v.scope.Organization(), made, secret))
		return v.at("invitations")
	}, func(form page.Form) error { return showInviteForm(v, http.StatusUnprocessableEntity, form) })
}

func sendInvitationAgain(v *visit) error {
	invitation, err := idParam[authz.Invitation](v, "id")
	if err != nil {
		return err
	}
	var made authz.Invitation
	var secret string
	return v.send(nil, func(tx *tenant.Tx, _ url.Values) (uuid.UUID, error) {
		var err error
		made, secret, err = v.server.Policy.RenewInvitation(v.ctx, tx, invitation)
		return made.ID.UUID, err
	}, func(uuid.UUID) string {
		say(v.c, v.server.mailed(v.ctx, v.scope.Organization(), made, secret))
		return v.at("invitations")
	}, func(form page.Form) error { return showInvitations(v, http.StatusUnprocessableEntity, form) })
}

func sendInvitationRevoke(v *visit) error {
	invitation, err := idParam[authz.Invitation](v, "id")
	if err != nil {
		return err
	}
	return v.send(nil, func(tx *tenant.Tx, _ url.Values) (uuid.UUID, error) {
		return invitation.UUID, authz.RevokeInvitation(v.ctx, tx, invitation)
	}, func(uuid.UUID) string {
		say(v.c, "Revoked. The link is good no more")
		return v.at("invitations")
	}, func(form page.Form) error { return showInvitations(v, http.StatusUnprocessableEntity, form) })
}

// mailed sends an invitation's link, after the transaction that made it, and says what came of it. Without a secret
// the form came twice, and the link is on its way already.
func (s *Server) mailed(ctx context.Context, o tenant.Organization, i authz.Invitation, secret string) string {
	if secret == "" {
		return "Sent"
	}
	if err := s.sendInvitation(ctx, o, i, secret); err != nil {
		return authz.ErrMailNotSent.Say
	}
	return "Sent to " + i.Email
}

// sendInvitation fails with authz.ErrMailNotSent, and logs why.
func (s *Server) sendInvitation(ctx context.Context, o tenant.Organization, i authz.Invitation, secret string) error {
	subject, text := "You are invited to "+o.Name, i.InviterName+" invites you to the books of "+o.Name+" on Countinghouse, as "+i.RoleTitle+".\n\n"
	if i.Kind == authz.Handover {
		subject = "Take over " + o.Name
		text = i.InviterName + " wants to hand " + o.Name + " over to you. If you agree, you become its owner, and they become administrator.\n\n"
	}
	text += "Go on here within seven days. The link is good once:\n\n" + s.Config.Origin + "/join?token=" + secret + "\n\n" +
		"If you do not know what this is about, there is nothing to do. Without this link nothing happens.\n"
	if err := s.deliverFrom(ctx, o.Slug, notify.Mail{Kind: "invitation", To: i.Email, Subject: subject, Text: text}); err != nil {
		s.Log.Error("an invitation was not sent", "request_id", tenant.RequestFrom(ctx).ID, "error", err)
		return authz.ErrMailNotSent
	}
	return nil
}
