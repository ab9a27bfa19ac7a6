package billing_test

import (
	"context"
	"strings"
	"testing"

	"github.com/countinghouse/countinghouse/billing"
	"github.com/countinghouse/countinghouse/billing/ledger"
	"github.com/countinghouse/countinghouse/billing/money"
	"github.com/countinghouse/countinghouse/billing/tax"
	"github.com/countinghouse/countinghouse/internal/cursor"
	"github.com/countinghouse/countinghouse/internal/fault"
	"github.com/countinghouse/countinghouse/internal/id"
	"github.com/countinghouse/countinghouse/internal/text"
	"github.com/countinghouse/countinghouse/tenant"
)

func (b books) product(in billing.ProductInput) billing.Product {
	b.Helper()
	var p billing.Product
	b.do(func(ctx context.Context, tx *tenant.Tx) (err error) {
		p, err = billing.AddProduct(ctx, tx, in)
		return err
	})
	return p
}

// plainAccount gives an account of a kind that the books do not post to by themselves.
func (b books) plainAccount(kind string) ledger.AccountID {
	b.Helper()
	var a ledger.AccountID
	b.do(func(ctx context.Context, tx *tenant.Tx) error {
		return tx.Get(ctx, &a, `SELECT id FROM account WHERE kind::text = $1 AND purpose IS NULL ORDER BY code LIMIT 1`, kind)
	})
	return a
}

func TestAddProduct(t *testing.T) {
	t.Parallel()
	b := openBooks(t)
	other := b.plainAccount("income")
	p := b.product(billing.ProductInput{Name: " 翻訳 ", UnitPrice: dec("0.123456"), Currency: jpy, IncomeAccount: other})
	var read billing.Product
	b.do(func(ctx context.Context, tx *tenant.Tx) (err error) {
		read, err = billing.ProductByID(ctx, tx, p.ID)
		return err
	})
	if read.Name != "翻訳" || !read.UnitPrice.Equal(dec("0.123456")) || read.Currency != jpy || read.IncomeAccount != other {
		t.Errorf("read %+v", read)
	}
	if p := b.product(billing.ProductInput{Name: "Work"}); p.Currency != eur || !p.IncomeAccount.IsZero() {
		t.Errorf("without a currency and account: %+v", p)
	}
}

func TestAddProductRefuses(t *testing.T) {
	t.Parallel()
	b := openBooks(t)
	b.product(billing.ProductInput{Name: "Work", ExternalID: "p-1"})
	for name, c := range map[string]struct {
		in    billing.ProductInput
		want  *fault.Error
		field string
	}{
		"no name":               {billing.ProductInput{}, text.ErrMissing, "name"},
		"a NUL byte":            {billing.ProductInput{Name: "a", Description: "a\x00"}, text.ErrInvalid, "description"},
		"a negative price":      {billing.ProductInput{Name: "a", UnitPrice: dec("-1")}, tax.ErrPriceNegative, "unit_price"},
		"a price of 40 digits":  {billing.ProductInput{Name: "a", UnitPrice: dec(strings.Repeat("9", 40))}, money.ErrNumberTooLarge, "unit_price"},
		"a price of 7 decimals": {billing.ProductInput{Name: "a", UnitPrice: dec("0.0000001")}, money.ErrNumberTooPrecise, "unit_price"},
		"a price of 1e9999":     {billing.ProductInput{Name: "a", UnitPrice: dec("1e9999")}, money.ErrNumberTooLarge, "unit_price"},
		"an unknown account":    {billing.ProductInput{Name: "a", IncomeAccount: id.New[ledger.Account]()}, billing.ErrAccountUnknown, "account_id"},
		"an external id twice":  {billing.ProductInput{Name: "a", ExternalID: "p-1"}, billing.ErrProductExternal, "external_id"},
	} {
		t.Run(name, func(t *testing.T) {
			books{t, b.org}.refuses(c.want, c.field, func(ctx context.Context, tx *tenant.Tx) error {
				_, err := billing.AddProduct(ctx, tx, c.in)
				return err
			})
		})
	}
}

func TestChangeProduct(t *testing.T) {
	t.Parallel()
	b := openBooks(t)
	p := b.product(billing.ProductInput{Name: "Work", UnitPrice: dec("10")})
	change := func(version int, in billing.ProductInput) func(ctx context.Context, tx *tenant.Tx) error {
		return func(ctx context.Context, tx *tenant.Tx) error {
			_, err := billing.ChangeProduct(ctx, tx, p.ID, version, in)
			return err
		}
	}
	b.do(change(p.Version, billing.ProductInput{Name: "Work", UnitPrice: dec("12")}))
	b.refuses(billing.ErrProductChanged, "", change(p.Version, billing.ProductInput{Name: "Work", UnitPrice: dec("11")}))
	b.refuses(billing.ErrAccountUnknown, "account_id", change(0, billing.ProductInput{Name: "Work", IncomeAccount: id.New[ledger.Account]()}))
	b.do(func(ctx context.Context, tx *tenant.Tx) error {
		_, err := billing.ArchiveProduct(ctx, tx, p.ID, 0)
		return err
	})
	b.do(func(ctx context.Context, tx *tenant.Tx) error {
		page, err := billing.Products(ctx, tx, billing.ProductFilter{Archived: true, Search: "work"}, cursor.Query{})
		if err == nil && (len(page.Items) != 1 || !page.Items[0].UnitPrice.Equal(dec("12"))) {
			t.Errorf("archived are %+v", page.Items)
		}
		if err != nil {
			return err
		}
		page, err = billing.Products(ctx, tx, billing.ProductFilter{}, cursor.Query{})
		if err == nil && len(page.Items) != 0 {
			t.Errorf("still listed are %+v", page.Items)
		}
		return err
	})
}
