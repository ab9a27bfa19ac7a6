package report

import (
	"context"
	"slices"

	"github.com/google/uuid"

	"github.com/countinghouse/countinghouse/billing/ledger"
	"github.com/countinghouse/countinghouse/billing/money"
	"github.com/countinghouse/countinghouse/internal/civil"
	"github.com/countinghouse/countinghouse/tenant"
)

// The columns of aged receivables, by how many days ago an invoice was due.
var ages = []Column{{Key: "not_due", Name: "Not due"}, {Key: "days_1_30", Name: "1–30 days"}, {Key: "days_31_60", Name: "31–60"},
	{Key: "days_61_90", Name: "61–90"}, {Key: "days_over_90", Name: "Over 90"}, {Key: "no_invoice", Name: "Not on invoices"}, {Key: "owed", Name: "Owed"}}

// AgedReceivables gives what customers owed at the end of a day, by how late it was. What is open of an invoice is its
// total less what had been paid, credited and written off by then. "no_invoice" is what else the ledger has of a customer,
// such as what was paid in advance or posted by hand; so "owed" of all customers, the sum "total", is always the account
// of what customers owe. The sums "before" and "year_before" are the totals a month and a year before. Without a day it
// is today. It fails with ErrSumTooLarge.
func AgedReceivables(ctx context.Context, tx *tenant.Tx, asOf civil.Date, currency money.Currency) (Table, error) {
	return aged(ctx, tx, asOf, currency, agedSide{"customers", "Customers", "All customers", "Without a customer", ages, agedInvoices})
}

// AgedPayables gives what payees were owed at the end of a day, by how late it was, as AgedReceivables does of customers.
// "no_bill" is what else the ledger has of a payee: credits that settle no bill yet, what was paid in advance, what was
// posted by hand; so "owed" of all payees is always the account of what payees are owed.
func AgedPayables(ctx context.Context, tx *tenant.Tx, asOf civil.Date, currency money.Currency) (Table, error) {
	columns := slices.Clone(ages)
	columns[5] = Column{Key: "no_bill", Name: "Not on bills"}
	return aged(ctx, tx, asOf, currency, agedSide{"payees", "Payees", "All payees", "Without a payee", columns, agedBills})
}

// agedSide is what the two reports differ in.
type agedSide struct {
	section, name, total, nobody string
	columns                      []Column
	books                        agedBooks
}

func aged(ctx context.Context, tx *tenant.Tx, asOf civil.Date, currency money.Currency, side agedSide) (Table, error) {
	if asOf.IsZero() {
		var err error
		if asOf, err = ledger.Today(ctx, tx); err != nil {
			return Table{}, err
		}
	}
	t, err := openTable(ctx, tx, currency, columnsOn(side.columns, asOf))
	if err != nil {
		return t, err
	}
	t.begin(side.section, side.name)
	rows, err := selectAged(ctx, tx, side.books, asOf, monthBefore(asOf), yearBefore(asOf))
	if err != nil {
		return t, err
	}
	past := []Row{{}, {Key: "before", Name: "A month before", Amounts: t.zeros()}, {Key: "year_before", Name: "A year before", Amounts: t.zeros()}}
	for _, r := range rows {
		switch {
		case r.Day > 1 && r.Currency == t.Currency:
			past[r.Day-1].Amounts = r.row().Amounts
		case r.Day > 1 || !t.has(r.Currency):
		default:
			row := r.row()
			if row.About == uuid.Nil {
				row.Key, row.Name = "nobody", side.nobody
			}
			if err := t.put(side.section, row); err != nil {
				return t, err
			}
		}
	}
	t.Sums = append(t.Sums, Row{Key: "total", Name: side.total, Amounts: t.Section(side.section).Sum}, past[1], past[2])
	t.drop()
	return t, nil
}

func columnsOn(all []Column, day civil.Date) []Column {
	columns := make([]Column, len(all))
	for i, c := range all {
		columns[i] = Column{c.Key, c.Name, Period{To: day}}
	}
	return columns
}

// monthBefore is the same day of the month before; the last day of a month stays the last.
func monthBefore(d civil.Date) civil.Date {
	last := civil.On(d.Year(), d.Month(), 1).AddDays(-1)
	if endsMonth(d) || last.Day() < d.Day() {
		return last
	}
	return civil.On(last.Year(), last.Month(), d.Day())
}

// agedRow is a customer or payee in one currency; Customer is zero for what names none, and for all.
type agedRow struct {
	Day       int            `db:"day"` // 1, or 2 and 3 for all of earlier ones
	Customer  uuid.UUID      `db:"customer_id"`
	Name      string         `db:"name"`
	Currency  money.Currency `db:"currency"`
	NotDue    int64          `db:"not_due"`
	Late30    int64          `db:"late_30"`
	Late60    int64          `db:"late_60"`
	Late90    int64          `db:"late_90"`
	Later     int64          `db:"later"`
	NoInvoice int64          `db:"no_invoice"`
	Owed      int64          `db:"owed"`
}

func (r agedRow) row() Row {
	row := Row{About: r.Customer, Name: r.Name}
	for _, minor := range []int64{r.NotDue, r.Late30, r.Late60, r.Late90, r.Later, r.NoInvoice, r.Owed} {
		row.Amounts = append(row.Amounts, money.Amount{Minor: minor, Currency: r.Currency})
	}
	return row
}
