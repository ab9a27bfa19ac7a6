package billing

import (
	"context"
	"errors"
	"fmt"

	"github.com/google/uuid"
	"github.com/shopspring/decimal"

	"github.com/countinghouse/countinghouse/billing/money"
	"github.com/countinghouse/countinghouse/internal/civil"
	"github.com/countinghouse/countinghouse/tenant"
)

func selectLateFees(ctx context.Context, tx *tenant.Tx) (LateFees, error) {
	var row struct {
		Base    money.Currency  `db:"base_currency"`
		Percent decimal.Decimal `db:"late_fee_percent"`
		Fee     int64           `db:"late_fee"`
		Days    int             `db:"late_fee_days"`
		Monthly bool            `db:"late_fee_monthly"`
		Since   civil.Date      `db:"late_fee_since"`
		Version int             `db:"version"`
	}
	err := tx.Get(ctx, &row, `SELECT base_currency, late_fee_percent, late_fee, late_fee_days, late_fee_monthly, late_fee_since, version FROM settings`)
	if err != nil {
		return LateFees{}, fmt.Errorf("reading what late fees are: %w", err)
	}
	return LateFees{Percent: row.Percent, Amount: money.Amount{Minor: row.Fee, Currency: row.Base}, Days: row.Days, Monthly: row.Monthly,
		Since: row.Since, Version: row.Version}, nil
}

func updateLateFees(ctx context.Context, tx *tenant.Tx, version int, l LateFees) error {
	var now int
	err := tx.Get(ctx, &now, `
		UPDATE settings SET late_fee_percent = $2, late_fee = $3, late_fee_days = $4, late_fee_monthly = $5, late_fee_since = $6, version = version + 1
		 WHERE $1 = 0 OR version = $1 RETURNING version`, version, l.Percent, l.Amount.Minor, l.Days, l.Monthly, l.Since)
	if errors.Is(err, tenant.ErrNoRows) {
		return ErrSettingsChanged
	} else if err != nil {
		return fmt.Errorf("changing what late fees are: %w", err)
	}
	return nil
}

// dueFee is the step of late fees that an invoice has come to and that was not charged.
type dueFee struct {
	Document uuid.UUID `db:"id"`
	Step     int       `db:"step"`
}

// selectDueFees looks at the step that was reached last: one that nobody charged in its month is not charged with the next.
func selectDueFees(ctx context.Context, tx *tenant.Tx, l LateFees, today civil.Date, invoice uuid.UUID, limit int) ([]dueFee, error) {
	var due []dueFee
	err := tx.Select(ctx, &due, `
		WITH late AS (
			SELECT d.id, d.due_date, d.due_date + $1::int AS first FROM document d JOIN party p ON p.id = d.customer_id
			 WHERE d.kind::text = 'invoice' AND d.state::text = 'issued' AND d.settled < d.total AND d.fee_step = 0
			   AND d.due_date + $1::int <= $2::date AND p.archived_at IS NULL AND ($5::uuid IS NULL OR d.id = $5)
		), reached AS (
			SELECT id, due_date, first, CASE WHEN $3::boolean
			       THEN 1 + extract(year FROM age($2::date, first)) * 12 + extract(month FROM age($2::date, first)) ELSE 1 END::int AS step
			  FROM late
		)
		SELECT r.id, r.step FROM reached r
		 WHERE (r.first + make_interval(months => r.step - 1))::date >= $4::date
		   AND NOT EXISTS (SELECT FROM document f WHERE f.origin_id = r.id AND f.kind::text = 'invoice' AND f.fee_step >= r.step)
		 ORDER BY r.due_date, r.id LIMIT $6`, l.Days, today, l.Monthly, l.Since, orNull(invoice), limit)
	if err != nil {
		return nil, fmt.Errorf("looking for invoices that a fee is due for: %w", err)
	}
	return due, nil
}

func selectFeesOf(ctx context.Context, tx *tenant.Tx, invoice InvoiceID) ([]LateFee, error) {
	var rows []struct {
		headRow
		Step int `db:"fee_step"`
	}
	err := tx.Select(ctx, &rows, `SELECT `+headColumns+`, d.fee_step`+headTables+`
		 WHERE d.origin_id = $1 AND d.kind::text = 'invoice' AND d.fee_step > 0 ORDER BY d.fee_step`, invoice)
	if err != nil {
		return nil, fmt.Errorf("listing an invoice's late fees: %w", err)
	}
	all := make([]LateFee, len(rows))
	for i, r := range rows {
		head, err := r.head(tx)
		if err != nil {
			return nil, err
		}
		h := InvoiceHead{ID: InvoiceID{UUID: r.ID}, DocumentHead: head}
		all[i] = LateFee{Invoice: h.ID, Number: h.Number, Date: h.IssueDate, Step: r.Step, Total: h.Total, Standing: h.Standing(h.Today)}
	}
	return all, nil
}
