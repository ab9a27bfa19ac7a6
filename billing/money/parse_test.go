package money_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/shopspring/decimal"
	"pgregory.net/rapid"

	"github.com/countinghouse/countinghouse/billing/money"
	"github.com/countinghouse/countinghouse/internal/fault"
)

// misshapen is what no parser takes.
var misshapen = []string{
	"", "-", ".", "-.", ".5", "5.", "-.5", "+1", "--1", "1-", " 1", "1 ", "1,5", "1,000.00", "1.2.3", "1e3", "1E3",
	"0x10", "1_000", "NaN", "Inf", "1e999999999", "1\x00", "１２", "١٢", "−5", "€5", "1\n", "\xff",
}

func TestParseAmount(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		in, code string
		minor    int64
	}{
		{"12.30", "EUR", 1230},
		{"12.3", "EUR", 1230},
		{"12", "EUR", 1200},
		{"-0.05", "EUR", -5},
		{"-0", "EUR", 0},
		{"007", "EUR", 700},
		{"1200", "JPY", 1200},
		{"1.234", "KWD", 1234},
		{"1.2345", "CLF", 12345},
		{"999999999999999.99", "EUR", 99_999_999_999_999_999},
		{"-999999999999999.999", "KWD", -999_999_999_999_999_999},
		{"99999999999999.9999", "CLF", 999_999_999_999_999_999},
	} {
		got, err := money.ParseAmount(c.in, money.MustCurrency(c.code))
		if err != nil || got != amount(c.code, c.minor) {
			t.Errorf("%s %s: got %d, %v, want %d", c.in, c.code, got.Minor, err, c.minor)
		}
	}
}

func TestParseAmountRefuses(t *testing.T) {
	t.Parallel()
	type refusal struct {
		in, code string
		want     error
		says     string
	}
	cases := []refusal{
		{"1.234", "EUR", money.ErrTooPrecise, "An amount in EUR has at most 2 decimals."},
		{"1.230", "EUR", money.ErrTooPrecise, "An amount in EUR has at most 2 decimals."},
		{"1.0", "JPY", money.ErrTooPrecise, "An amount in JPY has no decimals."},
		{"1.2345", "KWD", money.ErrTooPrecise, "at most 3 decimals"},
		{"1000000000000000", "EUR", money.ErrTooLarge, "An amount in EUR has at most 15 digits before the point."},
		{"100000000000000", "CLF", money.ErrTooLarge, "14 digits"},
		{strings.Repeat("1", 40), "EUR", money.ErrTooLarge, "15 digits"},
		{"-" + strings.Repeat("9", 10_000_000), "EUR", money.ErrTooLarge, "15 digits"},
		{"0." + strings.Repeat("9", 10_000_000), "EUR", money.ErrTooPrecise, "2 decimals"},
		{strings.Repeat("9", 10_000_000) + "e", "EUR", money.ErrMalformed, "digits"},
	}
	for _, s := range misshapen {
		cases = append(cases, refusal{s, "EUR", money.ErrMalformed, "such as 1240.00"})
	}
	for _, c := range cases {
		got, err := money.ParseAmount(c.in, money.MustCurrency(c.code))
		if !errors.Is(err, c.want) || fault.KindOf(err) != fault.Invalid || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%.40q %s: got %v, %v, want %v", c.in, c.code, got, err, c.want)
		}
	}
	if _, err := money.ParseAmount("1", money.Currency{}); err == nil || fault.KindOf(err) != fault.Internal {
		t.Errorf("without a currency: got %v, want an internal error", err)
	}
}

func TestParseDecimal(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"1": "1", "0.333": "0.333", "-2.5": "-2.5", "999999999999.999999": "999999999999.999999", "1.500000": "1.5",
	} {
		got, err := money.ParseDecimal(in, money.QuantityIntDigits, money.QuantityFracDigits)
		if err != nil || got.String() != want {
			t.Errorf("%s: got %v, %v", in, got, err)
		}
	}
	for in, want := range map[string]error{
		"1000000000000":                money.ErrNumberTooLarge,
		"0.0000001":                    money.ErrNumberTooPrecise,
		strings.Repeat("7", 40):        money.ErrNumberTooLarge,
		strings.Repeat("7", 1e7):       money.ErrNumberTooLarge,
		"1." + strings.Repeat("7", 40): money.ErrNumberTooPrecise,
	} {
		if got, err := money.ParseDecimal(in, 12, 6); !errors.Is(err, want) {
			t.Errorf("%.40q: got %v, %v, want %v", in, got, err, want)
		}
	}
	for _, in := range misshapen {
		if got, err := money.ParseDecimal(in, 12, 6); !errors.Is(err, money.ErrNumberMalformed) {
			t.Errorf("%q: got %v, %v", in, got, err)
		}
	}
	if _, err := money.ParseDecimal("1.5", 12, 0); err == nil || !strings.Contains(err.Error(), "has no decimals") {
		t.Errorf("a decimal where none is allowed: got %v", err)
	}
}

func TestCheckDecimal(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]error{
		"0":                     nil,
		"999999999999.999999":   nil,
		"-999999999999":         nil,
		"1.50000000":            nil, // by value
		"12e2":                  nil,
		"1000000000000":         money.ErrNumberTooLarge,
		"1e12":                  money.ErrNumberTooLarge,
		"1e2000000000":          money.ErrNumberTooLarge,
		"-1e2000000000":         money.ErrNumberTooLarge,
		"0e2000000000":          money.ErrNumberTooLarge,
		"0.0000001":             money.ErrNumberTooPrecise,
		"1e-2000000000":         money.ErrNumberTooPrecise,
		"0e-2000000000":         money.ErrNumberTooPrecise,
		"1.0000000000000000001": money.ErrNumberTooPrecise,
	} {
		if err := money.CheckDecimal(number(in), 12, 6); !errors.Is(err, want) {
			t.Errorf("%s: got %v, want %v", in, err, want)
		}
	}
}

func TestAmountReadsBack(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		c := rapid.SampledFrom(money.All()).Draw(t, "currency")
		limit := money.Max(c).Minor
		a := money.Amount{Minor: rapid.Int64Range(-limit, limit).Draw(t, "minor"), Currency: c}
		if back, err := money.ParseAmount(a.String(), c); err != nil || back != a {
			t.Fatalf("%v reads back as %v, %v", a, back, err)
		}
		if back, err := money.FromDecimal(a.Decimal(), c); err != nil || back != a {
			t.Fatalf("%v comes back from a decimal as %v, %v", a, back, err)
		}
	})
}

func TestSubUndoesAdd(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		a, b := amount("EUR", rapid.Int64().Draw(t, "a")), amount("EUR", rapid.Int64().Draw(t, "b"))
		exact := a.Decimal().Add(b.Decimal())
		sum, err := a.Add(b)
		if err != nil {
			if exact.Shift(2).BigInt().IsInt64() {
				t.Fatalf("%v + %v fits and is refused: %v", a, b, err)
			}
			return
		}
		if !sum.Decimal().Equal(exact) {
			t.Fatalf("%v + %v = %v", a, b, sum)
		}
		if back, err := sum.Sub(b); err != nil || back != a {
			t.Fatalf("%v - %v = %v, %v", sum, b, back, err)
		}
	})
}

// Rounding never moves an amount by more than half a minor unit, and a half goes away from zero.
func TestFromDecimalRoundsHalfUp(t *testing.T) {
	t.Parallel()
	half := decimal.New(5, -1)
	rapid.Check(t, func(t *rapid.T) {
		c := rapid.SampledFrom(money.All()).Draw(t, "currency")
		d := decimal.New(rapid.Int64Range(-1e15, 1e15).Draw(t, "d"), -int32(rapid.IntRange(0, 9).Draw(t, "decimals")))
		got, err := money.FromDecimal(d, c)
		if errors.Is(err, money.ErrTooLarge) && d.Abs().GreaterThanOrEqual(decimal.New(1, 14)) {
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		// How much larger in magnitude the rounded amount is, in minor units.
		grown := got.Decimal().Abs().Sub(d.Abs()).Shift(int32(c.Digits()))
		if grown.GreaterThan(half) || grown.LessThanOrEqual(half.Neg()) || got.Sign()*d.Sign() < 0 {
			t.Fatalf("%v becomes %v", d, got)
		}
	})
}

func FuzzParseAmount(f *testing.F) {
	for _, s := range append([]string{"12.30", "-0.05", "1200", "999999999999999.99", "1e999999999"}, misshapen...) {
		f.Add(s, "EUR")
		f.Add(s, "JPY")
		f.Add(s, "CLF")
	}
	f.Fuzz(func(t *testing.T, s, code string) {
		c, err := money.ParseCurrency(code)
		if err != nil {
			return
		}
		a, err := money.ParseAmount(s, c)
		if err != nil {
			if fault.KindOf(err) != fault.Invalid {
				t.Fatalf("%q is refused without a fault: %v", s, err)
			}
			return
		}
		if err := a.CheckSize(); err != nil {
			t.Fatalf("%q passes as %v: %v", s, a, err)
		}
		if exact, err := decimal.NewFromString(s); err != nil || !exact.Equal(a.Decimal()) {
			t.Fatalf("%q passes as %v, and is %v, %v", s, a, exact, err)
		}
		if back, err := money.ParseAmount(a.String(), c); err != nil || back != a {
			t.Fatalf("%q passes as %v, which reads back as %v, %v", s, a, back, err)
		}
	})
}

func FuzzParseDecimal(f *testing.F) {
	for _, s := range append([]string{"0.333", "-2.5", "999999999999.999999", "1e999999999"}, misshapen...) {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		d, err := money.ParseDecimal(s, 12, 6)
		if err != nil {
			if fault.KindOf(err) != fault.Invalid {
				t.Fatalf("%q is refused without a fault: %v", s, err)
			}
			return
		}
		if err := money.CheckDecimal(d, 12, 6); err != nil {
			t.Fatalf("%q passes the parser and not the check: %v", s, err)
		}
		if back, err := money.ParseDecimal(d.String(), 12, 6); err != nil || !back.Equal(d) {
			t.Fatalf("%q is %v, which reads back as %v, %v", s, d, back, err)
		}
	})
}
