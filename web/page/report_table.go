package page

import (
	"slices"
	"strings"

	"github.com/countinghouse/countinghouse/billing/report"
)

// Reports is the data of "reports".
type Reports struct {
	Shell
	Items []ReportItem
}

// ReportItem is a report that there is.
type ReportItem struct{ Title, Icon, Say, URL string }

// ReportTable is the data of "report-table": any report that comes as a table.
type ReportTable struct {
	Shell
	Path      string // what follows /reports/
	Say       string
	OneDay    bool // it is asked for a day, not for a period
	Period    Period
	By        string // what it is by; empty where it is by nothing
	Bys       []Option
	Table     report.Table
	Parts     []ReportSection
	CSV, XLSX string // where the files are; empty for readers who may not have them
}

// ReportSection is a section with its rows as they are shown.
type ReportSection struct {
	report.Section
	Shown []ReportRow
}

// ReportRow is a row with where each of its figures leads.
type ReportRow struct {
	report.Row
	URLs  []string
	Open  bool
	Sales []ReportSale // the documents behind one of its figures, when it is open
}

// URL is where the figure of a column leads.
func (r ReportRow) URL(column int) string { return r.URLs[column] }

// ReportSale is a document behind a figure of a column.
type ReportSale struct {
	report.Sale
	Column int
	URL    string // where it is; empty where its reader may not go
}

// ReportNav is which entry of the navigation a report stands under.
func ReportNav(key string) string {
	for _, section := range navigation {
		if slices.ContainsFunc(section.entries, func(i navItem) bool { return i.key == key }) {
			return key
		}
	}
	return "reports"
}

// ManyCurrencies says whether there is another currency to choose.
func (t ReportTable) ManyCurrencies() bool {
	return len(t.Table.Currencies) > 1 || t.Table.Currency != t.Table.Currencies[0]
}

// CurrencyOptions are the currencies in which there is anything, and the one that is shown.
func (t ReportTable) CurrencyOptions() []Option {
	var options []Option
	for _, c := range t.Table.Currencies {
		options = append(options, Option{Value: c.Code(), Label: c.Code()})
	}
	if !slices.Contains(t.Table.Currencies, t.Table.Currency) {
		options = append(options, Option{Value: t.Table.Currency.Code(), Label: t.Table.Currency.Code()})
	}
	return options
}

// Unbalanced says that a balance sheet does not balance, which must not happen.
func (t ReportTable) Unbalanced() bool { return t.Path == "balance-sheet" && !t.Table.Balanced() }

// SectionSums says whether sections have sums of their own: where there is only one, the sum of all is the same.
func (t ReportTable) SectionSums() bool { return len(t.Parts) > 1 }

// Wide says that there are more columns than fit beside each other on a tablet.
func (t ReportTable) Wide() bool { return len(t.Table.Columns) > 3 }

// xlsxOf is the address of a report as XLSX beside that of its CSV.
func xlsxOf(csv string) string { return strings.Replace(csv, ".csv", ".xlsx", 1) }
