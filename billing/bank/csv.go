package bank

import (
	"encoding/csv"
	"errors"
	"io"
	"strings"

	"github.com/countinghouse/countinghouse/billing/money"
)

// rowsOf walks through the rows of a CSV file.
type rowsOf struct {
	name string
	in   *csv.Reader
	from int // lines of the file that stand before what in reads
}

func openCSV(name, text string, divider rune) *rowsOf {
	r := &rowsOf{name: name}
	// Excel's own line, which says what divides the columns.
	if line, rest, ok := strings.Cut(text, "\n"); ok && strings.HasPrefix(strings.ToLower(line), "sep=") && len(strings.TrimSpace(line)) == 5 {
		text, r.from = rest, 1
	}
	r.in = csv.NewReader(strings.NewReader(text))
	r.in.Comma, r.in.FieldsPerRecord, r.in.LazyQuotes = divider, -1, true
	return r
}

// next gives a row and the line that it begins on; io.EOF after the last.
func (r *rowsOf) next() (cells []string, line int, err error) {
	cells, err = r.in.Read()
	if errors.Is(err, io.EOF) {
		return nil, 0, err
	}
	var bad *csv.ParseError
	if errors.As(err, &bad) {
		return nil, 0, refuse(r.name, bad.StartLine+r.from, bad.Column, "A quotation mark opens here and is never closed.")
	} else if err != nil {
		return nil, 0, ErrFile.Because(err)
	}
	line, _ = r.in.FieldPos(0)
	if len(cells) > maxColumns {
		return nil, 0, refuse(r.name, line+r.from, 1, "A row has at most 60 columns.")
	}
	return cells, line + r.from, nil
}

// refuseCell says what is wrong with a cell. Its column is counted in cells, as people see them.
func (r *rowsOf) refuseCell(line int, column Column, err error) error {
	return refuse(r.name, line, int(column), sayOf(err))
}

func readCSV(name, text string, wanted Wanted, m Mapping) (File, error) {
	if err := m.Check(); err != nil {
		return File{}, err
	}
	f, rows := File{Format: CSV}, openCSV(name, text, m.Divider)
	for n := 0; ; n++ {
		cells, line, err := rows.next()
		if errors.Is(err, io.EOF) {
			return f, nil
		} else if err != nil {
			return File{}, err
		}
		if n < m.Skip || blank(cells) {
			continue
		}
		if len(f.Lines) >= maxLines {
			return File{}, ErrTooLarge
		}
		l, ok, err := m.line(rows, cells, line, wanted.Currency)
		if err != nil {
			return File{}, err
		}
		if !ok {
			f.LeftOut++
			continue
		}
		f.Lines = append(f.Lines, l)
	}
}

func blank(cells []string) bool {
	for _, c := range cells {
		if strings.TrimSpace(c) != "" {
			return false
		}
	}
	return true
}

func cell(cells []string, c Column) string {
	if c < 1 || int(c) > len(cells) {
		return ""
	}
	return strings.TrimSpace(cells[c-1])
}

// line reads one movement; ok is false for a row without day and amount, such as a total, and for one of nothing.
func (m Mapping) line(rows *rowsOf, cells []string, row int, c money.Currency) (l FileLine, ok bool, err error) {
	if cell(cells, m.Date) == "" && cell(cells, m.Amount)+cell(cells, m.In)+cell(cells, m.Out) == "" {
		return l, false, nil
	}
	l.Row = row
	if l.Date, err = dayOf(cell(cells, m.Date), m.DateFormat); err != nil {
		return l, false, rows.refuseCell(row, m.Date, err)
	}
	if l.Amount, err = m.amount(rows, cells, row, c); err != nil || l.Amount.IsZero() {
		return l, false, err
	}
	memo := cell(cells, m.Memo)
	if more := cell(cells, m.More); more != "" && more != memo {
		memo = strings.TrimSpace(memo + " " + more)
	}
	l.BankID, l.Memo = realID(cell(cells, m.ID)), plain(memo, memoLength)
	l.PartyName, l.Reference = plain(cell(cells, m.Party), partyLength), plain(cell(cells, m.Reference), referenceLength)
	return l, true, nil
}

func (m Mapping) amount(rows *rowsOf, cells []string, row int, c money.Currency) (money.Amount, error) {
	read := func(column Column) (money.Amount, error) {
		figure := cell(cells, column)
		if figure == "" && column != m.Amount {
			return money.Amount{Currency: c}, nil
		}
		a, err := amountOf(withoutCurrency(figure, c), c, m.Comma, true)
		if err != nil {
			return a, rows.refuseCell(row, column, err)
		}
		return a, nil
	}
	if m.Amount > 0 {
		a, err := read(m.Amount)
		if err == nil && m.Turned {
			return a.Neg()
		}
		return a, err
	}
	in, err := read(m.In)
	if err != nil {
		return in, err
	}
	out, err := read(m.Out)
	if err != nil {
		return out, err
	}
	if out.Sign() < 0 { // some write what goes out with its sign too
		if out, err = out.Neg(); err != nil {
			return out, err
		}
	}
	return in.Sub(out)
}

// withoutCurrency takes off the code or sign of a currency that stands beside a figure.
func withoutCurrency(figure string, c money.Currency) string {
	figure = strings.ReplaceAll(figure, c.Code(), "")
	return strings.Trim(strings.TrimSpace(strings.NewReplacer("€", "", "$", "", "£", "").Replace(figure)), "\u00a0")
}
