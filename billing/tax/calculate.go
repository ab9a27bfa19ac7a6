package tax

import (
	"errors"
	"fmt"

	"github.com/shopspring/decimal"

	"github.com/countinghouse/countinghouse/billing/money"
	"github.com/countinghouse/countinghouse/internal/fault"
)

// Calculate works out a document. Every figure is rounded half up to the currency's minor units: a line's price once,
// and its taxes where the policy says. Under RoundPerDocument the taxes that a compound rate applies to are not
// rounded first. Input that makes no sense comes back as one fault.List with all that is wrong, each at its field;
// a figure or total beyond money.Max is amount.too_large. No lines give zeros.
func Calculate(terms Terms, lines []Line) (Result, error) {
	if terms.Currency.IsZero() {
		return Result{}, errors.New("tax: no currency")
	}
	if int(terms.Rounding) >= len(policyNames) {
		return Result{}, fmt.Errorf("tax: unknown %v", terms.Rounding)
	}
	if err := check(terms, lines); err != nil {
		return Result{}, err
	}
	result := Result{Currency: terms.Currency, Lines: make([]LineResult, len(lines))}
	for i, line := range lines {
		if err := result.Lines[i].price(terms.Currency, line); err != nil {
			return Result{}, onLine(i, err)
		}
	}
	if err := result.discount(terms); err != nil {
		return Result{}, err
	}
	if err := workOut(terms, result.Lines); err != nil {
		return Result{}, err
	}
	if err := result.total(); err != nil {
		return Result{}, err
	}
	return result, nil
}

// workOut finds each line's taxes, net and total from what is left of its price.
func workOut(terms Terms, lines []LineResult) error {
	switch {
	case terms.Inclusive:
		return takeOut(terms, lines)
	case terms.Rounding == RoundPerDocument:
		return roundPerDocument(terms.Currency, lines)
	}
	return roundPerLine(terms.Currency, lines)
}

// onLine points a fault at a line; other errors keep their words.
func onLine(i int, err error) error {
	var faults fault.List
	if !faults.Add(fmt.Sprintf("lines[%d]", i), err) {
		return fmt.Errorf("line %d: %w", i+1, err)
	}
	return faults.Err()
}

// price works out gross, the line's own discount and what is left, as Net, and sets out the line's taxes without their figures.
func (r *LineResult) price(currency money.Currency, line Line) error {
	gross := line.Quantity.Mul(line.UnitPrice)
	net := gross.Mul(hundred.Sub(line.DiscountPercent)).Shift(-2)
	var err error
	if r.Gross, err = money.FromDecimal(gross, currency); err != nil {
		return err
	}
	if r.Net, err = money.FromDecimal(net, currency); err != nil {
		return err
	}
	// The difference and not a figure of its own, so that what is printed adds up.
	if r.Discount, err = r.Gross.Sub(r.Net); err != nil {
		return err
	}
	r.Taxes = make([]LineTax, len(line.Rates))
	for i, rate := range line.Rates {
		r.Taxes[i].Rate = rate
	}
	return nil
}

// roundPerLine rounds each tax of each line by itself; a compound rate applies to rounded amounts.
func roundPerLine(currency money.Currency, lines []LineResult) error {
	for i := range lines {
		if err := lines[i].setTaxes(func(t *LineTax) (money.Amount, error) {
			return money.FromDecimal(percentOf(t.Base.Decimal(), t.Rate), currency)
		}); err != nil {
			return onLine(i, err)
		}
	}
	return nil
}

// setTaxes gives each tax of a line its base and the amount that amountOf finds for it, and sums the line up.
func (r *LineResult) setTaxes(amountOf func(*LineTax) (money.Amount, error)) error {
	withTax := r.Net
	for i := range r.Taxes {
		t := &r.Taxes[i]
		t.Base = r.Net
		if t.Rate.Compound {
			t.Base = withTax
		}
		var err error
		if t.Amount, err = amountOf(t); err != nil {
			return err
		}
		if withTax, err = withTax.Add(t.Amount); err != nil {
			return err
		}
	}
	r.Total = withTax
	var err error
	if r.Tax, err = r.Total.Sub(r.Net); err != nil {
		return err
	}
	return r.Total.CheckSize()
}

func percentOf(base decimal.Decimal, rate Rate) decimal.Decimal {
	return base.Mul(rate.Percent).Shift(-2)
}

// total sums the lines up into the document's totals and its rates'.
func (r *Result) total() error {
	zero := money.Amount{Currency: r.Currency}
	r.Discount, r.Net, r.Tax, r.Total = zero, zero, zero, zero
	at := make(map[rateKey]int)
	var sums adder
	for _, line := range r.Lines {
		for _, t := range line.Taxes {
			key := keyOf(t.Rate)
			i, ok := at[key]
			if !ok {
				i = len(r.Rates)
				at[key] = i
				r.Rates = append(r.Rates, RateTotal{Rate: t.Rate, Base: zero, Amount: zero})
			}
			sums.add(&r.Rates[i].Base, t.Base)
			sums.add(&r.Rates[i].Amount, t.Amount)
		}
		sums.add(&r.Discount, line.Share)
		sums.add(&r.Net, line.Net)
		sums.add(&r.Tax, line.Tax)
		sums.add(&r.Total, line.Total)
	}
	if sums.err != nil {
		return sums.err
	}
	return r.Total.CheckSize() // all else is part of it, and nothing is negative
}

// adder adds until something is too large, and keeps that error.
type adder struct{ err error }

func (a *adder) add(sum *money.Amount, amount money.Amount) {
	if a.err == nil {
		*sum, a.err = sum.Add(amount)
	}
}
