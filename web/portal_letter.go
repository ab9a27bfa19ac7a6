package web

import (
	"context"
	"fmt"
	"time"

	"github.com/countinghouse/countinghouse/billing/contact"
	"github.com/countinghouse/countinghouse/internal/locale"
	"github.com/countinghouse/countinghouse/internal/notify"
	"github.com/countinghouse/countinghouse/tenant"
)

// post sends a letter of an organization's while the caller goes on: how long it takes would say whether an address is known.
func (s *Server) post(ctx context.Context, slug string, m notify.Mail) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Minute)
	s.posting.Go(func() {
		defer cancel()
		if err := s.deliverFrom(ctx, slug, m); err != nil {
			s.Log.Error("a letter to a customer was not sent", "request_id", tenant.RequestFrom(ctx).ID, "kind", m.Kind, "error", err)
		}
	})
}

// sendContactInvitation fails with contact.ErrMailNotSent, and logs why.
func (s *Server) sendContactInvitation(ctx context.Context, o tenant.Organization, c contact.Contact, secret string) error {
	if err := s.deliverFrom(ctx, o.Slug, contactInvitation(o.Name, s.portalOrigin(o.Slug), c, secret)); err != nil {
		s.Log.Error("an invitation was not sent", "request_id", tenant.RequestFrom(ctx).ID, "error", err)
		return contact.ErrMailNotSent
	}
	return nil
}

func contactInvitation(from, origin string, c contact.Contact, secret string) notify.Mail {
	at := origin + "/join?token=" + secret
	m := notify.Mail{Kind: "contact_invitation", To: c.Email, Subject: "Your access to " + from}
	m.Text = fmt.Sprintf("%s gives you access to what concerns %s: invoices, payments and orders.\n\nSet a password here within seven days. The link is good once:\n\n%s\n\nIf you do not know what this is about, there is nothing to do. Without this link nothing happens.\n", from, c.CustomerSay, at)
	if c.Language == locale.French {
		m.Subject = "Votre accès chez " + from
		m.Text = fmt.Sprintf("%s vous donne accès à ce qui concerne %s : factures, paiements et commandes.\n\nChoisissez un mot de passe ici dans les sept jours. Le lien sert une seule fois :\n\n%s\n\nSi vous ne savez pas de quoi il s’agit, il n’y a rien à faire. Sans ce lien, rien ne se passe.\n", from, c.CustomerSay, at)
	}
	return m
}

func recoveryLetter(from, origin string, l contact.Letter) notify.Mail {
	at := origin + "/set?token=" + l.Secret
	m := notify.Mail{Kind: "contact_recovery", To: l.To, Subject: "Set a new password at " + from}
	m.Text = fmt.Sprintf("Someone, most likely you, asked to set a new password for your access to %s.\n\nDo it here within 30 minutes:\n\n%s\n\nIf it was not you, there is nothing to do. Your password stays as it is.\n", from, at)
	if l.Language == locale.French {
		m.Subject = "Nouveau mot de passe chez " + from
		m.Text = fmt.Sprintf("Quelqu’un, sans doute vous, a demandé un nouveau mot de passe pour votre accès chez %s.\n\nChoisissez-le ici dans les 30 minutes :\n\n%s\n\nSi ce n’était pas vous, il n’y a rien à faire. Votre mot de passe reste le même.\n", from, at)
	}
	return m
}

func signUpLetter(from, origin string, l contact.Letter) notify.Mail {
	at := origin + "/join?token=" + l.Secret
	m := notify.Mail{Kind: "contact_sign_up", To: l.To, Subject: "Open your account at " + from}
	m.Text = fmt.Sprintf("Someone, most likely you, wants to open an account at %s with this address.\n\nGo on here within 24 hours:\n\n%s\n\nIf it was not you, there is nothing to do. Without this link nothing happens.\n", from, at)
	if l.Known {
		m.Kind = "contact_sign_up_known"
		m.Text = fmt.Sprintf("Someone, most likely you, wanted to open an account at %s with this address. It has one already.\n\nSign in here:\n\n%s/sign-in\n\nIf you have forgotten your password, set a new one there.\n", from, origin)
		if l.Language == locale.French {
			m.Subject = "Votre compte chez " + from
			m.Text = fmt.Sprintf("Quelqu’un, sans doute vous, a voulu ouvrir un compte chez %s avec cette adresse. Elle en a déjà un.\n\nConnectez-vous ici :\n\n%s/sign-in\n\nSi vous avez oublié votre mot de passe, choisissez-en un nouveau sur cette page.\n", from, origin)
		}
	}
	return m
}

func contactPasswordChanged(from, origin string, c contact.Contact) notify.Mail {
	m := notify.Mail{Kind: "contact_password", To: c.Email, Subject: "Your password at " + from + " was changed"}
	m.Text = fmt.Sprintf("The password of your access to %s was changed, and every browser was signed out.\n\nIf it was not you, set a new one here at once:\n\n%s/recover\n", from, origin)
	if c.Language == locale.French {
		m.Subject = "Votre mot de passe chez " + from + " a changé"
		m.Text = fmt.Sprintf("Le mot de passe de votre accès chez %s a changé, et tous les navigateurs ont été déconnectés.\n\nSi ce n’était pas vous, choisissez-en un nouveau ici sans attendre :\n\n%s/recover\n", from, origin)
	}
	return m
}
