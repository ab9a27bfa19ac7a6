package payables_test

import (
	"context"
	"fmt"
	"strings"

	"github.com/countinghouse/countinghouse/billing"
	"github.com/countinghouse/countinghouse/billing/export"
	"github.com/countinghouse/countinghouse/billing/report"
	"github.com/countinghouse/countinghouse/internal/cursor"
	"github.com/countinghouse/countinghouse/tenant"
)

// sales is all that is told of what is sold: lists, reports, statements and exports.
func (b books) sales(customer billing.CustomerID) string {
	b.Helper()
	var out strings.Builder
	b.do(func(ctx context.Context, tx *tenant.Tx) error {
		march := report.Period{From: day("2026-03-01"), To: day("2026-03-31")}
		say := func(name string, v any, err error) {
			if err != nil {
				b.Errorf("%s: %v", name, err)
			}
			fmt.Fprintf(&out, "%s: %+v\n", name, v)
		}
		invoices, err := billing.Invoices(ctx, tx, billing.InvoiceFilter{}, cursor.Query{})
		say("invoices", len(invoices.Items), err)
		notes, err := billing.CreditNotes(ctx, tx, billing.CreditNoteFilter{}, cursor.Query{})
		say("credit notes", len(notes.Items), err)
		payments, err := billing.Payments(ctx, tx, billing.PaymentFilter{}, cursor.Query{})
		say("payments", len(payments.Items), err)
		overview, err := report.FiguresOf(ctx, tx)
		say("owed", overview.Owed, err)
		aged, err := report.AgedReceivables(ctx, tx, march.To, eur)
		say("aged", aged.Sums, err)
		customers, err := report.CustomerBalances(ctx, tx, march.To)
		say("customers", customers, err)
		for _, by := range []string{report.ByCustomer, report.ByProduct} {
			sold, err := report.Sales(ctx, tx, by, march, eur)
			say("sales "+by, sold.Sums, err)
		}
		statement, err := report.StatementOf(ctx, tx, customer.UUID, march)
		say("statement", statement, err)
		for _, basis := range []report.Basis{report.Accrual, report.Cash} {
			taxes, err := report.TaxesOf(ctx, tx, basis, march)
			for _, row := range taxes.Rows {
				if !row.Input {
					say("taxes "+string(basis), row, err)
				}
			}
		}
		for _, format := range []export.Format{export.Customers, export.Invoices, export.Payments} {
			say(string(format), nil, export.Write(ctx, tx, format, &out))
		}
		return nil
	})
	return out.String()
}
