package report

import (
	"context"

	"github.com/google/uuid"

	"github.com/countinghouse/countinghouse/billing/ledger"
	"github.com/countinghouse/countinghouse/billing/money"
	"github.com/countinghouse/countinghouse/internal/civil"
	"github.com/countinghouse/countinghouse/tenant"
)

const (
	// A document counts with its entry, and again with the opposite sign when that entry is undone. The net amount of a
	// line is after its share of a discount on the whole.
	soldByCustomer = `
	WITH booked AS (
		SELECT d.id, d.customer_id AS about_id, d.currency, e.id AS entry_id, e.date,
		       d.net * CASE WHEN (d.kind::text = 'credit_note') = (d.entry_id = e.id) THEN -1 ELSE 1 END AS amount
		  FROM journal_entry e JOIN document d ON d.entry_id = coalesce(e.reverses_id, e.id) AND d.kind::text IN ('invoice', 'credit_note')
	)`
	soldByProduct = `
	WITH booked AS (
		SELECT d.id, coalesce(n.product_id, '00000000-0000-0000-0000-000000000000') AS about_id, d.currency, e.id AS entry_id, e.date,
		       n.net * CASE WHEN (d.kind::text = 'credit_note') = (d.entry_id = e.id) THEN -1 ELSE 1 END AS amount
		  FROM journal_entry e JOIN document d ON d.entry_id = coalesce(e.reverses_id, e.id) AND d.kind::text IN ('invoice', 'credit_note')
		  JOIN document_line n ON n.document_id = d.id
	)`

	soldSums = `, sold AS (
		SELECT l.about_id, l.currency, ` + columnSums + `
		  FROM booked l, LATERAL (SELECT l.date) e WHERE ` + inColumns + `
		 GROUP BY l.about_id, l.currency
	)
	SELECT s.about_id, s.currency, s.first, s.second, s.third, `

	salesByCustomer = soldByCustomer + soldSums + `p.name
	  FROM sold s JOIN party p ON p.id = s.about_id ORDER BY lower(p.name), p.id`
	salesByProduct = soldByProduct + soldSums + `coalesce(p.name, 'Without a product') AS name
	  FROM sold s LEFT JOIN product p ON p.id = s.about_id ORDER BY p.id IS NULL, lower(p.name), p.id`

	soldDocuments = `
	SELECT b.id, d.kind, coalesce(d.number, '') AS number, p.name AS customer_name, b.date, b.currency, sum(b.amount)::bigint AS net,
	       b.entry_id, e.number AS entry_number
	  FROM booked b JOIN document d ON d.id = b.id JOIN party p ON p.id = d.customer_id JOIN journal_entry e ON e.id = b.entry_id
	 WHERE b.about_id = $1 AND b.currency = $2 AND b.date BETWEEN $3 AND $4
	 GROUP BY b.id, d.kind, d.number, p.name, b.date, b.currency, b.entry_id, e.number
	 ORDER BY b.date, e.number LIMIT $5`
)

func selectSales(ctx context.Context, tx *tenant.Tx, by string, columns []Column) (rows []columnRow, err error) {
	from1, to1, from2, to2, from3, to3 := columnDays(columns)
	if by == ByProduct {
		err = tx.Select(ctx, &rows, salesByProduct, from1, to1, from2, to2, from3, to3)
	} else {
		err = tx.Select(ctx, &rows, salesByCustomer, from1, to1, from2, to2, from3, to3)
	}
	return rows, reading("what was sold", err)
}

func selectSalesDocuments(ctx context.Context, tx *tenant.Tx, by string, about uuid.UUID, period Period, currency money.Currency) ([]Sale, error) {
	var rows []struct {
		ID          uuid.UUID      `db:"id"`
		Kind        string         `db:"kind"`
		Number      string         `db:"number"`
		Customer    string         `db:"customer_name"`
		Date        civil.Date     `db:"date"`
		Currency    money.Currency `db:"currency"`
		Net         int64          `db:"net"`
		Entry       ledger.EntryID `db:"entry_id"`
		EntryNumber int64          `db:"entry_number"`
	}
	var err error
	if by == ByProduct {
		err = tx.Select(ctx, &rows, soldByProduct+soldDocuments, about, currency, period.From, period.To, MaxLines)
	} else {
		err = tx.Select(ctx, &rows, soldByCustomer+soldDocuments, about, currency, period.From, period.To, MaxLines)
	}
	if err != nil {
		return nil, reading("the documents of a sale", err)
	}
	all := make([]Sale, len(rows))
	for i, r := range rows {
		all[i] = Sale{r.ID, r.Kind, r.Number, r.Customer, r.Date, money.Amount{Minor: r.Net, Currency: r.Currency}, r.Entry, r.EntryNumber}
	}
	return all, nil
}
