package till

import (
	"context"
	"errors"
	"fmt"

	"github.com/countinghouse/countinghouse/billing"
	"github.com/countinghouse/countinghouse/internal/fault"
	"github.com/countinghouse/countinghouse/tenant"
)

// Collect does what is due today of collecting an organization's invoices: it charges the cards that customers left for
// that, and has remind tell those whose invoices stay open. Several may do so at once: each try is one caller's, and
// one who dies in the midst of it charges once and mails at most once. What keeps one invoice does not keep the others.
func (t *Till) Collect(ctx context.Context, do Do, remind func(context.Context, billing.Reminder) error) error {
	var due []billing.InvoiceID
	err := do(ctx, func(tx *tenant.Tx) (err error) {
		due, err = billing.DueCollections(ctx, tx, atOnce)
		return err
	})
	if err != nil {
		return err
	}
	var all error
	for _, invoice := range due {
		if ctx.Err() != nil {
			return errors.Join(all, ctx.Err())
		}
		if err := t.collect(ctx, do, invoice, remind); err != nil {
			all = errors.Join(all, fmt.Errorf("collecting %s: %w", invoice, err))
		}
	}
	return all
}

func (t *Till) collect(ctx context.Context, do Do, invoice billing.InvoiceID, remind func(context.Context, billing.Reminder) error) error {
	var try billing.Try
	var mine bool
	err := do(ctx, func(tx *tenant.Tx) (err error) {
		try, mine, err = billing.TakeTry(ctx, tx, invoice)
		return err
	})
	if err != nil || !mine {
		return err
	}
	t.at("taken")
	var failed error
	if !try.Charge.IsZero() {
		r, err := t.Perform(ctx, do, try.Charge, "")
		var f *fault.Error
		switch {
		case err != nil && !errors.As(err, &f):
			return err
		case r.State == billing.IntentDeclined || r.State == billing.IntentFailed:
			failed = err
		default: // it came through, or nobody knows yet: who is reminded now may pay twice
			return err
		}
		if try.Reminder != nil {
			try.Reminder.Declined = r.State == billing.IntentDeclined
		}
	}
	if try.Reminder == nil {
		return failed
	}
	return errors.Join(failed, remind(ctx, *try.Reminder))
}
