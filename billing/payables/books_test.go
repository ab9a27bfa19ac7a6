package payables_test

import (
	"context"
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/shopspring/decimal"

	"github.com/countinghouse/countinghouse/billing"
	"github.com/countinghouse/countinghouse/billing/currency"
	"github.com/countinghouse/countinghouse/billing/ledger"
	"github.com/countinghouse/countinghouse/billing/money"
	"github.com/countinghouse/countinghouse/billing/payables"
	"github.com/countinghouse/countinghouse/billing/report"
	"github.com/countinghouse/countinghouse/billing/tax"
	"github.com/countinghouse/countinghouse/internal/civil"
	"github.com/countinghouse/countinghouse/internal/fault"
	"github.com/countinghouse/countinghouse/tenant"
	"github.com/countinghouse/countinghouse/tenant/tenanttest"
)

func TestMain(m *testing.M) { os.Exit(tenanttest.Main(m)) }

var (
	eur = money.MustCurrency("EUR")
	usd = money.MustCurrency("USD")
)

// books are those of one organization that a test founded.
type books struct {
	*testing.T
	db  *tenant.DB
	org tenanttest.Organization
}

func openBooks(t *testing.T) books {
	t.Helper()
	return openBooksIn(t, tenanttest.DB())
}

func openBooksIn(t *testing.T, db *tenant.DB) books {
	t.Helper()
	return books{t, db, tenanttest.Found(t, db, func(ctx context.Context, tx *tenant.Tx) error {
		return billing.OpenBooks(ctx, tx, billing.Opening{Name: "Tidewater Studios", Currency: eur, Country: "PT", TimeZone: "Europe/Lisbon"})
	})}
}

// openBooksWith are books whose clock is moved.
func openBooksWith(t *testing.T, clock *tenanttest.Clock) books {
	t.Helper()
	b := openBooksIn(t, tenanttest.OpenWith(t, clock))
	var err error
	if b.org.Scope, err = tenant.EnterOperator(context.Background(), b.db, b.org.Slug); err != nil {
		t.Fatal(err)
	}
	return b
}

func (b books) try(fn func(ctx context.Context, tx *tenant.Tx) error) error {
	ctx := context.Background()
	return tenant.Do(ctx, b.db, b.org.Scope, func(tx *tenant.Tx) error { return fn(ctx, tx) })
}

func (b books) do(fn func(ctx context.Context, tx *tenant.Tx) error) {
	b.Helper()
	if err := b.try(fn); err != nil {
		b.Fatal(err)
	}
}

func (b books) refuses(want *fault.Error, fn func(ctx context.Context, tx *tenant.Tx) error) {
	b.Helper()
	if err := b.try(fn); !errors.Is(err, want) {
		b.Errorf("got %v, want %s", err, want.Code)
	}
}

func (b books) payee(name string) billing.Payee {
	b.Helper()
	var p billing.Payee
	b.do(func(ctx context.Context, tx *tenant.Tx) (err error) {
		p, err = billing.AddPayee(ctx, tx, billing.PayeeInput{CustomerInput: billing.CustomerInput{Name: name}, ExpenseAccount: b.account("5300")})
		return err
	})
	return p
}

// account is that of a code of the chart.
func (b books) account(code string) (account ledger.AccountID) {
	b.Helper()
	b.do(func(ctx context.Context, tx *tenant.Tx) error {
		return tx.Get(ctx, &account, `SELECT a.id FROM account a WHERE a.code = $1`, code)
	})
	return account
}

func (b books) rate(in tax.RateInput) {
	b.Helper()
	b.do(func(ctx context.Context, tx *tenant.Tx) error {
		_, err := tax.AddRate(ctx, tx, in)
		return err
	})
}

func (b books) euro(date string, rate string) {
	b.Helper()
	b.do(func(ctx context.Context, tx *tenant.Tx) error {
		_, err := currency.SetRate(ctx, tx, currency.Rate{Unit: eur, Currency: usd, Date: day(date), Rate: dec(rate)})
		return err
	})
}

func (b books) draft(in payables.BillInput) payables.Bill {
	b.Helper()
	var made payables.Bill
	b.do(func(ctx context.Context, tx *tenant.Tx) (err error) {
		made, err = payables.DraftBill(ctx, tx, in)
		return err
	})
	return made
}

func (b books) entered(in payables.BillInput) payables.Bill {
	b.Helper()
	made := b.draft(in)
	b.do(func(ctx context.Context, tx *tenant.Tx) (err error) {
		made, err = payables.EnterBill(ctx, tx, billing.Bill, made.ID, 0)
		return err
	})
	return made
}

func (b books) credit(in payables.BillInput) payables.Bill {
	b.Helper()
	var made payables.Bill
	b.do(func(ctx context.Context, tx *tenant.Tx) (err error) {
		if made, err = payables.DraftCredit(ctx, tx, in); err != nil {
			return err
		}
		made, err = payables.EnterBill(ctx, tx, billing.PayeeCredit, made.ID, 0)
		return err
	})
	return made
}

func (b books) bill(bill payables.BillID) payables.Bill {
	b.Helper()
	var found payables.Bill
	b.do(func(ctx context.Context, tx *tenant.Tx) (err error) {
		found, err = billing.PurchaseByID(ctx, tx, billing.Bill, bill)
		return err
	})
	return found
}

func (b books) pay(in payables.Paying) payables.Payment {
	b.Helper()
	if in.Method == "" {
		in.Method = billing.BankTransfer
	}
	var p payables.Payment
	b.do(func(ctx context.Context, tx *tenant.Tx) (err error) {
		p, err = payables.PayBills(ctx, tx, in)
		return err
	})
	return p
}

// balances are all accounts that have one, as "code amount currency", by code.
func (b books) balances() string {
	b.Helper()
	var all []string
	b.do(func(ctx context.Context, tx *tenant.Tx) error {
		var rows []struct {
			Code     string         `db:"code"`
			Currency money.Currency `db:"currency"`
			Minor    int64          `db:"amount"`
		}
		err := tx.Select(ctx, &rows, `SELECT a.code, l.currency, sum(l.amount)::bigint AS amount FROM journal_line l JOIN account a ON a.id = l.account_id
			GROUP BY a.code, l.currency HAVING sum(l.amount) <> 0 ORDER BY a.code, l.currency`)
		for _, r := range rows {
			a := money.Amount{Minor: r.Minor, Currency: r.Currency}
			all = append(all, r.Code+" "+a.String()+" "+r.Currency.Code())
		}
		return err
	})
	return strings.Join(all, ", ")
}

// aged is the sum of aged payables on a day: each column, then what the account says.
func (b books) aged(on string) []string {
	b.Helper()
	var all []string
	b.do(func(ctx context.Context, tx *tenant.Tx) error {
		t, err := report.AgedPayables(ctx, tx, day(on), eur)
		if err != nil {
			return err
		}
		for _, a := range t.Sums[0].Amounts {
			all = append(all, a.String())
		}
		return nil
	})
	return all
}

func dec(s string) decimal.Decimal { return decimal.RequireFromString(s) }

func amount(s string, c money.Currency) money.Amount {
	a, err := money.ParseAmount(s, c)
	if err != nil {
		panic(err)
	}
	return a
}

func day(s string) civil.Date {
	d, err := civil.Parse(s)
	if err != nil {
		panic(err)
	}
	return d
}

func line(description, quantity, price string, codes ...string) billing.InvoiceLineInput {
	return billing.InvoiceLineInput{Description: description, Quantity: dec(quantity), UnitPrice: dec(price), TaxCodes: codes}
}
