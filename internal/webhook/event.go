package webhook

import (
	"context"
	"slices"
	"strings"

	"github.com/google/uuid"

	"github.com/countinghouse/countinghouse/tenant"
)

// Event is a kind of thing that happens and that can be told of.
type Event struct {
	Name string // "invoice.issued"
	Say  string // "An invoice is issued"
	acts []string
}

// test is sent by hand alone.
const test = "webhook.test"

// events is the one list of what can be told of, and of which acts it follows. What has none is worked out.
var events = []Event{
	{"customer.created", "A customer is added", []string{"customer.add"}},
	{"customer.changed", "A customer is changed, archived or restored", []string{"customer.change", "customer.archive", "customer.restore"}},
	{"customer.phone_verified", "A customer verified a phone number", []string{"phone.verify"}},
	{"invoice.issued", "An invoice is issued", []string{"invoice.issue"}},
	{"invoice.paid", "An invoice is settled to the last cent", nil},
	{"invoice.voided", "An invoice is voided", []string{"invoice.void"}},
	{"invoice.written_off", "What is open on an invoice is written off", []string{"invoice.write_off"}},
	{"credit_note.issued", "A credit note is issued", []string{"credit_note.issue"}},
	{"credit_note.voided", "A credit note is voided", []string{"credit_note.void"}},
	{"quote.issued", "A quote is issued", []string{"quote.issue"}},
	{"quote.accepted", "A quote is accepted", []string{"quote.accept"}},
	{"quote.declined", "A quote is declined", []string{"quote.decline"}},
	{"payment.recorded", "Money came in, by hand or through a gateway", []string{"payment.record"}},
	{"payment.refunded", "Money was given back", []string{"payment.refund"}},
	{"payment.failed", "A charge was declined or failed", []string{"charge.declined", "charge.failed"}},
	{"subscription.started", "A subscription begins", []string{"subscription.start"}},
	{"subscription.changed", "A subscription is changed, paused, resumed or cancelled", []string{"subscription.change", "subscription.pause", "subscription.resume", "subscription.cancel", "subscription.keep"}},
	{"subscription.ended", "A subscription ends", []string{"subscription.end"}},
	{"order.placed", "A customer places an order", []string{"order.place"}},
	{"order.held", "An order is held for review", []string{"order.hold"}},
	{"order.released", "An order that was held goes on", []string{"order.release"}},
	{"order.refused", "An order is refused", []string{"order.refuse"}},
	{"product.changed", "A product is added, changed, archived or restored", []string{"product.add", "product.change", "product.archive", "product.restore"}},
}

// Events lists what can be told of. The caller may keep and change the list.
func Events() []Event { return slices.Clone(events) }

// moved are acts after which an invoice may have become paid, or a gateway moved money.
var moved = []string{"payment.record", "payment.apply", "payment.match", "credit_note.apply", "charge.succeeded"}

var byAct = func() map[string]string {
	all := map[string]string{}
	for _, e := range events {
		for _, act := range e.acts {
			all[act] = e.Name
		}
	}
	return all
}()

// EventOf is the name of the event that an act is told of by; empty for none.
func EventOf(act string) string { return byAct[act] }

// happened is one event of a transaction.
type happened struct {
	event  string
	object string
	id     uuid.UUID
}

// eventsOf says what the acts of a transaction mean, in their order, each once.
func eventsOf(ctx context.Context, tx *tenant.Tx, acts []tenant.Act) (all []happened, err error) {
	var causes []string
	for _, act := range acts {
		if name := byAct[act.Action]; name != "" {
			object, _, _ := strings.Cut(name, ".")
			if object == "payment" && act.Object != "payment" {
				object = act.Object // a charge that failed is no payment
			}
			all = append(all, happened{name, object, act.ID})
		}
		if slices.Contains(moved, act.Action) {
			causes = append(causes, act.ID.String())
		}
	}
	if len(causes) > 0 {
		ids := strings.Join(causes, " ")
		through, err := selectGatewayPayments(ctx, tx, ids)
		if err != nil {
			return nil, err
		}
		paid, err := selectPaid(ctx, tx, ids)
		if err != nil {
			return nil, err
		}
		all = append(append(all, through...), paid...)
	}
	return once(all), nil
}

func once(all []happened) []happened {
	seen := map[happened]bool{}
	return slices.DeleteFunc(all, func(h happened) bool {
		was := seen[h]
		seen[h] = true
		return was
	})
}

// wants says whether an endpoint's events name this one.
func wants(chosen, event string) bool {
	return chosen == "*" || slices.Contains(strings.Fields(chosen), event)
}
