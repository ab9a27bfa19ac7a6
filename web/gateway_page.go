package web

import (
	"net/http"
	"net/url"
	"strconv"

	"github.com/google/uuid"

	"github.com/countinghouse/countinghouse/authz"
	"github.com/countinghouse/countinghouse/billing"
	"github.com/countinghouse/countinghouse/billing/gateway"
	"github.com/countinghouse/countinghouse/tenant"
	"github.com/countinghouse/countinghouse/web/page"
)

// registerGatewayPages needs a till: without one nothing is taken through gateways.
func (s *Server) registerGatewayPages() {
	if s.Till == nil {
		return
	}
	s.member("GET", "/settings/gateways", rightTo(authz.Read, authz.Gateways), func(v *visit) error { return showGateways(v, http.StatusOK, page.Form{}) })
	s.member("GET", "/settings/gateways/new", rightTo(authz.Create, authz.Gateways), func(v *visit) error { return showGatewayForm(v, http.StatusOK, nil) })
	s.member("POST", "/settings/gateways", rightTo(authz.Create, authz.Gateways), sendGateway)
	s.member("GET", "/settings/gateways/:id", rightTo(authz.Change, authz.Gateways), func(v *visit) error { return showGateway(v, http.StatusOK, nil) })
	s.member("POST", "/settings/gateways/:id", rightTo(authz.Change, authz.Gateways), sendGatewayChange)
	s.member("POST", "/settings/gateways/:id/address", rightTo(authz.Change, authz.Gateways), sendGatewayAddress)
	s.member("POST", "/settings/gateways/:id/remove", rightTo(authz.Delete, authz.Gateways), sendGatewayRemove)
}

// afterFreshProof does what takes a fresh proof of who is signed in, and leads to next where it is not fresh.
func (v *visit) afterFreshProof(next string, do func() error) error {
	return v.server.afterProof(next, func(*fiberCtx) error { return do() })(v.c)
}

func showGateways(v *visit, status int, form page.Form) error {
	return v.show(status, "gateways", func(tx *tenant.Tx) (any, error) {
		data := page.Gateways{Form: form}
		var err error
		if data.Shell, err = v.frame(tx, "Payment gateways", "gateways"); err != nil {
			return nil, err
		}
		data.Items, err = billing.GatewayAccounts(v.ctx, tx)
		return data, err
	})
}

// offered are the kinds of gateway that this server lets an organization add.
func (s *Server) offered() []page.Option {
	all := []page.Option{{Value: string(gateway.Stripe), Label: "Stripe"}, {Value: string(gateway.Transfer), Label: "Bank transfer"}}
	if s.Outbox != nil {
		all = append(all, page.Option{Value: string(gateway.Practice), Label: "Practice"})
	}
	return all
}

func showGatewayForm(v *visit, status int, refused *page.Form) error {
	return v.show(status, "gateway-edit", func(tx *tenant.Tx) (any, error) {
		shell, err := v.frame(tx, "Add a payment gateway", "gateways")
		form := orFresh(refused, func() page.Form { return page.NewForm("kind", string(gateway.Stripe)) })
		form.Values.Del("key")
		form.Values.Del("webhook_secret")
		return page.GatewayForm{Shell: shell, Form: form, Action: v.at("settings", "gateways"), Kinds: v.server.offered()}, err
	})
}

func showGateway(v *visit, status int, refused *page.Form) error {
	account, err := idParam[billing.GatewayAccount](v, "id")
	if err != nil {
		return err
	}
	return v.show(status, "gateway-edit", func(tx *tenant.Tx) (any, error) {
		a, err := billing.GatewayAccountByID(v.ctx, tx, account)
		if err != nil {
			return nil, err
		}
		shell, err := v.frame(tx, a.Name, "gateways")
		form := orFresh(refused, func() page.Form {
			return page.NewForm("name", a.Name, "instructions", a.Instructions, "version", strconv.Itoa(a.Version))
		})
		renewVersion(&form, a.Version)
		form.Values.Del("key")
		form.Values.Del("webhook_secret")
		form.Values.Set("kind", string(a.Kind))
		data := page.GatewayForm{Shell: shell, Form: form, Action: v.at("settings", "gateways", a.ID.String()), Account: &a}
		if !a.Archived {
			if a.Kind != gateway.Transfer {
				data.Acts = append(data.Acts, page.Act{URL: data.Action + "/address", Label: "New address", Icon: "link", Key: newFormKey(),
					Ask: "The address before it stops at once.", Does: "Make a new address for messages"})
			}
			if v.may(rightTo(authz.Delete, authz.Gateways)) {
				data.Acts = append(data.Acts, page.Act{URL: data.Action + "/remove", Label: "Remove", Icon: "trash-2", Class: "btn-danger", Version: a.Version,
					Key: newFormKey(), Ask: "Nobody is charged through it any more. What was charged can still be refunded.", Does: "Remove " + a.Name})
			}
		}
		return data, err
	})
}

func gatewayInput(sent url.Values, kind gateway.Kind) billing.GatewayAccountInput {
	return billing.GatewayAccountInput{Kind: kind, Name: sent.Get("name"), Key: sent.Get("key"), WebhookSecret: sent.Get("webhook_secret"),
		Instructions: sent.Get("instructions")}
}

// refusedGateway shows a refused form again, and passes on what no form can put right.
func refusedGateway(sent url.Values, err error, show func(status int, refused *page.Form) error) error {
	form := page.FormOf(sent)
	if !isFormFault(err) || !form.Refused(err) {
		return err
	}
	form.Key = newFormKey()
	return show(http.StatusUnprocessableEntity, &form)
}

func sendGateway(v *visit) error {
	return v.afterFreshProof(v.at("settings", "gateways", "new"), func() error {
		sent, err := readForm(v.c)
		if err != nil {
			return err
		}
		show := func(status int, refused *page.Form) error { return showGatewayForm(v, status, refused) }
		kind := gateway.Kind(sent.Get("kind"))
		if !v.server.offers(kind) {
			return refusedGateway(sent, billing.ErrGatewayKind, show)
		}
		sealed, err := billing.SealGatewayAccount(v.ctx, v.server.Till.Sealer, v.scope.Organization().ID, gatewayInput(sent, kind))
		if err != nil {
			return refusedGateway(sent, err, show)
		}
		// The secrets are in none of what is kept of the request: its digest is keyed.
		return v.send(nil, func(tx *tenant.Tx, _ url.Values) (uuid.UUID, error) {
			a, err := billing.AddGatewayAccount(v.ctx, tx, sealed)
			return a.ID.UUID, err
		}, func(made uuid.UUID) string {
			say(v.c, "Payment gateway added")
			return v.at("settings", "gateways", made.String())
		}, func(form page.Form) error { return show(http.StatusUnprocessableEntity, &form) })
	})
}

func sendGatewayChange(v *visit) error {
	account, err := idParam[billing.GatewayAccount](v, "id")
	if err != nil {
		return err
	}
	return v.afterFreshProof(v.at("settings", "gateways", account.String()), func() error {
		sent, err := readForm(v.c)
		if err != nil {
			return err
		}
		var before billing.SealedCredentials
		err = v.run(func(tx *tenant.Tx) (err error) {
			before, err = billing.GatewayCredentials(v.ctx, tx, account)
			return err
		})
		if err != nil {
			return err
		}
		show := func(status int, refused *page.Form) error { return showGateway(v, status, refused) }
		sealed, err := billing.ResealGatewayAccount(v.ctx, v.server.Till.Sealer, before, gatewayInput(sent, before.Kind))
		if err != nil {
			return refusedGateway(sent, err, show)
		}
		return v.act(func(tx *tenant.Tx, version int) error {
			_, err := billing.ChangeGatewayAccount(v.ctx, tx, version, sealed)
			return err
		}, func() string {
			say(v.c, "Payment gateway saved")
			return v.at("settings", "gateways", account.String())
		}, func(form page.Form) error { return show(http.StatusUnprocessableEntity, &form) })
	})
}

// sendGatewayAddress answers with the address itself, because it is shown this once.
func sendGatewayAddress(v *visit) error {
	account, err := idParam[billing.GatewayAccount](v, "id")
	if err != nil {
		return err
	}
	if err := v.checkForm(); err != nil {
		return err
	}
	return v.afterFreshProof(v.at("settings", "gateways", account.String()), func() error {
		return v.show(http.StatusCreated, "gateway-address", func(tx *tenant.Tx) (any, error) {
			a, err := billing.GatewayAccountByID(v.ctx, tx, account)
			if err != nil {
				return nil, err
			}
			secret, err := billing.OpenGatewayAddress(v.ctx, tx, account)
			if err != nil {
				return nil, err
			}
			shell, err := v.frame(tx, "Address for messages", "gateways")
			return page.GatewayAddress{Shell: shell, Account: a, Address: v.server.Origin + webhookPath + secret}, err
		})
	})
}

func sendGatewayRemove(v *visit) error {
	account, err := idParam[billing.GatewayAccount](v, "id")
	if err != nil {
		return err
	}
	return v.afterFreshProof(v.at("settings", "gateways", account.String()), func() error {
		if err := v.run(func(tx *tenant.Tx) error {
			_, err := billing.GatewayAccountByID(v.ctx, tx, account)
			return err
		}); err != nil {
			return err
		}
		return v.act(func(tx *tenant.Tx, version int) error {
			return billing.RemoveGatewayAccount(v.ctx, tx, account, version)
		},
			func() string {
				say(v.c, "Payment gateway removed")
				return v.at("settings", "gateways")
			}, func(form page.Form) error { return showGateway(v, http.StatusUnprocessableEntity, &form) })
	})
}
