package export

import (
	"context"
	"slices"

	"github.com/shopspring/decimal"

	"github.com/countinghouse/countinghouse/billing/ledger"
	"github.com/countinghouse/countinghouse/billing/money"
	"github.com/countinghouse/countinghouse/billing/sheet"
	"github.com/countinghouse/countinghouse/internal/civil"
	"github.com/countinghouse/countinghouse/tenant"
)

// A thing without an external id is written with its own, by which an import finds it again.

// partyRow is a customer or payee.
type partyRow struct {
	Key        string `db:"key"`
	Name       string `db:"name"`
	Company    string `db:"company"`
	Email      string `db:"email"`
	Phone      string `db:"phone"`
	Street     string `db:"street"`
	City       string `db:"city"`
	Region     string `db:"region"`
	PostalCode string `db:"postal_code"`
	Country    string `db:"country"`
	TaxNumber  string `db:"tax_number"`
	Language   string `db:"language"`
	Terms      *int   `db:"terms"`
	Account    string `db:"account_code"` // that is usually paid for, of a payee
}

var partyHeader = []any{"external_id", "name", "company", "email", "phone", "street", "city", "region", "postal_code", "country", "tax_number"}

// cells are those of partyHeader, and what else there is.
func (r partyRow) cells(more ...any) []any {
	return append([]any{r.Key, r.Name, r.Company, r.Email, r.Phone, r.Street, r.City, r.Region, r.PostalCode, r.Country, r.TaxNumber}, more...)
}

func (r partyRow) terms() any {
	if r.Terms == nil {
		return nil
	}
	return *r.Terms
}

const partyColumns = `coalesce(p.external_id, p.id::text) AS key, p.name, p.company, p.email, p.phone, p.street, p.city,
	p.region, p.postal_code, p.country, p.tax_number`

// writeCustomers writes all customers, archived ones too.
func writeCustomers(ctx context.Context, tx *tenant.Tx, g sheet.Grid) error {
	header := append(slices.Clone(partyHeader), "language", "payment_terms_days")
	return rows(g, header, func(fn func(scan func(dest any) error) error) error {
		return tx.Each(ctx, fn, `SELECT `+partyColumns+`, p.language, p.payment_terms_days AS terms FROM party p WHERE p.is_customer ORDER BY p.id`)
	}, func(r partyRow) []any { return r.cells(r.Language, r.terms()) })
}

// writePayees writes all payees, archived ones too.
func writePayees(ctx context.Context, tx *tenant.Tx, g sheet.Grid) error {
	header := append(slices.Clone(partyHeader), "payee_terms_days", "expense_account_code")
	return rows(g, header, func(fn func(scan func(dest any) error) error) error {
		return tx.Each(ctx, fn, `SELECT `+partyColumns+`, p.payee_terms_days AS terms, coalesce(a.code, '') AS account_code
			FROM party p LEFT JOIN account a ON a.id = p.expense_account_id WHERE p.is_payee ORDER BY p.id`)
	}, func(r partyRow) []any { return r.cells(r.terms(), r.Account) })
}

// writeTransactions writes issued documents and payments as they followed each other.
func writeTransactions(ctx context.Context, tx *tenant.Tx, g sheet.Grid) error {
	type row struct {
		Date      civil.Date     `db:"date"`
		Kind      string         `db:"kind"`
		Number    string         `db:"number"`
		State     string         `db:"state"`
		Party     string         `db:"party_name"`
		Reference string         `db:"reference"`
		Currency  money.Currency `db:"currency"`
		Amount    int64          `db:"amount"`
		Entry     int64          `db:"entry"`
	}
	header := []any{"date", "kind", "number", "state", "party", "reference", "amount", "currency", "entry"}
	return rows(g, header, func(fn func(scan func(dest any) error) error) error {
		return tx.Each(ctx, fn, `
			SELECT t.date, t.kind, t.number, t.state, p.name AS party_name, t.reference, t.currency, t.amount, coalesce(e.number, 0) AS entry
			  FROM (SELECT d.id, d.issue_date AS date, d.kind, coalesce(d.number, '') AS number, d.state, d.customer_id AS party_id,
			               d.reference, d.currency, d.total AS amount, d.entry_id
			          FROM document d
			         WHERE d.kind::text IN ('invoice', 'credit_note', 'bill', 'payee_credit') AND d.state::text <> 'draft'
			        UNION ALL
			        SELECT y.id, y.date, CASE WHEN y.direction::text = 'out' THEN 'bill_payment' WHEN y.refund_of IS NOT NULL THEN 'refund' ELSE 'payment' END,
			               '', y.method, y.customer_id, y.reference, y.currency, y.amount, y.entry_id
			          FROM payment y) t
			  JOIN party p ON p.id = t.party_id
			  LEFT JOIN journal_entry e ON e.id = t.entry_id
			 ORDER BY t.date, e.number, t.id`)
	}, func(r row) []any {
		var entry any
		if r.Entry != 0 {
			entry = ledger.NumberName(r.Entry)
		}
		return []any{r.Date, r.Kind, r.Number, r.State, r.Party, r.Reference, money.Amount{Minor: r.Amount, Currency: r.Currency}, r.Currency.Code(), entry}
	})
}

// writeProducts writes all products, archived ones too.
func writeProducts(ctx context.Context, tx *tenant.Tx, g sheet.Grid) error {
	type row struct {
		Key         string          `db:"key"`
		Name        string          `db:"name"`
		Description string          `db:"description"`
		UnitPrice   decimal.Decimal `db:"unit_price"`
		Currency    string          `db:"currency"`
	}
	header := []any{"external_id", "name", "description", "unit_price", "currency"}
	return rows(g, header, func(fn func(scan func(dest any) error) error) error {
		return tx.Each(ctx, fn, `
			SELECT coalesce(p.external_id, p.id::text) AS key, p.name, p.description, p.unit_price, p.currency
			  FROM product p ORDER BY p.id`)
	}, func(r row) []any {
		return []any{r.Key, r.Name, r.Description, r.UnitPrice, r.Currency}
	})
}

// writeInvoices writes all issued invoices, a row for each line. Drafts are nobody's business yet.
func writeInvoices(ctx context.Context, tx *tenant.Tx, g sheet.Grid) error {
	type row struct {
		Key         string          `db:"key"`
		Customer    string          `db:"customer"`
		IssueDate   civil.Date      `db:"issue_date"`
		DueDate     civil.Date      `db:"due_date"`
		Currency    money.Currency  `db:"currency"`
		Line        int             `db:"line"`
		Product     string          `db:"product"`
		Description string          `db:"description"`
		Quantity    decimal.Decimal `db:"quantity"`
		UnitPrice   decimal.Decimal `db:"unit_price"`
		Discount    decimal.Decimal `db:"discount_percent"`
		Taxes       string          `db:"taxes"`
		Total       int64           `db:"total"`
		Order       string          `db:"purchase_order"`
		WithTax     string          `db:"with_tax"`
		Whole       decimal.Decimal `db:"document_discount_percent"`
		Off         int64           `db:"document_discount"` // where it was written as an amount
	}
	header := []any{"external_id", "customer_external_id", "issue_date", "due_date", "currency", "line", "product_external_id",
		"description", "quantity", "unit_price", "discount_percent", "tax_code", "invoice_total",
		"purchase_order", "prices_with_tax", "document_discount_percent", "document_discount"}
	return rows(g, header, func(fn func(scan func(dest any) error) error) error {
		return tx.Each(ctx, fn, `
			SELECT coalesce(d.external_id, d.id::text) AS key, coalesce(c.external_id, c.id::text) AS customer,
			       d.issue_date, d.due_date, d.currency, l.line, coalesce(p.external_id, p.id::text, '') AS product,
			       l.description, l.quantity, l.unit_price, l.discount_percent,
			       coalesce((SELECT string_agg(replace(t.code, '+', '++'), '+' ORDER BY t.position) FROM document_tax t
			                  WHERE t.document_id = l.document_id AND t.line = l.line), '') AS taxes, d.total,
			       d.purchase_order, CASE WHEN d.prices_with_tax THEN 'yes' ELSE '' END AS with_tax, d.discount_percent AS document_discount_percent,
			       CASE WHEN d.discount_percent = 0 THEN d.discount ELSE 0 END AS document_discount
			  FROM document d
			  JOIN party c ON c.id = d.customer_id
			  JOIN document_line l ON l.document_id = d.id
			  LEFT JOIN product p ON p.id = l.product_id
			 WHERE d.kind = 'invoice' AND d.state::text = 'issued'
			 ORDER BY d.issue_date, length(d.number), d.number, l.line`)
	}, func(r row) []any {
		return []any{r.Key, r.Customer, r.IssueDate, r.DueDate, r.Currency.Code(),
			r.Line, r.Product, r.Description, r.Quantity, r.UnitPrice,
			r.Discount, r.Taxes, money.Amount{Minor: r.Total, Currency: r.Currency},
			r.Order, r.WithTax, r.Whole, money.Amount{Minor: r.Off, Currency: r.Currency}}
	})
}

// writePayments writes all payments as they stand, less what was given back of them: a row for each invoice that they settle,
// and one without an invoice for what is credit. What was given back whole is in the journal alone.
func writePayments(ctx context.Context, tx *tenant.Tx, g sheet.Grid) error {
	type row struct {
		Key       string         `db:"key"`
		Invoice   string         `db:"invoice"`
		Customer  string         `db:"customer"`
		Date      civil.Date     `db:"date"`
		Currency  money.Currency `db:"currency"`
		Amount    int64          `db:"amount"`
		Method    string         `db:"method"`
		Reference string         `db:"reference"`
	}
	header := []any{"external_id", "invoice_external_id", "paid_on", "amount", "currency", "method", "reference", "customer_external_id"}
	return rows(g, header, func(fn func(scan func(dest any) error) error) error {
		return tx.Each(ctx, fn, `
			WITH y AS (
				SELECT y.id, coalesce(y.refund_of, y.id) AS origin, y.amount FROM payment y WHERE y.direction::text = 'in'
			), part AS (
				SELECT y.origin, a.document_id, sum(a.amount) AS amount FROM y JOIN payment_allocation a ON a.payment_id = y.id
				 GROUP BY y.origin, a.document_id
				UNION ALL
				SELECT y.origin, NULL, sum(y.amount - coalesce((SELECT sum(a.amount) FROM payment_allocation a WHERE a.payment_id = y.id), 0))
				  FROM y GROUP BY y.origin
			)
			SELECT coalesce(o.external_id, o.id::text) AS key, coalesce(d.external_id, d.id::text, '') AS invoice,
			       coalesce(c.external_id, c.id::text) AS customer, o.date, o.currency, p.amount::bigint AS amount, o.method, o.reference
			  FROM part p JOIN payment o ON o.id = p.origin JOIN party c ON c.id = o.customer_id LEFT JOIN document d ON d.id = p.document_id
			 WHERE p.amount > 0 AND (d.id IS NULL OR d.kind::text = 'invoice')
			 ORDER BY o.date, o.id, d.id`)
	}, func(r row) []any {
		return []any{r.Key, r.Invoice, r.Date, money.Amount{Minor: r.Amount, Currency: r.Currency},
			r.Currency.Code(), r.Method, r.Reference, r.Customer}
	})
}

// writeJournal writes the journal in CSV, a row for each line, entries by their number. Of debit and credit one is empty.
func writeJournal(ctx context.Context, tx *tenant.Tx, last int64, g sheet.Grid) error {
	type row struct {
		lineRow
		Source   string `db:"source_kind"`
		Reverses int64  `db:"reverses"`
		Code     string `db:"code"`
		Account  string `db:"account"`
		Kind     string `db:"kind"`
		Party    string `db:"party"`
	}
	header := []any{"entry", "date", "description", "source", "reverses", "line", "account_code", "account", "kind", "party", "debit", "credit", "currency", "memo"}
	return rows(g, header, func(fn func(scan func(dest any) error) error) error {
		return tx.Each(ctx, fn, `
			SELECT e.number, e.date, e.description, e.source_kind, coalesce(r.number, 0) AS reverses, l.line,
			       l.account_id, a.code, a.name AS account, a.kind, coalesce(p.name, '') AS party, l.currency, l.amount, l.memo
			  FROM journal_entry e
			  JOIN journal_line l ON l.entry_id = e.id
			  JOIN account a ON a.id = l.account_id
			  LEFT JOIN journal_entry r ON r.id = e.reverses_id
			  LEFT JOIN party p ON p.id = l.party_id
			 WHERE e.number <= $1
			 ORDER BY e.number, l.line`, last)
	}, func(r row) []any {
		var debit, credit, reverses any
		if r.Amount > 0 {
			debit = r.amount()
		} else {
			credit = money.Amount{Minor: -r.Amount, Currency: r.Currency}
		}
		if r.Reverses != 0 {
			reverses = ledger.NumberName(r.Reverses)
		}
		return []any{ledger.NumberName(r.Number), r.Date, r.Description, r.Source, reverses, r.Line,
			r.Code, r.Account, r.Kind, r.Party, debit, credit, r.Currency.Code(), r.Memo}
	})
}
