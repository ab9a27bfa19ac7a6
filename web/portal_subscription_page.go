package web

import (
	"context"
	"net/http"
	"net/url"

	"github.com/google/uuid"

	"github.com/countinghouse/countinghouse/billing"
	"github.com/countinghouse/countinghouse/billing/contact"
	"github.com/countinghouse/countinghouse/billing/phone"
	"github.com/countinghouse/countinghouse/billing/subscription"
	"github.com/countinghouse/countinghouse/tenant"
	"github.com/countinghouse/countinghouse/web/page"
)

func (s *Server) registerPortalSubscriptions() {
	s.customer("GET", "/subscriptions", contact.Subscriptions, showPortalSubscriptions)
	s.customer("GET", "/subscriptions/:id", contact.Subscriptions, func(g *guest) error { return showPortalSubscription(g, http.StatusOK, page.Form{}) })
	for verb, do := range map[string]func(ctx context.Context, tx *tenant.Tx, s subscription.ID, version int) (subscription.Subscription, error){
		"pause": subscription.Pause, "resume": subscription.Resume, "keep": subscription.Keep,
		"cancel": func(ctx context.Context, tx *tenant.Tx, s subscription.ID, version int) (subscription.Subscription, error) {
			return subscription.Cancel(ctx, tx, s, version, false)
		},
	} {
		s.customer("POST", "/subscriptions/:id/"+verb, contact.Subscriptions, func(g *guest) error {
			return sendPortalSubscription(g, do, verb == "resume" || verb == "keep")
		})
	}
	s.customer("GET", "/company", contact.People, func(g *guest) error { return showPortalCompany(g, http.StatusOK, nil) })
	s.customer("POST", "/company", contact.People, sendPortalCompany)
	if s.Till == nil {
		return
	}
	s.customer("GET", "/methods", contact.Methods, func(g *guest) error { return showPortalMethods(g, http.StatusOK, nil) })
	s.customer("POST", "/methods", contact.Methods, sendPortalMethod)
	s.customer("POST", "/methods/:id/remove", contact.Methods, func(g *guest) error {
		return sendPortalMethodAct(g, billing.RemovePaymentMethod, "Payment method removed")
	})
	s.customer("POST", "/methods/:id/automatic", contact.Methods, func(g *guest) error {
		return sendPortalMethodAct(g, billing.ChoosePaymentMethod, "This card is charged when something falls due")
	})
}

func showPortalSubscriptions(g *guest) error {
	q, err := guestPage(g)
	if err != nil {
		return err
	}
	return g.show(http.StatusOK, "portal-subscriptions", func(tx *tenant.Tx) (any, error) {
		frame, err := g.frame(tx, "Subscriptions", "subscriptions")
		if err != nil {
			return nil, err
		}
		found, err := subscription.All(g.ctx, tx, subscription.Filter{CustomerID: customerOf(tx)}, q)
		return page.PortalSubscriptions{Portal: frame, Items: found.Items,
			Pager: pagerOf(g.c, q, found, func(s subscription.Subscription) uuid.UUID { return s.ID.UUID }, "")}, err
	})
}

func ownSubscription(g *guest, tx *tenant.Tx) (subscription.Subscription, error) {
	wanted, err := pathOf[subscription.Subscription](g, "id")
	if err != nil {
		return subscription.Subscription{}, err
	}
	s, err := subscription.ByID(g.ctx, tx, wanted)
	if err == nil && s.Customer != customerOf(tx) {
		return subscription.Subscription{}, subscription.ErrNotFound
	}
	return s, err
}

func showPortalSubscription(g *guest, status int, form page.Form) error {
	return g.show(status, "portal-subscription", func(tx *tenant.Tx) (any, error) {
		s, err := ownSubscription(g, tx)
		if err != nil {
			return nil, err
		}
		frame, err := g.frame(tx, "Subscription", "subscriptions")
		if err != nil {
			return nil, err
		}
		data := page.PortalSubscription{Portal: frame, Form: form, Subscription: s, Acts: portalSubscriptionActs(s)}
		if s.State != subscription.Ended && s.State != subscription.Paused && !s.CancelAtEnd {
			figures, ok, err := subscription.Next(g.ctx, tx, s)
			if err != nil {
				return nil, err
			}
			if ok {
				data.Next = &figures.Total
			}
		}
		return data, nil
	})
}

func portalSubscriptionActs(s subscription.Subscription) []page.Act {
	at := "/subscriptions/" + s.ID.String() + "/"
	act := func(verb, label, icon, ask, does string) page.Act {
		a := page.Act{URL: at + verb, Label: label, Icon: icon, Ask: ask, Does: does, Key: newFormKey(), Version: s.Version}
		if verb == "cancel" {
			a.Class = "btn-danger"
		}
		return a
	}
	cancel := act("cancel", "Cancel", "ban", "It goes on until the end of what is paid, and ends then.", "Cancel at the end")
	switch {
	case s.State == subscription.Ended:
		return nil
	case s.State == subscription.Paused:
		cancel.Ask = "It is paused, and ends now."
		return []page.Act{act("resume", "Resume", "play", "", ""), cancel}
	case s.CancelAtEnd:
		return []page.Act{act("keep", "Keep it after all", "undo-2", "", "")}
	}
	return []page.Act{act("pause", "Pause", "timer", "Nothing is invoiced until you resume it.", "Pause it"), cancel}
}

// sendPortalSubscription does what a button says. What lets a subscription go on asks for a number as an order does.
func sendPortalSubscription(g *guest, do func(ctx context.Context, tx *tenant.Tx, s subscription.ID, version int) (subscription.Subscription, error), goesOn bool) error {
	return g.send(nil, func(tx *tenant.Tx, sent url.Values) (uuid.UUID, error) {
		s, err := ownSubscription(g, tx)
		if err != nil {
			return uuid.Nil, err
		}
		version, err := versionOf(sent)
		if err != nil {
			return uuid.Nil, err
		}
		if goesOn {
			products := make([]uuid.UUID, 0, len(s.Items))
			for _, i := range s.Items {
				products = append(products, i.Product.UUID)
			}
			if err := phone.CheckProducts(g.ctx, tx, s.Customer.UUID, products); err != nil {
				return uuid.Nil, err
			}
		}
		_, err = do(g.ctx, tx, s.ID, version)
		return s.ID.UUID, err
	}, func(made uuid.UUID) error { return g.goTo("/subscriptions/"+made.String(), "Done") },
		func(form page.Form) error { return showPortalSubscription(g, http.StatusUnprocessableEntity, form) })
}

func showPortalMethods(g *guest, status int, refused *page.Form) error {
	return g.show(status, "portal-methods", func(tx *tenant.Tx) (any, error) {
		frame, err := g.frame(tx, "Payment methods", "methods")
		if err != nil {
			return nil, err
		}
		form := orFresh(refused, func() page.Form { return page.NewForm("kind", string(billing.MethodIBAN)) })
		for _, secret := range secretFields {
			form.Values.Del(secret)
		}
		data := page.PortalMethods{Portal: frame, Form: form,
			Kinds: []page.Option{{Value: string(billing.MethodIBAN), Label: "IBAN"}, {Value: string(billing.MethodUSBank), Label: "US account"}}}
		settings, err := billing.LoadSettings(g.ctx, tx)
		if err != nil {
			return nil, err
		}
		if settings.CollectAutomatically {
			if data.Charged, err = billing.CardToCharge(g.ctx, tx, customerOf(tx)); err != nil {
				return nil, err
			}
		}
		methods, err := billing.PaymentMethods(g.ctx, tx, customerOf(tx))
		for _, m := range methods {
			data.Items = append(data.Items, page.PaymentMethodRow{PaymentMethod: m, Acts: portalMethodActs(m, settings.CollectAutomatically && m.ID != data.Charged)})
		}
		return data, err
	})
}

// portalMethodActs are what can be done with a payment method. A card can be chosen where another one is charged.
func portalMethodActs(m billing.PaymentMethod, choosable bool) (acts []page.Act) {
	at := "/methods/" + m.ID.String()
	if choosable && m.Chargeable() {
		acts = append(acts, page.Act{URL: at + "/automatic", Label: "Charge this one", Icon: "check", Class: "btn-small", Key: newFormKey()})
	}
	return append(acts, page.Act{URL: at + "/remove", Label: "Remove", Icon: "trash-2", Class: "btn-small btn-danger", Key: newFormKey(),
		Ask: "Its number is forgotten at once.", Does: "Remove the one ending in " + m.LastFour})
}

// sendPortalMethod seals a bank account outside of any transaction and keeps it.
func sendPortalMethod(g *guest) error {
	sent, err := readForm(g.c)
	if err != nil {
		return err
	}
	var customer billing.CustomerID
	var organization tenant.OrganizationID
	if err := g.run(func(tx *tenant.Tx) error {
		customer, organization = customerOf(tx), tx.Scope().Organization().ID
		return nil
	}); err != nil {
		return err
	}
	show := func(status int, refused *page.Form) error { return showPortalMethods(g, status, refused) }
	sealed, err := billing.SealBankAccount(g.ctx, g.server.Till.Sealer, organization, billing.BankAccountInput{CustomerID: customer,
		Kind: billing.MethodKind(sent.Get("kind")), IBAN: sent.Get("iban"), Routing: sent.Get("routing_number"), AccountNumber: sent.Get("account_number")})
	if err != nil {
		return refusedGateway(sent, err, show)
	}
	return g.send(nil, func(tx *tenant.Tx, _ url.Values) (uuid.UUID, error) {
		m, err := billing.AddPaymentMethod(g.ctx, tx, sealed)
		return m.ID.UUID, err
	}, func(uuid.UUID) error { return g.goTo("/methods", "Bank account stored") },
		func(form page.Form) error { return show(http.StatusUnprocessableEntity, &form) })
}

// sendPortalMethodAct does what a button says with a payment method of the guest's own customer.
func sendPortalMethodAct(g *guest, do func(ctx context.Context, tx *tenant.Tx, method billing.PaymentMethodID) error, told string) error {
	method, err := pathOf[billing.PaymentMethod](g, "id")
	if err != nil {
		return err
	}
	return g.send(nil, func(tx *tenant.Tx, _ url.Values) (uuid.UUID, error) {
		m, err := billing.PaymentMethodByID(g.ctx, tx, method)
		if err == nil && m.CustomerID != customerOf(tx) {
			err = billing.ErrMethodNotFound
		}
		if err != nil {
			return uuid.Nil, err
		}
		return m.ID.UUID, do(g.ctx, tx, method)
	}, func(uuid.UUID) error { return g.goTo("/methods", told) },
		func(form page.Form) error { return showPortalMethods(g, http.StatusUnprocessableEntity, &form) })
}

func showPortalCompany(g *guest, status int, refused *page.Form) error {
	return g.show(status, "portal-company", func(tx *tenant.Tx) (any, error) {
		c, err := billing.CustomerByID(g.ctx, tx, customerOf(tx))
		if err != nil {
			return nil, err
		}
		form := orFresh(refused, func() page.Form { return customerForm(c) })
		renewVersion(&form, c.Version)
		frame, err := g.frame(tx, "Name and address", "company")
		return page.PortalForm{Portal: frame, Form: form}, err
	})
}

// sendPortalCompany writes what a customer may say of themselves; their external id and terms of payment are the
// organization's matter.
func sendPortalCompany(g *guest) error {
	return g.send(nil, func(tx *tenant.Tx, sent url.Values) (uuid.UUID, error) {
		version, err := versionOf(sent)
		if err != nil {
			return uuid.Nil, err
		}
		was, err := billing.CustomerByID(g.ctx, tx, customerOf(tx))
		if err != nil {
			return uuid.Nil, err
		}
		in := billing.CustomerInput{ExternalID: was.ExternalID, TermsDays: was.TermsDays, Name: sent.Get("name"), Company: sent.Get("company"),
			Email: sent.Get("email"), Phone: was.Phone, Street: sent.Get("street"), City: sent.Get("city"), Region: sent.Get("region"),
			PostalCode: sent.Get("postal_code"), Country: sent.Get("country"), TaxNumber: sent.Get("tax_number"), Language: sent.Get("language")}
		_, err = billing.ChangeCustomer(g.ctx, tx, was.ID, version, in)
		return was.ID.UUID, err
	}, func(uuid.UUID) error { return g.goTo("/company", "Saved") },
		func(form page.Form) error { return showPortalCompany(g, http.StatusUnprocessableEntity, &form) })
}
