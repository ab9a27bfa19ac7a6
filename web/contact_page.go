package web

import (
	"context"
	"errors"
	"net/http"
	"net/url"

	"github.com/google/uuid"

	"github.com/countinghouse/countinghouse/authz"
	"github.com/countinghouse/countinghouse/billing"
	"github.com/countinghouse/countinghouse/billing/contact"
	"github.com/countinghouse/countinghouse/identity"
	"github.com/countinghouse/countinghouse/tenant"
	"github.com/countinghouse/countinghouse/web/page"
)

func (s *Server) registerContactPages() {
	s.member("GET", "/customers/:id/people", rightTo(authz.Read, authz.Contacts), func(v *visit) error { return showContacts(v, http.StatusOK, nil) })
	s.member("POST", "/customers/:id/people", rightTo(authz.Create, authz.Contacts), sendContact)
	s.member("GET", "/contacts/:id", rightTo(authz.Read, authz.Contacts), func(v *visit) error { return showContact(v, http.StatusOK, nil) })
	s.member("POST", "/contacts/:id", rightTo(authz.Change, authz.Contacts), sendContactChange)
	s.member("POST", "/contacts/:id/send", rightTo(authz.Create, authz.Contacts), sendContactAgain)
	s.member("POST", "/contacts/:id/remove", rightTo(authz.Delete, authz.Contacts), sendContactRemove)
	s.member("GET", "/settings/portal", rightTo(authz.Read, authz.Shop), func(v *visit) error { return showPortalSettings(v, http.StatusOK, nil) })
	s.member("POST", "/settings/portal", rightTo(authz.Change, authz.Shop), sendPortalSettings)
}

// isRefused says whether a password was not the right one, whatever else may be wrong.
func isRefused(err error) bool { return errors.Is(err, identity.ErrRefused) }

func showContacts(v *visit, status int, refused *page.Form) error {
	customer, err := idParam[billing.Customer](v, "id")
	if err != nil {
		return err
	}
	return v.show(status, "contacts", func(tx *tenant.Tx) (any, error) {
		c, err := billing.CustomerByID(v.ctx, tx, customer)
		if err != nil {
			return nil, err
		}
		shell, err := v.frame(tx, "People of "+c.Name, "customers")
		if err != nil {
			return nil, err
		}
		all, err := contact.Of(v.ctx, tx, customer)
		form := orFresh(refused, func() page.Form {
			form := page.NewForm()
			form.Values["rights"] = contact.Invoices.Words()
			if len(all) == 0 { // the first of them looks after the others
				form = page.NewForm("name", c.Name, "email", c.Email)
				form.Values["rights"] = contact.All.Words()
			}
			return form
		})
		at := v.at("customers", customer.String())
		data := page.Contacts{Shell: shell, Customer: c, Address: v.server.portalOrigin(v.scope.Organization().Slug),
			ContactForm: page.ContactForm{Form: form, Action: at + "/people", Back: at, New: true, Does: "Send the invitation", Functions: contact.Functions()}}
		for _, one := range all {
			data.Items = append(data.Items, page.ContactRow{Contact: one, URL: v.at("contacts", one.ID.String())})
		}
		return data, err
	})
}

// contactMailed sends an invitation's link, after the transaction that made it, and says what came of it. Without a secret
// the form came twice, and the link is on its way already.
func (s *Server) contactMailed(ctx context.Context, from tenant.Organization, c contact.Contact, secret string) string {
	if secret == "" {
		return "Sent"
	}
	if err := s.sendContactInvitation(ctx, from, c, secret); err != nil {
		return contact.ErrMailNotSent.Say
	}
	return "Sent to " + c.Email
}

func sendContact(v *visit) error {
	customer, err := idParam[billing.Customer](v, "id")
	if err != nil {
		return err
	}
	var made contact.Contact
	var secret string
	return v.send([]string{"rights"}, func(tx *tenant.Tx, sent url.Values) (uuid.UUID, error) {
		if _, err := billing.CustomerByID(v.ctx, tx, customer); err != nil {
			return uuid.Nil, err
		}
		in, err := contactInput(sent)
		if err != nil {
			return uuid.Nil, err
		}
		in.Customer = customer
		made, secret, err = contact.Invite(v.ctx, tx, in)
		return made.ID.UUID, err
	}, func(uuid.UUID) string {
		say(v.c, v.server.contactMailed(v.ctx, v.scope.Organization(), made, secret))
		return v.at("customers", customer.String(), "people")
	}, func(form page.Form) error { return showContacts(v, http.StatusUnprocessableEntity, &form) })
}

func showContact(v *visit, status int, refused *page.Form) error {
	who, err := idParam[contact.Contact](v, "id")
	if err != nil {
		return err
	}
	return v.show(status, "contact", func(tx *tenant.Tx) (any, error) {
		c, err := contact.ByID(v.ctx, tx, who)
		if err != nil {
			return nil, err
		}
		customer, err := billing.CustomerByID(v.ctx, tx, c.Customer)
		if err != nil {
			return nil, err
		}
		title := c.Name
		if title == "" {
			title = c.Email
		}
		shell, err := v.frame(tx, title, "customers")
		at := v.at("contacts", who.String())
		data := page.ContactPage{Shell: shell, Customer: customer, Contact: c, ContactForm: page.ContactForm{Form: contactForm(c, refused), Action: at,
			Back: v.at("customers", c.Customer.String(), "people"), Does: "Save", Functions: contact.Functions()}}
		for _, act := range contactActs(at, c) {
			if act.Label == "Remove" && v.may(rightTo(authz.Delete, authz.Contacts)) || act.Label != "Remove" && v.may(rightTo(authz.Create, authz.Contacts)) {
				data.Acts = append(data.Acts, act)
			}
		}
		return data, err
	})
}

func sendContactChange(v *visit) error {
	who, err := idParam[contact.Contact](v, "id")
	if err != nil {
		return err
	}
	return v.send([]string{"rights"}, func(tx *tenant.Tx, sent url.Values) (uuid.UUID, error) {
		if _, err := contact.ByID(v.ctx, tx, who); err != nil {
			return uuid.Nil, err
		}
		in, version, err := contactChange(sent)
		if err != nil {
			return uuid.Nil, err
		}
		c, err := contact.Change(v.ctx, tx, who, version, in)
		return c.Customer.UUID, err
	}, func(customer uuid.UUID) string {
		say(v.c, "Saved")
		return v.at("customers", customer.String(), "people")
	}, func(form page.Form) error { return showContact(v, http.StatusUnprocessableEntity, &form) })
}

func sendContactAgain(v *visit) error {
	who, err := idParam[contact.Contact](v, "id")
	if err != nil {
		return err
	}
	var made contact.Contact
	var secret string
	return v.send(nil, func(tx *tenant.Tx, _ url.Values) (_ uuid.UUID, err error) {
		made, secret, err = contact.InviteAgain(v.ctx, tx, who)
		return made.Customer.UUID, err
	}, func(customer uuid.UUID) string {
		say(v.c, v.server.contactMailed(v.ctx, v.scope.Organization(), made, secret))
		return v.at("customers", customer.String(), "people")
	}, func(form page.Form) error { return showContact(v, http.StatusUnprocessableEntity, &form) })
}

func sendContactRemove(v *visit) error {
	who, err := idParam[contact.Contact](v, "id")
	if err != nil {
		return err
	}
	return v.send(nil, func(tx *tenant.Tx, _ url.Values) (uuid.UUID, error) {
		c, err := contact.ByID(v.ctx, tx, who)
		if err != nil {
			return uuid.Nil, err
		}
		return c.Customer.UUID, contact.Remove(v.ctx, tx, who)
	}, func(customer uuid.UUID) string {
		say(v.c, "Removed. Their access has ended")
		return v.at("customers", customer.String(), "people")
	}, func(form page.Form) error { return showContact(v, http.StatusUnprocessableEntity, &form) })
}
