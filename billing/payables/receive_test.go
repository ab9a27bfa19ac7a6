package payables_test

import (
	"context"
	"testing"

	"github.com/countinghouse/countinghouse/billing"
	"github.com/countinghouse/countinghouse/billing/money"
	"github.com/countinghouse/countinghouse/billing/payables"
	"github.com/countinghouse/countinghouse/billing/proof"
	"github.com/countinghouse/countinghouse/internal/fault"
	"github.com/countinghouse/countinghouse/tenant"
)

func (b books) receive(credit payables.BillID, in payables.Receiving) payables.Payment {
	b.Helper()
	if in.Method == "" {
		in.Method = billing.BankTransfer
	}
	var p payables.Payment
	b.do(func(ctx context.Context, tx *tenant.Tx) (err error) {
		p, err = payables.ReceiveCredit(ctx, tx, credit, in)
		return err
	})
	return p
}

// A payee pays 40 of a credit of 100, then the rest; what came back is on the bank, the credit is used up, and the report of
// each day says what the account does. Undone, the credit is there again.
func TestMoneyBackOfACredit(t *testing.T) {
	t.Parallel()
	b := openBooks(t)
	payee := b.payee("Atlas Paper").ID
	credit := b.credit(payables.BillInput{CustomerID: payee, IssueDate: day("2026-03-02"), Lines: []billing.InvoiceLineInput{line("Paper", "1", "100")}})
	refused := func(want *fault.Error, in payables.Receiving) {
		t.Helper()
		in.Method = billing.Cash
		b.refuses(want, func(ctx context.Context, tx *tenant.Tx) error {
			_, err := payables.ReceiveCredit(ctx, tx, credit.ID, in)
			return err
		})
	}
	refused(payables.ErrBackAmount, payables.Receiving{Amount: amount("100.01", eur), Date: day("2026-03-05")})
	refused(payables.ErrBackAmount, payables.Receiving{Amount: amount("40", usd), Date: day("2026-03-05")})
	refused(payables.ErrBackEarly, payables.Receiving{Amount: amount("40", eur), Date: day("2026-03-01")})
	part := b.receive(credit.ID, payables.Receiving{Amount: amount("40", eur), Date: day("2026-03-05"), Reference: "R-1"})
	if got, want := b.balances(), "1010 40.00 EUR, 2100 60.00 EUR, 5300 -100.00 EUR"; got != want {
		t.Errorf("the books have %s, want %s", got, want)
	}
	if !part.IsBack() || len(part.Parts) != 1 || part.Parts[0].Bill != credit.ID || part.Parts[0].Kind != billing.PayeeCredit || !part.Left.IsZero() {
		t.Errorf("it is kept as %+v", part)
	}
	rest := b.receive(credit.ID, payables.Receiving{Date: day("2026-04-01")})
	refused(billing.ErrCreditUsed, payables.Receiving{Date: day("2026-04-02")})
	b.refuses(billing.ErrVoidSettled, func(ctx context.Context, tx *tenant.Tx) error {
		_, err := payables.VoidBill(ctx, tx, billing.PayeeCredit, credit.ID, 0)
		return err
	})
	if got, want := b.balances(), "1010 100.00 EUR, 5300 -100.00 EUR"; got != want {
		t.Errorf("the books have %s, want %s", got, want)
	}
	for on, owed := range map[string]string{"2026-03-02": "-100.00", "2026-03-05": "-60.00", "2026-04-01": "0.00"} {
		if sums := b.aged(on); sums[len(sums)-1] != owed {
			t.Errorf("on %s aged payables come to %v, want %s", on, sums, owed)
		}
	}
	b.do(func(ctx context.Context, tx *tenant.Tx) error {
		if found, _, err := proof.Books(ctx, tx); err != nil || len(found) > 0 {
			t.Errorf("the proof finds %+v, %v", found, err)
		}
		_, err := payables.TakeBack(ctx, tx, rest.ID)
		return err
	})
	b.refuses(payables.ErrTakenBack, func(ctx context.Context, tx *tenant.Tx) error {
		_, err := payables.TakeBack(ctx, tx, rest.ID)
		return err
	})
	b.do(func(ctx context.Context, tx *tenant.Tx) error {
		c, err := billing.PurchaseByID(ctx, tx, billing.PayeeCredit, credit.ID)
		if c.Open() != amount("60", eur) {
			t.Errorf("%s of the credit is left", c.Open())
		}
		return err
	})
	if got, want := b.balances(), "1010 40.00 EUR, 2100 60.00 EUR, 5300 -100.00 EUR"; got != want {
		t.Errorf("undone, the books have %s, want %s", got, want)
	}
}

// What was paid in advance comes back as far as it pays no bill; what came back pays none, and the payment is not taken back
// before it.
func TestMoneyBackOfAnAdvance(t *testing.T) {
	t.Parallel()
	b := openBooks(t)
	payee := b.payee("Atlas Paper").ID
	bill := b.entered(payables.BillInput{CustomerID: payee, IssueDate: day("2026-03-02"), Lines: []billing.InvoiceLineInput{line("Paper", "1", "70")}})
	p := b.pay(payables.Paying{Payee: payee, Date: day("2026-03-03"), Amount: amount("100", eur), Parts: []payables.Part{{Bill: bill.ID, Amount: amount("50", eur)}}})
	back := func(in payables.Receiving) func(ctx context.Context, tx *tenant.Tx) error {
		in.Method = billing.Cash
		return func(ctx context.Context, tx *tenant.Tx) error {
			_, err := payables.ReceiveAdvance(ctx, tx, p.ID, in)
			return err
		}
	}
	b.refuses(payables.ErrBackAmount, back(payables.Receiving{Amount: amount("50.01", eur), Date: day("2026-03-05")}))
	b.do(back(payables.Receiving{Amount: amount("35", eur), Date: day("2026-03-05")}))
	b.do(func(ctx context.Context, tx *tenant.Tx) (err error) {
		if p, err = payables.PaymentByID(ctx, tx, p.ID); p.Left != amount("15", eur) || p.CameBack != amount("35", eur) {
			t.Errorf("%s is left and %s came back", p.Left, p.CameBack)
		}
		if all, err := payables.Advances(ctx, tx, payee, eur); err != nil || len(all) != 1 || all[0].Left != p.Left {
			t.Errorf("advances are %+v, %v", all, err)
		}
		return err
	})
	b.refuses(payables.ErrCameBack, func(ctx context.Context, tx *tenant.Tx) error {
		_, err := payables.TakeBack(ctx, tx, p.ID)
		return err
	})
	other := b.entered(payables.BillInput{CustomerID: payee, IssueDate: day("2026-03-02"), Lines: []billing.InvoiceLineInput{line("Ink", "1", "70")}})
	b.do(func(ctx context.Context, tx *tenant.Tx) error {
		_, err := payables.ApplyAdvance(ctx, tx, p.ID, other.ID, money.Amount{})
		return err
	})
	if open := b.bill(other.ID).Open(); open != amount("55", eur) {
		t.Errorf("of the other bill %s is open", open)
	}
}

// 110 dollars at 1.10 are 100.00 euros; back at 1.25 they are 88.00, and 12.00 are lost, whether the rates are known at once or
// come later. Undone, nothing is lost.
func TestForeignMoneyBackLoses(t *testing.T) {
	t.Parallel()
	for name, late := range map[string]bool{"rates known": false, "rates come later": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := openBooks(t)
			b.T = t
			rates := func() {
				b.euro("2026-03-02", "1.10")
				b.euro("2026-03-20", "1.25")
			}
			if !late {
				rates()
			}
			payee := b.payee("Overseas Ltd").ID
			credit := b.credit(payables.BillInput{CustomerID: payee, Currency: usd, IssueDate: day("2026-03-02"), Lines: []billing.InvoiceLineInput{line("Hosting", "1", "110")}})
			advance := b.pay(payables.Paying{Payee: payee, Date: day("2026-03-02"), Amount: amount("110", usd)})
			of := b.receive(credit.ID, payables.Receiving{Date: day("2026-03-20")})
			var again payables.Payment
			b.do(func(ctx context.Context, tx *tenant.Tx) (err error) {
				again, err = payables.ReceiveAdvance(ctx, tx, advance.ID, payables.Receiving{Method: billing.Cash, Date: day("2026-03-20")})
				return err
			})
			if late {
				rates()
			}
			if got, want := b.balances(), "1010 110.00 USD, 1150 -24.00 EUR, 4860 24.00 EUR, 5300 -110.00 USD"; got != want {
				t.Errorf("the books have %s, want %s", got, want)
			}
			b.do(func(ctx context.Context, tx *tenant.Tx) error {
				if _, err := payables.TakeBack(ctx, tx, again.ID); err != nil {
					return err
				}
				_, err := payables.TakeBack(ctx, tx, of.ID)
				return err
			})
			if got, want := b.balances(), "1010 -110.00 USD, 2100 220.00 USD, 5300 -110.00 USD"; got != want {
				t.Errorf("undone, the books have %s, want %s", got, want)
			}
		})
	}
}
