package web

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/google/uuid"

	"github.com/countinghouse/countinghouse/authz"
	"github.com/countinghouse/countinghouse/billing/phone"
	"github.com/countinghouse/countinghouse/tenant"
	"github.com/countinghouse/countinghouse/web/page"
)

// keepsTextGateways says whether organizations may have text gateways of their own here.
func (s *Server) keepsTextGateways() bool { return s.Phones != nil && s.Phones.Sealer != nil }

// registerTextGatewayPages asks whoever adds a gateway or changes it to show again that it is them: its secret costs money.
func (s *Server) registerTextGatewayPages() {
	if !s.keepsTextGateways() {
		return
	}
	read, write := rightTo(authz.Read, authz.Settings), rightTo(authz.Change, authz.Settings)
	s.member("GET", "/settings/text-gateways", read, func(v *visit) error { return showTextGateways(v, http.StatusOK, page.Form{}) })
	s.member("GET", "/settings/text-gateways/new", write, func(v *visit) error { return showTextGatewayForm(v, http.StatusOK, nil) })
	s.member("POST", "/settings/text-gateways", write, sendTextGateway)
	s.member("GET", "/settings/text-gateways/:id", write, func(v *visit) error { return showTextGateway(v, http.StatusOK, nil, nil) })
	s.member("POST", "/settings/text-gateways/:id", write, sendTextGatewayChange)
	s.member("POST", "/settings/text-gateways/:id/test", write, sendTextGatewayTest)
	for path, act := range map[string]struct {
		said string
		do   func(v *visit, tx *tenant.Tx, i phone.GatewayID) error
	}{
		"enable": {"Text gateway turned on", func(v *visit, tx *tenant.Tx, i phone.GatewayID) error {
			_, err := phone.TurnGateway(v.ctx, tx, i, true)
			return err
		}},
		"disable": {"Text gateway turned off", func(v *visit, tx *tenant.Tx, i phone.GatewayID) error {
			_, err := phone.TurnGateway(v.ctx, tx, i, false)
			return err
		}},
		"raise": {"Text gateway moved up", func(v *visit, tx *tenant.Tx, i phone.GatewayID) error {
			g, err := phone.GatewayByID(v.ctx, tx, i)
			if err == nil {
				_, err = phone.MoveGateway(v.ctx, tx, i, max(1, g.Turn-1))
			}
			return err
		}},
		"remove": {"Text gateway removed", func(v *visit, tx *tenant.Tx, i phone.GatewayID) error { return phone.RemoveGateway(v.ctx, tx, i) }},
	} {
		s.member("POST", "/settings/text-gateways/:id/"+path, write, func(v *visit) error {
			i, err := idParam[phone.Gateway](v, "id")
			if err != nil {
				return err
			}
			return v.send(nil, func(tx *tenant.Tx, _ url.Values) (uuid.UUID, error) { return i.UUID, act.do(v, tx, i) }, func(uuid.UUID) string {
				say(v.c, act.said)
				return v.at("settings", "text-gateways")
			}, func(form page.Form) error { return showTextGateways(v, http.StatusUnprocessableEntity, form) })
		})
	}
}

func showTextGateways(v *visit, status int, form page.Form) error {
	return v.show(status, "text-gateways", func(tx *tenant.Tx) (any, error) {
		shell, err := v.frame(tx, "Text gateways", "phone-check")
		if err != nil {
			return nil, err
		}
		data := page.TextGateways{Shell: shell, Form: form, Lent: v.server.Phones.Text != nil || v.server.Phones.Call != nil}
		all, err := phone.Gateways(v.ctx, tx)
		for n, g := range all {
			row := page.TextGatewayRow{Gateway: g}
			if n > 0 && v.may(rightTo(authz.Change, authz.Settings)) {
				row.Acts = []page.Act{{URL: v.at("settings", "text-gateways", g.ID.String(), "raise"), Label: "Move up", Icon: "chevrons-up-down", Class: "btn-small", Key: newFormKey()}}
			}
			data.On = data.On || !g.Off
			data.Items = append(data.Items, row)
		}
		return data, err
	})
}

func showTextGatewayForm(v *visit, status int, refused *page.Form) error {
	return v.show(status, "text-gateway-edit", func(tx *tenant.Tx) (any, error) {
		shell, err := v.frame(tx, "Add a text gateway", "phone-check")
		form := orFresh(refused, func() page.Form { return page.NewForm("kind", string(phone.Twilio), "sends", "text") })
		form.Values.Del("key")
		at := v.at("settings", "text-gateways")
		return page.TextGatewayForm{Shell: shell, Form: form, Action: at, Back: at}, err
	})
}

func showTextGateway(v *visit, status int, refused, test *page.Form) error {
	i, err := idParam[phone.Gateway](v, "id")
	if err != nil {
		return err
	}
	return v.show(status, "text-gateway-edit", func(tx *tenant.Tx) (any, error) {
		g, err := phone.GatewayByID(v.ctx, tx, i)
		if err != nil {
			return nil, err
		}
		shell, err := v.frame(tx, g.Name, "phone-check")
		form := orFresh(refused, func() page.Form {
			return page.NewForm("name", g.Name, "url", g.URL, "account", g.Account, "sender", g.Sender, "sends", g.Sends, "version", strconv.Itoa(g.Version))
		})
		renewVersion(&form, g.Version)
		form.Values.Del("key")
		form.Values.Set("kind", string(g.Kind))
		back := v.at("settings", "text-gateways")
		at := v.at("settings", "text-gateways", g.ID.String())
		data := page.TextGatewayForm{Shell: shell, Form: form, Action: at, Back: back, Gateway: &g,
			Test: orFresh(test, func() page.Form { return page.NewForm("way", strings.Fields(g.Sends)[0]) })}
		data.Test.ID = "test"
		if g.Off {
			data.Acts = append(data.Acts, page.Act{URL: at + "/enable", Label: "Turn on", Icon: "check", Key: newFormKey()})
		} else {
			data.Acts = append(data.Acts, page.Act{URL: at + "/disable", Label: "Turn off", Icon: "ban", Key: newFormKey()})
		}
		data.Acts = append(data.Acts, page.Act{URL: at + "/remove", Label: "Remove", Icon: "trash-2", Class: "btn-danger", Key: newFormKey(),
			Ask: "Nothing more is sent through it, and its secret is forgotten.", Does: "Remove gateway"})
		return data, err
	})
}

func textGatewayInput(sent url.Values) phone.GatewayInput {
	return phone.GatewayInput{Kind: phone.GatewayKind(sent.Get("kind")), Name: sent.Get("name"), URL: sent.Get("url"), Account: sent.Get("account"),
		Key: sent.Get("key"), Sender: sent.Get("sender"), Sends: sent.Get("sends")}
}

func sendTextGateway(v *visit) error {
	return v.afterFreshProof(v.at("settings", "text-gateways", "new"), func() error {
		sent, err := readForm(v.c)
		if err != nil {
			return err
		}
		show := func(status int, refused *page.Form) error { return showTextGatewayForm(v, status, refused) }
		sealed, err := v.server.Phones.SealGateway(v.ctx, v.scope.Organization().ID, textGatewayInput(sent))
		if err != nil {
			return refusedGateway(sent, err, show)
		}
		return v.perform(sent, func(tx *tenant.Tx, _ url.Values) (uuid.UUID, error) {
			g, err := phone.AddGateway(v.ctx, tx, sealed)
			return g.ID.UUID, err
		}, func(made uuid.UUID) string {
			say(v.c, "Text gateway added. Send a test through it.")
			return v.at("settings", "text-gateways", made.String())
		}, func(form page.Form) error { return show(http.StatusUnprocessableEntity, &form) })
	})
}

func sendTextGatewayChange(v *visit) error {
	i, err := idParam[phone.Gateway](v, "id")
	if err != nil {
		return err
	}
	return v.afterFreshProof(v.at("settings", "text-gateways", i.String()), func() error {
		sent, err := readForm(v.c)
		if err != nil {
			return err
		}
		g, err := readTextGateway(v, i)
		if err != nil {
			return err
		}
		show := func(status int, refused *page.Form) error { return showTextGateway(v, status, refused, nil) }
		sealed, err := v.server.Phones.ResealGateway(v.ctx, v.scope.Organization().ID, g, textGatewayInput(sent))
		if err != nil {
			return refusedGateway(sent, err, show)
		}
		return v.act(func(tx *tenant.Tx, version int) error {
			_, err := phone.ChangeGateway(v.ctx, tx, version, sealed)
			return err
		}, func() string {
			say(v.c, "Text gateway saved")
			return v.at("settings", "text-gateways", i.String())
		}, func(form page.Form) error { return show(http.StatusUnprocessableEntity, &form) })
	})
}

func readTextGateway(v *visit, i phone.GatewayID) (g phone.Gateway, err error) {
	err = v.run(func(tx *tenant.Tx) (err error) {
		g, err = phone.GatewayByID(v.ctx, tx, i)
		return err
	})
	return g, err
}

// sendTextGatewayTest sends once for a form that came twice.
func sendTextGatewayTest(v *visit) error {
	i, err := idParam[phone.Gateway](v, "id")
	if err != nil {
		return err
	}
	sent, err := readForm(v.c)
	if err != nil {
		return err
	}
	key := sent.Get("idempotency_key")
	if !visible(key) {
		return errKeyShape
	}
	sent.Set("number", dialled(sent.Get("number")))
	var g phone.Gateway
	again := false
	err = v.run(func(tx *tenant.Tx) (err error) {
		if g, err = phone.GatewayByID(v.ctx, tx, i); err != nil {
			return err
		}
		_, again, err = tx.Once(v.ctx, key, v.digest(), func() (uuid.UUID, error) { return i.UUID, nil })
		return err
	})
	if err != nil {
		return err
	}
	back := v.at("settings", "text-gateways", i.String())
	if again {
		return v.c.Redirect(back, http.StatusSeeOther)
	}
	show := func(status int, refused *page.Form) error { return showTextGateway(v, status, nil, refused) }
	try, err := v.server.testTextGateway(v.ctx, v.scope.Organization().ID, v.run, g, sent.Get("way"), sent.Get("number"))
	if err == nil {
		err = tryFault(try)
	}
	if err != nil {
		return refusedGateway(sent, err, show)
	}
	say(v.c, "The gateway took the test over")
	return v.c.Redirect(back, http.StatusSeeOther)
}
