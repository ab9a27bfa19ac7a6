package tax_test

import (
	"errors"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/shopspring/decimal"

	"github.com/countinghouse/countinghouse/billing/money"
	"github.com/countinghouse/countinghouse/billing/tax"
	"github.com/countinghouse/countinghouse/internal/fault"
	"github.com/countinghouse/countinghouse/internal/id"
)

func dec(s string) decimal.Decimal { return decimal.RequireFromString(s) }

func rate(code, percent string) tax.Rate {
	return tax.Rate{ID: id.New[tax.Rate](), Code: code, Name: code, Percent: dec(percent)}
}

func compound(code, percent string) tax.Rate {
	r := rate(code, percent)
	r.Compound = true
	return r
}

func line(quantity, price, discount string, rates ...tax.Rate) tax.Line {
	return tax.Line{Quantity: dec(quantity), UnitPrice: dec(price), DiscountPercent: dec(discount), Rates: rates}
}

// figures writes a result the way a person checks it on paper.
func figures(r tax.Result) string {
	var b strings.Builder
	for _, l := range r.Lines {
		b.WriteString("line " + l.Gross.String() + " - " + l.Discount.String() + " = " + l.Net.String())
		for _, t := range l.Taxes {
			b.WriteString(", " + t.Rate.Code + " on " + t.Base.String() + ": " + t.Amount.String())
		}
		b.WriteString(", tax " + l.Tax.String() + ", total " + l.Total.String() + "\n")
	}
	for _, t := range r.Rates {
		b.WriteString(t.Rate.Code + " on " + t.Base.String() + ": " + t.Amount.String() + "\n")
	}
	return b.String() + "net " + r.Net.String() + ", tax " + r.Tax.String() + ", total " + r.Total.String()
}

func TestCalculateGolden(t *testing.T) {
	t.Parallel()
	gst, qst, tenth := rate("GST", "5"), rate("QST", "9.975"), rate("TEN", "10")
	oldQST := compound("QST", "9.5")
	five := rate("FIVE", "5")
	levy, vat := rate("LEVY", "5"), compound("VAT", "90")
	for name, c := range map[string]struct {
		currency string
		policy   tax.Policy
		lines    []tax.Line
		want     string
	}{
		// Quebec since 2013, both taxes on the net: 99.99 × 5 % = 4.9995 → 5.00; 99.99 × 9.975 % = 9.97400 → 9.97.
		"QST beside GST": {"CAD", tax.RoundPerLine, []tax.Line{line("1", "99.99", "0", gst, qst)},
			`line 99.99 - 0.00 = 99.99, GST on 99.99: 5.00, QST on 99.99: 9.97, tax 14.97, total 114.96
GST on 99.99: 5.00
QST on 99.99: 9.97
net 99.99, tax 14.97, total 114.96`},
		// A half goes up: 200 × 9.975 % = 19.95; 20 × 9.975 % = 1.995 → 2.00.
		"QST at the half": {"CAD", tax.RoundPerLine,
			[]tax.Line{line("1", "200", "0", qst), line("1", "20", "0", qst)},
			`line 200.00 - 0.00 = 200.00, QST on 200.00: 19.95, tax 19.95, total 219.95
line 20.00 - 0.00 = 20.00, QST on 20.00: 2.00, tax 2.00, total 22.00
QST on 220.00: 21.95
net 220.00, tax 21.95, total 241.95`},
		// Quebec in 2012, QST on price and GST: 100 × 5 % = 5.00; 105 × 9.5 % = 9.975 → 9.98.
		"compound QST of 2012": {"CAD", tax.RoundPerLine, []tax.Line{line("1", "100", "0", gst, oldQST)},
			`line 100.00 - 0.00 = 100.00, GST on 100.00: 5.00, QST on 105.00: 9.98, tax 14.98, total 114.98
GST on 100.00: 5.00
QST on 105.00: 9.98
net 100.00, tax 14.98, total 114.98`},
		// First on the line, a compound rate has nothing before it; the plain rate after it ignores it.
		"compound rate first": {"CAD", tax.RoundPerLine, []tax.Line{line("1", "100", "0", oldQST, gst)},
			`line 100.00 - 0.00 = 100.00, QST on 100.00: 9.50, GST on 100.00: 5.00, tax 14.50, total 114.50
QST on 100.00: 9.50
GST on 100.00: 5.00
net 100.00, tax 14.50, total 114.50`},
		// No decimals: 3 × 333 = 999; 10 % = 99.9 → 100. 1.5 × 333 = 499.5 → 500; 10 % = 50.
		"yen": {"JPY", tax.RoundPerLine, []tax.Line{line("3", "333", "0", tenth), line("1.5", "333", "0", tenth)},
			`line 999 - 0 = 999, TEN on 999: 100, tax 100, total 1099
line 500 - 0 = 500, TEN on 500: 50, tax 50, total 550
TEN on 1499: 150
net 1499, tax 150, total 1649`},
		// Three decimals: 1.230 × 5 % = 0.0615 → 0.062.
		"Kuwaiti dinar": {"KWD", tax.RoundPerLine, []tax.Line{line("1", "1.230", "0", five)},
			`line 1.230 - 0.000 = 1.230, FIVE on 1.230: 0.062, tax 0.062, total 1.292
FIVE on 1.230: 0.062
net 1.230, tax 0.062, total 1.292`},
		// 100 × 66.667 % = 66.667 → 66.67, so that the discount shown is 33.33; 66.67 × 10 % = 6.667 → 6.67.
		"a third off": {"EUR", tax.RoundPerLine, []tax.Line{line("1", "100", "33.333", tenth)},
			`line 100.00 - 33.33 = 66.67, TEN on 66.67: 6.67, tax 6.67, total 73.34
TEN on 66.67: 6.67
net 66.67, tax 6.67, total 73.34`},
		// 0.333 × 19.99 = 6.65667 → 6.66; 6.66 × 10 % = 0.666 → 0.67.
		// A price with more decimals than the currency: 1000 × 0.001234 = 1.234 → 1.23; 0.123 → 0.12.
		"decimal quantity and fine price": {"EUR", tax.RoundPerLine,
			[]tax.Line{line("0.333", "19.99", "0", tenth), line("1000", "0.001234", "0", tenth)},
			`line 6.66 - 0.00 = 6.66, TEN on 6.66: 0.67, tax 0.67, total 7.33
line 1.23 - 0.00 = 1.23, TEN on 1.23: 0.12, tax 0.12, total 1.35
TEN on 7.89: 0.79
net 7.89, tax 0.79, total 8.68`},
		// The net is rounded once, from 3 × 0.335 × 50 % = 0.5025 → 0.50, not from the rounded gross 1.01, half of
		// which is 0.505 → 0.51.
		"discount of an unrounded gross": {"EUR", tax.RoundPerLine, []tax.Line{line("3", "0.335", "50")},
			`line 1.01 - 0.51 = 0.50, tax 0.00, total 0.50
net 0.50, tax 0.00, total 0.50`},
		"all off": {"EUR", tax.RoundPerLine, []tax.Line{line("2", "10", "100", tenth)},
			`line 20.00 - 20.00 = 0.00, TEN on 0.00: 0.00, tax 0.00, total 0.00
TEN on 0.00: 0.00
net 0.00, tax 0.00, total 0.00`},
		// Each line alone: 0.10 × 5 % = 0.005 → 0.01, three times.
		"three halves per line": {"EUR", tax.RoundPerLine,
			[]tax.Line{line("1", "0.10", "0", five), line("1", "0.10", "0", five), line("1", "0.10", "0", five)},
			`line 0.10 - 0.00 = 0.10, FIVE on 0.10: 0.01, tax 0.01, total 0.11
line 0.10 - 0.00 = 0.10, FIVE on 0.10: 0.01, tax 0.01, total 0.11
line 0.10 - 0.00 = 0.10, FIVE on 0.10: 0.01, tax 0.01, total 0.11
FIVE on 0.30: 0.03
net 0.30, tax 0.03, total 0.33`},
		// Together: 0.30 × 5 % = 0.015 → 0.02; the remainders are equal, so the first two lines bear it.
		"three halves per document": {"EUR", tax.RoundPerDocument,
			[]tax.Line{line("1", "0.10", "0", five), line("1", "0.10", "0", five), line("1", "0.10", "0", five)},
			`line 0.10 - 0.00 = 0.10, FIVE on 0.10: 0.01, tax 0.01, total 0.11
line 0.10 - 0.00 = 0.10, FIVE on 0.10: 0.01, tax 0.01, total 0.11
line 0.10 - 0.00 = 0.10, FIVE on 0.10: 0.00, tax 0.00, total 0.10
FIVE on 0.30: 0.02
net 0.30, tax 0.02, total 0.32`},
		// In cents: 33 × 10 % = 3.3, 39 × 10 % = 3.9, 58 × 10 % = 5.8, together 13. Whole cents are 3 + 3 + 5 = 11;
		// the two missing go to .9 and .8, not to the first line.
		"largest remainders": {"EUR", tax.RoundPerDocument,
			[]tax.Line{line("1", "0.33", "0", tenth), line("1", "0.39", "0", tenth), line("1", "0.58", "0", tenth)},
			`line 0.33 - 0.00 = 0.33, TEN on 0.33: 0.03, tax 0.03, total 0.36
line 0.39 - 0.00 = 0.39, TEN on 0.39: 0.04, tax 0.04, total 0.43
line 0.58 - 0.00 = 0.58, TEN on 0.58: 0.06, tax 0.06, total 0.64
TEN on 1.30: 0.13
net 1.30, tax 0.13, total 1.43`},
		// In cents, per document: LEVY 10 × 5 % = 0.5 twice, together 1, on the first line. VAT applies to 10.5, which is
		// not rounded first (11 would give 19.8): 9.45 twice, together 18.9 → 19; whole cents are 9 + 9, and the one
		// missing goes to the first line.
		"compound per document": {"EUR", tax.RoundPerDocument,
			[]tax.Line{line("1", "0.10", "0", levy, vat), line("1", "0.10", "0", levy, vat)},
			`line 0.10 - 0.00 = 0.10, LEVY on 0.10: 0.01, VAT on 0.11: 0.10, tax 0.11, total 0.21
line 0.10 - 0.00 = 0.10, LEVY on 0.10: 0.00, VAT on 0.10: 0.09, tax 0.09, total 0.19
LEVY on 0.20: 0.01
VAT on 0.21: 0.19
net 0.20, tax 0.20, total 0.40`},
		"no lines": {"EUR", tax.RoundPerLine, nil, `net 0.00, tax 0.00, total 0.00`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			result, err := tax.Calculate(tax.Terms{Currency: money.MustCurrency(c.currency), Rounding: c.policy}, c.lines)
			if err != nil {
				t.Fatal(err)
			}
			if got := figures(result); got != c.want {
				t.Errorf("got\n%s\nwant\n%s", got, c.want)
			}
		})
	}
}

func TestCalculateKeepsTwoPercentsOfOneRateApart(t *testing.T) {
	t.Parallel()
	before := rate("VAT", "19")
	after := before
	after.Percent = dec("16")
	same := before
	same.Percent = dec("19.00") // as a database column gives it back
	result, err := tax.Calculate(tax.Terms{Currency: money.MustCurrency("EUR"), Rounding: tax.RoundPerDocument}, []tax.Line{
		line("1", "100", "0", before), line("1", "100", "0", after), line("1", "100", "0", same),
	})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, r := range result.Rates {
		got = append(got, r.Rate.Percent.String()+" on "+r.Base.String()+": "+r.Amount.String())
	}
	if want := []string{"19 on 200.00: 38.00", "16 on 100.00: 16.00"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestCalculateRefuses(t *testing.T) {
	t.Parallel()
	vat := rate("VAT", "20")
	good := line("1", "1", "0")
	many := make([]tax.Rate, 9)
	for i := range many {
		many[i] = rate("T", "1")
	}
	huge := decimal.New(1, math.MaxInt32)
	tiny := decimal.New(1, math.MinInt32)
	for name, c := range map[string]struct {
		lines       []tax.Line
		want        error
		field, says string
	}{
		"a negative quantity": {[]tax.Line{good, good, line("-1", "1", "0")}, tax.ErrQuantityNegative,
			"lines[2].quantity", "Line 3 has a negative quantity."},
		"no quantity": {[]tax.Line{line("0", "1", "0")}, tax.ErrQuantityZero,
			"lines[0].quantity", "Line 1 needs a quantity."},
		"an unset line": {[]tax.Line{{}}, tax.ErrQuantityZero, "lines[0].quantity", "Line 1 needs a quantity."},
		"a quantity of 13 digits": {[]tax.Line{line("1000000000000", "1", "0")}, money.ErrNumberTooLarge,
			"lines[0].quantity", "12 digits"},
		"a quantity with 7 decimals": {[]tax.Line{line("0.0000001", "1", "0")}, money.ErrNumberTooPrecise,
			"lines[0].quantity", "6 decimals"},
		"an exponent as quantity": {[]tax.Line{{Quantity: huge, UnitPrice: dec("1")}}, money.ErrNumberTooLarge,
			"lines[0].quantity", "12 digits"},
		"a negative exponent as price": {[]tax.Line{{Quantity: dec("1"), UnitPrice: tiny}}, money.ErrNumberTooPrecise,
			"lines[0].unit_price", "6 decimals"},
		"a negative price": {[]tax.Line{line("1", "-0.01", "0")}, tax.ErrPriceNegative,
			"lines[0].unit_price", "Line 1 has a negative price."},
		"a discount above 100": {[]tax.Line{line("1", "1", "100.000001")}, tax.ErrDiscountOutOfRange,
			"lines[0].discount_percent", "between 0 and 100"},
		"a negative discount": {[]tax.Line{line("1", "1", "-1")}, tax.ErrDiscountOutOfRange,
			"lines[0].discount_percent", "between 0 and 100"},
		"an exponent as discount": {[]tax.Line{{Quantity: dec("1"), DiscountPercent: huge}}, tax.ErrDiscountOutOfRange,
			"lines[0].discount_percent", "between 0 and 100"},
		"a tax above 100": {[]tax.Line{line("1", "1", "0", vat, rate("X", "101"))}, tax.ErrPercentOutOfRange,
			"lines[0].taxes[1]", "between 0 and 100"},
		"a negative tax": {[]tax.Line{line("1", "1", "0", rate("X", "-1"))}, tax.ErrPercentOutOfRange,
			"lines[0].taxes[0]", "between 0 and 100"},
		"a tax with 7 decimals": {[]tax.Line{line("1", "1", "0", rate("X", "0.1234567"))}, money.ErrNumberTooPrecise,
			"lines[0].taxes[0]", "6 decimals"},
		"nine taxes":    {[]tax.Line{line("1", "1", "0", many...)}, tax.ErrTooManyRates, "lines[0].taxes", "at most 8"},
		"one tax twice": {[]tax.Line{line("1", "1", "0", vat, vat)}, tax.ErrRateTwice, "lines[0].taxes[1]", "once"},
		"501 lines":     {slices.Repeat([]tax.Line{good}, 501), tax.ErrTooManyLines, "lines", "500"},
		"a line beyond 15 digits": {[]tax.Line{good, line("999999999999", "999999999999", "0")}, money.ErrTooLarge,
			"lines[1]", "15 digits"},
		"a line that is too large with its tax": {[]tax.Line{line("1000", "999999999999", "0", vat)}, money.ErrTooLarge,
			"lines[0]", "15 digits"},
		"a total beyond 15 digits": {slices.Repeat([]tax.Line{line("600", "999999999999", "0")}, 2), money.ErrTooLarge,
			"", "15 digits"},
		"a sum beyond int64": {slices.Repeat([]tax.Line{line("1000", "999999999999", "0")}, 500), money.ErrTooLarge,
			"", "15 digits"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, policy := range []tax.Policy{tax.RoundPerLine, tax.RoundPerDocument} {
				result, err := tax.Calculate(tax.Terms{Currency: money.MustCurrency("EUR"), Rounding: policy}, c.lines)
				if !errors.Is(err, c.want) {
					t.Fatalf("%v: got %v and %v, want %v", policy, result.Total, err, c.want)
				}
				if result.Total != (money.Amount{}) {
					t.Errorf("%v: a refused document has a total of %v", policy, result.Total)
				}
				var f *fault.Error
				if !errors.As(err, &f) || f.Kind != fault.Invalid || !strings.Contains(f.Say, c.says) {
					t.Errorf("%v: got %v, want a sentence with %q", policy, err, c.says)
				}
				// A tax too large for int64 is found on the document's sum, where no line is to be named.
				if f.Field != c.field && !(policy == tax.RoundPerDocument && f.Field == "") {
					t.Errorf("%v: got field %q, want %q", policy, f.Field, c.field)
				}
			}
		})
	}
}

// Eight compound taxes of 100 % double a line eight times, past int64 from an amount that is allowed.
func TestCalculateRefusesCompoundTaxesBeyondInt64(t *testing.T) {
	t.Parallel()
	doubling := make([]tax.Rate, tax.MaxRates)
	for i := range doubling {
		doubling[i] = compound("X", "100")
	}
	lines := []tax.Line{line("1000", "999999999999", "0", doubling...)}
	for _, policy := range []tax.Policy{tax.RoundPerLine, tax.RoundPerDocument} {
		if result, err := tax.Calculate(tax.Terms{Currency: money.MustCurrency("KWD"), Rounding: policy}, lines); !errors.Is(err, money.ErrTooLarge) {
			t.Errorf("%v: got %v and %v, want amount.too_large", policy, result.Total, err)
		}
	}
}

func TestCalculateTellsAllFaultsAtOnce(t *testing.T) {
	t.Parallel()
	_, err := tax.Calculate(tax.Terms{Currency: money.MustCurrency("EUR"), Rounding: tax.RoundPerLine}, []tax.Line{
		line("0", "-1", "101", rate("X", "200")), line("1", "1", "0"), line("-1", "1", "0"),
	})
	var faults fault.List
	if !errors.As(err, &faults) {
		t.Fatalf("got %v, want a list of faults", err)
	}
	var got []string
	for _, f := range faults {
		got = append(got, f.Field+" "+f.Code)
	}
	want := []string{
		"lines[0].quantity quantity.zero",
		"lines[0].unit_price price.negative",
		"lines[0].discount_percent discount.out_of_range",
		"lines[0].taxes[0] tax.percent_out_of_range",
		"lines[2].quantity quantity.negative",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}

func TestCalculateNeedsACurrencyAndAPolicy(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		currency money.Currency
		policy   tax.Policy
	}{
		"no currency":       {money.Currency{}, tax.RoundPerLine},
		"an unknown policy": {money.MustCurrency("EUR"), tax.Policy(7)},
	} {
		_, err := tax.Calculate(tax.Terms{Currency: c.currency, Rounding: c.policy}, []tax.Line{line("1", "1", "0")})
		if err == nil || fault.KindOf(err) != fault.Internal {
			t.Errorf("%s: got %v, want an internal error", name, err)
		}
	}
}

func TestPolicyReadsBack(t *testing.T) {
	t.Parallel()
	for _, p := range []tax.Policy{tax.RoundPerLine, tax.RoundPerDocument} {
		if back, ok := tax.ParsePolicy(p.String()); !ok || back != p {
			t.Errorf("%v reads back as %v, %v", p, back, ok)
		}
	}
	if _, ok := tax.ParsePolicy("Per_Line"); ok {
		t.Error("another spelling is a policy")
	}
}
