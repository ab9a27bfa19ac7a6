package web

import (
	"context"
	"net/http"
	"net/url"

	"github.com/google/uuid"

	"github.com/countinghouse/countinghouse/authz"
	"github.com/countinghouse/countinghouse/billing"
	"github.com/countinghouse/countinghouse/internal/id"
	"github.com/countinghouse/countinghouse/tenant"
	"github.com/countinghouse/countinghouse/web/page"
)

func (s *Server) registerPaymentMethodPages() {
	if s.Till == nil {
		return
	}
	s.member("GET", "/customers/:id/methods", rightTo(authz.Read, authz.PaymentMethods), func(v *visit) error { return showMethods(v, http.StatusOK, nil, nil) })
	s.member("POST", "/customers/:id/methods", rightTo(authz.Create, authz.PaymentMethods), sendBankAccount)
	s.member("POST", "/customers/:id/methods/card", rightTo(authz.Create, authz.PaymentMethods), sendCardNumber)
	s.member("POST", "/payment-methods/:id/automatic", rightTo(authz.Change, authz.PaymentMethods), sendMethodChoice)
	s.member("POST", "/payment-methods/:id/remove", rightTo(authz.Delete, authz.PaymentMethods), sendMethodRemove)
}

// showMethods shows them, and the form for a bank account or for a card again that was refused.
func showMethods(v *visit, status int, refusedBank, refusedCard *page.Form) error {
	customer, err := idParam[billing.Customer](v, "id")
	if err != nil {
		return err
	}
	return v.show(status, "payment-methods", func(tx *tenant.Tx) (any, error) {
		c, err := billing.CustomerByID(v.ctx, tx, customer)
		if err != nil {
			return nil, err
		}
		shell, err := v.frame(tx, "Payment methods of "+c.Name, "customers")
		if err != nil {
			return nil, err
		}
		form := orFresh(refusedBank, func() page.Form { return page.NewForm("kind", string(billing.MethodIBAN)) })
		card := orFresh(refusedCard, func() page.Form { return page.NewForm() })
		for _, secret := range secretFields {
			form.Values.Del(secret)
			card.Values.Del(secret)
		}
		data := page.PaymentMethods{Shell: shell, Form: form, CardForm: card, Customer: c,
			Kinds: []page.Option{{Value: string(billing.MethodIBAN), Label: "IBAN"}, {Value: string(billing.MethodUSBank), Label: "US account"}}}
		if data.CardGateways, err = v.cardGateways(tx); err != nil {
			return nil, err
		}
		settings, err := billing.LoadSettings(v.ctx, tx)
		if err != nil {
			return nil, err
		}
		if settings.CollectAutomatically {
			if data.Charged, err = billing.CardToCharge(v.ctx, tx, customer); err != nil {
				return nil, err
			}
		}
		methods, err := billing.PaymentMethods(v.ctx, tx, customer)
		for _, m := range methods {
			row := page.PaymentMethodRow{PaymentMethod: m}
			if settings.CollectAutomatically && m.Chargeable() && m.ID != data.Charged && v.may(rightTo(authz.Change, authz.PaymentMethods)) {
				row.Acts = append(row.Acts, page.Act{URL: v.at("payment-methods", m.ID.String(), "automatic"), Label: "Charge this one", Icon: "check", Class: "btn-small", Key: newFormKey()})
			}
			if v.may(rightTo(authz.Delete, authz.PaymentMethods)) {
				row.Acts = append(row.Acts, page.Act{URL: v.at("payment-methods", m.ID.String(), "remove"), Label: "Remove", Icon: "trash-2", Class: "btn-small btn-danger",
					Key: newFormKey(), Ask: "Its number is forgotten at once.", Does: "Remove the one ending in " + m.LastFour})
			}
			data.Items = append(data.Items, row)
		}
		return data, err
	})
}

func sendBankAccount(v *visit) error {
	customer, err := idParam[billing.Customer](v, "id")
	if err != nil {
		return err
	}
	sent, err := readForm(v.c)
	if err != nil {
		return err
	}
	if err := v.run(func(tx *tenant.Tx) error {
		_, err := billing.CustomerByID(v.ctx, tx, customer)
		return err
	}); err != nil {
		return err
	}
	show := func(status int, refused *page.Form) error { return showMethods(v, status, refused, nil) }
	sealed, err := billing.SealBankAccount(v.ctx, v.server.Till.Sealer, v.scope.Organization().ID, billing.BankAccountInput{CustomerID: customer,
		Kind: billing.MethodKind(sent.Get("kind")), IBAN: sent.Get("iban"), Routing: sent.Get("routing_number"), AccountNumber: sent.Get("account_number")})
	if err != nil {
		return refusedGateway(sent, err, show)
	}
	return v.send(nil, func(tx *tenant.Tx, _ url.Values) (uuid.UUID, error) {
		m, err := billing.AddPaymentMethod(v.ctx, tx, sealed)
		return m.ID.UUID, err
	}, func(uuid.UUID) string {
		say(v.c, "Bank account stored")
		return v.at("customers", customer.String(), "methods")
	}, func(form page.Form) error { return show(http.StatusUnprocessableEntity, &form) })
}

// cardGateways are those that a card can be stored for by its number; none where no card numbers are kept.
func (v *visit) cardGateways(tx *tenant.Tx) (all []page.Option, err error) {
	if v.server.Till.CardNumbers == "" {
		return nil, nil
	}
	accounts, err := billing.GatewayAccounts(v.ctx, tx)
	for _, a := range accounts {
		if a.Kind.TakesNumbers() && !a.Archived {
			all = append(all, page.Option{Value: a.ID.String(), Label: a.Name})
		}
	}
	return all, err
}

func sendCardNumber(v *visit) error {
	customer, err := idParam[billing.Customer](v, "id")
	if err != nil {
		return err
	}
	sent, err := readForm(v.c)
	if err != nil {
		return err
	}
	if err := v.run(func(tx *tenant.Tx) error {
		_, err := billing.CustomerByID(v.ctx, tx, customer)
		return err
	}); err != nil {
		return err
	}
	show := func(status int, refused *page.Form) error { return showMethods(v, status, nil, refused) }
	in := billing.CardNumberInput{CustomerID: customer, Number: sent.Get("card_number"), Expires: sent.Get("expires")}
	in.GatewayID, _ = id.Parse[billing.GatewayAccount](sent.Get("gateway_id"))
	sealed, err := v.server.Till.SealCardNumber(v.ctx, v.scope.Organization().ID, v.server.DB.Now(), in)
	if err != nil {
		return refusedGateway(sent, err, show)
	}
	return v.send(nil, func(tx *tenant.Tx, _ url.Values) (uuid.UUID, error) {
		m, err := billing.AddPaymentMethod(v.ctx, tx, sealed)
		return m.ID.UUID, err
	}, func(uuid.UUID) string {
		say(v.c, "Card stored")
		return v.at("customers", customer.String(), "methods")
	}, func(form page.Form) error { return show(http.StatusUnprocessableEntity, &form) })
}

func sendMethodRemove(v *visit) error {
	return sendMethodAct(v, "Payment method removed", billing.RemovePaymentMethod)
}

func sendMethodChoice(v *visit) error {
	return sendMethodAct(v, "This card is charged from now on", billing.ChoosePaymentMethod)
}

// sendMethodAct does something to one of a customer's and leads back to all of them.
func sendMethodAct(v *visit, said string, do func(ctx context.Context, tx *tenant.Tx, method billing.PaymentMethodID) error) error {
	method, err := idParam[billing.PaymentMethod](v, "id")
	if err != nil {
		return err
	}
	return v.send(nil, func(tx *tenant.Tx, _ url.Values) (uuid.UUID, error) {
		of, err := billing.PaymentMethodByID(v.ctx, tx, method)
		if err != nil {
			return uuid.Nil, err
		}
		return of.CustomerID.UUID, do(v.ctx, tx, method)
	}, func(customer uuid.UUID) string {
		say(v.c, said)
		return v.at("customers", customer.String(), "methods")
	}, func(form page.Form) error { return form.Faults.Err() })
}
