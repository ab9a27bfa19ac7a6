package export

import (
	"context"
	"io"
	"strconv"

	"github.com/shopspring/decimal"

	"github.com/countinghouse/countinghouse/billing/ledger"
	"github.com/countinghouse/countinghouse/billing/money"
	"github.com/countinghouse/countinghouse/internal/civil"
	"github.com/countinghouse/countinghouse/tenant"
)

// A thing without an external id is written with its own, by which an import finds it again.

// WriteCustomers writes all customers, archived ones too.
func WriteCustomers(ctx context.Context, tx *tenant.Tx, w io.Writer) error {
	type row struct {
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
	}
	header := []string{"external_id", "name", "company", "email", "phone", "street", "city", "region", "postal_code", "country"}
	return sheet(w, header, func(fn func(scan func(dest any) error) error) error {
		return tx.Each(ctx, fn, `
			SELECT coalesce(p.external_id, p.id::text) AS key, p.name, p.company, p.email, p.phone, p.street, p.city,
			       p.region, p.postal_code, p.country
			  FROM party p WHERE p.is_customer ORDER BY p.id`)
	}, func(r row) []string {
		return []string{harmless(r.Key), harmless(r.Name), harmless(r.Company), harmless(r.Email), harmless(r.Phone),
			harmless(r.Street), harmless(r.City), harmless(r.Region), harmless(r.PostalCode), r.Country}
	})
}

// WriteProducts writes all products, archived ones too.
func WriteProducts(ctx context.Context, tx *tenant.Tx, w io.Writer) error {
	type row struct {
		Key         string          `db:"key"`
		Name        string          `db:"name"`
		Description string          `db:"description"`
		UnitPrice   decimal.Decimal `db:"unit_price"`
		Currency    string          `db:"currency"`
	}
	header := []string{"external_id", "name", "description", "unit_price", "currency"}
	return sheet(w, header, func(fn func(scan func(dest any) error) error) error {
		return tx.Each(ctx, fn, `
			SELECT coalesce(p.external_id, p.id::text) AS key, p.name, p.description, p.unit_price, p.currency
			  FROM product p ORDER BY p.id`)
	}, func(r row) []string {
		return []string{harmless(r.Key), harmless(r.Name), harmless(r.Description), r.UnitPrice.String(), r.Currency}
	})
}

// WriteInvoices writes all issued invoices, a row for each line. Drafts are nobody's business yet.
func WriteInvoices(ctx context.Context, tx *tenant.Tx, w io.Writer) error {
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
	}
	header := []string{"external_id", "customer_external_id", "issue_date", "due_date", "currency", "line", "product_external_id",
		"description", "quantity", "unit_price", "discount_percent", "tax_code", "invoice_total"}
	return sheet(w, header, func(fn func(scan func(dest any) error) error) error {
		return tx.Each(ctx, fn, `
			SELECT coalesce(d.external_id, d.id::text) AS key, coalesce(c.external_id, c.id::text) AS customer,
			       d.issue_date, d.due_date, d.currency, l.line, coalesce(p.external_id, p.id::text, '') AS product,
			       l.description, l.quantity, l.unit_price, l.discount_percent,
			       coalesce((SELECT string_agg(replace(t.code, '+', '++'), '+' ORDER BY t.position) FROM document_tax t
			                  WHERE t.document_id = l.document_id AND t.line = l.line), '') AS taxes, d.total
			  FROM document d
			  JOIN party c ON c.id = d.customer_id
			  JOIN document_line l ON l.document_id = d.id
			  LEFT JOIN product p ON p.id = l.product_id
			 WHERE d.kind = 'invoice' AND d.state::text = 'issued'
			 ORDER BY d.issue_date, length(d.number), d.number, l.line`)
	}, func(r row) []string {
		return []string{harmless(r.Key), harmless(r.Customer), r.IssueDate.String(), r.DueDate.String(), r.Currency.Code(),
			strconv.Itoa(r.Line), harmless(r.Product), harmless(r.Description), r.Quantity.String(), r.UnitPrice.String(),
			r.Discount.String(), harmless(r.Taxes), money.Amount{Minor: r.Total, Currency: r.Currency}.String()}
	})
}

// WritePayments writes all payments, a row for each invoice that they settle.
func WritePayments(ctx context.Context, tx *tenant.Tx, w io.Writer) error {
	type row struct {
		Key       string         `db:"key"`
		Invoice   string         `db:"invoice"`
		Date      civil.Date     `db:"date"`
		Currency  money.Currency `db:"currency"`
		Amount    int64          `db:"amount"`
		Method    string         `db:"method"`
		Reference string         `db:"reference"`
	}
	header := []string{"external_id", "invoice_external_id", "paid_on", "amount", "currency", "method", "reference"}
	return sheet(w, header, func(fn func(scan func(dest any) error) error) error {
		return tx.Each(ctx, fn, `
			SELECT coalesce(y.external_id, y.id::text) AS key, coalesce(d.external_id, d.id::text) AS invoice, y.date,
			       y.currency, a.amount, y.method, y.reference
			  FROM payment y
			  JOIN payment_allocation a ON a.payment_id = y.id
			  JOIN document d ON d.id = a.document_id
			 WHERE y.direction::text = 'in' AND d.kind::text = 'invoice'
			 ORDER BY y.date, y.id, d.id`)
	}, func(r row) []string {
		return []string{harmless(r.Key), harmless(r.Invoice), r.Date.String(), money.Amount{Minor: r.Amount, Currency: r.Currency}.String(),
			r.Currency.Code(), r.Method, harmless(r.Reference)}
	})
}

// WriteJournal writes the journal in CSV, a row for each line, entries by their number. Of debit and credit one is empty.
func WriteJournal(ctx context.Context, tx *tenant.Tx, w io.Writer) error {
	type row struct {
		lineRow
		Source   string `db:"source_kind"`
		Reverses int64  `db:"reverses"`
		Code     string `db:"code"`
		Account  string `db:"account"`
		Kind     string `db:"kind"`
		Party    string `db:"party"`
	}
	header := []string{"entry", "date", "description", "source", "reverses", "line", "account_code", "account", "kind", "party", "debit", "credit", "currency", "memo"}
	return sheet(w, header, func(fn func(scan func(dest any) error) error) error {
		return tx.Each(ctx, fn, `
			SELECT e.number, e.date, e.description, e.source_kind, coalesce(r.number, 0) AS reverses, l.line,
			       l.account_id, a.code, a.name AS account, a.kind, coalesce(p.name, '') AS party, l.currency, l.amount, l.memo
			  FROM journal_entry e
			  JOIN journal_line l ON l.entry_id = e.id
			  JOIN account a ON a.id = l.account_id
			  LEFT JOIN journal_entry r ON r.id = e.reverses_id
			  LEFT JOIN party p ON p.id = l.party_id
			 ORDER BY e.number, l.line`)
	}, func(r row) []string {
		debit, credit, reverses := "", "", ""
		if r.Amount > 0 {
			debit = r.amount().String()
		} else {
			credit = money.Amount{Minor: -r.Amount, Currency: r.Currency}.String()
		}
		if r.Reverses != 0 {
			reverses = ledger.NumberName(r.Reverses)
		}
		return []string{ledger.NumberName(r.Number), r.Date.String(), harmless(r.Description), r.Source, reverses, strconv.Itoa(r.Line),
			r.Code, harmless(r.Account), r.Kind, harmless(r.Party), debit, credit, r.Currency.Code(), harmless(r.Memo)}
	})
}
