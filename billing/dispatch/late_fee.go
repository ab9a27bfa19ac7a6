package dispatch

import (
	"context"
	"errors"

	"github.com/countinghouse/countinghouse/billing"
	"github.com/countinghouse/countinghouse/tenant"
)

// ChargeLateFees charges the fees that are due today, each in a transaction of its own, so that one which fails keeps none
// of the others back.
func ChargeLateFees(ctx context.Context, do Do) error {
	var failed error
	for {
		var due []billing.InvoiceID
		err := do(ctx, func(tx *tenant.Tx) (err error) {
			due, err = billing.DueLateFees(ctx, tx, atOnce)
			return err
		})
		if err != nil {
			return errors.Join(failed, err)
		}
		charged := 0
		for _, invoice := range due {
			err := do(ctx, func(tx *tenant.Tx) error {
				_, ok, err := billing.ChargeLateFee(ctx, tx, invoice)
				if ok && err == nil {
					charged++
				}
				return err
			})
			failed = errors.Join(failed, err)
		}
		// What was not charged now would only be found again.
		if len(due) < atOnce || charged == 0 {
			return failed
		}
	}
}
