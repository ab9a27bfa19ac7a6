package page

import (
	"time"

	"github.com/shopspring/decimal"

	"github.com/countinghouse/countinghouse/billing"
	"github.com/countinghouse/countinghouse/billing/bank"
	"github.com/countinghouse/countinghouse/billing/ledger"
	"github.com/countinghouse/countinghouse/internal/civil"
	"github.com/countinghouse/countinghouse/internal/fault"
	"github.com/countinghouse/countinghouse/internal/id"
)

func sampleBank() bank.Account {
	return bank.Account{ID: id.New[ledger.Account](), Code: "1010", Name: `Current "account" <b>`, Currency: eur, BankName: "AIB", LastFour: "5678", Since: civil.On(2026, 10, 1),
		Opening: euros(100000), Book: euros(124000), Bank: euros(120050), AtStated: euros(120050), Stated: &bank.Balance{Date: civil.On(2026, 11, 2), Amount: euros(120051)},
		Lines: 3, ToLookAt: 1, Reconciled: civil.On(2026, 10, 31), Version: 2}
}

func bankSamples() map[string]any {
	a := sampleBank()
	open := bank.Line{ID: id.New[bank.Line](), Account: a.ID, Date: civil.On(2026, 11, 2), Amount: euros(25050), PartyName: "Halden <Optics>", Memo: "INV-0042", Reference: "RF 1", Version: 1}
	booked := bank.Line{ID: id.New[bank.Line](), Account: a.ID, Date: civil.On(2026, 11, 2), Amount: euros(-1200), Memo: "Fee", How: bank.Booked, Entry: id.New[ledger.Entry](), EntryNumber: 12,
		EntrySay: "Bank fees", Rule: id.New[bank.Rule](), RuleWords: "fee", Version: 2}
	locked := booked
	locked.ID, locked.Statement = id.New[bank.Line](), id.New[bank.Statement]()
	least, most := decimal.New(5, 0), decimal.New(2050, -2)
	rule := bank.Rule{ID: id.New[bank.Rule](), Position: 1, RuleInput: bank.RuleInput{Words: "fee", Way: bank.Contains, Direction: "out", Least: &least, Most: &most, Tax: "VAT", Automatic: true},
		BookCode: "6000", BookName: "Bank fees", BankName: "Current account", Version: 1}
	act := Act{URL: "/x", Label: "Undo", Icon: "undo-2", Class: "btn-small", Ask: "Sure?", Key: "k", Version: 1}
	accounts := []Option{{Value: "1", Label: "6000 Bank fees", Group: "Expenses"}}
	lines := []BankLine{{Line: open, Key: "k", Acts: []Act{act}, Suggestions: []BankSuggestion{{Suggestion: bank.Suggestion{Match: bank.Match{Invoices: []billing.InvoiceID{id.New[billing.Invoice]()}, Say: "Rent"}, Title: "Invoice INV-0042 of Halden Optics",
		Amount: euros(30000), Why: []string{"Its number stands in the text", "The amount is a part of what is open"}, Certainty: 96}, Name: "invoice_ids", Value: "v", Key: "k"},
		{Suggestion: bank.Suggestion{Match: bank.Match{Invoices: []billing.InvoiceID{id.New[billing.Invoice]()}, KeepRest: true}, Title: "Invoice INV-0043", Amount: euros(1), Why: []string{"It is more"}}, Name: "invoice_ids", Value: "v", Key: "k"}}},
		{Line: booked, Acts: []Act{act}}, {Line: locked}, {Line: bank.Line{ID: id.New[bank.Line](), Date: civil.On(2026, 1, 1), Amount: euros(1), How: bank.Excluded}, Acts: []Act{act}}}
	finished := time.Date(2026, 11, 3, 12, 0, 0, 0, time.UTC)
	statement := bank.Statement{ID: id.New[bank.Statement](), Account: a.ID, EndsOn: civil.On(2026, 10, 31), Opening: euros(0), Closing: euros(100), Cleared: euros(90), Lines: 4, ToLookAt: 2, Newest: true, Version: 1}
	done := statement
	done.Finished, done.ByName = &finished, "Mara <Lindqvist>"
	date := fault.New(fault.Invalid, "date.malformed", "Write the date.").At("date")
	opening := fault.New(fault.Conflict, "bank_account.opening_fixed", "A statement was finished on this balance.").At("opening")
	mapping := NewForm("divider", "semicolon", "skip", "4", "date", "1", "date_format", "dd.mm.yyyy", "amount", "3", "comma", "yes")
	return map[string]any{
		"bank":         Banks{Shell: sampleShell("Bank", "bank"), Items: []bank.Account{a, {Name: "Savings", Currency: eur}}, Column: ColumnOf(eur, a.Bank)},
		"bank-edit":    BankForm{Shell: sampleShell("Add bank account", "bank"), Form: refused(NewForm("currency", "EUR", "version", "2"), opening), Action: "/x", Back: "/y", New: true, Currency: eur, Accounts: accounts},
		"bank-account": BankAccount{Shell: sampleShell("Current account", "bank"), Account: a, Gap: euros(1), Lines: lines, Tabs: sampleTabs(), FileKey: "k", Accounts: accounts, Taxes: accounts},
		"bank-import": BankImport{Shell: sampleShell("Import", "bank"), Form: refused(mapping, date), Action: "/x", Account: a, FileName: "umsätze.csv", Readable: true,
			Lines: []bank.FileLine{{Date: civil.On(2026, 11, 2), Amount: euros(-5), Memo: "<Fee>", PartyName: "AIB", Reference: "7"}},
			Done:  bank.Imported{Lines: 3, Added: 2, Known: 1, Alike: 1, Early: 1, First: civil.On(2026, 11, 1), Last: civil.On(2026, 11, 2)}, Columns: BankColumns([][]string{{"Date", "Amount"}, {"1", "2", "3"}})},
		"bank-line-edit":  BankLineForm{Shell: sampleShell("Add a line", "bank"), Form: refused(NewForm("amount", "x"), date), Action: "/x", Back: "/y", Account: a},
		"bank-rules":      BankRules{Shell: sampleShell("Rules", "bank"), Items: []BankRule{{Rule: rule, Acts: []Act{act}}}},
		"bank-rule-edit":  BankRuleForm{Shell: sampleShell("Change rule", "bank"), Form: NewForm("words", "fee", "way", "contains", "direction", "out", "automatic", "yes"), Action: "/x", Back: "/y", Does: "Save rule", Banks: accounts, Accounts: accounts, Taxes: accounts, Acts: []Act{act}},
		"bank-statements": BankStatements{Shell: sampleShell("Reconcile", "bank"), Form: NewForm(), Account: a, Items: []bank.Statement{statement, done}},
		"bank-statement": BankStatement{Shell: sampleShell("Statement", "bank"), Form: NewForm("ends_on", "2026-10-31", "closing", "1.00", "version", "1"), Account: a, Statement: statement,
			Difference: euros(10), Lines: lines, Acts: []Act{act}, Finish: act},
		"bank-outstanding": BankOutstanding{Shell: sampleShell("Outstanding", "bank"), CSV: "/x.csv", Outstanding: bank.Outstanding{Account: a, Date: civil.On(2026, 11, 2), Book: euros(5), Opening: euros(1),
			Entries: []bank.OutstandingEntry{{ID: id.New[ledger.Entry](), Number: 7, Date: civil.On(2026, 11, 1), Say: "By <hand>", Amount: euros(-5)}}, Lines: []bank.Line{open}, Booked: euros(-5), Unseen: euros(3), Bank: euros(14)}},
	}
}
