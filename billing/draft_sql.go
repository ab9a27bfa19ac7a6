package billing

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/shopspring/decimal"

	"github.com/countinghouse/countinghouse/billing/ledger"
	"github.com/countinghouse/countinghouse/billing/money"
	"github.com/countinghouse/countinghouse/billing/tax"
	"github.com/countinghouse/countinghouse/internal/locale"
	"github.com/countinghouse/countinghouse/tenant"
)

// references is all that a draft's input points at or leaves to the organization's settings.
type references struct {
	baseCurrency     money.Currency
	zone             *time.Location
	termsDays        int
	quoteDays        int
	customerTerms    *int            // none: those of the organization
	language         locale.Language // the customer's
	rounding         tax.Policy
	customerArchived *bool // nil: there is no such customer
	income           ledger.AccountID
	products         map[ProductID]referencedProduct
	accounts         map[ledger.AccountID]bool // those in use
	rates            map[string][]tax.Rate     // by code in use, with the percents of the issue date; a group has several
}

type referencedProduct struct {
	ID      ProductID        `json:"id"`
	Name    string           `json:"name"`
	Account ledger.AccountID `json:"income_account_id"`
}

type referencedRate struct {
	ID           tax.RateID      `json:"id"`
	Code         string          `json:"code"`
	Name         string          `json:"name"`
	Percent      decimal.Decimal `json:"percent"`
	Compound     bool            `json:"compound"`
	Kind         tax.Kind        `json:"kind"`
	Reason       string          `json:"reason"`
	Registration string          `json:"registration"`
}

type referencesRow struct {
	BaseCurrency     money.Currency   `db:"base_currency"`
	TimeZone         string           `db:"time_zone"`
	TermsDays        int              `db:"payment_terms_days"`
	QuoteDays        int              `db:"quote_days"`
	CustomerTerms    *int             `db:"customer_terms"`
	Language         string           `db:"language"`
	Rounding         string           `db:"tax_rounding"`
	CustomerArchived *bool            `db:"customer_archived"`
	Income           ledger.AccountID `db:"income"`
	Products         []byte           `db:"products"`
	Accounts         []byte           `db:"accounts"`
	Rates            []byte           `db:"rates"`
}

// percentOnIssue is the percent of a rate r on an issue date: $3, or where there is none the day of the moment $4.
const percentOnIssue = `coalesce((SELECT p.percent FROM tax_percent p
	WHERE p.tax_rate_id = r.id AND p.since <= coalesce($3::date, ($4::timestamptz AT TIME ZONE s.time_zone)::date)
	ORDER BY p.since DESC LIMIT 1), r.percent)`

// selectReferences looks everything up in one statement.
func selectReferences(ctx context.Context, tx *tenant.Tx, k kind, in DocumentInput) (references, error) {
	products, accounts, codes := map[ProductID]bool{}, map[ledger.AccountID]bool{}, []string{}
	for _, line := range in.Lines {
		products[line.ProductID] = true
		accounts[line.AccountID] = true
		codes = append(codes, plausibleIDs(line.TaxCodes)...)
	}
	arguments, err := toJSON(struct {
		Products map[ProductID]bool        `json:"products"`
		Accounts map[ledger.AccountID]bool `json:"accounts"`
		Codes    []string                  `json:"codes"`
	}{products, accounts, codes})
	if err != nil {
		return references{}, err
	}
	var row referencesRow
	err = tx.Get(ctx, &row, `
		SELECT s.base_currency, s.time_zone, s.payment_terms_days, s.quote_days, s.tax_rounding,
		       (SELECT CASE WHEN $5 THEN p.payee_terms_days ELSE p.payment_terms_days END FROM party p WHERE p.id = $1) AS customer_terms,
		       coalesce((SELECT p.language FROM party p WHERE p.id = $1), '') AS language,
		       (SELECT p.archived_at IS NOT NULL FROM party p WHERE p.id = $1 AND CASE WHEN $5 THEN p.is_payee ELSE p.is_customer END) AS customer_archived,
		       CASE WHEN $5 THEN (SELECT a.id FROM party p JOIN account a ON a.id = p.expense_account_id AND a.archived_at IS NULL WHERE p.id = $1)
		            ELSE (SELECT a.id FROM account a WHERE a.purpose = 'income') END AS income,
		       (SELECT json_agg(x) FROM (SELECT p.id, p.name, p.income_account_id FROM product p
		         WHERE p.id IN (SELECT k::uuid FROM jsonb_object_keys($2::jsonb -> 'products') k)) x) AS products,
		       (SELECT json_agg(a.id) FROM account a WHERE a.archived_at IS NULL AND coalesce(a.purpose, '') NOT IN ('receivable', 'payable')
		          AND a.id IN (SELECT k::uuid FROM jsonb_object_keys($2::jsonb -> 'accounts') k)) AS accounts,
		       (SELECT json_object_agg(x.code, x.rates) FROM (
		          SELECT asked.code, json_agg(json_build_object('id', r.id, 'code', r.code, 'name', r.name, 'compound', r.compound,
		                 'kind', r.kind, 'reason', r.reason, 'registration', r.registration, 'percent', `+percentOnIssue+`) ORDER BY g.position) AS rates
		            FROM tax_rate asked
		            LEFT JOIN tax_group_rate g ON g.group_id = asked.id
		            JOIN tax_rate r ON r.id = coalesce(g.tax_rate_id, asked.id)
		           WHERE asked.archived_at IS NULL AND asked.code IN (SELECT c FROM jsonb_array_elements_text($2::jsonb -> 'codes') c)
		           GROUP BY asked.id) x) AS rates
		  FROM settings s`, in.CustomerID, arguments, in.IssueDate, tx.Now(), k.bought)
	if err != nil {
		return references{}, fmt.Errorf("looking up what a document names: %w", err)
	}
	return row.references()
}

func (row referencesRow) references() (references, error) {
	r := references{
		baseCurrency: row.BaseCurrency, termsDays: row.TermsDays, quoteDays: row.QuoteDays, customerTerms: row.CustomerTerms,
		language: locale.Language(row.Language), customerArchived: row.CustomerArchived, income: row.Income,
		products: map[ProductID]referencedProduct{}, accounts: map[ledger.AccountID]bool{}, rates: map[string][]tax.Rate{},
	}
	var err error
	if r.rounding, err = roundingOf(row.Rounding); err != nil {
		return r, err
	}
	if r.zone, err = storedZone(row.TimeZone); err != nil {
		return r, err
	}
	var products []referencedProduct
	var accounts []ledger.AccountID
	var rates map[string][]referencedRate
	if err := fromJSON(row.Products, &products, row.Accounts, &accounts, row.Rates, &rates); err != nil {
		return r, err
	}
	for _, p := range products {
		r.products[p.ID] = p
	}
	for _, a := range accounts {
		r.accounts[a] = true
	}
	for code, several := range rates {
		for _, x := range several {
			r.rates[code] = append(r.rates[code], tax.Rate(x))
		}
	}
	return r, nil
}

// fromJSON reads columns of aggregated rows, each followed by where it goes. NULL, the aggregate of no rows, leaves its
// target as it is.
func fromJSON(columnsAndTargets ...any) error {
	for i := 0; i < len(columnsAndTargets); i += 2 {
		if column := columnsAndTargets[i].([]byte); column != nil {
			if err := json.Unmarshal(column, columnsAndTargets[i+1]); err != nil {
				return fmt.Errorf("reading aggregated rows: %w", err)
			}
		}
	}
	return nil
}

type lineRow struct {
	Line            int              `json:"line"`
	Product         *uuid.UUID       `json:"product_id"`
	Description     string           `json:"description"`
	Quantity        decimal.Decimal  `json:"quantity"`
	UnitPrice       decimal.Decimal  `json:"unit_price"`
	DiscountPercent decimal.Decimal  `json:"discount_percent"`
	DiscountShare   int64            `json:"discount_share"`
	Account         ledger.AccountID `json:"account_id"`
	Net             int64            `json:"net"`
	Origin          *int             `json:"origin_line,omitempty"`
}

type taxRow struct {
	Line     int             `json:"line"`
	Position int             `json:"position"`
	Rate     tax.RateID      `json:"tax_rate_id"`
	Code     string          `json:"code"`
	Name     string          `json:"name"`
	Percent  decimal.Decimal `json:"percent"`
	Compound bool            `json:"compound"`
	Base     int64           `json:"base"`
	Amount   int64           `json:"amount"`
	rateWords
}

// rateWords is what a rate prints beside its figures.
type rateWords struct {
	Kind         tax.Kind `json:"kind"`
	Reason       string   `json:"reason"`
	Registration string   `json:"registration"`
}

// rows are a draft's lines and taxes as one argument each.
func (d draft) rows() (lines, taxes string, err error) {
	allLines, allTaxes := make([]lineRow, len(d.lines)), []taxRow{}
	for i, line := range d.lines {
		figures := d.figures.Lines[i]
		row := lineRow{
			Line: i + 1, Description: line.Description, Quantity: line.Quantity, UnitPrice: line.UnitPrice,
			DiscountPercent: line.DiscountPercent, DiscountShare: figures.Share.Minor, Account: line.account, Net: figures.Net.Minor,
		}
		if !line.ProductID.IsZero() {
			row.Product = &line.ProductID.UUID
		}
		if line.origin != 0 {
			row.Origin = &line.origin
		}
		allLines[i] = row
		for j, t := range figures.Taxes {
			allTaxes = append(allTaxes, taxRow{
				Line: i + 1, Position: j + 1, Rate: t.Rate.ID, Code: t.Rate.Code, Name: t.Rate.Name,
				Percent: t.Rate.Percent, Compound: t.Rate.Compound, Base: t.Base.Minor, Amount: t.Amount.Minor,
				rateWords: rateWords{t.Rate.Kind, t.Rate.Reason, t.Rate.Registration},
			})
		}
	}
	if lines, err = toJSON(allLines); err != nil {
		return "", "", err
	}
	taxes, err = toJSON(allTaxes)
	return lines, taxes, err
}

// insertParts goes after a statement named d that gives the document's id; $2 and $3 are its lines and taxes.
const insertParts = `, l AS (
		INSERT INTO document_line (document_id, line, product_id, description, quantity, unit_price, discount_percent, discount_share, account_id, net, origin_line)
		SELECT d.id, x.line, x.product_id, x.description, x.quantity, x.unit_price, x.discount_percent, x.discount_share, x.account_id, x.net, x.origin_line
		  FROM d, jsonb_to_recordset($2::jsonb) AS x (line smallint, product_id uuid, description text, quantity numeric,
		       unit_price numeric, discount_percent numeric, discount_share bigint, account_id uuid, net bigint, origin_line smallint)
	), t AS (
		INSERT INTO document_tax (document_id, line, position, tax_rate_id, code, name, percent, compound, base, amount, kind, reason, registration, recoverable)
		SELECT d.id, x.line, x.position, x.tax_rate_id, x.code, x.name, x.percent, x.compound, x.base, x.amount, x.kind, x.reason, x.registration,
		       (SELECT r.recoverable FROM tax_rate r WHERE r.id = x.tax_rate_id)
		  FROM d, jsonb_to_recordset($3::jsonb) AS x (line smallint, position smallint, tax_rate_id uuid, code text,
		       name text, percent numeric, compound boolean, base bigint, amount bigint, kind text, reason text, registration text)
	)
	SELECT FROM d`

func insertDraft(ctx context.Context, tx *tenant.Tx, document uuid.UUID, d draft) error {
	lines, taxes, err := d.rows()
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx, `
		WITH d AS (
			INSERT INTO document (id, state, kind, origin_id, external_id, customer_id, issue_date, due_date, currency, reference,
				purchase_order, language, prices_with_tax, discount_percent, discount, note, net, tax, total, created_at, fee_step)
			VALUES ($1, 'draft', $18, $19, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $16::bigint + $17::bigint, $20, $21)
			RETURNING id
		)`+insertParts,
		document, lines, taxes, textOrNull(d.ExternalID), d.CustomerID, d.issue, d.due, d.currency, d.Reference,
		d.PurchaseOrder, string(d.Language), d.PricesWithTax, d.DiscountPercent, d.figures.Discount.Minor, d.Note,
		d.figures.Net.Minor, d.figures.Tax.Minor, d.kind.stored, orNull(d.Origin.UUID), tx.Now(), d.feeStep)
	return d.fault("drafting a document", err)
}

// updateDraft replaces all of a draft that the caller has locked, but for where it came from.
func updateDraft(ctx context.Context, tx *tenant.Tx, document uuid.UUID, d draft) error {
	lines, taxes, err := d.rows()
	if err != nil {
		return err
	}
	if _, err := tx.Exec(ctx, `DELETE FROM document_line WHERE document_id = $1`, document); err != nil {
		return fmt.Errorf("clearing a draft: %w", err)
	}
	_, err = tx.Exec(ctx, `
		WITH d AS (
			UPDATE document SET external_id = $4, customer_id = $5, issue_date = $6, due_date = $7, currency = $8, reference = $9,
				purchase_order = $10, language = $11, prices_with_tax = $12, discount_percent = $13, discount = $14, note = $15,
				net = $16, tax = $17, total = $16::bigint + $17::bigint, version = version + 1
			 WHERE id = $1
			RETURNING id
		)`+insertParts,
		document, lines, taxes, textOrNull(d.ExternalID), d.CustomerID, d.issue, d.due, d.currency, d.Reference,
		d.PurchaseOrder, string(d.Language), d.PricesWithTax, d.DiscountPercent, d.figures.Discount.Minor, d.Note,
		d.figures.Net.Minor, d.figures.Tax.Minor)
	return d.fault("revising a document", err)
}

func deleteDraft(ctx context.Context, tx *tenant.Tx, document uuid.UUID) error {
	if _, err := tx.Exec(ctx, `DELETE FROM document WHERE id = $1`, document); err != nil {
		return fmt.Errorf("discarding a draft: %w", err)
	}
	return nil
}

func (d draft) fault(doing string, err error) error {
	switch {
	case err == nil:
		return nil
	case tenant.Violates(err) == "document_kind_external_id_key":
		return d.kind.external.Because(err)
	case tenant.Violates(err) == "document_once":
		return ErrMadeAlready.Because(err)
	}
	return fmt.Errorf("%s: %w", doing, err)
}
