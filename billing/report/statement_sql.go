package report

import (
	"context"

	"github.com/google/uuid"

	"github.com/countinghouse/countinghouse/billing/ledger"
	"github.com/countinghouse/countinghouse/billing/money"
	"github.com/countinghouse/countinghouse/internal/civil"
	"github.com/countinghouse/countinghouse/tenant"
)

type statementRow struct {
	Currency    money.Currency    `db:"currency"`
	Opening     int64             `db:"opening"`
	Date        civil.Date        `db:"date"`
	Source      ledger.SourceKind `db:"source_kind"`
	Numbers     string            `db:"numbers"`
	Description string            `db:"description"`
	Entry       ledger.EntryID    `db:"entry_id"`
	Number      int64             `db:"number"`
	Minor       int64             `db:"amount"`
}

// One row at least for each currency in which anything was ever owed, so that what was owed before is told too.
const statementLines = `
	WITH moved AS (
		SELECT l.currency, l.entry_id, sum(l.amount)::bigint AS amount, e.date, e.number, e.description, e.source_kind, e.source_id
		  FROM account a JOIN journal_line l ON l.account_id = a.id JOIN journal_entry e ON e.id = l.entry_id
		 WHERE a.purpose = 'receivable' AND l.party_id = $1 AND e.date <= $3
		 GROUP BY l.currency, l.entry_id, e.date, e.number, e.description, e.source_kind, e.source_id
	), before AS (
		SELECT currency, coalesce(sum(amount) FILTER (WHERE date < $2::date), 0)::bigint AS opening FROM moved GROUP BY currency
	)
	SELECT b.currency, b.opening, m.date, coalesce(m.source_kind, '') AS source_kind, coalesce(m.description, '') AS description,
	       coalesce(m.entry_id, '00000000-0000-0000-0000-000000000000') AS entry_id, coalesce(m.number, 0) AS number,
	       coalesce(m.amount, 0) AS amount, coalesce(n.numbers, '') AS numbers
	  FROM before b
	  LEFT JOIN moved m ON m.currency = b.currency AND m.amount <> 0 AND ($2::date IS NULL OR m.date >= $2::date)
	  LEFT JOIN LATERAL (
		SELECT string_agg(d.number, ', ' ORDER BY d.number) AS numbers FROM document d
		 WHERE d.id = m.source_id OR d.id IN (SELECT document_id FROM payment_allocation WHERE payment_id = m.source_id)
	  ) n ON true
	 ORDER BY b.currency COLLATE "C", m.date, m.number
	 LIMIT $4`

func selectStatement(ctx context.Context, tx *tenant.Tx, customer uuid.UUID, period Period) (rows []statementRow, err error) {
	err = tx.Select(ctx, &rows, statementLines, customer, period.From, period.To, StatementLines+1)
	return rows, reading("a customer's statement", err)
}
