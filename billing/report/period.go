package report

import (
	"errors"
	"fmt"

	"github.com/countinghouse/countinghouse/billing/ledger"
	"github.com/countinghouse/countinghouse/billing/money"
	"github.com/countinghouse/countinghouse/internal/civil"
	"github.com/countinghouse/countinghouse/internal/fault"
	"github.com/countinghouse/countinghouse/tenant"
)

// ErrSumTooLarge says that amounts, each in bounds, add up to more than can be shown (an int64 of minor units).
var ErrSumTooLarge = fault.New(fault.Conflict, "report.sum_too_large",
	"The amounts of this report add up to more than it can show. Choose a shorter period or one account.")

// Period is a span of days, both ends included. Without From it goes from the beginning, without To it has no end.
type Period struct{ From, To civil.Date }

func (p Period) check() error {
	if !p.From.IsZero() && !p.To.IsZero() && p.To.Before(p.From) {
		return ledger.ErrDatesReversed
	}
	return nil
}

// reading wraps what a statement failed with. Postgres sums in numeric; 22003 says that a sum left bigint.
func reading(what string, err error) error {
	switch {
	case err == nil:
		return nil
	case tenant.SQLState(err) == "22003":
		return ErrSumTooLarge.Because(err)
	}
	return fmt.Errorf("reading %s: %w", what, err)
}

// add is a + b where both come from the books, so that no input is at fault when they leave int64.
func add(a, b money.Amount) (money.Amount, error) {
	sum, err := a.Add(b)
	return sum, summing(err)
}

func sub(a, b money.Amount) (money.Amount, error) {
	difference, err := a.Sub(b)
	return difference, summing(err)
}

func summing(err error) error {
	if errors.Is(err, money.ErrTooLarge) {
		return ErrSumTooLarge.Because(err)
	}
	return err
}
