package report

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/countinghouse/countinghouse/billing/ledger"
	"github.com/countinghouse/countinghouse/billing/money"
	"github.com/countinghouse/countinghouse/internal/civil"
	"github.com/countinghouse/countinghouse/tenant"
)

// Table is a report in one currency, whose figures stand in columns. Every row has an amount for each column, and the
// Sum of a section is that of its rows.
type Table struct {
	Currency   money.Currency
	Currencies []money.Currency // in which there is anything to report, the base currency first and always
	Columns    []Column
	Sections   []Section
	Sums       []Row // what the sections come to, below all of them
}

// Column is a column of a table: a span of days, or a part of what is shown on one day.
type Column struct {
	Key, Name string
	Period    Period // without From: how things stood at the end of its last day
}

// Section is a headed part of a table.
type Section struct {
	Key, Name string
	Rows      []Row
	Sum       []money.Amount
}

// Row is a row of a table. It is about an account, or a customer, or a product, or about none of them when Key says what.
type Row struct {
	Key        string
	Account    ledger.AccountID
	About      uuid.UUID // the customer or product
	Code, Name string
	Amounts    []money.Amount
}

// Section finds a section by its key; one that is not there is empty.
func (t Table) Section(key string) Section {
	for _, s := range t.Sections {
		if s.Key == key {
			return s
		}
	}
	return Section{Key: key, Sum: t.zeros()}
}

// SumOf finds the amounts of a sum by its key; one that is not there is nothing.
func (t Table) SumOf(key string) []money.Amount {
	for _, r := range t.Sums {
		if r.Key == key {
			return r.Amounts
		}
	}
	return t.zeros()
}

func (t Table) zeros() []money.Amount {
	zeros := make([]money.Amount, len(t.Columns))
	for i := range zeros {
		zeros[i].Currency = t.Currency
	}
	return zeros
}

// openTable begins a table in a currency, or without one in the base currency.
func openTable(ctx context.Context, tx *tenant.Tx, currency money.Currency, columns []Column) (Table, error) {
	if err := tenant.PlanPlainly(ctx, tx); err != nil {
		return Table{}, err
	}
	base, err := selectBaseCurrency(ctx, tx)
	if currency.IsZero() {
		currency = base
	}
	return Table{Currency: currency, Currencies: []money.Currency{base}, Columns: columns, Sections: []Section{}, Sums: []Row{}}, err
}

// has takes note of a currency, and says whether it is the one of the table.
func (t *Table) has(c money.Currency) bool {
	if !slices.Contains(t.Currencies, c) {
		t.Currencies = append(t.Currencies, c)
		slices.SortFunc(t.Currencies[1:], func(a, b money.Currency) int { return cmp.Compare(a.Code(), b.Code()) })
	}
	return c == t.Currency
}

// begin adds an empty section.
func (t *Table) begin(key, name string) {
	t.Sections = append(t.Sections, Section{Key: key, Name: name, Rows: []Row{}, Sum: t.zeros()})
}

// put adds a row to a section that was begun.
func (t *Table) put(key string, r Row) (err error) {
	s := &t.Sections[slices.IndexFunc(t.Sections, func(s Section) bool { return s.Key == key })]
	s.Rows = append(s.Rows, r)
	s.Sum, err = addEach(s.Sum, r.Amounts)
	return err
}

// drop takes out sections without rows.
func (t *Table) drop() {
	t.Sections = slices.DeleteFunc(t.Sections, func(s Section) bool { return len(s.Rows) == 0 })
}

func addEach(a, b []money.Amount) ([]money.Amount, error) {
	sums := make([]money.Amount, len(a))
	for i := range a {
		var err error
		if sums[i], err = add(a[i], b[i]); err != nil {
			return nil, err
		}
	}
	return sums, nil
}

func subEach(a, b []money.Amount) ([]money.Amount, error) {
	differences := make([]money.Amount, len(a))
	for i := range a {
		var err error
		if differences[i], err = sub(a[i], b[i]); err != nil {
			return nil, err
		}
	}
	return differences, nil
}

// Filled is the period with the days that were left out: to today, from the first day of the year that its last day is
// in. It fails with ledger.ErrDatesReversed.
func (p Period) Filled(today civil.Date) (Period, error) {
	if p.To.IsZero() {
		p.To = today
		if today.Before(p.From) {
			p.To = p.From
		}
	}
	if p.From.IsZero() {
		p.From = civil.On(p.To.Year(), 1, 1)
	}
	return p, p.check()
}

// Before is the period of the same length that ends on the day before: as many months where it is whole months, and as
// many days otherwise.
func (p Period) Before() Period {
	last := p.From.AddDays(-1)
	if p.From.Day() == 1 && endsMonth(p.To) {
		months := 12*(p.To.Year()-p.From.Year()) + int(p.To.Month()-p.From.Month()) + 1
		return Period{civil.On(p.From.Year(), p.From.Month()-time.Month(months), 1), last}
	}
	return Period{p.From.AddDays(-p.From.DaysUntil(p.To) - 1), last}
}

// YearBefore is the same days a year earlier; the last day of a month stays the last.
func (p Period) YearBefore() Period {
	q := Period{To: yearBefore(p.To)}
	if !p.From.IsZero() {
		q.From = civil.On(p.From.Year()-1, p.From.Month(), min(p.From.Day(), yearBefore(p.From).Day()))
	}
	return q
}

func yearBefore(d civil.Date) civil.Date {
	last := civil.On(d.Year()-1, d.Month()+1, 1).AddDays(-1)
	if endsMonth(d) || last.Day() < d.Day() {
		return last
	}
	return civil.On(d.Year()-1, d.Month(), d.Day())
}

func endsMonth(d civil.Date) bool { return d.AddDays(1).Day() == 1 }

// compared are the columns of a period, the one before it and the same a year before.
func compared(p Period) []Column {
	return []Column{{"period", "In the period", p}, {"before", "The period before", p.Before()}, {"year_before", "A year before", p.YearBefore()}}
}

// fill is Filled by the organization's day.
func fill(ctx context.Context, tx *tenant.Tx, p Period) (Period, error) {
	today, err := ledger.Today(ctx, tx)
	if err != nil {
		return p, err
	}
	return p.Filled(today)
}
