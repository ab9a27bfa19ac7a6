package export

import (
	"context"
	"fmt"

	"github.com/countinghouse/countinghouse/billing/ledger"
	"github.com/countinghouse/countinghouse/billing/money"
	"github.com/countinghouse/countinghouse/internal/civil"
	"github.com/countinghouse/countinghouse/tenant"
)

// lineRow is a line of the journal with its entry.
type lineRow struct {
	Number      int64            `db:"number"`
	Date        civil.Date       `db:"date"`
	Description string           `db:"description"`
	Line        int              `db:"line"`
	Account     ledger.AccountID `db:"account_id"`
	Currency    money.Currency   `db:"currency"`
	Amount      int64            `db:"amount"`
	Memo        string           `db:"memo"`
}

func (l lineRow) amount() money.Amount { return money.Amount{Minor: l.Amount, Currency: l.Currency} }

// LastEntry is the newest entry's number. Entries up to it are all there, since numbers have no gaps, and what is posted
// while we write is left out, so that declarations and entries tell of the same books.
func LastEntry(ctx context.Context, tx *tenant.Tx) (n int64, err error) {
	if err := tx.Get(ctx, &n, `SELECT coalesce(max(number), 0) FROM journal_entry`); err != nil {
		return 0, fmt.Errorf("looking for the last entry: %w", err)
	}
	return n, nil
}

// firstDay is the day of the first entry; without one, 1 January 1970.
func firstDay(ctx context.Context, tx *tenant.Tx, last int64) (day civil.Date, err error) {
	err = tx.Get(ctx, &day, `SELECT coalesce(min(date), '1970-01-01') FROM journal_entry WHERE number <= $1`, last)
	if err != nil {
		return day, fmt.Errorf("looking for the first day: %w", err)
	}
	return day, nil
}

func listCurrencies(ctx context.Context, tx *tenant.Tx, last int64) (currencies []money.Currency, err error) {
	err = tx.Select(ctx, &currencies, `
		SELECT DISTINCT l.currency FROM journal_line l JOIN journal_entry e ON e.id = l.entry_id
		 WHERE e.number <= $1 ORDER BY l.currency`, last)
	if err != nil {
		return nil, fmt.Errorf("listing currencies: %w", err)
	}
	return currencies, nil
}

func eachLine(ctx context.Context, tx *tenant.Tx, last int64, fn func(lineRow) error) error {
	err := tx.Each(ctx, func(scan func(dest any) error) error {
		var l lineRow
		if err := scan(&l); err != nil {
			return err
		}
		return fn(l)
	}, `
		SELECT e.number, e.date, e.description, l.line, l.account_id, l.currency, l.amount, l.memo
		  FROM journal_entry e JOIN journal_line l ON l.entry_id = e.id
		 WHERE e.number <= $1
		 ORDER BY e.date, e.number, l.line`, last)
	if err != nil {
		return fmt.Errorf("reading the journal: %w", err)
	}
	return nil
}
