package report_test

import (
	"context"
	"testing"

	"pgregory.net/rapid"

	"github.com/countinghouse/countinghouse/billing/ledger"
	"github.com/countinghouse/countinghouse/billing/money"
	"github.com/countinghouse/countinghouse/billing/report"
	"github.com/countinghouse/countinghouse/internal/civil"
	"github.com/countinghouse/countinghouse/tenant"
)

// Whatever is posted and undone, on whatever days: for any period the trial balance comes to nothing, every account
// has there what was posted to it, the general ledger says the same line by line, and the next period opens with what
// the last closed with. The books go on from one run to the next, as books do.
func TestReportsAgreeWhateverIsPosted(t *testing.T) {
	t.Parallel()
	b := openBooks(t)
	var kept []ledger.Entry
	undone := map[ledger.EntryID]bool{}
	rapid.Check(t, func(r *rapid.T) {
		for range rapid.IntRange(1, 6).Draw(r, "steps") {
			if e, ok := step(r, b, kept, undone); ok {
				kept = append(kept, e)
			}
		}
		period := report.Period{From: drawDay(r, "from")}
		period.To = period.From.AddDays(rapid.IntRange(0, 20).Draw(r, "days"))
		checkReports(r, b, kept, period)
		checkReports(r, b, kept, report.Period{})
	})
}

func drawDay(r *rapid.T, name string) civil.Date {
	return march(1).AddDays(rapid.IntRange(0, 30).Draw(r, name))
}

// step posts an entry, or undoes one.
func step(r *rapid.T, b books, kept []ledger.Entry, undone map[ledger.EntryID]bool) (e ledger.Entry, ok bool) {
	var reverse ledger.Entry
	if len(kept) > 0 && rapid.Bool().Draw(r, "undo") {
		reverse = rapid.SampledFrom(kept).Draw(r, "entry")
		if undone[reverse.ID] || reverse.Source == ledger.SourceReversal {
			return e, false
		}
	}
	err := b.try(func(ctx context.Context, tx *tenant.Tx) (err error) {
		if !reverse.ID.IsZero() {
			e, err = ledger.Reverse(ctx, tx, reverse.ID, reverse.Date.AddDays(rapid.IntRange(0, 9).Draw(r, "later")), "")
			return err
		}
		e, err = ledger.Post(ctx, tx, ledger.Posting{Date: drawDay(r, "day"), Description: "any", Lines: drawLines(r, b)})
		return err
	})
	if err != nil {
		r.Fatal(err)
	}
	undone[reverse.ID] = true
	return e, true
}

func drawLines(r *rapid.T, b books) (lines []ledger.Line) {
	codes := []string{"1010", "1100", "2200", "4000", "5000"}
	for _, currency := range []string{"EUR", "JPY"} {
		var sum int64
		for range rapid.IntRange(1, 3).Draw(r, "lines") {
			minor := rapid.Int64Range(1, 1e6).Draw(r, "minor")
			if rapid.Bool().Draw(r, "credit") {
				minor = -minor
			}
			sum += minor
			lines = append(lines, b.line(rapid.SampledFrom(codes).Draw(r, "account"), amount(currency, minor)))
		}
		if sum != 0 {
			lines = append(lines, b.line("3000", amount(currency, -sum)))
		}
	}
	return lines
}

// place is an account in one currency.
type place struct {
	account  ledger.AccountID
	currency money.Currency
}

// figures of an account, worked out here from the entries.
type expected struct{ opening, debit, credit int64 }

func expect(kept []ledger.Entry, p report.Period) map[place]expected {
	sums := map[place]expected{}
	for _, e := range kept {
		if !p.To.IsZero() && e.Date.After(p.To) {
			continue
		}
		for _, l := range e.Lines {
			at := place{l.Account, l.Amount.Currency}
			sum := sums[at]
			if e.Date.Before(p.From) {
				sum.opening += l.Amount.Minor
			} else {
				sum.debit += l.Debit().Minor
				sum.credit += l.Credit().Minor
			}
			sums[at] = sum
		}
	}
	for at, sum := range sums {
		if sum == (expected{}) {
			delete(sums, at)
		}
	}
	return sums
}

func checkReports(r *rapid.T, b books, kept []ledger.Entry, p report.Period) {
	var trial report.TrialBalance
	var next []report.LedgerAccount
	last := map[place]money.Amount{} // the balance after the last line of each account
	err := b.try(func(ctx context.Context, tx *tenant.Tx) (err error) {
		if trial, err = report.TrialBalanceOf(ctx, tx, p); err != nil {
			return err
		}
		if !p.To.IsZero() {
			if next, err = report.GeneralLedger(ctx, tx, report.Period{From: p.To.AddDays(1)}, ledger.AccountID{}); err != nil {
				return err
			}
		}
		return report.EachLedgerLine(ctx, tx, p, func(a report.LedgerAccount, l report.LedgerLine) error {
			at := place{a.ID, a.Currency}
			before, ok := last[at]
			if !ok {
				before = a.Opening
			}
			if l.Balance.Minor != before.Minor+l.Amount.Minor || l.Date.Before(p.From) || !p.To.IsZero() && l.Date.After(p.To) {
				r.Errorf("%s of %s to %s follows on %s as %s", l.Amount, l.Date, a.Code, before, l.Balance)
			}
			last[at] = l.Balance
			return nil
		})
	})
	if err != nil {
		r.Fatal(err)
	}
	for _, t := range trial.Totals {
		if !t.Opening.IsZero() || !t.Closing.IsZero() || t.Debit != t.Credit || t.ClosingDebit != t.ClosingCredit {
			r.Errorf("in %s the books come to %+v", t.Currency, t)
		}
	}
	closing := map[place]int64{}
	want := expect(kept, p)
	for _, row := range trial.Rows {
		at := place{row.Account, row.Currency}
		if got := (expected{row.Opening.Minor, row.Debit.Minor, row.Credit.Minor}); got != want[at] {
			r.Errorf("%s %s came to %+v, and %+v was posted", row.Code, row.Currency, got, want[at])
		}
		if balance, ok := last[at]; row.Closing.Minor != row.Opening.Minor+row.Debit.Minor-row.Credit.Minor || ok && balance != row.Closing {
			r.Errorf("%s closes with %s, after a last line of %s", row.Code, row.Closing, balance)
		}
		closing[at] = row.Closing.Minor
	}
	if len(trial.Rows) != len(want) {
		r.Errorf("%d rows, and %d accounts were posted to", len(trial.Rows), len(want))
	}
	for _, a := range next {
		if opened := closing[place{a.ID, a.Currency}]; a.Opening.Minor != opened {
			r.Errorf("%s closes with %d and opens with %s", a.Code, opened, a.Opening)
		}
	}
}
