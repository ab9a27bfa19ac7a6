package billing

import (
	"context"
	"fmt"

	"github.com/countinghouse/countinghouse/internal/civil"
	"github.com/countinghouse/countinghouse/internal/cursor"
	"github.com/countinghouse/countinghouse/tenant"
)

// quoteRow is a quote with what it became.
type quoteRow struct {
	headRow
	Invoice       InvoiceID `db:"invoice_id"`
	InvoiceNumber string    `db:"invoice_number"`
}

const quoteColumns = `(SELECT i.id FROM document i WHERE i.origin_id = d.id AND i.kind = 'invoice') AS invoice_id,
	coalesce((SELECT i.number FROM document i WHERE i.origin_id = d.id AND i.kind = 'invoice'), '') AS invoice_number`

func (r quoteRow) quote(tx *tenant.Tx) (QuoteHead, error) {
	head, err := r.head(tx)
	return QuoteHead{ID: QuoteID{UUID: r.ID}, DocumentHead: head, AcceptedBy: r.AcceptedBy, Invoice: r.Invoice, InvoiceNumber: r.InvoiceNumber}, err
}

func selectQuote(ctx context.Context, tx *tenant.Tx, quote QuoteID) (q Quote, err error) {
	row, err := selectDocument(ctx, tx, quoteKind, quote.UUID)
	if err != nil {
		return q, err
	}
	var became struct {
		Invoice InvoiceID `db:"invoice_id"`
		Number  string    `db:"invoice_number"`
	}
	err = tx.Get(ctx, &became, `SELECT `+quoteColumns+` FROM document d WHERE d.id = $1`, quote)
	if err != nil {
		return q, fmt.Errorf("reading what a quote became: %w", err)
	}
	if q.QuoteHead, err = (quoteRow{row.headRow, became.Invoice, became.Number}).quote(tx); err != nil {
		return q, err
	}
	q.DocumentBody, err = row.body()
	return q, err
}

const quotesWhere = `SELECT ` + quoteColumns + `, ` + headColumns + headTables + `
	 WHERE d.kind = 'quote'
	   AND ($1::uuid IS NULL OR d.customer_id = $1)
	   AND ($2::date IS NULL OR d.issue_date >= $2)
	   AND ($3::date IS NULL OR d.issue_date <= $3)
	   AND ($4 = '' OR position(upper($4) in upper(coalesce(d.number, '') || ' ' || coalesce(d.external_id, '') || ' ' ||
	        d.reference || ' ' || d.purchase_order || ' ' || CASE WHEN $9::boolean THEN '' ELSE p.name || ' ' END || p.company)) > 0) -- as customersWhere
	   AND CASE $5::text
	        WHEN '' THEN true
	        WHEN 'draft' THEN d.state::text = 'draft'
	        WHEN 'sent_out' THEN d.state::text <> 'draft'
	        WHEN 'declined' THEN d.state::text = 'declined'
	        WHEN 'sent' THEN d.state::text = 'issued' AND d.due_date >= $6::date
	        WHEN 'expired' THEN d.state::text = 'issued' AND d.due_date < $6::date
	        WHEN 'accepted' THEN d.state::text = 'accepted' AND NOT EXISTS (SELECT FROM document i WHERE i.origin_id = d.id AND i.kind = 'invoice')
	        WHEN 'invoiced' THEN d.state::text = 'accepted' AND EXISTS (SELECT FROM document i WHERE i.origin_id = d.id AND i.kind = 'invoice')
	       END`

func selectQuotes(ctx context.Context, tx *tenant.Tx, filter QuoteFilter, today civil.Date, q cursor.Query) ([]QuoteHead, error) {
	var rows []quoteRow
	var err error
	if q.Backwards() {
		err = tx.Select(ctx, &rows, quotesWhere+` AND d.id > $7 ORDER BY d.id LIMIT $8`, orNull(filter.CustomerID.UUID), filter.From,
			filter.To, filter.Search, string(filter.Standing), today, q.Before, q.Fetch(), tx.Scope().Masks().Has(tenant.MaskNames))
	} else {
		err = tx.Select(ctx, &rows, quotesWhere+` AND ($7::uuid IS NULL OR d.id < $7) ORDER BY d.id DESC LIMIT $8`, orNull(filter.CustomerID.UUID),
			filter.From, filter.To, filter.Search, string(filter.Standing), today, orNull(q.After), q.Fetch(), tx.Scope().Masks().Has(tenant.MaskNames))
	}
	if err != nil {
		return nil, fmt.Errorf("listing quotes: %w", err)
	}
	all := make([]QuoteHead, len(rows))
	for i, r := range rows {
		if all[i], err = r.quote(tx); err != nil {
			return nil, err
		}
	}
	return all, nil
}

func countQuotes(ctx context.Context, tx *tenant.Tx, today civil.Date) (map[Standing]int, error) {
	var row struct {
		Draft    int `db:"draft"`
		Sent     int `db:"sent"`
		Expired  int `db:"expired"`
		Accepted int `db:"accepted"`
		Invoiced int `db:"invoiced"`
		Declined int `db:"declined"`
	}
	err := tx.Get(ctx, &row, `
		SELECT count(*) FILTER (WHERE d.state::text = 'draft') AS draft,
		       count(*) FILTER (WHERE d.state::text = 'issued' AND d.due_date >= $1) AS sent,
		       count(*) FILTER (WHERE d.state::text = 'issued' AND d.due_date < $1) AS expired,
		       count(*) FILTER (WHERE d.state::text = 'accepted' AND i.id IS NULL) AS accepted,
		       count(*) FILTER (WHERE d.state::text = 'accepted' AND i.id IS NOT NULL) AS invoiced,
		       count(*) FILTER (WHERE d.state::text = 'declined') AS declined
		  FROM document d LEFT JOIN document i ON i.origin_id = d.id AND i.kind = 'invoice'
		 WHERE d.kind = 'quote'`, today)
	if err != nil {
		return nil, fmt.Errorf("counting quotes: %w", err)
	}
	return map[Standing]int{StandingDraft: row.Draft, StandingSent: row.Sent, StandingExpired: row.Expired,
		StandingAccepted: row.Accepted, StandingInvoiced: row.Invoiced, StandingDeclined: row.Declined}, nil
}
