package bank_test

import (
	"context"
	"errors"
	"testing"

	"github.com/shopspring/decimal"

	"github.com/countinghouse/countinghouse/billing"
	"github.com/countinghouse/countinghouse/billing/bank"
	"github.com/countinghouse/countinghouse/billing/ledger"
	"github.com/countinghouse/countinghouse/billing/payables"
	"github.com/countinghouse/countinghouse/internal/civil"
	"github.com/countinghouse/countinghouse/tenant"
)

// bill enters a bill of Atlas Paper.
func (h *house) bill(payee billing.PayeeID, reference, amount string) (made payables.Bill) {
	h.Helper()
	h.do(func(ctx context.Context, tx *tenant.Tx) error {
		drafted, err := payables.DraftBill(ctx, tx, payables.BillInput{CustomerID: payee, Reference: reference, IssueDate: civil.On(2026, 1, 5), Lines: []billing.InvoiceLineInput{
			{Description: "Paper", Quantity: decimal.NewFromInt(1), UnitPrice: decimal.RequireFromString(amount), AccountID: h.codes["5300"]}}})
		if err != nil {
			return err
		}
		made, err = payables.EnterBill(ctx, tx, billing.Bill, drafted.ID, 0)
		return err
	})
	return made
}

func (h *house) undo(l bank.Line) {
	h.Helper()
	h.do(func(ctx context.Context, tx *tenant.Tx) error {
		_, err := bank.UndoMatch(ctx, tx, l.ID, 0)
		return err
	})
}

// balance of an account of the chart.
func (h *house) balance(code string) (sum int64) {
	h.Helper()
	h.do(func(ctx context.Context, tx *tenant.Tx) error {
		return ledger.EachEntry(ctx, tx, civil.Date{}, civil.Date{}, func(e ledger.Entry) error {
			for _, l := range e.Lines {
				if l.AccountCode == code {
					sum += l.Amount.Minor
				}
			}
			return nil
		})
	})
	return sum
}

func TestMatch_with_several_invoices(t *testing.T) {
	t.Parallel()
	h := openHouse(t)
	a, b, c := h.invoice("100.00"), h.invoice("50.50"), h.invoice("7.00")
	h.take(h.current, "2026-01-20,"+b.Number+" and "+a.Number+",150.50", "2026-01-21,Halden Optics for all,157.50", "2026-01-22,Halden Optics more than all,200.00", "2026-01-23,"+c.Number+" too much,9.00")
	numbered, named := h.line(h.current, "and"), h.line(h.current, "for all")
	if found := h.suggestions(numbered); len(found) == 0 || len(found[0].Invoices) != 2 || found[0].Certainty < bank.Sure || found[0].Amount != euros(15050) {
		t.Errorf("by the numbers it suggests %+v", found)
	}
	found := h.suggestions(named)
	if len(found) == 0 || len(found[0].Invoices) != 3 {
		t.Fatalf("by the name it suggests %+v", found)
	}
	for _, s := range h.suggestions(h.line(h.current, "more than all")) {
		t.Errorf("for more than is open it suggests %+v", s)
	}
	if err := h.match(numbered, found[0].Match); !errors.Is(err, bank.ErrSum) {
		t.Errorf("three for the amount of two fail with %v", err)
	}
	h.mustMatch(named, found[0].Match)
	if got := h.balance("1100"); got != 0 || h.account(h.current).Book != euros(15750) {
		t.Errorf("%d is owed after it", got)
	}
	h.undo(named)
	if got := h.balance("1100"); got != 15750 || !h.account(h.current).Book.IsZero() {
		t.Errorf("%d is owed after undoing it", got)
	}
	h.mustMatch(numbered, h.suggestions(numbered)[0].Match)
	if got := h.balance("1100"); got != 700 {
		t.Errorf("%d is owed after the other", got)
	}
	much := h.line(h.current, "too much")
	if err := h.match(much, bank.Match{Invoices: []billing.InvoiceID{c.ID}}); !errors.Is(err, billing.ErrOverpaid) {
		t.Errorf("more than is open fails with %v", err)
	}
	if found := h.suggestions(much); len(found) != 1 || !found[0].KeepRest || len(found[0].Invoices) != 1 || found[0].Invoices[0] != c.ID || found[0].Certainty >= bank.Sure {
		t.Errorf("for more than is open of the invoice that it names it suggests %+v", found)
	}
	h.mustMatch(much, bank.Match{Invoices: []billing.InvoiceID{c.ID}, KeepRest: true})
	if got := h.balance("1100"); got != -200 {
		t.Errorf("%d is owed, with a rest kept as credit", got)
	}
	h.undo(much)
	if got := h.balance("1100"); got != 700 {
		t.Errorf("%d is owed after undoing that", got)
	}
}

func TestMatch_with_bills(t *testing.T) {
	t.Parallel()
	h := openHouse(t)
	var payee billing.Payee
	h.do(func(ctx context.Context, tx *tenant.Tx) (err error) {
		payee, err = billing.AddPayee(ctx, tx, billing.PayeeInput{CustomerInput: billing.CustomerInput{Name: "Atlas Paper"}})
		return err
	})
	one, two := h.bill(payee.ID, "A-77901", "40.00"), h.bill(payee.ID, "A-77902", "60.00")
	h.take(h.current, "2026-01-20,ATLAS PAPER A 77901,-40.00", "2026-01-21,ATLAS PAPER A77901 A77902,-100.00", "2026-01-22,In,40.00")
	single, both := h.line(h.current, "A 77901"), h.line(h.current, "A77902")
	found := h.suggestions(single)
	if len(found) == 0 || len(found[0].Bills) != 1 || found[0].Bills[0] != one.ID || found[0].Certainty < bank.Sure {
		t.Fatalf("it suggests %+v", found)
	}
	h.mustMatch(single, found[0].Match)
	if got := h.balance("2100"); got != -6000 || h.account(h.current).Book != euros(-4000) {
		t.Errorf("%d is owed after one", got)
	}
	if err := h.match(both, bank.Match{Bills: []payables.BillID{one.ID, two.ID}}); !errors.Is(err, bank.ErrSum) {
		t.Errorf("a bill that is paid fails with %v", err)
	}
	h.undo(single)
	found = h.suggestions(both)
	if len(found) == 0 || len(found[0].Bills) != 2 || found[0].Certainty < bank.Sure {
		t.Fatalf("for both it suggests %+v", found)
	}
	h.mustMatch(both, found[0].Match)
	if got := h.balance("2100"); got != 0 || h.account(h.current).Book != euros(-10000) {
		t.Errorf("%d is owed after both", got)
	}
	if err := h.match(h.line(h.current, "In"), bank.Match{Bills: []payables.BillID{one.ID}}); !errors.Is(err, bank.ErrIncoming) {
		t.Errorf("money in for a bill fails with %v", err)
	}
	h.undo(both)
	if got := h.balance("2100"); got != -10000 {
		t.Errorf("%d is owed after undoing it", got)
	}
}
