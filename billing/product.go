package billing

import (
	"context"
	"errors"
	"time"

	"github.com/shopspring/decimal"

	"github.com/countinghouse/countinghouse/billing/ledger"
	"github.com/countinghouse/countinghouse/billing/money"
	"github.com/countinghouse/countinghouse/billing/tax"
	"github.com/countinghouse/countinghouse/internal/cursor"
	"github.com/countinghouse/countinghouse/internal/fault"
	"github.com/countinghouse/countinghouse/internal/id"
	"github.com/countinghouse/countinghouse/internal/text"
	"github.com/countinghouse/countinghouse/tenant"
)

// What is refused about products.
var (
	ErrProductNotFound = fault.New(fault.NotFound, "product.not_found", "There is no such product.")
	ErrProductChanged  = fault.New(fault.Conflict, "product.changed", "Someone else changed this product in the meantime. Look at it again, then repeat your change.")
	ErrProductExternal = fault.New(fault.Conflict, "product.external_id_taken", "Another product has this external id.").At("external_id")
	ErrAccountUnknown  = ledger.ErrAccountUnknown.Sayf("There is no such account for income, or it is archived.").At("account_id")
)

// ProductID names a product.
type ProductID = id.Of[Product]

// Product is something that is sold.
type Product struct {
	ID            ProductID        `db:"id"`
	ExternalID    string           `db:"external_id"` // the product's id in another system, or empty
	Name          string           `db:"name"`
	Description   string           `db:"description"`
	UnitPrice     decimal.Decimal  `db:"unit_price"` // in major units, at most 6 decimals
	Currency      money.Currency   `db:"currency"`
	IncomeAccount ledger.AccountID `db:"income_account_id"` // zero: the account whose purpose is income
	CreatedAt     time.Time        `db:"created_at"`
	Archived      bool             `db:"archived"`
	Version       int              `db:"version"`
}

// ProductInput is what is written about a product. No currency is the organization's own.
type ProductInput struct {
	ExternalID, Name, Description string
	UnitPrice                     decimal.Decimal
	Currency                      money.Currency
	IncomeAccount                 ledger.AccountID
}

// ProductFilter narrows a list of products: to those in whose name, description or external id the words of Search
// occur, and to the archived or (zero) those that are not.
type ProductFilter struct {
	Search   string
	Archived bool
}

func (in ProductInput) check(ctx context.Context, tx *tenant.Tx) (ProductInput, error) {
	var f fields
	in.ExternalID = f.text(text.Line, "external_id", in.ExternalID, externalIDLength)
	in.Name = f.text(text.Required, "name", in.Name, nameLength)
	in.Description = f.text(text.Block, "description", in.Description, descriptionLimit)
	if in.UnitPrice.Sign() < 0 {
		f.add("unit_price", tax.ErrPriceNegative.Sayf("A price is not less than nothing."))
	} else {
		f.add("unit_price", money.CheckDecimal(in.UnitPrice, money.PriceIntDigits, money.PriceFracDigits))
	}
	if err := f.err(); err != nil {
		return in, err
	}
	if !in.IncomeAccount.IsZero() {
		account, err := ledger.AccountByID(ctx, tx, in.IncomeAccount)
		if errors.Is(err, ledger.ErrAccountNotFound) || (err == nil && (account.Archived || account.Purpose == ledger.Receivable)) {
			return in, ErrAccountUnknown
		} else if err != nil {
			return in, err
		}
	}
	if !in.Currency.IsZero() {
		return in, nil
	}
	s, err := LoadSettings(ctx, tx)
	in.Currency = s.BaseCurrency
	return in, err
}

// AddProduct keeps a new product. It fails with what is wrong with the input, ErrAccountUnknown or ErrProductExternal.
func AddProduct(ctx context.Context, tx *tenant.Tx, in ProductInput) (Product, error) {
	in, err := in.check(ctx, tx)
	if err != nil {
		return Product{}, err
	}
	p, err := insertProduct(ctx, tx, id.New[Product](), in)
	if err != nil {
		return Product{}, err
	}
	return p, tx.Record(ctx, tenant.Act{Action: "product.add", Object: "product", ID: p.ID.UUID})
}

// ChangeProduct writes all of a product anew; what was invoiced stays as it was. version is the one that the change was
// made on; 0 is any. It fails with what is wrong with the input, ErrProductNotFound, ErrProductChanged,
// ErrAccountUnknown or ErrProductExternal.
func ChangeProduct(ctx context.Context, tx *tenant.Tx, product ProductID, version int, in ProductInput) (Product, error) {
	in, err := in.check(ctx, tx)
	if err != nil {
		return Product{}, err
	}
	was, err := lockProduct(ctx, tx, product)
	if err != nil {
		return Product{}, err
	}
	p, err := updateProduct(ctx, tx, product, version, in)
	if err != nil {
		return Product{}, err
	}
	return p, tx.Record(ctx, tenant.Act{Action: "product.change", Object: "product", ID: p.ID.UUID, Changes: productChanges(was, p)})
}

func productChanges(was, is Product) []tenant.Change {
	return []tenant.Change{
		{Field: "external_id", Before: was.ExternalID, After: is.ExternalID},
		{Field: "name", Before: was.Name, After: is.Name},
		{Field: "description", Before: was.Description, After: is.Description},
		{Field: "unit_price", Before: priceText(was), After: priceText(is)},
		{Field: "income_account_id", Before: idText(was.IncomeAccount), After: idText(is.IncomeAccount)},
	}
}

func priceText(p Product) string { return p.UnitPrice.String() + " " + p.Currency.Code() }

func idText[T any](i id.Of[T]) string {
	if i.IsZero() {
		return ""
	}
	return i.String()
}

// ArchiveProduct takes a product off the lists; what was invoiced stays. Archiving twice is fine. It fails with
// ErrProductNotFound or ErrProductChanged.
func ArchiveProduct(ctx context.Context, tx *tenant.Tx, product ProductID, version int) (Product, error) {
	p, err := setProductArchived(ctx, tx, product, version, true)
	if err != nil {
		return Product{}, err
	}
	return p, tx.Record(ctx, tenant.Act{Action: "product.archive", Object: "product", ID: p.ID.UUID})
}

// RestoreProduct puts an archived product back on the lists, with the errors of ArchiveProduct.
func RestoreProduct(ctx context.Context, tx *tenant.Tx, product ProductID, version int) (Product, error) {
	p, err := setProductArchived(ctx, tx, product, version, false)
	if err != nil {
		return Product{}, err
	}
	return p, tx.Record(ctx, tenant.Act{Action: "product.restore", Object: "product", ID: p.ID.UUID})
}

// ProductByID gives one product, archived or not; ErrProductNotFound.
func ProductByID(ctx context.Context, tx *tenant.Tx, product ProductID) (Product, error) {
	return selectProduct(ctx, tx, product)
}

// Products lists products by name.
func Products(ctx context.Context, tx *tenant.Tx, filter ProductFilter, q cursor.Query) (cursor.Page[Product], error) {
	q, err := q.Check()
	if err != nil {
		return cursor.Page[Product]{}, err
	}
	if filter.Search, err = text.Line("search", filter.Search, nameLength); err != nil {
		return cursor.Page[Product]{}, err
	}
	rows, err := selectProducts(ctx, tx, filter, q)
	if err != nil {
		return cursor.Page[Product]{}, err
	}
	return cursor.Cut(q, rows), nil
}

// ProductsByExternalID gives the ids of those products that are known by these external ids.
func ProductsByExternalID(ctx context.Context, tx *tenant.Tx, externalIDs []string) (map[string]ProductID, error) {
	return selectProductIDs(ctx, tx, externalIDs)
}
