package report_test

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/xuri/excelize/v2"

	"github.com/countinghouse/countinghouse/billing/money"
	"github.com/countinghouse/countinghouse/billing/report"
	"github.com/countinghouse/countinghouse/internal/civil"
	"github.com/countinghouse/countinghouse/tenant"
)

// written is a table as lines, which are easy to compare.
func written(t report.Table) (lines []string) {
	line := func(key string, r report.Row) {
		text := key + ":" + r.Code + r.Name
		for _, a := range r.Amounts {
			text += " " + a.String()
		}
		lines = append(lines, text)
	}
	for _, s := range t.Sections {
		for _, r := range s.Rows {
			line(s.Key, r)
		}
	}
	for _, r := range t.Sums {
		line(r.Key, r)
	}
	return lines
}

func (b books) table(t testing.TB, read func(ctx context.Context, tx *tenant.Tx) (report.Table, error)) (table report.Table) {
	t.Helper()
	b.do(t, func(ctx context.Context, tx *tenant.Tx) (err error) {
		table, err = read(ctx, tx)
		return err
	})
	return table
}

func same(t *testing.T, got report.Table, want ...string) {
	t.Helper()
	if lines := written(got); !slices.Equal(lines, want) {
		t.Errorf("it is\n%s\nand should be\n%s", strings.Join(lines, "\n"), strings.Join(want, "\n"))
	}
}

var inMarch = report.Period{From: march(1), To: march(31)}

// openYear is a small year: capital, a sale on credit that is paid in part, rent, a purchase in yen.
func openYear(t *testing.T) books {
	b := openBooks(t)
	b.move(t, civil.On(2025, 3, 31), "3000", "1010", eur(1000_00))
	b.move(t, civil.On(2025, 3, 31), "4000", "1010", eur(7_00))
	b.move(t, civil.On(2026, 2, 10), "1010", "5200", eur(300_00))
	b.move(t, march(1), "4000", "1100", eur(120_00))
	b.move(t, march(20), "1100", "1010", eur(50_00))
	b.move(t, march(31), "1010", "5200", eur(310_00))
	b.move(t, march(31), "1010", "1020", eur(400_00))
	b.move(t, march(31), "1010", "5000", amount("JPY", 900))
	b.move(t, civil.On(2026, 4, 1), "4000", "1010", eur(1))
	return b
}

func TestProfitAndLoss(t *testing.T) {
	t.Parallel()
	b := openYear(t)
	read := func(c money.Currency) func(ctx context.Context, tx *tenant.Tx) (report.Table, error) {
		return func(ctx context.Context, tx *tenant.Tx) (report.Table, error) {
			return report.ProfitAndLoss(ctx, tx, inMarch, c)
		}
	}
	euro := b.table(t, read(money.Currency{}))
	same(t, euro, "income:4000Sales 120.00 0.00 7.00", "expenses:5200Rent and power 310.00 300.00 0.00", "result:Result -190.00 -300.00 7.00")
	if fmt.Sprint(euro.Currencies) != "[EUR JPY]" || euro.Columns[1].Period.To != civil.On(2026, 2, 28) || euro.Columns[2].Period.From != civil.On(2025, 3, 1) {
		t.Errorf("%v, %+v", euro.Currencies, euro.Columns)
	}
	same(t, b.table(t, read(money.MustCurrency("JPY"))), "expenses:5000Goods and services bought in 900 0 0", "result:Result -900 0 0")
}

func TestBalanceSheet(t *testing.T) {
	t.Parallel()
	b := openYear(t)
	sheet := b.table(t, func(ctx context.Context, tx *tenant.Tx) (report.Table, error) {
		return report.BalanceSheet(ctx, tx, inMarch, money.Currency{})
	})
	same(t, sheet, "assets:1010Current account 47.00 707.00 1007.00", "assets:1020Savings account 400.00 0.00 0.00", "assets:1100Owed by customers 70.00 0.00 0.00",
		"equity:3000Capital paid in 1000.00 1000.00 1000.00", "equity:Result of the years not yet closed -483.00 -293.00 7.00", "funding:Liabilities and equity 517.00 707.00 1007.00")
	if !sheet.Balanced() {
		t.Error("it does not balance")
	}
	sheet.Sums[0].Amounts[1].Minor++
	if sheet.Balanced() {
		t.Error("it balances whatever it says")
	}
}

func TestCashFlow(t *testing.T) {
	t.Parallel()
	b := openYear(t)
	same(t, b.table(t, func(ctx context.Context, tx *tenant.Tx) (report.Table, error) {
		return report.CashFlow(ctx, tx, inMarch, money.Currency{})
	}), "income:1100Owed by customers 50.00 0.00 0.00", "income:4000Sales 0.00 0.00 7.00", "expenses:5200Rent and power -310.00 -300.00 0.00",
		"equity:3000Capital paid in 0.00 0.00 1000.00", "change:Change -260.00 -300.00 1007.00",
		"beginning:Money at the beginning 707.00 1007.00 0.00", "end:Money at the end 447.00 707.00 1007.00")
}

func TestAgedReceivables(t *testing.T) {
	t.Parallel()
	b := openBooks(t)
	ada, bo := b.customer(t, "Ada"), b.customer(t, "Bo")
	first := b.invoice(t, ada, march(1), march(1), eur(100_00))
	b.invoice(t, ada, march(1), march(31), eur(20_00))
	b.invoice(t, ada, march(2), civil.On(2026, 4, 30), eur(5_00))
	b.pay(t, first, ada, march(20), eur(30_00))
	b.pay(t, first, ada, civil.On(2026, 5, 20), eur(70_00))
	b.invoice(t, bo, march(3), march(3), amount("JPY", 900))
	b.move(t, march(9), "4000", "1100", eur(3))
	read := func(day civil.Date, c money.Currency) report.Table {
		return b.table(t, func(ctx context.Context, tx *tenant.Tx) (report.Table, error) {
			return report.AgedReceivables(ctx, tx, day, c)
		})
	}
	// On 30 April the first is 60 days late, the second 30, and the third is due today.
	same(t, read(civil.On(2026, 4, 30), money.Currency{}), "customers:Ada 5.00 20.00 70.00 0.00 0.00 0.00 95.00", "customers:Without a customer 0.00 0.00 0.00 0.00 0.00 0.03 0.03",
		"total:All customers 5.00 20.00 70.00 0.00 0.00 0.03 95.03", "before:A month before 25.00 70.00 0.00 0.00 0.00 0.03 95.03", "year_before:A year before 0.00 0.00 0.00 0.00 0.00 0.00 0.00")
	// A day later each is in the next column.
	same(t, read(civil.On(2026, 5, 1), money.Currency{}), "customers:Ada 0.00 5.00 20.00 70.00 0.00 0.00 95.00", "customers:Without a customer 0.00 0.00 0.00 0.00 0.00 0.03 0.03",
		"total:All customers 0.00 5.00 20.00 70.00 0.00 0.03 95.03", "before:A month before 5.00 20.00 70.00 0.00 0.00 0.03 95.03", "year_before:A year before 0.00 0.00 0.00 0.00 0.00 0.00 0.00")
	same(t, read(civil.On(2026, 6, 2), money.MustCurrency("JPY")), "customers:Bo 0 0 0 0 900 0 900", "total:All customers 0 0 0 0 900 0 900",
		"before:A month before 0 0 900 0 0 0 900", "year_before:A year before 0 0 0 0 0 0 0")
}

func TestPeriodsAreCompared(t *testing.T) {
	t.Parallel()
	day := func(text string) civil.Date {
		d, err := civil.Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	for _, c := range [][6]string{
		{"2026-03-01", "2026-03-31", "2026-02-01", "2026-02-28", "2025-03-01", "2025-03-31"},
		{"2026-01-01", "2026-12-31", "2025-01-01", "2025-12-31", "2025-01-01", "2025-12-31"},
		{"2026-01-01", "2026-03-31", "2025-10-01", "2025-12-31", "2025-01-01", "2025-03-31"},
		{"2025-02-01", "2025-02-28", "2025-01-01", "2025-01-31", "2024-02-01", "2024-02-29"},
		{"2024-02-29", "2024-02-29", "2024-02-28", "2024-02-28", "2023-02-28", "2023-02-28"},
		{"2026-03-10", "2026-03-16", "2026-03-03", "2026-03-09", "2025-03-10", "2025-03-16"},
	} {
		p := report.Period{From: day(c[0]), To: day(c[1])}
		if before, year := p.Before(), p.YearBefore(); before != (report.Period{From: day(c[2]), To: day(c[3])}) || year != (report.Period{From: day(c[4]), To: day(c[5])}) {
			t.Errorf("%v: before %v, a year before %v", c[:2], before, year)
		}
	}
}

// In XLSX amounts are numbers, days are days and everybody's words are text, whatever they begin with.
func TestGridXLSX(t *testing.T) {
	t.Parallel()
	var file bytes.Buffer
	g, err := report.NewGrid(&file, report.XLSX)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for name := range hostile {
		names = append(names, name)
	}
	slices.Sort(names)
	if err := g.Row("name", "date", "amount", "large"); err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		if err := g.Row(name, march(9), eur(-123456_78), amount("EUR", 999_999_999_999_999_99)); err != nil {
			t.Fatal(err)
		}
	}
	if err := g.Close(); err != nil {
		t.Fatal(err)
	}
	f, err := excelize.OpenReader(&file)
	if err != nil {
		t.Fatal(err)
	}
	if panes, err := f.GetPanes("Sheet1"); err != nil || !panes.Freeze || panes.YSplit != 1 {
		t.Errorf("the head row stays not: %+v, %v", panes, err)
	}
	for i, name := range names {
		at := func(column string) string { return fmt.Sprintf("%s%d", column, i+2) }
		for column, want := range map[string]string{"A": name, "B": "2026-03-09", "C": "-123,456.78", "D": "999999999999999.99"} {
			if got, err := f.GetCellValue("Sheet1", at(column)); err != nil || got != want {
				t.Errorf("%s is %q and not %q: %v", at(column), got, want, err)
			}
			if formula, err := f.GetCellFormula("Sheet1", at(column)); err != nil || formula != "" {
				t.Errorf("%s is the formula %q: %v", at(column), formula, err)
			}
		}
		for column, want := range map[string]excelize.CellType{"A": excelize.CellTypeInlineString, "B": excelize.CellTypeNumber, "C": excelize.CellTypeNumber, "D": excelize.CellTypeInlineString} {
			if got, err := f.GetCellType("Sheet1", at(column)); err != nil || got != want && !(want == excelize.CellTypeNumber && got == excelize.CellTypeUnset) {
				t.Errorf("%s is of type %v: %v", at(column), got, err)
			}
		}
	}
}
