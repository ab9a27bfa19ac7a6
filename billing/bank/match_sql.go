package bank

import (
	"context"
	"errors"
	"fmt"

	"github.com/countinghouse/countinghouse/billing"
	"github.com/countinghouse/countinghouse/billing/ledger"
	"github.com/countinghouse/countinghouse/billing/money"
	"github.com/countinghouse/countinghouse/tenant"
)

// entryOn is what an entry moves on an account.
type entryOn struct {
	Amount int64 `db:"amount"`
	Taken  bool  `db:"taken"`
	Undone bool  `db:"undone"`
}

func selectEntryOn(ctx context.Context, tx *tenant.Tx, account ledger.AccountID, currency money.Currency, entry ledger.EntryID) (e entryOn, err error) {
	err = tx.Get(ctx, &e, `
		SELECT coalesce((SELECT sum(l.amount) FROM journal_line l WHERE l.entry_id = e.id AND l.account_id = $1 AND l.currency = $2), 0)::bigint AS amount,
		       EXISTS (SELECT FROM bank_line n WHERE n.account_id = $1 AND n.entry_id = e.id) AS taken,
		       e.reverses_id IS NOT NULL OR EXISTS (SELECT FROM journal_entry r WHERE r.reverses_id = e.id) AS undone
		  FROM journal_entry e WHERE e.id = $3`, account, currency, entry)
	if errors.Is(err, tenant.ErrNoRows) {
		return e, ledger.ErrEntryNotFound
	} else if err != nil {
		return e, fmt.Errorf("looking at an entry: %w", err)
	}
	return e, nil
}

// selectTwin gives the other line of a transfer; none for any other line.
func selectTwin(ctx context.Context, tx *tenant.Tx, l Line) (twin LineID, err error) {
	if l.How != ByTransfer {
		return twin, nil
	}
	err = tx.Get(ctx, &twin, `SELECT n.id FROM bank_line n WHERE n.entry_id = $1 AND n.id <> $2 AND n.how::text = 'transfer'`, l.Entry, l.ID)
	if err != nil && !errors.Is(err, tenant.ErrNoRows) {
		return twin, fmt.Errorf("looking for the other line of a transfer: %w", err)
	}
	return twin, nil
}

// paymentOf is the payment that an entry was posted for.
type paymentOf struct {
	ID  billing.PaymentID `db:"id"`
	Out bool              `db:"out"`
}

func selectPaymentOf(ctx context.Context, tx *tenant.Tx, entry ledger.EntryID) (payment paymentOf, err error) {
	err = tx.Get(ctx, &payment, `SELECT y.id, y.direction::text = 'out' AS out FROM payment y WHERE y.entry_id = $1`, entry)
	if errors.Is(err, tenant.ErrNoRows) {
		return payment, ErrMatchInvoice
	} else if err != nil {
		return payment, fmt.Errorf("looking for the payment of an entry: %w", err)
	}
	return payment, nil
}
