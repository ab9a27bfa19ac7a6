// Package tax is the one calculator: it works out a document's lines, their taxes and its totals.
//
// There is one, because page, PDF, API and ledger must show the same cents: they show what this stored and never
// work it out again. All that it returns is in whole minor units and adds up exactly; rates, quantities and prices
// stay decimals until the one place where each figure is rounded.
package tax

import (
	"fmt"

	"github.com/shopspring/decimal"

	"github.com/countinghouse/countinghouse/billing/money"
	"github.com/countinghouse/countinghouse/internal/fault"
	"github.com/countinghouse/countinghouse/internal/id"
)

// What one document and one line may hold.
const (
	MaxLines = 500
	MaxRates = 8
)

// What Calculate refuses, besides money's amount.too_large and number.* faults.
var (
	ErrQuantityNegative = fault.New(fault.Invalid, "quantity.negative",
		"A quantity is more than nothing. To take something back, issue a credit note.")
	ErrQuantityZero = fault.New(fault.Invalid, "quantity.zero",
		"A line needs a quantity.")
	ErrPriceNegative = fault.New(fault.Invalid, "price.negative",
		"A price is not less than nothing. Give a discount instead, or issue a credit note.")
	ErrDiscountOutOfRange = fault.New(fault.Invalid, "discount.out_of_range",
		"A discount is between 0 and 100 percent.")
	ErrPercentOutOfRange = fault.New(fault.Invalid, "tax.percent_out_of_range",
		"A tax rate is between 0 and 100 percent.")
	ErrTooManyRates = fault.New(fault.Invalid, "tax.too_many_rates",
		"A line has at most 8 taxes.")
	ErrRateTwice = fault.New(fault.Invalid, "tax.rate_twice",
		"A line has each tax once.")
	ErrTooManyLines = fault.New(fault.Invalid, "document.too_many_lines",
		"A document has at most 500 lines.")
	ErrDiscountTooLarge = fault.New(fault.Invalid, "discount.too_large",
		"A discount on the whole is at most what the lines come to.")
	ErrDiscountTwice = fault.New(fault.Invalid, "discount.twice",
		"Give the discount on the whole in percent or as an amount, not both.")
	ErrTooSmallForTaxes = fault.New(fault.Invalid, "tax.too_small",
		"This price is smaller than the taxes in it, once they are rounded. Give prices without tax.")
)

// Policy is where taxes are rounded, always half up. Its text form is what an organization's settings store.
type Policy uint8

// The policies. RoundPerLine, the zero value, rounds each tax on each line. RoundPerDocument rounds each tax once,
// on the document's sum for its rate (as EN 16931 rule BR-CO-17 asks), and shares that out over the lines.
const (
	RoundPerLine Policy = iota
	RoundPerDocument
)

var policyNames = [...]string{RoundPerLine: "line", RoundPerDocument: "document"}

// ParsePolicy reads a policy's text form, "line" or "document"; ok is false otherwise.
func ParsePolicy(s string) (_ Policy, ok bool) {
	for p, name := range policyNames {
		if s == name {
			return Policy(p), true
		}
	}
	return RoundPerLine, false
}

// String is the text form.
func (p Policy) String() string {
	if int(p) < len(policyNames) {
		return policyNames[p]
	}
	return fmt.Sprintf("policy %d", uint8(p))
}

// Terms are what holds for a whole document.
type Terms struct {
	Currency money.Currency
	Rounding Policy
	// Inclusive says that unit prices have their taxes in them: a line comes to exactly its price, and its net is what
	// is left when each tax was taken out of it and rounded.
	Inclusive bool
	// A discount on the whole, after the lines' own: one of the two, or none. It is taken off before taxes are worked
	// out, shared out over the lines in proportion; of prices with tax it is a part with tax.
	DiscountPercent decimal.Decimal // 0 to 100, at most 6 decimals
	Discount        money.Amount    // in the document's currency
}

// Kind says what a rate is. A rate that is not standard comes to nothing, and its Reason says why.
type Kind string

// The kinds. A group is no rate of its own: its code stands for several rates in their order.
const (
	Standard      Kind = "standard"
	Zero          Kind = "zero"
	Exempt        Kind = "exempt"
	ReverseCharge Kind = "reverse_charge" // the customer owes the tax
	Group         Kind = "group"
)

// Rate is one tax as it stands on a line.
type Rate struct {
	ID           id.Of[Rate]
	Code         string
	Name         string
	Percent      decimal.Decimal // 9.975 means 9.975 %; at most 6 decimals
	Compound     bool            // applies to the net and the taxes before it on the line, instead of the net alone
	Kind         Kind            // none is Standard
	Reason       string          // as it is printed: why no tax is due
	Registration string          // as it is printed: the organization's number for this tax
}

// Line is one line as written: what is multiplied, taken off and taxed. Its rates apply in their order.
type Line struct {
	Quantity        decimal.Decimal // more than 0; 12 digits before the point and 6 after
	UnitPrice       decimal.Decimal // in major units, 0 or more; 12 digits before the point and 6 after
	DiscountPercent decimal.Decimal // 0 to 100, at most 6 decimals
	Rates           []Rate
}

// LineTax is one tax of one line. Base is the line's net, and for a compound rate the amounts of the taxes before it too.
type LineTax struct {
	Rate   Rate
	Base   money.Amount
	Amount money.Amount
}

// LineResult is one line worked out. Without taxes in the price, Net = Gross - Discount - Share; with them, Total is.
// Tax is the sum of Taxes; Total = Net + Tax.
type LineResult struct {
	Gross    money.Amount // quantity times price, rounded
	Discount money.Amount // the line's own: what Gross has above quantity times price less the discount, rounded once
	Share    money.Amount // the line's part of the discount on the whole
	Net      money.Amount
	Taxes    []LineTax // in the order of the line's rates
	Tax      money.Amount
	Total    money.Amount
}

// RateTotal is what one rate comes to on the whole document: the sums of its bases and amounts on the lines.
type RateTotal struct {
	Rate   Rate
	Base   money.Amount
	Amount money.Amount
}

// Result is a document worked out. Net and Tax are the sums of the lines' and of the rates' alike; Total = Net + Tax.
type Result struct {
	Currency money.Currency
	Lines    []LineResult
	Rates    []RateTotal  // in the order in which the lines first name them
	Discount money.Amount // on the whole: the sum of the lines' shares
	Net      money.Amount
	Tax      money.Amount
	Total    money.Amount
}
