package search_test

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/shopspring/decimal"

	"github.com/countinghouse/countinghouse/billing"
	"github.com/countinghouse/countinghouse/billing/ledger"
	"github.com/countinghouse/countinghouse/billing/money"
	"github.com/countinghouse/countinghouse/billing/payables"
	"github.com/countinghouse/countinghouse/billing/search"
	"github.com/countinghouse/countinghouse/tenant"
	"github.com/countinghouse/countinghouse/tenant/tenanttest"
)

func TestMain(m *testing.M) { os.Exit(tenanttest.Main(m)) }

func openBooks(t testing.TB) tenanttest.Organization {
	t.Helper()
	return tenanttest.Found(t, tenanttest.DB(), func(ctx context.Context, tx *tenant.Tx) error {
		return billing.OpenBooks(ctx, tx, billing.Opening{Name: "Tidewater Studios", Currency: money.MustCurrency("EUR"), Country: "IE", TimeZone: "Europe/Dublin"})
	})
}

// found is what a search gives, as kinds and what one reads first of each.
func found(t testing.TB, o tenanttest.Organization, words string, limit int, of ...search.Kind) (all []string) {
	t.Helper()
	tenanttest.Do(t, tenanttest.DB(), o, func(ctx context.Context, tx *tenant.Tx) error {
		all = nil
		hits, err := search.Find(ctx, tx, words, of, limit)
		for _, h := range hits {
			word := h.Number
			switch {
			case word != "":
			case h.Name != "":
				word = h.Name
			default:
				word = h.Say
			}
			all = append(all, string(h.Kind)+" "+word)
		}
		return err
	})
	return all
}

// fill writes one of most kinds: Hugh owes 1,240.50 on his order PO-7781, of which 300.00 came; Atlas is owed 77.00.
func fill(t testing.TB, o tenanttest.Organization) {
	t.Helper()
	line := func(description, price string) []billing.InvoiceLineInput {
		return []billing.InvoiceLineInput{{Description: description, Quantity: decimal.NewFromInt(1), UnitPrice: decimal.RequireFromString(price)}}
	}
	tenanttest.Do(t, tenanttest.DB(), o, func(ctx context.Context, tx *tenant.Tx) error {
		hugh, err := billing.AddCustomer(ctx, tx, billing.CustomerInput{Name: "Hugh O’Reilly", Company: "Apple Records", Email: "hugh@apple.example"})
		if err != nil {
			return err
		}
		if _, err := billing.AddProduct(ctx, tx, billing.ProductInput{Name: "Mixing desk", UnitPrice: decimal.NewFromInt(145)}); err != nil {
			return err
		}
		i, err := billing.DraftInvoice(ctx, tx, billing.InvoiceInput{CustomerID: hugh.ID, PurchaseOrder: "PO-7781", Lines: line("Work", "1240.50")})
		if err != nil {
			return err
		}
		if i, err = billing.IssueInvoice(ctx, tx, i.ID, 0); err != nil {
			return err
		}
		_, err = billing.RecordPayment(ctx, tx, billing.PaymentInput{InvoiceID: i.ID, Method: billing.Cash, Amount: money.Amount{Minor: 30000, Currency: i.Currency}, Reference: "Slip 55"})
		if err != nil {
			return err
		}
		var costs ledger.AccountID
		if err := tx.Get(ctx, &costs, `SELECT a.id FROM account a WHERE a.code = '5300'`); err != nil {
			return err
		}
		atlas, err := billing.AddPayee(ctx, tx, billing.PayeeInput{CustomerInput: billing.CustomerInput{Name: "Atlas Paper"}, ExpenseAccount: costs})
		if err != nil {
			return err
		}
		_, err = payables.DraftBill(ctx, tx, payables.BillInput{CustomerID: atlas.ID, Reference: "A-77", Lines: line("Paper", "77")})
		return err
	})
}

func TestFind(t *testing.T) {
	t.Parallel()
	o := openBooks(t)
	fill(t, o)
	for words, want := range map[string]string{
		"hugh":        "customer Hugh O’Reilly, invoice INV-0001, payment Hugh O’Reilly",
		"apple rec":   "customer Hugh O’Reilly, invoice INV-0001, payment Hugh O’Reilly",
		"HUGH@APPLE":  "customer Hugh O’Reilly, invoice INV-0001, payment Hugh O’Reilly",
		"po-7781":     "invoice INV-0001",
		"slip 5":      "payment Hugh O’Reilly",
		"1,240.50":    "invoice INV-0001, entry J-0001",
		"€1240.5":     "invoice INV-0001, entry J-0001",
		"1240,50 eur": "invoice INV-0001, entry J-0001",
		"usd 1240.50": "",
		"300.00":      "payment Hugh O’Reilly, entry J-0002",
		"J-0002":      "entry J-0002",
		"atlas":       "payee Atlas Paper, bill Atlas Paper",
		"A-77":        "bill Atlas Paper",
		"mixing":      "product Mixing desk",
		"4000":        "account 4000",
		"h":           "",
		"  ":          "",
		"nothing":     "",
		"' OR 1=1 --": "",
		"%%":          "",
	} {
		if got := strings.Join(found(t, o, words, 5, search.Kinds()...), ", "); got != want {
			t.Errorf("%q finds %q, want %q", words, got, want)
		}
	}
	if got := found(t, o, "hugh", 5, search.Payment, search.Payee); !slices.Equal(got, []string{"payment Hugh O’Reilly"}) {
		t.Errorf("who may see payments and payees finds %v", got)
	}
	if got := found(t, o, "hugh", 5); len(got) != 0 {
		t.Errorf("who may see nothing finds %v", got)
	}
	if got := found(t, openBooks(t), "hugh", 5, search.Kinds()...); len(got) != 0 {
		t.Errorf("another organization finds %v", got)
	}
}

func TestFindGivesTheNewestOfEachKind(t *testing.T) {
	t.Parallel()
	o := openBooks(t)
	fill(t, o)
	tenanttest.Do(t, tenanttest.DB(), o, func(ctx context.Context, tx *tenant.Tx) error {
		for n := range 4 {
			c, err := billing.AddCustomer(ctx, tx, billing.CustomerInput{Name: fmt.Sprintf("Quay Band %d", n)})
			if err != nil {
				return err
			}
			for m := range 2 {
				_, err = billing.DraftInvoice(ctx, tx, billing.InvoiceInput{CustomerID: c.ID, Reference: fmt.Sprintf("Concert %d.%d", n, m)})
				if err != nil {
					return err
				}
			}
		}
		return nil
	})
	got := found(t, o, "quay", 3, search.Customer, search.Invoice)
	if want := "[customer Quay Band 0 customer Quay Band 1 customer Quay Band 2 invoice Quay Band 3 invoice Quay Band 3 invoice Quay Band 2]"; fmt.Sprint(got) != want {
		t.Errorf("found %v, want %s", got, want)
	}
	if got := found(t, o, "concert 0.1", 3, search.Kinds()...); fmt.Sprint(got) != "[invoice Quay Band 0]" {
		t.Errorf("the reference finds %v", got)
	}
}

// BenchmarkFind searches among 100,000 documents, as many entries and 1,000 customers.
func BenchmarkFind(b *testing.B) {
	o := openBooks(b)
	fill(b, o)
	tenanttest.AsOwner(b, o, `
		INSERT INTO party (id, name, created_at) SELECT gen_random_uuid(), 'Customer ' || g, now() FROM generate_series(1, 1000) g;
		INSERT INTO document (id, kind, state, customer_id, issue_date, due_date, currency, reference, net, tax, total, created_at)
		SELECT gen_random_uuid(), 'invoice', 'draft', p.id, '2026-01-01', '2026-02-01', 'EUR', 'REF-' || g, g, 0, g, now()
		  FROM generate_series(1, 100000) g JOIN (SELECT id, row_number() OVER () AS n FROM party WHERE name LIKE 'Customer%') p ON p.n = g % 1000 + 1;
		WITH made AS (INSERT INTO journal_entry (id, number, date, description, source_kind, posted_at)
		              SELECT gen_random_uuid(), 1000000 + g, '2026-01-01', 'Takings of day ' || g, 'manual', now() FROM generate_series(1, 100000) g RETURNING id)
		INSERT INTO journal_line (entry_id, line, account_id, currency, amount)
		SELECT m.id, l, (SELECT id FROM account WHERE purpose = 'bank'), 'EUR', CASE l WHEN 1 THEN 100 ELSE -100 END FROM made m, generate_series(1, 2) l;
		ANALYZE party; ANALYZE document; ANALYZE journal_entry; ANALYZE journal_line`)
	for _, words := range []string{"REF-77777", "Customer 77", "777.77", "nothing at all"} {
		b.Run(words, func(b *testing.B) {
			for b.Loop() {
				found(b, o, words, 6, search.Kinds()...)
			}
		})
	}
}
