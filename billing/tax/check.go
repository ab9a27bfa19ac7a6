package tax

import (
	"fmt"

	"github.com/shopspring/decimal"

	"github.com/countinghouse/countinghouse/billing/money"
	"github.com/countinghouse/countinghouse/internal/fault"
	"github.com/countinghouse/countinghouse/internal/id"
)

var hundred = decimal.New(100, 0)

// check finds all that is wrong with terms and lines, each fault at its field ("lines[2].quantity", counted from 0) and
// in words that count lines from 1, as a reader does.
func check(terms Terms, lines []Line) error {
	if len(lines) > MaxLines {
		return ErrTooManyLines.At("lines")
	}
	var faults fault.List
	if err := checkPercent(terms.DiscountPercent, ErrDiscountOutOfRange); !faults.Add("discount_percent", err) {
		return err
	}
	if terms.Discount.Minor < 0 {
		faults = append(faults, ErrDiscountOutOfRange.At("discount").Sayf("A discount is not less than nothing."))
	}
	if !terms.DiscountPercent.IsZero() && !terms.Discount.IsZero() {
		faults = append(faults, ErrDiscountTwice.At("discount"))
	}
	for i, line := range lines {
		field := fmt.Sprintf("lines[%d]", i)
		for _, check := range []struct {
			field string
			err   error
		}{
			{"quantity", checkQuantity(line.Quantity, i+1)},
			{"unit_price", checkPrice(line.UnitPrice, i+1)},
			{"discount_percent", checkPercent(line.DiscountPercent, ErrDiscountOutOfRange)},
			{"", checkRates(line.Rates)},
		} {
			at := field
			if check.field != "" {
				at += "." + check.field
			}
			if !faults.Add(at, check.err) {
				return check.err
			}
		}
	}
	return faults.Err()
}

func checkQuantity(quantity decimal.Decimal, number int) error {
	switch quantity.Sign() {
	case -1:
		return ErrQuantityNegative.Sayf("Line %d has a negative quantity. To take something back, issue a credit note.",
			number)
	case 0:
		return ErrQuantityZero.Sayf("Line %d needs a quantity.", number)
	}
	return money.CheckDecimal(quantity, money.QuantityIntDigits, money.QuantityFracDigits)
}

func checkPrice(price decimal.Decimal, number int) error {
	if price.Sign() < 0 {
		return ErrPriceNegative.Sayf("Line %d has a negative price. Give a discount instead, or issue a credit note.",
			number)
	}
	return money.CheckDecimal(price, money.PriceIntDigits, money.PriceFracDigits)
}

func checkPercent(percent decimal.Decimal, outOfRange *fault.Error) error {
	if percent.Sign() < 0 {
		return outOfRange
	}
	// Comparing would write out all the zeros of 1e999999999, so its size is looked at first.
	if percent.Sign() > 0 && percent.NumDigits()+int(percent.Exponent()) > money.PercentIntDigits {
		return outOfRange
	}
	if err := money.CheckDecimal(percent, money.PercentIntDigits, money.PercentFracDigits); err != nil {
		return err
	}
	if percent.GreaterThan(hundred) {
		return outOfRange
	}
	return nil
}

func checkRates(rates []Rate) error {
	if len(rates) > MaxRates {
		return ErrTooManyRates.At("taxes")
	}
	type identity struct {
		id   id.Of[Rate]
		code string
	}
	var faults fault.List
	seen := make(map[identity]bool, len(rates))
	for i, rate := range rates {
		field := fmt.Sprintf("taxes[%d]", i)
		if err := checkPercent(rate.Percent, ErrPercentOutOfRange); !faults.Add(field, err) {
			return err
		}
		who := identity{id: rate.ID}
		if rate.ID.IsZero() {
			who.code = rate.Code
		}
		if seen[who] {
			faults = append(faults, ErrRateTwice.At(field))
		}
		seen[who] = true
	}
	return faults.Err()
}
