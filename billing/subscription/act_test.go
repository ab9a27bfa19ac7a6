package subscription_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/countinghouse/countinghouse/billing"
	"github.com/countinghouse/countinghouse/billing/subscription"
	"github.com/countinghouse/countinghouse/tenant"
)

func seats(quantity, price string) subscription.Input {
	return subscription.Input{Unit: subscription.Day, Every: 10, Items: []subscription.ItemInput{{Description: "Seats", Quantity: dec(quantity), UnitPrice: dec(price)}}}
}

// invoices are those of a subscription, the first first.
func (h *house) invoices(i subscription.ID) (all []billing.Invoice) {
	h.Helper()
	h.do(func(ctx context.Context, tx *tenant.Tx) error {
		periods, err := subscription.Periods(ctx, tx, i)
		for n := len(periods) - 1; n >= 0 && err == nil; n-- {
			var one billing.Invoice
			if !periods[n].Document.IsZero() {
				one, err = billing.InvoiceByID(ctx, tx, periods[n].Document)
				all = append(all, one)
			}
		}
		return err
	})
	return all
}

func (h *house) change(i subscription.ID, in subscription.ChangeInput) (s subscription.Subscription) {
	h.Helper()
	h.do(func(ctx context.Context, tx *tenant.Tx) (err error) {
		s, err = subscription.ChangeItem(ctx, tx, i, 0, in)
		return err
	})
	return s
}

const day = 24 * time.Hour

// A worked example: ten days at 2 × 10.00; with six of them left 5 × 10.00 costs 30.00 for the rest, less 12.00 that
// were paid for it. Down to 1 × 10.00 with three left: 3.00 less 15.00.
func TestChangeNow(t *testing.T) {
	t.Parallel()
	h := openHouse(t, "Europe/Dublin")
	s := h.start(seats("2", "10"))
	h.bill()
	item := s.Items[0].Item
	h.clock.Advance(4 * day)
	in := subscription.ChangeInput{Item: item, Now: true, InvoiceNow: true, ItemInput: subscription.ItemInput{Quantity: dec("5"), UnitPrice: dec("10")}}
	h.change(s.ID, in)
	h.clock.Advance(3 * day)
	in.Quantity = dec("1")
	if s = h.change(s.ID, in); s.Credit.String() != "12.00" {
		t.Errorf("the credit is %s, not 12.00", s.Credit)
	}
	h.clock.Advance(13 * day) // two periods
	h.bill()
	var got []string
	for _, i := range h.invoices(s.ID) {
		got = append(got, i.Net.String())
	}
	if want := "[20.00 18.00 0.00 8.00]"; fmt.Sprint(got) != want {
		t.Errorf("the invoices come to %s, not %s", got, want)
	}
}

// Eight workers at once, on twenty subscriptions with four periods due each.
func TestWorkersAtOnce(t *testing.T) {
	t.Parallel()
	h := openHouse(t, "Europe/Dublin")
	var all []subscription.ID
	for range 20 {
		all = append(all, h.start(seats("1", "10")).ID)
	}
	h.clock.Advance(30 * day)
	var workers sync.WaitGroup
	for range 8 {
		workers.Go(func() {
			if err := new(subscription.Biller).Run(context.Background(), subscription.In(h.db, h.scope)); err != nil {
				t.Error(err)
			}
		})
	}
	workers.Wait()
	h.bill()
	numbers := map[string]bool{}
	for _, i := range all {
		invoices := h.invoices(i)
		if len(invoices) != 4 {
			t.Fatalf("%d invoices for 4 periods", len(invoices))
		}
		for n, one := range invoices {
			if n > 0 && invoices[n-1].IssueDate.AddDays(10) != one.IssueDate {
				t.Errorf("%s comes after %s", one.IssueDate, invoices[n-1].IssueDate)
			}
			numbers[one.Number] = true
		}
	}
	if len(numbers) != 80 {
		t.Errorf("%d numbers for 80 invoices", len(numbers))
	}
}

// What keeps one subscription is kept with it, and keeps no other.
func TestOneThatCannotBeBilled(t *testing.T) {
	t.Parallel()
	h := openHouse(t, "Europe/Dublin")
	stuck := h.start(seats("1", "10"))
	kept := h.customer
	h.do(func(ctx context.Context, tx *tenant.Tx) error {
		c, err := billing.AddCustomer(ctx, tx, billing.CustomerInput{Name: "Marta Grabowska", Email: "marta@example.com"})
		h.customer = c.ID
		return err
	})
	in := seats("1", "10")
	in.Send = true
	other := h.start(in)
	h.do(func(ctx context.Context, tx *tenant.Tx) error {
		_, err := billing.ArchiveCustomer(ctx, tx, kept, 0)
		return err
	})
	h.bill()
	if got := h.read(stuck.ID); got.Problem != billing.ErrCustomerArchived.Code || got.State != subscription.Trialing {
		t.Errorf("it is %s with the problem %q", got.State, got.Problem)
	}
	invoices := h.invoices(other.ID)
	if len(invoices) != 1 {
		t.Fatalf("%d invoices of the other", len(invoices))
	}
	h.do(func(ctx context.Context, tx *tenant.Tx) error {
		mails, err := billing.Mailings(ctx, tx, invoices[0].ID)
		if len(mails) != 1 || mails[0].Email != "marta@example.com" {
			t.Errorf("it was mailed as %+v", mails)
		}
		return err
	})
	h.do(func(ctx context.Context, tx *tenant.Tx) error {
		_, err := billing.RestoreCustomer(ctx, tx, kept, 0)
		return err
	})
	h.bill()
	if got := h.read(stuck.ID); got.Problem != "" || got.State != subscription.Active {
		t.Errorf("after the customer is back it is %s with the problem %q", got.State, got.Problem)
	}
}

// No address keeps no invoice from being made.
func TestNoAddress(t *testing.T) {
	t.Parallel()
	h := openHouse(t, "Europe/Dublin")
	in := seats("1", "10")
	in.Send, in.Collect = true, true
	s := h.start(in)
	h.bill()
	if got := h.read(s.ID); got.Problem != billing.ErrMailTo.Code || len(h.invoices(s.ID)) != 1 {
		t.Errorf("the problem is %q, with %d invoices", got.Problem, len(h.invoices(s.ID)))
	}
}

func TestUsageIsRefused(t *testing.T) {
	t.Parallel()
	h := openHouse(t, "Europe/Dublin")
	in := seats("1", "10")
	in.Items = append(in.Items, subscription.ItemInput{Description: "Calls", UnitPrice: dec("0.25"), Metered: subscription.Sum},
		subscription.ItemInput{Description: "Users", UnitPrice: dec("3"), Metered: subscription.Unique})
	s := h.start(in)
	began := h.clock.Now()
	h.bill()
	send := func(e subscription.Event) error {
		return h.try(func(ctx context.Context, tx *tenant.Tx) error {
			_, err := subscription.RecordUsage(ctx, tx, s.ID, []subscription.Event{e})
			return err
		})
	}
	calls := subscription.Event{Key: "k", Item: s.Items[1].Item, At: began, Quantity: dec("3")}
	if err := send(calls); err != nil {
		t.Fatal(err)
	}
	h.clock.Advance(10 * day)
	h.bill()
	if err := send(calls); err != nil {
		t.Errorf("sent again after it was invoiced: %v", err)
	}
	for name, c := range map[string]struct {
		want  error
		event subscription.Event
	}{
		"another under the same key": {subscription.ErrEventReused, subscription.Event{Key: "k", Item: calls.Item, At: began, Quantity: dec("4")}},
		"of an invoiced period":      {subscription.ErrEventLate, subscription.Event{Key: "l", Item: calls.Item, At: began, Quantity: dec("4")}},
		"of an item without a meter": {subscription.ErrEventItem, subscription.Event{Key: "m", Item: s.Items[0].Item, Quantity: dec("4")}},
		"of the day after tomorrow":  {subscription.ErrEventFuture, subscription.Event{Key: "n", Item: calls.Item, At: h.clock.Now().Add(25 * time.Hour)}},
		"below nothing":              {subscription.ErrEventAmount, subscription.Event{Key: "o", Item: calls.Item, Quantity: dec("-1")}},
		"unique without a value":     {subscription.ErrEventValue, subscription.Event{Key: "p", Item: s.Items[2].Item}},
	} {
		if err := send(c.event); !errors.Is(err, c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if invoices := h.invoices(s.ID); len(invoices) != 2 || invoices[1].Net.String() != "10.75" {
		t.Errorf("%d invoices, the last over %s", len(invoices), invoices[len(invoices)-1].Net)
	}
}

func TestStartIsRefused(t *testing.T) {
	t.Parallel()
	h := openHouse(t, "Europe/Dublin")
	for name, c := range map[string]struct {
		want   error
		change func(in *subscription.Input)
	}{
		"no item":             {subscription.ErrNoItems, func(in *subscription.Input) { in.Items = nil }},
		"an unknown unit":     {subscription.ErrUnit, func(in *subscription.Input) { in.Unit = "hour" }},
		"every nothing":       {subscription.ErrEvery, func(in *subscription.Input) { in.Every = 0 }},
		"eleven years":        {subscription.ErrEvery, func(in *subscription.Input) { in.Unit, in.Every = subscription.Year, 11 }},
		"two years ago":       {subscription.ErrStart, func(in *subscription.Input) { in.StartsOn = h.today().AddDays(-730) }},
		"two coupons":         {subscription.ErrCoupon, func(in *subscription.Input) { in.Coupon.Percent, in.Coupon.Amount = dec("5"), dec("5") }},
		"no quantity":         {subscription.ErrQuantity, func(in *subscription.Input) { in.Items[0].Quantity = dec("0") }},
		"an unknown tax":      {billing.ErrTaxUnknown, func(in *subscription.Input) { in.Items[0].TaxCodes = []string{"NONE"} }},
		"an unknown measure":  {subscription.ErrMetered, func(in *subscription.Input) { in.Items[0].Metered = "average" }},
		"a trial without end": {subscription.ErrTrial, func(in *subscription.Input) { in.TrialDays = 1000 }},
		"an unknown customer": {billing.ErrCustomerUnknown, func(in *subscription.Input) { in.CustomerID = billing.CustomerID{UUID: [16]byte{1}} }},
	} {
		in := seats("1", "10")
		in.CustomerID = h.customer
		c.change(&in)
		err := h.try(func(ctx context.Context, tx *tenant.Tx) error {
			_, err := subscription.Start(ctx, tx, in)
			return err
		})
		if !errors.Is(err, c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
