package intake

import (
	"fmt"
	"strings"

	"github.com/countinghouse/countinghouse/internal/fault"
)

// maxFaults is how many faults of one file are told: enough to see what is wrong with it, few enough to read.
const maxFaults = 20

// Fault is one thing that is wrong with a file.
type Fault struct {
	File   string
	Line   int    // of the file, counted from 1; 0 is the file as a whole
	Column int    // the cell of the row, counted from 1; 0 is the row as a whole
	Name   string // what the header calls the column
	Code   string // stable: "number.malformed"
	Say    string // for a person
}

// Error gives the place and the sentence: "invoices.csv, line 12, column 8 (quantity): A line needs a quantity."
func (f Fault) Error() string {
	var b strings.Builder
	b.WriteString(f.File)
	if f.Line > 0 {
		fmt.Fprintf(&b, ", line %d", f.Line)
	}
	if f.Column > 0 {
		fmt.Fprintf(&b, ", column %d", f.Column)
		if f.Name != "" {
			fmt.Fprintf(&b, " (%s)", f.Name)
		}
	}
	return b.String() + ": " + f.Say
}

// Refused says why a file was not taken. Nothing of it is to be kept.
type Refused struct {
	Faults []Fault
	More   bool // there may be further ones: the file was given up
}

// Error gives each fault on a line of its own.
func (r *Refused) Error() string {
	lines := make([]string, 0, len(r.Faults)+1)
	for _, f := range r.Faults {
		lines = append(lines, f.Error())
	}
	if r.More {
		lines = append(lines, fmt.Sprintf("These are the first %d. There may be more.", len(r.Faults)))
	}
	return strings.Join(lines, "\n")
}

// refusals collects the faults of one file.
type refusals struct {
	file  string
	list  []Fault
	other error // not a fault of the file
}

// full says that nothing more needs to be looked at.
func (r *refusals) full() bool { return len(r.list) >= maxFaults || r.other != nil }

func (r *refusals) err() error {
	if r.other != nil {
		return r.other
	}
	if len(r.list) == 0 {
		return nil
	}
	return &Refused{Faults: r.list, More: len(r.list) >= maxFaults}
}

func (r *refusals) add(f Fault) {
	if len(r.list) < maxFaults {
		f.File = r.file
		r.list = append(r.list, f)
	}
}

// addAll takes every fault in err; place says where a field of the input stands in the file. An error that is no fault
// ends the reading.
func (r *refusals) addAll(err error, place func(field string) Fault) {
	var faults fault.List
	if !faults.Add("", err) {
		r.other = err
		return
	}
	for _, e := range faults {
		at := place(e.Field)
		at.Code, at.Say = e.Code, e.Say
		r.add(at)
	}
}
