package billing

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/countinghouse/countinghouse/billing/money"
	"github.com/countinghouse/countinghouse/internal/civil"
	"github.com/countinghouse/countinghouse/internal/fault"
	"github.com/countinghouse/countinghouse/internal/id"
	"github.com/countinghouse/countinghouse/tenant"
)

// What is refused about collecting.
var (
	ErrNotCollected = fault.New(fault.Conflict, "collection.settled", "Nothing is open on this invoice. There is nothing to collect.")
	ErrCollectsNot  = fault.New(fault.Conflict, "collection.off", "Collecting by itself is off. Turn it on under Settings first.")
)

// collectionGaps are the days from each try of collecting an invoice to the next: the first comes when it falls due,
// the others 3, 5 and 7 days after it. Then it is left to people.
var collectionGaps = []int{3, 2, 2}

// PayLinkLifetime is how long an invoice can be paid by a link to it.
const PayLinkLifetime = 60 * 24 * time.Hour

// CollectionTries is how often collecting an invoice is tried.
const CollectionTries = 4

// CollectionState is how far collecting an invoice has come.
type CollectionState string

// The states.
const (
	CollectionRunning CollectionState = "running"
	CollectionStopped CollectionState = "stopped"
	CollectionDone    CollectionState = "done"
)

// Collection is how an overdue invoice is collected by itself. The zero one has not begun.
type Collection struct {
	State  CollectionState `db:"state"`
	Step   int             `db:"step"`    // how often it was tried
	NextOn civil.Date      `db:"next_on"` // when it is tried again, while it is running
	Reason string          `db:"reason"`  // why it stopped, in a word or two for people
}

// Try is one try of collecting an invoice, taken by one caller alone. A card is charged, or the customer is reminded,
// or neither where neither can be.
type Try struct {
	Charge   IntentID  // the charge that is to be performed; zero for none
	Reminder *Reminder // what the customer is to be told; with a charge, only when it does not come through
}

// Reminder is what a customer is told of an invoice that is due: a letter like those of the reminders by schedule, with the
// invoice as PDF.
type Reminder struct {
	To       string // an e-mail address
	Number   string
	Open     money.Amount
	Last     bool
	Declined bool // a stored card was charged in vain

	plain, declined Letter
}

// Letter is what is sent.
func (r Reminder) Letter() Letter {
	if r.Declined {
		return r.declined
	}
	return r.plain
}

// DueCollections gives the invoices that are to be collected today, the longest due first: none while the organization
// does not collect by itself. It ends the collections of those that are paid meanwhile.
func DueCollections(ctx context.Context, tx *tenant.Tx, limit int) ([]InvoiceID, error) {
	settings, err := selectSettings(ctx, tx)
	if err != nil || !settings.CollectAutomatically {
		return nil, err
	}
	if err := updateCollectionsPaid(ctx, tx); err != nil {
		return nil, err
	}
	return selectDueCollections(ctx, tx, settings.Today(tx), limit)
}

// TakeTry takes the next try of an invoice's collection, if it is still due; ok is false if it is not, because another
// took it, or it was paid, stopped or is being charged. Nobody takes the same try again, even if its taker dies.
func TakeTry(ctx context.Context, tx *tenant.Tx, invoice InvoiceID) (t Try, ok bool, err error) {
	locked, err := lockInvoice(ctx, tx, invoice)
	if err != nil || locked.State == Draft || locked.Total <= locked.Settled {
		return t, false, err
	}
	settings, err := selectSettings(ctx, tx)
	if err != nil || !settings.CollectAutomatically {
		return t, false, err
	}
	live, err := selectLiveIntent(ctx, tx, invoice)
	if err != nil || live {
		return t, false, err
	}
	step, ok, err := takeStep(ctx, tx, invoice, settings.Today(tx))
	if err != nil || !ok {
		return t, false, err
	}
	if err := tx.Record(ctx, tenant.Act{Action: "invoice.collect", Object: "invoice", ID: invoice.UUID,
		Detail: fmt.Sprintf("%d of %d", step, CollectionTries)}); err != nil {
		return t, false, err
	}
	card, err := selectCardToCharge(ctx, tx, locked.Customer)
	if err != nil {
		return t, false, err
	}
	if !card.IsZero() {
		i, err := PlanCharge(ctx, tx, ChargeInput{InvoiceID: invoice, MethodID: card})
		if err != nil {
			return t, false, err
		}
		t.Charge = i.ID
	}
	t.Reminder, err = reminder(ctx, tx, invoice, step == CollectionTries)
	if err == nil && t.Reminder == nil && card.IsZero() {
		err = stopCollection(ctx, tx, invoice, "no card and no email address")
	}
	return t, true, err
}

// takeStep counts a try, and says which it is.
func takeStep(ctx context.Context, tx *tenant.Tx, invoice InvoiceID, today civil.Date) (step int, ok bool, err error) {
	c, err := CollectionOf(ctx, tx, invoice) // the lock of the invoice keeps others away
	if err != nil || c.State != "" && (c.State != CollectionRunning || c.NextOn.After(today)) {
		return 0, false, err
	}
	c.Step++
	if c.Step >= CollectionTries {
		c.State, c.NextOn, c.Reason = CollectionStopped, civil.Date{}, "all tries made"
	} else {
		c.State, c.NextOn = CollectionRunning, today.AddDays(collectionGaps[c.Step-1])
	}
	return c.Step, true, upsertCollection(ctx, tx, invoice, c)
}

// CardToCharge gives the card that a customer left to be charged by itself; the zero id for none.
func CardToCharge(ctx context.Context, tx *tenant.Tx, customer CustomerID) (PaymentMethodID, error) {
	return selectCardToCharge(ctx, tx, customer)
}

// reminder is nil for a customer without an e-mail address.
func reminder(ctx context.Context, tx *tenant.Tx, invoice InvoiceID, last bool) (*Reminder, error) {
	i, err := InvoiceByID(ctx, tx, invoice)
	if err != nil {
		return nil, err
	}
	customer, err := CustomerByID(ctx, tx, i.Customer.ID)
	if err != nil || customer.Email == "" {
		return nil, err
	}
	r := Reminder{To: customer.Email, Number: i.Number, Open: i.Open(), Last: last}
	m := Mailing{ID: id.New[Mailing](), Kind: MailReminder, Document: invoice, StepDays: i.DueDate.DaysUntil(i.Today), Email: customer.Email}
	if last {
		m.say = append(m.say, func(w letterWords) string { return w.Last })
	}
	if r.plain, err = invoiceLetter(ctx, tx, m, i); err != nil {
		return nil, err
	}
	m.say = append([]func(letterWords) string{func(w letterWords) string { return w.Declined }}, m.say...)
	r.declined, err = invoiceLetter(ctx, tx, m, i)
	return &r, err
}

// CollectionOf says how far collecting an invoice has come.
func CollectionOf(ctx context.Context, tx *tenant.Tx, invoice InvoiceID) (Collection, error) {
	return selectCollection(ctx, tx, invoice)
}

// StopCollection ends collecting an invoice by itself, begun or not. It fails with ErrInvoiceNotFound and ErrNotIssued.
func StopCollection(ctx context.Context, tx *tenant.Tx, invoice InvoiceID) error {
	if err := collectable(ctx, tx, invoice); err != nil && !errors.Is(err, ErrNotCollected) {
		return err
	}
	if err := stopCollection(ctx, tx, invoice, "by hand"); err != nil {
		return err
	}
	return tx.Record(ctx, tenant.Act{Action: "invoice.stop_collecting", Object: "invoice", ID: invoice.UUID})
}

// ResumeCollection begins collecting an invoice anew, from the first try on: today, or when it falls due. It fails with
// ErrInvoiceNotFound, ErrNotIssued, ErrNotCollected and, while the organization does not collect, ErrCollectsNot.
func ResumeCollection(ctx context.Context, tx *tenant.Tx, invoice InvoiceID) error {
	if err := collectable(ctx, tx, invoice); err != nil {
		return err
	}
	settings, err := selectSettings(ctx, tx)
	if err != nil {
		return err
	}
	if !settings.CollectAutomatically {
		return ErrCollectsNot
	}
	i, err := InvoiceByID(ctx, tx, invoice)
	if err != nil {
		return err
	}
	next := settings.Today(tx)
	if i.DueDate.After(next) {
		next = i.DueDate
	}
	if err := upsertCollection(ctx, tx, invoice, Collection{State: CollectionRunning, NextOn: next}); err != nil {
		return err
	}
	return tx.Record(ctx, tenant.Act{Action: "invoice.resume_collecting", Object: "invoice", ID: invoice.UUID})
}

// collectable locks an invoice and says whether anything is to be collected.
func collectable(ctx context.Context, tx *tenant.Tx, invoice InvoiceID) error {
	locked, err := lockInvoice(ctx, tx, invoice)
	switch {
	case err != nil:
		return err
	case locked.State == Draft:
		return ErrNotIssued
	case locked.Total <= locked.Settled:
		return ErrNotCollected
	}
	return nil
}
