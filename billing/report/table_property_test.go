package report_test

import (
	"context"
	"testing"

	"pgregory.net/rapid"

	"github.com/countinghouse/countinghouse/billing/ledger"
	"github.com/countinghouse/countinghouse/billing/money"
	"github.com/countinghouse/countinghouse/billing/report"
	"github.com/countinghouse/countinghouse/internal/civil"
	"github.com/countinghouse/countinghouse/tenant"
)

// drawnDay is a day of two years.
func drawnDay(r *rapid.T, name string) civil.Date {
	return civil.On(2025, 1, 1).AddDays(rapid.IntRange(0, 690).Draw(r, name))
}

// bookAnything posts an entry on any accounts, or an invoice and a part of its payment, or undoes an entry.
func bookAnything(t *testing.T, r *rapid.T, b books, kept []ledger.Entry, undone map[ledger.EntryID]bool, customer []string) []ledger.Entry {
	day := drawnDay(r, "day")
	var lines []ledger.Line
	for _, currency := range []string{"EUR", "JPY"} {
		var sum int64
		for range rapid.IntRange(1, 3).Draw(r, "lines") {
			minor := rapid.Int64Range(-1e6, 1e6).Filter(func(n int64) bool { return n != 0 }).Draw(r, "minor")
			sum += minor
			code := rapid.SampledFrom([]string{"1000", "1010", "1020", "1100", "1510", "2200", "2500", "3000", "4000", "4900", "5000", "5200"}).Draw(r, "account")
			lines = append(lines, b.line(code, amount(currency, minor)))
		}
		if sum != 0 {
			lines = append(lines, b.line(rapid.SampledFrom(customer).Draw(r, "against"), amount(currency, -sum)))
		}
	}
	if len(kept) > 0 && rapid.IntRange(0, 3).Draw(r, "undo") == 0 {
		e := rapid.SampledFrom(kept).Draw(r, "entry")
		if undone[e.ID] {
			return kept
		}
		undone[e.ID] = true
		b.do(t, func(ctx context.Context, tx *tenant.Tx) error {
			_, err := ledger.Reverse(ctx, tx, e.ID, e.Date.AddDays(rapid.IntRange(0, 90).Draw(r, "later")), "")
			return err
		})
		return kept
	}
	return append(kept, b.post(t, day, lines...))
}

// Whatever is booked in two years and two currencies: the balance sheet balances on every day, what parts of a period came
// to adds up to the whole, money moved from what there was to what there is, aged receivables are their account, and
// closing a year changes neither what it came to nor any total of the balance sheet.
func TestTablesHoldWhateverIsBooked(t *testing.T) {
	t.Parallel()
	b := openBooks(t)
	ada := b.customer(t, "Ada")
	var kept []ledger.Entry
	undone := map[ledger.EntryID]bool{}
	rapid.Check(t, func(r *rapid.T) {
		for range rapid.IntRange(1, 3).Draw(r, "steps") {
			kept = bookAnything(t, r, b, kept, undone, []string{"1010", "3000", "4000"})
		}
		if rapid.Bool().Draw(r, "invoice") {
			issued := drawnDay(r, "issued")
			total := amount(rapid.SampledFrom([]string{"EUR", "JPY"}).Draw(r, "currency"), rapid.Int64Range(2, 1e6).Draw(r, "total"))
			invoice := b.invoice(t, ada, issued, issued.AddDays(rapid.IntRange(0, 60).Draw(r, "terms")), total)
			b.pay(t, invoice, ada, issued.AddDays(rapid.IntRange(0, 200).Draw(r, "paid")), amount(total.Currency.Code(), rapid.Int64Range(1, total.Minor).Draw(r, "part")))
		}
		period := report.Period{From: civil.On(2025, 1, 1).AddDays(rapid.IntRange(0, 400).Draw(r, "from"))}
		period.To = period.From.AddDays(rapid.IntRange(1, 500).Draw(r, "length"))
		split := period.From.AddDays(rapid.IntRange(0, period.From.DaysUntil(period.To)-1).Draw(r, "split"))
		if split.After(b.today) { // no year is closed that goes on
			split = b.today
		}
		for _, code := range []string{"EUR", "JPY"} {
			checkTables(t, r, b, money.MustCurrency(code), period, split)
		}
	})
}

func checkTables(t *testing.T, r *rapid.T, b books, c money.Currency, period report.Period, split civil.Date) {
	result := func(p report.Period) report.Table {
		return b.table(t, func(ctx context.Context, tx *tenant.Tx) (report.Table, error) {
			return report.ProfitAndLoss(ctx, tx, p, c)
		})
	}
	sheet := func() report.Table {
		return b.table(t, func(ctx context.Context, tx *tenant.Tx) (report.Table, error) {
			return report.BalanceSheet(ctx, tx, period, c)
		})
	}
	before := sheet()
	if !before.Balanced() {
		r.Errorf("%s: assets of %v against %v", c, before.Section("assets").Sum, before.SumOf("funding"))
	}
	whole := result(period).SumOf("result")[0].Minor
	first, second := result(report.Period{From: period.From, To: split}), result(report.Period{From: split.AddDays(1), To: period.To})
	if parts := first.SumOf("result")[0].Minor + second.SumOf("result")[0].Minor; parts != whole {
		r.Errorf("%s: the parts came to %d and the whole to %d", c, parts, whole)
	}
	cash := b.table(t, func(ctx context.Context, tx *tenant.Tx) (report.Table, error) {
		return report.CashFlow(ctx, tx, period, c)
	})
	aged := b.table(t, func(ctx context.Context, tx *tenant.Tx) (report.Table, error) {
		return report.AgedReceivables(ctx, tx, period.To, c)
	})
	var held, owed int64
	for _, row := range before.Section("assets").Rows {
		switch row.Code {
		case "1000", "1010", "1020":
			held += row.Amounts[0].Minor
		case "1100":
			owed += row.Amounts[0].Minor
		}
	}
	if end := cash.SumOf("end")[0].Minor; end != held {
		r.Errorf("%s: the money is %d, and %d by how it moved", c, held, end)
	}
	total := aged.SumOf("total")
	var ages int64
	for _, a := range total[:len(total)-1] {
		ages += a.Minor
	}
	if last := total[len(total)-1].Minor; last != owed || ages != owed {
		r.Errorf("%s: the account has %d, and by ages it is %d, in all %d", c, owed, ages, last)
	}
	if err := b.closeYear(split); err != nil {
		r.Fatal(err)
	}
	closed := sheet()
	for i := range before.Columns {
		if closed.Section("assets").Sum[i] != before.Section("assets").Sum[i] || closed.SumOf("funding")[i] != before.SumOf("funding")[i] ||
			closed.Section("equity").Sum[i] != before.Section("equity").Sum[i] {
			r.Errorf("%s: closing made %v of %v", c, closed.Sums, before.Sums)
		}
	}
	if after := result(period).SumOf("result")[0].Minor; after != whole {
		r.Errorf("%s: the year came to %d, and closed to %d", c, whole, after)
	}
	if err := b.reopen(civil.Date{}); err != nil {
		r.Fatal(err)
	}
}

// Undoing everything that was booked by hand leaves nothing in any report.
func TestUndoingEverythingLeavesNothing(t *testing.T) {
	t.Parallel()
	b := openBooks(t)
	rapid.Check(t, func(r *rapid.T) {
		var kept []ledger.Entry
		undone := map[ledger.EntryID]bool{}
		for range rapid.IntRange(1, 3).Draw(r, "steps") {
			kept = bookAnything(t, r, b, kept, undone, []string{"1010", "3000", "4000"})
		}
		b.do(t, func(ctx context.Context, tx *tenant.Tx) error {
			for _, e := range kept {
				again, err := ledger.EntryByID(ctx, tx, e.ID)
				if err != nil {
					return err
				}
				if !again.ReversedBy.IsZero() {
					continue
				}
				if _, err := ledger.Reverse(ctx, tx, e.ID, e.Date, ""); err != nil {
					return err
				}
			}
			return nil
		})
		end := civil.On(2027, 12, 31)
		for _, c := range []string{"EUR", "JPY"} {
			for name, table := range map[string]report.Table{
				"the result": b.table(t, func(ctx context.Context, tx *tenant.Tx) (report.Table, error) {
					return report.ProfitAndLoss(ctx, tx, report.Period{From: civil.On(2025, 1, 1), To: end}, money.MustCurrency(c))
				}),
				"the balance sheet": b.table(t, func(ctx context.Context, tx *tenant.Tx) (report.Table, error) {
					return report.BalanceSheet(ctx, tx, report.Period{From: end, To: end}, money.MustCurrency(c))
				}),
				"receivables": b.table(t, func(ctx context.Context, tx *tenant.Tx) (report.Table, error) {
					return report.AgedReceivables(ctx, tx, end, money.MustCurrency(c))
				}),
			} {
				for _, s := range table.Sections {
					for _, row := range s.Rows {
						if !row.Amounts[0].IsZero() {
							r.Errorf("%s still has %s of %s", name, row.Amounts[0], row.Name)
						}
					}
				}
			}
		}
	})
}
