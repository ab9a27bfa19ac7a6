package page

import "github.com/countinghouse/countinghouse/billing/takeout"

// Exports is the data of "exports". Form sends holds and format.
type Exports struct {
	Shell
	Form    Form
	Choices []Option
	Items   []Export
	Going   bool // one is in the making
	ListURL string
	Pager   Pager
	Keep    Form // sends keep_years
	KeepKey string
}

// FileFormats are what lists are written as.
func (Exports) FileFormats() []Option {
	return []Option{{Value: string(takeout.CSV), Label: "CSV, for any program"}, {Value: string(takeout.XLSX), Label: "XLSX, for Excel"}}
}

// Export is one row of the list.
type Export struct {
	takeout.Export
	SizeText string
	MayFetch bool
}

// Title is what the export holds, in words.
func (e Export) Title() string {
	if c, ok := takeout.ChoiceOf(e.Holds); ok {
		return c.Name
	}
	return e.Name
}

// Badge names the state's badge.
func (e Export) Badge() string { return "export_" + string(e.State) }

// Why says what stood in the way of an export, and what to do.
func (e Export) Why() string {
	switch {
	case e.State == takeout.Refused:
		return takeout.ErrRefused.Say
	case e.State == takeout.Failed && e.Problem == takeout.ErrTooLarge.Code:
		return takeout.ErrTooLarge.Say
	case e.State == takeout.Failed:
		return "It came to no end. Ask for it again."
	}
	return ""
}
