package page

import (
	"strconv"

	"github.com/countinghouse/countinghouse/billing/bank"
	"github.com/countinghouse/countinghouse/billing/money"
)

// Banks is the data of "bank": the bank accounts.
type Banks struct {
	Shell
	Items  []bank.Account
	Column Column
}

// BankForm is the data of "bank-edit". Its form sends account_id, currency, bank_name, last_four, opening and version.
type BankForm struct {
	Shell
	Form         Form
	Action, Back string
	New          bool
	Currency     money.Currency
	Accounts     []Option // to choose from, of a new one
}

// BankAccount is the data of "bank-account": an account with its lines.
type BankAccount struct {
	Shell
	Form     Form // of an act that was refused; otherwise empty
	Account  bank.Account
	Gap      money.Amount // by how much the bank's word differs from the lines
	Lines    []BankLine
	Tabs     Tabs
	Pager    Pager
	State    string
	FileKey  string   // the key of the upload's form
	Accounts []Option // to book to
	Taxes    []Option // that may be in the amount
}

// BankLine is a line with what it may belong to, and what can be done about it.
type BankLine struct {
	bank.Line
	Suggestions []BankSuggestion
	Key         string // of the form that books it
	Acts        []Act
	EntryURL    string
}

// Badge names the badge of its state.
func (l BankLine) Badge() string {
	switch {
	case l.Locked():
		return "bank_locked"
	case l.How == bank.Excluded:
		return "bank_excluded"
	case l.How == bank.Open:
		return "bank_open"
	}
	return "bank_matched"
}

// Said is what the line says first, and Then the rest.
func (l BankLine) Said() string {
	if l.PartyName != "" {
		return l.PartyName
	}
	if l.Memo != "" {
		return l.Memo
	}
	return l.Reference
}

// Then is what stands below Said.
func (l BankLine) Then() string {
	rest := l.Reference
	if l.PartyName != "" && l.Memo != "" {
		rest = l.Memo + " " + l.Reference
	} else if l.PartyName == "" && l.Memo == "" {
		rest = ""
	}
	return rest
}

// BankSuggestion is one thing that a line may belong to, with the fields that its button sends.
type BankSuggestion struct {
	bank.Suggestion
	Name, Value string // of the field that names it
	Key         string
}

// Sure says that it is more than a guess.
func (s BankSuggestion) Sure() bool { return s.Certainty >= bank.Sure }

// Open says that it is a document, of which something is open.
func (s BankSuggestion) Open() bool { return len(s.Invoices)+len(s.Bills) == 1 }

// Does is what its button says.
func (s BankSuggestion) Does() string {
	switch s.Name {
	case "invoice_ids", "bill_ids":
		if s.KeepRest {
			return "Record payment, keep the rest"
		}
		return "Record payment"
	case "account_id":
		return "Book"
	}
	return "Match"
}

// BankImport is the data of "bank-import": a CSV file before it is taken. Its form sends divider, skip, date, date_format,
// amount, in, out, turned, comma, memo, more, party, reference, id, and action.
type BankImport struct {
	Shell
	Form     Form
	Action   string
	Account  bank.Account
	FileName string
	Lines    []bank.FileLine // the first as they would be taken
	Done     bank.Imported   // what taking it would do
	Readable bool
	Columns  []Option // of the file, with what stands in the first rows
}

// BankDateFormats are the ways to write a day.
func BankDateFormats() []Option {
	var all []Option
	for _, key := range bank.DateFormats() {
		all = append(all, Option{Value: key, Label: key})
	}
	return all
}

// BankDividers are what may stand between columns.
func BankDividers() []Option {
	return []Option{{Value: "comma", Label: "Comma"}, {Value: "semicolon", Label: "Semicolon"}, {Value: "tab", Label: "Tab"}, {Value: "bar", Label: "Bar |"}}
}

// BankLineForm is the data of "bank-line-edit". Its form sends date, amount, memo, party_name and reference.
type BankLineForm struct {
	Shell
	Form         Form
	Action, Back string
	Account      bank.Account
}

// BankRules is the data of "bank-rules".
type BankRules struct {
	Shell
	Form  Form // of an act that was refused
	Items []BankRule
}

// BankRule is a rule with what can be done about it.
type BankRule struct {
	bank.Rule
	Acts []Act
}

var ruleWays = []Option{{Value: bank.Contains, Label: "contains"}, {Value: bank.Starts, Label: "starts with"}, {Value: bank.Equals, Label: "is exactly"}}

// Say tells the rule's condition: "Text contains “fee”, money out, up to 20".
func (r BankRule) Say() string {
	said := "Text "
	for _, w := range ruleWays {
		if w.Value == r.Way {
			said += w.Label
		}
	}
	said += " “" + r.Words + "”"
	switch r.Direction {
	case "in":
		said += ", money in"
	case "out":
		said += ", money out"
	}
	switch {
	case r.Least != nil && r.Most != nil:
		said += ", " + quantity(*r.Least) + " to " + quantity(*r.Most)
	case r.Least != nil:
		said += ", " + quantity(*r.Least) + " or more"
	case r.Most != nil:
		said += ", " + quantity(*r.Most) + " at most"
	}
	return said
}

// BankRuleForm is the data of "bank-rule-edit". Its form sends words, way, direction, least, most, bank_account_id, account_id,
// description, automatic and version.
type BankRuleForm struct {
	Shell
	Form         Form
	Action, Back string
	Does         string
	Banks        []Option
	Accounts     []Option
	Taxes        []Option
	Acts         []Act
}

// BankRuleWays are the ways in which a rule looks for its words.
func BankRuleWays() []Option { return ruleWays }

// BankDirections are for which lines a rule is.
func BankDirections() []Option {
	return []Option{{Value: "", Label: "Both"}, {Value: "out", Label: "Money out"}, {Value: "in", Label: "Money in"}}
}

// BankStatements is the data of "bank-statements". Its form sends ends_on and closing.
type BankStatements struct {
	Shell
	Form    Form
	Account bank.Account
	Items   []bank.Statement
	Begun   bool // one is under way
}

// BankStatement is the data of "bank-statement". Its form sends ends_on, closing and version.
type BankStatement struct {
	Shell
	Form       Form // of the day and the balance
	Account    bank.Account
	Statement  bank.Statement
	Difference money.Amount
	First      bool // there is none before it
	Lines      []BankLine
	Acts       []Act
	Finish     Act
}

// BankOutstanding is the data of "bank-outstanding".
type BankOutstanding struct {
	Shell
	bank.Outstanding
	CSV string
}

// Signed writes an amount with its sign, for sums that are worked out on a page.
func (o BankOutstanding) Signed(a money.Amount) string {
	if a.Sign() > 0 {
		return "+" + figures(a)
	}
	return figures(a)
}

// BankColumns are a file's columns to choose from, named by what stands in the rows.
func BankColumns(rows [][]string) []Option {
	widest := 0
	for _, r := range rows {
		widest = max(widest, len(r))
	}
	all := make([]Option, 0, widest)
	for c := range widest {
		label := strconv.Itoa(c + 1)
		seen := 0
		for _, r := range rows {
			if c < len(r) && r[c] != "" && seen < 2 {
				sample := []rune(r[c])
				label += ": " + string(sample[:min(len(sample), 24)])
				seen++
			}
		}
		all = append(all, Option{Value: strconv.Itoa(c + 1), Label: label})
	}
	return all
}
