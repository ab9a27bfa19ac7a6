package tax

import (
	"github.com/shopspring/decimal"

	"github.com/countinghouse/countinghouse/billing/money"
	"github.com/countinghouse/countinghouse/internal/id"
)

// rateKey tells rates apart on a document. The percent belongs to it: lines written before and after a rate changed
// are two rows of the summary, or neither row would be its base times its percent.
type rateKey struct {
	id       id.Of[Rate]
	code     string
	percent  string
	compound bool
}

func keyOf(r Rate) rateKey {
	return rateKey{id: r.ID, code: r.Code, percent: r.Percent.String(), compound: r.Compound}
}

// share is one line's part of a rate's tax, before rounding, in minor units.
type share struct {
	tax   *LineTax
	exact decimal.Decimal
}

// roundPerDocument rounds each rate's tax once, on the document's sum, and apportions it to the lines.
func roundPerDocument(currency money.Currency, lines []LineResult) error {
	shares := make(map[rateKey][]share)
	var order []rateKey
	for i := range lines {
		net := decimal.New(lines[i].Net.Minor, 0)
		withTax := net
		for j := range lines[i].Taxes {
			t := &lines[i].Taxes[j]
			base := net
			if t.Rate.Compound {
				base = withTax
			}
			exact := percentOf(base, t.Rate)
			withTax = withTax.Add(exact)
			key := keyOf(t.Rate)
			if shares[key] == nil {
				order = append(order, key)
			}
			shares[key] = append(shares[key], share{tax: t, exact: exact})
		}
	}
	for _, key := range order {
		if err := apportion(currency, shares[key]); err != nil {
			return err
		}
	}
	for i := range lines {
		if err := lines[i].setTaxes(func(t *LineTax) (money.Amount, error) { return t.Amount, nil }); err != nil {
			return onLine(i, err)
		}
	}
	return nil
}

// apportion sets whole amounts that sum to the rounded sum of the exact ones: each line gets its whole minor units,
// and those still missing go one each to the largest remainders, the earlier line first among equals.
func apportion(currency money.Currency, shares []share) error {
	var sum decimal.Decimal
	for _, s := range shares {
		sum = sum.Add(s.exact)
	}
	// Checked before any share becomes an integer; none is larger than the sum.
	rounded, err := money.FromDecimal(sum.Shift(-int32(currency.Digits())), currency)
	if err != nil {
		return err
	}
	missing := rounded.Minor
	remainders := make([]decimal.Decimal, len(shares))
	for i, s := range shares {
		whole := s.exact.Truncate(0)
		s.tax.Amount = money.Amount{Minor: whole.IntPart(), Currency: currency}
		remainders[i] = s.exact.Sub(whole)
		missing -= s.tax.Amount.Minor
	}
	for _, i := range largest(remainders)[:missing] {
		shares[i].tax.Amount.Minor++
	}
	return nil
}
