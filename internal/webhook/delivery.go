package webhook

import (
	"context"
	"encoding/json"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/countinghouse/countinghouse/internal/cursor"
	"github.com/countinghouse/countinghouse/internal/fault"
	"github.com/countinghouse/countinghouse/internal/id"
	"github.com/countinghouse/countinghouse/internal/jobs"
	"github.com/countinghouse/countinghouse/tenant"
)

// ErrDeliveryNotFound says that there is no such message; the log is kept for 30 days.
var ErrDeliveryNotFound = fault.New(fault.NotFound, "webhook.delivery_not_found", "There is no such message. What was sent is kept for 30 days.")

// The jobs of this package.
const (
	DeliverJob = "webhooks.deliver" // one try of one message
	TellJob    = "webhooks.tell"    // owners, that one is off
	SweepJob   = "webhooks.sweep"
)

// schedule is after how long a message is tried again, counted from the try before (Standard Webhooks 1.0.0).
var schedule = []time.Duration{
	0, 5 * time.Second, 5 * time.Minute, 30 * time.Minute, 2 * time.Hour, 5 * time.Hour, 10 * time.Hour, 14 * time.Hour, 20 * time.Hour, 24 * time.Hour,
}

const (
	failingFor = 72 * time.Hour // after that an endpoint to which nothing arrives is turned off
	keepFor    = 30 * 24 * time.Hour
)

// DeliveryID names a message: the same at each endpoint.
type DeliveryID = id.Of[Delivery]

// States of a message.
const (
	Pending   = "pending"
	Delivered = "delivered"
	Failed    = "failed" // given up
)

// Delivery is one message to one endpoint, and what became of it.
type Delivery struct {
	ID         DeliveryID `db:"id"`
	Event      string     `db:"event"`
	Object     string     `db:"object"` // the kind of thing that it happened to
	ObjectID   uuid.UUID  `db:"object_id"`
	OccurredAt time.Time  `db:"occurred_at"`
	State      string     `db:"state"`
	Tries      int        `db:"tries"`
	NextAt     *time.Time `db:"next_at"`
	TriedAt    *time.Time `db:"tried_at"`
	Status     int        `db:"status"`  // of HTTP; 0: there was no answer
	Problem    string     `db:"problem"` // why there was none: "internal", "timeout", "unreachable", "off"
	Answer     string     `db:"answer"`  // its first 200 characters
}

// Message is its webhook-id.
func (d Delivery) Message() string {
	return "msg_" + strings.ReplaceAll(d.ID.String(), "-", "")
}

// body is what is sent: thin, so that nothing of the books leaves by this way.
func (d Delivery) body() ([]byte, error) {
	type data struct {
		ID     uuid.UUID `json:"id"`
		Object string    `json:"object"`
	}
	return json.Marshal(struct {
		Type      string    `json:"type"`
		Timestamp time.Time `json:"timestamp"`
		Data      data      `json:"data"`
	}{d.Event, d.OccurredAt.UTC(), data{d.ObjectID, d.Object}})
}

// attempt names one try of one message.
type attempt struct {
	Endpoint EndpointID `json:"endpoint"`
	Delivery DeliveryID `json:"delivery"`
	Try      int        `json:"try"` // how often it was tried before
}

func (a attempt) enqueue(ctx context.Context, tx *tenant.Tx, at time.Time) error {
	return jobs.EnqueueForNobody(ctx, tx, jobs.Job{Kind: DeliverJob, Args: a, RunAt: at})
}

// Note queues, for each endpoint that wants to know, what the acts of a transaction mean. It is meant for
// tenant.Config.Recorded: it runs in the acts' own transaction.
func Note(ctx context.Context, tx *tenant.Tx, acts []tenant.Act) error {
	var meant bool
	for _, act := range acts {
		meant = meant || byAct[act.Action] != "" || act.Action == "charge.succeeded" || act.Action == "credit_note.apply"
	}
	if !meant {
		return nil
	}
	all, err := selectListening(ctx, tx)
	if err != nil || len(all) == 0 {
		return err
	}
	found, err := eventsOf(ctx, tx, acts)
	if err != nil {
		return err
	}
	for _, h := range found {
		d := Delivery{ID: newDelivery(tx), Event: h.event, Object: h.object, ObjectID: h.id}
		for _, e := range all {
			if !wants(e.Events, h.event) {
				continue
			}
			if err := queue(ctx, tx, e.ID, d); err != nil {
				return err
			}
		}
	}
	return nil
}

// newDelivery makes an id whose time is the transaction's, so that the log is in the order of events.
func newDelivery(tx *tenant.Tx) DeliveryID {
	d, ms := id.New[Delivery](), tx.Now().UnixMilli()
	for i := range 6 {
		d.UUID[i] = byte(ms >> (8 * (5 - i)))
	}
	return d
}

func queue(ctx context.Context, tx *tenant.Tx, endpoint EndpointID, d Delivery) error {
	if err := insertDelivery(ctx, tx, endpoint, d); err != nil {
		return err
	}
	return attempt{endpoint, d.ID, 0}.enqueue(ctx, tx, tx.Now())
}

// SendTest queues a message that tells of nothing. It fails with ErrNotFound and ErrDisabled.
func SendTest(ctx context.Context, tx *tenant.Tx, endpoint EndpointID) (DeliveryID, error) {
	if err := mustBeOn(ctx, tx, endpoint); err != nil {
		return DeliveryID{}, err
	}
	d := Delivery{ID: newDelivery(tx), Event: test, Object: "webhook", ObjectID: endpoint.UUID}
	if err := queue(ctx, tx, endpoint, d); err != nil {
		return DeliveryID{}, err
	}
	return d.ID, record(ctx, tx, "test", endpoint, "")
}

func mustBeOn(ctx context.Context, tx *tenant.Tx, endpoint EndpointID) error {
	e, err := selectEndpoint(ctx, tx, endpoint)
	if err == nil && e.DisabledAt != nil {
		err = ErrDisabled
	}
	return err
}

// Replay sends a message again, with the id that it had: one that waits is tried now, one that arrived or was given up
// begins its schedule anew. It fails with ErrNotFound, ErrDeliveryNotFound and ErrDisabled.
func Replay(ctx context.Context, tx *tenant.Tx, endpoint EndpointID, delivery DeliveryID) (Delivery, error) {
	if _, err := selectDelivery(ctx, tx, endpoint, delivery); err != nil {
		return Delivery{}, err
	}
	if err := mustBeOn(ctx, tx, endpoint); err != nil {
		return Delivery{}, err
	}
	tries, err := updateAgain(ctx, tx, endpoint, delivery)
	if err != nil {
		return Delivery{}, err
	}
	if err := (attempt{endpoint, delivery, tries}).enqueue(ctx, tx, tx.Now()); err != nil {
		return Delivery{}, err
	}
	if err := record(ctx, tx, "replay", endpoint, delivery.String()); err != nil {
		return Delivery{}, err
	}
	return selectDelivery(ctx, tx, endpoint, delivery)
}

// Deliveries lists what an endpoint was sent in the last 30 days, the last first. It fails with ErrNotFound.
func Deliveries(ctx context.Context, tx *tenant.Tx, endpoint EndpointID, q cursor.Query) (cursor.Page[Delivery], error) {
	q, err := q.Check()
	if err != nil {
		return cursor.Page[Delivery]{}, err
	}
	if _, err := selectEndpoint(ctx, tx, endpoint); err != nil {
		return cursor.Page[Delivery]{}, err
	}
	rows, err := selectDeliveries(ctx, tx, endpoint, q)
	return cursor.Cut(q, rows), err
}

// DeliveryByID gives one; ErrDeliveryNotFound.
func DeliveryByID(ctx context.Context, tx *tenant.Tx, endpoint EndpointID, delivery DeliveryID) (Delivery, error) {
	return selectDelivery(ctx, tx, endpoint, delivery)
}

// Sweep queues again what should have been tried a quarter of an hour ago and was not, and clears what is old.
func Sweep(ctx context.Context, db *tenant.DB, s tenant.Scope) error {
	return tenant.Do(ctx, db, s, func(tx *tenant.Tx) error {
		if err := deleteOld(ctx, tx, tx.Now().Add(-keepFor)); err != nil {
			return err
		}
		late, err := selectLate(ctx, tx, tx.Now().Add(-15*time.Minute))
		for _, a := range late {
			if err := a.enqueue(ctx, tx, tx.Now()); err != nil {
				return err
			}
		}
		return err
	})
}
