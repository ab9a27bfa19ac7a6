package billing

import (
	"context"
	"fmt"

	"github.com/countinghouse/countinghouse/billing/ledger"
	"github.com/countinghouse/countinghouse/billing/money"
	"github.com/countinghouse/countinghouse/internal/civil"
	"github.com/countinghouse/countinghouse/internal/fault"
	"github.com/countinghouse/countinghouse/tenant"
)

// ErrWrittenOff refuses to open an invoice again that was written off.
var ErrWrittenOff = fault.New(fault.Conflict, "invoice.written_off", "This invoice was written off. Record what was paid after all as a payment.")

// WriteOffInvoice gives up what is open on an invoice: it becomes a bad debt on the first open day from today on. What
// is paid after all is recorded as a payment, and takes as much of the write-off back. It fails with ErrInvoiceNotFound,
// ErrInvoiceChanged, ErrNotIssued, ErrVoidDocument, ErrAlreadyPaid and ErrVoidCharge.
func WriteOffInvoice(ctx context.Context, tx *tenant.Tx, invoice InvoiceID, version int) (Invoice, error) {
	locked, err := lockWithCustomer(ctx, tx, invoiceKind, invoice.UUID)
	switch {
	case err != nil:
		return Invoice{}, err
	case locked.State == Draft:
		return Invoice{}, ErrNotIssued
	case locked.State == Void:
		return Invoice{}, ErrVoidDocument
	case version != 0 && version != locked.Version:
		return Invoice{}, ErrInvoiceChanged
	case locked.open().IsZero():
		return Invoice{}, ErrAlreadyPaid.Sayf("Nothing is open on %s.", locked.Number)
	}
	if live, err := selectHasLiveCharge(ctx, tx, invoice); err != nil {
		return Invoice{}, err
	} else if live {
		return Invoice{}, ErrVoidCharge
	}
	today, err := Today(ctx, tx)
	if err != nil {
		return Invoice{}, err
	}
	if err := writeOff(ctx, tx, locked, locked.open().Minor, laterOf(today, locked.IssueDate), "Write-off of "+locked.Number); err != nil {
		return Invoice{}, err
	}
	err = tx.Record(ctx, tenant.Act{Action: "invoice.write_off", Object: "invoice", ID: invoice.UUID,
		Detail: fmt.Sprintf("%s, %s %s", locked.Number, locked.open(), locked.Currency)})
	if err != nil {
		return Invoice{}, err
	}
	return selectInvoice(ctx, tx, invoice)
}

// writeOff posts what is given up of an invoice or, below zero, what comes in after all.
func writeOff(ctx context.Context, tx *tenant.Tx, locked lockedDocument, minor int64, on civil.Date, said string) error {
	loss, err := ledger.OpenAccountFor(ctx, tx, ledger.BadDebts, ledger.KindExpense, 6090, "Bad debts")
	if err != nil {
		return err
	}
	receivable, err := ledger.AccountFor(ctx, tx, ledger.Receivable)
	if err != nil {
		return err
	}
	amount := func(minor int64) money.Amount { return money.Amount{Minor: minor, Currency: locked.Currency} }
	e, err := ledger.Post(ctx, tx, ledger.Posting{Date: on, Description: said, Source: ledger.SourceWriteOff, SourceID: locked.ID, Automatic: true,
		Lines: []ledger.Line{
			{Account: loss.ID, Amount: amount(minor)},
			{Account: receivable.ID, Party: locked.Customer.UUID, Amount: amount(-minor)},
		}})
	if err != nil {
		return err
	}
	return updateWrittenOff(ctx, tx, locked.ID, minor, e.ID)
}
