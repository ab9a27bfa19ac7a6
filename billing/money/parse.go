package money

import (
	"fmt"
	"strconv"

	"github.com/shopspring/decimal"

	"github.com/countinghouse/countinghouse/internal/fault"
)

// What the parsers refuse besides ErrTooLarge.
var (
	ErrMalformed = fault.New(fault.Invalid, "amount.malformed",
		"Write the amount in digits with a point before the decimals and nothing else, such as 1240.00.")
	ErrTooPrecise = fault.New(fault.Invalid, "amount.too_precise",
		"The amount has more decimals than its currency.")

	ErrNumberMalformed = fault.New(fault.Invalid, "number.malformed",
		"Write the number in digits with a point before the decimals and nothing else, such as 12.5.")
	ErrNumberTooPrecise = fault.New(fault.Invalid, "number.too_precise",
		"The number has too many decimals.")
	ErrNumberTooLarge = fault.New(fault.Invalid, "number.too_large",
		"The number has too many digits before the point.")
)

// The digits that quantities, prices and percents may have, for ParseDecimal and CheckDecimal.
const (
	QuantityIntDigits  = 12
	QuantityFracDigits = 6
	PriceIntDigits     = 12
	PriceFracDigits    = 6
	PercentIntDigits   = 3
	PercentFracDigits  = 6
)

// ParseAmount reads an amount in major units: an optional "-", digits, and where there are decimals a point and at
// least one more digit. There is no exponent, grouping, space or leading "+". It returns ErrMalformed for anything else,
// ErrTooPrecise for more decimals than the currency has (zeros too: they say that somebody took it for another
// currency), and ErrTooLarge for more than 15 digits before the point, leading zeros counted.
func ParseAmount(s string, c Currency) (Amount, error) {
	if c.IsZero() {
		return Amount{}, errNoCurrency
	}
	number, ok := splitNumber(s)
	switch {
	case !ok:
		return Amount{}, ErrMalformed
	case len(number.whole) > integerDigits(c):
		return Amount{}, tooLarge(c)
	case len(number.fraction) > c.Digits() && c.Digits() == 0:
		return Amount{}, ErrTooPrecise.Sayf("An amount in %s has no decimals.", c)
	case len(number.fraction) > c.Digits():
		return Amount{}, ErrTooPrecise.Sayf("An amount in %s has at most %d decimals.", c, c.Digits())
	}
	digits := number.whole + number.fraction
	for range c.Digits() - len(number.fraction) {
		digits += "0"
	}
	minor, err := strconv.ParseInt(digits, 10, 64)
	if err != nil {
		return Amount{}, fmt.Errorf("money: %d checked digits: %w", len(digits), err)
	}
	if number.negative {
		minor = -minor
	}
	return Amount{Minor: minor, Currency: c}, nil
}

// ParseDecimal reads a quantity, a unit price or a percent in the form that ParseAmount takes, with at most intDigits
// before the point and fracDigits after it. It returns ErrNumberMalformed, ErrNumberTooLarge or ErrNumberTooPrecise.
// A minus sign is read; whether less than nothing makes sense is the caller's to say.
func ParseDecimal(s string, intDigits, fracDigits int) (decimal.Decimal, error) {
	number, ok := splitNumber(s)
	switch {
	case !ok:
		return decimal.Decimal{}, ErrNumberMalformed
	case len(number.whole) > intDigits:
		return decimal.Decimal{}, numberTooLarge(intDigits)
	case len(number.fraction) > fracDigits:
		return decimal.Decimal{}, numberTooPrecise(fracDigits)
	}
	d, err := decimal.NewFromString(s)
	if err != nil {
		return decimal.Decimal{}, fmt.Errorf("money: a checked number: %w", err)
	}
	return d, nil
}

// CheckDecimal holds a number that is already a decimal to the limits of ParseDecimal, by value: 1.500 has one decimal.
// It never works on the digits of a number that its exponent makes huge.
func CheckDecimal(d decimal.Decimal, intDigits, fracDigits int) error {
	const slack = 32 // trailing zeros that a number may carry either way
	exponent := int(d.Exponent())
	switch {
	case exponent > intDigits+slack || d.NumDigits()+exponent > intDigits && !d.IsZero():
		return numberTooLarge(intDigits)
	case exponent < -fracDigits-slack || !d.Truncate(int32(fracDigits)).Equal(d):
		return numberTooPrecise(fracDigits)
	}
	return nil
}

func numberTooLarge(intDigits int) error {
	return ErrNumberTooLarge.Sayf("The number has at most %d digits before the point.", intDigits)
}

func numberTooPrecise(fracDigits int) error {
	if fracDigits == 0 {
		return ErrNumberTooPrecise.Sayf("The number has no decimals.")
	}
	return ErrNumberTooPrecise.Sayf("The number has at most %d decimals.", fracDigits)
}

// written is a number's digits as they were sent, not yet a number.
type written struct {
	negative        bool
	whole, fraction string
}

// splitNumber checks the form in one pass and builds nothing, so that a megabyte of digits costs no more than reading
// it.
func splitNumber(s string) (n written, ok bool) {
	if s != "" && s[0] == '-' {
		n.negative, s = true, s[1:]
	}
	point := -1
	for i := 0; i < len(s); i++ {
		switch {
		case '0' <= s[i] && s[i] <= '9':
		case s[i] == '.' && point < 0:
			point = i
		default:
			return written{}, false
		}
	}
	if point < 0 {
		n.whole = s
		return n, s != ""
	}
	n.whole, n.fraction = s[:point], s[point+1:]
	return n, n.whole != "" && n.fraction != ""
}
