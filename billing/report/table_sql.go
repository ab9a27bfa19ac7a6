package report

import (
	"context"

	"github.com/google/uuid"

	"github.com/countinghouse/countinghouse/billing/ledger"
	"github.com/countinghouse/countinghouse/billing/money"
	"github.com/countinghouse/countinghouse/internal/civil"
	"github.com/countinghouse/countinghouse/tenant"
)

// columnRow is something in one currency with its amounts in three columns.
type columnRow struct {
	Account  ledger.AccountID `db:"account_id"`
	About    uuid.UUID        `db:"about_id"`
	Code     string           `db:"code"`
	Name     string           `db:"name"`
	Kind     ledger.Kind      `db:"kind"`
	Purpose  string           `db:"purpose"`
	Currency money.Currency   `db:"currency"`
	First    int64            `db:"first"`
	Second   int64            `db:"second"`
	Third    int64            `db:"third"`
}

func (r columnRow) empty() bool { return r.First == 0 && r.Second == 0 && r.Third == 0 }

func (r columnRow) row() Row {
	return Row{Account: r.Account, About: r.About, Code: r.Code, Name: r.Name, Amounts: []money.Amount{
		{Minor: r.First, Currency: r.Currency}, {Minor: r.Second, Currency: r.Currency}, {Minor: r.Third, Currency: r.Currency}}}
}

// The three columns of an amount that belongs to a day, e.date. Their first and last days are $1 to $6; a first day may
// be NULL.
const (
	columnSums = `
		coalesce(sum(l.amount) FILTER (WHERE e.date <= $2::date AND ($1::date IS NULL OR e.date >= $1::date)), 0)::bigint AS first,
		coalesce(sum(l.amount) FILTER (WHERE e.date <= $4::date AND ($3::date IS NULL OR e.date >= $3::date)), 0)::bigint AS second,
		coalesce(sum(l.amount) FILTER (WHERE e.date <= $6::date AND ($5::date IS NULL OR e.date >= $5::date)), 0)::bigint AS third `

	inColumns = ` e.date <= greatest($2::date, $4::date, $6::date)
		AND (coalesce($1::date, $3::date, $5::date) IS NULL OR e.date >= least($1::date, $3::date, $5::date)) `

	columnRowsOf = `
	SELECT m.account_id, a.code, a.name, a.kind, coalesce(a.purpose, '') AS purpose, m.currency, m.first, m.second, m.third
	  FROM moved m JOIN account a ON a.id = m.account_id
	 ORDER BY a.code COLLATE "C"`
)

func columnDays(c []Column) (from1, to1, from2, to2, from3, to3 civil.Date) {
	return c[0].Period.From, c[0].Period.To, c[1].Period.From, c[1].Period.To, c[2].Period.From, c[2].Period.To
}

func selectResult(ctx context.Context, tx *tenant.Tx, columns []Column) (rows []columnRow, err error) {
	from1, to1, from2, to2, from3, to3 := columnDays(columns)
	err = tx.Select(ctx, &rows, `
	WITH moved AS (
		SELECT l.account_id, l.currency, `+columnSums+`
		  FROM journal_line l JOIN journal_entry e ON e.id = l.entry_id
		 WHERE `+inColumns+` AND e.source_kind::text <> 'closing'
		   AND l.account_id IN (SELECT id FROM account WHERE kind::text IN ('income', 'expense'))
		 GROUP BY l.account_id, l.currency
	)`+columnRowsOf, from1, to1, from2, to2, from3, to3)
	return rows, reading("income and expenses", err)
}

func selectBalances(ctx context.Context, tx *tenant.Tx, columns []Column) (rows []columnRow, err error) {
	from1, to1, from2, to2, from3, to3 := columnDays(columns)
	err = tx.Select(ctx, &rows, `
	WITH moved AS (
		SELECT l.account_id, l.currency, `+columnSums+`
		  FROM journal_line l JOIN journal_entry e ON e.id = l.entry_id
		 WHERE `+inColumns+`
		 GROUP BY l.account_id, l.currency
	)`+columnRowsOf, from1, to1, from2, to2, from3, to3)
	return rows, reading("the balances of accounts", err)
}
