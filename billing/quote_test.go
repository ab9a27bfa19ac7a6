package billing_test

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/countinghouse/countinghouse/billing"
	"github.com/countinghouse/countinghouse/internal/cursor"
	"github.com/countinghouse/countinghouse/tenant"
)

func (b books) offered(in billing.DocumentInput) billing.Quote {
	b.Helper()
	var q billing.Quote
	b.do(func(ctx context.Context, tx *tenant.Tx) (err error) {
		if q, err = billing.DraftQuote(ctx, tx, in); err == nil {
			q, err = billing.IssueQuote(ctx, tx, q.ID, q.Version)
		}
		return err
	})
	return q
}

func TestQuoteBecomesAnInvoiceOnce(t *testing.T) {
	t.Parallel()
	b := openBooks(t)
	b.rate("VAT", "23", false)
	customer := b.customer("Mara").ID
	in := billing.DocumentInput{CustomerID: customer, PurchaseOrder: "PO 1", DiscountPercent: dec("5"), PricesWithTax: true,
		Lines: []billing.InvoiceLineInput{line("Design", "2", "99.99", "VAT"), line("Print", "1", "0.01")}}
	q := b.offered(in)
	if q.Number != "QUO-0001" || q.IssueDate.DaysUntil(q.DueDate) != 30 || q.Standing(q.Today) != billing.StandingSent || b.balances() != "" {
		t.Fatalf("%s stands %s until %s; the books have %q", q.Number, q.Standing(q.Today), q.DueDate, b.balances())
	}
	b.do(func(ctx context.Context, tx *tenant.Tx) (err error) {
		q, err = billing.AcceptQuote(ctx, tx, q.ID, q.Version, " Ada Lovelace ")
		return err
	})
	if q.AcceptedBy != "Ada Lovelace" || q.Standing(q.Today) != billing.StandingAccepted || q.ClosedAt.IsZero() {
		t.Errorf("accepted it is %+v", q.QuoteHead)
	}
	var made atomic.Int32
	var wait sync.WaitGroup
	for range 8 {
		wait.Go(func() {
			err := b.try(func(ctx context.Context, tx *tenant.Tx) error {
				_, err := billing.InvoiceQuote(ctx, tx, q.ID, 0)
				return err
			})
			if err == nil {
				made.Add(1)
			} else if !errors.Is(err, billing.ErrMadeAlready) {
				t.Error(err)
			}
		})
	}
	wait.Wait()
	if made.Load() != 1 {
		t.Fatalf("it became %d invoices", made.Load())
	}
	b.do(func(ctx context.Context, tx *tenant.Tx) (err error) {
		q, err = billing.QuoteByID(ctx, tx, q.ID)
		return err
	})
	inv := b.issue(q.Invoice)
	if inv.Total != q.Total || inv.Tax != q.Tax || inv.PurchaseOrder != "PO 1" || inv.OriginNumber != "QUO-0001" || len(inv.Lines) != 2 || inv.Reference != "QUO-0001" {
		t.Errorf("the invoice over %s of %s is %+v", inv.Total, q.Total, inv.InvoiceHead)
	}
	b.do(func(ctx context.Context, tx *tenant.Tx) error {
		counts, err := billing.QuoteCounts(ctx, tx)
		found, failed := billing.Quotes(ctx, tx, billing.QuoteFilter{Standing: billing.StandingInvoiced, Search: "po 1"}, cursor.Query{})
		if counts[billing.StandingInvoiced] != 1 || len(found.Items) != 1 || found.Items[0].InvoiceNumber != inv.Number {
			t.Errorf("%v, %+v", counts, found.Items)
		}
		return errors.Join(err, failed)
	})
}

func TestQuoteRefuses(t *testing.T) {
	t.Parallel()
	b := openBooks(t)
	customer := b.customer("Mara").ID
	in := billing.DocumentInput{CustomerID: customer, Lines: []billing.InvoiceLineInput{line("Work", "1", "10")}}
	declined, old := b.offered(in), in
	old.IssueDate, old.DueDate = day("2026-01-01"), day("2026-01-31")
	expired := b.offered(old)
	var draft billing.Quote
	b.do(func(ctx context.Context, tx *tenant.Tx) (err error) {
		if draft, err = billing.DraftQuote(ctx, tx, in); err == nil {
			declined, err = billing.DeclineQuote(ctx, tx, declined.ID, 0)
		}
		return err
	})
	accept := func(q billing.QuoteID) func(ctx context.Context, tx *tenant.Tx) error {
		return func(ctx context.Context, tx *tenant.Tx) error {
			_, err := billing.AcceptQuote(ctx, tx, q, 0, "Ada")
			return err
		}
	}
	invoice := func(q billing.QuoteID) func(ctx context.Context, tx *tenant.Tx) error {
		return func(ctx context.Context, tx *tenant.Tx) error {
			_, err := billing.InvoiceQuote(ctx, tx, q, 0)
			return err
		}
	}
	b.refuses(billing.ErrQuoteNotIssued, "", accept(draft.ID))
	b.refuses(billing.ErrQuoteNotIssued, "", invoice(draft.ID))
	b.refuses(billing.ErrQuoteDecided, "", accept(declined.ID))
	b.refuses(billing.ErrQuoteDeclined, "", invoice(declined.ID))
	b.refuses(billing.ErrQuoteExpired, "", accept(expired.ID))
	b.refuses(billing.ErrQuoteExpired, "", invoice(expired.ID))
	b.refuses(billing.ErrQuoteNotFound, "", accept(billing.QuoteID{}))
	ends := in
	ends.IssueDate, ends.DueDate = day("2026-02-02"), day("2026-02-01")
	b.refuses(billing.ErrQuoteEndsEarly, "due_date", func(ctx context.Context, tx *tenant.Tx) error {
		_, err := billing.DraftQuote(ctx, tx, ends)
		return err
	})
	if _, err := b.pay(billing.PaymentInput{InvoiceID: billing.InvoiceID{UUID: declined.ID.UUID}, Amount: amount("1", eur), Method: billing.Cash}); !errors.Is(err, billing.ErrInvoiceNotFound) {
		t.Errorf("paying a quote: %v", err)
	}
}
