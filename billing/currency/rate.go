package currency

import (
	"context"
	"fmt"

	"github.com/shopspring/decimal"

	"github.com/countinghouse/countinghouse/billing/money"
	"github.com/countinghouse/countinghouse/internal/civil"
	"github.com/countinghouse/countinghouse/internal/fault"
	"github.com/countinghouse/countinghouse/tenant"
)

// What is refused about exchange rates.
var (
	ErrRateNotPositive = fault.New(fault.Invalid, "exchange_rate.not_positive", "A rate is more than nothing.").At("rate")
	ErrSameCurrency    = fault.New(fault.Invalid, "exchange_rate.same_currency", "A rate is between two currencies. Choose another.").At("currency")
	ErrRateNotFound    = fault.New(fault.NotFound, "exchange_rate.not_found", "There is no such exchange rate.")
	ErrNoRate          = fault.New(fault.Conflict, "exchange_rate.none", "No exchange rate is known for that day. Enter or import one.")
)

// The digits of a rate.
const (
	RateIntDigits  = 12
	RateFracDigits = 12
)

// MaxAgeDays is for how long a rate holds: over weekends and holidays, until there is a newer one.
const MaxAgeDays = 10

// Where rates come from.
const (
	SourceManual = "manual" // entered by hand or by a program
	SourceECB    = "ecb"    // a file of the European Central Bank
)

var euro = money.MustCurrency("EUR")

// Rate is what one Unit was worth in Currency on a day.
type Rate struct {
	Unit     money.Currency  `db:"unit"`
	Currency money.Currency  `db:"currency"`
	Date     civil.Date      `db:"date"`
	Rate     decimal.Decimal `db:"rate"`
	Source   string          `db:"source"`
}

func (r Rate) check() error {
	var faults fault.List
	if r.Unit.IsZero() {
		faults = append(faults, money.ErrUnknownCurrency.At("unit"))
	}
	if r.Currency.IsZero() {
		faults = append(faults, money.ErrUnknownCurrency.At("currency"))
	}
	if r.Unit == r.Currency && !r.Unit.IsZero() {
		faults = append(faults, ErrSameCurrency)
	}
	if r.Date.IsZero() {
		faults = append(faults, civil.ErrDate.At("date"))
	}
	if r.Rate.Sign() <= 0 {
		faults = append(faults, ErrRateNotPositive)
	} else if err := money.CheckDecimal(r.Rate, RateIntDigits, RateFracDigits); !faults.Add("rate", err) {
		return err
	}
	return faults.Err()
}

// SetRate keeps a rate in the place of one of the same day. What was issued and paid keeps the rate that it has; what was
// issued without one gets it. It fails with all that is wrong with the rate.
func SetRate(ctx context.Context, tx *tenant.Tx, r Rate) (Rate, error) {
	r.Source = SourceManual
	if err := r.check(); err != nil {
		return Rate{}, err
	}
	if err := upsertRates(ctx, tx, []Rate{r}); err != nil {
		return Rate{}, err
	}
	if err := keepLate(ctx, tx); err != nil {
		return Rate{}, err
	}
	return r, tx.Record(ctx, tenant.Act{Action: "exchange_rate.set", Object: "exchange_rate",
		Detail: fmt.Sprintf("1 %s = %s %s on %s", r.Unit, r.Rate, r.Currency, r.Date)})
}

// DropRate takes a rate back. It fails with ErrRateNotFound.
func DropRate(ctx context.Context, tx *tenant.Tx, unit, currency money.Currency, date civil.Date) error {
	if err := deleteRate(ctx, tx, unit, currency, date); err != nil {
		return err
	}
	return tx.Record(ctx, tenant.Act{Action: "exchange_rate.drop", Object: "exchange_rate", Detail: fmt.Sprintf("%s in %s on %s", unit, currency, date)})
}

// Filter narrows a list of rates. What is zero does not.
type Filter struct {
	Currency money.Currency // on either side
	Until    civil.Date
}

// ListLimit is how many rates Rates gives at most.
const ListLimit = 300

// Rates gives rates, the newest first, at most ListLimit.
func Rates(ctx context.Context, tx *tenant.Tx, filter Filter) ([]Rate, error) {
	return selectRates(ctx, tx, filter)
}

// Quote is what one currency is worth in another on a day, and the kept rates that it rests on: one, or two through the euro.
type Quote struct {
	Rate  decimal.Decimal // one From is Rate To, at most 12 decimals
	Parts []Rate
}

// QuoteOn gives what one from is worth in to, by the newest rate of the day or of the 10 days before it: a rate of the two
// in either direction, or, if that is newer, one of each through the euro. It fails with ErrNoRate.
func QuoteOn(ctx context.Context, tx *tenant.Tx, from, to money.Currency, day civil.Date) (Quote, error) {
	rates, err := selectRatesOf(ctx, tx, []money.Currency{from, to}, day, day)
	if err != nil {
		return Quote{}, err
	}
	return rates.quote(from, to, day)
}

// rates are kept rates, the newest first.
type rates []Rate

func (all rates) quote(from, to money.Currency, day civil.Date) (Quote, error) {
	if from == to {
		return Quote{Rate: decimal.New(1, 0)}, nil
	}
	direct, age, found := all.leg(from, to, day)
	first, firstAge, one := all.leg(from, euro, day)
	second, secondAge, two := all.leg(euro, to, day)
	switch {
	case found && (!one || !two || age <= max(firstAge, secondAge)):
		return Quote{worth(direct, from).Round(RateFracDigits), []Rate{direct}}, nil
	case one && two:
		return Quote{worth(first, from).Mul(worth(second, euro)).Round(RateFracDigits), []Rate{first, second}}, nil
	}
	return Quote{}, noRate(from, to, day)
}

func noRate(from, to money.Currency, day civil.Date) error {
	return ErrNoRate.Sayf("No exchange rate of %s in %s is known for %s or the %d days before. Enter or import one.", from, to, day, MaxAgeDays)
}

// leg finds the newest rate of two currencies, in either direction, and says how many days old it is on a day. Of two of
// the same day the one that was entered by hand counts.
func (all rates) leg(a, b money.Currency, day civil.Date) (best Rate, age int, found bool) {
	if a == b {
		return Rate{}, 0, false
	}
	for _, r := range all {
		old := r.Date.DaysUntil(day)
		if old < 0 || old > MaxAgeDays || (r.Unit != a || r.Currency != b) && (r.Unit != b || r.Currency != a) {
			continue
		}
		if !found || old < age || old == age && r.Source == SourceManual && best.Source != SourceManual {
			best, age, found = r, old, true
		}
	}
	return best, age, found
}

// worth is what one unit of from is in the rate's other currency. A division keeps enough digits for any amount.
func worth(r Rate, from money.Currency) decimal.Decimal {
	if r.Unit == from {
		return r.Rate
	}
	return decimal.New(1, 0).DivRound(r.Rate, 2*RateFracDigits)
}

// Convert gives an amount at a rate, rounded half up.
func Convert(a money.Amount, rate decimal.Decimal, to money.Currency) (money.Amount, error) {
	return money.FromDecimal(a.Decimal().Mul(rate), to)
}

// Base is the organization's base currency.
func Base(ctx context.Context, tx *tenant.Tx) (money.Currency, error) { return selectBase(ctx, tx) }
