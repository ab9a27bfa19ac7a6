package report

import (
	"context"

	"github.com/google/uuid"

	"github.com/countinghouse/countinghouse/billing/ledger"
	"github.com/countinghouse/countinghouse/billing/money"
	"github.com/countinghouse/countinghouse/internal/civil"
	"github.com/countinghouse/countinghouse/internal/fault"
	"github.com/countinghouse/countinghouse/tenant"
)

// ErrSalesBy refuses sales by anything else.
var ErrSalesBy = fault.New(fault.Invalid, "report.by_unknown", "Ask for sales by customer or by product.").At("by")

// What sales are counted by.
const (
	ByCustomer = "customer"
	ByProduct  = "product"
)

// Sales gives what was sold, without taxes, by customer or by product: invoices less credit notes, on the days of their
// entries, and with the opposite sign again when they are undone. Lines without a product stand in a row of their own,
// whose Key is "none". The sum is "total". Days, currency and errors are as in ProfitAndLoss, with ErrSalesBy.
func Sales(ctx context.Context, tx *tenant.Tx, by string, period Period, currency money.Currency) (Table, error) {
	if by != ByCustomer && by != ByProduct {
		return Table{}, ErrSalesBy
	}
	period, err := fill(ctx, tx, period)
	if err != nil {
		return Table{}, err
	}
	t, err := openTable(ctx, tx, currency, compared(period))
	if err != nil {
		return t, err
	}
	rows, err := selectSales(ctx, tx, by, t.Columns)
	if err != nil {
		return t, err
	}
	t.begin("sales", map[string]string{ByCustomer: "Customers", ByProduct: "Products"}[by])
	for _, r := range rows {
		if !t.has(r.Currency) || r.empty() {
			continue
		}
		row := r.row()
		if row.About == uuid.Nil {
			row.Key = "none"
		}
		if err := t.put("sales", row); err != nil {
			return t, err
		}
	}
	t.Sums = append(t.Sums, Row{Key: "total", Name: "All sales", Amounts: t.Section("sales").Sum})
	t.drop()
	return t, nil
}

// Sale is what one document has to do with a row of the sales.
type Sale struct {
	Document    uuid.UUID
	Kind        string // "invoice", "credit_note"
	Number      string
	Customer    string
	Date        civil.Date
	Net         money.Amount
	Entry       ledger.EntryID
	EntryNumber int64
}

// SalesDocuments gives the documents behind a figure of Sales by date, at most MaxLines: those of a customer or product in
// a currency and in a period, both days of which are given; uuid.Nil asks for lines without a product.
func SalesDocuments(ctx context.Context, tx *tenant.Tx, by string, about uuid.UUID, period Period, currency money.Currency) ([]Sale, error) {
	if by != ByCustomer && by != ByProduct {
		return nil, ErrSalesBy
	}
	if err := period.check(); err != nil {
		return nil, err
	}
	return selectSalesDocuments(ctx, tx, by, about, period, currency)
}
