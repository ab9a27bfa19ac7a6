package ledger_test

import (
	"context"
	"errors"
	"os"
	"testing"

	"github.com/google/uuid"

	"github.com/countinghouse/countinghouse/billing/ledger"
	"github.com/countinghouse/countinghouse/billing/money"
	"github.com/countinghouse/countinghouse/internal/civil"
	"github.com/countinghouse/countinghouse/internal/fault"
	"github.com/countinghouse/countinghouse/internal/id"
	"github.com/countinghouse/countinghouse/tenant"
	"github.com/countinghouse/countinghouse/tenant/tenanttest"
)

func TestMain(m *testing.M) { os.Exit(tenanttest.Main(m)) }

var may5 = civil.On(2026, 5, 5)

// books is an organization with settings, a chart and the accounts by code.
type books struct {
	tenanttest.Organization
	account map[string]ledger.AccountID
	party   uuid.UUID
}

func openBooks(t testing.TB) books {
	t.Helper()
	b := books{account: map[string]ledger.AccountID{}, party: id.New[books]().UUID}
	b.Organization = tenanttest.Found(t, tenanttest.DB(), func(ctx context.Context, tx *tenant.Tx) error {
		_, err := tx.Exec(ctx, `INSERT INTO settings (name, base_currency, time_zone, country) VALUES ('Tidewater Studios', 'EUR', 'Pacific/Auckland', 'NZ')`)
		if err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, `INSERT INTO party (id, name, created_at) VALUES ($1, 'Terhi Hämäläinen', $2)`, b.party, tx.Now()); err != nil {
			return err
		}
		return ledger.OpenChart(ctx, tx)
	})
	tenanttest.Do(t, tenanttest.DB(), b.Organization, func(ctx context.Context, tx *tenant.Tx) error {
		accounts, err := ledger.Accounts(ctx, tx)
		for _, a := range accounts {
			b.account[a.Code] = a.ID
		}
		return err
	})
	return b
}

// do runs fn in a transaction of the organization and gives its error.
func (b books) do(fn func(ctx context.Context, tx *tenant.Tx) error) error {
	ctx := context.Background()
	return tenant.Do(ctx, tenanttest.DB(), b.Scope, func(tx *tenant.Tx) error { return fn(ctx, tx) })
}

func (b books) post(p ledger.Posting) (e ledger.Entry, err error) {
	err = b.do(func(ctx context.Context, tx *tenant.Tx) (err error) {
		e, err = ledger.Post(ctx, tx, p)
		return err
	})
	return e, err
}

func (b books) mustPost(t testing.TB, p ledger.Posting) ledger.Entry {
	t.Helper()
	e, err := b.post(p)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func (b books) read(t testing.TB, entry ledger.EntryID) (e ledger.Entry) {
	t.Helper()
	err := b.do(func(ctx context.Context, tx *tenant.Tx) (err error) {
		e, err = ledger.EntryByID(ctx, tx, entry)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// sale is a posting of two lines that balance.
func (b books) sale(minor int64) ledger.Posting {
	return ledger.Posting{Date: may5, Description: "Studio session", Lines: []ledger.Line{
		{Account: b.account["1010"], Amount: eur(minor)},
		{Account: b.account["4000"], Amount: eur(-minor)},
	}}
}

// entries counts what the journal holds.
func (b books) entries(t testing.TB) (n int) {
	t.Helper()
	err := b.do(func(ctx context.Context, tx *tenant.Tx) error {
		return tx.Get(ctx, &n, `SELECT count(*) FROM journal_entry`)
	})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// balance of an account in one currency.
func (b books) balance(t testing.TB, code, currency string) (minor int64) {
	t.Helper()
	err := b.do(func(ctx context.Context, tx *tenant.Tx) error {
		return tx.Get(ctx, &minor, `SELECT coalesce(sum(amount), 0)::bigint FROM journal_line WHERE account_id = $1 AND currency = $2`,
			b.account[code], currency)
	})
	if err != nil {
		t.Fatal(err)
	}
	return minor
}

// faults gives the faults of an error one by one.
func faults(err error) fault.List {
	var list fault.List
	var one *fault.Error
	switch {
	case errors.As(err, &list):
		return list
	case errors.As(err, &one):
		return fault.List{one}
	}
	return nil
}

func eur(minor int64) money.Amount { return amount("EUR", minor) }

func amount(code string, minor int64) money.Amount {
	return money.Amount{Minor: minor, Currency: money.MustCurrency(code)}
}

// fields gives the fields that the faults of an error point at.
func fields(err error) (all []string) {
	for _, e := range faults(err) {
		all = append(all, e.Field)
	}
	return all
}
