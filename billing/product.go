package billing

import (
	"context"
	"errors"
	"strconv"
	"strings"
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
	ErrRecurring       = fault.New(fault.Invalid, "product.recurring", "A product recurs every 1 to 365 days, weeks or months, or every 1 to 5 years.").At("recurring_every")
	ErrShopTaxes       = fault.New(fault.Invalid, "product.tax_codes", "One of these is no tax of yours, or is archived. Give codes with spaces between them, at most 8.").At("tax_codes")
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
	Offer
}

// Offer is how a product is sold in the shop.
type Offer struct {
	InShop bool   `db:"in_shop"`
	Type   string `db:"product_type"`    // of the organization's own words; may be empty
	Unit   string `db:"recurring_unit"`  // day, week, month or year; empty: sold once
	Every  int    `db:"recurring_every"` // so many units; 1 where it is sold once
	Codes  string `db:"tax_codes"`       // of the taxes that are added, divided by spaces
}

// TaxCodes are the codes of the taxes that are added in the shop.
func (o Offer) TaxCodes() []string { return strings.Fields(o.Codes) }

// Recurs reports whether it is sold again and again.
func (o Offer) Recurs() bool { return o.Unit != "" }

// ProductInput is what is written about a product. No currency is the organization's own.
type ProductInput struct {
	ExternalID, Name, Description string
	UnitPrice                     decimal.Decimal
	Currency                      money.Currency
	IncomeAccount                 ledger.AccountID
	Offer                         *Offer // none: as it is; of a new product, not in the shop
}

// ProductFilter narrows a list of products: to those in whose name, description or external id the words of Search
// occur, and to the archived or (zero) those that are not.
type ProductFilter struct {
	Search   string
	Archived bool
	InShop   bool // only those that the shop sells
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
	if in.Offer != nil {
		offer := in.Offer.check(&f)
		in.Offer = &offer
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
	if in.Currency.IsZero() {
		s, err := LoadSettings(ctx, tx)
		if err != nil {
			return in, err
		}
		in.Currency = s.BaseCurrency
	}
	return in, in.tryTaxes(ctx, tx)
}

// check reads an offer. What is sold once has a rhythm of 1.
func (o Offer) check(f *fields) Offer {
	o.Type = f.text(text.Line, "product_type", o.Type, 30)
	o.Codes = strings.Join(strings.Fields(f.text(text.Line, "tax_codes", o.Codes, 170)), " ")
	switch o.Unit {
	case "":
		o.Every = 1
	case "day", "week", "month":
		if o.Every < 1 || o.Every > 365 {
			f.add("recurring_every", ErrRecurring)
		}
	case "year":
		if o.Every < 1 || o.Every > 5 {
			f.add("recurring_every", ErrRecurring)
		}
	default:
		f.add("recurring_unit", ErrRecurring.At("recurring_unit"))
	}
	return o
}

// tryTaxes has the calculator look at one of it, with its taxes, so that no order comes to nothing for them.
func (in ProductInput) tryTaxes(ctx context.Context, tx *tenant.Tx) error {
	if in.Offer == nil || in.Offer.Codes == "" {
		return nil
	}
	var f fields
	_, err := prepare(ctx, tx, invoiceKind, DocumentInput{Currency: in.Currency,
		Lines: []InvoiceLineInput{{Description: in.Name, Quantity: decimal.NewFromInt(1), UnitPrice: in.UnitPrice, TaxCodes: in.Offer.TaxCodes()}}}, &f)
	if err != nil {
		return err
	}
	if len(f.faults) > 0 {
		return ErrShopTaxes
	}
	return nil
}

// AddProduct keeps a new product. It fails with what is wrong with the input, ErrAccountUnknown or ErrProductExternal.
func AddProduct(ctx context.Context, tx *tenant.Tx, in ProductInput) (Product, error) {
	in, err := in.check(ctx, tx)
	if err != nil {
		return Product{}, err
	}
	if in.Offer == nil {
		in.Offer = &Offer{Every: 1}
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
	if in.Offer == nil {
		in.Offer = &was.Offer
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
		{Field: "in_shop", Before: strconv.FormatBool(was.InShop), After: strconv.FormatBool(is.InShop)},
		{Field: "product_type", Before: was.Type, After: is.Type},
		{Field: "recurring", Before: was.rhythm(), After: is.rhythm()},
		{Field: "tax_codes", Before: was.Codes, After: is.Codes},
		{Field: "income_account_id", Before: idText(was.IncomeAccount), After: idText(is.IncomeAccount)},
	}
}

func (o Offer) rhythm() string {
	if !o.Recurs() {
		return ""
	}
	return strconv.Itoa(o.Every) + " " + o.Unit
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
