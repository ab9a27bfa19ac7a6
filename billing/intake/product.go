package intake

import (
	"context"

	"github.com/countinghouse/countinghouse/billing"
	"github.com/countinghouse/countinghouse/billing/money"
	"github.com/countinghouse/countinghouse/tenant"
)

func (t *Table) takeProducts(ctx context.Context, tx *tenant.Tx, s *Summary, progress func(int)) error {
	keys := t.uniqueKeys()
	inputs := make([]billing.ProductInput, len(t.rows))
	for i, r := range t.rows {
		inputs[i].UnitPrice = t.number(r, "unit_price", money.PriceIntDigits, money.PriceFracDigits)
		inputs[i].Currency = t.currency(r)
	}
	if t.faults.full() || len(t.faults.list) > 0 {
		return nil
	}
	stored, err := storedProducts(ctx, tx, keys)
	if err != nil {
		return err
	}
	for i, r := range t.rows {
		if err := t.takeProduct(ctx, tx, s, r, inputs[i], stored[keys[i]]); err != nil && !t.refusedBy(err, inRow(r)) {
			return nil
		}
		progress(i + 1)
	}
	s.Things = len(t.rows)
	return nil
}

func (t *Table) takeProduct(ctx context.Context, tx *tenant.Tx, s *Summary, r row, in billing.ProductInput, stored *billing.Product) error {
	in.Name = t.text(r, "name")
	if stored == nil {
		s.Added++
		in.ExternalID, in.Description = t.text(r, "external_id"), t.text(r, "description")
		_, err := billing.AddProduct(ctx, tx, in)
		return err
	}
	in.ExternalID, in.IncomeAccount = stored.ExternalID, stored.IncomeAccount
	in.Description = t.textOr(r, "description", stored.Description)
	if in.Name == stored.Name && in.Description == stored.Description && in.Currency == stored.Currency && in.UnitPrice.Equal(stored.UnitPrice) {
		s.Unchanged++
		return nil
	}
	s.Changed++
	_, err := billing.ChangeProduct(ctx, tx, stored.ID, stored.Version, in)
	return err
}
