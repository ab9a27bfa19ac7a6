package web

import (
	"net/http"
	"net/url"

	"github.com/google/uuid"

	"github.com/countinghouse/countinghouse/billing"
	"github.com/countinghouse/countinghouse/billing/subscription"
	"github.com/countinghouse/countinghouse/internal/fault"
	"github.com/countinghouse/countinghouse/tenant"
	"github.com/countinghouse/countinghouse/web/page"
)

// startLines is for how many items the form of a new subscription has room. More are added on its page.
const startLines = 3

func subscriptionInput(sent url.Values, count int) (subscription.Input, error) {
	var faults fault.List
	body := SubscriptionBody{CustomerID: sent.Get("customer_id"), Unit: sent.Get("unit"), Every: wholeNumber(sent, "every", &faults),
		StartsOn: sent.Get("starts_on"), TrialDays: wholeNumber(sent, "trial_days", &faults), MonthEnd: sent.Get("month_end") != "",
		Currency: sent.Get("currency"), SubscriptionOptionsBody: subscriptionOptionsBody(sent, &faults)}
	for i := range count {
		body.Items = append(body.Items, subscriptionLine(sent, i))
	}
	if err := faults.Err(); err != nil {
		return subscription.Input{}, err
	}
	return body.input()
}

func sendSubscription(v *visit) error {
	sent, err := readLines(v, "tax_codes")
	if err != nil {
		return err
	}
	count := orderLines(sent, func(_ int, line url.Values) bool {
		return blank(line, "product_id", "description", "quantity", "unit_price")
	})
	if sent.Get("action") == "find" {
		form := keyed(page.FormOf(sent))
		return renderNewSubscription(v, http.StatusOK, &form, true)
	}
	return v.perform(sent, func(tx *tenant.Tx, sent url.Values) (uuid.UUID, error) {
		in, err := subscriptionInput(sent, count)
		if err != nil {
			return uuid.Nil, err
		}
		made, err := subscription.Start(v.ctx, tx, in)
		return made.ID.UUID, err
	}, func(made uuid.UUID) string {
		say(v.c, "Subscription started")
		return v.at("subscriptions", made.String())
	}, func(form page.Form) error {
		return renderNewSubscription(v, http.StatusUnprocessableEntity, &form, false)
	})
}

func renderNewSubscription(v *visit, status int, refused *page.Form, found bool) error {
	return v.show(status, "subscription-edit", func(tx *tenant.Tx) (any, error) {
		settings, err := billing.LoadSettings(v.ctx, tx)
		if err != nil {
			return nil, err
		}
		data := page.SubscriptionForm{Action: v.at("subscriptions"), Back: v.at("subscriptions"), Lines: editorLines(startLines, false)}
		data.Form = orFresh(refused, func() page.Form {
			return page.NewForm("currency", settings.BaseCurrency.Code(), "unit", "month", "every", "1", "starts_on", settings.Today(tx).String(),
				"customer_id", v.query("customer"), lineName(0, "quantity"), "1")
		})
		if data.Shell, err = v.frame(tx, "New subscription", "subscriptions"); err != nil {
			return nil, err
		}
		if count := countLines(data.Form); count > startLines {
			data.Lines = editorLines(count, false)
		}
		itemFaults(&data.Form, len(data.Lines))
		choices := page.InvoiceForm{Form: data.Form}
		if err := fillCustomers(v.ctx, tx, &choices, found); err != nil {
			return nil, err
		}
		data.Form, data.Customers, data.FindCustomer = choices.Form, choices.Customers, choices.FindCustomer
		data.Products, data.Rates, err = itemChoices(v, tx, data.Form, len(data.Lines))
		return data, err
	})
}
