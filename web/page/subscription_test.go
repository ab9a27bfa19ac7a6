package page

import (
	"strings"
	"testing"

	"github.com/shopspring/decimal"

	"github.com/countinghouse/countinghouse/billing"
	"github.com/countinghouse/countinghouse/billing/subscription"
	"github.com/countinghouse/countinghouse/internal/civil"
	"github.com/countinghouse/countinghouse/internal/fault"
	"github.com/countinghouse/countinghouse/internal/id"
)

func sampleSubscription() subscription.Subscription {
	return subscription.Subscription{ID: id.New[subscription.Subscription](), CustomerSay: `Hugh "O’Reilly" <script>`, State: subscription.Active,
		Schedule:  subscription.Schedule{Unit: subscription.Month, Every: 3, Anchor: civil.On(2026, 8, 31)},
		StartedOn: civil.On(2026, 8, 17), NextPeriod: 2, NextOn: civil.On(2027, 2, 28), Currency: eur,
		Coupon: subscription.Coupon{Percent: decimal.New(125, -1), Left: 2}, Credit: euros(1200), Price: euros(8700), Send: true, Collect: true,
		Problem: "mail.to", CreatedAt: now, Version: 4}
}

func subscriptionSamples() map[string]any {
	s, next, three := sampleSubscription(), euros(9900), 3
	seats := subscription.Item{Item: id.New[subscription.Item](), FromPeriod: 0, Description: "Seats", Quantity: decimal.New(3, 0), UnitPrice: decimal.New(29, 0), Codes: "VAT GST"}
	calls := subscription.Item{Item: id.New[subscription.Item](), FromPeriod: 2, ToPeriod: &three, Description: "Calls", Metered: subscription.Sum, Used: decimal.New(42, 0)}
	once := subscription.Item{Item: seats.Item, Description: "Seats, 3 × 29", Quantity: decimal.New(1, 0), UnitPrice: decimal.New(12, 0), Once: true}
	form := NewForm("unit", "month", "every", "1", "currency", "EUR", "lines[0].description", "Seats", "lines[0].tax_codes", "VAT", "version", "4", "item", seats.Item.String())
	form.Key = "0198-key"
	products, rates := []Option{{Value: "p", Label: "Desk"}}, []Option{{Value: "VAT", Label: "VAT 23 %"}}
	price := fault.New(fault.Invalid, "price.missing", "Give the price; 0 if it costs nothing.").At("lines[0].unit_price")
	taxes := fault.New(fault.Invalid, "tax.unknown", "There is no such tax.").At("lines[0].tax_codes")
	line := []EditorLine{{Index: 0}}
	return map[string]any{
		"subscriptions": Subscriptions{Shell: sampleShell("Subscriptions", "subscriptions"), Items: []subscription.Subscription{s},
			Tabs: sampleTabs(), Find: Find{URL: "/x", Label: "Customer"}},
		"subscription": Subscription{Shell: sampleShell("Subscription", "subscriptions"), Subscription: s, Next: &next,
			Items: []SubscriptionItem{{Item: seats, Acts: []Act{{URL: "/x", Label: "Remove", Icon: "x", Ask: "Sure?", Key: "k", Version: 4}}},
				{Item: calls, Since: civil.On(2027, 2, 28), Until: civil.On(2027, 8, 30)}, {Item: once}},
			Periods: []SubscriptionPeriod{{subscription.Period{Period: 1, From: civil.On(2026, 11, 30), To: civil.On(2027, 2, 27), Document: id.New[billing.Invoice](), Number: "TW-0003"}, euros(8700)},
				{subscription.Period{From: civil.On(2026, 8, 31), To: civil.On(2026, 11, 29)}, euros(0)}},
			Acts: []Act{{URL: "/x", Label: "Pause", Icon: "timer", Key: "k", Version: 4}}},
		"subscription-edit": SubscriptionForm{Shell: sampleShell("New subscription", "subscriptions"), Form: refused(form, price, taxes), Action: "/x", Back: "/y",
			Customers: products, FindCustomer: true, Products: products, Rates: rates, Lines: []EditorLine{{Index: 0}, {Index: 1}, {Index: 2}}},
		"subscription-item": SubscriptionItemForm{Shell: sampleShell("Add an item", "subscriptions"), Form: refused(form, price), Action: "/x", Back: "/y",
			Products: products, Rates: rates, Lines: line, Whens: []Option{{Value: "next", Label: "From 2027-02-28 on"}}, NextOn: s.NextOn},
		"subscription-options": SubscriptionOptions{Shell: sampleShell("Coupon, cards and mail", "subscriptions"), Form: form, Action: "/x", Back: "/y", Currency: eur},
	}
}

func TestSubscriptionSaysHowItStands(t *testing.T) {
	t.Parallel()
	set := withSpecimen(t)
	html := drawn(t, set, "subscription", subscriptionSamples()["subscription"])
	for _, want := range []string{"Every 3 months", "12.5 % off the next 2 invoices", "no usable email address", "used so far (sum)", "TW-0003", "Nothing to charge"} {
		if !strings.Contains(html, want) {
			t.Errorf("it does not say %q", want)
		}
	}
	for name, change := range map[string]func(s *subscription.Subscription){
		"It ends ":         func(s *subscription.Subscription) { s.CancelAtEnd = true },
		"None while it is": func(s *subscription.Subscription) { s.State = subscription.Paused },
		"None. It ended":   func(s *subscription.Subscription) { s.State, s.EndedOn = subscription.Ended, s.NextOn },
		"Every week": func(s *subscription.Subscription) {
			s.Schedule = subscription.Schedule{Unit: subscription.Week, Every: 1, Anchor: s.StartedOn}
		},
		"on the last day":          func(s *subscription.Subscription) { s.Schedule.MonthEnd = true },
		"17.00 EUR off":            func(s *subscription.Subscription) { s.Coupon = subscription.Coupon{Amount: decimal.New(17, 0)} },
		"the customer is archived": func(s *subscription.Subscription) { s.Problem = "customer.archived" },
	} {
		data := subscriptionSamples()["subscription"].(Subscription)
		change(&data.Subscription)
		html := drawn(t, set, "subscription", data)
		if !strings.Contains(html, name) {
			t.Errorf("it does not say %q", name)
		}
		for _, complaint := range inspect(html) {
			t.Errorf("%s: %s", name, complaint)
		}
	}
	changed := subscriptionSamples()["subscription-item"].(SubscriptionItemForm)
	changed.Item = &subscription.Item{Description: "Seats"}
	for _, complaint := range inspect(drawn(t, set, "subscription-item", changed)) {
		t.Error(complaint)
	}
}
