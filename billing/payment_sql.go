package billing

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/countinghouse/countinghouse/billing/ledger"
	"github.com/countinghouse/countinghouse/billing/money"
	"github.com/countinghouse/countinghouse/internal/civil"
	"github.com/countinghouse/countinghouse/internal/cursor"
	"github.com/countinghouse/countinghouse/tenant"
)

// paymentAccounts is where a payment is posted, and where days begin.
type paymentAccounts struct {
	Money    ledger.AccountID `db:"money"`
	TimeZone string           `db:"time_zone"`
	zone     *time.Location
}

// selectPaymentAccounts takes the account asked for, or the usual one. Money is on accounts of the balance sheet, but a
// payment that lands where debts are kept would be no payment.
func selectPaymentAccounts(ctx context.Context, tx *tenant.Tx, wanted ledger.AccountID) (accounts paymentAccounts, err error) {
	err = tx.Get(ctx, &accounts, `
		SELECT s.time_zone, m.id AS money
		  FROM settings s, account r, account m
		 WHERE r.purpose = 'receivable' AND m.id <> r.id AND m.archived_at IS NULL
		   AND m.kind::text IN ('asset', 'liability', 'equity')
		   AND CASE WHEN $1::uuid IS NULL THEN m.purpose = 'bank' ELSE m.id = $1 END`, orNull(wanted.UUID))
	if errors.Is(err, tenant.ErrNoRows) {
		return accounts, ErrPaymentAccount
	} else if err != nil {
		return accounts, fmt.Errorf("reading a payment's accounts: %w", err)
	}
	accounts.zone, err = storedZone(accounts.TimeZone)
	return accounts, err
}

// insertPayment keeps a payment or, below zero, what was given back.
func insertPayment(ctx context.Context, tx *tenant.Tx, r receipt) error {
	_, err := tx.Exec(ctx, `
		INSERT INTO payment (id, external_id, customer_id, date, currency, amount, method, reference, account_id, entry_id, refund_of, created_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)`,
		r.payment, textOrNull(r.ExternalID), r.customer, r.Date, r.Amount.Currency, r.Amount.Minor, string(r.Method),
		r.Reference, r.account, r.entry.ID, orNull(r.refundOf), tx.Now())
	switch {
	case tenant.Violates(err) == "payment_external_id_key":
		return ErrPaymentExternal.Because(err)
	case err != nil:
		return fmt.Errorf("recording a payment: %w", err)
	}
	return nil
}

// upsertAllocations keeps what of a payment settles which documents, all of which the caller has locked. A document is
// settled on the later day of the payment's and its own entry, so that the two agree on every day. What a payment settles
// of a document at two times counts as of the later. What a refund opened again is settled anew from the refund's day on:
// before it the document was settled already, and would be beyond its total.
func upsertAllocations(ctx context.Context, tx *tenant.Tx, payment uuid.UUID, on civil.Date, parts []part) error {
	type row struct {
		Document uuid.UUID  `json:"document_id"`
		Amount   int64      `json:"amount"`
		Since    civil.Date `json:"since"`
	}
	rows := make([]row, 0, len(parts))
	for _, p := range parts {
		if p.minor != 0 {
			rows = append(rows, row{p.document.ID, p.minor, laterOf(on, p.since)})
		}
	}
	if len(rows) == 0 {
		return nil
	}
	written, err := toJSON(rows)
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx, `
		WITH part AS (
			SELECT x.document_id, x.amount, greatest(x.since, e.date, CASE WHEN x.amount > 0 THEN
			       (SELECT max(n.date) FROM payment_allocation n WHERE n.document_id = x.document_id AND n.amount < 0) END) AS date
			  FROM jsonb_to_recordset($2::jsonb) AS x (document_id uuid, amount bigint, since date)
			  JOIN document d ON d.id = x.document_id LEFT JOIN journal_entry e ON e.id = d.entry_id
		), a AS (
			INSERT INTO payment_allocation AS a (payment_id, document_id, amount, date)
			SELECT $1, part.document_id, part.amount, part.date FROM part
			ON CONFLICT (payment_id, document_id) DO UPDATE SET amount = a.amount + excluded.amount, date = greatest(a.date, excluded.date)
		)
		UPDATE document d SET version = d.version + 1,
		       settled = d.settled + CASE d.kind::text WHEN 'credit_note' THEN -part.amount ELSE part.amount END
		  FROM part WHERE d.id = part.document_id`, payment, written)
	if err != nil {
		return fmt.Errorf("settling documents: %w", err)
	}
	return nil
}

const paymentColumns = `
	SELECT y.id, coalesce(y.external_id, '') AS external_id, y.customer_id, p.name AS customer_name, y.date, y.currency, y.amount,
	       y.method, y.reference, y.account_id, y.entry_id, e.number AS entry_number, y.refund_of, y.created_at,
	       (SELECT json_agg(json_build_object('document_id', d.id, 'kind', d.kind, 'number', coalesce(d.number, ''),
	               'date', coalesce(a.date, y.date), 'amount', a.amount) ORDER BY d.due_date, d.id)
	          FROM payment_allocation a JOIN document d ON d.id = a.document_id WHERE a.payment_id = y.id) AS settles,
	       CASE WHEN y.amount < 0 THEN 0 ELSE coalesce((
	           SELECT sum(g.amount - coalesce((SELECT sum(a.amount) FROM payment_allocation a WHERE a.payment_id = g.id), 0))
	             FROM payment g WHERE g.id = y.id OR g.refund_of = y.id), 0) END::bigint AS remains`

const paymentsFrom = `
	  FROM payment y
	  JOIN party p ON p.id = y.customer_id
	  JOIN journal_entry e ON e.id = y.entry_id
	 WHERE y.direction::text = 'in'`

type paymentRow struct {
	ID           PaymentID        `db:"id"`
	ExternalID   string           `db:"external_id"`
	CustomerID   CustomerID       `db:"customer_id"`
	CustomerName string           `db:"customer_name"`
	Date         civil.Date       `db:"date"`
	Currency     money.Currency   `db:"currency"`
	Amount       int64            `db:"amount"`
	Method       Method           `db:"method"`
	Reference    string           `db:"reference"`
	Account      ledger.AccountID `db:"account_id"`
	Entry        ledger.EntryID   `db:"entry_id"`
	EntryNumber  int64            `db:"entry_number"`
	RefundOf     PaymentID        `db:"refund_of"`
	CreatedAt    time.Time        `db:"created_at"`
	Gateway      bool             `db:"gateway"`
	Settles      []byte           `db:"settles"`
	Remains      int64            `db:"remains"`
}

func (r paymentRow) payment() (Payment, error) {
	var parts []struct {
		Document DocumentID `json:"document_id"`
		Kind     string     `json:"kind"`
		Number   string     `json:"number"`
		Date     civil.Date `json:"date"`
		Amount   int64      `json:"amount"`
	}
	if err := fromJSON(r.Settles, &parts); err != nil {
		return Payment{}, err
	}
	amount := func(minor int64) money.Amount { return money.Amount{Minor: minor, Currency: r.Currency} }
	p := Payment{
		ID: r.ID, ExternalID: r.ExternalID, CustomerID: r.CustomerID, CustomerName: r.CustomerName, Date: r.Date, Amount: amount(r.Amount),
		Left: amount(r.Remains), RefundOf: r.RefundOf, Gateway: r.Gateway, Method: r.Method, Reference: r.Reference, Account: r.Account,
		Entry: r.Entry, EntryNumber: r.EntryNumber, CreatedAt: r.CreatedAt,
	}
	for _, s := range parts {
		p.Settles = append(p.Settles, Settled{Document: s.Document, Kind: s.Kind, Number: s.Number, Date: s.Date, Amount: amount(s.Amount)})
	}
	return p, nil
}

func selectPayment(ctx context.Context, tx *tenant.Tx, payment PaymentID) (Payment, error) {
	var row paymentRow
	err := tx.Get(ctx, &row, paymentColumns+`,
		       EXISTS (SELECT FROM gateway_account g JOIN gateway_movement m ON m.gateway_account_id = g.id
		                WHERE g.account_id = y.account_id AND m.payment_id = y.id) AS gateway`+paymentsFrom+` AND y.id = $1`, payment)
	if errors.Is(err, tenant.ErrNoRows) {
		return Payment{}, ErrPaymentNotFound
	} else if err != nil {
		return Payment{}, fmt.Errorf("reading a payment: %w", err)
	}
	return row.payment()
}

const paymentsWhere = paymentColumns + paymentsFrom + `
	   AND ($1::uuid IS NULL OR y.customer_id = $1)
	   AND ($2::uuid IS NULL OR EXISTS (SELECT FROM payment_allocation a WHERE a.payment_id = y.id AND a.document_id = $2))
	   AND ($3::date IS NULL OR y.date >= $3)
	   AND ($4::date IS NULL OR y.date <= $4)
	   AND ($5 = '' OR position(upper($5) in upper(concat_ws(' ', y.external_id, y.reference, CASE WHEN $6::boolean THEN '' ELSE p.name END, p.company))) > 0 -- as customersWhere
	        OR EXISTS (SELECT FROM payment_allocation a JOIN document d ON d.id = a.document_id WHERE a.payment_id = y.id AND position(upper($5) in upper(d.number)) > 0))`

func selectPayments(ctx context.Context, tx *tenant.Tx, filter PaymentFilter, q cursor.Query) ([]Payment, error) {
	var rows []paymentRow
	var err error
	masked := tx.Scope().Masks().Has(tenant.MaskNames)
	if q.Backwards() {
		err = tx.Select(ctx, &rows, paymentsWhere+` AND y.id > $7 ORDER BY y.id LIMIT $8`,
			orNull(filter.CustomerID.UUID), orNull(filter.InvoiceID.UUID), filter.From, filter.To, filter.Search, masked, q.Before, q.Fetch())
	} else {
		err = tx.Select(ctx, &rows, paymentsWhere+` AND ($7::uuid IS NULL OR y.id < $7) ORDER BY y.id DESC LIMIT $8`,
			orNull(filter.CustomerID.UUID), orNull(filter.InvoiceID.UUID), filter.From, filter.To, filter.Search, masked, orNull(q.After), q.Fetch())
	}
	if err != nil {
		return nil, fmt.Errorf("listing payments: %w", err)
	}
	payments := make([]Payment, len(rows))
	for i, r := range rows {
		if payments[i], err = r.payment(); err != nil {
			return nil, err
		}
	}
	return payments, nil
}

func selectPaymentIDs(ctx context.Context, tx *tenant.Tx, externalIDs []string) (map[string]PaymentID, error) {
	wanted, err := toJSON(plausibleIDs(externalIDs))
	if err != nil {
		return nil, err
	}
	var rows []known[Payment]
	err = tx.Select(ctx, &rows, `SELECT external_id, id FROM payment
		WHERE direction::text = 'in' AND external_id IN (SELECT jsonb_array_elements_text($1::jsonb))`, wanted)
	if err != nil {
		return nil, fmt.Errorf("looking for payments: %w", err)
	}
	return byExternalID(rows), nil
}
