package report

import (
	"context"

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
	if asOf.IsZero() {
		var err error
		if asOf, err = ledger.Today(ctx, tx); err != nil {
			return Table{}, err
		}
	}
	t, err := openTable(ctx, tx, currency, columnsOn(asOf))
	if err != nil {
		return t, err
	}
	t.begin("customers", "Customers")
	rows, err := selectAged(ctx, tx, asOf)
	if err != nil {
		return t, err
	}
	for _, r := range rows {
		if !t.has(r.Currency) {
			continue
		}
		if err := t.put("customers", r.row()); err != nil {
			return t, err
		}
	}
	t.Sums = append(t.Sums, Row{Key: "total", Name: "All customers", Amounts: t.Section("customers").Sum})
	for _, past := range []struct {
		key, name string
		day       civil.Date
	}{{"before", "A month before", monthBefore(asOf)}, {"year_before", "A year before", yearBefore(asOf)}} {
		row := Row{Key: past.key, Name: past.name, Amounts: t.zeros()}
		rows, err := selectAged(ctx, tx, past.day)
		if err != nil {
			return t, err
		}
		for _, r := range rows {
			if r.Currency != t.Currency {
				continue
			}
			if row.Amounts, err = addEach(row.Amounts, r.row().Amounts); err != nil {
				return t, err
			}
		}
		t.Sums = append(t.Sums, row)
	}
	t.drop()
	return t, nil
}

func columnsOn(day civil.Date) []Column {
	columns := make([]Column, len(ages))
	for i, c := range ages {
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

// agedRow is a customer in one currency; Customer is zero for what names none.
type agedRow struct {
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
	if r.Customer == uuid.Nil {
		row.Key = "nobody"
	}
	return row
}
