package report

import (
	"context"

	"github.com/countinghouse/countinghouse/tenant"
)

// moneyAccounts are the accounts of cash, as in the figures of the overview.
const moneyAccounts = `
	SELECT a.id FROM account bank JOIN account a ON a.kind = 'asset' AND left(a.code, 2) = left(bank.code, 2)
	 WHERE bank.purpose = 'bank'`

// An entry comes to nothing in each currency, so what its other lines come to is what its lines of money do not.
func selectCashFlow(ctx context.Context, tx *tenant.Tx, columns []Column) (rows []columnRow, err error) {
	from1, to1, from2, to2, from3, to3 := columnDays(columns)
	err = tx.Select(ctx, &rows, `
	WITH cash AS MATERIALIZED (`+moneyAccounts+`),
	paid AS MATERIALIZED (
		SELECT DISTINCT l.entry_id, l.currency, e.date
		  FROM journal_line l JOIN journal_entry e ON e.id = l.entry_id
		 WHERE l.account_id IN (SELECT id FROM cash) AND `+inColumns+`
	), summed AS (
		SELECT l.account_id, l.currency, `+columnSums+`
		  FROM paid e JOIN journal_line l ON l.entry_id = e.entry_id AND l.currency = e.currency
		 WHERE l.account_id NOT IN (SELECT id FROM cash)
		 GROUP BY l.account_id, l.currency
	), moved AS (
		SELECT account_id, currency, -first AS first, -second AS second, -third AS third FROM summed
	)
	SELECT m.account_id, a.code, a.name, a.kind, m.currency, m.first, m.second, m.third,
	       CASE WHEN a.purpose = 'tax' OR a.id IN (SELECT account_id FROM tax_rate UNION SELECT input_account_id FROM tax_rate) THEN 'tax' ELSE coalesce(a.purpose, '') END AS purpose
	  FROM moved m JOIN account a ON a.id = m.account_id
	 ORDER BY a.code COLLATE "C"`, from1, to1, from2, to2, from3, to3)
	return rows, reading("how the money moved", err)
}

// selectMoney gives what there was on the accounts of cash, a row for each currency.
func selectMoney(ctx context.Context, tx *tenant.Tx, days []Column) (rows []columnRow, err error) {
	from1, to1, from2, to2, from3, to3 := columnDays(days)
	err = tx.Select(ctx, &rows, `
	SELECT l.currency, `+columnSums+`
	  FROM journal_line l JOIN journal_entry e ON e.id = l.entry_id
	 WHERE l.account_id IN (`+moneyAccounts+`) AND `+inColumns+`
	 GROUP BY l.currency`, from1, to1, from2, to2, from3, to3)
	return rows, reading("the money", err)
}
