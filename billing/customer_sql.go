package billing

import (
	"context"
	"errors"
	"fmt"

	"github.com/countinghouse/countinghouse/internal/cursor"
	"github.com/countinghouse/countinghouse/tenant"
)

const customerColumns = `p.id, coalesce(p.external_id, '') AS external_id, p.name, p.company, p.email, p.phone,
	p.street, p.city, p.region, p.postal_code, p.country, p.tax_number, p.language, p.payment_terms_days, p.created_at, p.archived_at IS NOT NULL AS archived, p.version,
	p.verified_phone, p.phone_verified_at`

func insertCustomer(ctx context.Context, tx *tenant.Tx, customer CustomerID, in CustomerInput) (c Customer, err error) {
	err = tx.Get(ctx, &c, `
		INSERT INTO party AS p (id, external_id, name, company, email, phone, street, city, region, postal_code, country, created_at,
			tax_number, language, payment_terms_days)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)
		RETURNING `+customerColumns,
		customer, textOrNull(in.ExternalID), in.Name, in.Company, in.Email, in.Phone, in.Street, in.City, in.Region,
		in.PostalCode, in.Country, tx.Now(), in.TaxNumber, in.Language, in.TermsDays)
	return c, customerFault("adding a customer", err)
}

func updateCustomer(ctx context.Context, tx *tenant.Tx, customer CustomerID, version int, in CustomerInput) (c Customer, err error) {
	err = tx.Get(ctx, &c, `
		UPDATE party AS p SET external_id = $3, name = $4, company = $5, email = $6, phone = $7, street = $8, city = $9,
			region = $10, postal_code = $11, country = $12, tax_number = $13, language = $14, payment_terms_days = $15, version = p.version + 1
		 WHERE p.id = $1 AND p.is_customer AND ($2 = 0 OR p.version = $2)
		RETURNING `+customerColumns,
		customer, version, textOrNull(in.ExternalID), in.Name, in.Company, in.Email, in.Phone, in.Street, in.City,
		in.Region, in.PostalCode, in.Country, in.TaxNumber, in.Language, in.TermsDays)
	if errors.Is(err, tenant.ErrNoRows) {
		return c, missingCustomer(ctx, tx, customer)
	}
	return c, customerFault("changing a customer", err)
}

func setCustomerArchived(ctx context.Context, tx *tenant.Tx, customer CustomerID, version int, archived bool) (c Customer, err error) {
	err = tx.Get(ctx, &c, `
		UPDATE party AS p SET archived_at = CASE WHEN $3 THEN coalesce(p.archived_at, $4) END, version = p.version + 1
		 WHERE p.id = $1 AND p.is_customer AND ($2 = 0 OR p.version = $2)
		RETURNING `+customerColumns, customer, version, archived, tx.Now())
	if errors.Is(err, tenant.ErrNoRows) {
		return c, missingCustomer(ctx, tx, customer)
	}
	return c, customerFault("archiving a customer", err)
}

// missingCustomer tells why an update met no row.
func missingCustomer(ctx context.Context, tx *tenant.Tx, customer CustomerID) error {
	if _, err := selectCustomer(ctx, tx, customer); err != nil {
		return err
	}
	return ErrCustomerChanged
}

func customerFault(doing string, err error) error {
	switch {
	case err == nil:
		return nil
	case tenant.Violates(err) == "party_external_id_key":
		return ErrCustomerExternal.Because(err)
	}
	return fmt.Errorf("%s: %w", doing, err)
}

func selectCustomer(ctx context.Context, tx *tenant.Tx, customer CustomerID) (c Customer, err error) {
	err = tx.Get(ctx, &c, `SELECT `+customerColumns+` FROM party p WHERE p.id = $1 AND p.is_customer`, customer)
	if errors.Is(err, tenant.ErrNoRows) {
		return c, ErrCustomerNotFound
	} else if err != nil {
		return c, fmt.Errorf("reading a customer: %w", err)
	}
	return c, nil
}

// lockCustomer reads one so that nobody changes it before the transaction ends.
func lockCustomer(ctx context.Context, tx *tenant.Tx, customer CustomerID) (c Customer, err error) {
	err = tx.Get(ctx, &c, `SELECT `+customerColumns+` FROM party p WHERE p.id = $1 AND p.is_customer FOR UPDATE`, customer)
	if errors.Is(err, tenant.ErrNoRows) {
		return c, ErrCustomerNotFound
	} else if err != nil {
		return c, fmt.Errorf("reading a customer: %w", err)
	}
	return c, nil
}

// Searches compare capitals: small letters are more, as with the two sigmas. For whom names ($5) or contact details ($6) are
// masked they do not look into them: whether something is found would tell letter by letter what is hidden.
const customersWhere = `SELECT ` + customerColumns + ` FROM party p
	 WHERE p.is_customer AND (p.archived_at IS NOT NULL) = $1
	   AND ($2 = '' OR position(upper($2) in upper(CASE WHEN $5::boolean THEN '' ELSE p.name || ' ' END ||
	        CASE WHEN $6::boolean THEN '' ELSE p.email || ' ' END || p.company || ' ' ||
	        coalesce(p.external_id, ''))) > 0)`

func selectCustomers(ctx context.Context, tx *tenant.Tx, filter CustomerFilter, q cursor.Query) (rows []Customer, err error) {
	masks := tx.Scope().Masks()
	if q.Backwards() {
		err = tx.Select(ctx, &rows, customersWhere+`
			AND (lower(p.name), p.id) < (SELECT lower(b.name), b.id FROM party b WHERE b.id = $3)
			ORDER BY lower(p.name) DESC, p.id DESC LIMIT $4`, filter.Archived, filter.Search, q.Before, q.Fetch(), masks.Has(tenant.MaskNames), masks.Has(tenant.MaskContact))
	} else {
		err = tx.Select(ctx, &rows, customersWhere+`
			AND ($3::uuid IS NULL OR (lower(p.name), p.id) > (SELECT lower(b.name), b.id FROM party b WHERE b.id = $3))
			ORDER BY lower(p.name), p.id LIMIT $4`, filter.Archived, filter.Search, orNull(q.After), q.Fetch(), masks.Has(tenant.MaskNames), masks.Has(tenant.MaskContact))
	}
	if err != nil {
		return nil, fmt.Errorf("listing customers: %w", err)
	}
	return rows, nil
}

func selectCustomerIDs(ctx context.Context, tx *tenant.Tx, externalIDs []string) (map[string]CustomerID, error) {
	wanted, err := toJSON(plausibleIDs(externalIDs))
	if err != nil {
		return nil, err
	}
	var rows []known[Customer]
	err = tx.Select(ctx, &rows, `SELECT external_id, id FROM party
		WHERE is_customer AND external_id IN (SELECT jsonb_array_elements_text($1::jsonb))`, wanted)
	if err != nil {
		return nil, fmt.Errorf("looking for customers: %w", err)
	}
	return byExternalID(rows), nil
}
