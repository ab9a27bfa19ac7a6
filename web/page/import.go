package page

import "github.com/countinghouse/countinghouse/billing/money"

// Imports is the data of "imports". The form sends file.
type Imports struct {
	Shell
	Form   Form
	Action string
	Faults []ImportFault // of the file that was sent
	More   bool          // and there may be more
	Shapes []string      // what files there can be, a paragraph each
}

// ImportFault is one thing that is wrong with a file.
type ImportFault struct {
	Line, Column int    // from 1; 0 is the whole
	Name         string // of the column
	Say          string
}

// ImportCheck is the data of "import-check": what importing a file would do.
type ImportCheck struct {
	Shell
	Form                                                   Form
	Action, Back                                           string
	File, Program, What                                    string
	Things, Lines, Added, Changed, Unchanged, Passed, Paid int
	Totals                                                 []money.Amount
}
