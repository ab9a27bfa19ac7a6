package billing

import (
	"context"
	"fmt"

	"github.com/google/uuid"
	"github.com/shopspring/decimal"

	"github.com/countinghouse/countinghouse/internal/cursor"
	"github.com/countinghouse/countinghouse/tenant"
)

func selectCreditNote(ctx context.Context, tx *tenant.Tx, note CreditNoteID) (CreditNote, error) {
	row, err := selectDocument(ctx, tx, creditNoteKind, note.UUID)
	if err != nil {
		return CreditNote{}, err
	}
	n := CreditNote{CreditNoteHead: CreditNoteHead{ID: note}}
	if n.DocumentHead, err = row.head(tx); err != nil {
		return CreditNote{}, err
	}
	if n.DocumentBody, err = row.body(); err != nil {
		return CreditNote{}, err
	}
	if n.Refunds, err = row.payments(); err != nil {
		return CreditNote{}, err
	}
	n.Applied, err = row.credits()
	return n, err
}

const creditNotesWhere = `SELECT ` + headColumns + headTables + `
	 WHERE d.kind = 'credit_note'
	   AND ($1::uuid IS NULL OR d.customer_id = $1)
	   AND ($2::uuid IS NULL OR d.origin_id = $2)
	   AND ($3::date IS NULL OR d.issue_date >= $3)
	   AND ($4::date IS NULL OR d.issue_date <= $4)
	   AND ($5 = '' OR position(upper($5) in upper(coalesce(d.number, '') || ' ' || coalesce(d.external_id, '') || ' ' ||
	        d.reference || ' ' || d.purchase_order || ' ' || CASE WHEN $9::boolean THEN '' ELSE p.name || ' ' END || p.company)) > 0) -- as customersWhere
	   AND CASE $6::text
	        WHEN '' THEN true
	        WHEN 'draft' THEN d.state::text = 'draft'
	        WHEN 'void' THEN d.state::text = 'void'
	        WHEN 'open' THEN d.state::text = 'issued' AND d.settled < d.total
	        WHEN 'used' THEN d.state::text = 'issued' AND d.settled = d.total
	       END`

func selectCreditNotes(ctx context.Context, tx *tenant.Tx, filter CreditNoteFilter, q cursor.Query) ([]CreditNoteHead, error) {
	var rows []headRow
	var err error
	if q.Backwards() {
		err = tx.Select(ctx, &rows, creditNotesWhere+` AND d.id > $7 ORDER BY d.id LIMIT $8`, orNull(filter.CustomerID.UUID),
			orNull(filter.Origin.UUID), filter.From, filter.To, filter.Search, string(filter.Standing), q.Before, q.Fetch(), tx.Scope().Masks().Has(tenant.MaskNames))
	} else {
		err = tx.Select(ctx, &rows, creditNotesWhere+` AND ($7::uuid IS NULL OR d.id < $7) ORDER BY d.id DESC LIMIT $8`, orNull(filter.CustomerID.UUID),
			orNull(filter.Origin.UUID), filter.From, filter.To, filter.Search, string(filter.Standing), orNull(q.After), q.Fetch(), tx.Scope().Masks().Has(tenant.MaskNames))
	}
	if err != nil {
		return nil, fmt.Errorf("listing credit notes: %w", err)
	}
	all := make([]CreditNoteHead, len(rows))
	for i, r := range rows {
		all[i].ID.UUID = r.ID
		if all[i].DocumentHead, err = r.head(tx); err != nil {
			return nil, err
		}
	}
	return all, nil
}

func countCreditNotes(ctx context.Context, tx *tenant.Tx) (map[Standing]int, error) {
	var row struct {
		Draft int `db:"draft"`
		Void  int `db:"void"`
		Open  int `db:"open"`
		Used  int `db:"used"`
	}
	err := tx.Get(ctx, &row, `
		SELECT count(*) FILTER (WHERE d.state::text = 'draft') AS draft,
		       count(*) FILTER (WHERE d.state::text = 'void') AS void,
		       count(*) FILTER (WHERE d.state::text = 'issued' AND d.settled < d.total) AS open,
		       count(*) FILTER (WHERE d.state::text = 'issued' AND d.settled = d.total) AS used
		  FROM document d WHERE d.kind = 'credit_note'`)
	if err != nil {
		return nil, fmt.Errorf("counting credit notes: %w", err)
	}
	return map[Standing]int{StandingDraft: row.Draft, StandingVoid: row.Void, StandingOpen: row.Open, StandingUsed: row.Used}, nil
}

// creditedLine is what was taken back of one line of an invoice so far.
type creditedLine struct {
	Line     int             `db:"line"`
	Quantity decimal.Decimal `db:"quantity"`
	Net      int64           `db:"net"`
	Share    int64           `db:"share"`
}

// creditedTax is what was taken back of one tax of a line.
type creditedTax struct {
	Line     int   `db:"line"`
	Position int   `db:"position"`
	Base     int64 `db:"base"`
	Amount   int64 `db:"amount"`
}

func selectCredited(ctx context.Context, tx *tenant.Tx, invoice InvoiceID) (credited, error) {
	c := credited{lines: map[int]creditedLine{}, taxes: map[[2]int]creditedTax{}}
	var lines []creditedLine
	err := tx.Select(ctx, &lines, `
		SELECT l.origin_line AS line, sum(l.quantity) AS quantity, sum(l.net)::bigint AS net, sum(l.discount_share)::bigint AS share
		  FROM document d JOIN document_line l ON l.document_id = d.id
		 WHERE d.origin_id = $1 AND d.kind = 'credit_note' AND d.state::text = 'issued' AND l.origin_line IS NOT NULL
		 GROUP BY l.origin_line`, invoice)
	if err != nil {
		return c, fmt.Errorf("reading what was credited: %w", err)
	}
	var taxes []creditedTax
	err = tx.Select(ctx, &taxes, `
		SELECT l.origin_line AS line, t.position, sum(t.base)::bigint AS base, sum(t.amount)::bigint AS amount
		  FROM document d
		  JOIN document_line l ON l.document_id = d.id
		  JOIN document_tax t ON t.document_id = l.document_id AND t.line = l.line
		 WHERE d.origin_id = $1 AND d.kind = 'credit_note' AND d.state::text = 'issued' AND l.origin_line IS NOT NULL
		 GROUP BY l.origin_line, t.position`, invoice)
	if err != nil {
		return c, fmt.Errorf("reading what taxes were credited: %w", err)
	}
	for _, l := range lines {
		c.lines[l.Line] = l
	}
	for _, t := range taxes {
		c.taxes[[2]int{t.Line, t.Position}] = t
	}
	return c, nil
}

// selectHasCreditNotes says whether credit notes that count were made out of an invoice.
func selectHasCreditNotes(ctx context.Context, tx *tenant.Tx, invoice uuid.UUID) (has bool, err error) {
	err = tx.Get(ctx, &has, `SELECT EXISTS (SELECT FROM document d
		WHERE d.origin_id = $1 AND d.kind = 'credit_note' AND d.state::text = 'issued')`, invoice)
	if err != nil {
		return false, fmt.Errorf("looking for credit notes: %w", err)
	}
	return has, nil
}
