package report_test

import (
	"context"
	"errors"
	"testing"

	"github.com/countinghouse/countinghouse/billing/ledger"
	"github.com/countinghouse/countinghouse/billing/money"
	"github.com/countinghouse/countinghouse/billing/report"
	"github.com/countinghouse/countinghouse/internal/civil"
	"github.com/countinghouse/countinghouse/tenant"
)

func (b books) closeYear(day civil.Date) error {
	return b.try(func(ctx context.Context, tx *tenant.Tx) error { return ledger.CloseBooks(ctx, tx, day, true) })
}

func (b books) reopen(day civil.Date) error {
	return b.try(func(ctx context.Context, tx *tenant.Tx) error { return ledger.ReopenBooks(ctx, tx, day) })
}

func (b books) sheet(t testing.TB, day civil.Date) report.Table {
	return b.table(t, func(ctx context.Context, tx *tenant.Tx) (report.Table, error) {
		return report.BalanceSheet(ctx, tx, report.Period{From: day, To: day}, money.Currency{})
	})
}

// Closing a year moves its result to the owners, and no report of it says anything else than before.
func TestClosingAYear(t *testing.T) {
	t.Parallel()
	b := openYear(t)
	end, year := civil.On(2025, 12, 31), report.Period{From: civil.On(2025, 1, 1), To: civil.On(2025, 12, 31)}
	result := func() report.Table {
		return b.table(t, func(ctx context.Context, tx *tenant.Tx) (report.Table, error) {
			return report.ProfitAndLoss(ctx, tx, year, money.Currency{})
		})
	}
	open := []string{"assets:1010Current account 1007.00 1007.00 0.00", "equity:3000Capital paid in 1000.00 1000.00 0.00",
		"equity:Result of the years not yet closed 7.00 7.00 0.00", "funding:Liabilities and equity 1007.00 1007.00 0.00"}
	same(t, b.sheet(t, end), open...)
	if err := b.closeYear(end); err != nil {
		t.Fatal(err)
	}
	same(t, b.sheet(t, end), "assets:1010Current account 1007.00 1007.00 0.00", "equity:3000Capital paid in 1000.00 1000.00 0.00",
		"equity:3200Result brought forward 7.00 0.00 0.00", "equity:Result of the years not yet closed 0.00 7.00 0.00", "funding:Liabilities and equity 1007.00 1007.00 0.00")
	same(t, result(), "income:4000Sales 7.00 0.00 0.00", "result:Result 7.00 0.00 0.00")
	for name, c := range map[string]struct {
		err  error
		want error
	}{
		"closing it again":       {b.closeYear(end), ledger.ErrCloseEarlier},
		"closing a year to come": {b.closeYear(b.today.AddDays(1)), ledger.ErrCloseInFuture},
		"closing through no day": {b.closeYear(civil.Date{}), civil.ErrDate},
		"reopening what is open": {b.reopen(end), ledger.ErrReopenLater},
		"posting in a closed year": {b.try(func(ctx context.Context, tx *tenant.Tx) error {
			_, err := ledger.Post(ctx, tx, ledger.Posting{Date: end, Description: "Late", Lines: []ledger.Line{b.line("1010", eur(1)), b.line("4000", eur(-1))}})
			return err
		}), ledger.ErrPeriodClosed},
		"undoing the closing by hand": {b.try(func(ctx context.Context, tx *tenant.Tx) error {
			closings, err := ledger.Closings(ctx, tx)
			if err != nil {
				return err
			}
			_, err = ledger.Reverse(ctx, tx, closings[0].ID, civil.Date{}, "")
			return err
		}), ledger.ErrOfClosing},
	} {
		if !errors.Is(c.err, c.want) {
			t.Errorf("%s: %v", name, c.err)
		}
	}
	if err := b.reopen(civil.Date{}); err != nil {
		t.Fatal(err)
	}
	reopened := b.sheet(t, end)
	same(t, reopened, open...)
	same(t, result(), "income:4000Sales 7.00 0.00 0.00", "result:Result 7.00 0.00 0.00")
	if err := b.reopen(civil.Date{}); !errors.Is(err, ledger.ErrNothingClosed) {
		t.Errorf("reopening books that are open: %v", err)
	}
	if err := b.closeYear(end); err != nil { // and once more, with what it came to since
		t.Fatal(err)
	}
	if err := b.closeYear(march(31)); err != nil { // a second year begins where the first ended
		t.Fatal(err)
	}
	for _, r := range b.sheet(t, march(31)).Section("equity").Rows {
		if r.Code == "3200" && r.Amounts[0].String() != "-483.00" || r.Key == report.Unclosed && !r.Amounts[0].IsZero() {
			t.Errorf("%s stands at %s", r.Name, r.Amounts[0])
		}
	}
}
