package takeout

import (
	"slices"

	"github.com/countinghouse/countinghouse/billing/export"
	"github.com/countinghouse/countinghouse/billing/sheet"
)

// Subject is what is in an export.
type Subject string

// The subjects that are no table of package export.
const (
	Ledger     Subject = "ledger"     // the general ledger
	Everything Subject = "everything" // all there is, in one archive
)

// Format is what an export is written as.
type Format string

// The formats.
const (
	CSV       = Format(sheet.CSV)
	XLSX      = Format(sheet.XLSX)
	ZIP       = Format("zip")
	Hledger   = Format(export.Hledger)
	Beancount = Format(export.Beancount)
)

// Choice is a subject that can be asked for.
type Choice struct {
	Subject Subject
	Name    string
	Right   string   // that it takes beside exporting at all: "customers:export"
	Formats []Format // the first is meant where none is named
}

var asTable = []Format{CSV, XLSX}

var choices = []Choice{
	{Everything, "Everything", "exports:create", []Format{ZIP}},
	{Subject(export.Accounts), "Chart of accounts", "accounts:export", asTable},
	{Subject(export.Customers), "Customers", "customers:export", asTable},
	{Subject(export.Payees), "Payees", "payees:export", asTable},
	{Subject(export.Products), "Products", "products:export", asTable},
	{Subject(export.Invoices), "Invoices", "invoices:export", asTable},
	{Subject(export.CreditNotes), "Credit notes", "invoices:export", asTable},
	{Subject(export.Payments), "Payments", "payments:export", asTable},
	{Subject(export.Bills), "Bills", "bills:export", asTable},
	{Subject(export.PayeeCredits), "Payee credits", "bills:export", asTable},
	{Subject(export.BillPayments), "Bill payments", "bills:export", asTable},
	{Subject(export.Credits), "What credits settle", "reports:export", asTable},
	{Subject(export.Transactions), "Transaction history", "reports:export", asTable},
	{Subject(export.Journal), "Journal entries", "journal:export", asTable},
	{Ledger, "General ledger", "reports:export", asTable},
	{"hledger", "Journal for hledger", "journal:export", []Format{Hledger}},
	{"beancount", "Journal for beancount", "journal:export", []Format{Beancount}},
}

// Choices are the subjects, in the order in which they are offered. The caller may keep and change the list.
func Choices() []Choice { return slices.Clone(choices) }

// ChoiceOf finds a subject.
func ChoiceOf(s Subject) (Choice, bool) {
	i := slices.IndexFunc(choices, func(c Choice) bool { return c.Subject == s })
	if i < 0 {
		return Choice{}, false
	}
	return choices[i], true
}

// mediaTypes by format, and the ending of a file's name.
var mediaTypes = map[Format]struct{ mediaType, ending string }{
	CSV:       {"text/csv; charset=utf-8", "csv"},
	XLSX:      {"application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", "xlsx"},
	ZIP:       {"application/zip", "zip"},
	Hledger:   {"text/plain; charset=utf-8", "journal"},
	Beancount: {"text/plain; charset=utf-8", "beancount"},
}
