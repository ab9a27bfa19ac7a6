package web

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/google/uuid"

	"github.com/countinghouse/countinghouse/authz"
	"github.com/countinghouse/countinghouse/billing"
	"github.com/countinghouse/countinghouse/billing/money"
	"github.com/countinghouse/countinghouse/billing/subscription"
	"github.com/countinghouse/countinghouse/internal/civil"
	"github.com/countinghouse/countinghouse/internal/fault"
	"github.com/countinghouse/countinghouse/internal/id"
	"github.com/countinghouse/countinghouse/tenant"
	"github.com/countinghouse/countinghouse/web/page"
)

var errNotNumber = fault.New(fault.Invalid, "number.whole", "Write a whole number.")

// startLines is for how many items the form of a new subscription has room. More are added on its page.
const startLines = 3

func (s *Server) registerSubscriptionPages() {
	change, remove := rightTo(authz.Change, authz.Subscriptions), rightTo(authz.Delete, authz.Subscriptions)
	s.member("GET", "/subscriptions", rightTo(authz.Read, authz.Subscriptions), showSubscriptions)
	s.member("GET", "/subscriptions/new", rightTo(authz.Create, authz.Subscriptions), func(v *visit) error { return renderNewSubscription(v, http.StatusOK, nil, false) })
	s.member("POST", "/subscriptions", rightTo(authz.Create, authz.Subscriptions), sendSubscription)
	s.member("GET", "/subscriptions/:id", rightTo(authz.Read, authz.Subscriptions), func(v *visit) error { return showSubscription(v, http.StatusOK, page.Form{}) })
	s.member("GET", "/subscriptions/:id/change", change, func(v *visit) error { return showSubscriptionItem(v, http.StatusOK, nil) })
	s.member("POST", "/subscriptions/:id/change", change, sendSubscriptionItem)
	s.member("GET", "/subscriptions/:id/edit", change, func(v *visit) error { return showSubscriptionOptions(v, http.StatusOK, nil) })
	s.member("POST", "/subscriptions/:id", change, sendSubscriptionOptions)
	for _, act := range []struct {
		name, said string
		right      authz.Right
		do         func(ctx context.Context, tx *tenant.Tx, i subscription.ID, version int) (subscription.Subscription, error)
	}{
		{"pause", "Paused", change, subscription.Pause},
		{"resume", "Resumed", change, subscription.Resume},
		{"keep", "It goes on", remove, subscription.Keep},
		{"cancel", "It ends with its period", remove, func(ctx context.Context, tx *tenant.Tx, i subscription.ID, version int) (subscription.Subscription, error) {
			return subscription.Cancel(ctx, tx, i, version, false)
		}},
		{"end", "Ended", remove, func(ctx context.Context, tx *tenant.Tx, i subscription.ID, version int) (subscription.Subscription, error) {
			return subscription.Cancel(ctx, tx, i, version, true)
		}},
		{"give-back", "Ended. A credit note is issued over what was left", remove, func(ctx context.Context, tx *tenant.Tx, i subscription.ID, version int) (subscription.Subscription, error) {
			s, _, err := subscription.CancelGivingBack(ctx, tx, i, version)
			return s, err
		}},
	} {
		s.member("POST", "/subscriptions/:id/"+act.name, act.right, func(v *visit) error {
			i, err := idParam[subscription.Subscription](v, "id")
			if err != nil {
				return err
			}
			return v.act(func(tx *tenant.Tx, version int) error {
				_, err := act.do(v.ctx, tx, i, version)
				return err
			}, func() string {
				say(v.c, act.said)
				return v.at("subscriptions", i.String())
			}, func(form page.Form) error { return showSubscription(v, http.StatusUnprocessableEntity, form) })
		})
	}
	s.member("POST", "/subscriptions/:id/remove", change, removeSubscriptionItem)
}

func showSubscriptions(v *visit) error {
	q, err := v.page()
	if err != nil {
		return err
	}
	find := v.find("subscriptions", "Customer or company", "state", "customer")
	filter := subscription.Filter{State: subscription.State(v.query("state")), Search: find.Search}
	if filter.CustomerID, err = bodyID[billing.Customer]("customer", v.query("customer")); err != nil {
		return err
	}
	data := page.Subscriptions{Find: find, Narrowed: filter != subscription.Filter{}}
	return v.show(http.StatusOK, "subscriptions", func(tx *tenant.Tx) (any, error) {
		var err error
		if data.Shell, err = v.frame(tx, "Subscriptions", "subscriptions"); err != nil {
			return nil, err
		}
		counts, err := subscription.Counts(v.ctx, tx)
		if err != nil {
			return nil, err
		}
		data.Tabs = subscriptionTabs(v, filter, counts)
		found, err := subscription.All(v.ctx, tx, filter, q)
		data.Items = found.Items
		data.Pager = pager(v, q, found, func(s subscription.Subscription) uuid.UUID { return s.ID.UUID }, "")
		return data, err
	})
}

func subscriptionTabs(v *visit, filter subscription.Filter, counts map[subscription.State]int) page.Tabs {
	all := 0
	for _, n := range counts {
		all += n
	}
	tabs := page.Tabs{Label: "Subscriptions by state"}
	for _, t := range []struct {
		label string
		state subscription.State
		count int
	}{{"All", "", all}, {"Active", subscription.Active, counts[subscription.Active]}, {"Not begun", subscription.Trialing, counts[subscription.Trialing]},
		{"Paused", subscription.Paused, counts[subscription.Paused]}, {"Ended", subscription.Ended, counts[subscription.Ended]}} {
		query := url.Values{}
		for name, value := range map[string]string{"state": string(t.state), "customer": v.query("customer"), "q": v.query("q")} {
			if value != "" {
				query.Set(name, value)
			}
		}
		address := v.at("subscriptions")
		if len(query) > 0 {
			address += "?" + query.Encode()
		}
		counted := filter.CustomerID.IsZero() && filter.Search == "" // with these the counts would be of another list
		tabs.Tabs = append(tabs.Tabs, page.Tab{Label: t.label, URL: address, Count: t.count, Counted: counted, Current: filter.State == t.state})
	}
	return tabs
}

func showSubscription(v *visit, status int, form page.Form) error {
	i, err := idParam[subscription.Subscription](v, "id")
	if err != nil {
		return err
	}
	return v.show(status, "subscription", func(tx *tenant.Tx) (any, error) {
		data := page.Subscription{Form: form}
		var err error
		if data.Subscription, err = subscription.ByID(v.ctx, tx, i); err != nil {
			return nil, err
		}
		s := data.Subscription
		if data.Shell, err = v.frame(tx, "Subscription of "+s.CustomerSay, "subscriptions"); err != nil {
			return nil, err
		}
		next, ok, err := subscription.Next(v.ctx, tx, s)
		if err != nil {
			return nil, err
		} else if ok {
			data.Next = &next.Total
		}
		periods, err := subscription.Periods(v.ctx, tx, i)
		for _, p := range periods {
			data.Periods = append(data.Periods, page.SubscriptionPeriod{Period: p, Amount: money.Amount{Minor: p.Total, Currency: s.Currency}})
		}
		if err != nil {
			return nil, err
		}
		unused, err := subscription.LookUnused(v.ctx, tx, s, civil.Of(tx.Now(), data.Today.Location()))
		data.Items, data.Acts = subscriptionItems(v, s), subscriptionActs(v, s, unused)
		return data, err
	})
}

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

func subscriptionActs(v *visit, s subscription.Subscription, unused subscription.Unused) (acts []page.Act) {
	if s.State == subscription.Ended {
		return nil
	}
	act := func(name, label, icon, class, ask, does string) {
		acts = append(acts, page.Act{URL: v.at("subscriptions", s.ID.String(), name), Label: label, Icon: icon, Class: class, Ask: ask, Does: does, Key: newFormKey(), Version: s.Version})
	}
	if v.may(rightTo(authz.Change, authz.Subscriptions)) {
		if s.State == subscription.Paused {
			act("resume", "Resume", "play", "", "", "")
		} else {
			act("pause", "Pause", "timer", "", "No invoice is made until it is resumed. What was invoiced stays.", "Pause it")
		}
	}
	if !v.may(rightTo(authz.Delete, authz.Subscriptions)) {
		return acts
	}
	switch {
	case s.CancelAtEnd:
		act("keep", "Do not cancel", "undo-2", "", "", "")
	case s.State != subscription.Paused:
		act("cancel", "Cancel at the end", "ban", "", "It ends when the current period does. What is used until then is still invoiced.", "Cancel at the end")
	}
	act("end", "Cancel now", "ban", "btn-danger", "It ends today. What was used is invoiced; nothing that was paid is given back.", "Cancel now")
	if unused.Net.Sign() > 0 {
		act("give-back", "Cancel now and give back", "undo-2", "btn-danger", fmt.Sprintf("It ends today, and a credit note over %s %s without tax is issued: what was charged for the %d days of %d that are left, and credit that is not used up.",
			unused.Net, unused.Net.Currency, unused.Days, unused.Of), "Cancel and give back")
	}
	return acts
}

// subscriptionLine reads one item of a form.
func subscriptionLine(sent url.Values, index int) SubscriptionItemBody {
	value := func(name string) string { return strings.TrimSpace(sent.Get(lineName(index, name))) }
	return SubscriptionItemBody{ProductID: value("product_id"), Description: value("description"), Quantity: value("quantity"),
		UnitPrice: value("unit_price"), TaxCodes: sent[lineName(index, "tax_codes")], Metered: value("metered")}
}

func wholeNumber(sent url.Values, name string, faults *fault.List) int {
	text := strings.TrimSpace(sent.Get(name))
	if text == "" {
		return 0
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 0 || n > 1<<20 {
		faults.Add("", errNotNumber.At(name))
	}
	return n
}

func subscriptionOptionsBody(sent url.Values, faults *fault.List) SubscriptionOptionsBody {
	return SubscriptionOptionsBody{CouponPercent: strings.TrimSpace(sent.Get("coupon_percent")), CouponAmount: strings.TrimSpace(sent.Get("coupon_amount")),
		CouponPeriods: wholeNumber(sent, "coupon_periods", faults), Collect: sent.Get("collect") != "", Send: sent.Get("send") != ""}
}

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
