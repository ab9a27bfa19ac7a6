package billing

import (
	"context"
	"fmt"

	"github.com/countinghouse/countinghouse/billing/money"
	"github.com/countinghouse/countinghouse/internal/civil"
	"github.com/countinghouse/countinghouse/internal/cursor"
	"github.com/countinghouse/countinghouse/tenant"
)

func selectInvoice(ctx context.Context, tx *tenant.Tx, invoice InvoiceID) (Invoice, error) {
	row, err := selectDocument(ctx, tx, invoiceKind, invoice.UUID)
	if err != nil {
		return Invoice{}, err
	}
	i := Invoice{InvoiceHead: InvoiceHead{ID: invoice}}
	if i.DocumentHead, err = row.head(tx); err != nil {
		return Invoice{}, err
	}
	if i.DocumentBody, err = row.body(); err != nil {
		return Invoice{}, err
	}
	if i.Payments, err = row.payments(); err != nil {
		return Invoice{}, err
	}
	i.Credits, err = row.credits()
	return i, err
}

func invoiceHeads(tx *tenant.Tx, rows []headRow) ([]InvoiceHead, error) {
	all := make([]InvoiceHead, len(rows))
	for i, r := range rows {
		head, err := r.head(tx)
		if err != nil {
			return nil, err
		}
		all[i] = InvoiceHead{ID: InvoiceID{UUID: r.ID}, DocumentHead: head}
	}
	return all, nil
}

func lockInvoice(ctx context.Context, tx *tenant.Tx, invoice InvoiceID) (lockedDocument, error) {
	return lockDocument(ctx, tx, invoiceKind, invoice.UUID)
}

const invoicesWhere = `SELECT ` + headColumns + invoicesMatch

const invoicesMatch = headTables + `
	 WHERE d.kind = 'invoice'
	   AND ($1::uuid IS NULL OR d.customer_id = $1)
	   AND ($2::date IS NULL OR d.issue_date >= $2)
	   AND ($3::date IS NULL OR d.issue_date <= $3)
	   AND ($4 = '' OR position(upper($4) in upper(coalesce(d.number, '') || ' ' || coalesce(d.external_id, '') || ' ' ||
	        d.reference || ' ' || CASE WHEN $7::boolean THEN '' ELSE p.name || ' ' END || p.company)) > 0) -- as customersWhere
	   AND CASE $5::text
	        WHEN '' THEN true
	        WHEN 'draft' THEN d.state::text = 'draft'
	        WHEN 'sent_out' THEN d.state::text <> 'draft'
	        WHEN 'paid' THEN d.state::text = 'issued' AND d.settled = d.total AND d.written_off = 0
	        WHEN 'written_off' THEN d.state::text = 'issued' AND d.settled = d.total AND d.written_off > 0
	        WHEN 'void' THEN d.state::text = 'void'
	        WHEN 'overdue' THEN d.state::text = 'issued' AND d.settled < d.total AND d.due_date < $6::date
	        WHEN 'open' THEN d.state::text = 'issued' AND d.settled = 0 AND d.settled < d.total AND d.due_date >= $6::date
	        WHEN 'part_paid' THEN d.state::text = 'issued' AND d.settled > 0 AND d.settled < d.total AND d.due_date >= $6::date
	       END`

func selectInvoices(ctx context.Context, tx *tenant.Tx, filter InvoiceFilter, today civil.Date, q cursor.Query) ([]InvoiceHead, error) {
	var rows []headRow
	var err error
	if q.Backwards() {
		err = tx.Select(ctx, &rows, invoicesWhere+` AND d.id > $8 ORDER BY d.id LIMIT $9`,
			orNull(filter.CustomerID.UUID), filter.From, filter.To, filter.Search, string(filter.Standing), today, tx.Scope().Masks().Has(tenant.MaskNames), q.Before, q.Fetch())
	} else {
		err = tx.Select(ctx, &rows, invoicesWhere+` AND ($8::uuid IS NULL OR d.id < $8) ORDER BY d.id DESC LIMIT $9`,
			orNull(filter.CustomerID.UUID), filter.From, filter.To, filter.Search, string(filter.Standing), today, tx.Scope().Masks().Has(tenant.MaskNames), orNull(q.After), q.Fetch())
	}
	if err != nil {
		return nil, fmt.Errorf("listing invoices: %w", err)
	}
	return invoiceHeads(tx, rows)
}

// Drafts may still become anything, and what is void is owed by nobody: neither counts in the sums. What is too large
// for an amount comes back as nothing, since an error would cost the whole page.
func sumInvoices(ctx context.Context, tx *tenant.Tx, filter InvoiceFilter, today civil.Date) ([]InvoiceSum, error) {
	var rows []struct {
		Currency money.Currency `db:"currency"`
		Number   int            `db:"number"`
		Counted  int            `db:"counted"`
		Total    *int64         `db:"total"`
		Open     *int64         `db:"open"`
	}
	err := tx.Select(ctx, &rows, `
		WITH found AS (SELECT d.currency, d.state, d.total, d.settled, s.base_currency`+invoicesMatch+`), summed AS (
			SELECT f.currency, f.base_currency, count(*) AS number, count(*) FILTER (WHERE f.state::text = 'issued') AS counted,
			       coalesce(sum(f.total) FILTER (WHERE f.state::text = 'issued'), 0) AS total,
			       coalesce(sum(f.total - f.settled) FILTER (WHERE f.state::text = 'issued'), 0) AS open
			  FROM found f GROUP BY f.currency, f.base_currency
		)
		SELECT s.currency, s.number, s.counted, CASE WHEN s.total < 9e18 THEN s.total::bigint END AS total, CASE WHEN s.total < 9e18 THEN s.open::bigint END AS open
		  FROM summed s ORDER BY s.currency <> s.base_currency, s.currency COLLATE "C"`,
		orNull(filter.CustomerID.UUID), filter.From, filter.To, filter.Search, string(filter.Standing), today, tx.Scope().Masks().Has(tenant.MaskNames))
	if err != nil {
		return nil, fmt.Errorf("summing invoices: %w", err)
	}
	sums := make([]InvoiceSum, len(rows))
	for i, r := range rows {
		sums[i] = InvoiceSum{Invoices: r.Number, Counted: r.Counted, TooLarge: r.Total == nil || r.Open == nil}
		if sums[i].Total.Currency, sums[i].Open.Currency = r.Currency, r.Currency; !sums[i].TooLarge {
			sums[i].Total.Minor, sums[i].Open.Minor = *r.Total, *r.Open
		}
	}
	return sums, nil
}

func countInvoices(ctx context.Context, tx *tenant.Tx, today civil.Date) (map[Standing]int, error) {
	var row struct {
		Draft      int `db:"draft"`
		Void       int `db:"void"`
		WrittenOff int `db:"written_off"`
		Paid       int `db:"paid"`
		Overdue    int `db:"overdue"`
		Open       int `db:"open"`
		PartPaid   int `db:"part_paid"`
	}
	err := tx.Get(ctx, &row, `
		SELECT count(*) FILTER (WHERE d.state::text = 'draft') AS draft,
		       count(*) FILTER (WHERE d.state::text = 'void') AS void,
		       count(*) FILTER (WHERE d.state::text = 'issued' AND d.settled = d.total AND d.written_off > 0) AS written_off,
		       count(*) FILTER (WHERE d.state::text = 'issued' AND d.settled = d.total AND d.written_off = 0) AS paid,
		       count(*) FILTER (WHERE d.state::text = 'issued' AND d.settled < d.total AND d.due_date < $1) AS overdue,
		       count(*) FILTER (WHERE d.state::text = 'issued' AND d.settled < d.total AND d.due_date >= $1 AND d.settled = 0) AS open,
		       count(*) FILTER (WHERE d.state::text = 'issued' AND d.settled < d.total AND d.due_date >= $1 AND d.settled > 0) AS part_paid
		  FROM document d WHERE d.kind = 'invoice'`, today)
	if err != nil {
		return nil, fmt.Errorf("counting invoices: %w", err)
	}
	return map[Standing]int{StandingDraft: row.Draft, StandingPaid: row.Paid, StandingOverdue: row.Overdue,
		StandingOpen: row.Open, StandingPartPaid: row.PartPaid, StandingVoid: row.Void, StandingWrittenOff: row.WrittenOff}, nil
}

func selectOpenInvoices(ctx context.Context, tx *tenant.Tx, customer CustomerID, currency money.Currency) ([]InvoiceHead, error) {
	var rows []headRow
	err := tx.Select(ctx, &rows, `SELECT `+headColumns+headTables+`
		 WHERE d.kind = 'invoice' AND d.state::text = 'issued' AND d.settled < d.total AND d.customer_id = $1 AND d.currency = $2
		 ORDER BY d.due_date, d.id LIMIT 200`, customer, currency)
	if err != nil {
		return nil, fmt.Errorf("listing a customer's open invoices: %w", err)
	}
	return invoiceHeads(tx, rows)
}

func selectOverdue(ctx context.Context, tx *tenant.Tx, today civil.Date, limit int) ([]InvoiceHead, error) {
	var rows []headRow
	err := tx.Select(ctx, &rows, `SELECT `+headColumns+headTables+`
		 WHERE d.kind = 'invoice' AND d.state::text = 'issued' AND d.settled < d.total AND d.due_date < $1
		 ORDER BY d.due_date, d.id LIMIT $2`, today, limit)
	if err != nil {
		return nil, fmt.Errorf("listing overdue invoices: %w", err)
	}
	return invoiceHeads(tx, rows)
}

func selectInvoiceIDs(ctx context.Context, tx *tenant.Tx, externalIDs []string) (map[string]InvoiceID, error) {
	wanted, err := toJSON(plausibleIDs(externalIDs))
	if err != nil {
		return nil, err
	}
	var rows []known[Invoice]
	err = tx.Select(ctx, &rows, `SELECT external_id, id FROM document
		WHERE kind = 'invoice' AND external_id IN (SELECT jsonb_array_elements_text($1::jsonb))`, wanted)
	if err != nil {
		return nil, fmt.Errorf("looking for invoices: %w", err)
	}
	return byExternalID(rows), nil
}
