package ledger

import (
	"context"
	"fmt"

	"github.com/countinghouse/countinghouse/billing/money"
	"github.com/countinghouse/countinghouse/internal/civil"
	"github.com/countinghouse/countinghouse/tenant"
)

func updateClosedThrough(ctx context.Context, tx *tenant.Tx, through civil.Date) error {
	_, err := tx.Exec(ctx, `UPDATE settings SET books_closed_through = $1, version = version + 1`, through)
	if err != nil {
		return fmt.Errorf("closing the books: %w", err)
	}
	return nil
}

func selectTimeZone(ctx context.Context, tx *tenant.Tx) (name string, err error) {
	if err := tx.Get(ctx, &name, `SELECT time_zone FROM settings`); err != nil {
		return "", fmt.Errorf("reading the time zone: %w", err)
	}
	return name, nil
}

// lockPeriod gives the day that the books are closed through. By the trigger of this update it waits for postings that are
// under way, and others wait for this transaction.
func lockPeriod(ctx context.Context, tx *tenant.Tx) (closed civil.Date, err error) {
	if err := tx.Get(ctx, &closed, `UPDATE settings SET books_closed_through = books_closed_through RETURNING books_closed_through`); err != nil {
		return closed, fmt.Errorf("holding the books: %w", err)
	}
	return closed, nil
}

// selectResults gives what the accounts of income and expense stand at on the evening of a day, in each currency.
func selectResults(ctx context.Context, tx *tenant.Tx, day civil.Date) ([]Line, error) {
	var rows []struct {
		Account  AccountID      `db:"account_id"`
		Currency money.Currency `db:"currency"`
		Minor    int64          `db:"amount"`
	}
	err := tx.Select(ctx, &rows, `
		SELECT l.account_id, l.currency, sum(l.amount)::bigint AS amount
		  FROM journal_line l JOIN journal_entry e ON e.id = l.entry_id JOIN account a ON a.id = l.account_id
		 WHERE a.kind::text IN ('income', 'expense') AND e.date <= $1
		 GROUP BY l.account_id, a.code, l.currency HAVING sum(l.amount) <> 0
		 ORDER BY l.currency COLLATE "C", a.code COLLATE "C"`, day)
	if err != nil {
		return nil, fmt.Errorf("reading what a year came to: %w", err)
	}
	lines := make([]Line, len(rows))
	for i, r := range rows {
		lines[i] = Line{Account: r.Account, Amount: money.Amount{Minor: r.Minor, Currency: r.Currency}}
	}
	return lines, nil
}

func selectClosings(ctx context.Context, tx *tenant.Tx) ([]Entry, error) {
	var rows []struct {
		ID         EntryID    `db:"id"`
		Number     int64      `db:"number"`
		Date       civil.Date `db:"date"`
		ReversedBy EntryID    `db:"reversed_by"`
	}
	err := tx.Select(ctx, &rows, `
		SELECT e.id, e.number, e.date, coalesce(r.id, '00000000-0000-0000-0000-000000000000') AS reversed_by
		  FROM journal_entry e LEFT JOIN journal_entry r ON r.reverses_id = e.id
		 WHERE e.source_kind::text = 'closing' AND e.reverses_id IS NULL
		 ORDER BY e.date DESC, e.number DESC`)
	if err != nil {
		return nil, fmt.Errorf("reading what closed years: %w", err)
	}
	entries := make([]Entry, len(rows))
	for i, r := range rows {
		entries[i] = Entry{ID: r.ID, Number: r.Number, Date: r.Date, Source: SourceClosing, ReversedBy: r.ReversedBy}
	}
	return entries, nil
}
