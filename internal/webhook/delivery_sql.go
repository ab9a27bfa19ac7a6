package webhook

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/countinghouse/countinghouse/internal/cursor"
	"github.com/countinghouse/countinghouse/tenant"
)

const deliveryColumns = `SELECT d.id, d.event, d.object, d.object_id, d.occurred_at, d.state, d.tries, d.next_at, d.tried_at, d.status, d.problem, d.answer
	FROM webhook_delivery d`

// listening is an endpoint that is on.
type listening struct {
	ID     EndpointID `db:"id"`
	Events string     `db:"events"`
}

func selectListening(ctx context.Context, tx *tenant.Tx) (all []listening, err error) {
	if err := tx.Select(ctx, &all, `SELECT id, events FROM webhook_endpoint WHERE disabled_at IS NULL ORDER BY id`); err != nil {
		return nil, fmt.Errorf("looking for webhooks: %w", err)
	}
	return all, nil
}

func insertDelivery(ctx context.Context, tx *tenant.Tx, endpoint EndpointID, d Delivery) error {
	// The endpoint may be removed at this moment by somebody else: then nobody is to be told.
	_, err := tx.Exec(ctx, `
		INSERT INTO webhook_delivery (endpoint_id, id, event, object, object_id, occurred_at, state, next_at)
		SELECT e.id, $2, $3, $4, $5, $6, 'pending', $6 FROM (SELECT id FROM webhook_endpoint WHERE id = $1 FOR KEY SHARE) e`,
		endpoint, d.ID, d.Event, d.Object, d.ObjectID, tx.Now())
	if err != nil {
		return fmt.Errorf("queueing a message: %w", err)
	}
	return nil
}

func selectDelivery(ctx context.Context, tx *tenant.Tx, endpoint EndpointID, delivery DeliveryID) (d Delivery, err error) {
	err = tx.Get(ctx, &d, deliveryColumns+` WHERE d.endpoint_id = $1 AND d.id = $2`, endpoint, delivery)
	if errors.Is(err, tenant.ErrNoRows) {
		return d, ErrDeliveryNotFound
	} else if err != nil {
		return d, fmt.Errorf("reading a message: %w", err)
	}
	return d, nil
}

func selectDeliveries(ctx context.Context, tx *tenant.Tx, endpoint EndpointID, q cursor.Query) (all []Delivery, err error) {
	if q.Backwards() {
		err = tx.Select(ctx, &all, deliveryColumns+` WHERE d.endpoint_id = $1 AND d.id > $2 ORDER BY d.id LIMIT $3`, endpoint, q.Before, q.Fetch())
	} else {
		err = tx.Select(ctx, &all, deliveryColumns+` WHERE d.endpoint_id = $1 AND ($2::uuid IS NULL OR d.id < $2) ORDER BY d.id DESC LIMIT $3`,
			endpoint, orNull(q.After), q.Fetch())
	}
	if err != nil {
		return nil, fmt.Errorf("listing messages: %w", err)
	}
	return all, nil
}

func orNull(u uuid.UUID) any {
	if u == uuid.Nil {
		return nil
	}
	return u
}

// updateTried keeps what became of a try; false when another run of it was faster.
func updateTried(ctx context.Context, tx *tenant.Tx, a attempt, state string, next *time.Time, o outcome) (bool, error) {
	n, err := tx.Exec(ctx, `
		UPDATE webhook_delivery SET state = $4, next_at = $5, tried_at = $6, status = $7, problem = $8, answer = $9, tries = tries + 1
		 WHERE endpoint_id = $1 AND id = $2 AND state::text = 'pending' AND tries = $3`,
		a.Endpoint, a.Delivery, a.Try, state, next, tx.Now(), o.status, o.problem, o.answer)
	if err != nil {
		return false, fmt.Errorf("noting what became of a message: %w", err)
	}
	return n > 0, nil
}

// updateDropped gives up a message without a try.
func updateDropped(ctx context.Context, tx *tenant.Tx, a attempt, problem string) error {
	_, err := tx.Exec(ctx, `
		UPDATE webhook_delivery SET state = 'failed', next_at = NULL, status = 0, problem = $3, answer = ''
		 WHERE endpoint_id = $1 AND id = $2 AND state::text = 'pending'`, a.Endpoint, a.Delivery, problem)
	if err != nil {
		return fmt.Errorf("giving up a message: %w", err)
	}
	return nil
}

func updateAgain(ctx context.Context, tx *tenant.Tx, endpoint EndpointID, delivery DeliveryID) (tries int, err error) {
	err = tx.Get(ctx, &tries, `
		UPDATE webhook_delivery SET tries = CASE WHEN state::text = 'pending' THEN tries ELSE 0 END, state = 'pending', next_at = $3
		 WHERE endpoint_id = $1 AND id = $2 RETURNING tries`, endpoint, delivery, tx.Now())
	if err != nil {
		return 0, fmt.Errorf("sending a message again: %w", err)
	}
	return tries, nil
}

func deleteOld(ctx context.Context, tx *tenant.Tx, before time.Time) error {
	if _, err := tx.Exec(ctx, `DELETE FROM webhook_delivery WHERE occurred_at < $1 AND state::text <> 'pending'`, before); err != nil {
		return fmt.Errorf("clearing old messages: %w", err)
	}
	return nil
}

func selectLate(ctx context.Context, tx *tenant.Tx, before time.Time) (all []attempt, err error) {
	var rows []struct {
		Endpoint EndpointID `db:"endpoint_id"`
		ID       DeliveryID `db:"id"`
		Tries    int        `db:"tries"`
	}
	err = tx.Select(ctx, &rows, `SELECT endpoint_id, id, tries FROM webhook_delivery WHERE state::text = 'pending' AND next_at < $1 ORDER BY id LIMIT 1000`, before)
	if err != nil {
		return nil, fmt.Errorf("looking for late messages: %w", err)
	}
	for _, row := range rows {
		all = append(all, attempt{row.Endpoint, row.ID, row.Tries})
	}
	return all, nil
}
