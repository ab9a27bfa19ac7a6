package report

import (
	"context"

	"github.com/countinghouse/countinghouse/billing/money"
	"github.com/countinghouse/countinghouse/internal/civil"
	"github.com/countinghouse/countinghouse/tenant"
)

// The accounts are those of cashFigures.
func selectCashByWeek(ctx context.Context, tx *tenant.Tx, from, today, until civil.Date, base money.Currency) ([]CashDay, error) {
	var rows []struct {
		Day   civil.Date `db:"day"`
		Minor int64      `db:"amount"`
	}
	err := tx.Select(ctx, &rows, `
		WITH moved AS (
			SELECT e.date, sum(l.amount) AS amount
			  FROM account bank
			  JOIN account a ON a.kind = 'asset' AND left(a.code, 2) = left(bank.code, 2)
			  JOIN journal_line l ON l.account_id = a.id
			  JOIN journal_entry e ON e.id = l.entry_id
			 WHERE bank.purpose = 'bank' AND e.date <= $2 AND l.currency = $4
			 GROUP BY e.date
			UNION ALL
			SELECT greatest(d.due_date, $2::date + 1), CASE d.kind WHEN 'bill' THEN d.settled - d.total ELSE d.total - d.settled END
			  FROM document d
			 WHERE d.state::text = 'issued' AND d.settled < d.total AND d.kind IN ('invoice', 'bill') AND d.currency = $4 AND d.due_date <= $3
		)
		SELECT g.day::date AS day, coalesce((SELECT sum(m.amount) FROM moved m WHERE m.date <= g.day::date), 0)::bigint AS amount
		  FROM generate_series($1::timestamp, $3::timestamp, interval '7 days') AS g (day) ORDER BY 1`, from, today, until, base)
	if err != nil {
		return nil, reading("the cash by week", err)
	}
	days := make([]CashDay, len(rows))
	for i, r := range rows {
		days[i] = CashDay{Day: r.Day, Cash: money.Amount{Minor: r.Minor, Currency: base}, Ahead: r.Day.After(today)}
	}
	return days, nil
}
