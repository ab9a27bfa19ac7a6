package subscription

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/shopspring/decimal"

	"github.com/countinghouse/countinghouse/internal/civil"
	"github.com/countinghouse/countinghouse/tenant"
)

type eventRow struct {
	Key      string          `db:"key" json:"key"`
	Item     ItemID          `db:"item_id" json:"item_id"`
	At       time.Time       `db:"at" json:"at"`
	UsedOn   string          `db:"-" json:"used_on"`
	Quantity decimal.Decimal `db:"quantity" json:"quantity"`
	Value    string          `db:"value" json:"value"`

	day    civil.Date
	sentAt bool
}

// same reports whether an event is the one that was kept: without a time of its own, whenever it was sent.
func (r eventRow) same(sent eventRow) bool {
	return r.Item == sent.Item && r.Quantity.Equal(sent.Quantity) && r.Value == sent.Value && (!sent.sentAt || r.At.Equal(sent.At))
}

// shareSubscription reads one and which of its items are metered, so that it is not invoiced before the transaction
// ends.
func shareSubscription(ctx context.Context, tx *tenant.Tx, subscription ID) (Subscription, map[ItemID]Metered, error) {
	var locked []row
	if err := tx.Select(ctx, &locked, `SELECT `+columns+` FROM subscription s WHERE s.id = $1 FOR SHARE`, subscription); err != nil {
		return Subscription{}, nil, fmt.Errorf("locking a subscription: %w", err)
	}
	if len(locked) == 0 {
		return Subscription{}, nil, ErrNotFound
	}
	s, err := locked[0].subscription()
	if err != nil {
		return s, nil, err
	}
	var items []struct {
		Item    ItemID  `db:"item_id"`
		Metered Metered `db:"metered"`
	}
	err = tx.Select(ctx, &items, `SELECT DISTINCT item_id, metered FROM subscription_item
		 WHERE subscription_id = $1 AND NOT once AND metered <> '' AND (to_period IS NULL OR to_period >= $2)`, subscription, s.NextPeriod-1)
	if err != nil {
		return s, nil, fmt.Errorf("reading what of a subscription is metered: %w", err)
	}
	metered := map[ItemID]Metered{}
	for _, i := range items {
		metered[i.Item] = i.Metered
	}
	return s, metered, nil
}

func selectEvents(ctx context.Context, tx *tenant.Tx, subscription ID, events []Event) (map[string]eventRow, error) {
	keys := make([]string, len(events))
	for i, e := range events {
		keys[i] = e.Key
	}
	wanted, err := json.Marshal(keys)
	if err != nil {
		return nil, fmt.Errorf("writing the keys of events: %w", err)
	}
	var rows []eventRow
	err = tx.Select(ctx, &rows, `SELECT key, item_id, at, quantity, value FROM usage_event
		 WHERE subscription_id = $1 AND key IN (SELECT jsonb_array_elements_text($2::jsonb))`, subscription, string(wanted))
	if err != nil {
		return nil, fmt.Errorf("looking for events: %w", err)
	}
	known := make(map[string]eventRow, len(rows))
	for _, r := range rows {
		known[r.Key] = r
	}
	return known, nil
}

func insertEvents(ctx context.Context, tx *tenant.Tx, subscription ID, rows []eventRow) (int, error) {
	all, err := json.Marshal(rows)
	if err != nil {
		return 0, fmt.Errorf("writing events: %w", err)
	}
	// Who sends the same at the same moment waits here, and then keeps none.
	n, err := tx.Exec(ctx, `
		INSERT INTO usage_event (subscription_id, key, item_id, at, used_on, quantity, value)
		SELECT $1, x.key, x.item_id, x.at, x.used_on, x.quantity, x.value
		  FROM jsonb_to_recordset($2::jsonb) AS x (key text, item_id uuid, at timestamptz, used_on date, quantity numeric, value text)
		 ORDER BY x.key
		ON CONFLICT (subscription_id, key) DO NOTHING`, subscription, string(all))
	if err != nil {
		return 0, fmt.Errorf("keeping usage: %w", err)
	}
	return int(n), nil
}
