package web

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/google/uuid"

	"github.com/countinghouse/countinghouse/authz"
	"github.com/countinghouse/countinghouse/billing/money"
	"github.com/countinghouse/countinghouse/billing/subscription"
	"github.com/countinghouse/countinghouse/internal/id"
	"github.com/countinghouse/countinghouse/tenant"
	"github.com/countinghouse/countinghouse/web/page"
)

func subscriptionItems(v *visit, s subscription.Subscription) []page.SubscriptionItem {
	var items []page.SubscriptionItem
	flat := 0
	for _, i := range s.Items {
		if !i.Once && i.ToPeriod == nil {
			flat++
		}
	}
	for _, i := range s.Items {
		item := page.SubscriptionItem{Item: i}
		if i.FromPeriod >= s.NextPeriod && s.NextPeriod > 0 && !i.Once {
			item.Since = s.Schedule.At(i.FromPeriod)
		}
		if i.ToPeriod != nil {
			item.Until = s.Schedule.At(*i.ToPeriod + 1).AddDays(-1)
		} else if flat > 1 && !i.Once && s.State != subscription.Ended && v.may(rightTo(authz.Change, authz.Subscriptions)) {
			item.Acts = []page.Act{{URL: v.at("subscriptions", s.ID.String(), "remove") + "?item=" + i.Item.String(), Label: "Remove", Icon: "x", Class: "btn-small btn-quiet",
				Ask: "It is not charged from the next period on.", Does: "Remove it", Key: newFormKey(), Version: s.Version}}
		}
		items = append(items, item)
	}
	return items
}

// subscriptionLine reads one item of a form.
func subscriptionLine(sent url.Values, index int) SubscriptionItemBody {
	value := func(name string) string { return strings.TrimSpace(sent.Get(lineName(index, name))) }
	return SubscriptionItemBody{ProductID: value("product_id"), Description: value("description"), Quantity: value("quantity"),
		UnitPrice: value("unit_price"), TaxCodes: sent[lineName(index, "tax_codes")], Metered: value("metered")}
}

// itemChoices are the products and taxes that an item can have.
func itemChoices(v *visit, tx *tenant.Tx, form page.Form, lines int) (products, rates []page.Option, err error) {
	plain := page.InvoiceForm{}
	if err := fillProducts(v.ctx, tx, &plain); err != nil {
		return nil, nil, err
	}
	rates, err = rateOptions(v.ctx, tx, form, lines)
	return plain.Products, rates, err
}

// itemFaults brings the faults of items to the fields of the lines.
func itemFaults(form *page.Form, count int) {
	for n, e := range form.Faults {
		if rest, ok := strings.CutPrefix(e.Field, "items["); ok {
			form.Faults[n] = e.At("lines[" + rest)
		} else if e.Field == "items" {
			form.Faults[n] = e.At(lineName(0, "description"))
		}
	}
	moveLineFaults(form, count)
}

func subscriptionOfPath(v *visit, tx *tenant.Tx) (subscription.Subscription, error) {
	i, err := idParam[subscription.Subscription](v, "id")
	if err != nil {
		return subscription.Subscription{}, err
	}
	return subscription.ByID(v.ctx, tx, i)
}

func showSubscriptionItem(v *visit, status int, refused *page.Form) error {
	return v.show(status, "subscription-item", func(tx *tenant.Tx) (any, error) {
		s, err := subscriptionOfPath(v, tx)
		if err != nil {
			return nil, err
		}
		at := v.at("subscriptions", s.ID.String())
		data := page.SubscriptionItemForm{Action: at + "/change", Back: at, Lines: editorLines(1, false), NextOn: s.NextOn}
		chosen := v.query("item")
		if refused != nil {
			chosen = refused.Value("item")
		}
		if chosen != "" {
			n := slices.IndexFunc(s.Items, func(i subscription.Item) bool { return i.Item.String() == chosen && !i.Once && i.ToPeriod == nil })
			if n < 0 {
				return nil, subscription.ErrItemNotFound
			}
			data.Item = &s.Items[n]
		}
		data.Form = orFresh(refused, func() page.Form { return itemForm(data.Item, s) })
		renewVersion(&data.Form, s.Version)
		for _, name := range []string{"description", "quantity", "unit_price", "metered", "product_id"} {
			data.Form.Move(name, lineName(0, name))
		}
		itemFaults(&data.Form, 1)
		data.Whens = []page.Option{{Value: "next", Label: "From " + s.NextOn.String() + " on"}}
		if s.State == subscription.Active {
			data.Whens = append(data.Whens, page.Option{Value: "now", Label: "From today on, by the days left"},
				page.Option{Value: "right", Label: "From today on, and invoiced right away"})
		}
		title := "Add an item"
		if data.Item != nil {
			title = "Change an item"
		}
		if data.Shell, err = v.frame(tx, title, "subscriptions"); err != nil {
			return nil, err
		}
		data.Products, data.Rates, err = itemChoices(v, tx, data.Form, 1)
		return data, err
	})
}

func itemForm(item *subscription.Item, s subscription.Subscription) page.Form {
	if item == nil {
		return page.NewForm("when", "next", "version", strconv.Itoa(s.Version), lineName(0, "quantity"), "1")
	}
	return page.NewForm("when", "next", "version", strconv.Itoa(s.Version), "item", item.Item.String(), lineName(0, "quantity"), item.Quantity.String(),
		lineName(0, "unit_price"), page.PlainPrice(item.UnitPrice, s.Currency))
}

func sendSubscriptionItem(v *visit) error {
	i, err := idParam[subscription.Subscription](v, "id")
	if err != nil {
		return err
	}
	sent, err := readLines(v, "tax_codes")
	if err != nil {
		return err
	}
	done := "Changed"
	return v.perform(sent, func(tx *tenant.Tx, sent url.Values) (uuid.UUID, error) {
		version, err := versionOf(sent)
		if err != nil {
			return i.UUID, err
		}
		when := sent.Get("when")
		in, err := SubscriptionChangeBody{ItemID: sent.Get("item"), SubscriptionItemBody: subscriptionLine(sent, 0), Now: when == "now" || when == "right",
			InvoiceNow: when == "right"}.input()
		if err != nil {
			return i.UUID, err
		}
		before, err := subscription.ByID(v.ctx, tx, i)
		if err != nil {
			return i.UUID, err
		}
		after, err := subscription.ChangeItem(v.ctx, tx, i, version, in)
		done = "Changed"
		if back := after.Credit.Minor - before.Credit.Minor; err == nil && back > 0 {
			done = fmt.Sprintf("Changed. %s %s without tax comes back: it is taken off the next invoices", money.Amount{Minor: back, Currency: after.Currency}, after.Currency)
		}
		return i.UUID, err
	}, func(uuid.UUID) string {
		say(v.c, done)
		return v.at("subscriptions", i.String())
	}, func(form page.Form) error { return showSubscriptionItem(v, http.StatusUnprocessableEntity, &form) })
}

func removeSubscriptionItem(v *visit) error {
	i, err := idParam[subscription.Subscription](v, "id")
	if err != nil {
		return err
	}
	return v.act(func(tx *tenant.Tx, version int) error {
		item, ok := id.Parse[subscription.Item](v.query("item"))
		if !ok {
			return subscription.ErrItemNotFound
		}
		_, err := subscription.ChangeItem(v.ctx, tx, i, version, subscription.ChangeInput{Item: item, Remove: true})
		return err
	}, func() string {
		say(v.c, "Removed from the next period on")
		return v.at("subscriptions", i.String())
	}, func(form page.Form) error { return showSubscription(v, http.StatusUnprocessableEntity, form) })
}
