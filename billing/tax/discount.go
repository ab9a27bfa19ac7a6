package tax

import (
	"slices"

	"github.com/shopspring/decimal"

	"github.com/countinghouse/countinghouse/billing/money"
)

// discount takes the discount on the whole off the lines, in proportion to what each comes to.
func (r *Result) discount(terms Terms) error {
	var sums adder
	sum := money.Amount{Currency: r.Currency}
	for _, line := range r.Lines {
		sums.add(&sum, line.Net)
	}
	if sums.err != nil {
		return sums.err
	}
	whole := money.Amount{Minor: terms.Discount.Minor, Currency: r.Currency}
	if !terms.DiscountPercent.IsZero() {
		var err error
		if whole, err = money.FromDecimal(sum.Decimal().Mul(terms.DiscountPercent).Shift(-2), r.Currency); err != nil {
			return err
		}
	}
	if whole.Minor > sum.Minor {
		return ErrDiscountTooLarge.At("discount")
	}
	weights := make([]int64, len(r.Lines))
	for i, line := range r.Lines {
		weights[i] = line.Net.Minor
	}
	for i, share := range Share(whole.Minor, weights) {
		r.Lines[i].Share = money.Amount{Minor: share, Currency: r.Currency}
		r.Lines[i].Net.Minor -= share
	}
	return nil
}

// Share divides a whole in proportion to weights, none of which is negative: each gets its whole units, and those
// still missing go one each to the largest remainders, the earlier first among equals. The shares add up to the
// whole; without any weight there are none. No share is larger than its weight when the whole is not larger than
// the weights together.
func Share(whole int64, weights []int64) []int64 {
	shares := make([]int64, len(weights))
	sum := decimal.Zero
	for _, w := range weights {
		sum = sum.Add(decimal.New(w, 0))
	}
	if whole == 0 || sum.IsZero() {
		return shares
	}
	remainders, missing := make([]decimal.Decimal, len(weights)), whole
	for i, w := range weights {
		part, remainder := decimal.New(whole, 0).Mul(decimal.New(w, 0)).QuoRem(sum, 0)
		shares[i], remainders[i] = part.IntPart(), remainder
		missing -= shares[i]
	}
	for _, i := range largest(remainders)[:missing] {
		shares[i]++
	}
	return shares
}

// largest gives the places of remainders, the largest first, the earlier first among equals. There are never fewer
// than units missing: the sum of n fractions rounds to n at most.
func largest(remainders []decimal.Decimal) []int {
	order := make([]int, len(remainders))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return remainders[b].Cmp(remainders[a]) })
	return order
}
