package watch

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/countinghouse/countinghouse/tenant"
)

// Outlets are where medium and high events are sent.
type Outlets struct {
	// Mail sends a text to one address.
	Mail func(ctx context.Context, to, subject, text string) error
	// Staff is the operator's own address, which is told of all of them; empty is nobody.
	Staff string
	// Origin is what links in mails begin with.
	Origin string
	// Webhook posts events to the operator; nil is none.
	Webhook *Webhook
}

// giveUp is for how long an event is tried to be delivered.
const giveUp = 3 * 24 * time.Hour

// DeliverWaiting mails and posts every medium and high event of the last three days that is still to be: run it again
// and again. What fails waits for the next run, and does not keep the others.
func (w *Watch) DeliverWaiting(ctx context.Context, o Outlets) error {
	var waiting []ID
	err := tenant.DoPlatform(ctx, w.db, func(tx *tenant.PlatformTx) (err error) {
		waiting, err = selectWaiting(ctx, tx, tx.Now().Add(-giveUp), o.Webhook != nil)
		return err
	})
	for _, event := range waiting {
		err = errors.Join(err, w.MailEvent(ctx, o, event), w.PostEvent(ctx, o, event))
	}
	return err
}

// MailEvent mails an event to whom it concerns: the operator's address, and the owners of its organization; for one
// about a person's own account, the owners where they are a member, if it is high. Done twice, it is mailed once;
// after a failure some may get it again.
func (w *Watch) MailEvent(ctx context.Context, o Outlets, event ID) error {
	var e Raised
	var to []string
	err := tenant.DoPlatform(ctx, w.db, func(tx *tenant.PlatformTx) (err error) {
		var mailed bool
		if e, mailed, _, err = selectEvent(ctx, tx, event); err != nil || mailed {
			return err
		}
		if o.Staff != "" {
			to = append(to, o.Staff)
		}
		owners, err := selectConcerned(ctx, tx, e)
		to = append(to, owners...)
		return err
	})
	if err != nil {
		return err
	}
	for _, address := range to {
		if err := o.Mail(ctx, address, "Security: "+lower(e.Info().Name), e.mail(o.Origin)); err != nil {
			return fmt.Errorf("mailing security event %s: %w", event, err)
		}
	}
	return tenant.DoPlatform(ctx, w.db, func(tx *tenant.PlatformTx) error { return noteMailed(ctx, tx, event) })
}

// PostEvent posts an event to the operator's webhook. Done twice, it is posted once; after a failure it may come
// again, with the same id.
func (w *Watch) PostEvent(ctx context.Context, o Outlets, event ID) error {
	if o.Webhook == nil {
		return nil
	}
	var e Raised
	var posted bool
	err := tenant.DoPlatform(ctx, w.db, func(tx *tenant.PlatformTx) (err error) {
		e, _, posted, err = selectEvent(ctx, tx, event)
		return err
	})
	if err != nil || posted {
		return err
	}
	body, err := json.Marshal(newLine(eventRow{ID: e.ID, At: e.At, Request: e.RequestID}, Event{Kind: e.Kind, Severity: e.Severity,
		Organization: e.Organization, Person: e.Person, Network: e.Network, Detail: e.Detail}))
	if err != nil {
		return fmt.Errorf("writing security event %s: %w", event, err)
	}
	if err := o.Webhook.post(ctx, w.db.Now(), body); err != nil {
		return fmt.Errorf("posting security event %s: %w", event, err)
	}
	return tenant.DoPlatform(ctx, w.db, func(tx *tenant.PlatformTx) error { return notePosted(ctx, tx, event) })
}

// mail names nobody: it may end up in any mailbox.
func (r Raised) mail(origin string) string {
	info := r.Info()
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n\n%s\n\n", info.Name+".", info.Say)
	fmt.Fprintf(&b, "When      %s\nSeverity  %s\nEvent     %s\n", r.At.Format("2006-01-02 15:04 UTC"), r.Severity, r.ID)
	if r.Detail != "" {
		fmt.Fprintf(&b, "Figures   %s\n", r.Detail)
	}
	if r.Slug != "" {
		fmt.Fprintf(&b, "\nAll events of your organization:\n\n%s/o/%s/settings/security-events\n", origin, r.Slug)
	}
	return b.String()
}

func lower(s string) string { return strings.ToLower(s[:1]) + s[1:] }
