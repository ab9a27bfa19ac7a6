package billing

import (
	"context"
	"errors"
	"fmt"

	"github.com/countinghouse/countinghouse/billing/money"
	"github.com/countinghouse/countinghouse/internal/civil"
	"github.com/countinghouse/countinghouse/tenant"
)

// lockPayer lets one transaction at a time move a customer's credit, as lockCustomerOf does.
func lockPayer(ctx context.Context, tx *tenant.Tx, customer CustomerID) error {
	var found CustomerID
	err := tx.Get(ctx, &found, `SELECT p.id FROM party p WHERE p.id = $1 FOR NO KEY UPDATE`, customer)
	if errors.Is(err, tenant.ErrNoRows) {
		return ErrCustomerNotFound
	} else if err != nil {
		return fmt.Errorf("locking a customer's credit: %w", err)
	}
	return nil
}

// lockPayment locks the customer of a payment, which comes before the lock of any document, and reads the payment.
func lockPayment(ctx context.Context, tx *tenant.Tx, payment PaymentID) (Payment, error) {
	var customer CustomerID
	err := tx.Get(ctx, &customer, `SELECT y.customer_id FROM payment y WHERE y.id = $1 AND y.direction::text = 'in'`, payment)
	if errors.Is(err, tenant.ErrNoRows) {
		return Payment{}, ErrPaymentNotFound
	} else if err != nil {
		return Payment{}, fmt.Errorf("looking for a payment: %w", err)
	}
	if err := lockPayer(ctx, tx, customer); err != nil {
		return Payment{}, err
	}
	return selectPayment(ctx, tx, payment)
}

// selectHeld gives what there still is of a payment and of what was given back of it. Each payment counts once, however
// many documents it settles.
func selectHeld(ctx context.Context, tx *tenant.Tx, payment PaymentID) (held, error) {
	var row struct {
		Came     int64  `db:"came"`
		Gone     int64  `db:"gone"`
		Invoices []byte `db:"invoices"`
	}
	err := tx.Get(ctx, &row, `
		WITH y AS (
			SELECT id, amount, date FROM payment WHERE id = $1 OR refund_of = $1
		), a AS (
			SELECT a.document_id, sum(a.amount)::bigint AS amount, max(coalesce(a.date, y.date)) FILTER (WHERE a.amount > 0) AS date
			  FROM y JOIN payment_allocation a ON a.payment_id = y.id GROUP BY a.document_id
		)
		SELECT (SELECT coalesce(sum(y.amount), 0) FROM y)::bigint AS came, (SELECT coalesce(sum(a.amount), 0) FROM a)::bigint AS gone,
		       (SELECT json_agg(json_build_object('document_id', a.document_id, 'amount', a.amount, 'date', a.date) ORDER BY a.date DESC, d.due_date DESC, d.id DESC)
		          FROM a JOIN document d ON d.id = a.document_id AND d.kind::text = 'invoice' WHERE a.amount > 0) AS invoices`, payment)
	if err != nil {
		return held{}, fmt.Errorf("reading what there is of a payment: %w", err)
	}
	h := held{credit: row.Came - row.Gone}
	return h, fromJSON(row.Invoices, &h.invoices)
}

// deleteAllocations takes a payment, and what was given back of it, off an invoice. told is the part whose gain on foreign
// currency was told.
func deleteAllocations(ctx context.Context, tx *tenant.Tx, payment PaymentID, invoice InvoiceID) (gone, told int64, err error) {
	var row struct {
		Gone int64 `db:"gone"`
		Told int64 `db:"told"`
	}
	err = tx.Get(ctx, &row, `
		WITH gone AS (
			DELETE FROM payment_allocation a USING payment y
			 WHERE y.id = a.payment_id AND (y.id = $1 OR y.refund_of = $1) AND a.document_id = $2
			RETURNING a.amount, a.unrealised
		)
		SELECT coalesce(sum(amount), 0)::bigint AS gone, coalesce(sum(amount - unrealised), 0)::bigint AS told FROM gone`, payment, invoice)
	if err != nil {
		return 0, 0, fmt.Errorf("taking a payment off an invoice: %w", err)
	}
	return row.Gone, row.Told, nil
}

// selectCredits lists what is left of a customer's payments and credit notes.
func selectCredits(ctx context.Context, tx *tenant.Tx, customer CustomerID, in money.Currency) ([]CustomerCredit, error) {
	var rows []struct {
		Payment    PaymentID      `db:"payment_id"`
		CreditNote CreditNoteID   `db:"credit_note_id"`
		Number     string         `db:"number"`
		Date       civil.Date     `db:"date"`
		Currency   money.Currency `db:"currency"`
		Remains    int64          `db:"remains"`
	}
	err := tx.Select(ctx, &rows, `
		WITH came AS (
			SELECT coalesce(y.refund_of, y.id) AS id, sum(y.amount) AS amount FROM payment y
			 WHERE y.customer_id = $1 AND y.direction::text = 'in' GROUP BY coalesce(y.refund_of, y.id)
		), gone AS (
			SELECT coalesce(y.refund_of, y.id) AS id, sum(a.amount) AS amount FROM payment y JOIN payment_allocation a ON a.payment_id = y.id
			 WHERE y.customer_id = $1 AND y.direction::text = 'in' GROUP BY coalesce(y.refund_of, y.id)
		)
		SELECT y.id AS payment_id, NULL::uuid AS credit_note_id, y.reference AS number, y.date, y.currency,
		       (c.amount - coalesce(g.amount, 0))::bigint AS remains
		  FROM came c JOIN payment y ON y.id = c.id LEFT JOIN gone g ON g.id = c.id
		 WHERE c.amount > coalesce(g.amount, 0) AND ($2::varchar IS NULL OR y.currency = $2)
		UNION ALL
		SELECT NULL, d.id, d.number, d.issue_date, d.currency, d.total - d.settled FROM document d
		 WHERE d.customer_id = $1 AND d.kind::text = 'credit_note' AND d.state::text = 'issued' AND d.settled < d.total
		   AND ($2::varchar IS NULL OR d.currency = $2)
		 ORDER BY date, payment_id, credit_note_id LIMIT 200`, customer, textOrNull(in.Code()))
	if err != nil {
		return nil, fmt.Errorf("listing a customer's credit: %w", err)
	}
	all := make([]CustomerCredit, len(rows))
	for i, r := range rows {
		all[i] = CustomerCredit{Payment: r.Payment, CreditNote: r.CreditNote, Number: r.Number, Date: r.Date,
			Left: money.Amount{Minor: r.Remains, Currency: r.Currency}}
	}
	return all, nil
}
