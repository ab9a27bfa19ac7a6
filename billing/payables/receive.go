package payables

import (
	"context"
	"fmt"
	"slices"

	"github.com/google/uuid"

	"github.com/countinghouse/countinghouse/billing"
	"github.com/countinghouse/countinghouse/billing/currency"
	"github.com/countinghouse/countinghouse/billing/ledger"
	"github.com/countinghouse/countinghouse/billing/money"
	"github.com/countinghouse/countinghouse/internal/civil"
	"github.com/countinghouse/countinghouse/internal/fault"
	"github.com/countinghouse/countinghouse/internal/id"
	"github.com/countinghouse/countinghouse/internal/text"
	"github.com/countinghouse/countinghouse/tenant"
)

// What is refused about money that comes back from a payee.
var (
	ErrBackAmount = fault.New(fault.Invalid, "money_back.amount", "Give an amount that is more than nothing, and no more than is left.").At("amount")
	ErrBackEarly  = fault.New(fault.Invalid, "money_back.early", "Money cannot come back before its credit or payment. Choose its day or a later one.").At("date")
	ErrBackFuture = fault.New(fault.Invalid, "money_back.in_future", "Money that comes back cannot be dated after tomorrow. Record it when it is there.").At("date")
	ErrBackOfBack = fault.New(fault.Conflict, "money_back.of_money_back", "This is money that came back already. Open the payment that it came back of.")
	ErrBackDraft  = fault.New(fault.Conflict, "money_back.draft", "Nothing comes back of a draft. Enter it first.")
	ErrBackVoid   = fault.New(fault.Conflict, "money_back.void", "This credit is void. Nothing comes back of it.")
	ErrCameBack   = fault.New(fault.Conflict, "bill_payment.came_back", "Some of this payment came back from the payee. Take that back first.")
)

// Receiving is money that comes back from a payee: of a credit of theirs that settles no bill, or of what was paid in advance.
type Receiving struct {
	ExternalID string
	Date       civil.Date   // zero: today
	Amount     money.Amount // zero: all that is left
	Method     billing.Method
	Reference  string
	Account    ledger.AccountID // where it goes; zero: the account whose purpose is bank
}

// ReceiveCredit keeps and posts money that a payee pays us for what is left of their credit, whole or in part: the money is
// there, and the credit is less; what a foreign currency gained or lost since the credit is posted with it. It fails with what is wrong with the
// input, billing.ErrPayeeCreditNone, ErrBackDraft, ErrBackVoid, billing.ErrCreditUsed, ErrBackAmount (which says what is
// left), ErrBackEarly, ErrBackFuture, billing.ErrPaymentAccount, ErrPaymentExternal, and with what ledger.Post refuses.
func ReceiveCredit(ctx context.Context, tx *tenant.Tx, credit BillID, in Receiving) (Payment, error) {
	payee, err := billing.LockPayeeOf(ctx, tx, billing.PayeeCredit, credit)
	if err != nil {
		return Payment{}, err
	}
	c, err := billing.LockPurchase(ctx, tx, billing.PayeeCredit, credit)
	switch {
	case err != nil:
		return Payment{}, err
	case c.State == billing.Draft:
		return Payment{}, ErrBackDraft
	case c.State != billing.Issued:
		return Payment{}, ErrBackVoid
	case c.Open.Sign() <= 0:
		return Payment{}, billing.ErrCreditUsed
	}
	received, err := receive(ctx, tx, in, back{payee: payee, left: c.Open, since: c.IssueDate, said: "Money back: " + c.Number})
	if err != nil {
		return Payment{}, err
	}
	if err := insertPart(ctx, tx, received.payment, credit, -received.minor, civil.Date{}); err != nil {
		return Payment{}, err
	}
	if err := billing.SettlePurchase(ctx, tx, credit, received.minor); err != nil {
		return Payment{}, err
	}
	err = currency.Realise(ctx, tx, currency.Settlement{Payment: received.payment.UUID, Document: credit.UUID, Amount: -received.minor, Date: received.on})
	if err != nil {
		return Payment{}, err
	}
	return selectPayment(ctx, tx, received.payment)
}

// ReceiveAdvance keeps and posts money that a payee pays back of what was paid them in advance, whole or in part. It fails as
// ReceiveCredit does, and with ErrPaymentNotFound, ErrTakenBack, ErrBackOfBack and ErrNothingLeft.
func ReceiveAdvance(ctx context.Context, tx *tenant.Tx, payment PaymentID, in Receiving) (Payment, error) {
	p, err := lockPayment(ctx, tx, payment)
	switch {
	case err != nil:
		return p, err
	case p.IsBack():
		return p, ErrBackOfBack
	case !p.TakenBackOn.IsZero():
		return p, ErrTakenBack
	case p.Left.Sign() <= 0:
		return p, ErrNothingLeft
	}
	received, err := receive(ctx, tx, in, back{payee: p.Payee, left: p.Left, since: p.Date, said: "Money back of what was paid in advance", of: payment})
	if err != nil {
		return p, err
	}
	if err := currency.RealiseRefund(ctx, tx, received.payment.UUID, payment.UUID, received.minor, received.on); err != nil {
		return p, err
	}
	return selectPayment(ctx, tx, received.payment)
}

// back is what money comes back of: how much there is, and since when.
type back struct {
	payee billing.PayeeID
	left  money.Amount
	since civil.Date
	said  string
	of    PaymentID // none for a credit
}

// received is what was kept of money that came back.
type received struct {
	payment PaymentID
	minor   int64
	on      civil.Date
}

// check reads an input; its amount is what is left where it gives none.
func (in Receiving) check(left money.Amount) (Receiving, error) {
	var faults fault.List
	var errs [4]error
	in.ExternalID, errs[0] = text.Line("external_id", in.ExternalID, 100)
	in.Reference, errs[1] = text.Line("reference", in.Reference, 100)
	if !slices.Contains(billing.Methods(), in.Method) {
		errs[2] = billing.ErrMethodUnknown
	}
	if in.Amount == (money.Amount{}) {
		in.Amount = left
	}
	if in.Amount.Currency != left.Currency || in.Amount.Sign() <= 0 || in.Amount.Minor > left.Minor {
		errs[3] = ErrBackAmount.Sayf("%s %s is left. Give an amount that is more than nothing, and at most that.", left, left.Currency)
	}
	for i, field := range []string{"external_id", "reference", "method", "amount"} {
		if !faults.Add(field, errs[i]) {
			return in, errs[i]
		}
	}
	return in, faults.Err()
}

// receive posts and keeps the money. The caller has locked the payee.
func receive(ctx context.Context, tx *tenant.Tx, in Receiving, of back) (received, error) {
	in, err := in.check(of.left)
	if err != nil {
		return received{}, err
	}
	today, err := ledger.Today(ctx, tx)
	switch {
	case err != nil:
		return received{}, err
	case in.Date.IsZero():
		in.Date = today
		if in.Date.Before(of.since) {
			in.Date = of.since
		}
	case in.Date.After(today.AddDays(1)):
		return received{}, ErrBackFuture
	}
	if in.Date.Before(of.since) {
		return received{}, ErrBackEarly
	}
	payable, err := ledger.OpenPayable(ctx, tx)
	if err != nil {
		return received{}, err
	}
	account, err := selectMoney(ctx, tx, in.Account)
	if err != nil {
		return received{}, err
	}
	less, err := in.Amount.Neg()
	if err != nil {
		return received{}, err
	}
	payment := id.New[billing.Payment]()
	entry, err := ledger.Post(ctx, tx, ledger.Posting{Date: in.Date, Description: of.said, Source: ledger.SourceBillPayment, SourceID: payment.UUID,
		Lines: []ledger.Line{{Account: account, Amount: in.Amount}, {Account: payable.ID, Party: of.payee.UUID, Amount: less}}, Automatic: true})
	if err != nil {
		return received{}, err
	}
	kept := Paying{Payee: of.payee, ExternalID: in.ExternalID, Date: in.Date, Amount: less, Method: in.Method, Reference: in.Reference, Account: account}
	if err := insertPayment(ctx, tx, payment, kept, entry.ID, of.of.UUID); err != nil {
		return received{}, err
	}
	err = tx.Record(ctx, tenant.Act{Action: "bill_payment.receive_back", Object: "bill_payment", ID: payment.UUID,
		Detail: fmt.Sprintf("%s %s", in.Amount, in.Amount.Currency)})
	return received{payment, in.Amount.Minor, in.Date}, err
}

// takeReceivedBack undoes what money that came back did beside its entry. back is the payment that is kept against it.
func takeReceivedBack(ctx context.Context, tx *tenant.Tx, p Payment, back PaymentID, on civil.Date) error {
	if p.RefundOf.UUID == uuid.Nil {
		return nil
	}
	return currency.RealiseRefund(ctx, tx, back.UUID, p.RefundOf.UUID, p.Amount.Minor, on)
}
