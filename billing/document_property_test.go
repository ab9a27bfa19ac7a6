package billing_test

import (
	"context"
	"errors"
	"testing"

	"pgregory.net/rapid"

	"github.com/countinghouse/countinghouse/billing"
	"github.com/countinghouse/countinghouse/billing/money"
	"github.com/countinghouse/countinghouse/billing/report"
	"github.com/countinghouse/countinghouse/internal/civil"
	"github.com/countinghouse/countinghouse/internal/fault"
	"github.com/countinghouse/countinghouse/tenant"
)

// trade is the documents of one customer, on which anything may be tried.
type trade struct {
	books
	customer billing.CustomerID
	invoices []billing.InvoiceID
	notes    []billing.CreditNoteID
}

// Whatever is issued, paid, credited, voided, written off, applied and taken back, in whatever order, and however much of
// it is refused: every entry balances; what the ledger says that a customer owes is what is open on their invoices less
// what is left of their credit, and so says the report; what is settled of a document is what its payments, credits and
// write-off come to, and never more than its total; an invoice that was credited in whole was credited to the cent.
func TestWhateverBecomesOfDocumentsTheBooksAgree(t *testing.T) {
	t.Parallel()
	b := openBooks(t)
	b.rate("GST", "5", false)
	b.rate("QST", "9.975", true)
	customer := b.customer("Mara").ID
	x := &trade{books: b, customer: customer}
	rapid.Check(t, func(r *rapid.T) {
		for range rapid.IntRange(1, 8).Draw(r, "steps") {
			x.step(r)
		}
		x.agree(r)
	})
}

// step tries one thing. What is refused is refused with a sentence, and the rest is checked by agree.
func (x *trade) step(r *rapid.T) {
	act := rapid.SampledFrom([]string{"issue", "pay", "credit", "credit", "void", "void note", "write off", "apply", "unapply"}).Draw(r, "act")
	if act == "issue" || len(x.invoices) == 0 {
		x.issueOne(r)
		return
	}
	invoice := rapid.SampledFrom(x.invoices).Draw(r, "invoice")
	var note billing.CreditNoteID
	if len(x.notes) > 0 {
		note = rapid.SampledFrom(x.notes).Draw(r, "note")
	}
	minor := rapid.Int64Range(1, 30000).Draw(r, "minor")
	err := x.try(func(ctx context.Context, tx *tenant.Tx) (err error) {
		switch act {
		case "pay":
			_, err = billing.RecordPayment(ctx, tx, billing.PaymentInput{InvoiceID: invoice, Method: billing.Cash, Amount: money.Amount{Minor: minor, Currency: eur}})
		case "credit":
			in := billing.CreditInput{}
			if rapid.Bool().Draw(r, "in part") {
				in.Lines = []billing.CreditLine{{Line: rapid.IntRange(1, 2).Draw(r, "line"), Quantity: dec(rapid.SampledFrom([]string{"0.333", "1", "2", "0.000001"}).Draw(r, "quantity"))}}
			}
			var made billing.CreditNote
			if made, err = billing.CreditInvoice(ctx, tx, invoice, 0, in); err == nil {
				x.notes = append(x.notes, made.ID)
			}
		case "void":
			_, err = billing.VoidInvoice(ctx, tx, invoice, 0)
		case "void note":
			_, err = billing.VoidCreditNote(ctx, tx, note, 0)
		case "write off":
			_, err = billing.WriteOffInvoice(ctx, tx, invoice, 0)
		case "apply":
			_, err = billing.ApplyCreditNote(ctx, tx, note, invoice, money.Amount{})
		case "unapply":
			_, err = billing.UnapplyCreditNote(ctx, tx, note, invoice)
		}
		return err
	})
	var one *fault.Error
	var many fault.List
	if err != nil && !errors.As(err, &one) && !errors.As(err, &many) {
		r.Fatalf("%s: %v", act, err)
	}
}

func (x *trade) issueOne(r *rapid.T) {
	in := billing.InvoiceInput{CustomerID: x.customer, PricesWithTax: rapid.Bool().Draw(r, "with tax")}
	if rapid.Bool().Draw(r, "discount") {
		in.DiscountPercent = dec("3.3")
	}
	for range rapid.IntRange(1, 2).Draw(r, "lines") {
		in.Lines = append(in.Lines, line("Work", rapid.SampledFrom([]string{"1", "3", "0.75"}).Draw(r, "quantity"),
			rapid.SampledFrom([]string{"0", "33.333", "99.99", "0.05"}).Draw(r, "price"), "GST", "QST"))
	}
	err := x.try(func(ctx context.Context, tx *tenant.Tx) error {
		inv, err := billing.DraftInvoice(ctx, tx, in)
		if err == nil {
			inv, err = billing.IssueInvoice(ctx, tx, inv.ID, 0)
		}
		if err == nil {
			x.invoices = append(x.invoices, inv.ID)
		}
		return err
	})
	if err != nil {
		r.Fatalf("issuing: %v", err)
	}
}

func (x *trade) agree(r *rapid.T) {
	var sums struct {
		Off      int   `db:"off"`
		Ledger   int64 `db:"ledger"`
		Open     int64 `db:"open"`
		Settled  int   `db:"settled"`
		Credited int   `db:"credited"`
	}
	var reported int64
	err := x.try(func(ctx context.Context, tx *tenant.Tx) error {
		balances, err := report.CustomerBalances(ctx, tx, civil.Date{})
		if err != nil {
			return err
		}
		for _, b := range balances {
			reported += b.Owed.Minor
		}
		return tx.Get(ctx, &sums, `
			SELECT (SELECT count(*) FROM (SELECT FROM journal_line GROUP BY entry_id, currency HAVING sum(amount) <> 0) x) AS off,
			       (SELECT coalesce(sum(l.amount), 0)::bigint FROM journal_line l JOIN account a ON a.id = l.account_id WHERE a.purpose = 'receivable') AS ledger,
			       (SELECT coalesce(sum(CASE WHEN kind = 'invoice' THEN total - settled ELSE settled - total END), 0)::bigint
			          FROM document WHERE state = 'issued' AND kind IN ('invoice', 'credit_note')) AS open,
			       (SELECT count(*) FROM document d WHERE d.settled > d.total OR d.settled <> d.written_off
			           + coalesce((SELECT sum(a.amount) FROM payment_allocation a WHERE a.document_id = d.id), 0)
			           + coalesce((SELECT sum(a.amount) FROM credit_allocation a WHERE d.id IN (a.document_id, a.credit_note_id)), 0)) AS settled,
			       (SELECT count(*) FROM document d WHERE d.kind = 'invoice'
			           AND NOT EXISTS (SELECT FROM document_line l WHERE l.document_id = d.id AND l.quantity <> coalesce((SELECT sum(m.quantity)
			               FROM document n JOIN document_line m ON m.document_id = n.id WHERE n.origin_id = d.id AND n.state = 'issued' AND m.origin_line = l.line), 0))
			           AND d.total <> coalesce((SELECT sum(n.total) FROM document n WHERE n.origin_id = d.id AND n.state = 'issued'), 0)) AS credited`)
	})
	if err != nil || sums.Off != 0 || sums.Ledger != sums.Open || sums.Ledger != reported || sums.Settled != 0 || sums.Credited != 0 {
		r.Fatalf("%+v, reported %d, %v", sums, reported, err)
	}
}
