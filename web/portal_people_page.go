package web

import (
	"net/http"
	"net/url"
	"strconv"

	"github.com/google/uuid"

	"github.com/countinghouse/countinghouse/billing"
	"github.com/countinghouse/countinghouse/billing/contact"
	"github.com/countinghouse/countinghouse/identity"
	"github.com/countinghouse/countinghouse/internal/fault"
	"github.com/countinghouse/countinghouse/tenant"
	"github.com/countinghouse/countinghouse/web/page"
)

func (s *Server) registerPortalOverview() {
	s.customer("GET", "/", contact.None, showPortalOverview)
}

func portalSettings(g *guest, tx *tenant.Tx) (billing.Portal, error) {
	return billing.LoadPortal(g.ctx, tx)
}

func showPortalOverview(g *guest) error {
	return g.show(http.StatusOK, "portal-overview", func(tx *tenant.Tx) (any, error) {
		frame, err := g.frame(tx, "Overview", "overview")
		if err != nil {
			return nil, err
		}
		data := page.PortalOverview{Portal: frame}
		if !g.may(tx, contact.Invoices) {
			return data, nil
		}
		owed, err := billing.OwedBy(g.ctx, tx, customerOf(tx))
		if err != nil {
			return nil, err
		}
		for _, o := range owed {
			data.Owed = append(data.Owed, page.Owed{Amount: o.Amount, Overdue: o.Overdue, Invoices: o.Invoices})
			open, err := billing.OpenInvoices(g.ctx, tx, customerOf(tx), o.Amount.Currency)
			if err != nil {
				return nil, err
			}
			data.Open = append(data.Open, open...)
		}
		return data, nil
	})
}

func (s *Server) registerPortalPeople() {
	s.customer("GET", "/people", contact.People, showPortalPeople)
	s.customer("GET", "/people/new", contact.People, func(g *guest) error { return showPortalInvite(g, http.StatusOK, nil) })
	s.customer("POST", "/people", contact.People, sendPortalInvite)
	s.customer("GET", "/people/:id", contact.People, func(g *guest) error { return showPortalPerson(g, http.StatusOK, nil) })
	s.customer("POST", "/people/:id", contact.People, sendPortalPerson)
	s.customer("POST", "/people/:id/send", contact.People, sendPortalInviteAgain)
	s.customer("POST", "/people/:id/remove", contact.People, sendPortalRemove)
	s.customer("GET", "/account", contact.None, func(g *guest) error { return showPortalAccount(g, http.StatusOK, nil, nil) })
	s.customer("POST", "/account/name", contact.None, sendPortalName)
	s.customer("POST", "/account/password", contact.None, sendPortalPassword)
	s.customer("POST", "/account/sign-out-everywhere", contact.None, sendPortalSignOutEverywhere)
}

func showPortalPeople(g *guest) error {
	return g.show(http.StatusOK, "portal-people", func(tx *tenant.Tx) (any, error) {
		frame, err := g.frame(tx, "People", "people")
		if err != nil {
			return nil, err
		}
		data := page.PortalPeople{Portal: frame}
		all, err := contact.Of(g.ctx, tx, customerOf(tx))
		for _, c := range all {
			data.Items = append(data.Items, page.ContactRow{Contact: c, You: c.ID.UUID == tx.Scope().Contact(), URL: "/people/" + c.ID.String()})
		}
		return data, err
	})
}

// givable are the functions that the guest may give: those they hold.
func givable(tx *tenant.Tx) []contact.Function {
	var all []contact.Function
	for _, f := range contact.Functions() {
		if contact.Rights(tx.Scope().CustomerRights()).Has(f.Right) {
			all = append(all, f)
		}
	}
	return all
}

func showPortalInvite(g *guest, status int, refused *page.Form) error {
	return g.show(status, "portal-person", func(tx *tenant.Tx) (any, error) {
		frame, err := g.frame(tx, "Invite someone", "people")
		form := orFresh(refused, func() page.Form { return page.NewForm("rights", "invoices") })
		return page.PortalPerson{Portal: frame, ContactForm: page.ContactForm{Form: form, Action: "/people", Back: "/people", New: true,
			Does: "Send the invitation", Functions: givable(tx)}}, err
	})
}

// contactInput reads a form for a new one of a customer's people.
func contactInput(sent url.Values) (in contact.Input, err error) {
	var faults fault.List
	in.Name = sent.Get("name")
	in.Email, err = identity.NormalizeEmail(sent.Get("email"))
	if !faults.Add("email", err) {
		return in, err
	}
	in.Rights, err = contact.ReadRights(sent["rights"])
	if !faults.Add("rights", err) {
		return in, err
	}
	return in, faults.Err()
}

func sendPortalInvite(g *guest) error {
	var made contact.Contact
	var secret string
	var from tenant.Organization
	return g.send([]string{"rights"}, func(tx *tenant.Tx, sent url.Values) (uuid.UUID, error) {
		from = tx.Scope().Organization()
		in, err := contactInput(sent)
		if err != nil {
			return uuid.Nil, err
		}
		made, secret, err = contact.Invite(g.ctx, tx, in)
		return made.ID.UUID, err
	}, func(uuid.UUID) error {
		return g.goTo("/people", g.server.contactMailed(g.ctx, from, made, secret))
	}, func(form page.Form) error { return showPortalInvite(g, http.StatusUnprocessableEntity, &form) })
}

func showPortalPerson(g *guest, status int, refused *page.Form) error {
	who, err := pathOf[contact.Contact](g, "id")
	if err != nil {
		return err
	}
	return g.show(status, "portal-person", func(tx *tenant.Tx) (any, error) {
		c, err := contact.ByID(g.ctx, tx, who)
		if err != nil {
			return nil, err
		}
		title := c.Name
		if title == "" {
			title = c.Email
		}
		frame, err := g.frame(tx, title, "people")
		at := "/people/" + who.String()
		data := page.PortalPerson{Portal: frame, Contact: c, ContactForm: page.ContactForm{Form: contactForm(c, refused), Action: at, Back: "/people",
			Does: "Save", Functions: givable(tx)}}
		data.Acts = contactActs(at, c)
		return data, err
	})
}

// contactForm is the form of someone who is there already.
func contactForm(c contact.Contact, refused *page.Form) page.Form {
	form := orFresh(refused, func() page.Form {
		form := page.NewForm("name", c.Name, "version", strconv.Itoa(c.Version))
		form.Values["rights"] = c.Rights.Words()
		return form
	})
	renewVersion(&form, c.Version)
	return form
}

func contactActs(at string, c contact.Contact) []page.Act {
	var acts []page.Act
	if !c.Joined {
		acts = append(acts, page.Act{URL: at + "/send", Label: "Send again", Icon: "send", Key: newFormKey()})
	}
	return append(acts, page.Act{URL: at + "/remove", Label: "Remove", Icon: "user-x", Class: "btn-danger", Key: newFormKey(),
		Ask: "They are signed out at once. What they did stays on record.", Does: "Remove their access"})
}

// contactChange reads a form about someone who is there already.
func contactChange(sent url.Values) (in contact.ChangeInput, version int, err error) {
	if version, err = versionOf(sent); err != nil {
		return in, 0, err
	}
	in.Name = sent.Get("name")
	in.Rights, err = contact.ReadRights(sent["rights"])
	return in, version, err
}

func sendPortalPerson(g *guest) error {
	who, err := pathOf[contact.Contact](g, "id")
	if err != nil {
		return err
	}
	return g.send([]string{"rights"}, func(tx *tenant.Tx, sent url.Values) (uuid.UUID, error) {
		in, version, err := contactChange(sent)
		if err != nil {
			return who.UUID, err
		}
		_, err = contact.Change(g.ctx, tx, who, version, in)
		return who.UUID, err
	}, func(uuid.UUID) error { return g.goTo("/people", "Saved") },
		func(form page.Form) error { return showPortalPerson(g, http.StatusUnprocessableEntity, &form) })
}

func sendPortalInviteAgain(g *guest) error {
	who, err := pathOf[contact.Contact](g, "id")
	if err != nil {
		return err
	}
	var made contact.Contact
	var secret string
	var from tenant.Organization
	return g.send(nil, func(tx *tenant.Tx, _ url.Values) (_ uuid.UUID, err error) {
		from = tx.Scope().Organization()
		made, secret, err = contact.InviteAgain(g.ctx, tx, who)
		return who.UUID, err
	}, func(uuid.UUID) error {
		return g.goTo("/people", g.server.contactMailed(g.ctx, from, made, secret))
	}, func(form page.Form) error { return showPortalPerson(g, http.StatusUnprocessableEntity, &form) })
}

func sendPortalRemove(g *guest) error {
	who, err := pathOf[contact.Contact](g, "id")
	if err != nil {
		return err
	}
	return g.send(nil, func(tx *tenant.Tx, _ url.Values) (uuid.UUID, error) {
		return who.UUID, contact.Remove(g.ctx, tx, who)
	}, func(uuid.UUID) error { return g.goTo("/people", "Removed. Their access has ended") },
		func(form page.Form) error { return showPortalPerson(g, http.StatusUnprocessableEntity, &form) })
}

func showPortalAccount(g *guest, status int, refusedName, refusedPassword *page.Form) error {
	hint, err := g.server.passwordHint(g.ctx)
	if err != nil {
		return err
	}
	noSave, err := g.noSave()
	if err != nil {
		return err
	}
	return g.show(status, "portal-account", func(tx *tenant.Tx) (any, error) {
		frame, err := g.frame(tx, "Name and password", "account")
		frame.NoSave = noSave
		data := page.PortalAccount{Portal: frame, Hint: hint, Form: orFresh(refusedName, func() page.Form { return page.NewForm("name", frame.Person.Name) })}
		if refusedPassword != nil {
			data.PasswordForm = *refusedPassword
		}
		data.PasswordForm.ID = "p"
		return data, err
	})
}

func sendPortalName(g *guest) error {
	return g.send(nil, func(tx *tenant.Tx, sent url.Values) (uuid.UUID, error) {
		return uuid.Nil, contact.Rename(g.ctx, tx, sent.Get("name"))
	}, func(uuid.UUID) error { return g.goTo("/account", "Name saved") },
		func(form page.Form) error { return showPortalAccount(g, http.StatusUnprocessableEntity, &form, nil) })
}

func sendPortalPassword(g *guest) error {
	sent, err := readForm(g.c)
	if err != nil {
		return err
	}
	token, err := g.changePassword(sent)
	form := page.FormOf(sent)
	if form.Refused(err) {
		form.Values = url.Values{}
		return showPortalAccount(g, refusedStatus(g.c, err), nil, &form)
	} else if err != nil {
		return err
	}
	g.setCustomer(token)
	return g.goTo("/account", "Your password is changed. Every other browser is signed out")
}

// changePassword checks the present password as a sign-in does, tries counted, and hashes the new one outside of any
// transaction.
func (g *guest) changePassword(sent url.Values) (token string, err error) {
	var me contact.Contact
	var from tenant.Organization
	if err := g.run(func(tx *tenant.Tx) (err error) {
		from = tx.Scope().Organization()
		me, err = contact.Current(g.ctx, tx)
		return err
	}); err != nil {
		return "", err
	}
	err = g.server.Identity.TryCustomerPassword(g.ctx, identity.CustomerAccount{Organization: from.ID, Email: me.Email}, sent.Get("present"), me.PasswordHash(), requestInfo(g.c))
	if isRefused(err) {
		return "", identity.ErrPresentPassword
	} else if err != nil {
		return "", err
	}
	hash, err := g.server.Identity.HashCustomerPassword(g.ctx, sent.Get("password"), me.Email, me.Name)
	if err != nil {
		return "", err
	}
	err = g.run(func(tx *tenant.Tx) (err error) {
		token, err = contact.ChangePassword(g.ctx, tx, me, hash)
		return err
	})
	if err == nil {
		g.server.post(g.ctx, g.slug, contactPasswordChanged(from.Name, g.server.portalOrigin(g.slug), me))
	}
	return token, err
}

func sendPortalSignOutEverywhere(g *guest) error {
	if err := g.run(func(tx *tenant.Tx) error { return contact.SignOutEverywhere(g.ctx, tx) }); err != nil {
		return err
	}
	clearCookie(g.c, customerCookie)
	return g.goTo("/sign-in", "You are signed out everywhere")
}
