package ledger

import (
	"context"
	"fmt"
	"slices"
	"time"
	_ "time/tzdata" // a machine without zone files keeps the same dates

	"github.com/countinghouse/countinghouse/billing/money"
	"github.com/countinghouse/countinghouse/internal/civil"
	"github.com/countinghouse/countinghouse/internal/fault"
	"github.com/countinghouse/countinghouse/tenant"
)

// What is refused about closing the books.
var (
	ErrCloseInFuture = fault.New(fault.Invalid, "books.close_in_future", "The books can be closed through today at most. Choose an earlier day.").At("through")
	ErrCloseEarlier  = fault.New(fault.Conflict, "books.close_earlier", "The books are closed on that day already. Choose a later one, or reopen them first.").At("through")
	ErrReopenLater   = fault.New(fault.Conflict, "books.reopen_later", "The books are open after that day already. Choose a day before the one that they are closed through.").At("through")
	ErrNothingClosed = fault.New(fault.Conflict, "books.not_closed", "The books are not closed, so there is nothing to reopen.").At("through")
)

// closingLines is how many lines of accounts an entry that closes a year has; those of the result come beside.
const closingLines = 400

// CloseThrough closes the books through a day: from then on nothing is posted on it or before it. A posting that is
// under way is waited for. An earlier day, or none, opens again what lies after it, and takes back the entries that closed
// a year there.
func CloseThrough(ctx context.Context, tx *tenant.Tx, through civil.Date) error {
	if err := updateClosedThrough(ctx, tx, through); err != nil {
		return err
	}
	if err := reverseClosings(ctx, tx, through); err != nil {
		return err
	}
	detail := "through " + through.String()
	if through.IsZero() {
		detail = "opened from the beginning"
	}
	return tx.Record(ctx, tenant.Act{Action: "books.close", Object: "settings", Detail: detail})
}

// CloseBooks closes the books through a day that lies after the one that they are closed through, and not after today.
// With yearEnd what every account of income and expense came to by then is moved to the result brought forward on that
// day, so that the next year begins with nothing on them. It fails with civil.ErrDate, ErrCloseInFuture,
// ErrCloseEarlier, and with ErrAccountArchived.
func CloseBooks(ctx context.Context, tx *tenant.Tx, through civil.Date, yearEnd bool) error {
	if through.IsZero() {
		return civil.ErrDate.At("through")
	}
	today, err := Today(ctx, tx)
	if err != nil {
		return err
	}
	if through.After(today) {
		return ErrCloseInFuture
	}
	closed, err := lockPeriod(ctx, tx)
	if err != nil {
		return err
	}
	if !closed.IsZero() && !through.After(closed) {
		return ErrCloseEarlier
	}
	if yearEnd {
		if err := postClosings(ctx, tx, through); err != nil {
			return err
		}
	}
	return CloseThrough(ctx, tx, through)
}

// ReopenBooks opens the days after a day, or without one all. Entries that closed a year there are taken back. It fails
// with ErrNothingClosed and ErrReopenLater.
func ReopenBooks(ctx context.Context, tx *tenant.Tx, through civil.Date) error {
	closed, err := lockPeriod(ctx, tx)
	switch {
	case err != nil:
		return err
	case closed.IsZero():
		return ErrNothingClosed
	case !through.Before(closed):
		return ErrReopenLater
	}
	return CloseThrough(ctx, tx, through)
}

// Closings are the entries that closed years, the newest day first, without their lines; those that were taken back have
// ReversedBy.
func Closings(ctx context.Context, tx *tenant.Tx) ([]Entry, error) { return selectClosings(ctx, tx) }

func postClosings(ctx context.Context, tx *tenant.Tx, through civil.Date) error {
	results, err := selectResults(ctx, tx, through)
	if err != nil || len(results) == 0 {
		return err
	}
	retained, err := OpenAccountFor(ctx, tx, Retained, KindEquity, 3200, "Result brought forward")
	if err != nil {
		return err
	}
	for part := range slices.Chunk(results, closingLines) {
		p := Posting{Date: through, Description: "Year-end closing through " + through.String(), Source: SourceClosing}
		if p.Lines, err = closingOf(part, retained.ID); err != nil {
			return err
		}
		if _, err := Post(ctx, tx, p); err != nil {
			return err
		}
	}
	return nil
}

// closingOf empties accounts of income and expense into the account of the result, in each currency.
func closingOf(results []Line, retained AccountID) ([]Line, error) {
	var lines []Line
	var sums []money.Amount
	for _, l := range results {
		emptied, err := l.Amount.Neg()
		if err != nil {
			return nil, err
		}
		lines = append(lines, Line{Account: l.Account, Amount: emptied})
		i := slices.IndexFunc(sums, func(s money.Amount) bool { return s.Currency == l.Amount.Currency })
		if i < 0 {
			sums, i = append(sums, money.Amount{Currency: l.Amount.Currency}), len(sums)
		}
		if sums[i], err = sums[i].Add(l.Amount); err != nil {
			return nil, err
		}
	}
	for _, s := range sums {
		if !s.IsZero() {
			lines = append(lines, Line{Account: retained, Amount: s})
		}
	}
	return lines, nil
}

// reverseClosings takes back what closed years after a day.
func reverseClosings(ctx context.Context, tx *tenant.Tx, through civil.Date) error {
	closings, err := selectClosings(ctx, tx)
	if err != nil {
		return err
	}
	for _, c := range closings {
		if !c.Date.After(through) || !c.ReversedBy.IsZero() {
			continue
		}
		e, err := selectEntry(ctx, tx, c.ID)
		if err != nil {
			return err
		}
		p := Posting{Date: e.Date, Description: "Reopening of " + e.Name(), Source: SourceClosing, reverses: e.ID}
		if p.Lines, err = opposite(e.Lines); err != nil {
			return err
		}
		if _, err := Post(ctx, tx, p); err != nil {
			return err
		}
	}
	return nil
}

// Today is the organization's date at the moment of the transaction.
func Today(ctx context.Context, tx *tenant.Tx) (civil.Date, error) {
	name, err := selectTimeZone(ctx, tx)
	if err != nil {
		return civil.Date{}, err
	}
	zone, err := time.LoadLocation(name)
	if err != nil {
		return civil.Date{}, fmt.Errorf("stored time zone: %w", err)
	}
	return civil.Of(tx.Now(), zone), nil
}
