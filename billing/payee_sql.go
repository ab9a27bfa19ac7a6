package billing

import (
	"context"
	"errors"
	"fmt"

	"github.com/countinghouse/countinghouse/internal/cursor"
	"github.com/countinghouse/countinghouse/tenant"
)

const payeeColumns = customerColumns + `, p.payee_terms_days, p.expense_account_id, p.is_customer`

// payeeAccount is the account that was asked for ($13), where it is there and in use and no account of debts.
const payeeAccount = `(SELECT a.id FROM account a WHERE a.id = $13::uuid AND a.archived_at IS NULL AND coalesce(a.purpose, '') NOT IN ('receivable', 'payable'))`

func insertPayee(ctx context.Context, tx *tenant.Tx, payee PayeeID, in PayeeInput) (p Payee, err error) {
	err = tx.Get(ctx, &p, `
		INSERT INTO party AS p (id, external_id, name, company, email, phone, street, city, region, postal_code, country,
			tax_number, expense_account_id, payee_terms_days, created_at, is_customer, is_payee)
		SELECT $1::uuid, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, `+payeeAccount+`, $14::smallint, $15::timestamptz, false, true
		 WHERE $13::uuid IS NULL OR `+payeeAccount+` IS NOT NULL
		RETURNING `+payeeColumns,
		payee, textOrNull(in.ExternalID), in.Name, in.Company, in.Email, in.Phone, in.Street, in.City, in.Region,
		in.PostalCode, in.Country, in.TaxNumber, orNull(in.ExpenseAccount.UUID), in.TermsDays, tx.Now())
	if errors.Is(err, tenant.ErrNoRows) {
		return p, ErrPayeeAccount
	}
	return p, customerFault("adding a payee", err)
}

// updatePayee changes a payee that the caller has locked.
func updatePayee(ctx context.Context, tx *tenant.Tx, payee PayeeID, version int, in PayeeInput) (p Payee, err error) {
	err = tx.Get(ctx, &p, `
		UPDATE party AS p SET external_id = $2, name = $3, company = $4, email = $5, phone = $6, street = $7, city = $8,
			region = $9, postal_code = $10, country = $11, tax_number = $12, expense_account_id = `+payeeAccount+`, payee_terms_days = $14,
			version = p.version + 1
		 WHERE p.id = $1 AND p.is_payee AND ($15 = 0 OR p.version = $15) AND ($13::uuid IS NULL OR `+payeeAccount+` IS NOT NULL)
		RETURNING `+payeeColumns,
		payee, textOrNull(in.ExternalID), in.Name, in.Company, in.Email, in.Phone, in.Street, in.City, in.Region,
		in.PostalCode, in.Country, in.TaxNumber, orNull(in.ExpenseAccount.UUID), in.TermsDays, version)
	if errors.Is(err, tenant.ErrNoRows) {
		is, err := selectPayee(ctx, tx, payee)
		switch {
		case err != nil:
			return p, err
		case version != 0 && is.Version != version:
			return p, ErrPayeeChanged
		}
		return p, ErrPayeeAccount
	}
	return p, customerFault("changing a payee", err)
}

// updateSides makes a party both customer and payee.
func updateSides(ctx context.Context, tx *tenant.Tx, party CustomerID) (p Payee, err error) {
	err = tx.Get(ctx, &p, `UPDATE party AS p SET is_customer = true, is_payee = true, version = p.version + 1 WHERE p.id = $1
		RETURNING `+payeeColumns, party)
	return p, customerFault("making a party both customer and payee", err)
}

func setPayeeArchived(ctx context.Context, tx *tenant.Tx, payee PayeeID, version int, archived bool) (p Payee, err error) {
	err = tx.Get(ctx, &p, `
		UPDATE party AS p SET archived_at = CASE WHEN $3 THEN coalesce(p.archived_at, $4) END, version = p.version + 1
		 WHERE p.id = $1 AND p.is_payee AND ($2 = 0 OR p.version = $2)
		RETURNING `+payeeColumns, payee, version, archived, tx.Now())
	if errors.Is(err, tenant.ErrNoRows) {
		if _, err := selectPayee(ctx, tx, payee); err != nil {
			return p, err
		}
		return p, ErrPayeeChanged
	}
	return p, customerFault("archiving a payee", err)
}

func selectPayee(ctx context.Context, tx *tenant.Tx, payee PayeeID) (p Payee, err error) {
	err = tx.Get(ctx, &p, `SELECT `+payeeColumns+` FROM party p WHERE p.id = $1 AND p.is_payee`, payee)
	return p, payeeFault(err)
}

// lockPayee reads one so that nobody changes it before the transaction ends.
func lockPayee(ctx context.Context, tx *tenant.Tx, payee PayeeID) (p Payee, err error) {
	err = tx.Get(ctx, &p, `SELECT `+payeeColumns+` FROM party p WHERE p.id = $1 AND p.is_payee FOR NO KEY UPDATE`, payee)
	return p, payeeFault(err)
}

func payeeFault(err error) error {
	if errors.Is(err, tenant.ErrNoRows) {
		return ErrPayeeNotFound
	} else if err != nil {
		return fmt.Errorf("reading a payee: %w", err)
	}
	return nil
}

// What holds of customersWhere holds here.
const payeesWhere = `SELECT ` + payeeColumns + ` FROM party p
	 WHERE p.is_payee AND (p.archived_at IS NOT NULL) = $1
	   AND ($2 = '' OR position(upper($2) in upper(CASE WHEN $5::boolean THEN '' ELSE p.name || ' ' END ||
	        CASE WHEN $6::boolean THEN '' ELSE p.email || ' ' END || p.company || ' ' ||
	        coalesce(p.external_id, ''))) > 0)`

func selectPayees(ctx context.Context, tx *tenant.Tx, filter PayeeFilter, q cursor.Query) (rows []Payee, err error) {
	masks := tx.Scope().Masks()
	if q.Backwards() {
		err = tx.Select(ctx, &rows, payeesWhere+`
			AND (lower(p.name), p.id) < (SELECT lower(b.name), b.id FROM party b WHERE b.id = $3)
			ORDER BY lower(p.name) DESC, p.id DESC LIMIT $4`, filter.Archived, filter.Search, q.Before, q.Fetch(), masks.Has(tenant.MaskNames), masks.Has(tenant.MaskContact))
	} else {
		err = tx.Select(ctx, &rows, payeesWhere+`
			AND ($3::uuid IS NULL OR (lower(p.name), p.id) > (SELECT lower(b.name), b.id FROM party b WHERE b.id = $3))
			ORDER BY lower(p.name), p.id LIMIT $4`, filter.Archived, filter.Search, orNull(q.After), q.Fetch(), masks.Has(tenant.MaskNames), masks.Has(tenant.MaskContact))
	}
	if err != nil {
		return nil, fmt.Errorf("listing payees: %w", err)
	}
	return rows, nil
}
