package report

import (
	"io"

	"github.com/countinghouse/countinghouse/billing/sheet"
)

// Format is what a report's file is written as.
type Format = sheet.Format

// The formats.
const (
	CSV  = sheet.CSV
	XLSX = sheet.XLSX
)

// Grid takes the rows of a report.
type Grid = sheet.Grid

// NewGrid begins a file. Its writer may have got a part of it when a row fails.
func NewGrid(w io.Writer, format Format) (Grid, error) { return sheet.New(w, format) }

// WriteTable writes a table: a row for each row of its sections, and its sums, whose section is "sum". It fails with what
// w fails with.
func WriteTable(w io.Writer, format Format, t Table) error {
	g, err := NewGrid(w, format)
	if err != nil {
		return err
	}
	head := []any{"section", "code", "name", "currency"}
	for _, c := range t.Columns {
		head = append(head, c.Key+" "+c.Period.words())
	}
	if err := g.Row(head...); err != nil {
		return err
	}
	write := func(section string, r Row) error {
		cells := []any{section, r.Code, r.Name, t.Currency.Code()}
		for _, a := range r.Amounts {
			cells = append(cells, a)
		}
		return g.Row(cells...)
	}
	for _, s := range t.Sections {
		for _, r := range s.Rows {
			if err := write(s.Key, r); err != nil {
				return err
			}
		}
	}
	for _, s := range t.Sums {
		if err := write("sum", s); err != nil {
			return err
		}
	}
	return g.Close()
}

func (p Period) words() string {
	if p.From.IsZero() {
		return p.To.String()
	}
	return p.From.String() + " to " + p.To.String()
}
