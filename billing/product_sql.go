package billing

import (
	"context"
	"errors"
	"fmt"

	"github.com/countinghouse/countinghouse/internal/cursor"
	"github.com/countinghouse/countinghouse/tenant"
)

const productColumns = `p.id, coalesce(p.external_id, '') AS external_id, p.name, p.description, p.unit_price, p.currency,
	p.income_account_id, p.created_at, p.archived_at IS NOT NULL AS archived, p.version,
	p.in_shop, p.product_type, p.recurring_unit, p.recurring_every, p.tax_codes`

// A product's account must be there and in use; without one, $7 is null and is kept so.
const productAccount = `($7::uuid IS NULL OR EXISTS (SELECT FROM account a WHERE a.id = $7 AND a.archived_at IS NULL))`

func insertProduct(ctx context.Context, tx *tenant.Tx, product ProductID, in ProductInput) (p Product, err error) {
	err = tx.Get(ctx, &p, `
		INSERT INTO product AS p (id, external_id, name, description, unit_price, currency, income_account_id, created_at,
			in_shop, product_type, recurring_unit, recurring_every, tax_codes)
		SELECT $1::uuid, $2, $3, $4, $5::numeric, $6, $7::uuid, $8::timestamptz, $9::boolean, $10, $11, $12::smallint, $13 WHERE `+productAccount+`
		RETURNING `+productColumns,
		product, textOrNull(in.ExternalID), in.Name, in.Description, in.UnitPrice, in.Currency, orNull(in.IncomeAccount.UUID), tx.Now(),
		in.Offer.InShop, in.Offer.Type, in.Offer.Unit, in.Offer.Every, in.Offer.Codes)
	if errors.Is(err, tenant.ErrNoRows) {
		return p, ErrAccountUnknown
	}
	return p, productFault("adding a product", err)
}

func updateProduct(ctx context.Context, tx *tenant.Tx, product ProductID, version int, in ProductInput) (p Product, err error) {
	err = tx.Get(ctx, &p, `
		UPDATE product AS p SET external_id = $2, name = $3, description = $4, unit_price = $5, currency = $6,
			income_account_id = $7, in_shop = $9, product_type = $10, recurring_unit = $11, recurring_every = $12, tax_codes = $13,
			version = p.version + 1
		 WHERE p.id = $1 AND ($8 = 0 OR p.version = $8) AND `+productAccount+`
		RETURNING `+productColumns,
		product, textOrNull(in.ExternalID), in.Name, in.Description, in.UnitPrice, in.Currency, orNull(in.IncomeAccount.UUID), version,
		in.Offer.InShop, in.Offer.Type, in.Offer.Unit, in.Offer.Every, in.Offer.Codes)
	if errors.Is(err, tenant.ErrNoRows) {
		return p, missingProduct(ctx, tx, product, version)
	}
	return p, productFault("changing a product", err)
}

func setProductArchived(ctx context.Context, tx *tenant.Tx, product ProductID, version int, archived bool) (p Product, err error) {
	err = tx.Get(ctx, &p, `
		UPDATE product AS p SET archived_at = CASE WHEN $3 THEN coalesce(p.archived_at, $4) END, version = p.version + 1
		 WHERE p.id = $1 AND ($2 = 0 OR p.version = $2)
		RETURNING `+productColumns, product, version, archived, tx.Now())
	if errors.Is(err, tenant.ErrNoRows) {
		return p, missingProduct(ctx, tx, product, version)
	}
	return p, productFault("archiving a product", err)
}

// missingProduct tells why an update met no row.
func missingProduct(ctx context.Context, tx *tenant.Tx, product ProductID, version int) error {
	p, err := selectProduct(ctx, tx, product)
	switch {
	case err != nil:
		return err
	case version != 0 && p.Version != version:
		return ErrProductChanged
	}
	return ErrAccountUnknown
}

func productFault(doing string, err error) error {
	switch {
	case err == nil:
		return nil
	case tenant.Violates(err) == "product_external_id_key":
		return ErrProductExternal.Because(err)
	}
	return fmt.Errorf("%s: %w", doing, err)
}

func selectProduct(ctx context.Context, tx *tenant.Tx, product ProductID) (p Product, err error) {
	err = tx.Get(ctx, &p, `SELECT `+productColumns+` FROM product p WHERE p.id = $1`, product)
	if errors.Is(err, tenant.ErrNoRows) {
		return p, ErrProductNotFound
	} else if err != nil {
		return p, fmt.Errorf("reading a product: %w", err)
	}
	return p, nil
}

// lockProduct reads one so that nobody changes it before the transaction ends.
func lockProduct(ctx context.Context, tx *tenant.Tx, product ProductID) (p Product, err error) {
	err = tx.Get(ctx, &p, `SELECT `+productColumns+` FROM product p WHERE p.id = $1 FOR UPDATE`, product)
	if errors.Is(err, tenant.ErrNoRows) {
		return p, ErrProductNotFound
	} else if err != nil {
		return p, fmt.Errorf("reading a product: %w", err)
	}
	return p, nil
}

const productsWhere = `SELECT ` + productColumns + ` FROM product p
	 WHERE (p.archived_at IS NOT NULL) = $1 AND ($5::boolean IS NOT TRUE OR p.in_shop)
	   AND ($2 = '' OR position(upper($2) in upper(p.name || ' ' || p.description || ' ' || coalesce(p.external_id, ''))) > 0)`

func selectProducts(ctx context.Context, tx *tenant.Tx, filter ProductFilter, q cursor.Query) (rows []Product, err error) {
	if q.Backwards() {
		err = tx.Select(ctx, &rows, productsWhere+`
			AND (lower(p.name), p.id) < (SELECT lower(b.name), b.id FROM product b WHERE b.id = $3)
			ORDER BY lower(p.name) DESC, p.id DESC LIMIT $4`, filter.Archived, filter.Search, q.Before, q.Fetch(), filter.InShop)
	} else {
		err = tx.Select(ctx, &rows, productsWhere+`
			AND ($3::uuid IS NULL OR (lower(p.name), p.id) > (SELECT lower(b.name), b.id FROM product b WHERE b.id = $3))
			ORDER BY lower(p.name), p.id LIMIT $4`, filter.Archived, filter.Search, orNull(q.After), q.Fetch(), filter.InShop)
	}
	if err != nil {
		return nil, fmt.Errorf("listing products: %w", err)
	}
	return rows, nil
}

func selectProductIDs(ctx context.Context, tx *tenant.Tx, externalIDs []string) (map[string]ProductID, error) {
	wanted, err := toJSON(plausibleIDs(externalIDs))
	if err != nil {
		return nil, err
	}
	var rows []known[Product]
	err = tx.Select(ctx, &rows, `SELECT external_id, id FROM product
		WHERE external_id IN (SELECT jsonb_array_elements_text($1::jsonb))`, wanted)
	if err != nil {
		return nil, fmt.Errorf("looking for products: %w", err)
	}
	return byExternalID(rows), nil
}
