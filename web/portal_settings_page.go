package web

import (
	"context"
	"net/http"
	"net/url"
	"strconv"

	"github.com/google/uuid"

	"github.com/countinghouse/countinghouse/authz"
	"github.com/countinghouse/countinghouse/billing"
	"github.com/countinghouse/countinghouse/tenant"
	"github.com/countinghouse/countinghouse/web/page"
)

func showPortalSettings(v *visit, status int, refused *page.Form) error {
	return v.show(status, "settings-portal", func(tx *tenant.Tx) (any, error) {
		p, err := billing.LoadPortal(v.ctx, tx)
		if err != nil {
			return nil, err
		}
		form := orFresh(refused, func() page.Form {
			return page.NewForm("sign_up", box(p.SignUp), "shop_open", box(p.ShopOpen), "version", strconv.Itoa(p.Version))
		})
		renewVersion(&form, p.Version)
		shell, err := v.frame(tx, "Portal and shop", "portal")
		return page.PortalSettings{Shell: shell, Form: form, Address: v.server.portalOrigin(v.scope.Organization().Slug)}, err
	})
}

func sendPortalSettings(v *visit) error {
	return v.send(nil, func(tx *tenant.Tx, sent url.Values) (uuid.UUID, error) {
		version, err := versionOf(sent)
		if err != nil {
			return uuid.Nil, err
		}
		_, err = billing.ChangePortal(v.ctx, tx, version, billing.PortalInput{SignUp: sent.Get("sign_up") != "", ShopOpen: sent.Get("shop_open") != ""})
		return uuid.Nil, err
	}, func(uuid.UUID) string {
		say(v.c, "Portal settings saved")
		return v.at("settings", "portal")
	}, func(form page.Form) error { return showPortalSettings(v, http.StatusUnprocessableEntity, &form) })
}

// PortalBody is what an organization has decided about its own host.
type PortalBody struct {
	SignUp   bool `json:"sign_up" doc:"Customers may open an account by themselves"`
	ShopOpen bool `json:"shop_open" doc:"The shop sells the products that are marked for it"`
}

func viewPortal(p billing.Portal) PortalBody {
	return PortalBody{SignUp: p.SignUp, ShopOpen: p.ShopOpen}
}

func (s *Server) registerPortalSettingsAPI() {
	const tag = "Settings"
	handle(s, operation{id: "get-portal", method: "GET", path: "/v1/portal", right: rightTo(authz.Read, authz.Shop), tag: tag, summary: "Read the portal's and the shop's settings"},
		func(ctx context.Context, c *call, _ *struct{}) (*Versioned[PortalBody], error) {
			var p billing.Portal
			err := c.do(ctx, func(tx *tenant.Tx) (err error) {
				p, err = billing.LoadPortal(ctx, tx)
				return err
			})
			return versioned(viewPortal(p), p.Version), err
		})
	handle(s, operation{id: "change-portal", method: "PUT", path: "/v1/portal", right: rightTo(authz.Change, authz.Shop), tag: tag, summary: "Write the portal's and the shop's settings anew"},
		func(ctx context.Context, c *call, in *struct {
			IfMatch
			Body PortalBody
		}) (*Versioned[PortalBody], error) {
			version, err := in.version()
			if err != nil {
				return nil, err
			}
			var p billing.Portal
			err = c.do(ctx, func(tx *tenant.Tx) (err error) {
				p, err = billing.ChangePortal(ctx, tx, version, billing.PortalInput{SignUp: in.Body.SignUp, ShopOpen: in.Body.ShopOpen})
				return err
			})
			return versioned(viewPortal(p), p.Version), err
		})
}
