package bank

import (
	"context"
	"fmt"

	"github.com/countinghouse/countinghouse/billing/ledger"
	"github.com/countinghouse/countinghouse/internal/civil"
	"github.com/countinghouse/countinghouse/tenant"
)

// openEntries are the entries of an account up to a day that belong to no line up to it. early says that they lie before
// the first line: they are in the balance that the bank opened with.
const openEntries = `
	WITH open AS (
		SELECT e.id, e.number, e.date, e.description, e.reverses_id, sum(l.amount)::bigint AS amount, $4::date IS NULL OR e.date < $4::date AS early
		  FROM journal_line l JOIN journal_entry e ON e.id = l.entry_id
		 WHERE l.account_id = $1 AND l.currency = $2 AND e.date <= $3
		   AND NOT EXISTS (SELECT FROM bank_line n WHERE n.account_id = $1 AND n.entry_id = e.id AND n.date <= $3)
		 GROUP BY e.id HAVING sum(l.amount) <> 0
	)`

type balances struct {
	Book   int64 `db:"book"`
	Before int64 `db:"before"`
	Lines  int64 `db:"lines"`
}

func selectBalances(ctx context.Context, tx *tenant.Tx, a Account, day civil.Date) (b balances, err error) {
	err = tx.Get(ctx, &b, openEntries+`
		SELECT coalesce((SELECT sum(l.amount) FROM journal_line l JOIN journal_entry e ON e.id = l.entry_id
		                  WHERE l.account_id = $1 AND l.currency = $2 AND e.date <= $3), 0)::bigint AS book,
		       coalesce((SELECT sum(open.amount) FROM open WHERE open.early), 0)::bigint AS before,
		       coalesce((SELECT sum(n.amount) FROM bank_line n WHERE n.account_id = $1 AND n.date <= $3 AND n.how::text IS DISTINCT FROM 'excluded'), 0)::bigint AS lines`,
		a.ID, a.Currency, day, a.Since)
	if err != nil {
		return b, fmt.Errorf("adding up book and bank: %w", err)
	}
	return b, nil
}

func selectOutstandingEntries(ctx context.Context, tx *tenant.Tx, a Account, day civil.Date) ([]OutstandingEntry, error) {
	var entries []OutstandingEntry
	err := tx.Select(ctx, &entries, openEntries+`
		SELECT o.id, o.number, o.date, o.description, o.amount FROM open o
		 WHERE NOT o.early
		   AND NOT EXISTS (SELECT FROM open r WHERE NOT r.early AND (r.reverses_id = o.id OR r.id = o.reverses_id))
		 ORDER BY o.date, o.number`, a.ID, a.Currency, day, a.Since)
	if err != nil {
		return nil, fmt.Errorf("listing entries that are not at the bank: %w", err)
	}
	return entries, nil
}

func selectOutstandingLines(ctx context.Context, tx *tenant.Tx, account ledger.AccountID, day civil.Date) ([]Line, error) {
	var rows []lineRow
	err := tx.Select(ctx, &rows, linesFrom+`
		 WHERE n.account_id = $1 AND n.date <= $2 AND n.how::text IS DISTINCT FROM 'excluded' AND (n.entry_id IS NULL OR e.date > $2)
		 ORDER BY n.date, n.id`, account, day)
	if err != nil {
		return nil, fmt.Errorf("listing bank lines that are not booked: %w", err)
	}
	return linesOf(rows), nil
}
