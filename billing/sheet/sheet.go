// Package sheet writes tables as files for spreadsheets: CSV and XLSX.
//
// Reports and exports write through it, row by row, so that a table of a million rows costs no more memory than one of
// ten, and so that what makes a cell harmless is written once.
package sheet

import (
	"encoding/csv"
	"fmt"
	"io"
	"strings"
)

// Format is what a table is written as.
type Format string

// The formats: CSV as RFC 4180 has it, with bare line feeds, in UTF-8; and XLSX (ECMA-376).
const (
	CSV  Format = "csv"
	XLSX Format = "xlsx"
)

// Grid takes the rows of a table one after the other, the head first, and writes them into a file. A cell is text, an
// int, a decimal.Decimal, a money.Amount, a civil.Date, or nil for nothing. Text that a spreadsheet would take for a formula is made
// harmless: in CSV by an apostrophe (OWASP, "CSV Injection"), in XLSX by being a cell of text. Where one sheet of XLSX is
// full, with 1,048,576 rows, the table goes on in another.
type Grid interface {
	Row(cells ...any) error
	// Close writes what is left. Without it the file is not whole.
	Close() error
}

// New begins a file. Its writer may have got a part of it when a row fails.
func New(w io.Writer, format Format) (Grid, error) {
	if format == XLSX {
		return newBook(w)
	}
	return &lines{csv.NewWriter(w)}, nil
}

// lines writes CSV.
type lines struct{ out *csv.Writer }

func (g *lines) Row(cells ...any) error {
	row := make([]string, len(cells))
	for i, cell := range cells {
		switch c := cell.(type) {
		case nil:
		case string:
			row[i] = Harmless(c)
		case fmt.Stringer: // amounts and days, which are no one's words
			row[i] = c.String()
		default:
			row[i] = fmt.Sprint(c)
		}
	}
	return writing(g.out.Write(row))
}

func (g *lines) Close() error {
	g.out.Flush()
	return writing(g.out.Error())
}

func writing(err error) error {
	if err != nil {
		return fmt.Errorf("writing CSV: %w", err)
	}
	return nil
}

// risky begins what a spreadsheet works out (OWASP, "CSV Injection").
const risky = "=+-@\t\r\n"

// Harmless keeps a spreadsheet from taking a text for a formula: an apostrophe goes before = + - @, tab and line ends, and before
// apostrophes that one of them follows, so that Plain gives the text back.
func Harmless(s string) string {
	if rest := strings.TrimLeft(s, "'"); rest != "" && strings.IndexByte(risky, rest[0]) >= 0 {
		return "'" + s
	}
	return s
}

// Plain is the text that Harmless made s of; other text stays as it is.
func Plain(s string) string {
	if rest := strings.TrimLeft(s, "'"); rest != "" && len(rest) < len(s) && strings.IndexByte(risky, rest[0]) >= 0 {
		return s[1:]
	}
	return s
}
