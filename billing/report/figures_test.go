package report_test

import (
	"context"
	"slices"
	"testing"

	"github.com/countinghouse/countinghouse/billing/money"
	"github.com/countinghouse/countinghouse/billing/report"
	"github.com/countinghouse/countinghouse/internal/civil"
	"github.com/countinghouse/countinghouse/tenant"
)

func (b books) figures(t testing.TB) (f report.Figures) {
	t.Helper()
	b.do(t, func(ctx context.Context, tx *tenant.Tx) (err error) {
		f, err = report.FiguresOf(ctx, tx)
		return err
	})
	return f
}

func TestFiguresOfNewBooks(t *testing.T) {
	t.Parallel()
	b := openBooks(t)
	f := b.figures(t)
	if !slices.Equal(f.Owed, []report.OwedFigure{{Total: eur(0), Overdue: eur(0)}}) || !slices.Equal(f.Cash, []money.Amount{eur(0)}) {
		t.Errorf("owed %v, cash %v", f.Owed, f.Cash)
	}
	if len(f.Months) != 12 || f.Months[11] != (report.Month{First: b.today.AddDays(1 - b.today.Day()), Income: eur(0), Expenses: eur(0)}) {
		t.Errorf("months %v", f.Months)
	}
	for i := 1; i < len(f.Months); i++ {
		if next := f.Months[i-1].First.AddDays(31); f.Months[i].First != next.AddDays(1-next.Day()) {
			t.Errorf("after %s comes %s", f.Months[i-1].First, f.Months[i].First)
		}
	}
}

func TestFigures(t *testing.T) {
	t.Parallel()
	b := openBooks(t)
	zoe := b.customer(t, "Zoë")
	yesterday := b.today.AddDays(-1)
	first := b.invoice(t, zoe, yesterday.AddDays(-1), yesterday, eur(10_00))
	b.pay(t, first, zoe, b.today, eur(4_00))
	b.invoice(t, zoe, yesterday, b.today, eur(20_00)) // due today is not overdue
	b.invoice(t, zoe, yesterday, yesterday, amount("CHF", 5))
	b.invoice(t, zoe, b.today.AddDays(1), b.today.AddDays(30), eur(500)) // not owed yet
	b.move(t, b.today, "3000", "1000", eur(1_00))                        // cash in hand
	b.move(t, b.today, "3000", "1020", amount("USD", 9))                 // savings
	b.move(t, b.today, "3000", "1510", eur(77_00))                       // equipment is no cash
	b.move(t, b.today.AddDays(1), "3000", "1010", eur(88_00))            // nor is what comes tomorrow

	f := b.figures(t)
	owed := []report.OwedFigure{
		{Total: eur(26_00), Overdue: eur(6_00), Invoices: 2, OverdueInvoices: 1},
		{Total: amount("CHF", 5), Overdue: amount("CHF", 5), Invoices: 1, OverdueInvoices: 1},
	}
	if !slices.Equal(f.Owed, owed) {
		t.Errorf("owed %v, want %v", f.Owed, owed)
	}
	if cash := []money.Amount{eur(5_00), amount("USD", 9)}; !slices.Equal(f.Cash, cash) {
		t.Errorf("cash %v, want %v", f.Cash, cash)
	}
}

func TestFiguresByMonth(t *testing.T) {
	t.Parallel()
	b := openBooks(t)
	oldest := civil.On(b.today.Year(), b.today.Month()-11, 1)
	b.move(t, oldest, "4000", "1010", eur(30_00))
	b.move(t, oldest, "4900", "1010", eur(2_00))
	b.move(t, oldest, "1010", "5200", eur(11_00))
	b.move(t, oldest, "5200", "1010", eur(1_00)) // a refund
	b.move(t, oldest, "4000", "1010", amount("USD", 99))
	b.move(t, oldest.AddDays(-1), "4000", "1010", eur(1)) // a day too old
	b.move(t, b.today, "4000", "1010", eur(7))
	b.move(t, b.today.AddDays(1), "4000", "1010", eur(1)) // a day too early
	f := b.figures(t)
	if got, want := f.Months[0], (report.Month{First: oldest, Income: eur(32_00), Expenses: eur(10_00)}); got != want {
		t.Errorf("the oldest month is %v, want %v", got, want)
	}
	if got := f.Months[11]; got.Income != eur(7) || got.Expenses != eur(0) {
		t.Errorf("this month is %v", got)
	}
	for _, m := range f.Months[1:11] {
		if !m.Income.IsZero() || !m.Expenses.IsZero() {
			t.Errorf("nothing happened in %v", m)
		}
	}
}
