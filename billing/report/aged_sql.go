package report

import (
	"context"

	"github.com/countinghouse/countinghouse/internal/civil"
	"github.com/countinghouse/countinghouse/tenant"
)

// What is open on a past day goes by the days of entries, so that it agrees with the ledger; a credit note was booked by
// itself, and settles an invoice on the day of its allocation.
const agedReceivables = `
	WITH owed AS (
		SELECT l.party_id, l.currency, sum(l.amount) AS amount
		  FROM account a JOIN journal_line l ON l.account_id = a.id JOIN journal_entry e ON e.id = l.entry_id
		 WHERE a.purpose = 'receivable' AND e.date <= $1
		 GROUP BY l.party_id, l.currency
	), settled AS (
		SELECT s.document_id, sum(s.amount) AS amount FROM (
			SELECT pa.document_id, pa.amount
			  FROM payment_allocation pa JOIN payment p ON p.id = pa.payment_id JOIN journal_entry e ON e.id = p.entry_id
			 WHERE greatest(e.date, pa.date) <= $1
			UNION ALL
			SELECT ca.document_id, ca.amount
			  FROM credit_allocation ca JOIN document n ON n.id = ca.credit_note_id JOIN journal_entry e ON e.id = n.entry_id
			 WHERE greatest(e.date, ca.date) <= $1
			UNION ALL
			SELECT e.source_id, -l.amount
			  FROM journal_entry e JOIN journal_line l ON l.entry_id = e.id JOIN account a ON a.id = l.account_id
			 WHERE e.source_kind = 'write_off' AND a.purpose = 'receivable' AND e.date <= $1
		) s GROUP BY s.document_id
	), invoice AS (
		SELECT d.customer_id, d.currency, $1::date - d.due_date AS late, d.total - coalesce(s.amount, 0) AS open
		  FROM document d JOIN journal_entry e ON e.id = d.entry_id LEFT JOIN settled s ON s.document_id = d.id
		  LEFT JOIN journal_entry c ON c.id = d.closing_entry_id
		 WHERE d.kind::text = 'invoice' AND e.date <= $1 AND NOT (d.state::text = 'void' AND coalesce(c.date <= $1, true))
		   AND d.total <> coalesce(s.amount, 0)
	), aged AS (
		SELECT customer_id, currency, coalesce(sum(open) FILTER (WHERE late <= 0), 0) AS not_due,
		       coalesce(sum(open) FILTER (WHERE late BETWEEN 1 AND 30), 0) AS late_30,
		       coalesce(sum(open) FILTER (WHERE late BETWEEN 31 AND 60), 0) AS late_60,
		       coalesce(sum(open) FILTER (WHERE late BETWEEN 61 AND 90), 0) AS late_90,
		       coalesce(sum(open) FILTER (WHERE late > 90), 0) AS later, sum(open) AS open
		  FROM invoice GROUP BY customer_id, currency
	)
	SELECT coalesce(o.party_id, i.customer_id) AS customer_id, coalesce(p.name, 'Without a customer') AS name,
	       coalesce(o.currency, i.currency) AS currency, coalesce(i.not_due, 0)::bigint AS not_due, coalesce(i.late_30, 0)::bigint AS late_30,
	       coalesce(i.late_60, 0)::bigint AS late_60, coalesce(i.late_90, 0)::bigint AS late_90, coalesce(i.later, 0)::bigint AS later,
	       (coalesce(o.amount, 0) - coalesce(i.open, 0))::bigint AS no_invoice, coalesce(o.amount, 0)::bigint AS owed
	  FROM owed o FULL JOIN aged i ON i.customer_id = o.party_id AND i.currency = o.currency
	  LEFT JOIN party p ON p.id = coalesce(o.party_id, i.customer_id)
	 WHERE coalesce(o.amount, 0) <> 0 OR coalesce(i.open, 0) <> 0
	 ORDER BY p.id IS NULL, lower(p.name), p.id`

func selectAged(ctx context.Context, tx *tenant.Tx, asOf civil.Date) (rows []agedRow, err error) {
	return rows, reading("how late customers are", tx.Select(ctx, &rows, agedReceivables, asOf))
}

// Of payments those that took one back are below zero, and count on their own day.
const agedPayables = `
	WITH owed AS (
		SELECT l.party_id, l.currency, -sum(l.amount) AS amount
		  FROM account a JOIN journal_line l ON l.account_id = a.id JOIN journal_entry e ON e.id = l.entry_id
		 WHERE a.purpose = 'payable' AND e.date <= $1
		 GROUP BY l.party_id, l.currency
	), settled AS (
		SELECT s.document_id, sum(s.amount) AS amount FROM (
			SELECT pa.document_id, pa.amount
			  FROM payment_allocation pa JOIN payment p ON p.id = pa.payment_id AND p.direction::text = 'out' JOIN journal_entry e ON e.id = p.entry_id
			 WHERE greatest(e.date, pa.date) <= $1
			UNION ALL
			SELECT ca.document_id, ca.amount FROM credit_allocation ca WHERE ca.date <= $1
		) s GROUP BY s.document_id
	), bill AS (
		SELECT d.customer_id, d.currency, $1::date - d.due_date AS late, d.total - coalesce(s.amount, 0) AS open
		  FROM document d JOIN journal_entry e ON e.id = d.entry_id LEFT JOIN settled s ON s.document_id = d.id
		  LEFT JOIN journal_entry c ON c.id = d.closing_entry_id
		 WHERE d.kind::text = 'bill' AND e.date <= $1 AND NOT (d.state::text = 'void' AND coalesce(c.date <= $1, true))
		   AND d.total <> coalesce(s.amount, 0)
	), aged AS (
		SELECT customer_id, currency, coalesce(sum(open) FILTER (WHERE late <= 0), 0) AS not_due,
		       coalesce(sum(open) FILTER (WHERE late BETWEEN 1 AND 30), 0) AS late_30,
		       coalesce(sum(open) FILTER (WHERE late BETWEEN 31 AND 60), 0) AS late_60,
		       coalesce(sum(open) FILTER (WHERE late BETWEEN 61 AND 90), 0) AS late_90,
		       coalesce(sum(open) FILTER (WHERE late > 90), 0) AS later, sum(open) AS open
		  FROM bill GROUP BY customer_id, currency
	)
	SELECT coalesce(o.party_id, i.customer_id) AS customer_id, coalesce(p.name, 'Without a payee') AS name,
	       coalesce(o.currency, i.currency) AS currency, coalesce(i.not_due, 0)::bigint AS not_due, coalesce(i.late_30, 0)::bigint AS late_30,
	       coalesce(i.late_60, 0)::bigint AS late_60, coalesce(i.late_90, 0)::bigint AS late_90, coalesce(i.later, 0)::bigint AS later,
	       (coalesce(o.amount, 0) - coalesce(i.open, 0))::bigint AS no_invoice, coalesce(o.amount, 0)::bigint AS owed
	  FROM owed o FULL JOIN aged i ON i.customer_id = o.party_id AND i.currency = o.currency
	  LEFT JOIN party p ON p.id = coalesce(o.party_id, i.customer_id)
	 WHERE coalesce(o.amount, 0) <> 0 OR coalesce(i.open, 0) <> 0
	 ORDER BY p.id IS NULL, lower(p.name), p.id`

func selectAgedPayables(ctx context.Context, tx *tenant.Tx, asOf civil.Date) (rows []agedRow, err error) {
	return rows, reading("how late bills are", tx.Select(ctx, &rows, agedPayables, asOf))
}
