package report

import (
	"context"

	"github.com/google/uuid"
	"github.com/shopspring/decimal"

	"github.com/countinghouse/countinghouse/billing/ledger"
	"github.com/countinghouse/countinghouse/billing/money"
	"github.com/countinghouse/countinghouse/billing/tax"
	"github.com/countinghouse/countinghouse/internal/civil"
	"github.com/countinghouse/countinghouse/tenant"
)

// All give counted: what each document adds to each rate from day $1 to day $2, either of which may be NULL.
const (
	// A document counts with its entry, and again with the opposite sign when that entry is undone.
	accrualMoved = `
	WITH moved AS (
		SELECT d.id, d.currency, d.base_rate, e.id AS entry_id, e.number AS entry_number, e.date, d.kind::text IN ('bill', 'payee_credit') AS input,
		       CASE WHEN d.kind::text IN ('credit_note', 'payee_credit') THEN -1 ELSE 1 END AS sign
		  FROM journal_entry e JOIN document d ON d.entry_id = e.id
		 WHERE ($1::date IS NULL OR e.date >= $1::date) AND ($2::date IS NULL OR e.date <= $2::date)
		UNION ALL
		SELECT d.id, d.currency, d.base_rate, e.id, e.number, e.date, d.kind::text IN ('bill', 'payee_credit'),
		       CASE WHEN d.kind::text IN ('credit_note', 'payee_credit') THEN 1 ELSE -1 END
		  FROM journal_entry e JOIN document d ON d.entry_id = e.reverses_id
		 WHERE e.reverses_id IS NOT NULL AND ($1::date IS NULL OR e.date >= $1::date) AND ($2::date IS NULL OR e.date <= $2::date)
	)`
	accrualTaxes = accrualMoved + `, counted AS (
		SELECT m.id, m.entry_id, m.entry_number, m.date, t.tax_rate_id, t.percent, min(t.code) AS code, min(t.name) AS name,
		       min(t.kind) AS kind, m.input, m.sign * sum(t.base) AS base, m.sign * sum(t.amount) AS tax
		  FROM moved m JOIN document_tax t ON t.document_id = m.id AND (t.recoverable OR NOT m.input)
		 GROUP BY m.id, m.entry_id, m.entry_number, m.date, m.sign, m.input, t.tax_rate_id, t.percent
	)`

	// The same line by line and without words, for sums over many.
	accrualSums = accrualMoved + `, counted AS (
		SELECT m.id, m.currency, m.base_rate, t.tax_rate_id, t.percent, m.input, m.sign * t.base AS base, m.sign * t.amount AS tax
		  FROM moved m JOIN document_tax t ON t.document_id = m.id AND (t.recoverable OR NOT m.input)
	)`

	// A credit note counts as it settles an invoice or is given back, on both sides. What was written off was never paid.
	// What is counted up to a day is the tax in proportion to what is settled by then, rounded; so the periods of a
	// document that is paid in full add up to its tax.
	cashTaxes = `
	WITH part AS (
		SELECT a.document_id, CASE d.kind::text WHEN 'credit_note' THEN -a.amount ELSE a.amount END AS amount, greatest(e.date, a.date) AS date
		  FROM payment_allocation a JOIN payment y ON y.id = a.payment_id JOIN journal_entry e ON e.id = y.entry_id JOIN document d ON d.id = a.document_id
		UNION ALL
		SELECT CASE side.n WHEN 1 THEN c.document_id ELSE c.credit_note_id END, c.amount, greatest(e.date, c.date)
		  FROM credit_allocation c JOIN document n ON n.id = c.credit_note_id JOIN journal_entry e ON e.id = n.entry_id, (VALUES (1), (2)) AS side (n)
	), paid AS (
		SELECT p.document_id, coalesce(sum(p.amount) FILTER (WHERE p.date < $1::date), 0) AS before, sum(p.amount) AS upto, max(p.date) AS date
		  FROM part p WHERE $2::date IS NULL OR p.date <= $2::date
		 GROUP BY p.document_id
	), counted AS (
		SELECT d.id, d.currency, d.base_rate, NULL::uuid AS entry_id, 0 AS entry_number, p.date, t.tax_rate_id, t.percent, min(t.code) AS code, min(t.name) AS name,
		       min(t.kind) AS kind, d.kind::text IN ('bill', 'payee_credit') AS input,
		       CASE WHEN d.kind::text IN ('credit_note', 'payee_credit') THEN -1 ELSE 1 END *
		           (round(sum(t.base) * p.upto / d.total) - round(sum(t.base) * p.before / d.total)) AS base,
		       CASE WHEN d.kind::text IN ('credit_note', 'payee_credit') THEN -1 ELSE 1 END *
		           (round(sum(t.amount) * p.upto / d.total) - round(sum(t.amount) * p.before / d.total)) AS tax
		  FROM paid p JOIN document d ON d.id = p.document_id JOIN document_tax t ON t.document_id = d.id
		  AND (t.recoverable OR d.kind::text NOT IN ('bill', 'payee_credit'))
		 WHERE p.upto <> p.before AND d.total > 0
		 GROUP BY d.id, p.date, p.upto, p.before, t.tax_rate_id, t.percent
	)`

	// By tax, and within it by the rate of the base currency: rows are the one, and what is to be remitted goes by the other.
	taxSums = `, taxed AS (
		SELECT c.tax_rate_id, c.percent, c.currency, c.input, c.base_rate, c.id, sum(c.base) AS base, sum(c.tax) AS tax
		  FROM counted c GROUP BY c.id, c.tax_rate_id, c.percent, c.currency, c.input, c.base_rate
	), summed AS (
		SELECT p.tax_rate_id, p.percent, p.currency, p.input, p.base_rate, sum(p.base)::bigint AS base, sum(p.tax)::bigint AS tax, count(*) AS documents
		  FROM taxed p GROUP BY p.tax_rate_id, p.percent, p.currency, p.input, p.base_rate
	)
	SELECT s.*, r.code, r.name AS tax_name, r.kind FROM summed s JOIN tax_rate r ON r.id = s.tax_rate_id
	 ORDER BY s.input, r.code COLLATE "C", s.percent, s.currency COLLATE "C", s.base_rate`

	taxUnrated = `
	SELECT count(DISTINCT c.id) FROM counted c WHERE c.base_rate IS NULL AND c.currency <> $3`

	taxDocuments = `
	SELECT c.id, d.kind, coalesce(d.number, '') AS number, p.name AS customer_name, c.date, d.currency, c.base::bigint AS base,
	       c.tax::bigint AS tax, c.entry_id, c.entry_number
	  FROM counted c JOIN document d ON d.id = c.id JOIN party p ON p.id = d.customer_id
	 WHERE c.tax_rate_id = $3 AND c.percent = $4 AND c.input = $6
	 ORDER BY c.date, d.number COLLATE "C", c.entry_number LIMIT $5`
)

// taxSum is a row of the report, of documents whose rate into the base currency is the same; nil for none known.
type taxSum struct {
	TaxRow
	BaseRate *decimal.Decimal
}

// selectTaxes gives the sums of a period in the order of the report's rows.
func selectTaxes(ctx context.Context, tx *tenant.Tx, basis Basis, period Period) ([]taxSum, error) {
	var rows []struct {
		Rate      tax.RateID       `db:"tax_rate_id"`
		Percent   decimal.Decimal  `db:"percent"`
		Currency  money.Currency   `db:"currency"`
		Input     bool             `db:"input"`
		BaseRate  *decimal.Decimal `db:"base_rate"`
		Code      string           `db:"code"`
		Name      string           `db:"tax_name"`
		Kind      tax.Kind         `db:"kind"`
		Base      int64            `db:"base"`
		Tax       int64            `db:"tax"`
		Documents int              `db:"documents"`
	}
	var err error
	if basis == Cash {
		err = tx.Select(ctx, &rows, cashTaxes+taxSums, period.From, period.To)
	} else {
		err = tx.Select(ctx, &rows, accrualSums+taxSums, period.From, period.To)
	}
	if err != nil {
		return nil, reading("the taxes of a period", err)
	}
	all := make([]taxSum, len(rows))
	for i, r := range rows {
		all[i] = taxSum{TaxRow{Rate: r.Rate, Code: r.Code, Name: r.Name, Kind: r.Kind, Percent: r.Percent, Input: r.Input, Documents: r.Documents,
			Base: money.Amount{Minor: r.Base, Currency: r.Currency}, Tax: money.Amount{Minor: r.Tax, Currency: r.Currency}}, r.BaseRate}
	}
	return all, nil
}

// countTaxUnrated counts the documents in other currencies than the base whose rate is not known.
func countTaxUnrated(ctx context.Context, tx *tenant.Tx, basis Basis, period Period, base money.Currency) (n int, err error) {
	if basis == Cash {
		err = tx.Get(ctx, &n, cashTaxes+taxUnrated, period.From, period.To, base)
	} else {
		err = tx.Get(ctx, &n, accrualSums+taxUnrated, period.From, period.To, base)
	}
	return n, reading("documents without a rate", err)
}

// selectTaxPosted gives what the accounts for taxes moved in a period, one amount for each currency.
func selectTaxPosted(ctx context.Context, tx *tenant.Tx, period Period) ([]money.Amount, error) {
	var rows []struct {
		Currency money.Currency `db:"currency"`
		Posted   int64          `db:"posted"`
	}
	err := tx.Select(ctx, &rows, `
		SELECT l.currency, (-sum(l.amount))::bigint AS posted
		  FROM journal_line l JOIN journal_entry e ON e.id = l.entry_id
		 WHERE l.account_id = ANY (ARRAY(SELECT a.id FROM account a WHERE a.purpose = 'tax' UNION SELECT r.account_id FROM tax_rate r UNION SELECT r.input_account_id FROM tax_rate r))
		   AND ($1::date IS NULL OR e.date >= $1::date) AND ($2::date IS NULL OR e.date <= $2::date)
		 GROUP BY l.currency ORDER BY l.currency COLLATE "C"`, period.From, period.To)
	if err != nil {
		return nil, reading("what accounts for taxes moved", err)
	}
	posted := make([]money.Amount, len(rows))
	for i, r := range rows {
		posted[i] = money.Amount{Minor: r.Posted, Currency: r.Currency}
	}
	return posted, nil
}

func selectTaxDocuments(ctx context.Context, tx *tenant.Tx, basis Basis, period Period, filter TaxFilter) ([]TaxDocument, error) {
	var rows []struct {
		ID          uuid.UUID      `db:"id"`
		Kind        string         `db:"kind"`
		Number      string         `db:"number"`
		Customer    string         `db:"customer_name"`
		Date        civil.Date     `db:"date"`
		Currency    money.Currency `db:"currency"`
		Base        int64          `db:"base"`
		Tax         int64          `db:"tax"`
		Entry       ledger.EntryID `db:"entry_id"`
		EntryNumber int64          `db:"entry_number"`
	}
	var err error
	if basis == Cash {
		err = tx.Select(ctx, &rows, cashTaxes+taxDocuments, period.From, period.To, filter.Rate, filter.Percent, MaxLines, filter.Input)
	} else {
		err = tx.Select(ctx, &rows, accrualTaxes+taxDocuments, period.From, period.To, filter.Rate, filter.Percent, MaxLines, filter.Input)
	}
	if err != nil {
		return nil, reading("the documents of a tax", err)
	}
	all := make([]TaxDocument, len(rows))
	for i, r := range rows {
		all[i] = TaxDocument{ID: r.ID, Kind: r.Kind, Number: r.Number, Customer: r.Customer, Date: r.Date, Entry: r.Entry, EntryNumber: r.EntryNumber,
			Base: money.Amount{Minor: r.Base, Currency: r.Currency}, Tax: money.Amount{Minor: r.Tax, Currency: r.Currency}}
	}
	return all, nil
}
