package report

import (
	"context"

	"github.com/countinghouse/countinghouse/billing/ledger"
	"github.com/countinghouse/countinghouse/billing/money"
	"github.com/countinghouse/countinghouse/internal/civil"
	"github.com/countinghouse/countinghouse/tenant"
)

const (
	// cashWeeks is how far back cash is shown, and aheadWeeks how far ahead.
	cashWeeks  = 26
	aheadWeeks = 4
)

// CashDay is what stands on the bank and cash accounts at the end of a day, in the base currency.
type CashDay struct {
	Day   civil.Date
	Cash  money.Amount
	Ahead bool // not yet: if everything that is open is paid on its due date, and what is overdue at once
}

// CashByWeek gives the cash of today and of each week before it for half a year, and what is to be expected in each of
// the four weeks after it. It counts the accounts that Figures.Cash counts. It fails with ErrSumTooLarge.
func CashByWeek(ctx context.Context, tx *tenant.Tx) ([]CashDay, error) {
	today, err := ledger.Today(ctx, tx)
	if err != nil {
		return nil, err
	}
	base, err := selectBaseCurrency(ctx, tx)
	if err != nil {
		return nil, err
	}
	return selectCashByWeek(ctx, tx, today.AddDays(-7*cashWeeks), today, today.AddDays(7*aheadWeeks), base)
}
