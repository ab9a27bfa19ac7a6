package report

import (
	"context"

	"github.com/google/uuid"

	"github.com/countinghouse/countinghouse/billing/ledger"
	"github.com/countinghouse/countinghouse/internal/civil"
	"github.com/countinghouse/countinghouse/tenant"
)

// What is open on a past day goes by the days of entries, so that it agrees with the ledger; a credit note was booked by
// itself, and settles an invoice on the day of its allocation. Three days are told in one reading of the books: of the
// first, $1, by whom it concerns, and of $2 and $3, which are earlier, in all. $4 to $7 are the purpose of the account,
// the kind of document, the direction of payments, and the sign that what is owed has on the account. Who is nobody has the
// id of zeros. The account is a subquery and no join, since Postgres knows from it how many lines there are.
const agedDocuments = `
	WITH owed AS (
		SELECT coalesce(l.party_id, $8::uuid) AS party_id, l.currency, sum(l.amount) * $7::int AS first,
		       coalesce(sum(l.amount) FILTER (WHERE e.date <= $2::date), 0) * $7::int AS second, coalesce(sum(l.amount) FILTER (WHERE e.date <= $3::date), 0) * $7::int AS third
		  FROM journal_line l JOIN journal_entry e ON e.id = l.entry_id
		 WHERE l.account_id = (SELECT id FROM account WHERE purpose = $4) AND e.date <= $1::date
		 GROUP BY l.party_id, l.currency
	), owing AS (
		SELECT 1 AS n, party_id, currency, first AS amount FROM owed
		UNION ALL SELECT 2, $8::uuid, currency, sum(second) FROM owed GROUP BY currency
		UNION ALL SELECT 3, $8::uuid, currency, sum(third) FROM owed GROUP BY currency
	), settlement AS (
		SELECT pa.document_id, pa.amount, greatest(e.date, pa.date) AS date
		  FROM payment_allocation pa JOIN payment p ON p.id = pa.payment_id JOIN journal_entry e ON e.id = p.entry_id
		 WHERE p.direction::text = $6
		UNION ALL
		SELECT ca.document_id, ca.amount, greatest(e.date, ca.date)
		  FROM credit_allocation ca JOIN document n ON n.id = ca.credit_note_id JOIN journal_entry e ON e.id = n.entry_id
		UNION ALL
		SELECT e.source_id, -l.amount, e.date
		  FROM journal_entry e JOIN journal_line l ON l.entry_id = e.id JOIN account a ON a.id = l.account_id
		 WHERE e.source_kind::text = 'write_off' AND a.purpose = 'receivable'
	), settled AS (
		SELECT document_id, sum(amount)::bigint AS first, coalesce(sum(amount) FILTER (WHERE date <= $2::date), 0)::bigint AS second,
		       coalesce(sum(amount) FILTER (WHERE date <= $3::date), 0)::bigint AS third
		  FROM settlement WHERE date <= $1::date GROUP BY document_id
	), undone AS MATERIALIZED (
		SELECT d.id, c.date FROM document d JOIN journal_entry c ON c.id = d.closing_entry_id WHERE d.kind::text = $5 AND d.state::text = 'void'
	), issued AS (
		SELECT d.customer_id, d.currency, d.due_date,
		       CASE WHEN d.state::text <> 'void' OR u.date > $1::date THEN d.total - coalesce(s.first, 0) ELSE 0 END AS first,
		       CASE WHEN e.date <= $2::date AND (d.state::text <> 'void' OR u.date > $2::date) THEN d.total - coalesce(s.second, 0) ELSE 0 END AS second,
		       CASE WHEN e.date <= $3::date AND (d.state::text <> 'void' OR u.date > $3::date) THEN d.total - coalesce(s.third, 0) ELSE 0 END AS third
		  FROM document d JOIN journal_entry e ON e.id = d.entry_id LEFT JOIN settled s ON s.document_id = d.id LEFT JOIN undone u ON u.id = d.id
		 WHERE d.kind::text = $5 AND e.date <= $1::date
	), open AS (
		SELECT v.n, CASE v.n WHEN 1 THEN d.customer_id ELSE $8::uuid END AS party_id, d.currency, v.day - d.due_date AS late, v.amount
		  FROM (SELECT * FROM issued WHERE first <> 0 OR second <> 0 OR third <> 0 OFFSET 0) d,
		       LATERAL (VALUES (1, $1::date, d.first), (2, $2::date, d.second), (3, $3::date, d.third)) v (n, day, amount)
		 WHERE v.amount <> 0
	), aged AS (
		SELECT n, party_id, currency, coalesce(sum(amount) FILTER (WHERE late <= 0), 0) AS not_due,
		       coalesce(sum(amount) FILTER (WHERE late BETWEEN 1 AND 30), 0) AS late_30,
		       coalesce(sum(amount) FILTER (WHERE late BETWEEN 31 AND 60), 0) AS late_60,
		       coalesce(sum(amount) FILTER (WHERE late BETWEEN 61 AND 90), 0) AS late_90,
		       coalesce(sum(amount) FILTER (WHERE late > 90), 0) AS later, sum(amount) AS amount
		  FROM open GROUP BY n, party_id, currency
	)
	SELECT n AS day, party_id AS customer_id, coalesce(p.name, '') AS name, currency,
	       coalesce(i.not_due, 0)::bigint AS not_due, coalesce(i.late_30, 0)::bigint AS late_30,
	       coalesce(i.late_60, 0)::bigint AS late_60, coalesce(i.late_90, 0)::bigint AS late_90, coalesce(i.later, 0)::bigint AS later,
	       (coalesce(o.amount, 0) - coalesce(i.amount, 0))::bigint AS no_invoice, coalesce(o.amount, 0)::bigint AS owed
	  FROM owing o FULL JOIN aged i USING (n, party_id, currency)
	  LEFT JOIN party p ON p.id = party_id
	 WHERE coalesce(o.amount, 0) <> 0 OR coalesce(i.amount, 0) <> 0
	 ORDER BY n, p.id IS NULL, lower(p.name), p.id`

// agedBooks is where the books of one side are.
type agedBooks struct {
	purpose, kind, direction string
	sign                     int
}

var (
	agedInvoices = agedBooks{ledger.Receivable, "invoice", "in", 1}
	agedBills    = agedBooks{ledger.Payable, "bill", "out", -1} // one that was taken back is below zero, and counts on its own day
)

// selectAged gives what was open on a day by whom it concerns and, with their Day, in all on two earlier ones.
func selectAged(ctx context.Context, tx *tenant.Tx, of agedBooks, asOf, second, third civil.Date) (rows []agedRow, err error) {
	err = tx.Select(ctx, &rows, agedDocuments, asOf, second, third, of.purpose, of.kind, of.direction, of.sign, uuid.Nil)
	return rows, reading("how late "+of.kind+"s are", err)
}
