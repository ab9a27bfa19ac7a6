package billing

import (
	"context"
	"fmt"
	"slices"
	"time"

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

// What is refused about payments.
var (
	ErrPaymentNotFound = fault.New(fault.NotFound, "payment.not_found", "There is no such payment.")
	ErrPaymentExternal = fault.New(fault.Conflict, "payment.external_id_taken", "Another payment has this external id.").At("external_id")
	ErrNotIssued       = fault.New(fault.Conflict, "invoice.not_issued", "A draft cannot be paid. Issue it first.")
	ErrAlreadyPaid     = fault.New(fault.Conflict, "invoice.paid", "This invoice is paid in full.")
	ErrOverpaid        = fault.New(fault.Invalid, "payment.too_much", "This is more than is open on the invoice.").At("amount")
	ErrPaymentAmount   = fault.New(fault.Invalid, "payment.amount", "A payment is more than nothing.").At("amount")
	ErrPaymentCurrency = fault.New(fault.Invalid, "payment.currency", "An invoice is paid in its own currency.").At("currency")
	ErrPaymentInFuture = fault.New(fault.Invalid, "payment.in_future", "A payment cannot be dated after tomorrow. Record it when the money is there.").At("date")
	ErrPaymentAccount  = fault.New(fault.Invalid, "payment.account", "Choose an account that money can be on, which is not archived.").At("account_id")
	ErrMethodUnknown   = fault.New(fault.Invalid, "payment.method_unknown", "The method is bank_transfer, cash, card, cheque or other.").At("method")
)

// PaymentID names a payment.
type PaymentID = id.Of[Payment]

// Method is how a payment was made.
type Method string

// The methods.
const (
	BankTransfer Method = "bank_transfer"
	Cash         Method = "cash"
	Card         Method = "card"
	Cheque       Method = "cheque"
	Other        Method = "other"
)

// Methods gives all methods.
func Methods() []Method { return []Method{BankTransfer, Cash, Card, Cheque, Other} }

// Payment is money that came in for an invoice.
type Payment struct {
	ID            PaymentID
	ExternalID    string // the payment's id in another system, or empty
	CustomerID    CustomerID
	CustomerName  string
	InvoiceID     InvoiceID
	InvoiceNumber string
	Date          civil.Date
	Amount        money.Amount
	Method        Method
	Reference     string
	Account       ledger.AccountID // where the money went
	Entry         ledger.EntryID
	EntryNumber   int64
	CreatedAt     time.Time
}

// PaymentInput is what is written about a payment of one invoice, in part or whole.
type PaymentInput struct {
	InvoiceID  InvoiceID
	ExternalID string
	Date       civil.Date // zero: today
	Amount     money.Amount
	Method     Method
	Reference  string
	AccountID  ledger.AccountID // zero: the account whose purpose is bank
}

// PaymentFilter narrows a list of payments. From and To bound the date, both included.
type PaymentFilter struct {
	CustomerID CustomerID
	InvoiceID  InvoiceID
	From, To   civil.Date
}

func (in PaymentInput) check() (PaymentInput, error) {
	var f fields
	in.ExternalID = f.text(text.Line, "external_id", in.ExternalID, externalIDLength)
	in.Reference = f.text(text.Line, "reference", in.Reference, 100)
	if !slices.Contains(Methods(), in.Method) {
		f.add("method", ErrMethodUnknown)
	}
	switch {
	case in.Amount.Currency.IsZero():
		f.add("currency", money.ErrUnknownCurrency)
	case in.Amount.Sign() <= 0:
		f.add("amount", ErrPaymentAmount)
	default:
		f.add("amount", in.Amount.CheckSize())
	}
	return in, f.err()
}

// RecordPayment keeps a payment and posts it: the money is there, and the customer owes as much less; what a foreign
// currency gained or lost since the invoice is posted with it. A date in a closed
// period is posted on the first open day. It fails with what is wrong with the input, ErrInvoiceNotFound, ErrNotIssued,
// ErrAlreadyPaid, ErrOverpaid (which says both figures), ErrPaymentExternal, and with what ledger.Post refuses.
func RecordPayment(ctx context.Context, tx *tenant.Tx, in PaymentInput) (Payment, error) {
	in, err := in.check()
	if err != nil {
		return Payment{}, err
	}
	invoice, err := lockInvoice(ctx, tx, in.InvoiceID)
	if err != nil {
		return Payment{}, err
	}
	if err := in.suits(invoice); err != nil {
		return Payment{}, err
	}
	accounts, err := selectPaymentAccounts(ctx, tx, in.AccountID)
	if err != nil {
		return Payment{}, err
	}
	today := civil.Of(tx.Now(), accounts.zone)
	if in.Date.IsZero() {
		in.Date = today
	}
	if in.Date.After(today.AddDays(1)) {
		return Payment{}, ErrPaymentInFuture
	}
	owed, err := in.Amount.Neg()
	if err != nil {
		return Payment{}, err
	}
	if back := in.Amount.Minor - invoice.open().Minor; back > 0 { // it was written off, and is paid after all
		if err := writeOff(ctx, tx, invoice, -back, in.Date, "Recovery of "+invoice.Number); err != nil {
			return Payment{}, err
		}
	}
	payment := id.New[Payment]()
	entry, err := ledger.Post(ctx, tx, ledger.Posting{
		Date: in.Date, Description: "Payment of " + invoice.Number, Source: ledger.SourcePayment, SourceID: payment.UUID,
		Lines: []ledger.Line{
			{Account: accounts.Money, Amount: in.Amount},
			{Account: accounts.Receivable, Party: invoice.Customer.UUID, Amount: owed},
		},
		Automatic: true,
	})
	if err != nil {
		return Payment{}, err
	}
	kept, err := insertPayment(ctx, tx, payment, in, invoice, accounts.Money, entry)
	if err != nil {
		return Payment{}, err
	}
	err = currency.Realise(ctx, tx, currency.Settlement{Payment: payment.UUID, Document: in.InvoiceID.UUID, Amount: in.Amount.Minor, Date: in.Date})
	if err != nil {
		return Payment{}, err
	}
	return kept, tx.Record(ctx, tenant.Act{Action: "payment.record", Object: "payment", ID: payment.UUID,
		Detail: fmt.Sprintf("%s, %s %s", invoice.Number, in.Amount, in.Amount.Currency)})
}

// suits refuses a payment that the invoice, as it is now, does not take.
func (in PaymentInput) suits(invoice lockedDocument) error {
	open := money.Amount{Minor: invoice.open().Minor + invoice.WrittenOff, Currency: invoice.Currency}
	switch {
	case invoice.State == Draft:
		return ErrNotIssued
	case invoice.State == Void:
		return ErrVoidDocument
	case in.Amount.Currency != invoice.Currency:
		return ErrPaymentCurrency.Sayf("%s is in %s. Record the payment in that currency.", invoice.Number, invoice.Currency)
	case open.IsZero():
		return ErrAlreadyPaid.Sayf("%s is paid in full.", invoice.Number)
	case in.Amount.Minor > open.Minor:
		return ErrOverpaid.Sayf("%s has %s %s open, and %s %s is more than that.", invoice.Number,
			open, open.Currency, in.Amount, in.Amount.Currency)
	}
	return nil
}

// PaymentByID gives one payment; ErrPaymentNotFound.
func PaymentByID(ctx context.Context, tx *tenant.Tx, payment PaymentID) (Payment, error) {
	return selectPayment(ctx, tx, payment)
}

// Payments lists payments, the last recorded first.
func Payments(ctx context.Context, tx *tenant.Tx, filter PaymentFilter, q cursor.Query) (cursor.Page[Payment], error) {
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

// PaymentsByExternalID gives the ids of those payments that are known by these external ids.
func PaymentsByExternalID(ctx context.Context, tx *tenant.Tx, externalIDs []string) (map[string]PaymentID, error) {
	return selectPaymentIDs(ctx, tx, externalIDs)
}
