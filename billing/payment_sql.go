package billing

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/countinghouse/countinghouse/billing/ledger"
	"github.com/countinghouse/countinghouse/billing/money"
	"github.com/countinghouse/countinghouse/internal/civil"
	"github.com/countinghouse/countinghouse/internal/cursor"
	"github.com/countinghouse/countinghouse/tenant"
)

// paymentAccounts is where a payment is posted, and where days begin.
type paymentAccounts struct {
	Money      ledger.AccountID `db:"money"`
	Receivable ledger.AccountID `db:"receivable"`
	TimeZone   string           `db:"time_zone"`
	zone       *time.Location
}

// selectPaymentAccounts takes the account asked for, or the usual one. Money is on accounts of the balance sheet, but a
// payment that lands where debts are kept would be no payment.
func selectPaymentAccounts(ctx context.Context, tx *tenant.Tx, wanted ledger.AccountID) (accounts paymentAccounts, err error) {
	err = tx.Get(ctx, &accounts, `
		SELECT s.time_zone, r.id AS receivable, m.id AS money
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

// insertPayment keeps a payment and settles as much of its invoice, which the caller has locked.
func insertPayment(ctx context.Context, tx *tenant.Tx, payment PaymentID, in PaymentInput, invoice lockedDocument,
	account ledger.AccountID, entry ledger.Entry) (Payment, error) {
	var name string
	err := tx.Get(ctx, &name, `
		WITH y AS (
			INSERT INTO payment (id, external_id, customer_id, date, currency, amount, method, reference, account_id, entry_id, created_at)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
			RETURNING id, amount, customer_id
		), a AS (
			INSERT INTO payment_allocation (payment_id, document_id, amount) SELECT y.id, $12::uuid, y.amount FROM y
		), d AS (
			UPDATE document SET settled = settled + y.amount, version = version + 1 FROM y WHERE document.id = $12::uuid
		)
		SELECT p.name FROM y JOIN party p ON p.id = y.customer_id`,
		payment, textOrNull(in.ExternalID), invoice.Customer, in.Date, in.Amount.Currency, in.Amount.Minor, string(in.Method),
		in.Reference, account, entry.ID, tx.Now(), in.InvoiceID)
	switch {
	case tenant.Violates(err) == "payment_external_id_key":
		return Payment{}, ErrPaymentExternal.Because(err)
	case err != nil:
		return Payment{}, fmt.Errorf("recording a payment: %w", err)
	}
	return Payment{
		ID: payment, ExternalID: in.ExternalID, CustomerID: invoice.Customer, CustomerName: name, InvoiceID: in.InvoiceID,
		InvoiceNumber: invoice.Number, Date: in.Date, Amount: in.Amount, Method: in.Method, Reference: in.Reference,
		Account: account, Entry: entry.ID, EntryNumber: entry.Number, CreatedAt: tx.Now(),
	}, nil
}

const paymentsFrom = `
	SELECT y.id, coalesce(y.external_id, '') AS external_id, y.customer_id, p.name AS customer_name, d.id AS invoice_id,
	       coalesce(d.number, '') AS invoice_number, y.date, y.currency, y.amount, y.method, y.reference, y.account_id,
	       y.entry_id, e.number AS entry_number, y.created_at
	  FROM payment y
	  JOIN party p ON p.id = y.customer_id
	  LEFT JOIN payment_allocation a ON a.payment_id = y.id -- what a customer paid too much settles nothing
	  LEFT JOIN document d ON d.id = a.document_id
	  JOIN journal_entry e ON e.id = y.entry_id`

type paymentRow struct {
	ID            PaymentID        `db:"id"`
	ExternalID    string           `db:"external_id"`
	CustomerID    CustomerID       `db:"customer_id"`
	CustomerName  string           `db:"customer_name"`
	InvoiceID     InvoiceID        `db:"invoice_id"`
	InvoiceNumber string           `db:"invoice_number"`
	Date          civil.Date       `db:"date"`
	Currency      money.Currency   `db:"currency"`
	Amount        int64            `db:"amount"`
	Method        Method           `db:"method"`
	Reference     string           `db:"reference"`
	Account       ledger.AccountID `db:"account_id"`
	Entry         ledger.EntryID   `db:"entry_id"`
	EntryNumber   int64            `db:"entry_number"`
	CreatedAt     time.Time        `db:"created_at"`
}

func (r paymentRow) payment() Payment {
	return Payment{
		ID: r.ID, ExternalID: r.ExternalID, CustomerID: r.CustomerID, CustomerName: r.CustomerName, InvoiceID: r.InvoiceID,
		InvoiceNumber: r.InvoiceNumber, Date: r.Date, Amount: money.Amount{Minor: r.Amount, Currency: r.Currency},
		Method: r.Method, Reference: r.Reference, Account: r.Account, Entry: r.Entry, EntryNumber: r.EntryNumber,
		CreatedAt: r.CreatedAt,
	}
}

func selectPayment(ctx context.Context, tx *tenant.Tx, payment PaymentID) (Payment, error) {
	var row paymentRow
	err := tx.Get(ctx, &row, paymentsFrom+` WHERE y.id = $1`, payment)
	if errors.Is(err, tenant.ErrNoRows) {
		return Payment{}, ErrPaymentNotFound
	} else if err != nil {
		return Payment{}, fmt.Errorf("reading a payment: %w", err)
	}
	return row.payment(), nil
}

const paymentsWhere = paymentsFrom + `
	 WHERE ($1::uuid IS NULL OR y.customer_id = $1)
	   AND ($2::uuid IS NULL OR d.id = $2)
	   AND ($3::date IS NULL OR y.date >= $3)
	   AND ($4::date IS NULL OR y.date <= $4)`

func selectPayments(ctx context.Context, tx *tenant.Tx, filter PaymentFilter, q cursor.Query) ([]Payment, error) {
	var rows []paymentRow
	var err error
	if q.Backwards() {
		err = tx.Select(ctx, &rows, paymentsWhere+` AND y.id > $5 ORDER BY y.id LIMIT $6`,
			orNull(filter.CustomerID.UUID), orNull(filter.InvoiceID.UUID), filter.From, filter.To, q.Before, q.Fetch())
	} else {
		err = tx.Select(ctx, &rows, paymentsWhere+` AND ($5::uuid IS NULL OR y.id < $5) ORDER BY y.id DESC LIMIT $6`,
			orNull(filter.CustomerID.UUID), orNull(filter.InvoiceID.UUID), filter.From, filter.To, orNull(q.After), q.Fetch())
	}
	if err != nil {
		return nil, fmt.Errorf("listing payments: %w", err)
	}
	payments := make([]Payment, len(rows))
	for i, r := range rows {
		payments[i] = r.payment()
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
		WHERE external_id IN (SELECT jsonb_array_elements_text($1::jsonb))`, wanted)
	if err != nil {
		return nil, fmt.Errorf("looking for payments: %w", err)
	}
	return byExternalID(rows), nil
}
