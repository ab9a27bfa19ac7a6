package intake

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/shopspring/decimal"

	"github.com/countinghouse/countinghouse/billing"
	"github.com/countinghouse/countinghouse/billing/money"
	"github.com/countinghouse/countinghouse/internal/civil"
	"github.com/countinghouse/countinghouse/internal/id"
	"github.com/countinghouse/countinghouse/tenant"
)

// In files a thing has its external id, or where it has none, as with what was entered by hand, its own. Exports write
// it so, and thus find it again.

// inChunks runs read for the keys, some thousand at a time, each key once.
func inChunks(keys []string, read func(wanted string) error) error {
	const most = 5000
	keys = slices.Compact(slices.Sorted(slices.Values(keys)))
	for chunk := range slices.Chunk(keys, most) {
		wanted, err := json.Marshal(chunk)
		if err == nil {
			err = read(string(wanted))
		}
		if err != nil {
			return fmt.Errorf("looking for what the books have already: %w", err)
		}
	}
	return nil
}

// keyed is a thing and what files call it.
type keyed[T any] struct {
	Key string   `db:"key"`
	ID  id.Of[T] `db:"id"`
}

func idsByKey[T any](keys []string, read func(rows *[]keyed[T], wanted string) error) (map[string]id.Of[T], error) {
	ids := make(map[string]id.Of[T])
	err := inChunks(keys, func(wanted string) error {
		var rows []keyed[T]
		if err := read(&rows, wanted); err != nil {
			return err
		}
		for _, r := range rows {
			ids[r.Key] = r.ID
		}
		return nil
	})
	return ids, err
}

func customerIDs(ctx context.Context, tx *tenant.Tx, keys []string) (map[string]billing.CustomerID, error) {
	return idsByKey(keys, func(rows *[]keyed[billing.Customer], wanted string) error {
		return tx.Select(ctx, rows, `SELECT coalesce(p.external_id, p.id::text) AS key, p.id FROM party p
			WHERE p.is_customer AND coalesce(p.external_id, p.id::text) IN (SELECT jsonb_array_elements_text($1::jsonb))`, wanted)
	})
}

func productIDs(ctx context.Context, tx *tenant.Tx, keys []string) (map[string]billing.ProductID, error) {
	return idsByKey(keys, func(rows *[]keyed[billing.Product], wanted string) error {
		return tx.Select(ctx, rows, `SELECT coalesce(p.external_id, p.id::text) AS key, p.id FROM product p
			WHERE coalesce(p.external_id, p.id::text) IN (SELECT jsonb_array_elements_text($1::jsonb))`, wanted)
	})
}

func invoiceIDs(ctx context.Context, tx *tenant.Tx, keys []string) (map[string]billing.InvoiceID, error) {
	return idsByKey(keys, func(rows *[]keyed[billing.Invoice], wanted string) error {
		return tx.Select(ctx, rows, `SELECT coalesce(d.external_id, d.id::text) AS key, d.id FROM document d
			WHERE d.kind = 'invoice' AND coalesce(d.external_id, d.id::text) IN (SELECT jsonb_array_elements_text($1::jsonb))`, wanted)
	})
}

// storedCustomer is a customer, or a payee who may become one.
type storedCustomer struct {
	Key        string `db:"key"`
	IsCustomer bool   `db:"is_customer"`
	billing.Customer
}

func storedCustomers(ctx context.Context, tx *tenant.Tx, keys []string) (map[string]*storedCustomer, error) {
	found := make(map[string]*storedCustomer)
	return found, inChunks(keys, func(wanted string) error {
		var rows []storedCustomer
		err := tx.Select(ctx, &rows, `
			SELECT coalesce(p.external_id, p.id::text) AS key, p.id, coalesce(p.external_id, '') AS external_id, p.name,
			       p.company, p.email, p.phone, p.street, p.city, p.region, p.postal_code, p.country, p.tax_number, p.language,
			       p.payment_terms_days, p.version, p.is_customer
			  FROM party p
			 WHERE coalesce(p.external_id, p.id::text) IN (SELECT jsonb_array_elements_text($1::jsonb))`, wanted)
		for i := range rows {
			found[rows[i].Key] = &rows[i]
		}
		return err
	})
}

// storedPayee is a payee, or a customer who may become one.
type storedPayee struct {
	Key     string `db:"key"`
	IsPayee bool   `db:"is_payee"`
	billing.Payee
}

func storedPayees(ctx context.Context, tx *tenant.Tx, keys []string) (map[string]*storedPayee, error) {
	found := make(map[string]*storedPayee)
	return found, inChunks(keys, func(wanted string) error {
		var rows []storedPayee
		err := tx.Select(ctx, &rows, `
			SELECT coalesce(p.external_id, p.id::text) AS key, p.id, coalesce(p.external_id, '') AS external_id, p.name,
			       p.company, p.email, p.phone, p.street, p.city, p.region, p.postal_code, p.country, p.tax_number,
			       p.payee_terms_days, p.expense_account_id, p.is_payee
			  FROM party p
			 WHERE coalesce(p.external_id, p.id::text) IN (SELECT jsonb_array_elements_text($1::jsonb))`, wanted)
		for i := range rows {
			found[rows[i].Key] = &rows[i]
		}
		return err
	})
}

func storedProducts(ctx context.Context, tx *tenant.Tx, keys []string) (map[string]*billing.Product, error) {
	type stored struct {
		Key string `db:"key"`
		billing.Product
	}
	found := make(map[string]*billing.Product)
	return found, inChunks(keys, func(wanted string) error {
		var rows []stored
		err := tx.Select(ctx, &rows, `
			SELECT coalesce(p.external_id, p.id::text) AS key, p.id, coalesce(p.external_id, '') AS external_id, p.name,
			       p.description, p.unit_price, p.currency, p.income_account_id, p.version
			  FROM product p
			 WHERE coalesce(p.external_id, p.id::text) IN (SELECT jsonb_array_elements_text($1::jsonb))`, wanted)
		for i := range rows {
			found[rows[i].Key] = &rows[i].Product
		}
		return err
	})
}

type storedInvoice struct {
	Key             string            `db:"key"`
	ID              billing.InvoiceID `db:"id"`
	State           string            `db:"state"`
	Customer        string            `db:"customer"`
	IssueDate       civil.Date        `db:"issue_date"`
	DueDate         civil.Date        `db:"due_date"`
	Currency        money.Currency    `db:"currency"`
	Total           int64             `db:"total"`
	Settled         int64             `db:"settled"`
	PurchaseOrder   string            `db:"purchase_order"`
	PricesWithTax   bool              `db:"prices_with_tax"`
	DiscountPercent decimal.Decimal   `db:"discount_percent"`
	Discount        int64             `db:"discount"`
	lines           []storedLine
}

func (s *storedInvoice) amount(minor int64) money.Amount {
	return money.Amount{Minor: minor, Currency: s.Currency}
}

type storedLine struct {
	Key             string          `db:"key"`
	Product         string          `db:"product"`
	Description     string          `db:"description"`
	Quantity        decimal.Decimal `db:"quantity"`
	UnitPrice       decimal.Decimal `db:"unit_price"`
	DiscountPercent decimal.Decimal `db:"discount_percent"`
	Taxes           string          `db:"taxes"` // as joinTaxCodes writes them
}

func storedInvoices(ctx context.Context, tx *tenant.Tx, keys []string) (map[string]*storedInvoice, error) {
	found := make(map[string]*storedInvoice)
	return found, inChunks(keys, func(wanted string) error {
		var rows []storedInvoice
		err := tx.Select(ctx, &rows, `
			SELECT coalesce(d.external_id, d.id::text) AS key, d.id, d.state, coalesce(p.external_id, p.id::text) AS customer,
			       d.issue_date, d.due_date, d.currency, d.total, d.settled,
			       d.purchase_order, d.prices_with_tax, d.discount_percent, d.discount
			  FROM document d JOIN party p ON p.id = d.customer_id
			 WHERE d.kind = 'invoice'
			   AND coalesce(d.external_id, d.id::text) IN (SELECT jsonb_array_elements_text($1::jsonb))`, wanted)
		if err != nil || len(rows) == 0 {
			return err
		}
		for i := range rows {
			found[rows[i].Key] = &rows[i]
		}
		var lines []storedLine
		err = tx.Select(ctx, &lines, `
			SELECT coalesce(d.external_id, d.id::text) AS key, coalesce(p.external_id, p.id::text, '') AS product,
			       l.description, l.quantity, l.unit_price, l.discount_percent,
			       coalesce((SELECT string_agg(replace(t.code, '+', '++'), '+' ORDER BY t.position) FROM document_tax t
			                  WHERE t.document_id = l.document_id AND t.line = l.line), '') AS taxes
			  FROM document d
			  JOIN document_line l ON l.document_id = d.id
			  LEFT JOIN product p ON p.id = l.product_id
			 WHERE d.kind = 'invoice'
			   AND coalesce(d.external_id, d.id::text) IN (SELECT jsonb_array_elements_text($1::jsonb))
			 ORDER BY l.document_id, l.line`, wanted)
		for _, l := range lines {
			if v := found[l.Key]; v != nil {
				v.lines = append(v.lines, l)
			}
		}
		return err
	})
}

// storedPayment is what of a payment settles one invoice or, without one, is credit, less what was given back.
type storedPayment struct {
	Key       string            `db:"key"`
	Customer  string            `db:"customer"`
	Invoice   billing.InvoiceID `db:"invoice"`
	Date      civil.Date        `db:"date"`
	Currency  money.Currency    `db:"currency"`
	Amount    int64             `db:"amount"`
	Method    billing.Method    `db:"method"`
	Reference string            `db:"reference"`
}

func storedPayments(ctx context.Context, tx *tenant.Tx, keys []string) (map[string][]storedPayment, error) {
	found := make(map[string][]storedPayment)
	return found, inChunks(keys, func(wanted string) error {
		var rows []storedPayment
		err := tx.Select(ctx, &rows, `
			WITH o AS (
				SELECT o.*, coalesce(o.external_id, o.id::text) AS key FROM payment o
				 WHERE o.direction::text = 'in' AND coalesce(o.external_id, o.id::text) IN (SELECT jsonb_array_elements_text($1::jsonb))
			), part AS (
				SELECT o.id, a.document_id, sum(a.amount) AS amount
				  FROM o JOIN payment y ON y.id = o.id OR y.refund_of = o.id JOIN payment_allocation a ON a.payment_id = y.id
				 GROUP BY o.id, a.document_id
				UNION ALL
				SELECT o.id, NULL, sum(y.amount - coalesce((SELECT sum(a.amount) FROM payment_allocation a WHERE a.payment_id = y.id), 0))
				  FROM o JOIN payment y ON y.id = o.id OR y.refund_of = o.id GROUP BY o.id
			)
			SELECT o.key, coalesce(c.external_id, c.id::text) AS customer,
			       coalesce(p.document_id, '00000000-0000-0000-0000-000000000000') AS invoice, o.date, o.currency,
			       p.amount::bigint AS amount, o.method, o.reference
			  FROM o JOIN part p ON p.id = o.id JOIN party c ON c.id = o.customer_id
			 WHERE p.amount > 0 OR p.document_id IS NULL`, wanted)
		for _, r := range rows {
			found[r.Key] = append(found[r.Key], r)
		}
		return err
	})
}

// taxCodes gives the codes of all rates, the archived ones too: an invoice that is in the books already may have them.
// A group is not among them: an invoice has the rates that it stands for, and a file that is read twice must say the same.
func taxCodes(ctx context.Context, tx *tenant.Tx) (map[string]bool, error) {
	var rows []string
	if err := tx.Select(ctx, &rows, `SELECT code FROM tax_rate WHERE kind::text <> 'group'`); err != nil {
		return nil, fmt.Errorf("reading the codes of taxes: %w", err)
	}
	codes := make(map[string]bool, len(rows))
	for _, code := range rows {
		codes[code] = true
	}
	return codes, nil
}
