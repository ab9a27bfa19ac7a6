package bank

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/countinghouse/countinghouse/internal/civil"
	"github.com/countinghouse/countinghouse/internal/fault"
)

// What is refused about a mapping.
var (
	ErrMapping        = fault.New(fault.Invalid, "bank_mapping.malformed", "This is no way to read a file. Choose the columns again.")
	ErrMappingColumn  = fault.New(fault.Invalid, "bank_mapping.column", "There is no such column. Count columns from 1.")
	ErrMappingDate    = fault.New(fault.Invalid, "bank_mapping.date", "Choose the column that has the day.").At("date")
	ErrMappingFormat  = fault.New(fault.Invalid, "bank_mapping.date_format", "Choose how days are written in this file.").At("date_format")
	ErrMappingAmount  = fault.New(fault.Invalid, "bank_mapping.amount", "Choose the column with the amount, or one for money in and one for money out.").At("amount")
	ErrMappingDivider = fault.New(fault.Invalid, "bank_mapping.divider", "Columns are divided by a comma, a semicolon, a tab or a bar.").At("divider")
	ErrMappingSkip    = fault.New(fault.Invalid, "bank_mapping.skip", "At most 100 rows stand before the first movement.").At("skip")
)

// Column is a column of a CSV file, from 1; 0 is none.
type Column int

// Mapping says how a bank's CSV file is read.
type Mapping struct {
	Divider    rune
	Skip       int // rows before the first movement, heads among them
	Date       Column
	DateFormat string // one of DateFormats
	Amount     Column // with its sign; or none, and then
	In, Out    Column // both without one
	Turned     bool   // what goes out is above zero, as card companies write it
	Comma      bool   // decimals stand behind a comma
	Memo, More Column // more is written behind memo
	Party      Column
	Reference  Column
	ID         Column // the bank's own name for a line
}

// DateFormat is one way to write a day.
type DateFormat struct {
	Key     string // as it is stored and sent: dd.mm.yyyy
	layouts []string
}

var dateFormats = []DateFormat{
	{"yyyy-mm-dd", []string{"2006-1-2"}},
	{"dd.mm.yyyy", []string{"2.1.2006"}},
	{"dd/mm/yyyy", []string{"2/1/2006"}},
	{"mm/dd/yyyy", []string{"1/2/2006"}},
	{"yyyymmdd", []string{"20060102"}},
	{"dd-mm-yyyy", []string{"2-1-2006"}},
	{"yyyy/mm/dd", []string{"2006/1/2"}},
	{"dd.mm.yy", []string{"2.1.06"}},
	{"dd/mm/yy", []string{"2/1/06"}},
	{"mm/dd/yy", []string{"1/2/06"}},
	{"d mmm yyyy", []string{"2 Jan 2006", "02-Jan-2006", "2-Jan-2006"}},
	{"mmm d, yyyy", []string{"Jan 2, 2006", "Jan 2 2006"}},
}

// DateFormats are the keys of the ways to write a day that can be read.
func DateFormats() []string {
	keys := make([]string, len(dateFormats))
	for i, f := range dateFormats {
		keys[i] = f.Key
	}
	return keys
}

// dayOf reads a day. A time behind it is passed over.
func dayOf(cell, format string) (civil.Date, error) {
	cell = strings.TrimSpace(cell)
	i := slices.IndexFunc(dateFormats, func(f DateFormat) bool { return f.Key == format })
	if i < 0 {
		return civil.Date{}, ErrMappingFormat
	}
	if !strings.Contains(format, "mmm") {
		if at := strings.IndexAny(cell, " T"); at > 0 {
			cell = cell[:at]
		}
	}
	for _, layout := range dateFormats[i].layouts {
		if t, err := time.Parse(layout, cell); err == nil {
			return civil.Parse(t.Format(time.DateOnly))
		}
	}
	return civil.Date{}, civil.ErrDate.Sayf("%q is no day written as %s.", shorten(cell, 40), format)
}

// Dividers are what may stand between columns, with their names.
func Dividers() map[string]rune {
	return map[string]rune{"comma": ',', "semicolon": ';', "tab": '\t', "bar": '|'}
}

// DividerName is the name of what stands between columns.
func (m Mapping) DividerName() string {
	for name, r := range Dividers() {
		if r == m.Divider {
			return name
		}
	}
	return ""
}

// maxColumns is more than any bank writes.
const maxColumns = 60

// Check says what is wrong with a mapping.
func (m Mapping) Check() error {
	var faults fault.List
	if m.DividerName() == "" {
		faults = append(faults, ErrMappingDivider)
	}
	if m.Skip < 0 || m.Skip > 100 {
		faults = append(faults, ErrMappingSkip)
	}
	if m.Date < 1 {
		faults = append(faults, ErrMappingDate)
	}
	if !slices.Contains(DateFormats(), m.DateFormat) {
		faults = append(faults, ErrMappingFormat)
	}
	if single, double := m.Amount > 0, m.In > 0 && m.Out > 0; single == (m.In > 0 || m.Out > 0) || !single && !double {
		faults = append(faults, ErrMappingAmount)
	}
	for _, c := range []struct {
		field  string
		column Column
	}{{"date", m.Date}, {"amount", m.Amount}, {"in", m.In}, {"out", m.Out}, {"memo", m.Memo}, {"more", m.More}, {"party", m.Party}, {"reference", m.Reference}, {"id", m.ID}} {
		if c.column < 0 || c.column > maxColumns {
			faults = append(faults, ErrMappingColumn.At(c.field))
		}
	}
	return faults.Err()
}

// stored writes a mapping as the account keeps it: figures, with the divider and the format of days as theirs.
func (m Mapping) stored() string {
	format := slices.Index(DateFormats(), m.DateFormat)
	flags := 0
	if m.Turned {
		flags |= 1
	}
	if m.Comma {
		flags |= 2
	}
	return fmt.Sprint(1, m.Divider, m.Skip, format, flags, int(m.Date), int(m.Amount), int(m.In), int(m.Out), int(m.Memo), int(m.More), int(m.Party),
		int(m.Reference), int(m.ID))
}

// readMapping reads what stored wrote; ok is false for an account that has none.
func readMapping(s string) (m Mapping, ok bool) {
	var version, format, flags int
	n, err := fmt.Sscan(s, &version, &m.Divider, &m.Skip, &format, &flags, &m.Date, &m.Amount, &m.In, &m.Out, &m.Memo, &m.More, &m.Party, &m.Reference, &m.ID)
	if err != nil || n != 14 || version != 1 || format < 0 || format >= len(dateFormats) {
		return Mapping{}, false
	}
	m.DateFormat, m.Turned, m.Comma = dateFormats[format].Key, flags&1 != 0, flags&2 != 0
	return m, m.Check() == nil
}
