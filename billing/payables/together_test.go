package payables_test

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/countinghouse/countinghouse/billing"
	"github.com/countinghouse/countinghouse/billing/payables"
	"github.com/countinghouse/countinghouse/tenant"
)

// Several people enter the same paper, and pay the same bill, at the same moment: one of them does.
func TestSamePaperAtTheSameMoment(t *testing.T) {
	t.Parallel()
	b := openBooks(t)
	payee := b.payee("Atlas Paper").ID
	together := func(refusal error, do func(ctx context.Context, tx *tenant.Tx) error) {
		t.Helper()
		var all sync.WaitGroup
		var done atomic.Int32
		for range 4 {
			all.Go(func() {
				switch err := b.try(do); {
				case err == nil:
					done.Add(1)
				case !errors.Is(err, refusal):
					t.Errorf("refused with %v, want %v", err, refusal)
				}
			})
		}
		all.Wait()
		if done.Load() != 1 {
			t.Errorf("%d of 4 did it", done.Load())
		}
	}
	in := payables.BillInput{CustomerID: payee, Reference: "A-77", Lines: []billing.InvoiceLineInput{line("Paper", "1", "100")}}
	together(payables.ErrBillTwice, func(ctx context.Context, tx *tenant.Tx) error {
		made, err := payables.DraftBill(ctx, tx, in)
		if err != nil {
			return err
		}
		_, err = payables.EnterBill(ctx, tx, billing.Bill, made.ID, 0)
		return err
	})
	var bill payables.BillHead
	b.do(func(ctx context.Context, tx *tenant.Tx) error {
		open, err := payables.OpenBills(ctx, tx, payee, eur)
		if len(open) != 1 {
			t.Fatalf("open are %+v", open)
		}
		bill = open[0]
		return err
	})
	pay := payables.Paying{Payee: payee, Method: billing.Cash, Parts: []payables.Part{{Bill: bill.ID, Amount: bill.Total}}}
	together(payables.ErrPaymentPart, func(ctx context.Context, tx *tenant.Tx) error {
		_, err := payables.PayBills(ctx, tx, pay)
		return err
	})
	if got, want := b.balances(), "1010 -100.00 EUR, 5300 100.00 EUR"; got != want {
		t.Errorf("the books have %s, want %s", got, want)
	}
}
