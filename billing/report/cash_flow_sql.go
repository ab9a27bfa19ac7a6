package report

import (
	"context"

	"github.com/countinghouse/countinghouse/tenant"
)

// moneyAccounts are the accounts of cash, as in the figures of the overview.
const moneyAccounts = `
	SELECT a.id FROM account bank JOIN account a ON a.kind = 'asset' AND left(a.code, 2) = left(bank.code, 2)
	 WHERE bank.purpose = 'bank'`

// An entry comes to nothing in each currency, so what its other lines come to is what its lines of money do not. Rows
// without an account are what there was of money before each column. The lines of money are read once, for both.
func selectCashFlow(ctx context.Context, tx *tenant.Tx, columns []Column) (rows []columnRow, err error) {
	from1, to1, from2, to2, from3, to3 := columnDays(columns)
	err = tx.Select(ctx, &rows, `
	WITH cash AS (
		SELECT l.entry_id, l.currency, l.amount, e.date
		  FROM journal_line l JOIN journal_entry e ON e.id = l.entry_id
		 WHERE l.account_id = ANY (ARRAY(`+moneyAccounts+`)) AND e.date <= greatest($2::date, $4::date, $6::date)
	), before AS (
		SELECT currency, coalesce(sum(amount) FILTER (WHERE date < $1::date), 0)::bigint AS first,
		       coalesce(sum(amount) FILTER (WHERE date < $3::date), 0)::bigint AS second, coalesce(sum(amount) FILTER (WHERE date < $5::date), 0)::bigint AS third
		  FROM cash WHERE date < greatest($1::date, $3::date, $5::date) GROUP BY currency
	), paid AS (
		SELECT DISTINCT e.entry_id, e.currency, e.date FROM cash e WHERE `+inColumns+`
	), summed AS (
		SELECT l.account_id, l.currency, `+columnSums+`
		  FROM paid e JOIN journal_line l ON l.entry_id = e.entry_id AND l.currency = e.currency
		 WHERE l.account_id <> ALL (ARRAY(`+moneyAccounts+`))
		 GROUP BY l.account_id, l.currency
	), told AS (
		SELECT m.account_id, a.code, a.name, a.kind, m.currency, -m.first AS first, -m.second AS second, -m.third AS third,
		       CASE WHEN a.purpose = 'tax' OR a.id IN (SELECT account_id FROM tax_rate UNION SELECT input_account_id FROM tax_rate) THEN 'tax' ELSE coalesce(a.purpose, '') END AS purpose
		  FROM summed m JOIN account a ON a.id = m.account_id
		UNION ALL
		SELECT '00000000-0000-0000-0000-000000000000', '', '', '', currency, first, second, third, '' FROM before
	)
	SELECT * FROM told ORDER BY code COLLATE "C"`, from1, to1, from2, to2, from3, to3)
	return rows, reading("how the money moved", err)
}
