package export

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"slices"

	"github.com/countinghouse/countinghouse/billing/sheet"
	"github.com/countinghouse/countinghouse/internal/fault"
	"github.com/countinghouse/countinghouse/tenant"
)

// Format is what can be written.
type Format string

// The formats.
const (
	Hledger      Format = "hledger"      // the journal for plain-text accounting: hledger.org
	Beancount    Format = "beancount"    // the same for beancount.github.io
	Journal      Format = "journal"      // the journal as a table, a row for each line of an entry
	Transactions Format = "transactions" // documents and payments, by date
	Accounts     Format = "accounts"     // these and the journal are in the shapes that can be imported
	Customers    Format = "customers"
	Payees       Format = "payees"
	Products     Format = "products"
	Invoices     Format = "invoices"
	CreditNotes  Format = "credit_notes"
	Bills        Format = "bills"
	PayeeCredits Format = "payee_credits"
	Payments     Format = "payments"
	BillPayments Format = "bill_payments"
	Credits      Format = "credits" // what of credit notes and payees' credits settles what
)

var texts = map[Format]func(context.Context, *tenant.Tx, int64, io.Writer) error{Hledger: writeHledger, Beancount: writeBeancount}

var tables = map[Format]func(context.Context, *tenant.Tx, sheet.Grid) error{
	Transactions: writeTransactions, Accounts: writeAccounts, Payees: writePayees, Customers: writeCustomers, Products: writeProducts,
	Invoices: writeDocuments("invoice", "customer_external_id", "invoice_total"), CreditNotes: writeCreditNotes,
	Bills: writeDocuments("bill", "payee_external_id", "bill_total"), PayeeCredits: writeDocuments("payee_credit", "payee_external_id", "payee_credit_total"),
	Payments: writePayments, BillPayments: writeBillPayments, Credits: writeCredits,
}

// Formats gives all formats.
func Formats() []Format {
	return []Format{Hledger, Beancount, Journal, Transactions, Accounts, Payees, Customers, Products, Invoices, CreditNotes, Bills, PayeeCredits,
		Payments, BillPayments, Credits}
}

// IsTable says whether a format is a table, which can be written as CSV and as XLSX.
func (f Format) IsTable() bool { return tables[f] != nil || f == Journal }

// ErrFormat refuses a format that is none of Formats.
var ErrFormat = fault.New(fault.Invalid, "export.format", "The formats are hledger, beancount, journal, transactions, accounts, payees, customers, products, invoices, credit_notes, bills, payee_credits, payments, bill_payments and credits.")

// Write writes the books of the transaction's organization to w in one of Formats, tables in CSV. It fails with ErrFormat
// for others.
func Write(ctx context.Context, tx *tenant.Tx, format Format, w io.Writer) error {
	last, err := LastEntry(ctx, tx)
	if err != nil {
		return err
	}
	return WriteThrough(ctx, tx, format, last, w)
}

// WriteThrough is Write with the journal up to an entry's number, so that several files tell of the same entries.
func WriteThrough(ctx context.Context, tx *tenant.Tx, format Format, last int64, w io.Writer) error {
	if !slices.Contains(Formats(), format) {
		return ErrFormat
	}
	buffered := bufio.NewWriterSize(w, 64<<10)
	var err error
	if write := texts[format]; write != nil {
		err = write(ctx, tx, last, buffered)
	} else {
		err = writeCSV(ctx, tx, format, last, buffered)
	}
	if err == nil {
		err = buffered.Flush()
	}
	if err != nil {
		return fmt.Errorf("writing %s: %w", format, err)
	}
	return nil
}

func writeCSV(ctx context.Context, tx *tenant.Tx, format Format, last int64, w io.Writer) error {
	g, err := sheet.New(w, sheet.CSV)
	if err != nil {
		return err
	}
	if err := WriteTable(ctx, tx, format, last, g); err != nil {
		return err
	}
	return g.Close()
}

// WriteTable writes a table row by row, the journal up to an entry's number. The caller closes the grid. It fails with ErrFormat for what is no table, and with what
// the grid fails with.
func WriteTable(ctx context.Context, tx *tenant.Tx, format Format, last int64, g sheet.Grid) error {
	if format == Journal {
		return writeJournal(ctx, tx, last, g)
	}
	write := tables[format]
	if write == nil {
		return ErrFormat
	}
	return write(ctx, tx, g)
}

// rows writes a header, and then for each row of a query its cells.
func rows[Row any](g sheet.Grid, header []any, each func(fn func(scan func(dest any) error) error) error, cells func(Row) []any) error {
	if err := g.Row(header...); err != nil {
		return err
	}
	return each(func(scan func(dest any) error) error {
		var row Row
		if err := scan(&row); err != nil {
			return err
		}
		return g.Row(cells(row)...)
	})
}
