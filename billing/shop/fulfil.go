package shop

import (
	"context"

	"github.com/countinghouse/countinghouse/billing"
	"github.com/countinghouse/countinghouse/billing/subscription"
	"github.com/countinghouse/countinghouse/internal/civil"
	"github.com/countinghouse/countinghouse/tenant"
)

// fulfil makes of an order an invoice over all of it, the first period of what recurs included, and begins a subscription
// for each rhythm with the period after.
func fulfil(ctx context.Context, tx *tenant.Tx, o billing.Order) (billing.Order, error) {
	if _, err := billing.InvoiceOrder(ctx, tx, o); err != nil {
		return o, err
	}
	if err := subscribe(ctx, tx, o); err != nil {
		return o, err
	}
	return billing.SetOrderState(ctx, tx, o, billing.OrderDone, "invoice")
}

type rhythm struct {
	unit  subscription.Unit
	every int
}

func subscribe(ctx context.Context, tx *tenant.Tx, o billing.Order) error {
	products, err := productsOf(ctx, tx, o)
	if err != nil {
		return err
	}
	var rhythms []rhythm // in the order of the lines
	items := map[rhythm][]subscription.ItemInput{}
	for i, p := range products {
		if !p.Recurs() {
			continue
		}
		r := rhythm{subscription.Unit(p.Unit), p.Every}
		if items[r] == nil {
			rhythms = append(rhythms, r)
		}
		l := o.Lines[i]
		item := subscription.ItemInput{ProductID: p.ID, Description: l.Description, Quantity: l.Quantity, UnitPrice: l.UnitPrice}
		for _, t := range l.Taxes {
			item.TaxCodes = append(item.TaxCodes, t.Code)
		}
		items[r] = append(items[r], item)
	}
	today, err := billing.Today(ctx, tx)
	if err != nil {
		return err
	}
	for _, r := range rhythms {
		in := subscription.Input{CustomerID: o.Customer.ID, Unit: r.unit, Every: r.every, StartsOn: r.second(today), Currency: o.Currency,
			Send: o.Customer.Email != "", Items: items[r]}
		if _, err := subscription.Start(ctx, tx, in); err != nil {
			return err
		}
	}
	return nil
}

// second is the first day of the second period of a rhythm that begins on a day.
func (r rhythm) second(first civil.Date) civil.Date {
	return subscription.Schedule{Unit: r.unit, Every: r.every, Anchor: first}.At(1)
}
