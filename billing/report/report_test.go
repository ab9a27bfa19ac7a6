package report_test

import (
	"context"
	"errors"
	"os"
	"testing"

	"github.com/google/uuid"

	"github.com/countinghouse/countinghouse/billing/ledger"
	"github.com/countinghouse/countinghouse/billing/money"
	"github.com/countinghouse/countinghouse/billing/report"
	"github.com/countinghouse/countinghouse/internal/civil"
	"github.com/countinghouse/countinghouse/internal/id"
	"github.com/countinghouse/countinghouse/tenant"
	"github.com/countinghouse/countinghouse/tenant/tenanttest"
)

func TestMain(m *testing.M) { os.Exit(tenanttest.Main(m)) }

// books is an organization with accounts by code, and its day.
type books struct {
	tenanttest.Organization
	account map[string]ledger.AccountID
	today   civil.Date
}

func openBooks(t testing.TB) books {
	t.Helper()
	b := books{account: map[string]ledger.AccountID{}}
	b.Organization = tenanttest.Found(t, tenanttest.DB(), func(ctx context.Context, tx *tenant.Tx) error {
		_, err := tx.Exec(ctx, `INSERT INTO settings (name, base_currency, time_zone, country) VALUES ('Tidewater Studios', 'EUR', 'Europe/Helsinki', 'FI')`)
		if err != nil {
			return err
		}
		return ledger.OpenChart(ctx, tx)
	})
	b.do(t, func(ctx context.Context, tx *tenant.Tx) error {
		accounts, err := ledger.Accounts(ctx, tx)
		for _, a := range accounts {
			b.account[a.Code] = a.ID
		}
		return err
	})
	b.do(t, func(ctx context.Context, tx *tenant.Tx) (err error) {
		b.today, err = ledger.Today(ctx, tx)
		return err
	})
	return b
}

// try runs fn in a transaction of the organization and gives its error.
func (b books) try(fn func(ctx context.Context, tx *tenant.Tx) error) error {
	ctx := context.Background()
	return tenant.Do(ctx, tenanttest.DB(), b.Scope, func(tx *tenant.Tx) error { return fn(ctx, tx) })
}

func (b books) do(t testing.TB, fn func(ctx context.Context, tx *tenant.Tx) error) {
	t.Helper()
	if err := b.try(fn); err != nil {
		t.Fatal(err)
	}
}

// move posts an amount from one account to another.
func (b books) move(t testing.TB, date civil.Date, from, to string, a money.Amount) (e ledger.Entry) {
	t.Helper()
	return b.post(t, date, b.line(to, a), b.line(from, negative(a)))
}

func (b books) line(code string, a money.Amount) ledger.Line {
	return ledger.Line{Account: b.account[code], Amount: a}
}

func (b books) post(t testing.TB, date civil.Date, lines ...ledger.Line) (e ledger.Entry) {
	t.Helper()
	b.do(t, func(ctx context.Context, tx *tenant.Tx) (err error) {
		e, err = ledger.Post(ctx, tx, ledger.Posting{Date: date, Description: "Moved", Lines: lines})
		return err
	})
	return e
}

func (b books) customer(t testing.TB, name string) uuid.UUID {
	t.Helper()
	party := id.New[books]().UUID
	b.do(t, func(ctx context.Context, tx *tenant.Tx) error {
		_, err := tx.Exec(ctx, `INSERT INTO party (id, name, created_at) VALUES ($1, $2, $3)`, party, name, tx.Now())
		return err
	})
	return party
}

// invoice issues one as the rows of an invoice have it: a document and its entry.
func (b books) invoice(t testing.TB, customer uuid.UUID, issued, due civil.Date, total money.Amount) (document uuid.UUID) {
	t.Helper()
	receivable := b.line("1100", total)
	receivable.Party = customer
	e := b.post(t, issued, receivable, b.line("4000", negative(total)))
	document = id.New[report.Period]().UUID
	b.do(t, func(ctx context.Context, tx *tenant.Tx) error {
		_, err := tx.Exec(ctx, `
			INSERT INTO document (id, kind, state, number, customer_id, billed_to, issue_date, due_date, currency, net, tax, total, entry_id, created_at, issued_at)
			VALUES ($1, 'invoice', 'issued', $2, $3, '{}', $4, $5, $6, $7, 0, $7, $8, $9, $9)`,
			document, e.Name(), customer, issued, due, total.Currency, total.Minor, e.ID, tx.Now())
		return err
	})
	return document
}

// pay pays a part of an invoice.
func (b books) pay(t testing.TB, document, customer uuid.UUID, date civil.Date, a money.Amount) {
	t.Helper()
	receivable := b.line("1100", negative(a))
	receivable.Party = customer
	e := b.post(t, date, b.line("1010", a), receivable)
	payment := id.New[report.Period]()
	b.do(t, func(ctx context.Context, tx *tenant.Tx) error {
		_, err := tx.Exec(ctx, `INSERT INTO payment (id, customer_id, date, currency, amount, method, account_id, entry_id, created_at)
			VALUES ($1, $2, $3, $4, $5, 'cash', $6, $7, $8)`,
			payment, customer, date, a.Currency, a.Minor, b.account["1010"], e.ID, tx.Now())
		if err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, `INSERT INTO payment_allocation (payment_id, document_id, amount) VALUES ($1, $2, $3)`,
			payment, document, a.Minor); err != nil {
			return err
		}
		_, err = tx.Exec(ctx, `UPDATE document SET settled = settled + $2 WHERE id = $1`, document, a.Minor)
		return err
	})
}

func (b books) ledger(t testing.TB, p report.Period, account ledger.AccountID) (accounts []report.LedgerAccount) {
	t.Helper()
	b.do(t, func(ctx context.Context, tx *tenant.Tx) (err error) {
		accounts, err = report.GeneralLedger(ctx, tx, p, account)
		return err
	})
	return accounts
}

func (b books) trial(t testing.TB, p report.Period) (trial report.TrialBalance) {
	t.Helper()
	b.do(t, func(ctx context.Context, tx *tenant.Tx) (err error) {
		trial, err = report.TrialBalanceOf(ctx, tx, p)
		return err
	})
	return trial
}

func (b books) owing(t testing.TB, asOf civil.Date) (balances []report.CustomerBalance) {
	t.Helper()
	b.do(t, func(ctx context.Context, tx *tenant.Tx) (err error) {
		balances, err = report.CustomerBalances(ctx, tx, asOf)
		return err
	})
	return balances
}

func eur(minor int64) money.Amount { return amount("EUR", minor) }

func amount(code string, minor int64) money.Amount {
	return money.Amount{Minor: minor, Currency: money.MustCurrency(code)}
}

func negative(a money.Amount) money.Amount {
	return money.Amount{Minor: -a.Minor, Currency: a.Currency}
}

func march(day int) civil.Date { return civil.On(2026, 3, day) }

// What is wrong with a request is said by every report alike.
func TestReportsRefuse(t *testing.T) {
	t.Parallel()
	b := openBooks(t)
	backwards := report.Period{From: march(2), To: march(1)}
	for name, ask := range map[string]func(ctx context.Context, tx *tenant.Tx) error{
		"the general ledger": func(ctx context.Context, tx *tenant.Tx) error {
			_, err := report.GeneralLedger(ctx, tx, backwards, ledger.AccountID{})
			return err
		},
		"one account": func(ctx context.Context, tx *tenant.Tx) error {
			_, err := report.GeneralLedger(ctx, tx, backwards, b.account["1010"])
			return err
		},
		"every line": func(ctx context.Context, tx *tenant.Tx) error {
			return report.EachLedgerLine(ctx, tx, backwards, nil)
		},
		"the trial balance": func(ctx context.Context, tx *tenant.Tx) error {
			_, err := report.TrialBalanceOf(ctx, tx, backwards)
			return err
		},
	} {
		if err := b.try(ask); !errors.Is(err, ledger.ErrDatesReversed) {
			t.Errorf("%s of a period that ends before it begins: %v", name, err)
		}
	}
	other := openBooks(t) // another organization's account is as unknown as any
	for _, account := range []ledger.AccountID{id.New[ledger.Account](), other.account["1010"]} {
		err := b.try(func(ctx context.Context, tx *tenant.Tx) error {
			_, err := report.GeneralLedger(ctx, tx, report.Period{}, account)
			return err
		})
		if !errors.Is(err, ledger.ErrAccountNotFound) {
			t.Errorf("an account that is not there: %v", err)
		}
	}
}

// Amounts may each be in bounds and add up to more than an int64 holds. That must be said, not wrapped around.
func TestReportsSayWhenSumsLeaveTheirBounds(t *testing.T) {
	t.Parallel()
	b := openBooks(t)
	var lines []ledger.Line
	for range 100 {
		largest := money.Max(money.MustCurrency("EUR"))
		lines = append(lines, b.line("1010", largest), b.line("4000", negative(largest)))
	}
	b.post(t, march(1), lines...)
	for name, ask := range map[string]func(ctx context.Context, tx *tenant.Tx) error{
		"the general ledger": func(ctx context.Context, tx *tenant.Tx) error {
			_, err := report.GeneralLedger(ctx, tx, report.Period{}, ledger.AccountID{})
			return err
		},
		"one account": func(ctx context.Context, tx *tenant.Tx) error {
			_, err := report.GeneralLedger(ctx, tx, report.Period{}, b.account["1010"])
			return err
		},
		"the trial balance": func(ctx context.Context, tx *tenant.Tx) error {
			_, err := report.TrialBalanceOf(ctx, tx, report.Period{})
			return err
		},
		"every line": func(ctx context.Context, tx *tenant.Tx) error {
			return report.EachLedgerLine(ctx, tx, report.Period{}, func(report.LedgerAccount, report.LedgerLine) error { return nil })
		},
		"the figures": func(ctx context.Context, tx *tenant.Tx) error {
			_, err := report.FiguresOf(ctx, tx)
			return err
		},
	} {
		if err := b.try(ask); !errors.Is(err, report.ErrSumTooLarge) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
