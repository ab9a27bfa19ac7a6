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

// settled is what a settlement must know.
type settled struct {
	Base         money.Currency   `db:"base_currency"`
	Currency     money.Currency   `db:"currency"`
	Number       string           `db:"number"`
	IssueDate    civil.Date       `db:"issue_date"`
	Settled      int64            `db:"settled"`
	DocumentRate *decimal.Decimal `db:"document_rate"`
	PaymentDate  civil.Date       `db:"date"`
	PaymentRate  *decimal.Decimal `db:"payment_rate"`
}

// selectSettled gives tenant.ErrNoRows, as it is, for a payment in the base currency.
func selectSettled(ctx context.Context, tx *tenant.Tx, s Settlement) (f settled, err error) {
	err = tx.Get(ctx, &f, `
		SELECT s.base_currency, d.currency, coalesce(d.number, '') AS number, d.issue_date, d.settled, d.base_rate AS document_rate,
		       y.date, y.base_rate AS payment_rate
		  FROM settings s JOIN document d ON d.id = $1 AND d.currency <> s.base_currency JOIN payment y ON y.id = $2`, s.Document, s.Payment)
	if err != nil {
		return f, fmt.Errorf("reading a settlement: %w", err)
	}
	return f, nil
}
