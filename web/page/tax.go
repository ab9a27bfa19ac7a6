package page

import (
	"strconv"

	"github.com/countinghouse/countinghouse/billing/tax"
)

// Taxes is the data of "taxes".
type Taxes struct {
	Shell
	Rates    []TaxRate
	Archived bool
	Tabs     Tabs
}

// TaxRate is a rate with the name of the account where it is owed.
type TaxRate struct {
	tax.OwnRate
	Owed string
}

// IsGroup says whether it is a group of rates.
func (r TaxRate) IsGroup() bool { return r.Kind == tax.Group }

// TaxForm is the data of "tax-edit". Its form sends code, name, kind, percent, since, compound, account_id, reason,
// registration, and version.
type TaxForm struct {
	Shell
	Form               Form
	Action, Back, Does string
	Name               string
	Kind               tax.Kind // of a rate that is there; none on a new one
	Percents           []TaxPercent
	First              string // the percent before those
	Archived           bool
	Accounts           []Option
	Inputs             []Option // where what bills charge of it can be owed back
	Kinds              []Option
	Acts               []Act
}

// TaxPercent is a percent and the day that it holds from, with the buttons to take it back.
type TaxPercent struct {
	tax.DatedPercent
	Acts []Act
}

// Standard says whether the rate has a percent.
func (f TaxForm) Standard() bool { return f.Kind == "" || f.Kind == tax.Standard }

// TaxGroupForm is the data of "tax-group-edit". Its form sends code, name, rates[0] and so on, and version.
type TaxGroupForm struct {
	Shell
	Form               Form
	Action, Back, Does string
	Name               string
	Archived           bool
	Rates              []Option
	Places             []int // of the rates to choose
	Acts               []Act
}

// RateField is the name of the field of the rate at a place.
func (f TaxGroupForm) RateField(place int) string { return "rates[" + strconv.Itoa(place) + "]" }

// RateLabel is what the rate at a place is called.
func (f TaxGroupForm) RateLabel(place int) string { return "Rate " + strconv.Itoa(place+1) }

// ReadyTaxes is the data of "taxes-ready".
type ReadyTaxes struct {
	Shell
	Form  Form // with what an addition was refused for
	Lists []ReadyTaxList
}

// ReadyTaxList is one list of taxes to add from.
type ReadyTaxList struct {
	tax.ReadyList
	Rows []ReadyTax
}

// ReadyTax is one entry of a list.
type ReadyTax struct {
	tax.Ready
	Act  Act
	Have bool // all of it is there already
}

// kindOfTax writes what a rate is.
func kindOfTax(kind tax.Kind) string {
	switch kind {
	case tax.Zero:
		return "Zero rate"
	case tax.Exempt:
		return "Exempt"
	case tax.ReverseCharge:
		return "Reverse charge"
	case tax.Group:
		return "Group"
	}
	return "Standard"
}

// TaxKinds are what a new rate can be.
func TaxKinds() []Option {
	var options []Option
	for _, kind := range []tax.Kind{tax.Standard, tax.Zero, tax.Exempt, tax.ReverseCharge} {
		options = append(options, Option{Value: string(kind), Label: kindOfTax(kind)})
	}
	return options
}
