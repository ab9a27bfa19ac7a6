package billing_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"

	"github.com/countinghouse/countinghouse/billing"
	"github.com/countinghouse/countinghouse/billing/currency"
	"github.com/countinghouse/countinghouse/billing/money"
	"github.com/countinghouse/countinghouse/billing/report"
	"github.com/countinghouse/countinghouse/internal/fault"
	"github.com/countinghouse/countinghouse/tenant"
)

func (b books) due(customer billing.CustomerID, c money.Currency, issued, price string) billing.Invoice {
	b.Helper()
	return b.issue(b.draft(billing.InvoiceInput{CustomerID: customer, Currency: c, IssueDate: day(issued), DueDate: day(issued).AddDays(5),
		Lines: []billing.InvoiceLineInput{line("Work", "1", price)}}).ID)
}

func (b books) mustPay(in billing.PaymentInput) billing.Payment {
	b.Helper()
	in.Method = billing.BankTransfer
	p, err := b.pay(in)
	if err != nil {
		b.Fatal(err)
	}
	return p
}

func (b books) apply(p billing.PaymentID, invoice billing.InvoiceID, most string, c money.Currency) billing.Payment {
	b.Helper()
	var wanted money.Amount
	if most != "" {
		wanted = amount(most, c)
	}
	var got billing.Payment
	b.do(func(ctx context.Context, tx *tenant.Tx) (err error) {
		got, err = billing.ApplyPayment(ctx, tx, p, invoice, wanted)
		return err
	})
	return got
}

func (b books) giveBack(p billing.PaymentID, on, much string, c money.Currency) (billing.Payment, error) {
	var got billing.Payment
	err := b.try(func(ctx context.Context, tx *tenant.Tx) (err error) {
		in := billing.RefundInput{Amount: amount(much, c), Method: billing.BankTransfer}
		if on != "" {
			in.Date = day(on)
		}
		got, err = billing.GiveBackPayment(ctx, tx, p, in)
		return err
	})
	return got, err
}

func (b books) opens(want string, invoice billing.InvoiceID) {
	b.Helper()
	if got := b.invoice(invoice); got.Open().String() != want {
		b.Errorf("%s has %s open, want %s", got.Number, got.Open(), want)
	}
}

// One payment over several invoices, worked by hand:
//
//	INV-0001  issued  1 January  120.00
//	INV-0002  issued 11 January   75.50
//	INV-0003  issued 21 January   33.33      together 228.83
//
//	3 February, 200.00, the oldest first:
//	  INV-0001 120.00   80.00 left
//	  INV-0002  75.50    4.50 left
//	  INV-0003   4.50    0.00 left           open: 33.33 - 4.50 = 28.83
//	4 February, 50.00 for INV-0003:
//	  INV-0003  28.83   21.17 left           it stays as credit: the customer is owed 21.17
//	INV-0004  20.00     takes 20.00 of it     1.17 left
//	5 February,  1.17 is given back           0.00 left, and nobody owes anybody anything
//
// The bank has 200.00 + 50.00 - 1.17 = 248.83, which is what was invoiced: 228.83 + 20.00.
func TestOnePaymentOverSeveralInvoices(t *testing.T) {
	t.Parallel()
	b := openBooks(t)
	mara := b.customer("Mara").ID
	one, two, three := b.due(mara, eur, "2026-01-01", "120.00"), b.due(mara, eur, "2026-01-11", "75.50"), b.due(mara, eur, "2026-01-21", "33.33")

	var open []billing.InvoiceHead
	b.do(func(ctx context.Context, tx *tenant.Tx) (err error) {
		open, err = billing.OpenInvoices(ctx, tx, mara, eur)
		return err
	})
	gets, left := billing.OldestFirst(amount("200.00", eur), open)
	if fmt.Sprint(gets, left) != "[120.00 75.50 4.50] 0.00" {
		t.Fatalf("200.00 is spread as %v with %v left", gets, left)
	}
	in := billing.PaymentInput{CustomerID: mara, Date: day("2026-02-03"), Amount: amount("200.00", eur)}
	for i, get := range gets {
		in.Allocations = append(in.Allocations, billing.Allocation{InvoiceID: open[i].ID, Amount: get})
	}
	whole := b.mustPay(in)
	if len(whole.Settles) != 3 || whole.Numbers() != "INV-0001, INV-0002, INV-0003" || !whole.Left.IsZero() {
		t.Errorf("kept as %+v", whole)
	}
	if date, lines := b.posted(whole.Entry); date != "2026-02-03" || len(lines) != 2 || lines[0].Amount != 20000 || lines[1].Purpose != "receivable" || lines[1].Amount != -20000 {
		t.Errorf("posted on %s: %+v", date, lines)
	}
	b.opens("0.00", one.ID)
	b.opens("0.00", two.ID)
	b.opens("28.83", three.ID)

	over := b.mustPay(billing.PaymentInput{InvoiceID: three.ID, KeepRest: true, Date: day("2026-02-04"), Amount: amount("50.00", eur)})
	if over.Left != amount("21.17", eur) || b.balance("receivable", eur, "2026-02-04") != amount("-21.17", eur) {
		t.Errorf("after paying too much %s is credit, and %s is owed", over.Left, b.balance("receivable", eur, "2026-02-04"))
	}
	b.opens("0.00", three.ID)
	b.do(func(ctx context.Context, tx *tenant.Tx) error {
		credits, err := billing.CreditsOf(ctx, tx, mara, eur)
		if err == nil && (len(credits) != 1 || credits[0].Payment != over.ID || credits[0].Left != over.Left) {
			t.Errorf("the customer's credit is %+v", credits)
		}
		if err == nil {
			if other, err := billing.CreditsOf(ctx, tx, mara, usd); err != nil || len(other) != 0 {
				t.Errorf("in dollars it is %+v, %v", other, err)
			}
		}
		return err
	})
	four := b.issued(mara, "20.00")
	if got := b.apply(over.ID, four.ID, "", eur); got.Left != amount("1.17", eur) {
		t.Errorf("%s is left", got.Left)
	}
	b.opens("0.00", four.ID)
	if _, err := b.giveBack(over.ID, "2026-02-05", "1.17", eur); err != nil {
		t.Fatal(err)
	}
	last := "2099-01-01"
	if bank, owed := b.balance("bank", eur, last), b.balance("receivable", eur, last); bank != amount("248.83", eur) || !owed.IsZero() {
		t.Errorf("the bank has %s and %s is owed", bank, owed)
	}
	if _, err := b.giveBack(over.ID, "", "0.01", eur); err != nil {
		t.Fatal(err)
	} // of what it settled: INV-0004 was settled last
	b.opens("0.01", four.ID)
}

// What a payment settles is taken off an invoice and is credit again; giving back more than is credit opens the invoice
// that it settled last.
func TestPaymentIsTakenOffAndGivenBack(t *testing.T) {
	t.Parallel()
	b := openBooks(t)
	mara := b.customer("Mara").ID
	one, two := b.due(mara, eur, "2026-01-01", "60.00"), b.due(mara, eur, "2026-01-11", "40.00")
	p := b.mustPay(billing.PaymentInput{CustomerID: mara, Date: day("2026-02-03"), Amount: amount("110.00", eur),
		Allocations: []billing.Allocation{{one.ID, amount("60.00", eur)}, {two.ID, amount("40.00", eur)}}})
	b.do(func(ctx context.Context, tx *tenant.Tx) error {
		got, err := billing.UnapplyPayment(ctx, tx, p.ID, one.ID)
		if err == nil && (got.Left != amount("70.00", eur) || len(got.Settles) != 1) {
			t.Errorf("taken off one invoice it is %+v", got)
		}
		return err
	})
	b.opens("60.00", one.ID)
	b.refuses(billing.ErrNotApplied, "", func(ctx context.Context, tx *tenant.Tx) error {
		_, err := billing.UnapplyPayment(ctx, tx, p.ID, one.ID)
		return err
	})
	back, err := b.giveBack(p.ID, "2026-02-10", "85.00", eur)
	if err != nil || back.Amount != amount("-85.00", eur) || back.RefundOf != p.ID || len(back.Settles) != 1 || back.Settles[0].Amount != amount("-15.00", eur) {
		t.Fatalf("given back as %+v, %v", back, err)
	}
	b.opens("15.00", two.ID)
	for name, c := range map[string]struct {
		do    func(ctx context.Context, tx *tenant.Tx) error
		want  *fault.Error
		field string
	}{
		"more than is left": {func(ctx context.Context, tx *tenant.Tx) error {
			_, err := billing.GiveBackPayment(ctx, tx, p.ID, billing.RefundInput{Amount: amount("25.01", eur), Method: billing.Cash})
			return err
		}, billing.ErrGiveBackAmount, "amount"},
		"before it came": {func(ctx context.Context, tx *tenant.Tx) error {
			_, err := billing.GiveBackPayment(ctx, tx, p.ID, billing.RefundInput{Amount: amount("1.00", eur), Method: billing.Cash, Date: day("2026-02-02")})
			return err
		}, billing.ErrGiveBackEarly, "date"},
		"a refund of a refund": {func(ctx context.Context, tx *tenant.Tx) error {
			_, err := billing.GiveBackPayment(ctx, tx, back.ID, billing.RefundInput{Amount: amount("1.00", eur), Method: billing.Cash})
			return err
		}, billing.ErrGiveBackRefund, ""},
		"a refund that is to settle": {func(ctx context.Context, tx *tenant.Tx) error {
			_, err := billing.ApplyPayment(ctx, tx, back.ID, one.ID, money.Amount{})
			return err
		}, billing.ErrGiveBackRefund, ""},
		"credit that is used": {func(ctx context.Context, tx *tenant.Tx) error {
			_, err := billing.ApplyPayment(ctx, tx, p.ID, one.ID, money.Amount{})
			return err
		}, billing.ErrCreditUsed, ""},
	} {
		t.Run(name, func(t *testing.T) { books{t, b.org}.refuses(c.want, c.field, c.do) })
	}
	// Taken off now, what is left of it on the other invoice is credit: 40.00 less 15.00.
	b.do(func(ctx context.Context, tx *tenant.Tx) error {
		got, err := billing.UnapplyPayment(ctx, tx, p.ID, two.ID)
		if err == nil && got.Left != amount("25.00", eur) {
			t.Errorf("%s is credit", got.Left)
		}
		return err
	})
	b.opens("40.00", two.ID)
}

// An invoice that a refund opened again is settled anew from that day on, whatever day the next payment came on: until then
// the next payment is credit, and no day finds the invoice paid beyond its total.
func TestPaymentBeforeARefundSettlesAfterIt(t *testing.T) {
	t.Parallel()
	b := openBooks(t)
	mara := b.customer("Mara").ID
	one := b.due(mara, eur, "2026-01-01", "100.00")
	first := b.mustPay(billing.PaymentInput{InvoiceID: one.ID, Date: day("2026-02-01"), Amount: amount("100.00", eur)})
	if _, err := b.giveBack(first.ID, "2026-02-20", "40.00", eur); err != nil {
		t.Fatal(err)
	}
	b.mustPay(billing.PaymentInput{InvoiceID: one.ID, Date: day("2026-02-10"), Amount: amount("40.00", eur)})
	b.opens("0.00", one.ID)
	for on, credit := range map[string]string{"2026-02-05": "0.00", "2026-02-15": "-40.00", "2026-02-25": "0.00"} {
		b.do(func(ctx context.Context, tx *tenant.Tx) error {
			aged, err := report.AgedReceivables(ctx, tx, day(on), eur)
			if err != nil {
				return err
			}
			for i, a := range aged.Sums[0].Amounts[:5] {
				if !a.IsZero() {
					t.Errorf("on %s %s is open in column %d", on, a, i)
				}
			}
			if got := aged.Sums[0].Amounts[5]; got != amount(credit, eur) {
				t.Errorf("on %s the credit is %s, want %s", on, got, credit)
			}
			return nil
		})
	}
}

func TestPaymentOverSeveralInvoicesRefuses(t *testing.T) {
	t.Parallel()
	b := openBooks(t)
	mara, hugh := b.customer("Mara").ID, b.customer("Hugh").ID
	one, two, others := b.issued(mara, "60.00"), b.issued(mara, "40.00"), b.issued(hugh, "10.00")
	draft := b.draft(billing.InvoiceInput{CustomerID: mara, Lines: []billing.InvoiceLineInput{line("Work", "1", "10")}})
	for name, c := range map[string]struct {
		spoil func(*billing.PaymentInput)
		want  *fault.Error
		field string
	}{
		"more for the invoices than came in": {func(in *billing.PaymentInput) { in.Amount = amount("99.99", eur) }, billing.ErrAllocatedTooMuch, "amount"},
		"more than is open on one": {func(in *billing.PaymentInput) {
			in.Amount, in.Allocations[1].Amount = amount("101.00", eur), amount("40.01", eur)
		}, billing.ErrOverpaid, "allocations[1].amount"},
		"one named twice":           {func(in *billing.PaymentInput) { in.Allocations[1].InvoiceID = one.ID }, billing.ErrAllocatedTwice, "allocations[1].invoice_id"},
		"another customer's":        {func(in *billing.PaymentInput) { in.Allocations[1] = billing.Allocation{others.ID, amount("1.00", eur)} }, billing.ErrOthersInvoice, "allocations[1].invoice_id"},
		"a draft":                   {func(in *billing.PaymentInput) { in.Allocations[1] = billing.Allocation{draft.ID, amount("1.00", eur)} }, billing.ErrNotIssued, "allocations[1].amount"},
		"nothing for one":           {func(in *billing.PaymentInput) { in.Allocations[0].Amount = amount("0.00", eur) }, billing.ErrPaymentAmount, "allocations[0].amount"},
		"less than nothing for one": {func(in *billing.PaymentInput) { in.Allocations[0].Amount = amount("-60.00", eur) }, billing.ErrPaymentAmount, "allocations[0].amount"},
		"another currency for one":  {func(in *billing.PaymentInput) { in.Allocations[0].Amount = amount("1.00", usd) }, billing.ErrPaymentCurrency, "allocations[0].amount"},
		"one and several":           {func(in *billing.PaymentInput) { in.InvoiceID = one.ID }, billing.ErrPaymentFor, "invoice_id"},
		"nobody":                    {func(in *billing.PaymentInput) { in.Allocations, in.CustomerID = nil, billing.CustomerID{} }, billing.ErrPaymentBy, "customer_id"},
		"an unknown customer": {func(in *billing.PaymentInput) {
			in.Allocations, in.CustomerID = nil, billing.CustomerID{UUID: one.ID.UUID}
		}, billing.ErrCustomerNotFound, ""},
	} {
		t.Run(name, func(t *testing.T) {
			in := billing.PaymentInput{CustomerID: mara, Amount: amount("100.00", eur), Method: billing.Cash,
				Allocations: []billing.Allocation{{one.ID, amount("60.00", eur)}, {two.ID, amount("40.00", eur)}}}
			c.spoil(&in)
			books{t, b.org}.refuses(c.want, c.field, func(ctx context.Context, tx *tenant.Tx) error {
				_, err := billing.RecordPayment(ctx, tx, in)
				return err
			})
		})
	}
}

// Ten at once apply the same credit to ten invoices, each of which could take all of it.
func TestCreditIsAppliedOnce(t *testing.T) {
	t.Parallel()
	b := openBooks(t)
	mara := b.customer("Mara").ID
	deposit := b.mustPay(billing.PaymentInput{CustomerID: mara, Amount: amount("50.00", eur)})
	if deposit.Left != amount("50.00", eur) || len(deposit.Settles) != 0 {
		t.Fatalf("a deposit is kept as %+v", deposit)
	}
	var invoices []billing.InvoiceID
	for range 10 {
		invoices = append(invoices, b.issued(mara, "50.00").ID)
	}
	var group sync.WaitGroup
	for _, invoice := range invoices {
		group.Go(func() {
			err := b.try(func(ctx context.Context, tx *tenant.Tx) error {
				_, err := billing.ApplyPayment(ctx, tx, deposit.ID, invoice, money.Amount{})
				return err
			})
			if err != nil && !errors.Is(err, billing.ErrCreditUsed) {
				t.Error(err)
			}
		})
	}
	group.Wait()
	var settled int64
	b.do(func(ctx context.Context, tx *tenant.Tx) error {
		return tx.Get(ctx, &settled, `SELECT sum(settled)::bigint FROM document`)
	})
	if settled != 5000 {
		t.Errorf("a credit of 50.00 settles %d cents", settled)
	}
}

func (b books) dollar(date, rate string) {
	b.Helper()
	b.do(func(ctx context.Context, tx *tenant.Tx) error {
		_, err := currency.SetRate(ctx, tx, currency.Rate{Unit: usd, Currency: eur, Date: day(date), Rate: dec(rate)})
		return err
	})
}

func (b books) gain(p billing.PaymentID) (g currency.Gain) {
	b.Helper()
	b.do(func(ctx context.Context, tx *tenant.Tx) (err error) {
		g, err = currency.GainOf(ctx, tx, p.UUID)
		return err
	})
	return g
}

// A payment in dollars over two invoices, in books in euros, worked by hand:
//
//	invoice of 100.00 at 0.90   worth  90.00
//	invoice of 200.00 at 0.80   worth 160.00
//	payment of 350.00 at 1.00   100.00 - 90.00 = 10.00 and 200.00 - 160.00 = 40.00 gained; 50.00 dollars are credit, worth 50.00
//	invoice of  40.00 at 1.25   worth  50.00; the credit that settles it was worth 40.00: 10.00 lost
//	given back  10.00 at 1.50   worth  15.00, and came as 10.00: 5.00 lost
//
// 10 + 40 - 10 - 5 = 35, which is what the money is worth that stayed, 350 - 15, less what was invoiced, 90 + 160 + 50.
// Taken off the third invoice again, the 10.00 lost there are not lost.
func TestGainOfAPaymentOverSeveralInvoices(t *testing.T) {
	t.Parallel()
	b := openBooks(t)
	for date, rate := range map[string]string{"2026-01-05": "0.90", "2026-02-05": "0.80", "2026-03-05": "1.00", "2026-04-05": "1.25", "2026-05-05": "1.50"} {
		b.dollar(date, rate)
	}
	hugh := b.customer("Hugh").ID
	one, two, three := b.due(hugh, usd, "2026-01-05", "100.00"), b.due(hugh, usd, "2026-02-05", "200.00"), b.due(hugh, usd, "2026-04-05", "40.00")
	p := b.mustPay(billing.PaymentInput{CustomerID: hugh, Date: day("2026-03-05"), Amount: amount("350.00", usd),
		Allocations: []billing.Allocation{{one.ID, amount("100.00", usd)}, {two.ID, amount("200.00", usd)}}})
	check := func(when, want string) {
		t.Helper()
		if got := b.gain(p.ID); got.Amount != amount(want, eur) || got.Waiting {
			t.Errorf("%s the payment has gained %+v, want %s", when, got, want)
		}
	}
	check("recorded", "50.00")
	b.apply(p.ID, three.ID, "", usd)
	check("applied later", "40.00")
	back, err := b.giveBack(p.ID, "2026-05-05", "10.00", usd)
	if err != nil {
		t.Fatal(err)
	}
	if got := b.gain(back.ID); got.Amount != amount("-5.00", eur) {
		t.Errorf("giving back gained %+v", got)
	}
	if got := b.balance("currency-realised", eur, "2099-01-01"); got != amount("-35.00", eur) {
		t.Errorf("in all %s is on the account of gains, want -35.00", got)
	}
	b.do(func(ctx context.Context, tx *tenant.Tx) error {
		_, err := billing.UnapplyPayment(ctx, tx, p.ID, three.ID)
		return err
	})
	check("taken off again", "50.00")
}

// Money that came before anybody entered a rate is booked, and its gain is told when both rates are there, once, on its day.
func TestGainIsToldWhenTheRateComes(t *testing.T) {
	t.Parallel()
	b := openBooks(t)
	hugh := b.customer("Hugh").ID
	one := b.due(hugh, usd, "2026-01-05", "100.00")
	p := b.mustPay(billing.PaymentInput{InvoiceID: one.ID, KeepRest: true, Date: day("2026-03-05"), Amount: amount("130.00", usd)})
	back, err := b.giveBack(p.ID, "2026-04-05", "30.00", usd)
	if err != nil {
		t.Fatal(err)
	}
	waits := func(payment billing.PaymentID, want string, waiting bool) {
		t.Helper()
		if got := b.gain(payment); got.Amount != amount(want, eur) || got.Waiting != waiting {
			t.Errorf("gained %+v, want %s, waiting %t", got, want, waiting)
		}
	}
	waits(p.ID, "0.00", true)
	b.dollar("2026-01-05", "0.90")
	waits(p.ID, "0.00", true)
	b.dollar("2026-03-05", "1.00")
	waits(p.ID, "10.00", false) // 100.00 at 1.00 less 100.00 at 0.90
	waits(back.ID, "0.00", true)
	b.dollar("2026-04-05", "1.20")
	waits(back.ID, "-6.00", false) // 30.00 at 1.00 less 30.00 at 1.20
	b.dollar("2026-05-05", "2.00")
	b.dollar("2026-03-05", "7.00")
	waits(p.ID, "10.00", false)
	if got := b.balance("currency-realised", eur, "2026-03-05"); got != amount("-10.00", eur) {
		t.Errorf("by the day of the payment %s is on the account of gains", got)
	}
	// Nothing in dollars is left but the money: what it is carried at is what it came and went at.
	b.do(func(ctx context.Context, tx *tenant.Tx) error {
		v, err := currency.ValuationOn(ctx, tx, day("2026-05-05"))
		if err == nil && (len(v.Positions) != 1 || v.Positions[0].Balance != amount("100.00", usd)) {
			t.Errorf("valued as %+v", v.Positions)
		}
		return err
	})
}

// A credit note of its own that settles an invoice of another rate: 100.00 dollars credited at 0.80 owe 80.00; the
// invoice was worth 90.00. 10.00 are lost, and are not when it is taken back. Given back at 0.50, 50.00 go where 80.00 were
// owed: 30.00 are gained.
func TestGainOfACreditNote(t *testing.T) {
	t.Parallel()
	b := openBooks(t)
	b.dollar("2026-01-05", "0.90")
	b.dollar("2026-02-05", "0.80")
	b.dollar("2026-03-05", "0.50")
	hugh := b.customer("Hugh").ID
	invoice := b.due(hugh, usd, "2026-01-05", "100.00")
	var note billing.CreditNote
	b.do(func(ctx context.Context, tx *tenant.Tx) (err error) {
		note, err = billing.DraftCreditNote(ctx, tx, billing.DocumentInput{CustomerID: hugh, Currency: usd, IssueDate: day("2026-02-05"),
			Lines: []billing.InvoiceLineInput{line("Goodwill", "1", "100.00")}})
		if err == nil {
			note, err = billing.IssueCreditNote(ctx, tx, note.ID, 0)
		}
		if err == nil {
			note, err = billing.ApplyCreditNote(ctx, tx, note.ID, invoice.ID, money.Amount{})
		}
		return err
	})
	gained := func(want string) {
		t.Helper()
		if got := b.balance("currency-realised", eur, "2099-01-01"); got != amount(want, eur) {
			t.Errorf("%s is on the account of gains, want %s", got, want)
		}
	}
	gained("10.00")
	var back billing.Payment
	b.do(func(ctx context.Context, tx *tenant.Tx) (err error) {
		if _, err = billing.UnapplyCreditNote(ctx, tx, note.ID, invoice.ID); err == nil {
			back, err = billing.GiveBackCredit(ctx, tx, note.ID, billing.RefundInput{Date: day("2026-03-05"), Amount: amount("100.00", usd), Method: billing.Cash})
		}
		return err
	})
	gained("-30.00")
	if len(back.Settles) != 1 || back.Settles[0].Kind != "credit_note" || !back.Left.IsZero() {
		t.Errorf("given back as %+v", back)
	}
	b.refuses(billing.ErrCreditUsed, "", func(ctx context.Context, tx *tenant.Tx) error {
		_, err := billing.GiveBackCredit(ctx, tx, note.ID, billing.RefundInput{Amount: amount("0.01", usd), Method: billing.Cash})
		return err
	})
}
