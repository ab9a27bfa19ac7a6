package export_test

import (
	"bytes"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/shopspring/decimal"

	"github.com/countinghouse/countinghouse/billing"
	"github.com/countinghouse/countinghouse/billing/export"
	"github.com/countinghouse/countinghouse/billing/intake"
	"github.com/countinghouse/countinghouse/billing/ledger"
	"github.com/countinghouse/countinghouse/billing/money"
	"github.com/countinghouse/countinghouse/billing/report"
	"github.com/countinghouse/countinghouse/internal/civil"
	"github.com/countinghouse/countinghouse/tenant"
	"github.com/countinghouse/countinghouse/tenant/tenanttest"
)

func TestMain(m *testing.M) { os.Exit(tenanttest.Main(m)) }

// hostile texts mean something to a plain-text journal, or to a spreadsheet, unless they are written with care.
var hostile = []string{
	"two  spaces   in a row", "a ; comment", ";", "  ; type: E", "(virtual)", "[balanced virtual]", "! pending", "* cleared",
	"a:b::c:", ":", "= auto posting", "~ monthly", "include /etc/passwd", "account x", "commodity 1,00 EUR", "comment",
	"\u00a0no-break\u3000ideographic\u2009thin", "{2 EUR}", "@ 3 USD", "@@", "= 1 EUR", `"quoted"`, "payee | note",
	"date:2026-99-99", "date2:x", "[2026-13-45]", "[=2026-13-45]", "type:X", "a, b:c, d", "%", "#", "\\", "\u202eright to left",
	"Bjørn Ørsted, 株式会社 & Søn", "1000 EUR", "-5 EUR", "2026-01-01 opening", "P 2026-01-01 EUR 1 USD", "alias a = b", "𝒳 🧾",
	"assets", "()", "[]", "'", "''=1", "=1+1", "+1", "@x", "end comment", "apply account x", "D 1000.00 EUR", "Y2020",
}

func open(t *testing.T) tenanttest.Organization {
	t.Helper()
	return tenanttest.Found(t, tenanttest.DB(), func(ctx context.Context, tx *tenant.Tx) error {
		return billing.OpenBooks(ctx, tx, billing.Opening{Name: "Tidewater", Currency: money.MustCurrency("EUR"), Country: "PT", TimeZone: "Europe/Lisbon"})
	})
}

// postAtRandom adds accounts and entries in several currencies, their texts from hostile.
func postAtRandom(t *testing.T, o tenanttest.Organization, random *rand.Rand) {
	t.Helper()
	pick := func() string { return hostile[random.IntN(len(hostile))] }
	tenanttest.Do(t, tenanttest.DB(), o, func(ctx context.Context, tx *tenant.Tx) error {
		for i, name := range hostile {
			kind := ledger.Kinds()[random.IntN(len(ledger.Kinds()))]
			if _, err := ledger.AddAccount(ctx, tx, ledger.AccountInput{Code: fmt.Sprintf("X%d.%d-", i, random.IntN(9)), Name: name, Kind: kind}); err != nil {
				return err
			}
		}
		accounts, err := ledger.Accounts(ctx, tx)
		if err != nil {
			return err
		}
		for range 120 {
			p := ledger.Posting{Date: civil.On(2024, 1, 1).AddDays(random.IntN(900)), Description: pick()}
			for range 1 + random.IntN(3) {
				code := []string{"EUR", "USD", "JPY", "KWD", "CLF"}[random.IntN(5)]
				p.Lines = append(p.Lines, randomLines(accounts, code, random, pick)...)
			}
			if _, err := ledger.Post(ctx, tx, p); err != nil {
				return err
			}
		}
		return nil
	})
}

// randomLines add up to zero. Their amounts are of all sizes.
func randomLines(accounts []ledger.Account, code string, random *rand.Rand, pick func() string) (lines []ledger.Line) {
	currency := money.MustCurrency(code)
	sum := int64(0)
	add := func(minor int64) {
		sum += minor
		lines = append(lines, ledger.Line{Account: accounts[random.IntN(len(accounts))].ID, Memo: pick(), Amount: money.Amount{Minor: minor, Currency: currency}})
	}
	for range 1 + random.IntN(4) {
		minor := 1 + random.Int64N(int64(1)<<(1+random.IntN(46)))
		if random.IntN(2) == 0 {
			minor = -minor
		}
		add(minor)
	}
	if sum == 0 {
		add(1)
	}
	add(-sum)
	return lines
}

// balances gives every account's balance in every currency, by hledger's name of the account, where it is not zero.
func balances(t *testing.T, o tenanttest.Organization) map[string]string {
	t.Helper()
	all := map[string]string{}
	tenanttest.Do(t, tenanttest.DB(), o, func(ctx context.Context, tx *tenant.Tx) error {
		trial, err := report.TrialBalanceOf(ctx, tx, report.Period{})
		for _, r := range trial.Rows {
			if !r.Closing.IsZero() {
				name := export.AccountName(ledger.Account{Code: r.Code, Name: r.Name, Kind: r.Kind})
				all[name+" "+r.Currency.Code()] = r.Closing.Decimal().String()
			}
		}
		return err
	})
	return all
}

func write(t *testing.T, o tenanttest.Organization, f export.Format) []byte {
	t.Helper()
	var out bytes.Buffer
	tenanttest.Do(t, tenanttest.DB(), o, func(ctx context.Context, tx *tenant.Tx) error { return export.Write(ctx, tx, f, &out) })
	return out.Bytes()
}

// hledger runs it in strict mode on a journal.
func hledger(t *testing.T, journal []byte, args ...string) []byte {
	t.Helper()
	command := exec.CommandContext(t.Context(), "hledger", append([]string{"-f", "-", "-s"}, args...)...)
	command.Env = append(os.Environ(), "LC_ALL=C.UTF-8")
	command.Stdin = bytes.NewReader(journal)
	var complaint bytes.Buffer
	command.Stderr = &complaint
	out, err := command.Output()
	if err != nil {
		t.Fatalf("hledger %v: %v\n%s", args, err, complaint.String())
	}
	return out
}

// checkWithOthers has hledger and beancount check the exported journal and add it up.
func checkWithOthers(t *testing.T, o tenanttest.Organization) {
	t.Helper()
	checkWithBeancount(t, o)
	journal := write(t, o, export.Hledger)
	hledger(t, journal, "check", "ordereddates")
	rows, err := csv.NewReader(bytes.NewReader(hledger(t, journal, "balance", "--flat", "--no-total", "--layout=bare", "-O", "csv"))).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	theirs := map[string]string{}
	for _, row := range rows[1:] {
		amount, err := decimal.NewFromString(strings.TrimSuffix(row[2], "."))
		if err != nil {
			t.Fatal(err)
		}
		if !amount.IsZero() {
			theirs[row[0]+" "+row[1]] = amount.String()
		}
	}
	ours := balances(t, o)
	if len(ours) < 2 {
		t.Fatal("there is nothing to compare")
	}
	for account, amount := range ours {
		if theirs[account] != amount {
			t.Errorf("%q is %s here and %q in hledger", account, amount, theirs[account])
		}
		delete(theirs, account)
	}
	for account, amount := range theirs {
		t.Errorf("%q is %s in hledger and nothing here", account, amount)
	}
}

func TestWriteHledger_adds_up_in_hledger(t *testing.T) {
	t.Parallel()
	for range 3 {
		seed := rand.Uint64()
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			t.Parallel()
			o := open(t)
			random := rand.New(rand.NewPCG(seed, 1))
			postAtRandom(t, o, random)
			sellAndBuyAtRandom(t, o, random)
			checkWithOthers(t, o)
		})
	}
}

func TestWriteHledger_of_Chinook(t *testing.T) {
	t.Parallel()
	o := open(t)
	for _, shape := range []string{"customers", "products", "invoices"} {
		file, err := os.Open(filepath.Join("..", "..", "cmd", "countinghouse", "demo", "chinook", shape+".csv"))
		if err != nil {
			t.Fatal(err)
		}
		table, err := intake.Read(shape, file)
		if err != nil || file.Close() != nil {
			t.Fatal(err)
		}
		tenanttest.Do(t, tenanttest.DB(), o, func(ctx context.Context, tx *tenant.Tx) error {
			_, err := intake.Take(ctx, tx, table, nil)
			return err
		})
	}
	checkWithOthers(t, o)
	if owed := balances(t, o)["assets:1100 Owed by customers USD"]; owed != "2328.6" {
		t.Errorf("%q is owed", owed)
	}
}

func TestWriteHledger_of_empty_books(t *testing.T) {
	t.Parallel()
	journal := write(t, open(t), export.Hledger)
	hledger(t, journal, "check")
	if !strings.Contains(string(journal), "\naccount assets:1010 Current account  ; type: C\n") {
		t.Errorf("the journal is\n%s", journal)
	}
}

func TestWriteHledger_reads_well(t *testing.T) {
	t.Parallel()
	o := open(t)
	tenanttest.Do(t, tenanttest.DB(), o, func(ctx context.Context, tx *tenant.Tx) error {
		bank, err := ledger.AccountFor(ctx, tx, ledger.Bank)
		if err != nil {
			return err
		}
		capital, err := ledger.AccountFor(ctx, tx, ledger.Equity)
		if err != nil {
			return err
		}
		yen := func(minor int64) money.Amount { return money.Amount{Minor: minor, Currency: money.MustCurrency("JPY")} }
		_, err = ledger.Post(ctx, tx, ledger.Posting{Date: civil.On(2026, 2, 3), Description: "Opening; balance",
			Lines: []ledger.Line{{Account: bank.ID, Amount: yen(1200), Memo: "note: by hand"}, {Account: capital.ID, Party: uuid.Nil, Amount: yen(-1200)}}})
		return err
	})
	const want = "\n2026-02-03 (J-0001) Opening, balance\n    assets:1010 Current account  1200 JPY  ; note by hand\n    equity:3000 Capital paid in  -1200 JPY\n"
	if journal := string(write(t, o, export.Hledger)); !strings.HasSuffix(journal, want) || !strings.Contains(journal, "\ncommodity 1000. JPY\n") {
		t.Errorf("the journal is\n%s", journal)
	}
}

func TestWriteJournal_is_harmless_in_a_spreadsheet(t *testing.T) {
	t.Parallel()
	o := open(t)
	postAtRandom(t, o, rand.New(rand.NewPCG(1, 2)))
	rows, err := csv.NewReader(bytes.NewReader(write(t, o, export.Journal))).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	text := 0
	for _, row := range rows[1:] {
		for i, cell := range row {
			if cell != "" && strings.ContainsRune("=+-@\t\r", rune(cell[0])) {
				t.Errorf("%s begins with what a spreadsheet works out: %q", rows[0][i], cell)
			}
			if strings.HasPrefix(cell, "'=") {
				text++
			}
		}
	}
	if text == 0 {
		t.Error("no text needed care")
	}
}

func TestWrite_refuses_an_unknown_format(t *testing.T) {
	t.Parallel()
	o := open(t)
	err := tenant.Do(context.Background(), tenanttest.DB(), o.Scope, func(tx *tenant.Tx) error {
		return export.Write(context.Background(), tx, "xlsx", new(bytes.Buffer))
	})
	if !errors.Is(err, export.ErrFormat) {
		t.Errorf("it says %v", err)
	}
}
