package report

import (
	"context"

	"github.com/google/uuid"

	"github.com/countinghouse/countinghouse/billing/money"
	"github.com/countinghouse/countinghouse/internal/civil"
	"github.com/countinghouse/countinghouse/tenant"
)

// What is open on a past day is the total less what had been paid, credited and written off by then, all by the days of
// their entries, so that it agrees with the ledger.
const customerBalances = `
	WITH owed AS (
		SELECT l.party_id, l.currency, sum(l.amount)::bigint AS amount
		  FROM account a JOIN journal_line l ON l.account_id = a.id JOIN journal_entry e ON e.id = l.entry_id
		 WHERE a.purpose = 'receivable' AND e.date <= $1
		 GROUP BY l.party_id, l.currency
	), paid AS (
		SELECT s.document_id, sum(s.amount) AS amount
		  FROM (SELECT pa.document_id, pa.amount, greatest(e.date, pa.date) AS date
		          FROM payment_allocation pa JOIN payment p ON p.id = pa.payment_id JOIN journal_entry e ON e.id = p.entry_id
		        UNION ALL
		        SELECT ca.document_id, ca.amount, greatest(e.date, ca.date)
		          FROM credit_allocation ca JOIN document n ON n.id = ca.credit_note_id JOIN journal_entry e ON e.id = n.entry_id
		        UNION ALL
		        SELECT e.source_id, -l.amount, e.date
		          FROM journal_entry e JOIN journal_line l ON l.entry_id = e.id JOIN account a ON a.id = l.account_id
		         WHERE e.source_kind = 'write_off' AND a.purpose = 'receivable') s
		 WHERE s.date <= $1
		 GROUP BY s.document_id
	), invoice AS (
		SELECT d.customer_id, d.currency, count(*) AS number,
		       coalesce(sum(d.total - coalesce(paid.amount, 0)) FILTER (WHERE d.due_date < $1), 0)::bigint AS overdue
		  FROM document d JOIN journal_entry e ON e.id = d.entry_id LEFT JOIN paid ON paid.document_id = d.id
		  LEFT JOIN journal_entry v ON v.id = d.closing_entry_id AND d.state::text = 'void'
		 WHERE d.kind = 'invoice' AND e.date <= $1 AND coalesce(v.date > $1, true) AND d.total > coalesce(paid.amount, 0)
		 GROUP BY d.customer_id, d.currency
	)
	SELECT o.party_id AS customer_id, coalesce(p.name, 'Without a customer') AS name, o.currency, o.amount AS owed,
	       coalesce(i.overdue, 0) AS overdue, coalesce(i.number, 0) AS invoices
	  FROM owed o
	  LEFT JOIN party p ON p.id = o.party_id
	  LEFT JOIN invoice i ON i.customer_id = o.party_id AND i.currency = o.currency
	 WHERE o.amount <> 0
	 ORDER BY p.id IS NULL, lower(p.name), p.id, o.currency COLLATE "C"`

func selectCustomerBalances(ctx context.Context, tx *tenant.Tx, asOf civil.Date) ([]CustomerBalance, error) {
	var rows []struct {
		Customer uuid.UUID      `db:"customer_id"`
		Name     string         `db:"name"`
		Currency money.Currency `db:"currency"`
		Owed     int64          `db:"owed"`
		Overdue  int64          `db:"overdue"`
		Invoices int            `db:"invoices"`
	}
	if err := tx.Select(ctx, &rows, customerBalances, asOf); err != nil {
		return nil, reading("what customers owe", err)
	}
	balances := make([]CustomerBalance, len(rows))
	for i, r := range rows {
		balances[i] = CustomerBalance{
			Customer: r.Customer, Name: r.Name, Currency: r.Currency, Invoices: r.Invoices,
			Owed:    money.Amount{Minor: r.Owed, Currency: r.Currency},
			Overdue: money.Amount{Minor: r.Overdue, Currency: r.Currency},
		}
	}
	return balances, nil
}
