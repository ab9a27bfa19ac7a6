package tax_test

import (
	"slices"
	"testing"

	"github.com/shopspring/decimal"
	"pgregory.net/rapid"

	"github.com/countinghouse/countinghouse/billing/money"
	"github.com/countinghouse/countinghouse/billing/tax"
)

var (
	currencies = rapid.SampledFrom(money.All())
	policies   = rapid.SampledFrom([]tax.Policy{tax.RoundPerLine, tax.RoundPerDocument})
)

// drawRates gives the rates that the lines of one document choose from.
func drawRates(t *rapid.T, mayCompound bool) []tax.Rate {
	rates := make([]tax.Rate, rapid.IntRange(0, 5).Draw(t, "rates"))
	for i := range rates {
		rates[i] = rate(string(rune('A'+i)), "0")
		rates[i].Percent = decimal.New(rapid.Int64Range(0, 100_000).Draw(t, "percent"), -3)
		rates[i].Compound = mayCompound && rapid.Bool().Draw(t, "compound")
	}
	return rates
}

func drawLines(t *rapid.T, mayCompound bool) []tax.Line {
	rates := drawRates(t, mayCompound)
	lines := make([]tax.Line, rapid.IntRange(0, 12).Draw(t, "lines"))
	for i := range lines {
		chosen := rapid.Permutation(rates).Draw(t, "order")
		lines[i] = tax.Line{
			Quantity:        decimal.New(rapid.Int64Range(1, 5_000_000).Draw(t, "quantity"), -3),
			UnitPrice:       decimal.New(rapid.Int64Range(0, 50_000_000).Draw(t, "price"), -4),
			DiscountPercent: decimal.New(rapid.Int64Range(0, 100_000).Draw(t, "discount"), -3),
			Rates:           chosen[:rapid.IntRange(0, len(chosen)).Draw(t, "taxes")],
		}
	}
	return lines
}

func calculate(t *rapid.T, c money.Currency, p tax.Policy, lines []tax.Line) tax.Result {
	result, err := tax.Calculate(tax.Terms{Currency: c, Rounding: p}, lines)
	if err != nil {
		t.Fatal(err)
	}
	return result
}

func TestCalculateAddsUp(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		lines := drawLines(t, true)
		r := calculate(t, currencies.Draw(t, "currency"), policies.Draw(t, "policy"), lines)
		var net, taxes, byRate int64
		for _, l := range r.Lines {
			var lineTax int64
			for _, x := range l.Taxes {
				if x.Amount.Minor < 0 {
					t.Fatalf("a tax of %v", x.Amount)
				}
				lineTax += x.Amount.Minor
			}
			if l.Tax.Minor != lineTax || l.Total.Minor != l.Net.Minor+lineTax ||
				l.Net.Minor != l.Gross.Minor-l.Discount.Minor || l.Discount.Minor < 0 || l.Net.Minor < 0 {
				t.Fatalf("a line does not add up: %+v", l)
			}
			net, taxes = net+l.Net.Minor, taxes+lineTax
		}
		for _, x := range r.Rates {
			byRate += x.Amount.Minor
		}
		if r.Net.Minor != net || r.Tax.Minor != taxes || r.Total.Minor != net+taxes || byRate != taxes {
			t.Fatalf("the document does not add up:\n%s", figures(r))
		}
	})
}

// A reader who multiplies a shown base with the percent, and rounds, gets the shown amount: on each line under
// RoundPerLine, and for each plain rate of the document under RoundPerDocument.
func TestCalculateShownBaseGivesShownTax(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		policy := policies.Draw(t, "policy")
		r := calculate(t, currencies.Draw(t, "currency"), policy, drawLines(t, policy == tax.RoundPerLine))
		shown := r.Rates
		if policy == tax.RoundPerLine {
			shown = nil
			for _, l := range r.Lines {
				for _, x := range l.Taxes {
					shown = append(shown, tax.RateTotal(x))
				}
			}
		}
		for _, x := range shown {
			want := decimal.New(x.Base.Minor, 0).Mul(x.Rate.Percent).Shift(-2).Round(0)
			if !want.Equal(decimal.New(x.Amount.Minor, 0)) {
				t.Fatalf("%v %% of %v is shown as %v", x.Rate.Percent, x.Base, x.Amount)
			}
		}
	})
}

// Apportioning moves no line's tax by a whole minor unit.
func TestCalculatePerDocumentStaysNextToTheExactTax(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		r := calculate(t, currencies.Draw(t, "currency"), tax.RoundPerDocument, drawLines(t, false))
		for _, l := range r.Lines {
			for _, x := range l.Taxes {
				exact := decimal.New(l.Net.Minor, 0).Mul(x.Rate.Percent).Shift(-2)
				if off := exact.Sub(decimal.New(x.Amount.Minor, 0)).Abs(); off.GreaterThanOrEqual(decimal.New(1, 0)) {
					t.Fatalf("%v %% of %v is %v, off by %v", x.Rate.Percent, l.Net, x.Amount, off)
				}
			}
		}
	})
}

func TestCalculateOrderOfPlainRatesDoesNotMatter(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		c, p, lines := currencies.Draw(t, "currency"), policies.Draw(t, "policy"), drawLines(t, false)
		turned := slices.Clone(lines)
		for i := range turned {
			turned[i].Rates = rapid.Permutation(lines[i].Rates).Draw(t, "turned")
		}
		one, other := calculate(t, c, p, lines), calculate(t, c, p, turned)
		for i := range lines {
			amounts := map[string]int64{}
			for _, x := range one.Lines[i].Taxes {
				amounts[x.Rate.Code] = x.Amount.Minor
			}
			for _, x := range other.Lines[i].Taxes {
				if amounts[x.Rate.Code] != x.Amount.Minor {
					t.Fatalf("%s is %d in one order and %d in another", x.Rate.Code, amounts[x.Rate.Code], x.Amount.Minor)
				}
			}
		}
		if one.Total != other.Total {
			t.Fatalf("%v in one order, %v in another", one.Total, other.Total)
		}
	})
}

// The same prices counted in minor units give the same minor units in every currency.
func TestCalculateDependsOnDigitsAlone(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		p, lines := policies.Draw(t, "policy"), drawLines(t, true)
		for i := range lines {
			lines[i].UnitPrice = lines[i].UnitPrice.Truncate(0)
		}
		in := func(code string) tax.Result {
			c := money.MustCurrency(code)
			priced := slices.Clone(lines)
			for i := range priced {
				priced[i].UnitPrice = priced[i].UnitPrice.Shift(-int32(c.Digits()))
			}
			return calculate(t, c, p, priced)
		}
		yen := in("JPY")
		for _, code := range []string{"EUR", "KWD", "CLF"} {
			other := in(code)
			if other.Total.Minor != yen.Total.Minor || other.Tax.Minor != yen.Tax.Minor {
				t.Fatalf("JPY %v and %s %v", yen.Total, code, other.Total)
			}
		}
	})
}

// Rounded line by line, every line stands for itself: each document's lines written twice cost twice as much.
func TestCalculatePerLineIsAdditive(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		c, lines := currencies.Draw(t, "currency"), drawLines(t, true)
		once := calculate(t, c, tax.RoundPerLine, lines)
		twice := calculate(t, c, tax.RoundPerLine, slices.Concat(lines, lines))
		if twice.Net.Minor != 2*once.Net.Minor || twice.Tax.Minor != 2*once.Tax.Minor {
			t.Fatalf("%v once, %v twice", once.Total, twice.Total)
		}
	})
}
