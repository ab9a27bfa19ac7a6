package web

import (
	"context"
	"net/http"
	"net/url"

	"github.com/google/uuid"

	"github.com/countinghouse/countinghouse/authz"
	"github.com/countinghouse/countinghouse/billing"
	"github.com/countinghouse/countinghouse/billing/shop"
	"github.com/countinghouse/countinghouse/tenant"
	"github.com/countinghouse/countinghouse/web/page"
)

func (s *Server) registerOrderPages() {
	s.member("GET", "/orders", rightTo(authz.Read, authz.Orders), showOrders)
	s.member("GET", "/orders/:id", rightTo(authz.Read, authz.Orders), func(v *visit) error { return showOrder(v, http.StatusOK, page.Form{}) })
	s.member("POST", "/orders/:id/release", rightTo(authz.Approve, authz.Orders), func(v *visit) error { return sendOrderAct(v, shop.ReleaseOrder, "Released and invoiced") })
	s.member("POST", "/orders/:id/refuse", rightTo(authz.Delete, authz.Orders), func(v *visit) error { return sendOrderAct(v, shop.RefuseOrder, "Refused") })
}

// orderTabs are the states that orders are in.
func orderTabs(v *visit, tx *tenant.Tx) (page.Tabs, error) {
	counts, err := billing.OrderCounts(v.ctx, tx)
	tabs := page.Tabs{Label: "By state"}
	chosen := v.query("state")
	tabs.Tabs = append(tabs.Tabs, page.Tab{Label: "All", URL: v.at("orders"), Current: chosen == ""})
	for _, s := range []struct{ state, label string }{{billing.OrderHeld, "To decide"}, {billing.OrderPlaced, "With the customer"},
		{billing.OrderDone, "Invoiced"}, {billing.OrderRefused, "Refused"}} {
		tabs.Tabs = append(tabs.Tabs, page.Tab{Label: s.label, URL: v.at("orders") + "?state=" + s.state, Count: counts[s.state], Counted: true, Current: chosen == s.state})
	}
	return tabs, err
}

func showOrders(v *visit) error {
	q, err := v.page()
	if err != nil {
		return err
	}
	return v.show(http.StatusOK, "orders", func(tx *tenant.Tx) (any, error) {
		data := page.Orders{Find: v.find("orders", "Number, customer or their order", "state"), Narrowed: v.query("state") != ""}
		var err error
		if data.Shell, err = v.frame(tx, "Orders", "orders"); err != nil {
			return nil, err
		}
		if data.Tabs, err = orderTabs(v, tx); err != nil {
			return nil, err
		}
		found, err := billing.Orders(v.ctx, tx, billing.OrderFilter{State: v.query("state"), Search: data.Find.Search}, q)
		data.Items = found.Items
		data.Pager = pager(v, q, found, func(o billing.OrderHead) uuid.UUID { return o.ID.UUID }, "")
		return data, err
	})
}

func showOrder(v *visit, status int, form page.Form) error {
	wanted, err := idParam[billing.Order](v, "id")
	if err != nil {
		return err
	}
	return v.show(status, "order", func(tx *tenant.Tx) (any, error) {
		o, err := billing.OrderByID(v.ctx, tx, wanted)
		if err != nil {
			return nil, err
		}
		settings, err := billing.LoadSettings(v.ctx, tx)
		if err != nil {
			return nil, err
		}
		shell, err := v.frame(tx, "Order "+o.Number, "orders")
		data := page.OrderPage{Shell: shell, Form: form, Order: o, Settings: settings}
		if o.State != billing.OrderHeld && o.State != billing.OrderPlaced {
			return data, err
		}
		at := v.at("orders", wanted.String())
		if v.may(rightTo(authz.Delete, authz.Orders)) {
			data.Acts = append(data.Acts, page.Act{URL: at + "/refuse", Label: "Refuse", Icon: "ban", Class: "btn-danger", Key: newFormKey(), Version: o.Version,
				Ask: "Nothing is invoiced. It stays on record.", Does: "Refuse the order"})
		}
		if v.may(rightTo(authz.Approve, authz.Orders)) {
			data.Acts = append(data.Acts, page.Act{URL: at + "/release", Label: "Release and invoice", Icon: "check", Class: "btn-primary", Key: newFormKey(), Version: o.Version})
		}
		return data, err
	})
}

func sendOrderAct(v *visit, do func(ctx context.Context, tx *tenant.Tx, order billing.OrderID, version int) (billing.Order, error), told string) error {
	wanted, err := idParam[billing.Order](v, "id")
	if err != nil {
		return err
	}
	return v.send(nil, func(tx *tenant.Tx, sent url.Values) (uuid.UUID, error) {
		if _, err := billing.OrderByID(v.ctx, tx, wanted); err != nil {
			return uuid.Nil, err
		}
		version, err := versionOf(sent)
		if err != nil {
			return uuid.Nil, err
		}
		o, err := do(v.ctx, tx, wanted, version)
		return o.ID.UUID, err
	}, func(uuid.UUID) string {
		say(v.c, told)
		return v.at("orders", wanted.String())
	}, func(form page.Form) error { return showOrder(v, http.StatusUnprocessableEntity, form) })
}
