package report_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/countinghouse/countinghouse/billing/ledger"
	"github.com/countinghouse/countinghouse/billing/report"
	"github.com/countinghouse/countinghouse/tenant"
)

func TestGeneralLedgerOfAnAccount(t *testing.T) {
	t.Parallel()
	b := openBooks(t)
	mari := b.customer(t, "Mari Õunapuu")
	b.move(t, march(1), "3000", "1010", eur(100_00))
	b.move(t, march(9), "1010", "5200", eur(30_00)) // posted before what comes before it by date
	b.move(t, march(5), "4000", "1010", eur(12_30))
	b.move(t, march(5), "4000", "1010", amount("JPY", 500))
	tip := b.line("1010", eur(70))
	tip.Party, tip.Memo = mari, "a tip"
	last := b.post(t, march(9), tip, b.line("4800", eur(-70)))
	b.move(t, march(20), "4000", "1010", eur(999_99)) // after the period

	got := b.ledger(t, report.Period{From: march(5), To: march(19)}, b.account["1010"])
	if len(got) != 2 || got[0].Currency.Code() != "EUR" || got[1].Currency.Code() != "JPY" {
		t.Fatalf("currencies: %+v", got)
	}
	a := got[0]
	if a.Code != "1010" || a.Name != "Current account" || a.Kind != ledger.KindAsset || a.Truncated ||
		a.Opening != eur(100_00) || a.Debit != eur(13_00) || a.Credit != eur(30_00) || a.Closing != eur(83_00) {
		t.Errorf("the account is %+v", a)
	}
	var lines []string
	for _, l := range a.Lines {
		lines = append(lines, fmt.Sprintf("%s %d %s %s %s/%s", l.Date, l.Number, l.Amount, l.Balance, l.Memo, l.Party))
	}
	want := []string{
		"2026-03-05 3 12.30 112.30 /",
		"2026-03-09 2 -30.00 82.30 /",
		"2026-03-09 5 0.70 83.00 a tip/Mari Õunapuu",
	}
	if !slices.Equal(lines, want) {
		t.Errorf("lines\n%q, want\n%q", lines, want)
	}
	if l := a.Lines[2]; l.Entry != last.ID || l.Description != "Moved" {
		t.Errorf("the last line is %+v", l)
	}
	if yen := got[1]; yen.Opening.Minor != 0 || yen.Closing != amount("JPY", 500) || len(yen.Lines) != 1 {
		t.Errorf("in yen: %+v", yen)
	}
}

func TestGeneralLedgerOfAnAccountWithoutLines(t *testing.T) {
	t.Parallel()
	b := openBooks(t)
	got := b.ledger(t, report.Period{}, b.account["5700"])
	if len(got) != 1 || got[0].Code != "5700" || got[0].Closing != eur(0) || len(got[0].Lines) != 0 {
		t.Errorf("one never posted to: %+v", got)
	}
	b.move(t, march(1), "1010", "5700", eur(5_00))
	got = b.ledger(t, report.Period{From: march(2)}, b.account["5700"])
	if len(got) != 1 || got[0].Opening != eur(5_00) || got[0].Closing != eur(5_00) || len(got[0].Lines) != 0 {
		t.Errorf("one posted to before the period: %+v", got)
	}
}

func TestGeneralLedgerOfAllAccounts(t *testing.T) {
	t.Parallel()
	b := openBooks(t)
	b.move(t, march(1), "3000", "1010", eur(100_00))
	b.move(t, march(1), "1010", "5200", eur(40_00))
	b.move(t, march(2), "5200", "1010", eur(40_00)) // even again before the period
	b.move(t, march(7), "4000", "1010", amount("USD", 3))
	b.move(t, march(30), "4900", "1020", eur(1)) // after it
	var got []string
	for _, a := range b.ledger(t, report.Period{From: march(3), To: march(29)}, ledger.AccountID{}) {
		got = append(got, fmt.Sprintf("%s %s %s %s %s %s %d", a.Code, a.Currency, a.Opening, a.Debit, a.Credit, a.Closing, len(a.Lines)))
	}
	want := []string{
		"1010 EUR 100.00 0.00 0.00 100.00 0", "1010 USD 0.00 0.03 0.00 0.03 0",
		"3000 EUR -100.00 0.00 0.00 -100.00 0", "4000 USD 0.00 0.00 0.03 -0.03 0",
	}
	if !slices.Equal(got, want) {
		t.Errorf("accounts\n%q, want\n%q", got, want)
	}
}

func TestGeneralLedgerOfALongAccount(t *testing.T) {
	t.Parallel()
	b := openBooks(t)
	const entries, pairs = 5, 249
	for day := range entries {
		lines := []ledger.Line{b.line("3000", eur(-pairs))}
		for range pairs {
			lines = append(lines, b.line("1010", eur(3)), b.line("1010", eur(-2)))
		}
		b.post(t, march(day+1), lines...)
	}
	got := b.ledger(t, report.Period{}, b.account["1010"])
	const all = entries * pairs * 2
	if len(got) != 1 || !got[0].Truncated || len(got[0].Lines) != report.MaxLines || report.MaxLines >= all {
		t.Fatalf("%d accounts, of which the first is cut: %v, at %d lines", len(got), got[0].Truncated, len(got[0].Lines))
	}
	// The sums are of all lines, those that were left out too.
	if got[0].Debit != eur(entries*pairs*3) || got[0].Credit != eur(entries*pairs*2) {
		t.Errorf("sums %s and %s", got[0].Debit, got[0].Credit)
	}
	lines := 0
	var last report.LedgerLine
	b.do(t, func(ctx context.Context, tx *tenant.Tx) error {
		return report.EachLedgerLine(ctx, tx, report.Period{}, func(a report.LedgerAccount, l report.LedgerLine) error {
			if a.Code == "1010" {
				lines, last = lines+1, l
			}
			return nil
		})
	})
	if lines != all || last.Balance != got[0].Closing {
		t.Errorf("%d lines to a balance of %s, want %d to %s", lines, last.Balance, all, got[0].Closing)
	}
}

func TestEachLedgerLineEndsWithItsFunction(t *testing.T) {
	t.Parallel()
	b := openBooks(t)
	b.move(t, march(1), "3000", "1010", eur(1))
	errEnough := errors.New("enough")
	calls := 0
	err := b.try(func(ctx context.Context, tx *tenant.Tx) error {
		return report.EachLedgerLine(ctx, tx, report.Period{}, func(report.LedgerAccount, report.LedgerLine) error {
			calls++
			return errEnough
		})
	})
	if !errors.Is(err, errEnough) || calls != 1 {
		t.Errorf("after %d calls: %v", calls, err)
	}
}
