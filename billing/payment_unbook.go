package billing

import (
	"context"
	"fmt"

	"github.com/countinghouse/countinghouse/billing/currency"
	"github.com/countinghouse/countinghouse/billing/ledger"
	"github.com/countinghouse/countinghouse/billing/money"
	"github.com/countinghouse/countinghouse/internal/civil"
	"github.com/countinghouse/countinghouse/internal/fault"
	"github.com/countinghouse/countinghouse/internal/id"
	"github.com/countinghouse/countinghouse/tenant"
)

// ErrPaymentUnbooked says that a payment counts no more.
var ErrPaymentUnbooked = fault.New(fault.Conflict, "payment.unbooked", "This payment was taken back or given back already.")

// UnbookPayment takes back a payment that never was one: a second payment below zero undoes it on the same day, or on the
// first that is open, its entry is reversed, and what it settled is open again. It fails with ErrPaymentNotFound, and with ErrPaymentUnbooked for one that
// was taken back or given back, in part too.
func UnbookPayment(ctx context.Context, tx *tenant.Tx, payment PaymentID) error {
	booked, err := lockBookedPayment(ctx, tx, payment)
	if err != nil {
		return err
	}
	if booked.Amount < 0 || booked.Undone {
		return ErrPaymentUnbooked
	}
	settled, err := selectSettledBy(ctx, tx, payment)
	if err != nil {
		return err
	}
	entry, err := ledger.ReverseDocument(ctx, tx, booked.Entry, booked.Date, "Taken back: "+booked.Description)
	if err != nil {
		return err
	}
	back := id.New[Payment]()
	if err := insertUnbooked(ctx, tx, back, payment, entry); err != nil {
		return err
	}
	for _, s := range settled {
		if _, err := lockInvoice(ctx, tx, s.Invoice); err != nil {
			return err
		}
		if err := insertUnsettled(ctx, tx, back, s); err != nil {
			return err
		}
		if err := updateSettled(ctx, tx, s.Invoice.UUID, -s.Amount); err != nil {
			return err
		}
		err := currency.Realise(ctx, tx, currency.Settlement{Payment: back.UUID, Document: s.Invoice.UUID, Amount: -s.Amount, Date: entry.Date})
		if err != nil {
			return err
		}
	}
	return tx.Record(ctx, tenant.Act{Action: "payment.unbook", Object: "payment", ID: payment.UUID,
		Detail: fmt.Sprintf("%s %s", money.Amount{Minor: booked.Amount, Currency: booked.Currency}, booked.Currency)})
}

// bookedPayment is a payment as it was booked.
type bookedPayment struct {
	Amount      int64          `db:"amount"`
	Currency    money.Currency `db:"currency"`
	Date        civil.Date     `db:"date"`
	Entry       ledger.EntryID `db:"entry_id"`
	Description string         `db:"description"`
	Undone      bool           `db:"undone"`
}

// settledBy is what a payment settles of an invoice.
type settledBy struct {
	Invoice InvoiceID `db:"document_id"`
	Amount  int64     `db:"amount"`
}
