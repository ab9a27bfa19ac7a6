package subscription

import (
	"context"
	"fmt"
	"time"

	"github.com/shopspring/decimal"

	"github.com/countinghouse/countinghouse/billing"
	"github.com/countinghouse/countinghouse/billing/money"
	"github.com/countinghouse/countinghouse/internal/civil"
	"github.com/countinghouse/countinghouse/internal/fault"
	"github.com/countinghouse/countinghouse/internal/text"
	"github.com/countinghouse/countinghouse/tenant"
)

// What is refused about usage.
var (
	ErrEventCount  = fault.New(fault.Invalid, "usage.count", "Send 1 to 1,000 events at once.").At("events")
	ErrEventItem   = fault.New(fault.Invalid, "usage.item", "Name an item of this subscription that is metered.")
	ErrEventLate   = fault.New(fault.Conflict, "usage.too_late", "This falls in a period that has been invoiced already. Charge it by an invoice of its own, or send it under a new key with a later time.")
	ErrEventFuture = fault.New(fault.Invalid, "usage.future", "This lies more than a day ahead.")
	ErrEventReused = fault.New(fault.Conflict, "usage.key_reused", "This key was used for another event. Use a new key.")
	ErrEventValue  = fault.New(fault.Invalid, "usage.value", "Say which value was seen: different ones are counted.")
	ErrEventAmount = fault.New(fault.Invalid, "usage.quantity", "Give a quantity of nothing or more, with at most 6 decimals.")
)

const (
	maxEvents   = 1000
	valueLength = 100
)

// Event is something that a customer used.
type Event struct {
	Key      string // the caller's own name for it: it counts once, however often it is sent
	Item     ItemID
	At       time.Time // zero: now
	Quantity decimal.Decimal
	Value    string // for unique: what is counted, such as a user's id in the caller's system
}

// RecordUsage keeps events, and says how many were new. What was sent before under the same key counts once. An event
// belongs to the period of its day on the organization's calendar; usage in a trial is free. It fails with all that is
// wrong with the events, and then keeps none: ErrNotFound, ErrEnded, ErrPaused, ErrEventCount, ErrEventItem,
// ErrEventLate, ErrEventFuture, ErrEventReused, ErrEventValue and ErrEventAmount.
func RecordUsage(ctx context.Context, tx *tenant.Tx, subscription ID, events []Event) (fresh int, err error) {
	if len(events) == 0 || len(events) > maxEvents {
		return 0, ErrEventCount
	}
	s, metered, err := shareSubscription(ctx, tx, subscription)
	switch {
	case err != nil:
		return 0, err
	case s.State == Ended:
		return 0, ErrEnded
	case s.State == Paused:
		return 0, ErrPaused
	}
	settings, err := billing.LoadSettings(ctx, tx)
	if err != nil {
		return 0, err
	}
	known, err := selectEvents(ctx, tx, subscription, events)
	if err != nil {
		return 0, err
	}
	var faults fault.List
	var rows []eventRow
	for i, e := range events {
		field := fmt.Sprintf("events[%d]", i)
		row, err := e.read(tx, settings.Zone(), metered)
		if !faults.Add(field, err) {
			return 0, err
		} else if err != nil {
			continue
		}
		was, ok := known[row.Key]
		if ok && !was.same(row) {
			faults.Add(field, ErrEventReused.At("key"))
		} else if !ok && s.NextPeriod > 0 && row.day.Before(s.usageFrom) {
			faults.Add(field, ErrEventLate.At("at"))
		} else if !ok {
			known[row.Key] = row
			rows = append(rows, row)
		}
	}
	if err := faults.Err(); err != nil || len(rows) == 0 {
		return 0, err
	}
	if fresh, err = insertEvents(ctx, tx, subscription, rows); err != nil {
		return 0, err
	}
	return fresh, tx.Record(ctx, tenant.Act{Action: "subscription.usage", Object: "subscription", ID: subscription.UUID, Detail: fmt.Sprintf("%d events", fresh)})
}

func (e Event) read(tx *tenant.Tx, zone *time.Location, metered map[ItemID]Metered) (eventRow, error) {
	var faults fault.List
	key, err := text.Required("key", e.Key, 100)
	if !faults.Add("", err) {
		return eventRow{}, err
	}
	value, err := text.Line("value", e.Value, valueLength)
	if !faults.Add("", err) {
		return eventRow{}, err
	}
	how, ok := metered[e.Item]
	switch {
	case !ok:
		faults.Add("", ErrEventItem.At("item_id"))
	case how == Unique && value == "":
		faults.Add("", ErrEventValue.At("value"))
	}
	if e.Quantity.IsNegative() || money.CheckDecimal(e.Quantity, money.QuantityIntDigits, money.QuantityFracDigits) != nil {
		faults.Add("", ErrEventAmount.At("quantity"))
	}
	sentAt := !e.At.IsZero()
	if !sentAt {
		e.At = tx.Now()
	}
	if e.At.After(tx.Now().Add(24 * time.Hour)) {
		faults.Add("", ErrEventFuture.At("at"))
	}
	day := civil.Of(e.At, zone)
	return eventRow{Key: key, Item: e.Item, At: e.At.UTC().Truncate(time.Microsecond), UsedOn: day.String(), Quantity: e.Quantity, Value: value,
		day: day, sentAt: sentAt}, faults.Err()
}
