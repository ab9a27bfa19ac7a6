package web

import (
	"context"
	"net/http"
	"net/url"
	"strconv"

	"github.com/countinghouse/countinghouse/authz"
	"github.com/countinghouse/countinghouse/billing/shop"
	"github.com/countinghouse/countinghouse/tenant"
	"github.com/countinghouse/countinghouse/web/page"
)

func (s *Server) registerOrderReviewPages() {
	s.member("GET", "/settings/order-review", rightTo(authz.Read, authz.Settings), func(v *visit) error { return showOrderReview(v, http.StatusOK, nil) })
	s.member("POST", "/settings/order-review", rightTo(authz.Change, authz.Settings), sendOrderReview)
}

func showOrderReview(v *visit, status int, refused *page.Form) error {
	return v.show(status, "order-review", func(tx *tenant.Tx) (any, error) {
		l, err := shop.LoadLimits(v.ctx, tx)
		if err != nil {
			return nil, err
		}
		data := page.OrderReview{Form: orFresh(refused, func() page.Form {
			return page.NewForm("hours", strconv.Itoa(l.Hours), "orders", strconv.Itoa(l.Orders), "cards", strconv.Itoa(l.Cards),
				"addresses", strconv.Itoa(l.Addresses), "countries", strconv.Itoa(l.Countries), "version", strconv.Itoa(l.Version))
		})}
		renewVersion(&data.Form, l.Version)
		data.Shell, err = v.frame(tx, "Order review", "order-review")
		return data, err
	})
}

func sendOrderReview(v *visit) error {
	return v.save(nil, v.at("settings", "order-review"), "Order review saved", func(tx *tenant.Tx, version int, sent url.Values) error {
		_, err := shop.ChangeLimits(v.ctx, tx, version, shop.Limits{Hours: numberOf(sent.Get("hours")), Orders: numberOf(sent.Get("orders")),
			Cards: numberOf(sent.Get("cards")), Addresses: numberOf(sent.Get("addresses")), Countries: numberOf(sent.Get("countries"))})
		return err
	}, func(form page.Form) error { return showOrderReview(v, http.StatusUnprocessableEntity, &form) })
}

// OrderReviewBody is what is let through without a person's look, for one customer, one number and one network each.
type OrderReviewBody struct {
	Hours     int `json:"hours" doc:"Within which it is counted, 1 to 168"`
	Orders    int `json:"orders" doc:"0 to 1000; 0 is no limit"`
	Cards     int `json:"cards" doc:"0 to 1000; 0 is no limit"`
	Addresses int `json:"addresses" doc:"0 to 1000; 0 is no limit"`
	Countries int `json:"countries" doc:"0 to 1000; 0 is no limit"`
}

func viewOrderReview(l shop.Limits) OrderReviewBody {
	return OrderReviewBody{l.Hours, l.Orders, l.Cards, l.Addresses, l.Countries}
}

func (s *Server) registerOrderReviewAPI() {
	handleSettings(s, settingsRow[OrderReviewBody]{name: "order-review", path: "/v1/order-review", tag: "Orders", module: authz.Settings,
		reads: "Read what holds an order for review", writes: "Write anew what holds an order for review",
		load: func(ctx context.Context, tx *tenant.Tx) (OrderReviewBody, int, error) {
			l, err := shop.LoadLimits(ctx, tx)
			return viewOrderReview(l), l.Version, err
		},
		save: func(ctx context.Context, tx *tenant.Tx, version int, in OrderReviewBody) (OrderReviewBody, int, error) {
			l, err := shop.ChangeLimits(ctx, tx, version, shop.Limits{Hours: in.Hours, Orders: in.Orders, Cards: in.Cards, Addresses: in.Addresses, Countries: in.Countries})
			return viewOrderReview(l), l.Version, err
		}})
}
