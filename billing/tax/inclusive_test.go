package tax_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/shopspring/decimal"
	"pgregory.net/rapid"

	"github.com/countinghouse/countinghouse/billing/money"
	"github.com/countinghouse/countinghouse/billing/tax"
)

// shares writes the discount on the whole as it falls on the lines.
func shares(r tax.Result) string {
	all := make([]string, len(r.Lines))
	for i, l := range r.Lines {
		all[i] = l.Share.String()
	}
	return strings.Join(all, " + ") + " = " + r.Discount.String()
}

func TestPricesWithTaxGolden(t *testing.T) {
	t.Parallel()
	vat, gst, qst, oldQST := rate("VAT", "19"), rate("GST", "5"), rate("QST", "9.975"), compound("QST", "9.5")
	seventh := rate("VAT", "7")
	for name, c := range map[string]struct {
		currency string
		rounding tax.Policy
		lines    []tax.Line
		want     string
	}{
		// 100 / 1.19 = 84.0336; the tax is 15.9664 → 15.97, and the net is the rest.
		"does not divide": {"EUR", tax.RoundPerLine, []tax.Line{line("1", "100", "0", vat)},
			`line 100.00 - 0.00 = 84.03, VAT on 84.03: 15.97, tax 15.97, total 100.00
VAT on 84.03: 15.97
net 84.03, tax 15.97, total 100.00`},
		// 100 / 1.14975 = 86.9754: GST 4.3488 → 4.35, QST 8.6758 → 8.68; the rest is 86.97.
		"two taxes in one price": {"CAD", tax.RoundPerLine, []tax.Line{line("1", "100", "0", gst, qst)},
			`line 100.00 - 0.00 = 86.97, GST on 86.97: 4.35, QST on 86.97: 8.68, tax 13.03, total 100.00
GST on 86.97: 4.35
QST on 86.97: 8.68
net 86.97, tax 13.03, total 100.00`},
		// A net of 1 has 0.05 and 9.5 % of 1.05 = 0.09975, the same 1.14975: GST 4.35; QST 8.68 on 86.97 + 4.35.
		"a tax on a tax": {"CAD", tax.RoundPerLine, []tax.Line{line("1", "100", "0", gst, oldQST)},
			`line 100.00 - 0.00 = 86.97, GST on 86.97: 4.35, QST on 91.32: 8.68, tax 13.03, total 100.00
GST on 86.97: 4.35
QST on 91.32: 8.68
net 86.97, tax 13.03, total 100.00`},
		// No decimals: 1000 / 1.07 = 934.58; the tax is 65.42 → 65.
		"yen": {"JPY", tax.RoundPerLine, []tax.Line{line("1", "1000", "0", seventh)},
			`line 1000 - 0 = 935, VAT on 935: 65, tax 65, total 1000
VAT on 935: 65
net 935, tax 65, total 1000`},
		// Each 0.10 has 0.01597 of tax. Alone each is 0.02; together 0.04790 → 0.05: 0.02 for the first two (equal
		// remainders of 0.597 cents, after 1 cent each, of which 2 are missing), 0.01 for the third.
		"per document": {"EUR", tax.RoundPerDocument,
			[]tax.Line{line("1", "0.10", "0", vat), line("1", "0.10", "0", vat), line("1", "0.10", "0", vat)},
			`line 0.10 - 0.00 = 0.08, VAT on 0.08: 0.02, tax 0.02, total 0.10
line 0.10 - 0.00 = 0.08, VAT on 0.08: 0.02, tax 0.02, total 0.10
line 0.10 - 0.00 = 0.09, VAT on 0.09: 0.01, tax 0.01, total 0.10
VAT on 0.25: 0.05
net 0.25, tax 0.05, total 0.30`},
		// The line's own discount is off the price with tax: 11.90 less a tenth is 10.71, 1.71 of it tax.
		"discount": {"EUR", tax.RoundPerLine, []tax.Line{line("1", "11.90", "10", vat)},
			`line 11.90 - 1.19 = 9.00, VAT on 9.00: 1.71, tax 1.71, total 10.71
VAT on 9.00: 1.71
net 9.00, tax 1.71, total 10.71`},
		"no tax in it": {"EUR", tax.RoundPerLine, []tax.Line{line("3", "1", "0")},
			`line 3.00 - 0.00 = 3.00, tax 0.00, total 3.00
net 3.00, tax 0.00, total 3.00`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			result, err := tax.Calculate(tax.Terms{Currency: money.MustCurrency(c.currency), Rounding: c.rounding, Inclusive: true}, c.lines)
			if err != nil {
				t.Fatal(err)
			}
			if got := figures(result); got != c.want {
				t.Errorf("got\n%s\nwant\n%s", got, c.want)
			}
		})
	}
}

func TestDiscountOnTheWholeGolden(t *testing.T) {
	t.Parallel()
	vat := rate("VAT", "20")
	for name, c := range map[string]struct {
		terms        tax.Terms
		lines        []tax.Line
		shares, want string
	}{
		// 10 % of 100.00 = 10.00, over 33.33, 33.33 and 33.34: 3.333, 3.333 and 3.334; the missing cent goes to the
		// last. Net 30.00 each but 30.00: 33.34 - 3.34.
		"percent": {tax.Terms{DiscountPercent: dec("10")},
			[]tax.Line{line("1", "33.33", "0", vat), line("1", "33.33", "0", vat), line("1", "33.34", "0")},
			"3.33 + 3.33 + 3.34 = 10.00",
			`line 33.33 - 0.00 = 30.00, VAT on 30.00: 6.00, tax 6.00, total 36.00
line 33.33 - 0.00 = 30.00, VAT on 30.00: 6.00, tax 6.00, total 36.00
line 33.34 - 0.00 = 30.00, tax 0.00, total 30.00
VAT on 60.00: 12.00
net 90.00, tax 12.00, total 102.00`},
		// 5.00 over 10.00 and 5.00: 3.333 and 1.667 → 3.33 and 1.67. Taxes are of what is left: 6.67 × 20 % = 1.334.
		"amount": {tax.Terms{Discount: money.Amount{Minor: 500, Currency: money.MustCurrency("EUR")}},
			[]tax.Line{line("1", "10", "0", vat), line("1", "5", "0", vat)}, "3.33 + 1.67 = 5.00",
			`line 10.00 - 0.00 = 6.67, VAT on 6.67: 1.33, tax 1.33, total 8.00
line 5.00 - 0.00 = 3.33, VAT on 3.33: 0.67, tax 0.67, total 4.00
VAT on 10.00: 2.00
net 10.00, tax 2.00, total 12.00`},
		// After the line's own half: 10 % of 10.00 + 5.00.
		"after the lines' own": {tax.Terms{DiscountPercent: dec("10")},
			[]tax.Line{line("1", "10", "0"), line("1", "10", "50")}, "1.00 + 0.50 = 1.50",
			`line 10.00 - 0.00 = 9.00, tax 0.00, total 9.00
line 10.00 - 5.00 = 4.50, tax 0.00, total 4.50
net 13.50, tax 0.00, total 13.50`},
		// With tax in the prices, 24.00 less 25 % is 18.00, of which 3.00 is tax.
		"of prices with tax": {tax.Terms{DiscountPercent: dec("25"), Inclusive: true},
			[]tax.Line{line("2", "12", "0", vat)}, "6.00 = 6.00",
			`line 24.00 - 0.00 = 15.00, VAT on 15.00: 3.00, tax 3.00, total 18.00
VAT on 15.00: 3.00
net 15.00, tax 3.00, total 18.00`},
		"everything": {tax.Terms{DiscountPercent: dec("100")}, []tax.Line{line("1", "0.01", "0", vat)}, "0.01 = 0.01",
			`line 0.01 - 0.00 = 0.00, VAT on 0.00: 0.00, tax 0.00, total 0.00
VAT on 0.00: 0.00
net 0.00, tax 0.00, total 0.00`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c.terms.Currency = money.MustCurrency("EUR")
			result, err := tax.Calculate(c.terms, c.lines)
			if err != nil {
				t.Fatal(err)
			}
			if got := figures(result); got != c.want {
				t.Errorf("got\n%s\nwant\n%s", got, c.want)
			}
			if got := shares(result); got != c.shares {
				t.Errorf("got %s, want %s", got, c.shares)
			}
		})
	}
}

func TestDiscountRefuses(t *testing.T) {
	t.Parallel()
	euros := func(minor int64) money.Amount { return money.Amount{Minor: minor, Currency: money.MustCurrency("EUR")} }
	everything := make([]tax.Rate, 7)
	for i := range everything {
		everything[i] = rate(string(rune('A'+i)), "100")
	}
	for name, c := range map[string]struct {
		terms tax.Terms
		line  tax.Line
		want  error
	}{
		"more than there is":  {tax.Terms{Discount: euros(101)}, line("1", "1", "0"), tax.ErrDiscountTooLarge},
		"less than nothing":   {tax.Terms{Discount: euros(-1)}, line("1", "1", "0"), tax.ErrDiscountOutOfRange},
		"101 percent":         {tax.Terms{DiscountPercent: dec("101")}, line("1", "1", "0"), tax.ErrDiscountOutOfRange},
		"both":                {tax.Terms{DiscountPercent: dec("1"), Discount: euros(1)}, line("1", "1", "0"), tax.ErrDiscountTwice},
		"5 cents, 7 taxes up": {tax.Terms{Inclusive: true}, line("1", "0.05", "0", everything...), tax.ErrTooSmallForTaxes},
	} {
		c.terms.Currency = money.MustCurrency("EUR")
		if r, err := tax.Calculate(c.terms, []tax.Line{c.line}); !errors.Is(err, c.want) {
			t.Errorf("%s: got %v and %v, want %v", name, r.Total, err, c.want)
		}
	}
}

// Whatever the discount and wherever the taxes, all adds up, and a price with tax is what the customer pays.
func TestTermsAddUp(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		terms := tax.Terms{Currency: currencies.Draw(t, "currency"), Rounding: policies.Draw(t, "policy"), Inclusive: rapid.Bool().Draw(t, "inclusive"),
			DiscountPercent: decimal.New(rapid.Int64Range(0, 100_000).Draw(t, "discount"), -3)}
		r, err := tax.Calculate(terms, drawLines(t, true))
		if errors.Is(err, tax.ErrTooSmallForTaxes) {
			return
		} else if err != nil {
			t.Fatal(err)
		}
		var net, all, discount int64
		for _, l := range r.Lines {
			left := l.Gross.Minor - l.Discount.Minor - l.Share.Minor
			if paid := map[bool]money.Amount{true: l.Total, false: l.Net}[terms.Inclusive]; paid.Minor != left {
				t.Fatalf("%v - %v - %v, and %v is asked", l.Gross, l.Discount, l.Share, paid)
			}
			var taxes int64
			for _, x := range l.Taxes {
				taxes += x.Amount.Minor
				if x.Amount.Minor < 0 {
					t.Fatalf("a tax of %v", x.Amount)
				}
			}
			if l.Net.Minor < 0 || l.Share.Minor < 0 || l.Net.Minor+taxes != l.Total.Minor || l.Tax.Minor != taxes {
				t.Fatalf("line %+v", l)
			}
			net, all, discount = net+l.Net.Minor, all+l.Total.Minor, discount+l.Share.Minor
		}
		if r.Net.Minor != net || r.Total.Minor != all || r.Discount.Minor != discount || r.Net.Minor+r.Tax.Minor != all {
			t.Fatalf("%+v", r)
		}
	})
}

// A price made by adding one tax gives back what it was made from, within the cent that rounding may take.
func TestTakingOutUndoesAdding(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		vat := rate("VAT", "0")
		vat.Percent = decimal.New(rapid.Int64Range(0, 100_000).Draw(t, "percent"), -3)
		euro := money.MustCurrency("EUR")
		net := rapid.Int64Range(0, 1_000_000_000).Draw(t, "net")
		up, err := tax.Calculate(tax.Terms{Currency: euro}, []tax.Line{{Quantity: dec("1"), UnitPrice: decimal.New(net, -2), Rates: []tax.Rate{vat}}})
		if err != nil {
			t.Fatal(err)
		}
		down, err := tax.Calculate(tax.Terms{Currency: euro, Inclusive: true}, []tax.Line{{Quantity: dec("1"), UnitPrice: up.Total.Decimal(), Rates: []tax.Rate{vat}}})
		if err != nil {
			t.Fatal(err)
		}
		if off := down.Net.Minor - net; off < -1 || off > 1 || down.Total != up.Total {
			t.Fatalf("%d and %v %% is %v, which has %v and %v", net, vat.Percent, up.Total, down.Net, down.Tax)
		}
	})
}

func TestShare(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		weights := rapid.SliceOfN(rapid.Int64Range(0, 999_999_999_999_999), 1, 20).Draw(t, "weights")
		var sum int64
		for _, w := range weights {
			sum += w
		}
		whole := rapid.Int64Range(0, min(sum, 999_999_999_999_999)).Draw(t, "whole")
		var got int64
		for i, s := range tax.Share(whole, weights) {
			if s < 0 || s > weights[i] {
				t.Fatalf("%d of %d", s, weights[i])
			}
			got += s
		}
		if got != whole {
			t.Fatalf("shares of %d add up to %d", whole, got)
		}
	})
}
