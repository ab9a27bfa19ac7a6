package money

import (
	"cmp"
	"fmt"
	"math"
	"strconv"

	"github.com/shopspring/decimal"

	"github.com/countinghouse/countinghouse/internal/fault"
)

// maxIntegerDigits is how many digits an amount may have before the point: a quadrillion less one.
const maxIntegerDigits = 15

// ErrTooLarge refuses an amount beyond Max, and a sum beyond int64.
var ErrTooLarge = fault.New(fault.Invalid, "amount.too_large",
	"The amount is too large. An amount has at most 15 digits before the point.")

// Amount is an amount of money. Minor counts the currency's smallest units: cents for EUR, yen for JPY, fils for KWD.
type Amount struct {
	Minor    int64
	Currency Currency
}

// Max is the largest amount of a currency that parsers and the calculator let through: 15 digits before the point,
// and 18 digits in all, so that nine of the largest still add up in an int64 (a currency with four decimals has 14
// before the point).
func Max(c Currency) Amount {
	return Amount{Minor: pow10(integerDigits(c)+c.Digits()) - 1, Currency: c}
}

func integerDigits(c Currency) int { return min(maxIntegerDigits, 18-c.Digits()) }

// CheckSize refuses with ErrTooLarge an amount whose magnitude is beyond Max.
func (a Amount) CheckSize() error {
	if limit := Max(a.Currency).Minor; a.Minor > limit || a.Minor < -limit {
		return tooLarge(a.Currency)
	}
	return nil
}

func tooLarge(c Currency) error {
	return ErrTooLarge.Sayf("The amount is too large. An amount in %s has at most %d digits before the point.",
		c, integerDigits(c))
}

// Add gives a + b. It returns ErrTooLarge where the sum leaves int64, and an internal error for two currencies.
func (a Amount) Add(b Amount) (Amount, error) {
	if err := a.sameCurrency(b); err != nil {
		return Amount{}, err
	}
	sum := a.Minor + b.Minor
	if (sum > a.Minor) != (b.Minor > 0) && b.Minor != 0 {
		return Amount{}, tooLarge(a.Currency)
	}
	return Amount{Minor: sum, Currency: a.Currency}, nil
}

// Sub gives a - b, with the errors of Add.
func (a Amount) Sub(b Amount) (Amount, error) {
	if err := a.sameCurrency(b); err != nil {
		return Amount{}, err
	}
	difference := a.Minor - b.Minor
	if (difference < a.Minor) != (b.Minor > 0) && b.Minor != 0 {
		return Amount{}, tooLarge(a.Currency)
	}
	return Amount{Minor: difference, Currency: a.Currency}, nil
}

// Neg gives -a. Only the smallest int64 has no opposite; that is ErrTooLarge.
func (a Amount) Neg() (Amount, error) {
	if a.Minor == math.MinInt64 {
		return Amount{}, tooLarge(a.Currency)
	}
	return Amount{Minor: -a.Minor, Currency: a.Currency}, nil
}

// Sum adds amounts of one currency, with the errors of Add; the sum of none is zero.
func Sum(c Currency, amounts ...Amount) (Amount, error) {
	sum := Amount{Currency: c}
	for _, a := range amounts {
		var err error
		if sum, err = sum.Add(a); err != nil {
			return Amount{}, err
		}
	}
	return sum, nil
}

// Cmp is -1, 0 or 1 as a is less than, equal to or more than b; two currencies are an internal error.
func (a Amount) Cmp(b Amount) (int, error) {
	if err := a.sameCurrency(b); err != nil {
		return 0, err
	}
	return cmp.Compare(a.Minor, b.Minor), nil
}

// Sign is -1, 0 or 1.
func (a Amount) Sign() int { return cmp.Compare(a.Minor, 0) }

// IsZero reports whether it is nothing, in whatever currency.
func (a Amount) IsZero() bool { return a.Minor == 0 }

// Decimal is the amount in major units, exactly.
func (a Amount) Decimal() decimal.Decimal {
	return decimal.New(a.Minor, -int32(a.Currency.Digits()))
}

// String is the plain decimal without the code, always with all decimals of the currency: "12.30", "-0.05", "1200".
// ParseAmount reads it back.
func (a Amount) String() string {
	whole, fraction := a.figures()
	if fraction != "" {
		whole += "." + fraction
	}
	if a.Minor < 0 {
		whole = "-" + whole
	}
	return whole
}

// figures gives the digits of the magnitude before and after the point.
func (a Amount) figures() (whole, fraction string) {
	magnitude := uint64(a.Minor)
	if a.Minor < 0 {
		magnitude = -magnitude // unsigned, so that the smallest int64 comes out right too
	}
	s, digits := strconv.FormatUint(magnitude, 10), a.Currency.Digits()
	for len(s) <= digits {
		s = "0" + s
	}
	return s[:len(s)-digits], s[len(s)-digits:]
}

func (a Amount) sameCurrency(b Amount) error {
	if a.Currency != b.Currency {
		return fmt.Errorf("money: %q and %q in one sum", a.Currency, b.Currency)
	}
	return nil
}

// FromDecimal rounds d, in major units, to the currency's minor units: half up on the magnitude, so that 0.005 is 0.01
// and -0.005 is -0.01. A result beyond Max is ErrTooLarge, found from the number of digits before any is worked out,
// so that no exponent makes it slow.
func FromDecimal(d decimal.Decimal, c Currency) (Amount, error) {
	if c.IsZero() {
		return Amount{}, errNoCurrency
	}
	if d.IsZero() {
		return Amount{Currency: c}, nil
	}
	// 10^(magnitude-1) <= |d| < 10^magnitude
	magnitude := d.NumDigits() + int(d.Exponent())
	if magnitude > integerDigits(c) {
		return Amount{}, tooLarge(c)
	}
	if magnitude < -c.Digits() {
		return Amount{Currency: c}, nil // less than a tenth of a minor unit
	}
	rounded := Amount{Minor: d.Shift(int32(c.Digits())).Round(0).IntPart(), Currency: c}
	if err := rounded.CheckSize(); err != nil { // 999.995 may round up to one digit more
		return Amount{}, err
	}
	return rounded, nil
}

func pow10(n int) int64 {
	p := int64(1)
	for range n {
		p *= 10
	}
	return p
}
