package currency

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/shopspring/decimal"

	"github.com/countinghouse/countinghouse/billing/ledger"
	"github.com/countinghouse/countinghouse/billing/money"
	"github.com/countinghouse/countinghouse/internal/civil"
	"github.com/countinghouse/countinghouse/internal/fault"
	"github.com/countinghouse/countinghouse/internal/id"
	"github.com/countinghouse/countinghouse/tenant"
)

// What is refused about a revaluation.
var (
	ErrNothingToRevalue = fault.New(fault.Conflict, "revaluation.nothing", "Nothing in a foreign currency has changed its worth by that day. There is nothing to post.")
	ErrMeanwhile        = fault.New(fault.Conflict, "revaluation.changed", "Someone else revalued this day at the same moment. Look at it again.")
	ErrInFuture         = fault.New(fault.Invalid, "revaluation.in_future", "A day's worth is known when it is over. Choose today or an earlier day.").At("date")
)

// Position is what there is of one foreign currency on one account at the end of a day. Carried is what it was worth in the
// base currency when it came: what customers owe at the rates of the documents, money at the rates of the days that
// moved it. Gain is Worth less Carried.
type Position struct {
	Account ledger.AccountID
	Code    string
	Name    string
	Balance money.Amount
	Rate    decimal.Decimal // one unit in the base currency, on the day
	Carried money.Amount
	Worth   money.Amount
	Gain    money.Amount
}

// Valuation is what a day's foreign currency is worth. Missing are the days without a rate, by currency (Unit) and
// day; while there are any the positions of these currencies are left out and nothing can be posted.
type Valuation struct {
	Date      civil.Date
	Base      money.Currency
	Positions []Position
	Gain      money.Amount
	Missing   []Rate
}

// RevaluationID names a revaluation.
type RevaluationID = id.Of[Revaluation]

// Revaluation is a valuation that was posted: the entry at the end of its day, and the one that takes it back on the next.
type Revaluation struct {
	ID          RevaluationID
	Date        civil.Date
	Entry       ledger.EntryID
	EntryNumber int64
	Back        ledger.EntryID
	BackNumber  int64
	Gain        money.Amount
	CreatedAt   time.Time
	Replaced    bool
}

// ValuationOn works out what foreign currency is worth at the end of a day, without keeping anything. It fails with
// civil.ErrDate and ErrInFuture.
func ValuationOn(ctx context.Context, tx *tenant.Tx, day civil.Date) (Valuation, error) {
	v := Valuation{Date: day}
	if day.IsZero() {
		return v, civil.ErrDate.At("date")
	}
	today, err := ledger.Today(ctx, tx)
	if err != nil {
		return v, err
	}
	if day.After(today) {
		return v, ErrInFuture
	}
	if v.Base, err = selectBase(ctx, tx); err != nil {
		return v, err
	}
	v.Gain.Currency = v.Base
	parts, err := selectParts(ctx, tx, day)
	if err != nil || len(parts) == 0 {
		return v, err
	}
	known, err := ratesFor(ctx, tx, parts, v.Base, day)
	if err != nil {
		return v, err
	}
	return v, v.fill(parts, known)
}

// ratesFor reads all rates that parts may need.
func ratesFor(ctx context.Context, tx *tenant.Tx, parts []part, base money.Currency, day civil.Date) (rates, error) {
	currencies, first := []money.Currency{base}, day
	for _, p := range parts {
		if !slices.Contains(currencies, p.Currency) {
			currencies = append(currencies, p.Currency)
		}
		if p.Rate == nil && p.Date.Before(first) {
			first = p.Date
		}
	}
	return selectRatesOf(ctx, tx, currencies, first, day)
}

// fill sums the parts, which come by account and currency, into positions.
func (v *Valuation) fill(parts []part, known rates) error {
	for len(parts) > 0 {
		n := 1
		for n < len(parts) && parts[n].Account == parts[0].Account && parts[n].Currency == parts[0].Currency {
			n++
		}
		p, ok, err := v.position(parts[:n], known)
		if err != nil {
			return err
		}
		if ok {
			v.Positions = append(v.Positions, p)
			if v.Gain, err = v.Gain.Add(p.Gain); err != nil {
				return err
			}
		}
		parts = parts[n:]
	}
	return nil
}

// position values the parts of one account and currency; ok is false where there is nothing, or a rate is missing.
func (v *Valuation) position(parts []part, known rates) (p Position, ok bool, err error) {
	none := money.Amount{Currency: v.Base}
	p = Position{Account: parts[0].Account, Code: parts[0].Code, Name: parts[0].Name, Carried: none, Balance: money.Amount{Currency: parts[0].Currency}}
	lacking := len(v.Missing)
	for _, one := range parts {
		p.Balance.Minor += one.Amount
		rate := one.Rate
		if rate == nil {
			quote, err := known.quote(one.Currency, v.Base, one.Date)
			if err != nil {
				v.lack(one.Currency, one.Date)
				continue
			}
			rate = &quote.Rate
		}
		worth, err := one.worth(*rate, v.Base)
		if err != nil {
			return p, false, err
		}
		if p.Carried, err = p.Carried.Add(worth); err != nil {
			return p, false, err
		}
	}
	p.Worth = none
	if !p.Balance.IsZero() {
		quote, err := known.quote(p.Balance.Currency, v.Base, v.Date)
		if err != nil {
			v.lack(p.Balance.Currency, v.Date)
		}
		p.Rate = quote.Rate
		if p.Worth, err = Convert(p.Balance, quote.Rate, v.Base); err != nil {
			return p, false, err
		}
	}
	p.Gain, err = p.Worth.Sub(p.Carried)
	return p, len(v.Missing) == lacking && !(p.Balance.IsZero() && p.Gain.IsZero()), err
}

func (v *Valuation) lack(c money.Currency, day civil.Date) {
	if !slices.ContainsFunc(v.Missing, func(r Rate) bool { return r.Unit == c && r.Date == day }) {
		v.Missing = append(v.Missing, Rate{Unit: c, Currency: v.Base, Date: day})
	}
}

// Revalue posts what a day's foreign currency has gained or lost, by account, at the end of the day, and takes it back on the
// next, so that what is gained in truth is told when it is paid. A revaluation of the same day is taken back first. It
// fails with civil.ErrDate, ErrInFuture, ErrNoRate, ErrNothingToRevalue, ErrMeanwhile, and ledger.ErrPeriodClosed.
func Revalue(ctx context.Context, tx *tenant.Tx, day civil.Date) (Revaluation, error) {
	v, err := ValuationOn(ctx, tx, day)
	if err != nil {
		return Revaluation{}, err
	}
	if len(v.Missing) > 0 {
		return Revaluation{}, noRate(v.Missing[0].Unit, v.Base, v.Missing[0].Date)
	}
	replaced, err := replace(ctx, tx, day)
	if err != nil {
		return Revaluation{}, err
	}
	lines, err := v.lines(ctx, tx)
	if err != nil {
		return Revaluation{}, err
	}
	if len(lines) == 0 {
		if replaced {
			return Revaluation{}, tx.Record(ctx, tenant.Act{Action: "currency.revalue", Object: "revaluation", Detail: fmt.Sprintf("%s, nothing left", day)})
		}
		return Revaluation{}, ErrNothingToRevalue
	}
	r, err := post(ctx, tx, v, lines)
	if err != nil {
		return Revaluation{}, err
	}
	return r, tx.Record(ctx, tenant.Act{Action: "currency.revalue", Object: "revaluation", ID: r.ID.UUID, Detail: fmt.Sprintf("%s, %s %s", day, r.Gain, v.Base)})
}

// lines are the adjustment of each position against the gain or loss of all; none where nothing changed.
func (v Valuation) lines(ctx context.Context, tx *tenant.Tx) ([]ledger.Line, error) {
	var lines []ledger.Line
	if !slices.ContainsFunc(v.Positions, func(p Position) bool { return !p.Gain.IsZero() }) {
		return nil, nil
	}
	a, err := openAccounts(ctx, tx, false)
	if err != nil {
		return nil, err
	}
	for _, p := range v.Positions {
		if !p.Gain.IsZero() {
			lines = append(lines, ledger.Line{Account: a.adjustment, Amount: p.Gain, Memo: fmt.Sprintf("%s %s, %s %s at %s", p.Code, p.Name, p.Balance, p.Balance.Currency, p.Rate)})
		}
	}
	if v.Gain.IsZero() {
		return lines, nil
	}
	against, err := v.Gain.Neg()
	return append(lines, ledger.Line{Account: a.gain, Amount: against}), err
}

func post(ctx context.Context, tx *tenant.Tx, v Valuation, lines []ledger.Line) (Revaluation, error) {
	r := Revaluation{ID: id.New[Revaluation](), Date: v.Date, Gain: v.Gain, CreatedAt: tx.Now()}
	entry, back, err := postPair(ctx, tx, r, v.Date, "Revaluation of foreign currency", lines)
	if err != nil {
		return r, err
	}
	r.Entry, r.EntryNumber, r.Back, r.BackNumber = entry.ID, entry.Number, back.ID, back.Number
	return r, insertRevaluation(ctx, tx, r)
}

// postPair posts lines at the end of a day and their opposites on the next.
func postPair(ctx context.Context, tx *tenant.Tx, r Revaluation, day civil.Date, say string, lines []ledger.Line) (entry, back ledger.Entry, err error) {
	opposites := slices.Clone(lines)
	for i := range opposites {
		if opposites[i].Amount, err = lines[i].Amount.Neg(); err != nil {
			return entry, back, err
		}
	}
	p := ledger.Posting{Date: day, Description: say, Source: ledger.SourceCurrency, SourceID: r.ID.UUID, Lines: lines}
	if entry, err = ledger.Post(ctx, tx, p); err != nil {
		return entry, back, err
	}
	p.Date, p.Lines, p.Description = day.AddDays(1), opposites, say+", taken back: "+entry.Name()
	back, err = ledger.Post(ctx, tx, p)
	return entry, back, err
}

// replace takes the revaluation of a day back, if there is one.
func replace(ctx context.Context, tx *tenant.Tx, day civil.Date) (bool, error) {
	old, found, err := lockRevaluation(ctx, tx, day)
	if err != nil || !found {
		return false, err
	}
	entry, err := ledger.EntryByID(ctx, tx, old.Entry)
	if err != nil {
		return false, err
	}
	lines := make([]ledger.Line, len(entry.Lines))
	for i, l := range entry.Lines {
		lines[i] = l.Line
		if lines[i].Amount, err = l.Amount.Neg(); err != nil {
			return false, err
		}
	}
	if _, _, err := postPair(ctx, tx, old, day, "Revaluation "+entry.Name()+" replaced", lines); err != nil {
		return false, err
	}
	return true, updateReplaced(ctx, tx, old.ID)
}

// Revaluations gives all that were posted, the newest day first.
func Revaluations(ctx context.Context, tx *tenant.Tx) ([]Revaluation, error) {
	return selectRevaluations(ctx, tx)
}
