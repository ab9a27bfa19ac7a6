package web

import (
	"context"
	"net/http"
	"net/url"
	"strconv"

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
	return v.save(nil, v.at("settings", "portal"), "Portal settings saved", func(tx *tenant.Tx, version int, sent url.Values) error {
		_, err := billing.ChangePortal(v.ctx, tx, version, billing.PortalInput{SignUp: sent.Get("sign_up") != "", ShopOpen: sent.Get("shop_open") != ""})
		return err
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
	handleSettings(s, settingsRow[PortalBody]{name: "portal", path: "/v1/portal", tag: "Settings", module: authz.Shop,
		reads: "Read the portal's and the shop's settings", writes: "Write the portal's and the shop's settings anew",
		load: func(ctx context.Context, tx *tenant.Tx) (PortalBody, int, error) {
			p, err := billing.LoadPortal(ctx, tx)
			return viewPortal(p), p.Version, err
		},
		save: func(ctx context.Context, tx *tenant.Tx, version int, in PortalBody) (PortalBody, int, error) {
			p, err := billing.ChangePortal(ctx, tx, version, billing.PortalInput{SignUp: in.SignUp, ShopOpen: in.ShopOpen})
			return viewPortal(p), p.Version, err
		}})
}
