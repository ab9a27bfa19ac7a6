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
			        SELECT y.id, y.date, CASE WHEN y.direction::text = 'out' AND (y.amount < 0) <> (b.reverses_id IS NOT NULL) THEN 'money_back'
			                    WHEN y.direction::text = 'out' THEN 'bill_payment' WHEN y.refund_of IS NOT NULL THEN 'refund' ELSE 'payment' END,
			               '', y.method, y.customer_id, y.reference, y.currency, y.amount, y.entry_id
			          FROM payment y JOIN journal_entry b ON b.id = y.entry_id) t
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

// writeAccounts writes the chart of accounts, archived ones too.
func writeAccounts(ctx context.Context, tx *tenant.Tx, g sheet.Grid) error {
	type row struct {
		Code string `db:"code"`
		Name string `db:"name"`
		Kind string `db:"kind"`
	}
	return rows(g, []any{"code", "name", "kind"}, func(fn func(scan func(dest any) error) error) error {
		return tx.Each(ctx, fn, `SELECT a.code, a.name, a.kind FROM account a ORDER BY a.code COLLATE "C"`)
	}, func(r row) []any { return []any{r.Code, r.Name, r.Kind} })
}

// documentRow is a line of a document.
type documentRow struct {
	Key         string          `db:"key"`
	Party       string          `db:"party"`
	IssueDate   civil.Date      `db:"issue_date"`
	DueDate     civil.Date      `db:"due_date"`
	Currency    money.Currency  `db:"currency"`
	Line        int             `db:"line"`
	Product     string          `db:"product"`
	Account     string          `db:"account"`
	Description string          `db:"description"`
	Quantity    decimal.Decimal `db:"quantity"`
	UnitPrice   decimal.Decimal `db:"unit_price"`
	Discount    decimal.Decimal `db:"discount_percent"`
	Taxes       string          `db:"taxes"`
	Total       int64           `db:"total"`
	Reference   string          `db:"reference"`
	Order       string          `db:"purchase_order"`
	WithTax     string          `db:"with_tax"`
	Whole       decimal.Decimal `db:"document_discount_percent"`
	Off         int64           `db:"document_discount"` // where it was written as an amount
	Origin      string          `db:"origin"`            // of a credit note's line: the invoice that it takes back
	OriginLine  int             `db:"origin_line"`
}

// documentLines reads the lines of all documents of a kind that count, in the order in which they were posted. Drafts are
// nobody's business yet.
const documentLines = `
	SELECT coalesce(d.external_id, d.id::text) AS key, coalesce(c.external_id, c.id::text) AS party,
	       d.issue_date, d.due_date, d.currency, l.line, coalesce(p.external_id, p.id::text, '') AS product, coalesce(a.code, '') AS account,
	       l.description, l.quantity, l.unit_price, l.discount_percent,
	       coalesce((SELECT string_agg(replace(t.code, '+', '++'), '+' ORDER BY t.position) FROM document_tax t
	                  WHERE t.document_id = l.document_id AND t.line = l.line), '') AS taxes, d.total, d.reference,
	       d.purchase_order, CASE WHEN d.prices_with_tax THEN 'yes' ELSE '' END AS with_tax, d.discount_percent AS document_discount_percent,
	       CASE WHEN d.discount_percent = 0 THEN d.discount ELSE 0 END AS document_discount,
	       CASE WHEN l.origin_line IS NULL THEN '' ELSE coalesce(o.external_id, o.id::text, '') END AS origin, coalesce(l.origin_line, 0) AS origin_line
	  FROM document d
	  JOIN party c ON c.id = d.customer_id
	  JOIN document_line l ON l.document_id = d.id
	  LEFT JOIN journal_entry e ON e.id = d.entry_id
	  LEFT JOIN account a ON a.id = l.account_id
	  LEFT JOIN product p ON p.id = l.product_id
	  LEFT JOIN document o ON o.id = d.origin_id
	 WHERE d.kind::text = $1 AND d.state::text = 'issued'`

// byPosting and byDate are the orders of documents: one credit note takes what those before it left.
const (
	byPosting = ` ORDER BY e.number, d.id, l.line`
	byDate    = ` ORDER BY d.issue_date, length(d.number), d.number, l.line`
)

// cells are what the documents of every kind have, and what else there is.
func (r documentRow) cells(more ...any) []any {
	return append([]any{r.Key, r.Party, r.IssueDate, r.DueDate, r.Currency.Code(), r.Line, r.Product, r.Description, r.Quantity, r.UnitPrice,
		r.Discount, r.Taxes, money.Amount{Minor: r.Total, Currency: r.Currency}, r.Order, r.WithTax, r.Whole, money.Amount{Minor: r.Off, Currency: r.Currency},
		r.Account, r.Reference}, more...)
}

func documentHeader(party, total string, more ...any) []any {
	return append([]any{"external_id", party, "issue_date", "due_date", "currency", "line", "product_external_id", "description", "quantity", "unit_price",
		"discount_percent", "tax_code", total, "purchase_order", "prices_with_tax", "document_discount_percent", "document_discount",
		"account_code", "reference"}, more...)
}

// writeDocuments writes all documents of a kind that count, a row for each line.
func writeDocuments(kind, party, total string) func(context.Context, *tenant.Tx, sheet.Grid) error {
	return func(ctx context.Context, tx *tenant.Tx, g sheet.Grid) error {
		return rows(g, documentHeader(party, total), func(fn func(scan func(dest any) error) error) error {
			return tx.Each(ctx, fn, documentLines+byDate, kind)
		}, func(r documentRow) []any { return r.cells() })
	}
}

// writeCreditNotes writes all issued credit notes, a row for each line, with the line of an invoice that it takes back.
func writeCreditNotes(ctx context.Context, tx *tenant.Tx, g sheet.Grid) error {
	header := documentHeader("customer_external_id", "credit_note_total", "invoice_external_id", "invoice_line")
	return rows(g, header, func(fn func(scan func(dest any) error) error) error {
		return tx.Each(ctx, fn, documentLines+byPosting, "credit_note")
	}, func(r documentRow) []any {
		var line any
		if r.OriginLine != 0 {
			line = r.OriginLine
		}
		return r.cells(r.Origin, line)
	})
}

// paymentRow is what of a payment settles one document, or none.
type paymentRow struct {
	Key       string         `db:"key"`
	Document  string         `db:"document"`
	Party     string         `db:"party"`
	Date      civil.Date     `db:"date"`
	Currency  money.Currency `db:"currency"`
	Amount    int64          `db:"amount"`
	Method    string         `db:"method"`
	Reference string         `db:"reference"`
	Account   string         `db:"account"`
	Origin    string         `db:"origin"` // of money back: the payment that it is of
	Credit    string         `db:"credit"` // or the credit note, or payee's credit
	BackOn    civil.Date     `db:"back_on"`
}

// paymentParts reads the payments of a direction in the order in which they were recorded, but for what undoes another; of
// money back the amounts are what went back, and more than nothing too.
const paymentParts = `
	WITH o AS (
		SELECT o.*, CASE WHEN o.amount < 0 THEN -1 ELSE 1 END AS side, k.date AS back_on
		  FROM payment o JOIN journal_entry e ON e.id = o.entry_id LEFT JOIN journal_entry k ON k.reverses_id = e.id
		 WHERE o.direction::text = $1 AND e.reverses_id IS NULL AND (k.id IS NULL OR o.direction::text = 'out')
	), settled AS (
		SELECT o.id, d.id AS document_id, coalesce(d.external_id, d.id::text) AS key, d.kind::text IN ('invoice', 'bill') AS owed, a.amount * o.side AS amount
		  FROM o JOIN payment_allocation a ON a.payment_id = o.id JOIN document d ON d.id = a.document_id
	), part AS (
		SELECT s.id, s.document_id, s.key, s.amount FROM settled s WHERE s.owed
		UNION ALL
		SELECT o.id, NULL, '', o.amount * o.side - coalesce((SELECT sum(s.amount) FROM settled s WHERE s.id = o.id AND s.owed), 0) FROM o
	)
	SELECT coalesce(o.external_id, o.id::text) AS key, p.key AS document, coalesce(c.external_id, c.id::text) AS party, o.date, o.currency,
	       p.amount::bigint AS amount, o.method, o.reference, m.code AS account, coalesce(r.external_id, r.id::text, '') AS origin,
	       coalesce((SELECT max(s.key) FROM settled s WHERE s.id = o.id AND NOT s.owed), '') AS credit, o.back_on
	  FROM part p JOIN o ON o.id = p.id JOIN party c ON c.id = o.customer_id JOIN account m ON m.id = o.account_id LEFT JOIN payment r ON r.id = o.refund_of
	 WHERE p.amount > 0
	 ORDER BY o.id, p.document_id`

// cells are what a payment of either direction has, and what else there is.
func (r paymentRow) cells(more ...any) []any {
	return append([]any{r.Key, r.Document, r.Date, money.Amount{Minor: r.Amount, Currency: r.Currency}, r.Currency.Code(), r.Method, r.Reference, r.Party,
		r.Account, r.Origin, r.Credit}, more...)
}

// writePayments writes all payments of customers, and what was given back: a row for each invoice that they settle, and one
// without an invoice for what is credit. What was booked and never was one is in the journal alone.
func writePayments(ctx context.Context, tx *tenant.Tx, g sheet.Grid) error {
	header := []any{"external_id", "invoice_external_id", "paid_on", "amount", "currency", "method", "reference", "customer_external_id",
		"account_code", "refund_of", "credit_note_external_id"}
	return rows(g, header, func(fn func(scan func(dest any) error) error) error { return tx.Each(ctx, fn, paymentParts, "in") },
		func(r paymentRow) []any { return r.cells() })
}

// writeBillPayments writes all payments to payees, those that were taken back too, and what came back from payees.
func writeBillPayments(ctx context.Context, tx *tenant.Tx, g sheet.Grid) error {
	header := []any{"external_id", "bill_external_id", "paid_on", "amount", "currency", "method", "reference", "payee_external_id",
		"account_code", "refund_of", "payee_credit_external_id", "taken_back_on"}
	return rows(g, header, func(fn func(scan func(dest any) error) error) error { return tx.Each(ctx, fn, paymentParts, "out") },
		func(r paymentRow) []any {
			var on any
			if !r.BackOn.IsZero() {
				on = r.BackOn
			}
			return r.cells(on)
		})
}

// writeCredits writes what of credit notes settles invoices, and of payees' credits bills.
func writeCredits(ctx context.Context, tx *tenant.Tx, g sheet.Grid) error {
	type row struct {
		Kind     string         `db:"kind"`
		Credit   string         `db:"credit"`
		Document string         `db:"document"`
		Date     civil.Date     `db:"date"`
		Currency money.Currency `db:"currency"`
		Amount   int64          `db:"amount"`
	}
	return rows(g, []any{"credit_external_id", "document_external_id", "applied_on", "amount", "currency", "kind"}, func(fn func(scan func(dest any) error) error) error {
		return tx.Each(ctx, fn, `
			SELECT n.kind, coalesce(n.external_id, n.id::text) AS credit, coalesce(d.external_id, d.id::text) AS document, a.date, n.currency, a.amount
			  FROM credit_allocation a JOIN document n ON n.id = a.credit_note_id JOIN document d ON d.id = a.document_id
			 ORDER BY a.date, a.created_at, n.id, d.id`)
	}, func(r row) []any {
		return []any{r.Credit, r.Document, r.Date, money.Amount{Minor: r.Amount, Currency: r.Currency}, r.Currency.Code(), r.Kind}
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
