package billing_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/countinghouse/countinghouse/billing"
	"github.com/countinghouse/countinghouse/billing/ledger"
	"github.com/countinghouse/countinghouse/billing/money"
	"github.com/countinghouse/countinghouse/billing/report"
	"github.com/countinghouse/countinghouse/internal/civil"
	"github.com/countinghouse/countinghouse/tenant"
)

func (b books) credit(invoice billing.InvoiceID, lines ...billing.CreditLine) billing.CreditNote {
	b.Helper()
	var note billing.CreditNote
	b.do(func(ctx context.Context, tx *tenant.Tx) (err error) {
		note, err = billing.CreditInvoice(ctx, tx, invoice, 0, billing.CreditInput{Lines: lines})
		return err
	})
	return note
}

// balances are what stands on all accounts, by code, without those on which nothing does.
func (b books) balances() string {
	b.Helper()
	var all []string
	b.do(func(ctx context.Context, tx *tenant.Tx) error {
		return tx.Select(ctx, &all, `SELECT a.code || ' ' || sum(l.amount) FROM journal_line l JOIN account a ON a.id = l.account_id
			GROUP BY a.code HAVING sum(l.amount) <> 0 ORDER BY a.code`)
	})
	return strings.Join(all, ", ")
}

// owed is what the report says that a customer owes in euros today.
func (b books) owed(customer billing.CustomerID) (owed money.Amount) {
	b.Helper()
	owed.Currency = eur
	b.do(func(ctx context.Context, tx *tenant.Tx) error {
		all, err := report.CustomerBalances(ctx, tx, civil.Date{})
		for _, x := range all {
			if x.Customer == customer.UUID && x.Currency == eur {
				owed = x.Owed
			}
		}
		return err
	})
	return owed
}

// 3 x 33.335 = 100.01 (100.005, half up); 5 % = 5.00 (5.0005), 9.975 % = 9.98 (9.975998). One of three is 33.34 (33.337),
// two are 66.67 (66.673), so that the steps are 33.34, 33.33 and 33.34; of 5.00 they are 1.67, 1.66 and 1.67; of 9.98
// 3.33, 3.32 and 3.33.
func TestCreditInvoiceInStepsIsTheWholeToTheCent(t *testing.T) {
	t.Parallel()
	b := openBooks(t)
	b.rate("GST", "5", false)
	b.rate("QST", "9.975", false)
	customer := b.customer("Mara").ID
	inv := b.issue(b.draft(billing.InvoiceInput{CustomerID: customer, Lines: []billing.InvoiceLineInput{
		line("Seats", "3", "33.335", "GST", "QST"), line("Free", "1", "0")}}).ID)
	if got := figures(inv); got != "1 100.01 GST(100.01)=5.00 QST(100.01)=9.98; 2 0.00; 100.01 + 14.98 = 114.99" {
		t.Fatal(got)
	}
	one := billing.CreditLine{Line: 1, Quantity: dec("1")}
	for n, want := range []string{"33.34 GST=1.67 QST=3.33 = 38.34", "33.33 GST=1.66 QST=3.32 = 38.31", "33.34 GST=1.67 QST=3.33 = 38.34"} {
		note := b.credit(inv.ID, one)
		l := note.Lines[0]
		if got := fmt.Sprintf("%s GST=%s QST=%s = %s", l.Net, l.Taxes[0].Amount, l.Taxes[1].Amount, note.Total); got != want {
			t.Errorf("step %d is %s, want %s", n+1, got, want)
		}
		if note.Number != fmt.Sprintf("CN-%04d", n+1) || note.OriginNumber != inv.Number || note.Standing() != billing.StandingUsed {
			t.Errorf("%s of %s stands %s", note.Number, note.OriginNumber, note.Standing())
		}
	}
	if all := b.balances(); all != "" {
		t.Errorf("crediting everything leaves %s", all)
	}
	if now := b.invoice(inv.ID); now.Standing(now.Today) != billing.StandingPaid || len(now.Credits) != 3 {
		t.Errorf("the invoice stands %s with %d credits", now.Standing(now.Today), len(now.Credits))
	}
	b.refuses(billing.ErrCreditTooMuch, "lines[0].quantity", func(ctx context.Context, tx *tenant.Tx) error {
		_, err := billing.CreditInvoice(ctx, tx, inv.ID, 0, billing.CreditInput{Lines: []billing.CreditLine{one}})
		return err
	})
}

func TestCreditInvoiceRefuses(t *testing.T) {
	t.Parallel()
	b := openBooks(t)
	customer := b.customer("Mara").ID
	inv, draft := b.issued(customer, "10"), b.draft(billing.InvoiceInput{CustomerID: customer})
	credit := func(invoice billing.InvoiceID, in billing.CreditInput) func(ctx context.Context, tx *tenant.Tx) error {
		return func(ctx context.Context, tx *tenant.Tx) error {
			_, err := billing.CreditInvoice(ctx, tx, invoice, 0, in)
			return err
		}
	}
	lines := func(l ...billing.CreditLine) billing.CreditInput { return billing.CreditInput{Lines: l} }
	b.refuses(billing.ErrCreditOtherDraft, "", credit(draft.ID, billing.CreditInput{}))
	b.refuses(billing.ErrInvoiceNotFound, "", credit(billing.InvoiceID{}, billing.CreditInput{}))
	b.refuses(billing.ErrCreditEarly, "issue_date", credit(inv.ID, billing.CreditInput{IssueDate: inv.IssueDate.AddDays(-1)}))
	b.refuses(billing.ErrCreditLine, "lines[0].line", credit(inv.ID, lines(billing.CreditLine{Line: 2, Quantity: dec("1")})))
	b.refuses(billing.ErrCreditLine, "lines[1].line", credit(inv.ID, lines(billing.CreditLine{Line: 1, Quantity: dec("0.5")}, billing.CreditLine{Line: 1, Quantity: dec("0.5")})))
	b.refuses(billing.ErrCreditQuantity, "lines[0].quantity", credit(inv.ID, lines(billing.CreditLine{Line: 1, Quantity: dec("-1")})))
	b.refuses(billing.ErrCreditTooMuch, "lines[0].quantity", credit(inv.ID, lines(billing.CreditLine{Line: 1, Quantity: dec("1.000001")})))
	b.credit(inv.ID)
	b.refuses(billing.ErrNothingToCredit, "", credit(inv.ID, billing.CreditInput{}))
}

// What is credited beyond what is open is the customer's credit, which settles another invoice, and no one else's.
func TestCreditOfAPaidInvoiceIsAppliedToAnother(t *testing.T) {
	t.Parallel()
	b := openBooks(t)
	customer := b.customer("Mara").ID
	first, second, foreign := b.issued(customer, "100"), b.issued(customer, "70"), b.issued(b.customer("Nuno").ID, "10")
	if _, err := b.pay(billing.PaymentInput{InvoiceID: first.ID, Amount: amount("60", eur), Method: billing.Cash}); err != nil {
		t.Fatal(err)
	}
	note := b.credit(first.ID)
	if note.Left() != amount("60.00", eur) || note.Settled != amount("40.00", eur) || b.owed(customer) != amount("10.00", eur) {
		t.Fatalf("%s left, %s settled, %s owed", note.Left(), note.Settled, b.owed(customer))
	}
	apply := func(to billing.InvoiceID, by money.Amount) func(ctx context.Context, tx *tenant.Tx) error {
		return func(ctx context.Context, tx *tenant.Tx) error {
			applied, err := billing.ApplyCreditNote(ctx, tx, note.ID, to, by)
			if err == nil {
				note = applied
			}
			return err
		}
	}
	b.refuses(billing.ErrCreditCustomer, "invoice_id", apply(foreign.ID, money.Amount{}))
	b.refuses(billing.ErrCreditAmount, "amount", apply(second.ID, amount("60.01", eur)))
	b.refuses(billing.ErrAlreadyPaid, "", apply(first.ID, money.Amount{}))
	b.do(apply(second.ID, amount("25", eur)))
	b.do(apply(second.ID, money.Amount{}))
	if now := b.invoice(second.ID); note.Left().Minor != 0 || now.Open() != amount("10.00", eur) || len(now.Credits) != 1 || now.Credits[0].Number != note.Number {
		t.Errorf("%s left, %s open, credits %+v", note.Left(), now.Open(), now.Credits)
	}
	if b.owed(customer) != amount("10.00", eur) {
		t.Errorf("%s owed", b.owed(customer))
	}
	b.refuses(billing.ErrVoidSettled, "", func(ctx context.Context, tx *tenant.Tx) error {
		_, err := billing.VoidCreditNote(ctx, tx, note.ID, 0)
		return err
	})
	b.do(func(ctx context.Context, tx *tenant.Tx) error {
		for _, of := range []billing.InvoiceID{first.ID, second.ID} {
			if _, err := billing.UnapplyCreditNote(ctx, tx, note.ID, of); err != nil {
				return err
			}
		}
		voided, err := billing.VoidCreditNote(ctx, tx, note.ID, 0)
		if voided.Standing() != billing.StandingVoid || voided.ClosingEntryNumber == 0 || !voided.Left().IsZero() {
			t.Errorf("voided it is %+v", voided.DocumentHead)
		}
		return err
	})
	if b.owed(customer) != amount("110.00", eur) { // 170 less the 60 that were paid
		t.Errorf("%s owed after the void", b.owed(customer))
	}
	b.credit(first.ID) // what was voided can be credited anew
}

func TestVoidInvoice(t *testing.T) {
	t.Parallel()
	b := openBooks(t)
	b.rate("VAT", "23", false)
	customer := b.customer("Mara").ID
	inv := b.issue(b.draft(billing.InvoiceInput{CustomerID: customer, IssueDate: day("2026-02-01"), Lines: []billing.InvoiceLineInput{line("Work", "1", "10.01", "VAT")}}).ID)
	void := func(invoice billing.InvoiceID, version int) func(ctx context.Context, tx *tenant.Tx) error {
		return func(ctx context.Context, tx *tenant.Tx) error {
			_, err := billing.VoidInvoice(ctx, tx, invoice, version)
			return err
		}
	}
	b.refuses(billing.ErrInvoiceChanged, "", void(inv.ID, 1))
	paid, credited, draft := b.issued(customer, "5"), b.issued(customer, "7"), b.draft(billing.InvoiceInput{CustomerID: customer})
	if _, err := b.pay(billing.PaymentInput{InvoiceID: paid.ID, Amount: amount("5", eur), Method: billing.Cash}); err != nil {
		t.Fatal(err)
	}
	note := b.credit(credited.ID)
	b.refuses(billing.ErrVoidSettled, "", void(paid.ID, 0))
	b.refuses(billing.ErrVoidDraft, "", void(draft.ID, 0))
	b.do(func(ctx context.Context, tx *tenant.Tx) error {
		_, err := billing.UnapplyCreditNote(ctx, tx, note.ID, credited.ID)
		return err
	})
	b.refuses(billing.ErrVoidCredited, "", void(credited.ID, 0))
	before := b.balances()
	b.do(void(inv.ID, 0))
	now := b.invoice(inv.ID)
	if now.Standing(now.Today) != billing.StandingVoid || !now.Open().IsZero() || now.Number != inv.Number || now.ClosedAt.IsZero() ||
		!billing.Paper(now, billing.Settings{}).Void {
		t.Errorf("voided it is %+v", now.DocumentHead)
	}
	if b.balances() == before {
		t.Error("the books are as before")
	}
	b.do(func(ctx context.Context, tx *tenant.Tx) error {
		e, err := ledger.EntryByID(ctx, tx, now.ClosingEntry)
		if e.Reverses != inv.Entry || e.Source != ledger.SourceReversal || e.Date != now.Today {
			t.Errorf("it is undone by %+v", e)
		}
		return err
	})
	b.refuses(billing.ErrVoidDocument, "", void(inv.ID, 0))
	if _, err := b.pay(billing.PaymentInput{InvoiceID: inv.ID, Amount: amount("1", eur), Method: billing.Cash}); err == nil {
		t.Error("a void invoice was paid")
	}
	// On the days between it was owed, and the report of those days says so.
	b.do(func(ctx context.Context, tx *tenant.Tx) error {
		was, err := report.CustomerBalances(ctx, tx, day("2026-02-02"))
		if len(was) != 1 || was[0].Owed != amount("12.31", eur) || was[0].Invoices != 1 {
			t.Errorf("on the day after it was issued %+v", was)
		}
		return err
	})
}

func TestWriteOffAndWhatIsPaidAfterAll(t *testing.T) {
	t.Parallel()
	b := openBooks(t)
	customer := b.customer("Mara").ID
	inv := b.issued(customer, "100")
	if _, err := b.pay(billing.PaymentInput{InvoiceID: inv.ID, Amount: amount("30", eur), Method: billing.Cash}); err != nil {
		t.Fatal(err)
	}
	b.do(func(ctx context.Context, tx *tenant.Tx) error {
		now, err := billing.WriteOffInvoice(ctx, tx, inv.ID, 0)
		if now.Standing(now.Today) != billing.StandingWrittenOff || now.WrittenOff != amount("70.00", eur) || !now.Open().IsZero() {
			t.Errorf("written off it is %+v", now.DocumentHead)
		}
		return err
	})
	if got := b.balances(); got != "1010 3000, 4000 -10000, 6090 7000" || !b.owed(customer).IsZero() {
		t.Errorf("the books stand at %s", got)
	}
	b.refuses(billing.ErrAlreadyPaid, "", func(ctx context.Context, tx *tenant.Tx) error {
		_, err := billing.WriteOffInvoice(ctx, tx, inv.ID, 0)
		return err
	})
	if _, err := b.pay(billing.PaymentInput{InvoiceID: inv.ID, Amount: amount("70.01", eur), Method: billing.Cash}); err == nil {
		t.Error("more was paid than was written off")
	}
	if _, err := b.pay(billing.PaymentInput{InvoiceID: inv.ID, Amount: amount("20", eur), Method: billing.Cash}); err != nil {
		t.Fatal(err)
	}
	if now := b.invoice(inv.ID); now.WrittenOff != amount("50.00", eur) || now.Settled != amount("100.00", eur) {
		t.Errorf("after 20 of it came in: %s off, %s settled", now.WrittenOff, now.Settled)
	}
	if got := b.balances(); got != "1010 5000, 4000 -10000, 6090 5000" || !b.owed(customer).IsZero() {
		t.Errorf("the books stand at %s", got)
	}
}

func TestCreditNoteOfNoInvoice(t *testing.T) {
	t.Parallel()
	b := openBooks(t)
	b.rate("VAT", "23", false)
	customer := b.customer("Mara").ID
	var note billing.CreditNote
	b.do(func(ctx context.Context, tx *tenant.Tx) (err error) {
		in := billing.DocumentInput{CustomerID: customer, Lines: []billing.InvoiceLineInput{line("Goodwill", "1", "9.99", "VAT")}}
		if note, err = billing.DraftCreditNote(ctx, tx, in); err != nil {
			return err
		}
		in.Note = "Sorry."
		if note, err = billing.ReviseCreditNote(ctx, tx, note.ID, note.Version, in); err != nil {
			return err
		}
		note, err = billing.IssueCreditNote(ctx, tx, note.ID, note.Version)
		return err
	})
	// 9.99 and 23 % = 2.2977
	if note.Total != amount("12.29", eur) || note.Left() != note.Total || note.Note != "Sorry." || b.owed(customer) != amount("-12.29", eur) {
		t.Errorf("it is %+v, and the customer owes %s", note.CreditNoteHead, b.owed(customer))
	}
	if got := b.balances(); got != "1100 -1229, 2200 230, 4000 999" {
		t.Errorf("the books stand at %s", got)
	}
	b.refuses(billing.ErrCreditNoteNotDraft, "", func(ctx context.Context, tx *tenant.Tx) error {
		return billing.DiscardCreditNote(ctx, tx, note.ID, 0)
	})
	b.refuses(billing.ErrInvoiceNotFound, "", func(ctx context.Context, tx *tenant.Tx) error {
		_, err := billing.IssueInvoice(ctx, tx, billing.InvoiceID{UUID: note.ID.UUID}, 0)
		return err
	})
}
