package currency

import (
	"context"
	"fmt"

	"github.com/google/uuid"
	"github.com/shopspring/decimal"

	"github.com/countinghouse/countinghouse/billing/money"
	"github.com/countinghouse/countinghouse/internal/civil"
	"github.com/countinghouse/countinghouse/tenant"
)

// foreign is a document in another currency than the base.
type foreign struct {
	Base     money.Currency   `db:"base_currency"`
	Currency money.Currency   `db:"currency"`
	Date     civil.Date       `db:"issue_date"`
	Rate     *decimal.Decimal `db:"base_rate"`
	Origin   *decimal.Decimal `db:"origin_rate"` // of the invoice that it takes back
	Bought   bool             `db:"bought"`      // a payment to a payee
}

// selectForeign gives tenant.ErrNoRows, as it is, for a document in the base currency.
func selectForeign(ctx context.Context, tx *tenant.Tx, document uuid.UUID) (d foreign, err error) {
	err = tx.Get(ctx, &d, `
		SELECT s.base_currency, d.currency, d.issue_date, d.base_rate, o.base_rate AS origin_rate
		  FROM document d JOIN settings s ON d.currency <> s.base_currency
		  LEFT JOIN document o ON o.id = d.origin_id AND d.kind::text = 'credit_note' AND o.currency = d.currency
		 WHERE d.id = $1`, document)
	if err != nil {
		return d, fmt.Errorf("looking for a document's currency: %w", err)
	}
	return d, nil
}

// unrated are the documents of a day that have no rate.
type unrated struct {
	Base     money.Currency `db:"base_currency"`
	Currency money.Currency `db:"currency"`
	Date     civil.Date     `db:"issue_date"`
}

func selectUnrated(ctx context.Context, tx *tenant.Tx) ([]unrated, error) {
	var late []unrated
	err := tx.Select(ctx, &late, `
		SELECT DISTINCT s.base_currency, d.currency, d.issue_date FROM document d JOIN settings s ON d.currency <> s.base_currency
		 WHERE d.state::text <> 'draft' AND d.base_rate IS NULL ORDER BY d.issue_date`)
	if err != nil {
		return nil, fmt.Errorf("looking for documents without a rate: %w", err)
	}
	return late, nil
}

func updateDocumentRates(ctx context.Context, tx *tenant.Tx, of unrated, rate decimal.Decimal) error {
	_, err := tx.Exec(ctx, `UPDATE document SET base_rate = $3 WHERE currency = $1 AND issue_date = $2 AND state::text <> 'draft' AND base_rate IS NULL`,
		of.Currency, of.Date, rate)
	if err != nil {
		return fmt.Errorf("keeping documents' rates: %w", err)
	}
	return nil
}

func updateDocumentRate(ctx context.Context, tx *tenant.Tx, document uuid.UUID, rate decimal.Decimal) error {
	if _, err := tx.Exec(ctx, `UPDATE document SET base_rate = $2 WHERE id = $1 AND base_rate IS NULL`, document, rate); err != nil {
		return fmt.Errorf("keeping a document's rate: %w", err)
	}
	return nil
}

func updatePaymentRate(ctx context.Context, tx *tenant.Tx, payment uuid.UUID, rate decimal.Decimal) error {
	if _, err := tx.Exec(ctx, `UPDATE payment SET base_rate = $2 WHERE id = $1 AND base_rate IS NULL`, payment, rate); err != nil {
		return fmt.Errorf("keeping a payment's rate: %w", err)
	}
	return nil
}

// settled is what a settlement must know. Settled and Used are what is settled of the document and used of the credit note,
// less what of it has no gain told yet.
type settled struct {
	Base         money.Currency   `db:"base_currency"`
	Currency     money.Currency   `db:"currency"`
	Kind         string           `db:"kind"`
	Number       string           `db:"number"`
	IssueDate    civil.Date       `db:"issue_date"`
	Settled      int64            `db:"settled"`
	DocumentRate *decimal.Decimal `db:"document_rate"`
	OfNote       bool             `db:"of_note"` // a credit note settles, and no payment
	Used         int64            `db:"used"`
	PaymentDate  civil.Date       `db:"date"`
	PaymentRate  *decimal.Decimal `db:"payment_rate"`
	Bought       bool             `db:"bought"` // we pay: what costs more is lost
}

// selectSettled gives tenant.ErrNoRows, as it is, for a payment in the base currency.
func selectSettled(ctx context.Context, tx *tenant.Tx, s Settlement) (f settled, err error) {
	err = tx.Get(ctx, &f, `
		WITH told AS (
			SELECT d.id, d.settled - CASE WHEN d.kind::text IN ('credit_note', 'payee_credit') THEN -1 ELSE 1 END *
			           coalesce((SELECT sum(a.unrealised) FROM payment_allocation a WHERE a.document_id = d.id), 0)
			       - coalesce((SELECT sum(a.unrealised) FROM credit_allocation a WHERE d.id IN (a.document_id, a.credit_note_id)), 0) AS amount
			  FROM document d WHERE d.id = $1 OR d.id = $3
		)
		SELECT s.base_currency, d.currency, d.kind, coalesce(d.number, '') AS number, d.issue_date, t.amount::bigint AS settled,
		       d.base_rate AS document_rate, n.id IS NOT NULL AS of_note, coalesce(u.amount, 0)::bigint AS used,
		       coalesce(n.issue_date, y.date) AS date, CASE WHEN n.id IS NULL THEN y.base_rate ELSE n.base_rate END AS payment_rate,
		       d.kind::text IN ('bill', 'payee_credit') AS bought
		  FROM settings s JOIN document d ON d.id = $1 AND d.currency <> s.base_currency JOIN told t ON t.id = d.id
		  LEFT JOIN payment y ON y.id = $2 LEFT JOIN document n ON n.id = $3 LEFT JOIN told u ON u.id = n.id
		 WHERE y.id IS NOT NULL OR n.id IS NOT NULL`, s.Document, orNull(s.Payment), orNull(s.CreditNote))
	if err != nil {
		return f, fmt.Errorf("reading a settlement: %w", err)
	}
	return f, nil
}

func orNull(u uuid.UUID) any {
	if u == uuid.Nil {
		return nil
	}
	return u
}

// selectForeignPayment gives tenant.ErrNoRows, as it is, for a payment in the base currency.
func selectForeignPayment(ctx context.Context, tx *tenant.Tx, payment uuid.UUID) (p foreign, err error) {
	err = tx.Get(ctx, &p, `
		SELECT s.base_currency, y.currency, y.date AS issue_date, y.base_rate, y.direction::text = 'out' AS bought
		  FROM payment y JOIN settings s ON y.currency <> s.base_currency WHERE y.id = $1`, payment)
	if err != nil {
		return p, fmt.Errorf("looking for a payment's currency: %w", err)
	}
	return p, nil
}

func addUnrealised(ctx context.Context, tx *tenant.Tx, s Settlement) error {
	_, err := tx.Exec(ctx, `
		WITH y AS (
			UPDATE payment_allocation SET unrealised = unrealised + $4 WHERE payment_id = $1 AND document_id = $3
		)
		UPDATE credit_allocation SET unrealised = unrealised + $4 WHERE credit_note_id = $2 AND document_id = $3`,
		orNull(s.Payment), orNull(s.CreditNote), s.Document, s.Amount)
	if err != nil {
		return fmt.Errorf("keeping that a gain is still to be told: %w", err)
	}
	return nil
}

func clearUnrealised(ctx context.Context, tx *tenant.Tx, s Settlement) error {
	s.Amount = -s.Amount
	return addUnrealised(ctx, tx, s)
}

func addUnrealisedRefund(ctx context.Context, tx *tenant.Tx, refund uuid.UUID, minor int64) error {
	if _, err := tx.Exec(ctx, `UPDATE payment SET unrealised = unrealised + $2 WHERE id = $1`, refund, minor); err != nil {
		return fmt.Errorf("keeping that a gain is still to be told: %w", err)
	}
	return nil
}

func clearUnrealisedRefund(ctx context.Context, tx *tenant.Tx, refund uuid.UUID) error {
	if _, err := tx.Exec(ctx, `UPDATE payment SET unrealised = 0 WHERE id = $1`, refund); err != nil {
		return fmt.Errorf("taking up a gain that is to be told: %w", err)
	}
	return nil
}

// unrealised is an amount whose gain is still to be told. Without a document it is credit that was given back; then the
// document's rate and day are those of the payment that it came by.
type unrealised struct {
	Base         money.Currency   `db:"base_currency"`
	Currency     money.Currency   `db:"currency"`
	Payment      uuid.UUID        `db:"payment_id"`
	CreditNote   uuid.UUID        `db:"credit_note_id"`
	Origin       uuid.UUID        `db:"origin_id"`
	Document     uuid.UUID        `db:"document_id"`
	Amount       int64            `db:"amount"`
	Date         civil.Date       `db:"date"`
	PaymentDate  civil.Date       `db:"payment_date"`
	PaymentRate  *decimal.Decimal `db:"payment_rate"`
	IssueDate    civil.Date       `db:"issue_date"`
	DocumentRate *decimal.Decimal `db:"document_rate"`
}

func selectUnrealised(ctx context.Context, tx *tenant.Tx) (late []unrealised, err error) {
	err = tx.Select(ctx, &late, `
		WITH none AS (SELECT '00000000-0000-0000-0000-000000000000'::uuid AS id)
		SELECT s.base_currency, y.currency, y.id AS payment_id, none.id AS credit_note_id, none.id AS origin_id, d.id AS document_id,
		       a.unrealised AS amount, greatest(y.date, a.date) AS date, y.date AS payment_date, y.base_rate AS payment_rate, d.issue_date,
		       d.base_rate AS document_rate
		  FROM settings s CROSS JOIN none CROSS JOIN payment_allocation a JOIN payment y ON y.id = a.payment_id JOIN document d ON d.id = a.document_id
		 WHERE a.unrealised <> 0
		UNION ALL
		SELECT s.base_currency, n.currency, none.id, n.id, none.id, d.id, a.unrealised, a.date, n.issue_date, n.base_rate, d.issue_date, d.base_rate
		  FROM settings s CROSS JOIN none CROSS JOIN credit_allocation a JOIN document n ON n.id = a.credit_note_id JOIN document d ON d.id = a.document_id
		 WHERE a.unrealised <> 0
		UNION ALL
		SELECT s.base_currency, y.currency, y.id, none.id, o.id, none.id, y.unrealised, y.date, y.date, y.base_rate, o.date, o.base_rate
		  FROM settings s CROSS JOIN none CROSS JOIN payment y JOIN payment o ON o.id = y.refund_of
		 WHERE y.unrealised <> 0
		 ORDER BY date, payment_id, credit_note_id, document_id`)
	if err != nil {
		return nil, fmt.Errorf("looking for gains that are to be told: %w", err)
	}
	return late, nil
}

func selectGain(ctx context.Context, tx *tenant.Tx, payment uuid.UUID) (g Gain, err error) {
	var row struct {
		Base    money.Currency `db:"base_currency"`
		Gained  int64          `db:"gained"`
		Waiting bool           `db:"waiting"`
	}
	err = tx.Get(ctx, &row, `
		SELECT s.base_currency,
		       (SELECT coalesce(-sum(l.amount), 0)::bigint FROM journal_entry e JOIN journal_line l ON l.entry_id = e.id
		          JOIN account a ON a.id = l.account_id
		         WHERE e.source_kind::text = 'currency' AND e.source_id = $1 AND a.purpose = 'currency-realised') AS gained,
		       EXISTS (SELECT FROM payment_allocation a WHERE a.payment_id = $1 AND a.unrealised <> 0)
		           OR EXISTS (SELECT FROM payment y WHERE y.id = $1 AND y.unrealised <> 0) AS waiting
		  FROM settings s`, payment)
	if err != nil {
		return g, fmt.Errorf("reading what a payment gained: %w", err)
	}
	return Gain{money.Amount{Minor: row.Gained, Currency: row.Base}, row.Waiting}, nil
}
