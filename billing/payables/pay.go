package payables

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/countinghouse/countinghouse/billing"
	"github.com/countinghouse/countinghouse/billing/currency"
	"github.com/countinghouse/countinghouse/billing/ledger"
	"github.com/countinghouse/countinghouse/billing/money"
	"github.com/countinghouse/countinghouse/internal/civil"
	"github.com/countinghouse/countinghouse/internal/cursor"
	"github.com/countinghouse/countinghouse/internal/fault"
	"github.com/countinghouse/countinghouse/internal/id"
	"github.com/countinghouse/countinghouse/internal/text"
	"github.com/countinghouse/countinghouse/tenant"
)

// What is refused about payments of bills.
var (
	ErrPaymentNotFound = fault.New(fault.NotFound, "bill_payment.not_found", "There is no such payment of bills.")
	ErrPaymentExternal = fault.New(fault.Conflict, "bill_payment.external_id_taken", "Another payment has this external id.").At("external_id")
	ErrPaymentMore     = fault.New(fault.Invalid, "bill_payment.parts", "The bills come to more than the payment. Pay less of them, or pay more.").At("amount")
	ErrPaymentTwice    = fault.New(fault.Invalid, "bill_payment.bill_twice", "This bill is named twice. Name it once, with all that is paid of it.")
	ErrPaymentPart     = fault.New(fault.Invalid, "bill_payment.part", "Give an amount that is more than nothing, and no more than is open on the bill.")
	ErrPaymentPayee    = fault.New(fault.Conflict, "bill_payment.other_payee", "A payment goes to one payee. Pay this bill by another.")
	ErrPaymentCurrency = fault.New(fault.Conflict, "bill_payment.currency", "A bill is paid in its own currency.")
	ErrPaymentDraft    = fault.New(fault.Conflict, "bill_payment.draft", "A draft is not paid. Enter it first.")
	ErrPaymentVoid     = fault.New(fault.Conflict, "bill_payment.void", "This bill is void. There is nothing to pay.")
	ErrPaymentEarly    = fault.New(fault.Invalid, "bill_payment.in_future", "A payment cannot be dated after tomorrow. Record it when the money has gone.").At("date")
	ErrTakenBack       = fault.New(fault.Conflict, "bill_payment.taken_back", "This payment was taken back already.")
	ErrPaysAlready     = fault.New(fault.Conflict, "bill_payment.pays_already", "This payment pays that bill already. Take it back, and record it again with all that it pays of it.")
	ErrNothingLeft     = fault.New(fault.Conflict, "bill_payment.nothing_left", "Nothing of this payment is left: all of it pays bills.")
)

// Paying is money that goes to a payee. What of Amount no part takes stays with the payee as paid in advance.
type Paying struct {
	Payee      billing.PayeeID
	ExternalID string
	Date       civil.Date   // zero: today
	Amount     money.Amount // zero: what the parts come to
	Method     billing.Method
	Reference  string
	Account    ledger.AccountID // what it is paid from; zero: the account whose purpose is bank
	Parts      []Part
}

// Part is what a payment pays of one bill.
type Part struct {
	Bill   BillID
	Amount money.Amount
}

// Payment is a payment of bills or, below zero, money that came back of a payee's credit or of what was paid in advance. Left
// is what of it pays no bill and did not come back.
type Payment struct {
	ID          PaymentID
	ExternalID  string
	Payee       billing.PayeeID
	PayeeName   string
	Date        civil.Date
	Amount      money.Amount
	Left        money.Amount
	Method      billing.Method
	Reference   string
	Account     ledger.AccountID // what it was paid from
	AccountName string
	Entry       ledger.EntryID
	EntryNumber int64
	Parts       []PaidPart
	CameBack    money.Amount // what of it came back from the payee
	RefundOf    PaymentID    // of money that came back: the payment that it came back of, if any
	TakenBackOn civil.Date   // zero for most
	BackEntry   int64        // the number of the entry that took it back; 0 for none
	CreatedAt   time.Time
}

// IsBack says whether it is money that came back from the payee.
func (p Payment) IsBack() bool { return p.Amount.Sign() < 0 }

// PaidPart is what a payment pays of one bill, and since when; or, below zero, what came back of a payee's credit.
type PaidPart struct {
	Bill      BillID
	Kind      billing.PurchaseKind
	Number    string
	Reference string // the payee's number
	Amount    money.Amount
	Date      civil.Date
}

// Filter narrows a list of payments. From and To bound the date, both included.
type Filter struct {
	Payee    billing.PayeeID
	From, To civil.Date
}

func (in Paying) check() (Paying, error) {
	var faults fault.List
	var errs [5]error
	in.ExternalID, errs[0] = text.Line("external_id", in.ExternalID, 100)
	in.Reference, errs[1] = text.Line("reference", in.Reference, 100)
	if !slices.Contains(billing.Methods(), in.Method) {
		errs[2] = billing.ErrMethodUnknown
	}
	sum := money.Amount{Currency: in.Amount.Currency}
	if sum.Currency.IsZero() && len(in.Parts) > 0 {
		sum.Currency = in.Parts[0].Amount.Currency
	}
	seen := map[BillID]bool{}
	for i, p := range in.Parts {
		field := fmt.Sprintf("bills[%d]", i)
		switch {
		case seen[p.Bill]:
			faults = append(faults, ErrPaymentTwice.At(field))
		case p.Amount.Currency != sum.Currency:
			faults = append(faults, ErrPaymentCurrency.At(field))
		case p.Amount.Sign() <= 0:
			faults = append(faults, ErrPaymentPart.At(field))
		default:
			var err error
			if sum, err = sum.Add(p.Amount); err != nil {
				faults = append(faults, money.ErrTooLarge.At(field))
			}
		}
		seen[p.Bill] = true
	}
	if in.Amount == (money.Amount{}) {
		in.Amount = sum
	}
	switch {
	case len(faults) > 0: // the sum would only confuse
	case in.Amount.Currency.IsZero():
		errs[3] = money.ErrUnknownCurrency.At("currency")
	case in.Amount.Sign() <= 0:
		errs[3] = billing.ErrPaymentAmount
	case in.Amount.Minor < sum.Minor:
		errs[3] = ErrPaymentMore.Sayf("The bills come to %s %s, which is more than the payment of %s. Pay less of them, or pay more.", sum, sum.Currency, in.Amount)
	default:
		errs[3] = in.Amount.CheckSize()
	}
	for i, field := range []string{"external_id", "reference", "method", "amount"} {
		if !faults.Add(field, errs[i]) {
			return in, errs[i]
		}
	}
	return in, faults.Err()
}

// PayBills keeps a payment to a payee and posts it: the money is gone, and the payee is owed as much less; what a foreign
// currency gained or lost since each bill is posted with it. It pays each part's bill by its amount; the rest is paid in
// advance. A date in a closed period is posted on the first open day. It fails with what is wrong with the input,
// billing.ErrPayeeNotFound, billing.ErrBillNotFound, billing.ErrPaymentAccount, ErrPaymentExternal, ErrPaymentPayee,
// ErrPaymentDraft, ErrPaymentVoid, ErrPaymentPart (which says what is open) and with what ledger.Post refuses.
func PayBills(ctx context.Context, tx *tenant.Tx, in Paying) (Payment, error) {
	in, err := in.check()
	if err != nil {
		return Payment{}, err
	}
	if _, err := billing.LockPayee(ctx, tx, in.Payee); err != nil {
		return Payment{}, err
	}
	bills, err := lockParts(ctx, tx, in.Payee, in.Parts)
	if err != nil {
		return Payment{}, err
	}
	today, err := ledger.Today(ctx, tx)
	switch {
	case err != nil:
		return Payment{}, err
	case in.Date.IsZero():
		in.Date = today
	case in.Date.After(today.AddDays(1)):
		return Payment{}, ErrPaymentEarly
	}
	payable, err := ledger.OpenPayable(ctx, tx)
	if err != nil {
		return Payment{}, err
	}
	if in.Account, err = selectMoney(ctx, tx, in.Account); err != nil {
		return Payment{}, err
	}
	gone, err := in.Amount.Neg()
	if err != nil {
		return Payment{}, err
	}
	payment := id.New[billing.Payment]()
	entry, err := ledger.Post(ctx, tx, ledger.Posting{Date: in.Date, Description: described(bills), Source: ledger.SourceBillPayment, SourceID: payment.UUID,
		Lines: []ledger.Line{{Account: payable.ID, Party: in.Payee.UUID, Amount: in.Amount}, {Account: in.Account, Amount: gone}}, Automatic: true})
	if err != nil {
		return Payment{}, err
	}
	if err := insertPayment(ctx, tx, payment, in, entry.ID, uuid.Nil); err != nil {
		return Payment{}, err
	}
	for _, p := range in.Parts {
		if err := settle(ctx, tx, payment, p.Bill, p.Amount.Minor, civil.Date{}, in.Date); err != nil {
			return Payment{}, err
		}
	}
	err = tx.Record(ctx, tenant.Act{Action: "bill_payment.record", Object: "bill_payment", ID: payment.UUID,
		Detail: fmt.Sprintf("%d bills, %s %s", len(in.Parts), in.Amount, in.Amount.Currency)})
	if err != nil {
		return Payment{}, err
	}
	return selectPayment(ctx, tx, payment)
}

// lockParts locks the bills in the order of their ids, and refuses what they do not take.
func lockParts(ctx context.Context, tx *tenant.Tx, payee billing.PayeeID, parts []Part) (map[BillID]billing.LockedPurchase, error) {
	order := make([]int, len(parts))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int { return bytes.Compare(parts[a].Bill.UUID[:], parts[b].Bill.UUID[:]) })
	bills := map[BillID]billing.LockedPurchase{}
	for _, i := range order {
		p := parts[i]
		b, err := billing.LockPurchase(ctx, tx, billing.Bill, p.Bill)
		if err != nil {
			return nil, err
		}
		if err := takes(b, payee, p.Amount); err != nil {
			return nil, err.At(fmt.Sprintf("bills[%d]", i))
		}
		bills[p.Bill] = b
	}
	return bills, nil
}

// takes refuses what a bill, as it is now, does not take.
func takes(b billing.LockedPurchase, payee billing.PayeeID, amount money.Amount) *fault.Error {
	switch {
	case b.Payee != payee:
		return ErrPaymentPayee
	case b.State == billing.Draft:
		return ErrPaymentDraft
	case b.State != billing.Issued:
		return ErrPaymentVoid.Sayf("%s is void. There is nothing to pay.", b.Number)
	case amount.Currency != b.Currency:
		return ErrPaymentCurrency.Sayf("%s is in %s. Pay it in that currency.", b.Number, b.Currency)
	case amount.Minor > b.Open.Minor:
		return ErrPaymentPart.Sayf("%s has %s %s open, and %s is more than that.", b.Number, b.Open, b.Currency, amount)
	}
	return nil
}

// described is what the journal says of a payment.
func described(bills map[BillID]billing.LockedPurchase) string {
	if len(bills) == 0 {
		return "Paid in advance"
	}
	numbers := make([]string, 0, len(bills))
	for _, b := range bills {
		numbers = append(numbers, b.Number)
	}
	slices.Sort(numbers)
	if len(numbers) > 5 {
		return fmt.Sprintf("Payment of %s and %d more", numbers[0], len(numbers)-1)
	}
	said := "Payment of " + numbers[0]
	for _, n := range numbers[1:] {
		said += ", " + n
	}
	return said
}

// settle keeps what of a payment pays a bill from a day on (zero: the payment's own), and what that gains or loses. The caller has locked the bill and knows that it fits.
func settle(ctx context.Context, tx *tenant.Tx, payment PaymentID, bill BillID, minor int64, since, on civil.Date) error {
	if err := insertPart(ctx, tx, payment, bill, minor, since); err != nil {
		return err
	}
	if err := billing.SettlePurchase(ctx, tx, bill, minor); err != nil {
		return err
	}
	return currency.Realise(ctx, tx, currency.Settlement{Payment: payment.UUID, Document: bill.UUID, Amount: minor, Date: on})
}

// unsettle keeps that a payment no longer pays a bill, and takes back what that gained. What nobody could tell for want of a
// rate is not told later either.
func unsettle(ctx context.Context, tx *tenant.Tx, payment, back PaymentID, part PaidPart, on civil.Date) error {
	untold, err := clearUntold(ctx, tx, payment, part.Bill)
	if err != nil {
		return err
	}
	if err := insertPart(ctx, tx, back, part.Bill, -part.Amount.Minor, civil.Date{}); err != nil {
		return err
	}
	settled := -part.Amount.Minor
	if part.Kind == billing.PayeeCredit { // what came back of it was below zero, and used it up
		settled = part.Amount.Minor
	}
	if err := billing.SettlePurchase(ctx, tx, part.Bill, settled); err != nil {
		return err
	}
	return currency.Realise(ctx, tx, currency.Settlement{Payment: back.UUID, Document: part.Bill.UUID, Amount: untold - part.Amount.Minor, Date: on})
}

// ApplyAdvance lets what is left of a payment pay a bill of the same payee: by an amount, or (zero) by as much as there is
// and is open. It fails with ErrPaymentNotFound, ErrTakenBack, ErrNothingLeft, ErrPaysAlready, billing.ErrBillNotFound, and as PayBills
// does about bills.
func ApplyAdvance(ctx context.Context, tx *tenant.Tx, payment PaymentID, bill BillID, amount money.Amount) (Payment, error) {
	p, err := lockPayment(ctx, tx, payment)
	switch {
	case err != nil:
		return p, err
	case !p.TakenBackOn.IsZero():
		return p, ErrTakenBack
	case p.Left.Sign() <= 0:
		return p, ErrNothingLeft
	case slices.ContainsFunc(p.Parts, func(x PaidPart) bool { return x.Bill == bill }):
		return p, ErrPaysAlready // it would pay two parts from two days on, and only one can be kept
	}
	b, err := billing.LockPurchase(ctx, tx, billing.Bill, bill)
	if err != nil {
		return p, err
	}
	if amount == (money.Amount{}) {
		amount = money.Amount{Minor: min(p.Left.Minor, b.Open.Minor), Currency: p.Left.Currency}
	}
	if err := takes(b, p.Payee, amount); err != nil {
		return p, err
	}
	if amount.Sign() <= 0 || amount.Minor > p.Left.Minor {
		return p, ErrPaymentPart.Sayf("Of this payment %s %s is left, and %s has %s open.", p.Left, p.Left.Currency, b.Number, b.Open).At("amount")
	}
	on, err := dayOf(ctx, tx, p.Date, b.IssueDate)
	if err != nil {
		return p, err
	}
	if err := settle(ctx, tx, payment, bill, amount.Minor, on, on); err != nil {
		return p, err
	}
	err = tx.Record(ctx, tenant.Act{Action: "bill_payment.apply", Object: "bill_payment", ID: payment.UUID,
		Detail: fmt.Sprintf("%s, %s %s", b.Number, amount, amount.Currency)})
	if err != nil {
		return p, err
	}
	return selectPayment(ctx, tx, payment)
}

// dayOf is today, or the latest of the days that come after it.
func dayOf(ctx context.Context, tx *tenant.Tx, days ...civil.Date) (civil.Date, error) {
	on, err := ledger.Today(ctx, tx)
	for _, d := range days {
		if d.After(on) {
			on = d
		}
	}
	return on, err
}

// TakeBack undoes a payment: the money is there again, and what it paid is open again; or money that came back, which then
// did not. A second payment with the opposite amounts is kept beside it, so that every past day stays as it was told. It
// fails with ErrPaymentNotFound, ErrTakenBack and ErrCameBack.
func TakeBack(ctx context.Context, tx *tenant.Tx, payment PaymentID) (Payment, error) {
	return TakeBackOn(ctx, tx, payment, civil.Date{})
}

// TakeBackOn is TakeBack on a day, or on the first from then on that is no earlier than what the payment did. A zero day is
// today.
func TakeBackOn(ctx context.Context, tx *tenant.Tx, payment PaymentID, on civil.Date) (Payment, error) {
	p, err := lockPayment(ctx, tx, payment)
	switch {
	case err != nil:
		return p, err
	case !p.TakenBackOn.IsZero():
		return p, ErrTakenBack
	case !p.CameBack.IsZero():
		return p, ErrCameBack
	}
	slices.SortFunc(p.Parts, func(a, b PaidPart) int { return bytes.Compare(a.Bill.UUID[:], b.Bill.UUID[:]) })
	last := p.Date
	for _, part := range p.Parts {
		if _, err := billing.LockPurchase(ctx, tx, part.Kind, part.Bill); err != nil {
			return p, err
		}
		if part.Date.After(last) {
			last = part.Date
		}
	}
	if on.IsZero() {
		if on, err = ledger.Today(ctx, tx); err != nil {
			return p, err
		}
	}
	if on.Before(last) {
		on = last
	}
	entry, err := ledger.ReverseDocument(ctx, tx, p.Entry, on, "Payment "+ledger.NumberName(p.EntryNumber)+" taken back")
	if err != nil {
		return p, err
	}
	back := id.New[billing.Payment]()
	if err := insertTakenBack(ctx, tx, back, payment, entry); err != nil {
		return p, err
	}
	for _, part := range p.Parts {
		if err := unsettle(ctx, tx, payment, back, part, entry.Date); err != nil {
			return p, err
		}
	}
	if err := takeReceivedBack(ctx, tx, p, back, entry.Date); err != nil {
		return p, err
	}
	err = tx.Record(ctx, tenant.Act{Action: "bill_payment.take_back", Object: "bill_payment", ID: payment.UUID,
		Detail: fmt.Sprintf("%s %s", p.Amount, p.Amount.Currency)})
	if err != nil {
		return p, err
	}
	return selectPayment(ctx, tx, payment)
}

// PaymentByID gives one payment of bills; ErrPaymentNotFound.
func PaymentByID(ctx context.Context, tx *tenant.Tx, payment PaymentID) (Payment, error) {
	return selectPayment(ctx, tx, payment)
}

// Payments lists payments of bills, the last recorded first.
func Payments(ctx context.Context, tx *tenant.Tx, filter Filter, q cursor.Query) (cursor.Page[Payment], error) {
	q, err := q.Check()
	if err != nil {
		return cursor.Page[Payment]{}, err
	}
	rows, err := selectPayments(ctx, tx, filter, q)
	if err != nil {
		return cursor.Page[Payment]{}, err
	}
	return cursor.Cut(q, rows), nil
}

// Advances gives the payments to a payee of which something is left, in one currency.
func Advances(ctx context.Context, tx *tenant.Tx, payee billing.PayeeID, c money.Currency) ([]Payment, error) {
	return selectAdvances(ctx, tx, payee, c)
}

func orNull(u uuid.UUID) any {
	if u == uuid.Nil {
		return nil
	}
	return u
}
