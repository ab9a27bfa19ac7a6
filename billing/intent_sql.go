package billing

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/countinghouse/countinghouse/internal/cursor"
	"github.com/countinghouse/countinghouse/tenant"
)

const intentColumns = `i.id, i.kind, i.state, i.gateway_account_id, g.kind AS gateway_kind, g.name AS gateway_name, i.customer_id,
	i.document_id, coalesce(d.number, '') AS invoice_number, i.method_id, i.charge_id, coalesce(c.ref, '') AS charge_ref,
	i.currency, i.amount, i.ref, i.reason, i.keep, i.created_at, i.called_at, i.settled_at,
	CASE WHEN i.kind::text = 'refund' THEN 0 ELSE
	    coalesce((SELECT sum(m.amount) FROM gateway_movement m WHERE m.intent_id = i.id AND m.kind::text <> 'fee'), 0)::bigint
	  - coalesce((SELECT sum(r.amount) FROM payment_intent r
	               WHERE r.document_id = i.document_id AND r.charge_id = i.id AND r.settled_at IS NULL), 0)::bigint END AS left_over`

const intentsFrom = `SELECT ` + intentColumns + `
	  FROM payment_intent i
	  JOIN gateway_account g ON g.id = i.gateway_account_id
	  JOIN document d ON d.id = i.document_id
	  LEFT JOIN payment_intent c ON c.id = i.charge_id`

func insertIntent(ctx context.Context, tx *tenant.Tx, i Intent) error {
	_, err := tx.Exec(ctx, `
		INSERT INTO payment_intent (id, kind, state, gateway_account_id, customer_id, document_id, method_id, charge_id, currency, amount,
		       ref, keep, created_at)
		VALUES ($1, $2, 'ready', $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)`,
		i.ID, string(i.Kind), i.GatewayID, i.CustomerID, i.InvoiceID, orNull(i.MethodID.UUID), orNull(i.ChargeID.UUID), i.Currency, i.Minor,
		i.Ref, i.Keep, tx.Now())
	if tenant.Violates(err) == "payment_intent_live" {
		return ErrChargeUnderWay.Because(err)
	} else if err != nil {
		return fmt.Errorf("storing an intent: %w", err)
	}
	return nil
}

func intentFault(err error, doing string) error {
	if errors.Is(err, tenant.ErrNoRows) {
		return ErrIntentNotFound
	} else if err != nil {
		return fmt.Errorf("%s: %w", doing, err)
	}
	return nil
}

func selectIntent(ctx context.Context, tx *tenant.Tx, intent IntentID) (i Intent, err error) {
	if err := tx.Get(ctx, &i, intentsFrom+` WHERE i.id = $1`, intent); err != nil {
		return Intent{}, intentFault(err, "reading an intent") // what is half read could look settled
	}
	return i, nil
}

// lockIntent reads it so that nobody else settles it before the transaction ends. The lock is a statement of its own:
// after a wait, what is read with it would be older than what came first.
func lockIntent(ctx context.Context, tx *tenant.Tx, intent IntentID) (Intent, error) {
	n, err := tx.Exec(ctx, `SELECT FROM payment_intent WHERE id = $1 FOR NO KEY UPDATE`, intent)
	if err != nil {
		return Intent{}, fmt.Errorf("locking an intent: %w", err)
	}
	if n == 0 {
		return Intent{}, ErrIntentNotFound
	}
	return selectIntent(ctx, tx, intent)
}

func updateIntentCalled(ctx context.Context, tx *tenant.Tx, intent IntentID) (bool, error) {
	n, err := tx.Exec(ctx, `UPDATE payment_intent SET state = 'called', called_at = $2 WHERE id = $1 AND state::text = 'ready'`, intent, tx.Now())
	if err != nil {
		return false, fmt.Errorf("claiming an intent: %w", err)
	}
	return n == 1, nil
}

func updateIntentUnknown(ctx context.Context, tx *tenant.Tx, intent IntentID) error {
	_, err := tx.Exec(ctx, `UPDATE payment_intent SET state = 'unknown' WHERE id = $1 AND state::text = 'called'`, intent)
	if err != nil {
		return fmt.Errorf("freezing an intent: %w", err)
	}
	return nil
}

func updateIntentState(ctx context.Context, tx *tenant.Tx, intent IntentID, state IntentState, ref, reason string) error {
	_, err := tx.Exec(ctx, `
		UPDATE payment_intent SET state = $2::text, ref = CASE WHEN $3::text = '' THEN ref ELSE $3::text END, reason = $4,
		       settled_at = CASE WHEN $2::text = 'waiting' THEN NULL ELSE coalesce(settled_at, $5::timestamptz) END
		 WHERE id = $1`, intent, string(state), ref, reason, tx.Now())
	if err != nil {
		return fmt.Errorf("settling an intent: %w", err)
	}
	return nil
}

func selectInvoiceIntents(ctx context.Context, tx *tenant.Tx, invoice InvoiceID) (all []Intent, err error) {
	if err := tx.Select(ctx, &all, intentsFrom+` WHERE i.document_id = $1 ORDER BY i.id DESC`, invoice); err != nil {
		return nil, fmt.Errorf("listing an invoice's intents: %w", err)
	}
	return all, nil
}

const intentsWhere = intentsFrom + `
	 WHERE ($1::uuid IS NULL OR i.customer_id = $1)
	   AND ($2::uuid IS NULL OR i.document_id = $2)`

func selectIntents(ctx context.Context, tx *tenant.Tx, filter ChargeFilter, q cursor.Query) (all []Intent, err error) {
	customer, invoice := orNull(filter.CustomerID.UUID), orNull(filter.InvoiceID.UUID)
	if q.Backwards() {
		err = tx.Select(ctx, &all, intentsWhere+` AND i.id > $3 ORDER BY i.id LIMIT $4`, customer, invoice, q.Before, q.Fetch())
	} else {
		err = tx.Select(ctx, &all, intentsWhere+` AND ($3::uuid IS NULL OR i.id < $3) ORDER BY i.id DESC LIMIT $4`, customer, invoice, orNull(q.After), q.Fetch())
	}
	if err != nil {
		return nil, fmt.Errorf("listing intents: %w", err)
	}
	return all, nil
}

func selectOpenIntents(ctx context.Context, tx *tenant.Tx, before time.Time, limit int) (all []Intent, err error) {
	err = tx.Select(ctx, &all, intentsFrom+` WHERE i.settled_at IS NULL AND i.created_at <= $1 ORDER BY i.created_at LIMIT $2`, before, limit)
	if err != nil {
		return nil, fmt.Errorf("listing open intents: %w", err)
	}
	return all, nil
}

func selectChargeByRef(ctx context.Context, tx *tenant.Tx, account GatewayAccountID, ref string) (i Intent, err error) {
	err = tx.Get(ctx, &i, intentsFrom+`
		 JOIN gateway_movement m ON m.intent_id = i.id AND m.gateway_account_id = $1 AND m.kind::text = 'charge' AND m.ref = $2`, account, ref)
	if err != nil {
		return Intent{}, intentFault(err, "looking for a charge")
	}
	return i, nil
}
