package audit_test

import (
	"bytes"
	"context"
	"errors"
	"os"
	"testing"

	"github.com/countinghouse/countinghouse/billing/ledger"
	"github.com/countinghouse/countinghouse/billing/money"
	"github.com/countinghouse/countinghouse/internal/audit"
	"github.com/countinghouse/countinghouse/tenant"
	"github.com/countinghouse/countinghouse/tenant/tenanttest"
)

func TestMain(m *testing.M) { os.Exit(tenanttest.Main(m)) }

// books is an organization with accounts, and a clock that can be moved.
type books struct {
	tenanttest.Organization
	db       *tenant.DB
	clock    *tenanttest.Clock
	bank, in ledger.AccountID
}

func openBooks(t testing.TB) *books {
	t.Helper()
	b := &books{clock: &tenanttest.Clock{}}
	b.db = tenanttest.OpenWith(t, b.clock)
	b.Organization = tenanttest.Found(t, b.db, func(ctx context.Context, tx *tenant.Tx) error {
		_, err := tx.Exec(ctx, `INSERT INTO settings (name, base_currency, time_zone, country) VALUES ('Tidewater Studios', 'EUR', 'Europe/Helsinki', 'FI')`)
		if err != nil {
			return err
		}
		return ledger.OpenChart(ctx, tx)
	})
	b.do(t, func(ctx context.Context, tx *tenant.Tx) error {
		accounts, err := ledger.Accounts(ctx, tx)
		for _, a := range accounts {
			switch a.Kind {
			case ledger.KindAsset:
				b.bank = a.ID
			case ledger.KindIncome:
				b.in = a.ID
			}
		}
		return err
	})
	return b
}

func (b *books) do(t testing.TB, fn func(ctx context.Context, tx *tenant.Tx) error) {
	t.Helper()
	tenanttest.Do(t, b.db, b.Organization, fn)
}

// post writes an entry into the journal, which is on record too.
func (b *books) post(t testing.TB, minor int64) {
	t.Helper()
	b.do(t, func(ctx context.Context, tx *tenant.Tx) error {
		today, err := ledger.Today(ctx, tx)
		if err != nil {
			return err
		}
		eur := money.MustCurrency("EUR")
		_, err = ledger.Post(ctx, tx, ledger.Posting{Date: today, Description: "Ø <b> & \"Sons\"\u2028", Lines: []ledger.Line{
			{Account: b.bank, Amount: money.Amount{Minor: minor, Currency: eur}}, {Account: b.in, Amount: money.Amount{Minor: -minor, Currency: eur}, Memo: "été"}}})
		return err
	})
}

func (b *books) change(t testing.TB, before, after string) {
	t.Helper()
	b.do(t, func(ctx context.Context, tx *tenant.Tx) error {
		return tx.Record(ctx, tenant.Act{Action: "settings.change", Object: "settings", Changes: []tenant.Change{
			{Field: "terms", Before: before, After: after}, {Field: "email", Before: before + "@tide.example", After: after + "@tide.example", Personal: true}}})
	})
}

func (b *books) seal(t testing.TB) int {
	t.Helper()
	n, err := audit.Seal(context.Background(), b.db, b.Scope)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func (b *books) run(fn func(tx *tenant.Tx) error) error {
	return tenant.Do(context.Background(), b.db, b.Scope, fn)
}

func (b *books) export(t testing.TB) []byte {
	t.Helper()
	var out bytes.Buffer
	if err := audit.WriteSealed(context.Background(), b.run, &out, b.db.Now()); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func verify(t testing.TB, file []byte) audit.Proof {
	t.Helper()
	proof, err := audit.Verify(bytes.NewReader(file), "")
	if err != nil {
		t.Fatal(err)
	}
	return proof
}

// broken gives where a file breaks, and fails the test if it is whole.
func broken(t testing.TB, what string, file []byte) *audit.Broken {
	t.Helper()
	_, err := audit.Verify(bytes.NewReader(file), "")
	var b *audit.Broken
	if !errors.As(err, &b) {
		t.Fatalf("%s: passed as whole (%v)", what, err)
	}
	return b
}
