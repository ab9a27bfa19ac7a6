package billing

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

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
	ErrPaymentNotFound  = fault.New(fault.NotFound, "payment.not_found", "There is no such payment.")
	ErrPaymentExternal  = fault.New(fault.Conflict, "payment.external_id_taken", "Another payment has this external id.").At("external_id")
	ErrNotIssued        = fault.New(fault.Conflict, "invoice.not_issued", "A draft cannot be paid. Issue it first.")
	ErrAlreadyPaid      = fault.New(fault.Conflict, "invoice.paid", "This invoice is paid in full.")
	ErrOverpaid         = fault.New(fault.Invalid, "payment.too_much", "This is more than is open on the invoice.").At("amount")
	ErrPaymentAmount    = fault.New(fault.Invalid, "payment.amount", "A payment is more than nothing.").At("amount")
	ErrPaymentCurrency  = fault.New(fault.Invalid, "payment.currency", "An invoice is paid in its own currency.").At("currency")
	ErrPaymentInFuture  = fault.New(fault.Invalid, "payment.in_future", "A payment cannot be dated after tomorrow. Record it when the money is there.").At("date")
	ErrPaymentAccount   = fault.New(fault.Invalid, "payment.account", "Choose an account that money can be on, which is not archived.").At("account_id")
	ErrMethodUnknown    = fault.New(fault.Invalid, "payment.method_unknown", "The method is bank_transfer, cash, card, cheque or other.").At("method")
	ErrPaymentFor       = fault.New(fault.Invalid, "payment.for", "Name one invoice, or what each of several invoices gets, not both.").At("invoice_id")
	ErrPaymentBy        = fault.New(fault.Invalid, "payment.by", "Say which customer paid, or which invoice was paid.").At("customer_id")
	ErrAllocatedTooMuch = fault.New(fault.Invalid, "payment.allocated_too_much", "The invoices get more than came in. Lower what they get, or correct the amount.").At("amount")
	ErrAllocatedTwice   = fault.New(fault.Invalid, "payment.allocated_twice", "This invoice is named twice. Name it once, with all that it gets.").At("invoice_id")
	ErrAllocatedMany    = fault.New(fault.Invalid, "payment.allocated_many", "One payment settles at most 200 invoices at once. Apply the rest of it afterwards.").At("allocations")
	ErrOthersInvoice    = fault.New(fault.Invalid, "payment.other_customer", "This invoice is of another customer. One payment settles invoices of one customer.").At("invoice_id")
)

// allocationLimit is how many invoices one payment settles when it is recorded.
const allocationLimit = 200

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

// Payment is money that came in from a customer or, below zero, was given back.
//
// All of it stands on the account of what customers owe, under the customer: what settles no invoice yet is a debt of ours
// there, as what is left of a credit note is. It has no account of its own, because then each time that credit is
// applied to an invoice, or taken back, would be an entry between two accounts that say the same of the same customer,
// a statement would show money twice, and what was posted before would have to be read in two ways. So on every day what
// customers owe is what is open on invoices, less what is left of credit notes and of payments.
type Payment struct {
	ID           PaymentID
	ExternalID   string // the payment's id in another system, or empty
	CustomerID   CustomerID
	CustomerName string
	Settles      []Settled // which documents, those due first at the head
	Date         civil.Date
	Amount       money.Amount
	Left         money.Amount // what of it, less what was given back, settles nothing yet; nothing on money given back
	RefundOf     PaymentID    // of money given back: the payment that it was taken from, if any
	Gateway      bool         // it came through a payment gateway; lists do not say
	Method       Method
	Reference    string
	Account      ledger.AccountID // where the money went
	Entry        ledger.EntryID
	EntryNumber  int64
	CreatedAt    time.Time
}

// Settled is what of a payment settles a document; below zero where it was given back. Kind is invoice, or credit_note
// where its credit was paid out.
type Settled struct {
	Document DocumentID
	Kind     string
	Number   string
	Date     civil.Date
	Amount   money.Amount
}

// Numbers are those of the documents that it settles, as a list shows them.
func (p Payment) Numbers() string {
	const shown = 3
	var all []string
	for i, s := range p.Settles {
		if i == shown {
			all = append(all, fmt.Sprintf("%d more", len(p.Settles)-shown))
			break
		}
		all = append(all, s.Number)
	}
	return strings.Join(all, ", ")
}

// PaymentInput is what is written about money that came in. It is for one invoice (InvoiceID), in part or whole; or for
// those that Allocations name; or, with neither, a deposit of the customer's.
type PaymentInput struct {
	CustomerID  CustomerID // zero: whose invoices they are
	InvoiceID   InvoiceID
	Allocations []Allocation
	KeepRest    bool // with InvoiceID: what is beyond what is open is kept as credit, and not refused
	ExternalID  string
	Date        civil.Date // zero: today
	Amount      money.Amount
	Method      Method
	Reference   string
	AccountID   ledger.AccountID // zero: the account whose purpose is bank
}

// Allocation is what one invoice gets of a payment.
type Allocation struct {
	InvoiceID InvoiceID
	Amount    money.Amount
}

// PaymentFilter narrows a list of payments. From and To bound the date, both included.
type PaymentFilter struct {
	CustomerID CustomerID
	InvoiceID  InvoiceID
	Search     string // of the reference, the external id, the customer and the numbers of what it settles
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
	in.checkAllocations(&f)
	return in, f.err()
}

func (in PaymentInput) checkAllocations(f *fields) {
	switch {
	case len(in.Allocations) > 0 && !in.InvoiceID.IsZero():
		f.add("invoice_id", ErrPaymentFor)
	case len(in.Allocations) > allocationLimit:
		f.add("allocations", ErrAllocatedMany)
		return
	case len(in.Allocations) == 0 && in.InvoiceID.IsZero() && in.CustomerID.IsZero():
		f.add("customer_id", ErrPaymentBy)
	}
	sum := money.Amount{Currency: in.Amount.Currency}
	for i, a := range in.Allocations {
		field := fmt.Sprintf("allocations[%d]", i)
		if slices.ContainsFunc(in.Allocations[:i], func(b Allocation) bool { return b.InvoiceID == a.InvoiceID }) {
			f.add("", ErrAllocatedTwice.At(field+".invoice_id"))
		}
		switch {
		case a.Amount.Currency != in.Amount.Currency:
			f.add("", ErrPaymentCurrency.At(field+".amount"))
		case a.Amount.Sign() <= 0:
			f.add("", ErrPaymentAmount.At(field+".amount"))
		case a.Amount.CheckSize() != nil:
			f.add(field+".amount", a.Amount.CheckSize())
		default:
			sum.Minor += a.Amount.Minor // 200 of what CheckSize lets pass do not overflow
		}
	}
	if len(f.faults) == 0 && sum.Minor > in.Amount.Minor {
		f.add("amount", ErrAllocatedTooMuch.Sayf("The invoices get %s %s and %s %s came in. Lower what they get, or correct the amount.",
			sum, sum.Currency, in.Amount, in.Amount.Currency))
	}
}

// receipt is a payment that is about to be kept: what of it each document gets.
type receipt struct {
	PaymentInput
	payment  PaymentID
	customer CustomerID
	refundOf uuid.UUID
	account  ledger.AccountID
	entry    ledger.Entry
	parts    []part
}

// part is what one document, which the caller has locked, gets of a payment.
type part struct {
	document lockedDocument
	minor    int64
	since    civil.Date // it counts from that day on, if that is later than the payment
}

// RecordPayment keeps a payment and posts it: the money is there, and the customer owes as much less; what a foreign
// currency gained or lost since the invoices is posted with it. What no invoice gets stays the customer's credit. A
// date in a closed period is posted on the first open day. It fails with what is wrong with the input,
// ErrCustomerNotFound, ErrInvoiceNotFound, ErrNotIssued, ErrAlreadyPaid, ErrOverpaid (which says both figures),
// ErrOthersInvoice, ErrPaymentExternal, and with what ledger.Post refuses.
func RecordPayment(ctx context.Context, tx *tenant.Tx, in PaymentInput) (Payment, error) {
	in, err := in.check()
	if err != nil {
		return Payment{}, err
	}
	r := receipt{PaymentInput: in, payment: id.New[Payment]()}
	if err := r.lockParts(ctx, tx); err != nil {
		return Payment{}, err
	}
	if err := r.place(ctx, tx); err != nil {
		return Payment{}, err
	}
	said := "Payment on account"
	var numbers []string
	for _, p := range r.parts {
		if back := p.minor - p.document.open().Minor; back > 0 { // it was written off, and is paid after all
			if err := writeOff(ctx, tx, p.document, -back, laterOf(r.Date, p.document.IssueDate), "Recovery of "+p.document.Number); err != nil {
				return Payment{}, err
			}
		}
		numbers = append(numbers, p.document.Number)
	}
	if len(numbers) > 0 {
		said = "Payment of " + list(numbers)
	}
	if err := r.keep(ctx, tx, said); err != nil {
		return Payment{}, err
	}
	err = tx.Record(ctx, tenant.Act{Action: "payment.record", Object: "payment", ID: r.payment.UUID,
		Detail: fmt.Sprintf("%s, %s %s", cmp.Or(list(numbers), "deposit"), in.Amount, in.Amount.Currency)})
	if err != nil {
		return Payment{}, err
	}
	return selectPayment(ctx, tx, r.payment)
}

// list joins numbers as far as a line of the journal takes them.
func list(numbers []string) string {
	const shown = 4
	if len(numbers) > shown {
		return fmt.Sprintf("%s and %d more", strings.Join(numbers[:shown], ", "), len(numbers)-shown)
	}
	return strings.Join(numbers, ", ")
}

// place settles the account and the day of a payment.
func (r *receipt) place(ctx context.Context, tx *tenant.Tx) error {
	accounts, err := selectPaymentAccounts(ctx, tx, r.AccountID)
	if err != nil {
		return err
	}
	r.account = accounts.Money
	today := civil.Of(tx.Now(), accounts.zone)
	if r.Date.IsZero() {
		r.Date = today
	}
	if r.Date.After(today.AddDays(1)) {
		return ErrPaymentInFuture
	}
	return nil
}

// keep posts a payment, keeps it with what it settles, and tells what that gained.
func (r *receipt) keep(ctx context.Context, tx *tenant.Tx, said string) error {
	receivable, err := ledger.AccountFor(ctx, tx, ledger.Receivable)
	if err != nil {
		return err
	}
	owed, err := r.Amount.Neg()
	if err != nil {
		return err
	}
	r.entry, err = ledger.Post(ctx, tx, ledger.Posting{
		Date: r.Date, Description: said, Source: ledger.SourcePayment, SourceID: r.payment.UUID,
		Lines: []ledger.Line{
			{Account: r.account, Amount: r.Amount},
			{Account: receivable.ID, Party: r.customer.UUID, Amount: owed},
		},
		Automatic: true,
	})
	if err != nil {
		return err
	}
	if err := insertPayment(ctx, tx, *r); err != nil {
		return err
	}
	if err := currency.KeepPaymentRate(ctx, tx, r.payment.UUID); err != nil {
		return err
	}
	return settleParts(ctx, tx, r.payment.UUID, r.Date, r.parts)
}

// settleParts keeps what a payment settles, and tells what that gained.
func settleParts(ctx context.Context, tx *tenant.Tx, payment uuid.UUID, on civil.Date, parts []part) error {
	if err := upsertAllocations(ctx, tx, payment, on, parts); err != nil {
		return err
	}
	for _, p := range parts {
		err := currency.Realise(ctx, tx, currency.Settlement{Payment: payment, Document: p.document.ID, Amount: p.minor, Date: laterOf(on, p.document.IssueDate)})
		if err != nil {
			return err
		}
	}
	return nil
}

// lockParts locks the customer and the invoices of a payment, in the one order that all do, and says what each gets.
func (r *receipt) lockParts(ctx context.Context, tx *tenant.Tx) (err error) {
	wanted := r.Allocations
	if !r.InvoiceID.IsZero() {
		wanted = []Allocation{{InvoiceID: r.InvoiceID, Amount: r.Amount}}
	}
	if r.customer = r.CustomerID; r.customer.IsZero() {
		if r.customer, err = lockCustomerOf(ctx, tx, invoiceKind, wanted[0].InvoiceID.UUID); err != nil {
			return err
		}
	} else if err := lockPayer(ctx, tx, r.customer); err != nil {
		return err
	}
	order := make([]int, len(wanted))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int { return bytes.Compare(wanted[a].InvoiceID.UUID[:], wanted[b].InvoiceID.UUID[:]) })
	r.parts = make([]part, len(wanted))
	var f fields
	for _, i := range order {
		invoice, err := lockInvoice(ctx, tx, wanted[i].InvoiceID)
		if err == nil {
			r.parts[i], err = r.takes(invoice, wanted[i].Amount)
		}
		switch {
		case err == nil:
		case len(r.Allocations) == 0:
			return err
		default:
			f.add("", onAllocation(i, err))
		}
	}
	return f.err()
}

// onAllocation points a fault at the allocation that it is of.
func onAllocation(i int, err error) error {
	var one *fault.Error
	if !errors.As(err, &one) || one.Kind == fault.NotFound {
		return err
	}
	field := "amount"
	if one.Field == "invoice_id" || one.Field == "currency" {
		field = "invoice_id"
	}
	return one.At(fmt.Sprintf("allocations[%d].%s", i, field))
}

// takes says what an invoice, as it is now, gets of a payment, and refuses what it does not take.
func (r *receipt) takes(invoice lockedDocument, amount money.Amount) (part, error) {
	open := money.Amount{Minor: invoice.open().Minor + invoice.WrittenOff, Currency: invoice.Currency}
	switch {
	case invoice.Customer != r.customer:
		return part{}, ErrOthersInvoice
	case invoice.State == Draft:
		return part{}, ErrNotIssued
	case invoice.State == Void:
		return part{}, ErrVoidDocument
	case amount.Currency != invoice.Currency:
		return part{}, ErrPaymentCurrency.Sayf("%s is in %s. Record the payment in that currency.", invoice.Number, invoice.Currency)
	case open.IsZero():
		return part{}, ErrAlreadyPaid.Sayf("%s is paid in full.", invoice.Number)
	case amount.Minor > open.Minor && r.KeepRest && !r.InvoiceID.IsZero():
		return part{document: invoice, minor: open.Minor}, nil
	case amount.Minor > open.Minor:
		return part{}, ErrOverpaid.Sayf("%s has %s %s open, and %s %s is more than that.", invoice.Number,
			open, open.Currency, amount, amount.Currency)
	}
	return part{document: invoice, minor: amount.Minor}, nil
}

// OldestFirst spreads an amount over invoices in the order in which they are given: each gets what is open on it, until
// nothing is left. It gives what each gets, and what is left.
func OldestFirst(amount money.Amount, open []InvoiceHead) (gets []money.Amount, left money.Amount) {
	left = amount
	for _, i := range open {
		get := money.Amount{Minor: max(min(left.Minor, i.Open().Minor), 0), Currency: amount.Currency}
		left.Minor -= get.Minor
		gets = append(gets, get)
	}
	return gets, left
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
	if filter.Search, err = text.Line("search", filter.Search, nameLength); err != nil {
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
