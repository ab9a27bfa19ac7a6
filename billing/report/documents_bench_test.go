package report_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/countinghouse/countinghouse/billing/money"
	"github.com/countinghouse/countinghouse/billing/report"
	"github.com/countinghouse/countinghouse/internal/civil"
	"github.com/countinghouse/countinghouse/tenant"
	"github.com/countinghouse/countinghouse/tenant/tenanttest"
)

// What a specialist would write by hand over documents: one day by whom it concerns, with what the ledger says that they owe
// in all, and taxes with what their accounts moved; with what was open a month and a year
// before; without undone documents and credit.
const (
	agedByHand = `
	WITH aged AS (
		SELECT d.customer_id, d.currency, sum(d.total - coalesce(s.amount, 0)) FILTER (WHERE d.due_date >= $1::date) AS not_due,
		       sum(d.total - coalesce(s.amount, 0)) FILTER (WHERE d.due_date BETWEEN $1::date - 30 AND $1::date - 1) AS late_30,
		       sum(d.total - coalesce(s.amount, 0)) FILTER (WHERE d.due_date BETWEEN $1::date - 60 AND $1::date - 31) AS late_60,
		       sum(d.total - coalesce(s.amount, 0)) FILTER (WHERE d.due_date BETWEEN $1::date - 90 AND $1::date - 61) AS late_90,
		       sum(d.total - coalesce(s.amount, 0)) FILTER (WHERE d.due_date < $1::date - 90) AS later,
		       sum(d.total - coalesce(s.before, 0)) FILTER (WHERE e.date <= $1::date - 30) AS before, sum(d.total - coalesce(s.year, 0)) FILTER (WHERE e.date <= $1::date - 365) AS year
		  FROM document d JOIN journal_entry e ON e.id = d.entry_id
		  LEFT JOIN (SELECT a.document_id, sum(a.amount) AS amount, sum(a.amount) FILTER (WHERE e.date <= $1::date - 30) AS before,
		                    sum(a.amount) FILTER (WHERE e.date <= $1::date - 365) AS year
		               FROM payment_allocation a JOIN payment p ON p.id = a.payment_id JOIN journal_entry e ON e.id = p.entry_id
		              WHERE e.date <= $1::date GROUP BY a.document_id) s ON s.document_id = d.id
		 WHERE d.kind::text = $2 AND e.date <= $1::date
		 GROUP BY d.customer_id, d.currency
	), owed AS (
		SELECT l.party_id, l.currency, sum(l.amount) AS amount
		  FROM journal_line l JOIN journal_entry e ON e.id = l.entry_id
		 WHERE l.account_id = (SELECT id FROM account WHERE purpose = $3) AND e.date <= $1::date
		 GROUP BY l.party_id, l.currency
	)
	SELECT count(*) FROM owed o FULL JOIN aged a ON a.customer_id = o.party_id AND a.currency = o.currency WHERE o.amount <> 0 OR a.later <> 0`
	salesByHand = `
	SELECT count(*) FROM (
		SELECT d.customer_id, d.currency, sum(d.net) FILTER (WHERE e.date >= $1::date) AS within, sum(d.net) FILTER (WHERE e.date < $1::date) AS compared
		  FROM document d JOIN journal_entry e ON e.id = d.entry_id
		 WHERE d.kind::text = 'invoice' AND e.date BETWEEN $2::date AND $3::date
		 GROUP BY d.customer_id, d.currency) s`
	productsByHand = `
	SELECT count(*) FROM (
		SELECT l.product_id, d.currency, sum(l.net) FILTER (WHERE e.date >= $1::date) AS within, sum(l.net) FILTER (WHERE e.date < $1::date) AS compared
		  FROM document d JOIN journal_entry e ON e.id = d.entry_id JOIN document_line l ON l.document_id = d.id
		 WHERE d.kind::text = 'invoice' AND e.date BETWEEN $2::date AND $3::date
		 GROUP BY l.product_id, d.currency) s`
	taxByHand = `
	WITH taxed AS (
		SELECT t.tax_rate_id, t.percent, d.currency, sum(t.base) AS base, sum(t.amount) AS tax, count(DISTINCT d.id) AS documents
		  FROM document d JOIN journal_entry e ON e.id = d.entry_id JOIN document_tax t ON t.document_id = d.id
		 WHERE e.date BETWEEN $1::date AND $2::date
		 GROUP BY t.tax_rate_id, t.percent, d.currency
	), posted AS (
		SELECT l.currency, sum(l.amount) AS amount FROM journal_line l JOIN journal_entry e ON e.id = l.entry_id
		 WHERE l.account_id IN (SELECT account_id FROM tax_rate) AND e.date BETWEEN $1::date AND $2::date GROUP BY l.currency
	)
	SELECT count(*) FROM taxed t JOIN posted p ON p.currency = t.currency WHERE p.amount <> t.tax + t.documents`
)

// The rows of 60,000 documents of a kind, with a tax each, and of payments of two in three: 100,000 entries.
const manyDocuments = `
	ALTER TABLE document_line DISABLE TRIGGER USER; ALTER TABLE document_tax DISABLE TRIGGER USER;
	INSERT INTO party (id, name, created_at, is_payee) SELECT gen_random_uuid(), 'Party ' || g, now(), true FROM generate_series(1, 500) g;
	INSERT INTO product (id, name, unit_price, currency, created_at) SELECT gen_random_uuid(), 'Product ' || g, 1, 'EUR', now() FROM generate_series(1, 50) g;
	INSERT INTO tax_rate (id, code, name, percent, compound, account_id, input_account_id)
		SELECT gen_random_uuid(), 'VAT', 'VAT', 19, false, id, id FROM account WHERE purpose = 'tax';
	CREATE TEMP TABLE made ON COMMIT DROP AS
		SELECT g AS n, gen_random_uuid() AS document, gen_random_uuid() AS entry, gen_random_uuid() AS payment, gen_random_uuid() AS paid,
		       p.id AS party, i.id AS product, '2025-01-01'::date + g % 700 AS date
		  FROM generate_series(1, 60000) g JOIN (SELECT id, row_number() OVER () - 1 AS k FROM party) p ON p.k = g % 500
		  JOIN (SELECT id, row_number() OVER () - 1 AS k FROM product) i ON i.k = g % 50;
	INSERT INTO journal_entry (id, number, date, description, source_kind, source_id, posted_at)
		SELECT entry, 1000000 + n, date, 'Document', 'KIND', document, now() FROM made
		UNION ALL SELECT paid, 2000000 + n, date + 20, 'Paid', 'payment', payment, now() FROM made WHERE n % 3 < 2;
	INSERT INTO journal_line (entry_id, line, account_id, party_id, currency, amount)
		SELECT entry, 1, a.id, party, 'EUR', SIGN 11900 FROM made, account a WHERE a.purpose = 'OWED'
		UNION ALL SELECT entry, 2, (SELECT id FROM account WHERE kind = 'SIDE' ORDER BY code LIMIT 1), NULL, 'EUR', SIGN -10000 FROM made
		UNION ALL SELECT entry, 3, a.id, NULL, 'EUR', SIGN -1900 FROM made, account a WHERE a.purpose = 'tax'
		UNION ALL SELECT paid, 1, a.id, NULL, 'EUR', SIGN 11900 FROM made, account a WHERE a.purpose = 'bank' AND n % 3 < 2
		UNION ALL SELECT paid, 2, a.id, party, 'EUR', SIGN -11900 FROM made, account a WHERE a.purpose = 'OWED' AND n % 3 < 2;
	INSERT INTO document (id, kind, state, number, customer_id, billed_to, issue_date, due_date, currency, net, tax, total, settled, entry_id, created_at, issued_at)
		SELECT document, 'KIND', 'issued', 'N' || n, party, '{}', date, date + 14, 'EUR', 10000, 1900, 11900, CASE WHEN n % 3 < 2 THEN 11900 ELSE 0 END, entry, now(), now() FROM made;
	INSERT INTO document_line (document_id, line, product_id, description, quantity, unit_price, discount_percent, account_id, net)
		SELECT document, 1, product, 'Work', 1, 100, 0, (SELECT id FROM account WHERE kind = 'SIDE' ORDER BY code LIMIT 1), 10000 FROM made;
	INSERT INTO document_tax (document_id, line, position, tax_rate_id, code, name, percent, compound, base, amount)
		SELECT document, 1, 1, r.id, 'VAT', 'VAT', 19, false, 10000, 1900 FROM made, tax_rate r;
	INSERT INTO payment (id, customer_id, date, currency, amount, method, account_id, entry_id, created_at, direction)
		SELECT payment, party, date + 20, 'EUR', 11900, 'other', a.id, paid, now(), 'DIRECTION' FROM made, account a WHERE a.purpose = 'bank' AND n % 3 < 2;
	INSERT INTO payment_allocation (payment_id, document_id, amount, date) SELECT payment, document, 11900, date + 20 FROM made WHERE n % 3 < 2;
	ANALYZE journal_entry; ANALYZE journal_line; ANALYZE document; ANALYZE document_line; ANALYZE document_tax; ANALYZE payment; ANALYZE payment_allocation; ANALYZE party`

// BenchmarkReportsOfDocuments does for the reports over documents what BenchmarkReports does for those of the ledger.
func BenchmarkReportsOfDocuments(b *testing.B) {
	sold, bought := openBooks(b).Organization, openBooks(b).Organization
	tenanttest.AsOwner(b, sold, strings.NewReplacer("KIND", "invoice", "OWED", "receivable", "SIDE", "income", "SIGN", "", "DIRECTION", "in").Replace(manyDocuments))
	tenanttest.AsOwner(b, bought, strings.NewReplacer("KIND", "bill", "OWED", "payable", "SIDE", "expense", "SIGN", "-1 *", "DIRECTION", "out").Replace(manyDocuments))
	year := report.Period{From: civil.On(2026, 1, 1), To: civil.On(2026, 11, 30)}
	began := civil.On(2025, 1, 1)
	euro := money.MustCurrency("EUR")
	table := func(b *testing.B, o tenanttest.Organization, name string, ours func(ctx context.Context, tx *tenant.Tx) (report.Table, error), hand func(tx *tenant.Tx, n *int) error) {
		compare(b, o, name, func(ctx context.Context, tx *tenant.Tx) error {
			t, err := ours(ctx, tx)
			if err == nil && len(t.Sections[0].Rows) < 50 {
				err = fmt.Errorf("%d rows", len(t.Sections[0].Rows))
			}
			return err
		}, hand)
	}
	table(b, sold, "aged receivables", func(ctx context.Context, tx *tenant.Tx) (report.Table, error) {
		return report.AgedReceivables(ctx, tx, year.To, euro)
	}, func(tx *tenant.Tx, n *int) error {
		return tx.Get(b.Context(), n, agedByHand, year.To, "invoice", "receivable")
	})
	table(b, bought, "aged payables", func(ctx context.Context, tx *tenant.Tx) (report.Table, error) {
		return report.AgedPayables(ctx, tx, year.To, euro)
	}, func(tx *tenant.Tx, n *int) error {
		return tx.Get(b.Context(), n, agedByHand, year.To, "bill", "payable")
	})
	table(b, sold, "sales by customer", func(ctx context.Context, tx *tenant.Tx) (report.Table, error) {
		return report.Sales(ctx, tx, report.ByCustomer, year, euro)
	}, func(tx *tenant.Tx, n *int) error {
		return tx.Get(b.Context(), n, salesByHand, year.From, began, year.To)
	})
	table(b, sold, "sales by product", func(ctx context.Context, tx *tenant.Tx) (report.Table, error) {
		return report.Sales(ctx, tx, report.ByProduct, year, euro)
	}, func(tx *tenant.Tx, n *int) error {
		return tx.Get(b.Context(), n, productsByHand, year.From, began, year.To)
	})
	for i, o := range []tenanttest.Organization{sold, bought} {
		compare(b, o, []string{"taxes of invoices", "taxes of bills"}[i], func(ctx context.Context, tx *tenant.Tx) error {
			r, err := report.TaxesOf(ctx, tx, report.Accrual, report.Period{From: began, To: year.To})
			if err == nil && (len(r.Rows) != 1 || r.Rows[0].Documents != 59_915 || !r.Sums[0].Other.IsZero()) {
				err = fmt.Errorf("it says %+v", r)
			}
			return err
		}, func(tx *tenant.Tx, n *int) error { return tx.Get(b.Context(), n, taxByHand, began, year.To) })
	}
}
