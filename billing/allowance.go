package billing

import (
	"context"
	"fmt"
	"time"

	"github.com/countinghouse/countinghouse/internal/fault"
	"github.com/countinghouse/countinghouse/tenant"
)

// ErrMonthFull says that the plan's invoices of a month are issued.
var ErrMonthFull = fault.New(fault.Conflict, "plan.invoices", "This month's invoices of your plan are all issued. Choose a larger plan under Settings, Plan, or issue this one next month.")

// checkMonth refuses an invoice beyond what the plan lets the organization issue in a calendar month. The limit is asked
// for first, which lets one caller at a time count.
func checkMonth(ctx context.Context, tx *tenant.Tx) error {
	most, ok, err := tx.PlanLimit(ctx, tenant.LimitInvoices)
	if err != nil || !ok {
		return err
	}
	issued, err := InvoicesThisMonth(ctx, tx)
	if err != nil {
		return err
	}
	if int64(issued) >= most {
		return ErrMonthFull.Sayf("Your plan has %d invoices a month, and all of this month's are issued. Choose a larger plan under Settings, Plan, or issue this one next month.", most)
	}
	return nil
}

// InvoicesThisMonth is how many invoices were issued in the calendar month, by the organization's own clock and whatever
// date they bear.
func InvoicesThisMonth(ctx context.Context, tx *tenant.Tx) (int, error) {
	settings, err := selectSettings(ctx, tx)
	if err != nil {
		return 0, err
	}
	now := tx.Now().In(settings.Zone())
	n, err := countIssuedSince(ctx, tx, time.Date(now.Year(), now.Month(), 1, 0, 0, 0, 0, now.Location()))
	if err != nil {
		return 0, fmt.Errorf("counting this month's invoices: %w", err)
	}
	return n, nil
}
