package payables

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/countinghouse/countinghouse/billing"
	"github.com/countinghouse/countinghouse/billing/ledger"
	"github.com/countinghouse/countinghouse/billing/money"
	"github.com/countinghouse/countinghouse/internal/civil"
	"github.com/countinghouse/countinghouse/internal/cursor"
	"github.com/countinghouse/countinghouse/tenant"
)

// selectTwin looks for another document of the payee with the same number of theirs; ours is empty on a draft.
func selectTwin(ctx context.Context, tx *tenant.Tx, k billing.PurchaseKind, b Bill) (number string, found bool, err error) {
	err = tx.Get(ctx, &number, `
		SELECT coalesce(d.number, '') FROM document d
		 WHERE d.customer_id = $1 AND d.kind::text = $2 AND upper(d.reference) = upper($3) AND d.id <> $4 AND d.state::text <> 'void'
		 ORDER BY d.number LIMIT 1`, b.Customer.ID, string(k), b.Reference, b.ID)
	if errors.Is(err, tenant.ErrNoRows) {
		return "", false, nil
	} else if err != nil {
		return "", false, fmt.Errorf("looking for a bill with the same number: %w", err)
	}
	return number, true, nil
}

// selectMoney gives the account asked for, or the usual one. Money is on accounts of the balance sheet (that of a credit card is a
// debt, and of what an owner paid equity), but not where debts are kept.
func selectMoney(ctx context.Context, tx *tenant.Tx, wanted ledger.AccountID) (account ledger.AccountID, err error) {
	err = tx.Get(ctx, &account, `
		SELECT m.id FROM account m
		 WHERE m.archived_at IS NULL AND coalesce(m.purpose, '') NOT IN ('receivable', 'payable') AND m.kind::text IN ('asset', 'liability', 'equity')
		   AND CASE WHEN $1::uuid IS NULL THEN m.purpose = 'bank' ELSE m.id = $1 END`, orNull(wanted.UUID))
	if errors.Is(err, tenant.ErrNoRows) {
		return account, billing.ErrPaymentAccount
	} else if err != nil {
		return account, fmt.Errorf("reading what is paid from: %w", err)
	}
	return account, nil
}

// insertPayment keeps a payment or, below zero, money that came back, of a payment (origin) if it is of one.
func insertPayment(ctx context.Context, tx *tenant.Tx, payment PaymentID, in Paying, entry ledger.EntryID, origin uuid.UUID) error {
	var external any
	if in.ExternalID != "" {
		external = in.ExternalID
	}
	_, err := tx.Exec(ctx, `
		INSERT INTO payment (id, external_id, customer_id, date, currency, amount, method, reference, account_id, entry_id, created_at, direction, refund_of)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, 'out', $12)`,
		payment, external, in.Payee, in.Date, in.Amount.Currency, in.Amount.Minor, string(in.Method), in.Reference, in.Account, entry, tx.Now(), orNull(origin))
	switch {
	case tenant.Violates(err) == "payment_external_id_key":
		return ErrPaymentExternal.Because(err)
	case err != nil:
		return fmt.Errorf("recording a payment of bills: %w", err)
	}
	return nil
}

// insertTakenBack keeps the opposite of a payment, with its rate, so that what it gained is taken back too. That of money which
// came back of a payment is of that payment, as the money is.
func insertTakenBack(ctx context.Context, tx *tenant.Tx, back, payment PaymentID, entry ledger.Entry) error {
	_, err := tx.Exec(ctx, `
		INSERT INTO payment (id, customer_id, date, currency, amount, method, reference, account_id, entry_id, created_at, direction, refund_of, base_rate)
		SELECT $1::uuid, y.customer_id, $3::date, y.currency, -y.amount, y.method, y.reference, y.account_id, $4::uuid, $5::timestamptz, 'out', coalesce(y.refund_of, y.id), y.base_rate
		  FROM payment y WHERE y.id = $2`, back, payment, entry.Date, entry.ID, tx.Now())
	if err != nil {
		return fmt.Errorf("taking a payment back: %w", err)
	}
	return nil
}

func insertPart(ctx context.Context, tx *tenant.Tx, payment PaymentID, bill BillID, minor int64, since civil.Date) error {
	_, err := tx.Exec(ctx, `
		INSERT INTO payment_allocation (payment_id, document_id, amount, date) VALUES ($1, $2, $3, $4)`, payment, bill, minor, since)
	if err != nil {
		return fmt.Errorf("paying a bill: %w", err)
	}
	return nil
}

// clearUntold gives what of a part has no gain told yet, and forgets it.
func clearUntold(ctx context.Context, tx *tenant.Tx, payment PaymentID, bill BillID) (minor int64, err error) {
	err = tx.Get(ctx, &minor, `
		WITH was AS (SELECT unrealised FROM payment_allocation WHERE payment_id = $1 AND document_id = $2),
		cleared AS (UPDATE payment_allocation SET unrealised = 0 WHERE payment_id = $1 AND document_id = $2 AND unrealised <> 0)
		SELECT unrealised FROM was`, payment, bill)
	if err != nil {
		return 0, fmt.Errorf("reading what a part of a payment gained: %w", err)
	}
	return minor, nil
}

// A payment that takes another back shows with that one.
const paymentsFrom = `
	SELECT y.id, coalesce(y.external_id, '') AS external_id, y.customer_id, p.name AS payee_name, y.date, y.currency, y.amount, y.method,
	       y.reference, y.account_id, m.name AS account_name, y.entry_id, e.number AS entry_number, y.created_at, k.date AS back_on,
	       coalesce(k.number, 0) AS back_entry,
	       b.minor AS came_back, y.amount - b.minor - coalesce((SELECT sum(a.amount) FROM payment_allocation a WHERE a.payment_id = y.id), 0)::bigint AS rest,
	       y.refund_of, (SELECT json_agg(json_build_object('bill', d.id, 'kind', d.kind, 'number', d.number, 'reference', d.reference, 'amount', a.amount,
	               'date', coalesce(a.date, y.date)) ORDER BY d.number)
	          FROM payment_allocation a JOIN document d ON d.id = a.document_id WHERE a.payment_id = y.id) AS parts
	  FROM payment y
	  JOIN party p ON p.id = y.customer_id
	  JOIN account m ON m.id = y.account_id
	  JOIN journal_entry e ON e.id = y.entry_id
	  LEFT JOIN journal_entry k ON k.reverses_id = y.entry_id
	 CROSS JOIN LATERAL (SELECT CASE WHEN k.id IS NULL THEN -coalesce(sum(r.amount), 0)::bigint ELSE 0 END AS minor FROM payment r WHERE r.refund_of = y.id) b
	 WHERE y.direction::text = 'out' AND e.reverses_id IS NULL`

type paymentRow struct {
	ID          PaymentID        `db:"id"`
	ExternalID  string           `db:"external_id"`
	Payee       billing.PayeeID  `db:"customer_id"`
	PayeeName   string           `db:"payee_name"`
	Date        civil.Date       `db:"date"`
	Currency    money.Currency   `db:"currency"`
	Amount      int64            `db:"amount"`
	Rest        int64            `db:"rest"`
	Method      billing.Method   `db:"method"`
	Reference   string           `db:"reference"`
	Account     ledger.AccountID `db:"account_id"`
	AccountName string           `db:"account_name"`
	Entry       ledger.EntryID   `db:"entry_id"`
	EntryNumber int64            `db:"entry_number"`
	CreatedAt   time.Time        `db:"created_at"`
	BackOn      civil.Date       `db:"back_on"`
	BackEntry   int64            `db:"back_entry"`
	CameBack    int64            `db:"came_back"`
	RefundOf    PaymentID        `db:"refund_of"`
	Parts       []byte           `db:"parts"`
}

func (r paymentRow) payment() (Payment, error) {
	amount := func(minor int64) money.Amount { return money.Amount{Minor: minor, Currency: r.Currency} }
	p := Payment{ID: r.ID, ExternalID: r.ExternalID, Payee: r.Payee, PayeeName: r.PayeeName, Date: r.Date, Amount: amount(r.Amount), Left: amount(r.Rest),
		Method: r.Method, Reference: r.Reference, Account: r.Account, AccountName: r.AccountName, Entry: r.Entry, EntryNumber: r.EntryNumber,
		CreatedAt: r.CreatedAt, TakenBackOn: r.BackOn, BackEntry: r.BackEntry,
		CameBack: amount(r.CameBack), RefundOf: r.RefundOf}
	if !r.BackOn.IsZero() || p.IsBack() {
		p.Left = amount(0)
	}
	if r.Parts == nil {
		return p, nil
	}
	var parts []struct {
		Bill      BillID               `json:"bill"`
		Kind      billing.PurchaseKind `json:"kind"`
		Number    string               `json:"number"`
		Reference string               `json:"reference"`
		Amount    int64                `json:"amount"`
		Date      civil.Date           `json:"date"`
	}
	if err := json.Unmarshal(r.Parts, &parts); err != nil {
		return p, fmt.Errorf("reading what a payment pays: %w", err)
	}
	for _, x := range parts {
		p.Parts = append(p.Parts, PaidPart{x.Bill, x.Kind, x.Number, x.Reference, amount(x.Amount), x.Date})
	}
	return p, nil
}

func payments(rows []paymentRow) ([]Payment, error) {
	all := make([]Payment, len(rows))
	for i, r := range rows {
		var err error
		if all[i], err = r.payment(); err != nil {
			return nil, err
		}
	}
	return all, nil
}

func selectPayment(ctx context.Context, tx *tenant.Tx, payment PaymentID) (Payment, error) {
	var row paymentRow
	err := tx.Get(ctx, &row, paymentsFrom+` AND y.id = $1`, payment)
	if errors.Is(err, tenant.ErrNoRows) {
		return Payment{}, ErrPaymentNotFound
	} else if err != nil {
		return Payment{}, fmt.Errorf("reading a payment of bills: %w", err)
	}
	return row.payment()
}

// lockPayment locks the payee of a payment, and reads it: whoever moves what is owed to a payee holds the payee.
func lockPayment(ctx context.Context, tx *tenant.Tx, payment PaymentID) (Payment, error) {
	var payee billing.PayeeID
	err := tx.Get(ctx, &payee, `SELECT y.customer_id FROM payment y WHERE y.id = $1 AND y.direction::text = 'out'`, payment)
	if errors.Is(err, tenant.ErrNoRows) {
		return Payment{}, ErrPaymentNotFound
	} else if err != nil {
		return Payment{}, fmt.Errorf("looking for a payment's payee: %w", err)
	}
	if _, err := billing.LockPayee(ctx, tx, payee); err != nil {
		return Payment{}, err
	}
	return selectPayment(ctx, tx, payment)
}

func selectPayments(ctx context.Context, tx *tenant.Tx, filter Filter, q cursor.Query) ([]Payment, error) {
	const where = paymentsFrom + `
	   AND ($1::uuid IS NULL OR y.customer_id = $1) AND ($2::date IS NULL OR y.date >= $2) AND ($3::date IS NULL OR y.date <= $3)`
	var rows []paymentRow
	var err error
	if q.Backwards() {
		err = tx.Select(ctx, &rows, where+` AND y.id > $4 ORDER BY y.id LIMIT $5`, orNull(filter.Payee.UUID), filter.From, filter.To, q.Before, q.Fetch())
	} else {
		err = tx.Select(ctx, &rows, where+` AND ($4::uuid IS NULL OR y.id < $4) ORDER BY y.id DESC LIMIT $5`,
			orNull(filter.Payee.UUID), filter.From, filter.To, orNull(q.After), q.Fetch())
	}
	if err != nil {
		return nil, fmt.Errorf("listing payments of bills: %w", err)
	}
	return payments(rows)
}

func selectAdvances(ctx context.Context, tx *tenant.Tx, payee billing.PayeeID, c money.Currency) ([]Payment, error) {
	var rows []paymentRow
	err := tx.Select(ctx, &rows, paymentsFrom+` AND y.customer_id = $1 AND y.currency = $2 AND k.id IS NULL
		   AND y.amount - b.minor > coalesce((SELECT sum(a.amount) FROM payment_allocation a WHERE a.payment_id = y.id), 0) AND y.amount > 0
		 ORDER BY y.id LIMIT 100`, payee, c)
	if err != nil {
		return nil, fmt.Errorf("listing what was paid in advance: %w", err)
	}
	return payments(rows)
}
