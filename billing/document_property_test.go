package billing_test

import (
	"context"
	"errors"
	"testing"

	"pgregory.net/rapid"

	"github.com/countinghouse/countinghouse/billing"
	"github.com/countinghouse/countinghouse/billing/money"
	"github.com/countinghouse/countinghouse/billing/proof"
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
	payments []billing.PaymentID
}

// Whatever is issued, paid, credited, voided, written off, applied, taken back and given back, in whatever order and dated on
// whatever day, and however much of it is refused: every entry balances; on every day what the ledger says that a customer
// owes is what is open on their invoices less what is left of their credit notes and payments, none of which is below
// nothing, and so say the reports; what is settled of a document is what its payments, credits and
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
	act := rapid.SampledFrom([]string{"issue", "pay", "credit", "credit", "void", "void note", "write off", "apply", "unapply",
		"pay several", "pay several", "apply payment", "apply payment", "unapply payment", "give back", "give back", "give back note"}).Draw(r, "act")
	if act == "issue" || len(x.invoices) == 0 {
		x.issueOne(r)
		return
	}
	invoice := rapid.SampledFrom(x.invoices).Draw(r, "invoice")
	var note billing.CreditNoteID
	if len(x.notes) > 0 {
		note = rapid.SampledFrom(x.notes).Draw(r, "note")
	}
	var payment billing.PaymentID
	if len(x.payments) > 0 {
		payment = rapid.SampledFrom(x.payments).Draw(r, "payment")
	}
	minor := rapid.Int64Range(1, 30000).Draw(r, "minor")
	in := billing.PaymentInput{Method: billing.Cash, Amount: money.Amount{Minor: minor, Currency: eur}, Date: x.day(r)}
	var made billing.Payment
	err := x.try(func(ctx context.Context, tx *tenant.Tx) (err error) {
		switch act {
		case "pay":
			in.InvoiceID, in.KeepRest = invoice, rapid.Bool().Draw(r, "keep the rest")
			made, err = billing.RecordPayment(ctx, tx, in)
		case "pay several":
			made, err = x.paySeveral(ctx, tx, r, in)
		case "apply payment":
			_, err = billing.ApplyPayment(ctx, tx, payment, invoice, money.Amount{})
		case "unapply payment":
			_, err = billing.UnapplyPayment(ctx, tx, payment, invoice)
		case "give back":
			made, err = billing.GiveBackPayment(ctx, tx, payment, in)
		case "give back note":
			_, err = billing.GiveBackCredit(ctx, tx, note, in)
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
	if err == nil && !made.ID.IsZero() {
		x.payments = append(x.payments, made.ID)
	}
	var one *fault.Error
	var many fault.List
	if err != nil && !errors.As(err, &one) && !errors.As(err, &many) {
		r.Fatalf("%s: %v", act, err)
	}
}

// day is one of the last sixty.
func (x *trade) day(r *rapid.T) civil.Date {
	return inZone("Europe/Lisbon").AddDays(-rapid.IntRange(0, 60).Draw(r, "days ago"))
}

// paySeveral spreads a payment over the open invoices, or over none.
func (x *trade) paySeveral(ctx context.Context, tx *tenant.Tx, r *rapid.T, in billing.PaymentInput) (billing.Payment, error) {
	in.CustomerID = x.customer
	if rapid.IntRange(0, 3).Draw(r, "deposit") > 0 {
		open, err := billing.OpenInvoices(ctx, tx, x.customer, eur)
		if err != nil {
			return billing.Payment{}, err
		}
		gets, _ := billing.OldestFirst(in.Amount, open)
		for i, get := range gets {
			if get.Sign() > 0 {
				in.Allocations = append(in.Allocations, billing.Allocation{InvoiceID: open[i].ID, Amount: get})
			}
		}
	}
	return billing.RecordPayment(ctx, tx, in)
}

func (x *trade) issueOne(r *rapid.T) {
	in := billing.InvoiceInput{CustomerID: x.customer, IssueDate: x.day(r), PricesWithTax: rapid.Bool().Draw(r, "with tax")}
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
			          FROM document WHERE state = 'issued' AND kind IN ('invoice', 'credit_note'))
			       - (SELECT coalesce(sum(amount), 0)::bigint FROM payment) + (SELECT coalesce(sum(amount), 0)::bigint FROM payment_allocation) AS open,
			       (SELECT count(*) FROM document d WHERE d.settled > d.total OR d.settled <> d.written_off
			           + CASE d.kind WHEN 'credit_note' THEN -1 ELSE 1 END * coalesce((SELECT sum(a.amount) FROM payment_allocation a WHERE a.document_id = d.id), 0)
			           + coalesce((SELECT sum(a.amount) FROM credit_allocation a WHERE d.id IN (a.document_id, a.credit_note_id)), 0)) AS settled,
			       (SELECT count(*) FROM document d WHERE d.kind = 'invoice'
			           AND NOT EXISTS (SELECT FROM document_line l WHERE l.document_id = d.id AND l.quantity <> coalesce((SELECT sum(m.quantity)
			               FROM document n JOIN document_line m ON m.document_id = n.id WHERE n.origin_id = d.id AND n.state = 'issued' AND m.origin_line = l.line), 0))
			           AND d.total <> coalesce((SELECT sum(n.total) FROM document n WHERE n.origin_id = d.id AND n.state = 'issued'), 0)) AS credited`)
	})
	if err != nil || sums.Off != 0 || sums.Ledger != sums.Open || sums.Ledger != reported || sums.Settled != 0 || sums.Credited != 0 {
		r.Fatalf("%+v, reported %d, %v", sums, reported, err)
	}
	x.agreeOnDays(r)
	if err := x.try(func(ctx context.Context, tx *tenant.Tx) error {
		found, _, err := proof.Books(ctx, tx)
		if len(found) > 0 {
			r.Errorf("the proof finds %+v", found)
		}
		return err
	}); err != nil {
		r.Fatal(err)
	}
}

// agreeOnDays works what is open on two days out of the rows and asks the report for the same.
func (x *trade) agreeOnDays(r *rapid.T) {
	var days []struct {
		Day     civil.Date `db:"day"`
		Owed    int64      `db:"owed"`
		Open    int64      `db:"open"`
		Credit  int64      `db:"credit"`
		Below   int        `db:"below"`
		Without int64      `db:"without"`
	}
	err := x.try(func(ctx context.Context, tx *tenant.Tx) error {
		err := tx.Select(ctx, &days, `
			WITH day AS (SELECT $1::date AS day UNION SELECT $2::date),
			gone AS (
				SELECT a.document_id AS id, CASE d.kind WHEN 'credit_note' THEN -a.amount ELSE a.amount END AS amount, greatest(e.date, a.date) AS date
				  FROM payment_allocation a JOIN payment y ON y.id = a.payment_id JOIN journal_entry e ON e.id = y.entry_id JOIN document d ON d.id = a.document_id
				UNION ALL SELECT document_id, amount, date FROM credit_allocation
				UNION ALL SELECT credit_note_id, amount, date FROM credit_allocation
				UNION ALL SELECT e.source_id, -l.amount, e.date FROM journal_entry e JOIN journal_line l ON l.entry_id = e.id JOIN account a ON a.id = l.account_id
				           WHERE e.source_kind = 'write_off' AND a.purpose = 'receivable'
			), document_on AS (
				SELECT day.day, d.kind, d.id, CASE WHEN e.date <= day.day AND (d.state <> 'void' OR c.date > day.day) THEN d.total ELSE 0 END
				       - coalesce((SELECT sum(g.amount) FROM gone g WHERE g.id = d.id AND g.date <= day.day), 0) AS open
				  FROM day CROSS JOIN document d JOIN journal_entry e ON e.id = d.entry_id LEFT JOIN journal_entry c ON c.id = d.closing_entry_id
			), payment_on AS (
				SELECT day.day, coalesce(y.refund_of, y.id) AS id, sum(y.amount - coalesce((SELECT sum(a.amount) FROM payment_allocation a
				       WHERE a.payment_id = y.id AND greatest(e.date, a.date) <= day.day), 0)) AS open
				  FROM day JOIN payment y ON true JOIN journal_entry e ON e.id = y.entry_id AND e.date <= day.day GROUP BY day.day, coalesce(y.refund_of, y.id)
			)
			SELECT day.day, 0 AS without,
			       (SELECT coalesce(sum(l.amount), 0)::bigint FROM journal_line l JOIN account a ON a.id = l.account_id JOIN journal_entry e ON e.id = l.entry_id
			         WHERE a.purpose = 'receivable' AND e.date <= day.day) AS owed,
			       (SELECT coalesce(sum(open), 0)::bigint FROM document_on o WHERE o.day = day.day AND o.kind = 'invoice') AS open,
			       (SELECT coalesce(sum(open), 0)::bigint FROM document_on o WHERE o.day = day.day AND o.kind = 'credit_note')
			       + (SELECT coalesce(sum(open), 0)::bigint FROM payment_on o WHERE o.day = day.day) AS credit,
			       (SELECT count(*) FROM document_on o WHERE o.day = day.day AND o.open < 0) + (SELECT count(*) FROM payment_on o WHERE o.day = day.day AND o.open < 0) AS below
			  FROM day ORDER BY day.day`, x.day(r), x.day(r))
		if err != nil {
			return err
		}
		for i := range days {
			aged, err := report.AgedReceivables(ctx, tx, days[i].Day, eur)
			if err != nil {
				return err
			}
			days[i].Without = aged.Sums[0].Amounts[5].Minor
		}
		return nil
	})
	if err != nil {
		r.Fatal(err)
	}
	for _, d := range days {
		if d.Owed != d.Open-d.Credit || d.Below > 0 || d.Without != -d.Credit {
			r.Fatalf("on a day the ledger, the documents and the report differ: %+v", d)
		}
	}
}
