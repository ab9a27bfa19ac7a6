package web

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/google/uuid"

	"github.com/countinghouse/countinghouse/authz"
	"github.com/countinghouse/countinghouse/billing"
	"github.com/countinghouse/countinghouse/billing/money"
	"github.com/countinghouse/countinghouse/billing/subscription"
	"github.com/countinghouse/countinghouse/internal/civil"
	"github.com/countinghouse/countinghouse/internal/fault"
	"github.com/countinghouse/countinghouse/tenant"
	"github.com/countinghouse/countinghouse/web/page"
)

var errNotNumber = fault.New(fault.Invalid, "number.whole", "Write a whole number.")

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
