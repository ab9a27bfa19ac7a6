package report

import (
	"context"
	"fmt"

	"github.com/countinghouse/countinghouse/billing/money"
	"github.com/countinghouse/countinghouse/internal/civil"
	"github.com/countinghouse/countinghouse/tenant"
)

func selectBaseCurrency(ctx context.Context, tx *tenant.Tx) (c money.Currency, err error) {
	if err := tx.Get(ctx, &c, `SELECT base_currency FROM settings`); err != nil {
		return c, fmt.Errorf("reading the base currency: %w", err)
	}
	return c, nil
}

// The figure is of today, so what is settled on a document can be taken from it, and its index of open ones serves.
const owedFigures = `
	WITH owed AS (
		SELECT l.currency, sum(l.amount)::bigint AS amount
		  FROM account a JOIN journal_line l ON l.account_id = a.id JOIN journal_entry e ON e.id = l.entry_id
		 WHERE a.purpose = 'receivable' AND e.date <= $1
		 GROUP BY l.currency
	), invoice AS (
		SELECT d.currency, count(*) AS number, count(*) FILTER (WHERE d.due_date < $1) AS overdue_number,
		       coalesce(sum(d.total - d.settled) FILTER (WHERE d.due_date < $1), 0)::bigint AS overdue
		  FROM document d JOIN journal_entry e ON e.id = d.entry_id
		 WHERE d.state::text = 'issued' AND d.settled < d.total AND d.kind = 'invoice' AND e.date <= $1
		 GROUP BY d.currency
	), shown AS (
		SELECT currency FROM owed UNION SELECT currency FROM invoice UNION SELECT $2::varchar
	)
	SELECT c.currency, coalesce(o.amount, 0) AS total, coalesce(i.overdue, 0) AS overdue,
	       coalesce(i.number, 0) AS invoices, coalesce(i.overdue_number, 0) AS overdue_invoices
	  FROM shown c LEFT JOIN owed o USING (currency) LEFT JOIN invoice i USING (currency)
	 WHERE o.amount <> 0 OR i.number > 0 OR c.currency = $2
	 ORDER BY c.currency <> $2, c.currency COLLATE "C"`

func selectOwed(ctx context.Context, tx *tenant.Tx, today civil.Date, base money.Currency) ([]OwedFigure, error) {
	var rows []owedRow
	if err := tx.Select(ctx, &rows, owedFigures, today, base); err != nil {
		return nil, reading("what is owed", err)
	}
	return owedOf(rows), nil
}

type owedRow struct {
	Currency        money.Currency `db:"currency"`
	Total           int64          `db:"total"`
	Overdue         int64          `db:"overdue"`
	Invoices        int            `db:"invoices"`
	OverdueInvoices int            `db:"overdue_invoices"`
}

func owedOf(rows []owedRow) []OwedFigure {
	owed := make([]OwedFigure, len(rows))
	for i, r := range rows {
		owed[i] = OwedFigure{
			Total:    money.Amount{Minor: r.Total, Currency: r.Currency},
			Overdue:  money.Amount{Minor: r.Overdue, Currency: r.Currency},
			Invoices: r.Invoices, OverdueInvoices: r.OverdueInvoices,
		}
	}
	return owed
}

// As owedFigures, of bills.
const owingFigures = `
	WITH owed AS (
		SELECT l.currency, -sum(l.amount)::bigint AS amount
		  FROM account a JOIN journal_line l ON l.account_id = a.id JOIN journal_entry e ON e.id = l.entry_id
		 WHERE a.purpose = 'payable' AND e.date <= $1
		 GROUP BY l.currency
	), bill AS (
		SELECT d.currency, count(*) AS number, count(*) FILTER (WHERE d.due_date < $1) AS overdue_number,
		       coalesce(sum(d.total - d.settled) FILTER (WHERE d.due_date < $1), 0)::bigint AS overdue
		  FROM document d JOIN journal_entry e ON e.id = d.entry_id
		 WHERE d.state::text = 'issued' AND d.settled < d.total AND d.kind = 'bill' AND e.date <= $1
		 GROUP BY d.currency
	)
	SELECT coalesce(o.currency, b.currency) AS currency, coalesce(o.amount, 0) AS total, coalesce(b.overdue, 0) AS overdue,
	       coalesce(b.number, 0) AS invoices, coalesce(b.overdue_number, 0) AS overdue_invoices
	  FROM owed o FULL JOIN bill b ON b.currency = o.currency
	 WHERE o.amount <> 0 OR b.number > 0
	 ORDER BY coalesce(o.currency, b.currency) <> $2, coalesce(o.currency, b.currency) COLLATE "C"`

// selectOwing gives what payees are owed.
func selectOwing(ctx context.Context, tx *tenant.Tx, today civil.Date, base money.Currency) ([]OwedFigure, error) {
	var rows []owedRow
	if err := tx.Select(ctx, &rows, owingFigures, today, base); err != nil {
		return nil, reading("what payees are owed", err)
	}
	return owedOf(rows), nil
}

const cashFigures = `
	WITH cash AS (
		SELECT l.currency, sum(l.amount)::bigint AS amount
		  FROM account bank
		  JOIN account a ON a.kind = 'asset' AND left(a.code, 2) = left(bank.code, 2)
		  JOIN journal_line l ON l.account_id = a.id
		  JOIN journal_entry e ON e.id = l.entry_id
		 WHERE bank.purpose = 'bank' AND e.date <= $1
		 GROUP BY l.currency
	)
	SELECT currency, amount FROM cash WHERE amount <> 0 AND currency <> $2
	UNION ALL
	SELECT $2::varchar, coalesce((SELECT amount FROM cash WHERE currency = $2), 0)`

func selectCash(ctx context.Context, tx *tenant.Tx, today civil.Date, base money.Currency) ([]money.Amount, error) {
	var rows []struct {
		Currency money.Currency `db:"currency"`
		Minor    int64          `db:"amount"`
	}
	err := tx.Select(ctx, &rows, `SELECT currency, amount FROM (`+cashFigures+`) f
		ORDER BY currency <> $2, currency COLLATE "C"`, today, base)
	if err != nil {
		return nil, reading("the cash", err)
	}
	cash := make([]money.Amount, len(rows))
	for i, r := range rows {
		cash[i] = money.Amount{Minor: r.Minor, Currency: r.Currency}
	}
	return cash, nil
}

// selectMonths gives the months in which anything was earned or spent, by their first day.
func selectMonths(ctx context.Context, tx *tenant.Tx, from, to civil.Date, base money.Currency) (map[civil.Date]Month, error) {
	var rows []struct {
		First    civil.Date `db:"first"`
		Income   int64      `db:"income"`
		Expenses int64      `db:"expenses"`
	}
	err := tx.Select(ctx, &rows, `
		SELECT date_trunc('month', e.date)::date AS first,
		       coalesce(-sum(l.amount) FILTER (WHERE a.kind = 'income'), 0)::bigint AS income,
		       coalesce(sum(l.amount) FILTER (WHERE a.kind = 'expense'), 0)::bigint AS expenses
		  FROM journal_entry e JOIN journal_line l ON l.entry_id = e.id JOIN account a ON a.id = l.account_id
		 WHERE e.date BETWEEN $1 AND $2 AND l.currency = $3 AND a.kind IN ('income', 'expense') AND e.source_kind::text <> 'closing'
		 GROUP BY 1`, from, to, base)
	if err != nil {
		return nil, reading("income and expenses", err)
	}
	months := make(map[civil.Date]Month, len(rows))
	for _, r := range rows {
		months[r.First] = Month{
			First:  r.First,
			Income: money.Amount{Minor: r.Income, Currency: base}, Expenses: money.Amount{Minor: r.Expenses, Currency: base},
		}
	}
	return months, nil
}
