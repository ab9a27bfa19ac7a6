package web

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/google/uuid"

	"github.com/countinghouse/countinghouse/billing/subscription"
	"github.com/countinghouse/countinghouse/internal/fault"
	"github.com/countinghouse/countinghouse/tenant"
	"github.com/countinghouse/countinghouse/web/page"
)

func subscriptionOptionsBody(sent url.Values, faults *fault.List) SubscriptionOptionsBody {
	return SubscriptionOptionsBody{CouponPercent: strings.TrimSpace(sent.Get("coupon_percent")), CouponAmount: strings.TrimSpace(sent.Get("coupon_amount")),
		CouponPeriods: wholeNumber(sent, "coupon_periods", faults), Collect: sent.Get("collect") != "", Send: sent.Get("send") != ""}
}

func showSubscriptionOptions(v *visit, status int, refused *page.Form) error {
	return v.show(status, "subscription-options", func(tx *tenant.Tx) (any, error) {
		s, err := subscriptionOfPath(v, tx)
		if err != nil {
			return nil, err
		}
		at := v.at("subscriptions", s.ID.String())
		data := page.SubscriptionOptions{Action: at, Back: at, Currency: s.Currency}
		data.Form = orFresh(refused, func() page.Form {
			form := page.NewForm("coupon_percent", decimalText(s.Coupon.Percent), "coupon_amount", decimalText(s.Coupon.Amount))
			if s.Coupon.Left > 0 {
				form.Values.Set("coupon_periods", strconv.Itoa(s.Coupon.Left))
			}
			for name, on := range map[string]bool{"collect": s.Collect, "send": s.Send} {
				if on {
					form.Values.Set(name, "yes")
				}
			}
			form.Values.Set("version", strconv.Itoa(s.Version))
			return form
		})
		renewVersion(&data.Form, s.Version)
		data.Shell, err = v.frame(tx, "Coupon, cards and mail", "subscriptions")
		return data, err
	})
}

func sendSubscriptionOptions(v *visit) error {
	i, err := idParam[subscription.Subscription](v, "id")
	if err != nil {
		return err
	}
	return v.send(nil, func(tx *tenant.Tx, sent url.Values) (uuid.UUID, error) {
		version, err := versionOf(sent)
		if err != nil {
			return i.UUID, err
		}
		var faults fault.List
		body := subscriptionOptionsBody(sent, &faults)
		if err := faults.Err(); err != nil {
			return i.UUID, err
		}
		options, err := body.input()
		if err != nil {
			return i.UUID, err
		}
		_, err = subscription.ChangeOptions(v.ctx, tx, i, version, options)
		return i.UUID, err
	}, func(uuid.UUID) string {
		say(v.c, "Saved")
		return v.at("subscriptions", i.String())
	}, func(form page.Form) error { return showSubscriptionOptions(v, http.StatusUnprocessableEntity, &form) })
}
