package tax

import (
	"github.com/shopspring/decimal"

	"github.com/countinghouse/countinghouse/billing/money"
)

// quotientDigits is how many decimals a division keeps: far more than any price, rate and quantity can make matter.
const quotientDigits = 30

// takeOut takes the taxes out of prices that have them: the total of a line is what is left of its price, each tax
// is its exact part, rounded where the policy says, and the net is the rest, so that the total is the price to the cent.
func takeOut(terms Terms, lines []LineResult) error {
	var all parts
	for i := range lines {
		all.take(&lines[i])
	}
	for _, key := range all.order {
		if err := all.round(terms, key); err != nil {
			return err
		}
	}
	for i := range lines {
		if err := lines[i].leaveNet(); err != nil {
			return onLine(i, err)
		}
	}
	return nil
}

// parts are the exact taxes in all lines' prices, by rate.
type parts struct {
	shares map[rateKey][]share
	order  []rateKey
}

// take works out how many parts of a price each tax is: of a net of 1, a plain rate is its percent, and a compound one
// its percent of the net and the taxes before it.
func (p *parts) take(line *LineResult) {
	line.Total = line.Net
	withTax := decimal.New(1, 0)
	factors := make([]decimal.Decimal, len(line.Taxes))
	for i, t := range line.Taxes {
		base := decimal.New(1, 0)
		if t.Rate.Compound {
			base = withTax
		}
		factors[i] = percentOf(base, t.Rate)
		withTax = withTax.Add(factors[i])
	}
	if p.shares == nil {
		p.shares = map[rateKey][]share{}
	}
	for i := range line.Taxes {
		key := keyOf(line.Taxes[i].Rate)
		if p.shares[key] == nil {
			p.order = append(p.order, key)
		}
		exact := decimal.New(line.Total.Minor, 0).Mul(factors[i]).DivRound(withTax, quotientDigits)
		p.shares[key] = append(p.shares[key], share{tax: &line.Taxes[i], exact: exact})
	}
}

func (p *parts) round(terms Terms, key rateKey) error {
	if terms.Rounding == RoundPerDocument {
		return apportion(terms.Currency, p.shares[key])
	}
	for _, s := range p.shares[key] {
		s.tax.Amount = money.Amount{Minor: s.exact.Round(0).IntPart(), Currency: terms.Currency}
	}
	return nil
}

// leaveNet sets net and bases once all taxes of the line are known.
func (r *LineResult) leaveNet() error {
	r.Tax = money.Amount{Currency: r.Total.Currency}
	for _, t := range r.Taxes {
		r.Tax.Minor += t.Amount.Minor
	}
	r.Net.Minor = r.Total.Minor - r.Tax.Minor
	if r.Net.Minor < 0 {
		return ErrTooSmallForTaxes
	}
	withTax := r.Net
	for i := range r.Taxes {
		t := &r.Taxes[i]
		t.Base = r.Net
		if t.Rate.Compound {
			t.Base = withTax
		}
		withTax.Minor += t.Amount.Minor
	}
	return nil
}
