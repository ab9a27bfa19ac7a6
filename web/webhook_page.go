package web

import (
	"net/http"
	"net/url"
	"strconv"

	"github.com/google/uuid"

	"github.com/countinghouse/countinghouse/authz"
	"github.com/countinghouse/countinghouse/internal/cursor"
	"github.com/countinghouse/countinghouse/internal/webhook"
	"github.com/countinghouse/countinghouse/tenant"
	"github.com/countinghouse/countinghouse/web/page"
)

// registerWebhookPages asks whoever adds a webhook, changes where it leads or gives it a new secret to show again that it
// is them: it tells of the books for longer than the session that they sit in.
func (s *Server) registerWebhookPages() {
	if s.Webhooks == nil {
		return
	}
	proved := func(path string, do func(v *visit) error) func(v *visit) error {
		return func(v *visit) error {
			at := v.at("settings", "webhooks", path)
			if path != "new" {
				at = v.at("settings", "webhooks", v.c.Params("id"), path)
			}
			return v.afterFreshProof(at, func() error { return do(v) })
		}
	}
	s.member("GET", "/settings/webhooks", rightTo(authz.Read, authz.Webhooks), showWebhooks)
	s.member("GET", "/settings/webhooks/new", rightTo(authz.Create, authz.Webhooks), proved("new", func(v *visit) error { return showWebhookForm(v, http.StatusOK, nil) }))
	s.member("POST", "/settings/webhooks", rightTo(authz.Create, authz.Webhooks), proved("new", sendWebhook))
	s.member("GET", "/settings/webhooks/:id", rightTo(authz.Read, authz.Webhooks), func(v *visit) error { return showWebhook(v, http.StatusOK, page.Form{}) })
	s.member("GET", "/settings/webhooks/:id/edit", rightTo(authz.Change, authz.Webhooks), proved("edit", func(v *visit) error { return showWebhookChange(v, http.StatusOK, nil) }))
	s.member("POST", "/settings/webhooks/:id", rightTo(authz.Change, authz.Webhooks), proved("edit", sendWebhookChange))
	s.member("GET", "/settings/webhooks/:id/rotate", rightTo(authz.Change, authz.Webhooks), proved("rotate", func(v *visit) error {
		return showWebhookRotate(v, http.StatusOK, page.NewForm("overlap_hours", "24"))
	}))
	s.member("POST", "/settings/webhooks/:id/rotate", rightTo(authz.Change, authz.Webhooks), proved("rotate", sendWebhookRotate))
	s.member("POST", "/settings/webhooks/:id/test", rightTo(authz.Change, authz.Webhooks), webhookAct("A test is on its way", func(v *visit, tx *tenant.Tx, i webhook.EndpointID) error {
		_, err := webhook.SendTest(v.ctx, tx, i)
		return err
	}))
	s.member("POST", "/settings/webhooks/:id/disable", rightTo(authz.Change, authz.Webhooks), webhookAct("Webhook turned off", func(v *visit, tx *tenant.Tx, i webhook.EndpointID) error {
		_, err := webhook.DisableEndpoint(v.ctx, tx, i)
		return err
	}))
	s.member("POST", "/settings/webhooks/:id/enable", rightTo(authz.Change, authz.Webhooks), webhookAct("Webhook turned on", func(v *visit, tx *tenant.Tx, i webhook.EndpointID) error {
		_, err := webhook.EnableEndpoint(v.ctx, tx, i)
		return err
	}))
	s.member("POST", "/settings/webhooks/:id/deliveries/:delivery/replay", rightTo(authz.Change, authz.Webhooks), sendReplay)
	s.member("POST", "/settings/webhooks/:id/remove", rightTo(authz.Delete, authz.Webhooks), sendWebhookRemove)
}

func showWebhooks(v *visit) error {
	return v.show(http.StatusOK, "webhooks", func(tx *tenant.Tx) (any, error) {
		shell, err := v.frame(tx, "Webhooks", "webhooks")
		if err != nil {
			return nil, err
		}
		all, err := webhook.Endpoints(v.ctx, tx)
		return page.Webhooks{Shell: shell, Items: all}, err
	})
}

func showWebhookForm(v *visit, status int, refused *page.Form) error {
	return v.show(status, "webhook-edit", func(tx *tenant.Tx) (any, error) {
		shell, err := v.frame(tx, "Add a webhook", "webhooks")
		form := orFresh(refused, func() page.Form { return page.NewForm("events", "*") })
		return page.WebhookForm{Shell: shell, Form: form, Action: v.at("settings", "webhooks"), Back: v.at("settings", "webhooks"), Events: webhook.Events()}, err
	})
}

func showWebhookChange(v *visit, status int, refused *page.Form) error {
	i, err := idParam[webhook.Endpoint](v, "id")
	if err != nil {
		return err
	}
	return v.show(status, "webhook-edit", func(tx *tenant.Tx) (any, error) {
		e, err := webhook.EndpointByID(v.ctx, tx, i)
		if err != nil {
			return nil, err
		}
		shell, err := v.frame(tx, "Change "+e.Name, "webhooks")
		form := orFresh(refused, func() page.Form {
			f := page.NewForm("name", e.Name, "url", e.URL, "version", strconv.Itoa(e.Version))
			f.Values["events"] = e.Events
			return f
		})
		renewVersion(&form, e.Version)
		at := v.at("settings", "webhooks", e.ID.String())
		return page.WebhookForm{Shell: shell, Form: form, Action: at, Back: at, Events: webhook.Events(), Endpoint: &e}, err
	})
}

func webhookInput(sent url.Values) webhook.Input {
	return webhook.Input{Name: sent.Get("name"), URL: sent.Get("url"), Events: sent["events"]}
}

// sendWebhook answers with the secret itself, because it is shown this once: it must be in no address and no cookie.
func sendWebhook(v *visit) error {
	sent, err := readForm(v.c, "events")
	if err != nil {
		return err
	}
	key := sent.Get("idempotency_key")
	if !visible(key) {
		return errKeyShape
	}
	show := func(status int, refused *page.Form) error { return showWebhookForm(v, status, refused) }
	sealed, err := v.server.Webhooks.SealEndpoint(v.ctx, v.scope.Organization().ID, webhookInput(sent))
	if err != nil {
		return refusedGateway(sent, err, show)
	}
	var data page.WebhookMade
	err = v.run(func(tx *tenant.Tx) error {
		data = page.WebhookMade{}
		made, replayed, err := tx.Once(v.ctx, key, v.digest(), func() (uuid.UUID, error) {
			e, err := webhook.AddEndpoint(v.ctx, tx, sealed)
			return e.ID.UUID, err
		})
		if err != nil {
			return err
		}
		if !replayed {
			data.Secret = sealed.Secret
		}
		if data.Endpoint, err = webhook.EndpointByID(v.ctx, tx, webhook.EndpointID{UUID: made}); err != nil {
			return err
		}
		data.Shell, err = v.frame(tx, data.Endpoint.Name, "webhooks")
		return err
	})
	if err != nil {
		return refusedGateway(sent, err, show)
	}
	return render(v.c, http.StatusCreated, "webhook-made", data)
}

func sendWebhookChange(v *visit) error {
	i, err := idParam[webhook.Endpoint](v, "id")
	if err != nil {
		return err
	}
	return v.send([]string{"events"}, func(tx *tenant.Tx, sent url.Values) (uuid.UUID, error) {
		if _, err := webhook.EndpointByID(v.ctx, tx, i); err != nil {
			return uuid.Nil, err
		}
		version, err := versionOf(sent)
		if err != nil {
			return uuid.Nil, err
		}
		_, err = v.server.Webhooks.ChangeEndpoint(v.ctx, tx, i, version, webhookInput(sent))
		return i.UUID, err
	}, func(uuid.UUID) string {
		say(v.c, "Webhook saved")
		return v.at("settings", "webhooks", i.String())
	}, func(form page.Form) error { return showWebhookChange(v, http.StatusUnprocessableEntity, &form) })
}

func showWebhookRotate(v *visit, status int, form page.Form) error {
	i, err := idParam[webhook.Endpoint](v, "id")
	if err != nil {
		return err
	}
	return v.show(status, "webhook-rotate", func(tx *tenant.Tx) (any, error) {
		e, err := webhook.EndpointByID(v.ctx, tx, i)
		if err != nil {
			return nil, err
		}
		at := v.at("settings", "webhooks", i.String())
		shell, err := v.frame(tx, "New secret for "+e.Name, "webhooks")
		return page.WebhookRotate{Shell: shell, Form: keyed(form), Endpoint: e, Action: at + "/rotate", Back: at, Overlap: overlaps}, err
	})
}

func sendWebhookRotate(v *visit) error {
	i, err := idParam[webhook.Endpoint](v, "id")
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
	hours, err := strconv.Atoi(sent.Get("overlap_hours"))
	if err != nil {
		hours = -1
	}
	show := func(status int, refused *page.Form) error { return showWebhookRotate(v, status, *refused) }
	rotation, err := v.server.Webhooks.SealRotation(v.ctx, v.server.DB, v.scope, i, overlapOf(hours))
	if err != nil {
		return refusedGateway(sent, err, show)
	}
	var data page.WebhookMade
	err = v.run(func(tx *tenant.Tx) error {
		data = page.WebhookMade{Rotated: true}
		_, replayed, err := tx.Once(v.ctx, key, v.digest(), func() (uuid.UUID, error) {
			_, err := webhook.RotateSecret(v.ctx, tx, rotation)
			return i.UUID, err
		})
		if err != nil {
			return err
		}
		if !replayed {
			data.Secret = rotation.Secret
		}
		if data.Endpoint, err = webhook.EndpointByID(v.ctx, tx, i); err != nil {
			return err
		}
		data.Shell, err = v.frame(tx, data.Endpoint.Name, "webhooks")
		return err
	})
	if err != nil {
		return refusedGateway(sent, err, show)
	}
	return render(v.c, http.StatusOK, "webhook-made", data)
}

func showWebhook(v *visit, status int, form page.Form) error {
	i, err := idParam[webhook.Endpoint](v, "id")
	if err != nil {
		return err
	}
	var q cursor.Query
	if v.c.Method() == http.MethodGet {
		if q, err = v.page(); err != nil {
			return err
		}
	}
	return v.show(status, "webhook", func(tx *tenant.Tx) (any, error) {
		e, err := webhook.EndpointByID(v.ctx, tx, i)
		if err != nil {
			return nil, err
		}
		data := page.Webhook{Form: form, Endpoint: e, Overlap: e.FormerUntil != nil && e.FormerUntil.After(tx.Now()), Acts: webhookActs(v, e)}
		if data.Shell, err = v.frame(tx, e.Name, "webhooks"); err != nil {
			return nil, err
		}
		at := v.at("settings", "webhooks", e.ID.String())
		may := v.may(rightTo(authz.Change, authz.Webhooks))
		if may {
			data.Edit, data.Rotate = at+"/edit", at+"/rotate"
		}
		found, err := webhook.Deliveries(v.ctx, tx, i, q)
		for _, d := range found.Items {
			row := page.DeliveryRow{Delivery: d}
			if may && e.DisabledAt == nil {
				label := "Send again"
				if d.State == webhook.Pending {
					label = "Try now"
				}
				row.Acts = []page.Act{{URL: at + "/deliveries/" + d.ID.String() + "/replay", Label: label, Icon: "refresh-cw", Class: "btn-small", Key: newFormKey()}}
			}
			data.Items = append(data.Items, row)
		}
		data.Pager = pager(v, q, found, func(d webhook.Delivery) uuid.UUID { return d.ID.UUID }, "")
		return data, err
	})
}

func webhookActs(v *visit, e webhook.Endpoint) (acts []page.Act) {
	at := v.at("settings", "webhooks", e.ID.String())
	if v.may(rightTo(authz.Change, authz.Webhooks)) {
		if e.DisabledAt != nil {
			acts = append(acts, page.Act{URL: at + "/enable", Label: "Turn on", Icon: "check", Class: "btn-primary", Key: newFormKey()})
		} else {
			acts = append(acts, page.Act{URL: at + "/test", Label: "Send a test", Icon: "send", Class: "btn-primary", Key: newFormKey()},
				page.Act{URL: at + "/disable", Label: "Turn off", Icon: "ban", Key: newFormKey(), Ask: "What happens while it is off is not sent later.", Does: "Turn off " + e.Name})
		}
	}
	if v.may(rightTo(authz.Delete, authz.Webhooks)) {
		acts = append(acts, page.Act{URL: at + "/remove", Label: "Remove", Icon: "trash-2", Class: "btn-danger", Key: newFormKey(),
			Ask: "Nothing more is sent to it, and the log of what was sent goes with it.", Does: "Remove " + e.Name})
	}
	return acts
}

// webhookAct is a button that does one thing to a webhook and stays on its page.
func webhookAct(said string, do func(v *visit, tx *tenant.Tx, i webhook.EndpointID) error) func(v *visit) error {
	return func(v *visit) error {
		i, err := idParam[webhook.Endpoint](v, "id")
		if err != nil {
			return err
		}
		return v.send(nil, func(tx *tenant.Tx, _ url.Values) (uuid.UUID, error) { return i.UUID, do(v, tx, i) }, func(uuid.UUID) string {
			say(v.c, said)
			return v.at("settings", "webhooks", i.String())
		}, func(form page.Form) error { return showWebhook(v, http.StatusUnprocessableEntity, form) })
	}
}

func sendReplay(v *visit) error {
	delivery, err := idParam[webhook.Delivery](v, "delivery")
	if err != nil {
		return err
	}
	return webhookAct("It is on its way again", func(v *visit, tx *tenant.Tx, i webhook.EndpointID) error {
		_, err := webhook.Replay(v.ctx, tx, i, delivery)
		return err
	})(v)
}

func sendWebhookRemove(v *visit) error {
	i, err := idParam[webhook.Endpoint](v, "id")
	if err != nil {
		return err
	}
	return v.send(nil, func(tx *tenant.Tx, _ url.Values) (uuid.UUID, error) {
		return i.UUID, webhook.RemoveEndpoint(v.ctx, tx, i)
	}, func(uuid.UUID) string {
		say(v.c, "Webhook removed")
		return v.at("settings", "webhooks")
	}, func(form page.Form) error { return showWebhook(v, http.StatusUnprocessableEntity, form) })
}
