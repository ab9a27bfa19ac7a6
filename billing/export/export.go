package export

import (
	"bufio"
	"context"
	"encoding/csv"
	"fmt"
	"io"
	"strings"

	"github.com/countinghouse/countinghouse/internal/fault"
	"github.com/countinghouse/countinghouse/tenant"
)

// Format is what can be written.
type Format string

// The formats.
const (
	Hledger   Format = "hledger"   // the journal for plain-text accounting: hledger.org
	Journal   Format = "journal"   // the journal in CSV, a row for each line of an entry
	Customers Format = "customers" // these four in the CSV shapes that can be imported
	Products  Format = "products"
	Invoices  Format = "invoices"
	Payments  Format = "payments"
)

// Formats gives all formats.
func Formats() []Format {
	return []Format{Hledger, Journal, Customers, Products, Invoices, Payments}
}

// ErrFormat refuses a format that is none of Formats.
var ErrFormat = fault.New(fault.Invalid, "export.format", "The formats are hledger, journal, customers, products, invoices and payments.")

// Write writes the books of the transaction's organization to w in one of Formats, else it fails with ErrFormat.
func Write(ctx context.Context, tx *tenant.Tx, format Format, w io.Writer) error {
	write := map[Format]func(context.Context, *tenant.Tx, io.Writer) error{
		Hledger: WriteHledger, Journal: WriteJournal,
		Customers: WriteCustomers, Products: WriteProducts, Invoices: WriteInvoices, Payments: WritePayments,
	}[format]
	if write == nil {
		return ErrFormat
	}
	buffered := bufio.NewWriterSize(w, 64<<10)
	err := write(ctx, tx, buffered)
	if err == nil {
		err = buffered.Flush()
	}
	if err != nil {
		return fmt.Errorf("writing %s: %w", format, err)
	}
	return nil
}

// sheet writes a header, and then for each row of a query its cells.
func sheet[Row any](w io.Writer, header []string, each func(fn func(scan func(dest any) error) error) error, cells func(Row) []string) error {
	out := csv.NewWriter(w)
	if err := out.Write(header); err != nil {
		return err
	}
	err := each(func(scan func(dest any) error) error {
		var row Row
		if err := scan(&row); err != nil {
			return err
		}
		return out.Write(cells(row))
	})
	if err != nil {
		return err
	}
	out.Flush()
	return out.Error()
}

// harmless keeps a spreadsheet from taking a text for a formula (OWASP, CSV injection): an apostrophe goes before = + - @,
// and before apostrophes that one of them follows, so that taking one off gives the text back. Trimmed text begins with
// no tab or line end.
func harmless(s string) string {
	if plain := strings.TrimLeft(s, "'"); plain != "" && strings.ContainsRune("=+-@", rune(plain[0])) {
		return "'" + s
	}
	return s
}
