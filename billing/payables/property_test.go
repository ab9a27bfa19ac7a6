package payables_test

import (
	"context"
	"errors"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/countinghouse/countinghouse/billing"
	"github.com/countinghouse/countinghouse/billing/money"
	"github.com/countinghouse/countinghouse/billing/payables"
	"github.com/countinghouse/countinghouse/billing/proof"
	"github.com/countinghouse/countinghouse/billing/report"
	"github.com/countinghouse/countinghouse/billing/tax"
	"github.com/countinghouse/countinghouse/internal/civil"
	"github.com/countinghouse/countinghouse/internal/fault"
	"github.com/countinghouse/countinghouse/tenant"
)

// purchases is what was bought of one payee, on which anything may be tried.
type purchases struct {
	books
	payee    billing.PayeeID
	bills    []payables.BillID
	credits  []payables.BillID
	payments []payables.PaymentID
}

// Whatever is entered, paid, credited, voided, applied, paid back and taken back, in whatever order, and however much of it is refused:
// every entry balances; what the ledger says that the payee is owed is what is open on bills, less what is left of credits and
// of payments, and so says the report, which agrees with the account on every day; what is settled of a bill is what its
// payments and credits come to. And when all is undone, nothing is left in the books.
func TestWhateverBecomesOfBillsTheBooksAgree(t *testing.T) {
	t.Parallel()
	b := openBooks(t)
	b.rate(tax.RateInput{Code: "GST", Name: "GST", Percent: dec("5")})
	b.rate(tax.RateInput{Code: "LOST", Name: "LOST", Percent: dec("9.975"), Unrecoverable: true})
	rapid.Check(t, func(r *rapid.T) {
		x := &purchases{books: b, payee: b.payee("Atlas").ID}
		for range rapid.IntRange(1, 8).Draw(r, "steps") {
			x.step(r)
		}
		x.agree(r)
		x.undo(r)
	})
}

func (x *purchases) step(r *rapid.T) {
	act := rapid.SampledFrom([]string{"enter", "credit", "pay", "pay", "advance", "apply credit", "unapply", "take back", "void", "void credit", "money back", "advance back"}).Draw(r, "act")
	pick := func(name string, from []payables.BillID) (one payables.BillID) {
		if len(from) > 0 {
			one = rapid.SampledFrom(from).Draw(r, name)
		}
		return one
	}
	bill, credit := pick("bill", x.bills), pick("a credit", x.credits)
	var payment payables.PaymentID
	if len(x.payments) > 0 {
		payment = rapid.SampledFrom(x.payments).Draw(r, "payment")
	}
	part := money.Amount{Minor: rapid.Int64Range(1, 20000).Draw(r, "part"), Currency: eur}
	more := money.Amount{Minor: part.Minor + rapid.Int64Range(0, 5000).Draw(r, "more"), Currency: eur}
	on := day("2026-01-01").AddDays(rapid.IntRange(0, 200).Draw(r, "day"))
	x.tolerate(r, act, func(ctx context.Context, tx *tenant.Tx) (err error) {
		var p payables.Payment
		switch act {
		case "enter", "credit":
			return x.enter(ctx, tx, r, act, on)
		case "pay":
			parts := []payables.Part{{Bill: bill, Amount: part}}
			if p, err = payables.PayBills(ctx, tx, payables.Paying{Payee: x.payee, Method: billing.Cash, Date: on, Amount: more, Parts: parts}); err == nil {
				x.payments = append(x.payments, p.ID)
			}
		case "advance":
			_, err = payables.ApplyAdvance(ctx, tx, payment, bill, money.Amount{})
		case "apply credit":
			err = billing.ApplyPayeeCredit(ctx, tx, credit, bill, money.Amount{})
		case "unapply":
			err = billing.UnapplyPayeeCredit(ctx, tx, credit, bill)
		case "money back", "advance back":
			in := payables.Receiving{Method: billing.Cash, Date: on, Amount: part}
			if act == "money back" {
				p, err = payables.ReceiveCredit(ctx, tx, credit, in)
			} else {
				p, err = payables.ReceiveAdvance(ctx, tx, payment, in)
			}
			if err == nil {
				x.payments = append(x.payments, p.ID)
			}
		case "take back":
			_, err = payables.TakeBack(ctx, tx, payment)
		case "void":
			_, err = payables.VoidBill(ctx, tx, billing.Bill, bill, 0)
		case "void credit":
			_, err = payables.VoidBill(ctx, tx, billing.PayeeCredit, credit, 0)
		}
		return err
	})
}

// tolerate lets what is refused be refused, with a sentence.
func (x *purchases) tolerate(r *rapid.T, act string, fn func(ctx context.Context, tx *tenant.Tx) error) {
	var refused *fault.Error
	if err := x.try(fn); err != nil && !errors.As(err, &refused) {
		r.Fatalf("%s: %v", act, err)
	}
}

func (x *purchases) enter(ctx context.Context, tx *tenant.Tx, r *rapid.T, act string, on civil.Date) error {
	price := rapid.SampledFrom([]string{"0.01", "19.99", "100", "333.33"}).Draw(r, "price")
	codes := rapid.SampledFrom([][]string{nil, {"GST"}, {"LOST"}, {"GST", "LOST"}}).Draw(r, "taxes")
	in := payables.BillInput{CustomerID: x.payee, IssueDate: on, DueDate: on.AddDays(rapid.IntRange(0, 60).Draw(r, "terms")),
		Lines: []billing.InvoiceLineInput{line("One", "1", price, codes...), line("Two", "3", "7.77", "GST")}}
	k, draft, list := billing.Bill, payables.DraftBill, &x.bills
	if act == "credit" {
		k, draft, list = billing.PayeeCredit, payables.DraftCredit, &x.credits
	}
	b, err := draft(ctx, tx, in)
	if err != nil {
		return err
	}
	if _, err := payables.EnterBill(ctx, tx, k, b.ID, 0); err != nil {
		return err
	}
	*list = append(*list, b.ID)
	return nil
}

func (x *purchases) agree(r *rapid.T) {
	x.do(func(ctx context.Context, tx *tenant.Tx) error {
		var wrong int
		if err := tx.Get(ctx, &wrong, `SELECT count(*) FROM (SELECT FROM journal_line GROUP BY entry_id, currency HAVING sum(amount) <> 0) x`); err != nil {
			return err
		}
		if wrong != 0 {
			r.Errorf("%d entries do not balance", wrong)
		}
		var open, owed int64
		for _, id := range x.bills {
			b, err := billing.PurchaseByID(ctx, tx, billing.Bill, id)
			if err != nil {
				return err
			}
			open += b.Open().Minor
			var settled int64
			for _, p := range b.Payments {
				settled += p.Amount.Minor
			}
			for _, c := range b.Credits {
				settled += c.Amount.Minor
			}
			if settled != b.Settled.Minor {
				r.Errorf("%s is settled by %d and says %s", b.Number, settled, b.Settled)
			}
		}
		for _, id := range x.credits {
			c, err := billing.PurchaseByID(ctx, tx, billing.PayeeCredit, id)
			if err != nil {
				return err
			}
			open -= c.Open().Minor
		}
		for _, id := range x.payments {
			p, err := payables.PaymentByID(ctx, tx, id)
			if err != nil {
				return err
			}
			open -= p.Left.Minor
		}
		if err := tx.Get(ctx, &owed, `SELECT coalesce(-sum(l.amount), 0)::bigint FROM journal_line l JOIN account a ON a.id = l.account_id
			WHERE a.purpose = 'payable' AND l.party_id = $1`, x.payee); err != nil {
			return err
		}
		if owed != open {
			r.Errorf("the ledger says that %d is owed, the bills %d", owed, open)
		}
		found, _, err := proof.Books(ctx, tx)
		if err != nil || len(found) > 0 {
			r.Errorf("the proof finds %+v, %v", found, err)
		}
		return x.agreeOn(ctx, tx, r, day("2026-01-01").AddDays(rapid.IntRange(0, 400).Draw(r, "a day")))
	})
}

// agreeOn checks the report of a day against the account.
func (x *purchases) agreeOn(ctx context.Context, tx *tenant.Tx, r *rapid.T, on civil.Date) error {
	t, err := report.AgedPayables(ctx, tx, on, eur)
	if err != nil {
		return err
	}
	var owed int64
	err = tx.Get(ctx, &owed, `SELECT coalesce(-sum(l.amount), 0)::bigint FROM journal_line l JOIN journal_entry e ON e.id = l.entry_id
		JOIN account a ON a.id = l.account_id WHERE a.purpose = 'payable' AND e.date <= $1`, on)
	sum := t.Sums[0].Amounts
	var columns int64
	for _, a := range sum[:len(sum)-1] {
		columns += a.Minor
	}
	if owed != sum[len(sum)-1].Minor || owed != columns {
		r.Errorf("on %s the account says %d, the report %s of columns that come to %d", on, owed, sum[len(sum)-1], columns)
	}
	return err
}

// undo takes all back in an order that allows it, and finds nothing left.
func (x *purchases) undo(r *rapid.T) {
	for _, p := range slices.Backward(x.payments) { // what came back of a payment goes before it
		x.tolerate(r, "take back", func(ctx context.Context, tx *tenant.Tx) error {
			_, err := payables.TakeBack(ctx, tx, p)
			return err
		})
	}
	for _, c := range x.credits {
		for _, b := range x.bills {
			x.tolerate(r, "unapply", func(ctx context.Context, tx *tenant.Tx) error { return billing.UnapplyPayeeCredit(ctx, tx, c, b) })
		}
		x.tolerate(r, "void credit", func(ctx context.Context, tx *tenant.Tx) error {
			_, err := payables.VoidBill(ctx, tx, billing.PayeeCredit, c, 0)
			return err
		})
	}
	for _, b := range x.bills {
		x.tolerate(r, "void", func(ctx context.Context, tx *tenant.Tx) error {
			_, err := payables.VoidBill(ctx, tx, billing.Bill, b, 0)
			return err
		})
	}
	if left := x.balances(); left != "" {
		r.Errorf("all is undone, and the books have %s", left)
	}
}
