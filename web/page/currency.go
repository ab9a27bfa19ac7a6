package page

import (
	"github.com/countinghouse/countinghouse/billing/currency"
	"github.com/countinghouse/countinghouse/billing/money"
	"github.com/countinghouse/countinghouse/internal/civil"
)

// CurrencyRates is the data of "currencies": the rates, and the forms to add some.
type CurrencyRates struct {
	Shell
	Base     money.Currency
	Rates    []currency.Rate
	Chosen   string // the currency that the list is narrowed to
	More     bool   // there are older rates than the list shows
	Form     Form   // sends unit, currency, date, rate
	Import   Form   // sends csv, since
	Revalued string // where revaluations are
}

// RateSource writes where a rate comes from.
func (CurrencyRates) RateSource(r currency.Rate) string {
	if r.Source == currency.SourceECB {
		return "European Central Bank"
	}
	return "By hand"
}

// Revaluation is the data of "revaluation". Its form sends date.
type Revaluation struct {
	Shell
	Form      Form
	Valuation currency.Valuation
	Day       civil.Date
	Done      []currency.Revaluation
	Stands    bool // the day was revalued already
	MayPost   bool
}

// Changes says whether anything has gained or lost.
func (r Revaluation) Changes() bool {
	for _, p := range r.Valuation.Positions {
		if !p.Gain.IsZero() {
			return true
		}
	}
	return false
}
