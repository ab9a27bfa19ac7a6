package report_test

import (
	"context"
	"testing"

	"github.com/countinghouse/countinghouse/billing/money"
	"github.com/countinghouse/countinghouse/billing/report"
	"github.com/countinghouse/countinghouse/internal/civil"
	"github.com/countinghouse/countinghouse/tenant"
)

// Half a year back, today, and four weeks ahead, in steps of a week; a day counts what was posted on it.
func TestCashByWeek(t *testing.T) {
	t.Parallel()
	b := openBooks(t)
	eur := money.MustCurrency("EUR")
	move := func(on civil.Date, minor int64) {
		b.move(t, on, "3000", "1000", money.Amount{Minor: minor, Currency: eur})
	}
	move(b.today.AddDays(-400), 100000)
	move(b.today.AddDays(-7), 2500)
	move(b.today, 300)
	var days []report.CashDay
	b.do(t, func(ctx context.Context, tx *tenant.Tx) (err error) {
		days, err = report.CashByWeek(ctx, tx)
		return err
	})
	if len(days) != 31 {
		t.Fatalf("%d days", len(days))
	}
	for i, want := range map[int]int64{0: 100000, 24: 100000, 25: 102500, 26: 102800, 27: 102800, 30: 102800} {
		d := days[i]
		if d.Cash != (money.Amount{Minor: want, Currency: eur}) || d.Day != b.today.AddDays(7*(i-26)) || d.Ahead != (i > 26) {
			t.Errorf("day %d is %+v, want %d", i, d, want)
		}
	}
}
