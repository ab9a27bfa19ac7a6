package report_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/countinghouse/countinghouse/billing/report"
)

func TestTrialBalance(t *testing.T) {
	t.Parallel()
	b := openBooks(t)
	b.move(t, march(1), "3000", "1010", eur(100_00))
	b.move(t, march(5), "4000", "1100", eur(20_00))
	b.move(t, march(6), "1100", "1010", eur(15_00))
	b.move(t, march(6), "4000", "1010", amount("JPY", 700))
	b.move(t, march(31), "1010", "5200", eur(1))

	trial := b.trial(t, report.Period{From: march(5), To: march(30)})
	var rows []string
	for _, r := range trial.Rows {
		rows = append(rows, fmt.Sprintf("%s %s %s %s %s %s", r.Code, r.Currency, r.Opening, r.Debit, r.Credit, r.Closing))
	}
	want := []string{
		"1010 EUR 100.00 15.00 0.00 115.00", "1010 JPY 0 700 0 700", "1100 EUR 0.00 20.00 15.00 5.00",
		"3000 EUR -100.00 0.00 0.00 -100.00", "4000 EUR 0.00 0.00 20.00 -20.00", "4000 JPY 0 0 700 -700",
	}
	if !slices.Equal(rows, want) {
		t.Errorf("rows\n%q, want\n%q", rows, want)
	}
	totals := []report.TrialBalanceTotal{
		{eur(0).Currency, eur(0), eur(35_00), eur(35_00), eur(0), eur(120_00), eur(120_00)},
		{amount("JPY", 0).Currency, amount("JPY", 0), amount("JPY", 700), amount("JPY", 700), amount("JPY", 0), amount("JPY", 700), amount("JPY", 700)},
	}
	if !slices.Equal(trial.Totals, totals) {
		t.Errorf("totals\n%v, want\n%v", trial.Totals, totals)
	}
	if empty := b.trial(t, report.Period{To: march(1).AddDays(-1)}); len(empty.Rows) != 0 || len(empty.Totals) != 0 {
		t.Errorf("before the first entry: %v", empty)
	}
}
