package intake

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/countinghouse/countinghouse/billing/money"
)

// maxFileBytes bounds what is kept of one file in memory.
const maxFileBytes = 64 << 20

// Table is a file whose form has been checked: its header is that of a shape, and every row has its cells in UTF-8.
type Table struct {
	File   string
	Shape  Shape
	column map[string]int // where each column of the shape stands in the file
	header []string
	rows   []row
	faults *refusals

	foreign *dialect       // of another program; nil for ours
	base    money.Currency // what its amounts are in where it names no currency

	entries   []*journalEntry // of a journal in plain text
	amounts   map[*journalEntry][]plainAmount
	plainHead row // of the entry that is being read
}

// Program is whose file it is: "Xero", or empty for one in our own shape.
func (t *Table) Program() string {
	if t.foreign == nil {
		return ""
	}
	return t.foreign.name
}

// row is one line of a file, or more where a quoted cell holds line breaks.
type row struct {
	line  int
	lines []int // of each cell, where they are not all the same
	cells []string
}

// Rows is how many rows the file has below its header, or entries if it is a journal in plain text.
func (t *Table) Rows() int { return len(t.rows) + len(t.entries) }

// Read reads a CSV file (RFC 4180): with commas, semicolons or tabs between the cells, with the line ends of any system,
// with or without a byte order mark, its columns in any order. name is what refusals call it. What is wrong with the
// file comes back as *Refused.
//
// It also reads the files of other programs that dialects lists, and a journal in plain text (ReadJournal).
func Read(name string, from io.Reader) (*Table, error) {
	t := &Table{File: name, faults: &refusals{file: name}}
	source := &unixLines{from: from, left: maxFileBytes}
	buffered := bufio.NewReaderSize(source, 64<<10)
	if start, err := buffered.Peek(32 << 10); (err == nil || errors.Is(err, io.EOF)) && looksLikeJournal(name, start) {
		return t.readJournal(source, buffered)
	}
	separator, err := t.begin(buffered)
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", name, err)
	}
	if err := t.faults.err(); err != nil {
		return nil, err
	}
	records := csv.NewReader(buffered)
	records.Comma = separator
	records.FieldsPerRecord = -1
	if err := t.readHeader(records); err != nil {
		return nil, t.explain(source, err)
	}
	for !t.faults.full() {
		if err := t.readRow(records); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return nil, t.explain(source, err)
		}
	}
	if len(t.rows) == 0 && len(t.faults.list) == 0 {
		t.faults.addAll(ErrEmpty, func(string) Fault { return Fault{} })
	}
	if err := t.faults.err(); err != nil {
		return nil, err
	}
	t.adapt()
	return t, nil
}

// begin looks at how the file starts: its byte order mark, and what stands between the cells of the first line.
func (t *Table) begin(source *bufio.Reader) (separator rune, err error) {
	start, err := source.Peek(32 << 10)
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, errTooLarge) {
		return 0, err
	}
	whole := func(string) Fault { return Fault{} }
	switch {
	case bytes.HasPrefix(start, []byte("\xff\xfe")), bytes.HasPrefix(start, []byte("\xfe\xff")):
		t.faults.addAll(ErrEncoding.Sayf("This is UTF-16 text. Save the file as CSV in UTF-8."), whole)
		return 0, nil
	case bytes.HasPrefix(start, []byte("\xef\xbb\xbf")):
		if _, err := source.Discard(3); err != nil {
			return 0, err
		}
		start = start[3:]
	}
	first := bytes.TrimLeft(start, "\n")
	if end := bytes.IndexByte(first, '\n'); end >= 0 {
		first = first[:end]
	}
	if len(bytes.TrimSpace(first)) == 0 {
		t.faults.addAll(ErrHeader.Sayf("The file is empty."), whole)
	}
	separator = ','
	for _, other := range []rune{';', '\t'} {
		if bytes.Count(first, []byte(string(other))) > bytes.Count(first, []byte(string(separator))) {
			separator = other
		}
	}
	return separator, nil
}

func (t *Table) readHeader(records *csv.Reader) error {
	record, line, err := readNames(records)
	if err != nil {
		return err
	}
	t.header = make([]string, len(record))
	t.column = make(map[string]int, len(record))
	for i, cell := range record {
		name := strings.ToLower(strings.TrimSpace(cell))
		t.header[i] = name
		at := Fault{Line: line, Column: i + 1, Name: clip(name)}
		if !readable(name) {
			t.faults.addAll(ErrCell, func(string) Fault { return at })
		} else if earlier, twice := t.column[name]; twice {
			t.faults.addAll(ErrHeader.Sayf("Column %d has this name too. Leave one out.", earlier+1), func(string) Fault { return at })
		} else {
			t.column[name] = i
		}
	}
	if len(t.faults.list) > 0 {
		return t.faults.err()
	}
	if !ours(t.header) {
		if d, columns := recogniseForeign(t.File, t.header); d != nil {
			t.foreign, t.column, t.Shape = d, columns, d.shape
			return nil
		} else if isOneSided(t.header) {
			t.faults.addAll(ErrOneSided, func(string) Fault { return Fault{Line: line} })
			return t.faults.err()
		}
	}
	found, ok := recognise(t.header, t.faults)
	if !ok {
		return t.faults.err()
	}
	t.Shape = found.shape
	return nil
}

// readNames reads the line that names the columns: the first, or in a report the one below its titles.
func readNames(records *csv.Reader) (names []string, line int, err error) {
	names, err = records.Read()
	if err != nil {
		return nil, 0, brokenRow{cells: len(names), error: err}
	}
	line, _ = records.FieldPos(0)
	if !isTitle(names) {
		return names, line, nil
	}
	for range maxTitles {
		below, err := records.Read()
		if err != nil {
			break // what is wrong is that the first line names no columns
		}
		if !isTitle(below) {
			if at, _ := records.FieldPos(0); isReport(below) {
				return below, at, nil
			}
			break
		}
	}
	return names, line, nil
}

func (t *Table) readRow(records *csv.Reader) error {
	record, err := records.Read()
	if err != nil {
		return brokenRow{cells: len(record), error: err}
	}
	line, _ := records.FieldPos(0)
	r := row{line: line, cells: record}
	if last, _ := records.FieldPos(len(record) - 1); last != line {
		r.lines = make([]int, len(record))
		for i := range record {
			r.lines[i], _ = records.FieldPos(i)
		}
	}
	blank := true
	for i, cell := range record {
		record[i] = strings.TrimSpace(cell)
		blank = blank && record[i] == ""
		if !readable(cell) {
			t.refuse(r, i, ErrCell)
		}
	}
	switch {
	case blank, t.isBetween(record): // spreadsheets leave such rows behind, and reports have them
	case len(record) != len(t.header):
		t.refuse(r, -1, ErrWidth.Sayf("The row has %d cells, the header %d. A cell with a separator or line break in it stands between quotation marks.", len(record), len(t.header)))
	default:
		t.rows = append(t.rows, r)
	}
	return nil
}

func readable(s string) bool { return utf8.ValidString(s) && strings.IndexByte(s, 0) < 0 }

// brokenRow is a row that could not be read beyond some of its cells.
type brokenRow struct {
	cells int
	error
}

func (b brokenRow) Unwrap() error { return b.error }

// explain turns what ended the reading into a refusal where the file is to blame.
func (t *Table) explain(source *unixLines, err error) error {
	var refused *Refused
	var malformed *csv.ParseError
	var broken brokenRow
	switch {
	case errors.As(err, &refused):
		return err
	case source.left < 0:
		t.faults.addAll(ErrTooLarge, func(string) Fault { return Fault{} })
	case errors.As(err, &broken) && errors.As(err, &malformed):
		at := t.place(row{line: malformed.StartLine}, broken.cells)
		t.faults.addAll(ErrQuotes, func(string) Fault { return at })
	default:
		return fmt.Errorf("reading %s: %w", t.File, err)
	}
	return t.faults.err()
}

// refuse notes what is wrong with one cell (counted from 0), or with the row when cell is -1.
func (t *Table) refuse(r row, cell int, err error) {
	t.faults.addAll(err, func(string) Fault { return t.place(r, cell) })
}

func (t *Table) place(r row, cell int) Fault {
	if len(t.header) > 0 && cell >= len(t.header) { // what was filled in stands nowhere
		cell = -1
	}
	f := Fault{Line: r.line, Column: cell + 1}
	if cell >= 0 && cell < len(t.header) {
		f.Name = t.header[cell]
	}
	if cell >= 0 && cell < len(r.lines) {
		f.Line = r.lines[cell]
	}
	return f
}

// at is where a column stands in the file; -1 when the file has none.
func (t *Table) at(name string) int {
	if i, ok := t.column[name]; ok {
		return i
	}
	return -1
}

// unixLines gives every line the end "\n", and no more bytes than it may.
type unixLines struct {
	from     io.Reader
	left     int
	returned bool // the last byte was a carriage return, which has been given as a line end
}

var errTooLarge = errors.New("the file is too large")

func (u *unixLines) Read(p []byte) (int, error) {
	for {
		n, err := u.from.Read(p)
		if u.left -= n; u.left < 0 {
			return 0, errTooLarge
		}
		kept := p[:0]
		for _, b := range p[:n] {
			switch {
			case b == '\n' && u.returned: // the second half of a Windows line end
				u.returned = false
				continue
			case b == '\r':
				u.returned = true
				b = '\n'
			default:
				u.returned = false
			}
			kept = append(kept, b)
		}
		if len(kept) > 0 || err != nil || n == 0 {
			return len(kept), err
		}
	}
}
