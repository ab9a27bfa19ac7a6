package money_test

import (
	"encoding/json"
	"errors"
	"math"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/shopspring/decimal"

	"github.com/countinghouse/countinghouse/billing/money"
	"github.com/countinghouse/countinghouse/internal/fault"
)

func amount(code string, minor int64) money.Amount {
	return money.Amount{Minor: minor, Currency: money.MustCurrency(code)}
}

// number reads a decimal with any exponent that one can hold; the library's own reader stops at 10,000.
func number(s string) decimal.Decimal {
	digits, power, _ := strings.Cut(s, "e")
	exponent, err := strconv.ParseInt("0"+strings.TrimPrefix(power, "-"), 10, 32)
	if err != nil {
		panic(err)
	}
	if strings.HasPrefix(power, "-") {
		exponent = -exponent
	}
	d := decimal.RequireFromString(digits)
	return decimal.NewFromBigInt(d.Coefficient(), d.Exponent()+int32(exponent))
}

func TestCurrencyTable(t *testing.T) {
	t.Parallel()
	// All codes of list one whose minor unit is not 2, as the standard has them.
	notTwo := map[string]int{
		"BIF": 0, "CLP": 0, "DJF": 0, "GNF": 0, "ISK": 0, "JPY": 0, "KMF": 0, "KRW": 0, "PYG": 0, "RWF": 0, "UGX": 0,
		"UYI": 0, "VND": 0, "VUV": 0, "XAF": 0, "XOF": 0, "XPF": 0,
		"BHD": 3, "IQD": 3, "JOD": 3, "KWD": 3, "LYD": 3, "OMR": 3, "TND": 3,
		"CLF": 4, "UYW": 4,
	}
	all := money.All()
	if len(all) != 165 {
		t.Errorf("%d currencies, and list one has 165 with a minor unit", len(all))
	}
	codes := make([]string, len(all))
	for i, c := range all {
		codes[i] = c.Code()
		want, ok := notTwo[c.Code()]
		if !ok {
			want = 2
		}
		if c.Digits() != want {
			t.Errorf("%s has %d digits, want %d", c, c.Digits(), want)
		}
		if back, err := money.ParseCurrency(c.Code()); err != nil || back != c {
			t.Errorf("%s reads back as %v, %v", c, back, err)
		}
		if c.Name() == "" || c.Symbol() == "" || c.IsZero() {
			t.Errorf("%s: name %q, symbol %q", c, c.Name(), c.Symbol())
		}
	}
	if !slices.IsSorted(codes) || len(slices.Compact(slices.Clone(codes))) != len(codes) {
		t.Errorf("codes are not sorted or not unique: %v", codes)
	}
}

func TestCurrencySymbolsAreUnambiguous(t *testing.T) {
	t.Parallel()
	owner := map[string]money.Currency{}
	for _, c := range money.All() {
		if other, taken := owner[c.Symbol()]; taken {
			t.Errorf("%s and %s both show %q", other, c, c.Symbol())
		}
		owner[c.Symbol()] = c
	}
	for code, want := range map[string]string{"EUR": "€", "GBP": "£", "USD": "$", "CAD": "CA$", "SEK": "SEK"} {
		if got := money.MustCurrency(code).Symbol(); got != want {
			t.Errorf("%s shows %q, want %q", code, got, want)
		}
	}
}

func TestParseCurrencyRefuses(t *testing.T) {
	t.Parallel()
	for _, s := range []string{"", "eur", "EUR ", " EUR", "EU", "EURO", "€", "XXX", "XTS", "XAU", "XDR", "BGN", "HRK",
		"EUR\x00", "ЕUR", strings.Repeat("EUR", 1000)} {
		if c, err := money.ParseCurrency(s); !errors.Is(err, money.ErrUnknownCurrency) || !c.IsZero() {
			t.Errorf("%q: got %v, %v", s, c, err)
		}
	}
}

func TestCurrencyInJSONAndColumns(t *testing.T) {
	t.Parallel()
	eur := money.MustCurrency("EUR")
	var back struct{ Currency money.Currency }
	written, err := json.Marshal(map[string]money.Currency{"Currency": eur})
	if err != nil || string(written) != `{"Currency":"EUR"}` {
		t.Fatalf("wrote %s, %v", written, err)
	}
	if err := json.Unmarshal(written, &back); err != nil || back.Currency != eur {
		t.Errorf("read %v, %v", back.Currency, err)
	}
	if err := json.Unmarshal([]byte(`{"Currency":"XYZ"}`), &back); !errors.Is(err, money.ErrUnknownCurrency) {
		t.Errorf("an unknown code in JSON gives %v", err)
	}
	for _, column := range []any{"EUR", []byte("EUR")} {
		var c money.Currency
		if err := c.Scan(column); err != nil || c != eur {
			t.Errorf("column %v reads as %v, %v", column, c, err)
		}
	}
	for _, column := range []any{nil, "XYZ", 978} {
		var c money.Currency
		if err := c.Scan(column); err == nil || fault.KindOf(err) != fault.Internal {
			t.Errorf("column %v: got %v, want an internal error", column, err)
		}
	}
	if v, err := eur.Value(); err != nil || v != "EUR" {
		t.Errorf("stored as %v, %v", v, err)
	}
	if v, err := (money.Currency{}).Value(); err == nil {
		t.Errorf("no currency is stored as %v", v)
	}
	if written, err := json.Marshal(money.Currency{}); err == nil {
		t.Errorf("no currency is written as %s", written)
	}
}

func TestAmountString(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		amount money.Amount
		want   string
	}{
		{amount("EUR", 1230), "12.30"},
		{amount("EUR", 0), "0.00"},
		{amount("EUR", -5), "-0.05"},
		{amount("EUR", -100), "-1.00"},
		{amount("JPY", 1200), "1200"},
		{amount("JPY", -7), "-7"},
		{amount("KWD", 1), "0.001"},
		{amount("CLF", 12345), "1.2345"},
		{amount("EUR", math.MaxInt64), "92233720368547758.07"},
		{amount("EUR", math.MinInt64), "-92233720368547758.08"},
	} {
		if got := c.amount.String(); got != c.want {
			t.Errorf("%d %s is written %q, want %q", c.amount.Minor, c.amount.Currency, got, c.want)
		}
	}
}

func TestAmountArithmetic(t *testing.T) {
	t.Parallel()
	eur := func(minor int64) money.Amount { return amount("EUR", minor) }
	for _, c := range []struct {
		name string
		got  func() (money.Amount, error)
		want int64
		err  error
	}{
		{"add", func() (money.Amount, error) { return eur(150).Add(eur(-200)) }, -50, nil},
		{"sub", func() (money.Amount, error) { return eur(150).Sub(eur(-200)) }, 350, nil},
		{"neg", func() (money.Amount, error) { return eur(150).Neg() }, -150, nil},
		{"sum", func() (money.Amount, error) { return money.Sum(eur(0).Currency, eur(1), eur(2), eur(3)) }, 6, nil},
		{"sum of none", func() (money.Amount, error) { return money.Sum(eur(0).Currency) }, 0, nil},
		{"to the top", func() (money.Amount, error) { return eur(math.MaxInt64 - 1).Add(eur(1)) }, math.MaxInt64, nil},
		{"to the bottom", func() (money.Amount, error) { return eur(math.MinInt64 + 1).Sub(eur(1)) }, math.MinInt64, nil},
		{"over", func() (money.Amount, error) { return eur(math.MaxInt64).Add(eur(1)) }, 0, money.ErrTooLarge},
		{"under", func() (money.Amount, error) { return eur(math.MinInt64).Add(eur(-1)) }, 0, money.ErrTooLarge},
		{"sub over", func() (money.Amount, error) { return eur(0).Sub(eur(math.MinInt64)) }, 0, money.ErrTooLarge},
		{"sub under", func() (money.Amount, error) { return eur(-2).Sub(eur(math.MaxInt64)) }, 0, money.ErrTooLarge},
		{"neg over", func() (money.Amount, error) { return eur(math.MinInt64).Neg() }, 0, money.ErrTooLarge},
		{"sum over", func() (money.Amount, error) {
			return money.Sum(eur(0).Currency, eur(math.MaxInt64), eur(1), eur(-1))
		}, 0, money.ErrTooLarge},
	} {
		got, err := c.got()
		if !errors.Is(err, c.err) || got.Minor != c.want || (err == nil && got.Currency.Code() != "EUR") {
			t.Errorf("%s: got %d, %v, want %d, %v", c.name, got.Minor, err, c.want, c.err)
		}
	}
	if order, err := eur(1).Cmp(eur(2)); order != -1 || err != nil {
		t.Errorf("1 against 2 is %d, %v", order, err)
	}
	if eur(-3).Sign() != -1 || eur(0).Sign() != 0 || !eur(0).IsZero() || eur(1).IsZero() {
		t.Error("signs are wrong")
	}
}

// A euro and a dollar in one sum is our mistake, and no fault that a person could put right.
func TestAmountRefusesTwoCurrencies(t *testing.T) {
	t.Parallel()
	a, b := amount("EUR", 1), amount("USD", 1)
	_, add := a.Add(b)
	_, sub := a.Sub(b)
	_, cmp := a.Cmp(b)
	_, sum := money.Sum(a.Currency, a, b)
	_, unset := a.Add(money.Amount{})
	for _, err := range []error{add, sub, cmp, sum, unset} {
		if err == nil || fault.KindOf(err) != fault.Internal {
			t.Errorf("got %v, want an internal error", err)
		}
	}
}

func TestFromDecimal(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		in, code, want string
	}{
		{"0.005", "EUR", "0.01"},
		{"-0.005", "EUR", "-0.01"},
		{"0.0049999999999999999999", "EUR", "0.00"},
		{"1.995", "EUR", "2.00"},
		{"99.5", "JPY", "100"},
		{"0.0615", "KWD", "0.062"},
		{"1e3", "EUR", "1000.00"},
		{"999999999999999.994", "EUR", "999999999999999.99"},
		{"-999999999999999.994", "EUR", "-999999999999999.99"},
		{"0e2000000000", "EUR", "0.00"},
		{"1e-2000000000", "EUR", "0.00"},
		{"999e-5", "EUR", "0.01"},
		{"499e-5", "EUR", "0.00"},
	} {
		got, err := money.FromDecimal(number(c.in), money.MustCurrency(c.code))
		if err != nil || got.String() != c.want {
			t.Errorf("%s %s: got %v, %v, want %s", c.in, c.code, got, err, c.want)
		}
		if err == nil && !got.Decimal().Equal(decimal.RequireFromString(c.want)) {
			t.Errorf("%v as a decimal is %v", got, got.Decimal())
		}
	}
	for _, c := range []struct{ in, code, says string }{
		{"999999999999999.995", "EUR", "An amount in EUR has at most 15 digits before the point."},
		{"-1000000000000000", "JPY", "15 digits"},
		{"99999999999999.99995", "CLF", "14 digits"},
		{"1e2000000000", "EUR", "15 digits"},
		{strings.Repeat("9", 40), "EUR", "15 digits"},
		{"184467440737095516.17", "EUR", "15 digits"}, // 2^64 + 1 cents
	} {
		got, err := money.FromDecimal(number(c.in), money.MustCurrency(c.code))
		if !errors.Is(err, money.ErrTooLarge) || !strings.Contains(err.Error(), c.says) || got != (money.Amount{}) {
			t.Errorf("%s %s: got %v, %v", c.in, c.code, got, err)
		}
	}
	if _, err := money.FromDecimal(decimal.New(1, 0), money.Currency{}); err == nil {
		t.Error("an amount without currency")
	}
}

func TestMaxLeavesRoomForSums(t *testing.T) {
	t.Parallel()
	for _, c := range money.All() {
		most := money.Max(c)
		if _, err := money.Sum(c, slices.Repeat([]money.Amount{most}, 9)...); err != nil {
			t.Errorf("%s: nine times %v: %v", c, most, err)
		}
		if err := most.CheckSize(); err != nil {
			t.Errorf("%s: %v itself: %v", c, most, err)
		}
		for _, minor := range []int64{most.Minor + 1, -most.Minor - 1} {
			if err := (money.Amount{Minor: minor, Currency: c}).CheckSize(); !errors.Is(err, money.ErrTooLarge) {
				t.Errorf("%s: %d: got %v", c, minor, err)
			}
		}
	}
}

func TestFormat(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		amount  money.Amount
		options money.FormatOptions
		want    string
	}{
		{amount("EUR", 124000), money.FormatOptions{Group: ","}, "1,240.00"},
		{amount("EUR", 124000), money.FormatOptions{}, "1240.00"},
		{amount("EUR", -4000), money.FormatOptions{Group: ",", Show: money.ShowSymbol}, "−€40.00"},
		{amount("EUR", 1894250), money.FormatOptions{Group: ",", Show: money.ShowSymbol}, "€18,942.50"},
		{amount("EUR", -123456789), money.FormatOptions{Group: ".", Decimal: ","}, "−1.234.567,89"},
		{amount("EUR", -1), money.FormatOptions{Minus: "-"}, "-0.01"},
		{amount("JPY", 123456), money.FormatOptions{Group: ",", Show: money.ShowSymbol}, "¥123,456"},
		{amount("CHF", -4000), money.FormatOptions{Group: "’", Show: money.ShowSymbol}, "−CHF\u00a040.00"},
		{amount("KWD", 99999), money.FormatOptions{Group: ",", Show: money.ShowCode}, "99.999\u00a0KWD"},
		{amount("USD", math.MinInt64), money.FormatOptions{Group: "\u202f", Show: money.ShowCode},
			"−92\u202f233\u202f720\u202f368\u202f547\u202f758.08\u00a0USD"},
	} {
		if got := money.Format(c.amount, c.options); got != c.want {
			t.Errorf("%v %s: got %q, want %q", c.amount, c.amount.Currency, got, c.want)
		}
	}
}
