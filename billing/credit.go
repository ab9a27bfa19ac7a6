package billing

import (
	"bytes"
	"context"
	"fmt"
	"slices"

	"github.com/google/uuid"

	"github.com/countinghouse/countinghouse/billing/currency"
	"github.com/countinghouse/countinghouse/billing/money"
	"github.com/countinghouse/countinghouse/internal/civil"
	"github.com/countinghouse/countinghouse/internal/fault"
	"github.com/countinghouse/countinghouse/internal/id"
	"github.com/countinghouse/countinghouse/tenant"
)

// What is refused about giving money back.
var (
	ErrGiveBackRefund  = fault.New(fault.Conflict, "payment.refund_of_refund", "This is money given back already. Open the payment that it was taken from.")
	ErrGiveBackAmount  = fault.New(fault.Invalid, "payment.give_back_amount", "Give an amount that is more than nothing, and no more than is left.").At("amount")
	ErrGiveBackEarly   = fault.New(fault.Invalid, "payment.given_back_early", "Money cannot be given back before it came. Choose the day of the payment or a later one.").At("date")
	ErrGiveBackGateway = fault.New(fault.Conflict, "payment.at_gateway", "This came through a payment gateway. Give it back there, on the page of its charge; only what settles no invoice can be given back otherwise.")
)

// CustomerCredit is what a customer has as credit: what is left of a payment or of a credit note.
type CustomerCredit struct {
	Payment    PaymentID    // or
	CreditNote CreditNoteID // in place of a payment
	Number     string       // of a credit note; of a payment its reference, if any
	Date       civil.Date
	Left       money.Amount
}

// CreditsOf gives what a customer has as credit, at most 200, the oldest first. A zero currency is any.
func CreditsOf(ctx context.Context, tx *tenant.Tx, customer CustomerID, in money.Currency) ([]CustomerCredit, error) {
	return selectCredits(ctx, tx, customer, in)
}

// ApplyPayment lets what is left of a payment settle an invoice of its customer: by an amount, or (zero) by as much as
// there is and is open. Nothing is posted but what a foreign currency gained or lost since the invoice: both stand on the
// same account. It fails with ErrPaymentNotFound, ErrInvoiceNotFound, ErrNotIssued, ErrVoidDocument, ErrCreditCustomer,
// ErrCreditCurrency, ErrCreditUsed, ErrAlreadyPaid and ErrCreditAmount.
func ApplyPayment(ctx context.Context, tx *tenant.Tx, payment PaymentID, invoice InvoiceID, amount money.Amount) (Payment, error) {
	p, err := lockPayment(ctx, tx, payment)
	if err != nil {
		return Payment{}, err
	}
	to, err := lockInvoice(ctx, tx, invoice)
	switch {
	case err != nil:
		return Payment{}, err
	case to.State == Draft:
		return Payment{}, ErrNotIssued
	case !p.RefundOf.IsZero():
		return Payment{}, ErrGiveBackRefund
	}
	minor, err := fits(p.CustomerID, p.Left, to, amount)
	if err != nil {
		return Payment{}, err
	}
	today, err := Today(ctx, tx)
	if err != nil {
		return Payment{}, err
	}
	if err := settleParts(ctx, tx, payment.UUID, laterOf(today, p.Date), []part{{document: to, minor: minor}}); err != nil {
		return Payment{}, err
	}
	err = tx.Record(ctx, tenant.Act{Action: "payment.apply", Object: "payment", ID: payment.UUID,
		Detail: fmt.Sprintf("%s %s to %s", money.Amount{Minor: minor, Currency: to.Currency}, to.Currency, to.Number)})
	if err != nil {
		return Payment{}, err
	}
	return selectPayment(ctx, tx, payment)
}

// UnapplyPayment takes back what of a payment settles an invoice: the one is credit again, the other open. It fails with
// ErrPaymentNotFound, ErrInvoiceNotFound, ErrNotApplied and ErrWrittenOff.
func UnapplyPayment(ctx context.Context, tx *tenant.Tx, payment PaymentID, invoice InvoiceID) (Payment, error) {
	p, err := lockPayment(ctx, tx, payment)
	if err != nil {
		return Payment{}, err
	}
	to, err := lockInvoice(ctx, tx, invoice)
	switch {
	case err != nil:
		return Payment{}, err
	case !p.RefundOf.IsZero():
		return Payment{}, ErrGiveBackRefund
	case to.WrittenOff > 0: // what was written off would be open in part, and off in part
		return Payment{}, ErrWrittenOff
	}
	gone, told, err := deleteAllocations(ctx, tx, payment, invoice)
	switch {
	case err != nil:
		return Payment{}, err
	case gone <= 0:
		return Payment{}, ErrNotApplied
	}
	today, err := Today(ctx, tx)
	if err != nil {
		return Payment{}, err
	}
	if err := updateSettled(ctx, tx, invoice.UUID, -gone); err != nil {
		return Payment{}, err
	}
	err = currency.Realise(ctx, tx, currency.Settlement{Payment: payment.UUID, Document: invoice.UUID, Amount: -told, Date: laterOf(today, to.IssueDate)})
	if err != nil {
		return Payment{}, err
	}
	err = tx.Record(ctx, tenant.Act{Action: "payment.unapply", Object: "payment", ID: payment.UUID,
		Detail: fmt.Sprintf("%s %s from %s", money.Amount{Minor: gone, Currency: to.Currency}, to.Currency, to.Number)})
	if err != nil {
		return Payment{}, err
	}
	return selectPayment(ctx, tx, payment)
}

// RefundInput says how money is given back. InvoiceID and KeepRest are not used. Allocations, of a payment, say from which
// invoices it is taken, and the rest is taken from credit; with none the order is GiveBackPayment's.
type RefundInput = PaymentInput

// GiveBackPayment gives a payment back, whole or in part: first what of it settles nothing, then what settles invoices,
// the one that it settled last first, which are open again by as much; or what the input's Allocations say. It fails with what is wrong with the input, ErrPaymentNotFound, ErrGiveBackRefund,
// ErrGiveBackAmount (which says what is left), ErrGiveBackEarly, ErrGiveBackGateway and ErrWrittenOff.
func GiveBackPayment(ctx context.Context, tx *tenant.Tx, payment PaymentID, in RefundInput) (Payment, error) {
	p, err := lockPayment(ctx, tx, payment)
	if err != nil {
		return Payment{}, err
	}
	in.CustomerID, in.InvoiceID = p.CustomerID, InvoiceID{}
	if in, err = in.check(); err != nil {
		return Payment{}, err
	}
	r := receipt{PaymentInput: in, payment: id.New[Payment](), customer: p.CustomerID, refundOf: payment.UUID}
	if err := r.place(ctx, tx); err != nil {
		return Payment{}, err
	}
	held, err := selectHeld(ctx, tx, payment)
	if err != nil {
		return Payment{}, err
	}
	most := money.Amount{Minor: max(held.credit, 0) + held.allocated(), Currency: p.Amount.Currency}
	switch {
	case !p.RefundOf.IsZero() || p.Amount.Sign() < 0:
		return Payment{}, ErrGiveBackRefund
	case in.Amount.Currency != most.Currency || in.Amount.Minor > most.Minor:
		return Payment{}, ErrGiveBackAmount.Sayf("%s %s of this payment is left. Give back at most that.", most, most.Currency)
	case r.Date.Before(p.Date):
		return Payment{}, ErrGiveBackEarly
	case p.Gateway && in.Amount.Minor > held.credit:
		return Payment{}, ErrGiveBackGateway
	}
	taken := held.latest(in.Amount.Minor)
	if len(in.Allocations) > 0 {
		if taken, err = held.named(in); err != nil {
			return Payment{}, err
		}
	}
	if r.parts, err = lockTaken(ctx, tx, taken); err != nil {
		return Payment{}, err
	}
	for _, part := range r.parts {
		if part.document.WrittenOff > 0 {
			return Payment{}, ErrWrittenOff
		}
		if err := stopCollection(ctx, tx, InvoiceID{UUID: part.document.ID}, "refunded"); err != nil { // or it would be charged anew
			return Payment{}, err
		}
	}
	said := "Paid back"
	if numbers := p.Numbers(); numbers != "" {
		said += ": payment of " + numbers
	}
	return r.giveBack(ctx, tx, said)
}

// GiveBackCredit gives back what is left of a credit note, whole or in part. It fails as GiveBackPayment does, and with
// ErrCreditNoteNotFound, ErrNotIssued, ErrVoidDocument and ErrCreditUsed.
func GiveBackCredit(ctx context.Context, tx *tenant.Tx, note CreditNoteID, in RefundInput) (Payment, error) {
	n, err := lockWithCustomer(ctx, tx, creditNoteKind, note.UUID)
	switch {
	case err != nil:
		return Payment{}, err
	case n.State == Draft:
		return Payment{}, ErrNotIssued
	case n.State == Void:
		return Payment{}, ErrVoidDocument
	case n.open().IsZero():
		return Payment{}, ErrCreditUsed
	}
	in.CustomerID, in.InvoiceID, in.Allocations = n.Customer, InvoiceID{}, nil
	if in, err = in.check(); err != nil {
		return Payment{}, err
	}
	r := receipt{PaymentInput: in, payment: id.New[Payment](), customer: n.Customer}
	if err := r.place(ctx, tx); err != nil {
		return Payment{}, err
	}
	switch {
	case in.Amount.Currency != n.Currency || in.Amount.Minor > n.open().Minor:
		return Payment{}, ErrGiveBackAmount.Sayf("%s %s of %s is left. Give back at most that.", n.open(), n.Currency, n.Number)
	case r.Date.Before(n.IssueDate):
		return Payment{}, ErrGiveBackEarly
	}
	r.parts = []part{{document: n, minor: -in.Amount.Minor}}
	return r.giveBack(ctx, tx, "Paid back: "+n.Number)
}

// giveBack keeps and posts money that goes out.
func (r *receipt) giveBack(ctx context.Context, tx *tenant.Tx, said string) (_ Payment, err error) {
	given := r.Amount
	if r.Amount, err = r.Amount.Neg(); err != nil {
		return Payment{}, err
	}
	if err := r.keep(ctx, tx, said); err != nil {
		return Payment{}, err
	}
	if r.refundOf != uuid.Nil {
		if err := realiseCredit(ctx, tx, r.payment.UUID, r.refundOf, given.Minor, r.Date, r.parts); err != nil {
			return Payment{}, err
		}
	}
	err = tx.Record(ctx, tenant.Act{Action: "payment.give_back", Object: "payment", ID: r.payment.UUID, Detail: fmt.Sprintf("%s %s", given, given.Currency)})
	if err != nil {
		return Payment{}, err
	}
	return selectPayment(ctx, tx, r.payment)
}

// realiseCredit tells what the part of a refund gained that was taken from credit and not from invoices.
func realiseCredit(ctx context.Context, tx *tenant.Tx, refund, origin uuid.UUID, given int64, on civil.Date, parts []part) error {
	for _, p := range parts {
		given += p.minor // below zero
	}
	return currency.RealiseRefund(ctx, tx, refund, origin, given, on)
}

// held is what there still is of a payment, less what was given back of it: as credit, and on invoices.
type held struct {
	credit   int64
	invoices []heldInvoice // the one that it settled last at the head
}

type heldInvoice struct {
	Invoice InvoiceID  `json:"document_id"`
	Minor   int64      `json:"amount"`
	Since   civil.Date `json:"date"` // when it was settled last: what is taken back of it is not taken back earlier
}

func (h held) allocated() (sum int64) {
	for _, i := range h.invoices {
		sum += i.Minor
	}
	return sum
}

// latest says what giving an amount back takes from which invoices: what there is of credit goes first, then what was
// settled last.
func (h held) latest(minor int64) (taken []heldInvoice) {
	left := minor - max(h.credit, 0)
	for _, i := range h.invoices {
		if i.Minor = min(max(left, 0), i.Minor); i.Minor > 0 {
			taken, left = append(taken, i), left-i.Minor
		}
	}
	return taken
}

// named is what the input takes from which invoices; ErrGiveBackAmount where there is not as much on one, or as credit.
func (h held) named(in RefundInput) (taken []heldInvoice, err error) {
	rest := in.Amount.Minor
	for n, a := range in.Allocations {
		at := slices.IndexFunc(h.invoices, func(i heldInvoice) bool { return i.Invoice == a.InvoiceID })
		if at < 0 || h.invoices[at].Minor < a.Amount.Minor {
			return nil, ErrGiveBackAmount.Sayf("The payment does not settle as much of this invoice.").At(fmt.Sprintf("allocations[%d].amount", n))
		}
		i := h.invoices[at]
		i.Minor = a.Amount.Minor
		taken, rest = append(taken, i), rest-a.Amount.Minor
	}
	if rest > max(h.credit, 0) {
		return nil, ErrGiveBackAmount.Sayf("Of this payment %s %s settles no invoice.", money.Amount{Minor: max(h.credit, 0), Currency: in.Amount.Currency}, in.Amount.Currency)
	}
	return taken, nil
}

// lockTaken locks the invoices that money is taken from, in the one order that all do, and makes parts below zero of it.
func lockTaken(ctx context.Context, tx *tenant.Tx, taken []heldInvoice) ([]part, error) {
	slices.SortFunc(taken, func(a, b heldInvoice) int { return bytes.Compare(a.Invoice.UUID[:], b.Invoice.UUID[:]) })
	var parts []part
	for _, i := range taken {
		locked, err := lockInvoice(ctx, tx, i.Invoice)
		if err != nil {
			return nil, err
		}
		parts = append(parts, part{document: locked, minor: -i.Minor, since: i.Since})
	}
	return parts, nil
}
