package report

import (
	"encoding/csv"
	"fmt"
	"io"

	"github.com/countinghouse/countinghouse/internal/fault"
)

// ErrTooManyRows says that a spreadsheet cannot hold a report (ECMA-376 files have 1,048,576 rows at most).
var ErrTooManyRows = fault.New(fault.Conflict, "report.too_many_rows",
	"This is more than a spreadsheet can hold. Take the CSV file, or choose a shorter period.")

// Format is what a report's file is written as.
type Format string

// The formats: CSV as RFC 4180 has it, and XLSX (ECMA-376).
const (
	CSV  Format = "csv"
	XLSX Format = "xlsx"
)

// Grid takes the rows of a report one after the other, the head first, and writes them into a file. A cell is text, an
// int, a money.Amount, a civil.Date, or nil for nothing. Text that a spreadsheet would take for a formula is made
// harmless: in CSV by an apostrophe (OWASP, "CSV Injection"), in XLSX by being a cell of text.
type Grid interface {
	Row(cells ...any) error
	// Close writes what is left. Without it the file is not whole.
	Close() error
}

// NewGrid begins a file. Its writer may have got a part of it when a row fails.
func NewGrid(w io.Writer, format Format) (Grid, error) {
	if format == XLSX {
		return newSheetGrid(w)
	}
	return &textGrid{csv.NewWriter(w)}, nil
}

// textGrid writes CSV.
type textGrid struct{ out *csv.Writer }

func (g *textGrid) Row(cells ...any) error {
	row := make([]string, len(cells))
	for i, cell := range cells {
		switch c := cell.(type) {
		case nil:
		case string:
			row[i] = plain(c)
		case fmt.Stringer: // amounts and days, which are no one's words
			row[i] = c.String()
		default:
			row[i] = fmt.Sprint(c)
		}
	}
	return writing(g.out.Write(row))
}

func (g *textGrid) Close() error {
	g.out.Flush()
	return writing(g.out.Error())
}

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
