package payables

import (
	"context"
	"errors"

	"github.com/countinghouse/countinghouse/billing"
	"github.com/countinghouse/countinghouse/billing/ledger"
	"github.com/countinghouse/countinghouse/billing/money"
	"github.com/countinghouse/countinghouse/internal/fault"
	"github.com/countinghouse/countinghouse/internal/id"
	"github.com/countinghouse/countinghouse/tenant"
)

// ErrBillTwice refuses what a payee has sent already.
var ErrBillTwice = fault.New(fault.Conflict, "bill.reference_taken", "There is a bill of this payee with this number already.").At("reference")

// BillID names a bill, a payee's credit or a recurring bill.
type BillID = billing.DocumentID

// Bill is a bill with all its parts; BillHead is one as lists show it.
type (
	Bill     = billing.Purchase
	BillHead = billing.PurchaseHead
)

// BillInput is what is written on a draft. CustomerID is the payee and Reference their own number; a line has the
// account that it is a cost on, or the payee's usual one.
type BillInput = billing.DocumentInput

// DraftBill keeps a new draft of a bill. It has no number of ours yet and nothing is posted. It fails with all that is wrong
// with the input, billing.ErrPayeeArchived, billing.ErrBillExternal and ErrBillTwice.
func DraftBill(ctx context.Context, tx *tenant.Tx, in BillInput) (Bill, error) {
	return draft(ctx, tx, billing.Bill, in)
}

// DraftCredit keeps a new draft of a payee's credit. It fails as DraftBill does.
func DraftCredit(ctx context.Context, tx *tenant.Tx, in BillInput) (Bill, error) {
	return draft(ctx, tx, billing.PayeeCredit, in)
}

func draft(ctx context.Context, tx *tenant.Tx, k billing.PurchaseKind, in BillInput) (Bill, error) {
	if err := lockKnown(ctx, tx, in.CustomerID); err != nil {
		return Bill{}, err
	}
	made, err := billing.DraftPurchase(ctx, tx, k, in)
	if err != nil {
		return Bill{}, err
	}
	return kept(ctx, tx, k, made)
}

// lockKnown locks a payee if there is such a one: whether there is, is told with what else is wrong with the input.
func lockKnown(ctx context.Context, tx *tenant.Tx, payee billing.PayeeID) error {
	_, err := billing.LockPayee(ctx, tx, payee)
	if errors.Is(err, billing.ErrPayeeNotFound) {
		return nil
	}
	return err
}

// kept reads what was written, and refuses it if its payee has sent the same before: the caller has locked the payee.
func kept(ctx context.Context, tx *tenant.Tx, k billing.PurchaseKind, document BillID) (Bill, error) {
	b, err := billing.PurchaseByID(ctx, tx, k, document)
	if err != nil || b.Reference == "" {
		return b, err
	}
	number, found, err := selectTwin(ctx, tx, k, b)
	switch {
	case err != nil:
		return b, err
	case found && number == "":
		return b, ErrBillTwice.Sayf("A draft has number %s of this payee already. Change that one, or discard it.", b.Reference)
	case found:
		return b, ErrBillTwice.Sayf("%s has number %s of this payee already. If that one is wrong, void it first.", number, b.Reference)
	}
	return b, nil
}

// ReviseBill writes all of a draft anew. version is the one that the change was made on; 0 is any. It fails as DraftBill
// does, and with billing.ErrBillNotFound, billing.ErrBillNotDraft and billing.ErrBillChanged.
func ReviseBill(ctx context.Context, tx *tenant.Tx, k billing.PurchaseKind, bill BillID, version int, in BillInput) (Bill, error) {
	if err := lockKnown(ctx, tx, in.CustomerID); err != nil {
		return Bill{}, err
	}
	if err := billing.RevisePurchase(ctx, tx, k, bill, version, in); err != nil {
		return Bill{}, err
	}
	return kept(ctx, tx, k, bill)
}

// EnterBill gives a draft our number and posts it: its costs, and the taxes on it that come back, against what payees are
// owed. A tax that does not come back is part of the cost of its line. It fails with billing.ErrBillNotFound,
// billing.ErrBillNotDraft, billing.ErrBillChanged, billing.ErrBillNoLines and ErrBillTwice.
func EnterBill(ctx context.Context, tx *tenant.Tx, k billing.PurchaseKind, bill BillID, version int) (Bill, error) {
	if _, err := billing.LockPayeeOf(ctx, tx, k, bill); err != nil {
		return Bill{}, err
	}
	if err := billing.EnterPurchase(ctx, tx, k, bill, version); err != nil {
		return Bill{}, err
	}
	return kept(ctx, tx, k, bill)
}

// VoidBill undoes a bill or credit of which nothing is settled: its number stays, its entry is reversed, nothing is owed, and
// the payee's number is free again. It fails as billing.VoidPurchase does.
func VoidBill(ctx context.Context, tx *tenant.Tx, k billing.PurchaseKind, bill BillID, version int) (Bill, error) {
	if err := billing.VoidPurchase(ctx, tx, k, bill, version); err != nil {
		return Bill{}, err
	}
	return billing.PurchaseByID(ctx, tx, k, bill)
}

// OpenBills gives the bills that are entered and not paid, of one payee or (zero) of all and in one currency or (zero) in
// all, what is due first first; 200 at most.
func OpenBills(ctx context.Context, tx *tenant.Tx, payee billing.PayeeID, currency money.Currency) ([]BillHead, error) {
	return billing.OpenPurchases(ctx, tx, billing.Bill, payee, currency)
}

// ExpenseInput is what was bought and paid at once.
type ExpenseInput struct {
	BillInput
	NewPayee  string // the name of one who is not among the payees yet; instead of CustomerID
	Method    billing.Method
	AccountID ledger.AccountID // what it was paid from; zero: the account whose purpose is bank
	Receipt   *billing.FileInput
}

// RecordExpense keeps what was bought and paid at once: a bill that is entered, and its payment of the same day. All of
// it or nothing. It fails as DraftBill, EnterBill and PayBills do, and with what file.Keep refuses.
func RecordExpense(ctx context.Context, tx *tenant.Tx, in ExpenseInput) (Bill, error) {
	if in.NewPayee != "" && in.CustomerID.IsZero() {
		p, err := billing.AddPayee(ctx, tx, billing.PayeeInput{CustomerInput: billing.CustomerInput{Name: in.NewPayee}})
		if err != nil {
			return Bill{}, err
		}
		in.CustomerID = p.ID
	}
	in.DueDate = in.IssueDate
	b, err := DraftBill(ctx, tx, in.BillInput)
	if err != nil {
		return Bill{}, err
	}
	if b, err = EnterBill(ctx, tx, billing.Bill, b.ID, 0); err != nil {
		return Bill{}, err
	}
	if in.Receipt != nil {
		if _, err := billing.AttachToPurchase(ctx, tx, billing.Bill, b.ID, *in.Receipt); err != nil {
			return Bill{}, err
		}
	}
	if b.Total.IsZero() {
		return b, nil
	}
	_, err = PayBills(ctx, tx, Paying{Payee: b.Customer.ID, Date: b.IssueDate, Amount: b.Total, Method: in.Method, Reference: b.Reference,
		Account: in.AccountID, Parts: []Part{{Bill: b.ID, Amount: b.Total}}})
	if err != nil {
		return Bill{}, err
	}
	return billing.PurchaseByID(ctx, tx, billing.Bill, b.ID)
}

// PaymentID names a payment of bills.
type PaymentID = id.Of[billing.Payment]
