package page

import (
	"strings"

	"github.com/countinghouse/countinghouse/billing/ledger"
	"github.com/countinghouse/countinghouse/billing/money"
	"github.com/countinghouse/countinghouse/internal/civil"
)

// Accounts is the data of "accounts".
type Accounts struct {
	Shell
	Groups   []AccountGroup
	Archived bool
	Tabs     Tabs
}

// AccountGroup is the accounts of one kind.
type AccountGroup struct {
	Name     string // "Assets"
	Accounts []ledger.Account
}

// AccountForm is the data of "account-edit". Its form sends code, name and kind for a new account, and name and version
// for one that is there.
type AccountForm struct {
	Shell
	Form         Form
	Action, Does string
	Account      *ledger.Account // nil for a new one
	Acts         []Act
}

// Kinds are the kinds of account, in the order of the books.
func Kinds() []Option {
	return []Option{
		{Value: "asset", Label: "Asset: what you have"},
		{Value: "liability", Label: "Liability: what you owe"},
		{Value: "equity", Label: "Equity: what was put in and kept"},
		{Value: "income", Label: "Income: what you earn"},
		{Value: "expense", Label: "Expense: what you spend"},
	}
}

// kindNames is KindNames, for templates.
func kindNames() []KindName { return KindNames }

// KindName is a kind of account as lists head it.
type KindName struct {
	Kind ledger.Kind
	Name string
}

// KindNames heads the accounts of each kind.
var KindNames = []KindName{
	{ledger.KindAsset, "Assets"}, {ledger.KindLiability, "Liabilities"}, {ledger.KindEquity, "Equity"},
	{ledger.KindIncome, "Income"}, {ledger.KindExpense, "Expenses"},
}

// purposes say what the books post to an account for.
var purposes = map[string]string{
	ledger.Receivable: "What customers owe",
	ledger.Bank:       "Where payments arrive",
	ledger.Income:     "Sales, where a line names no other",
	ledger.Tax:        "Taxes, where a rate names no other",
	ledger.Equity:     "Capital",

	ledger.Retained: "What closed years came to",

	ledger.GatewayFees: "What payment gateways keep",

	ledger.CurrencyAdjustment: "What foreign currency is worth more or less",
	ledger.CurrencyRealised:   "Gains and losses on foreign payments",
	ledger.Payable:            "What you owe payees",
	ledger.CurrencyUnrealised: "Gains and losses at the end of a period",
}

func purpose(p string) string {
	if p != ledger.GatewayFees && strings.HasPrefix(p, ledger.GatewayPrefix) {
		return "What a payment gateway holds"
	}
	return purposes[p]
}

// Journal is the data of "journal".
type Journal struct {
	Shell
	Find     Find
	Periods  Periods
	Narrowed bool // some are left out
	Items    []JournalRow
	Column   Column
	Pager    Pager
}

// JournalRow is one entry of the list.
type JournalRow struct {
	ledger.Entry
	Amounts []money.Amount // the sum of its debits, by currency
}

// Entry is the data of "entry".
type Entry struct {
	Shell
	Form       Form // of the reversal
	Entry      ledger.Entry
	Column     Column
	Sums       []money.Amount // of its debits, which are those of its credits too
	Source     string         // the document that it comes from; empty for none
	SourceURL  string
	Reversible bool
	Reverses   int64 // the number of the entry that it undoes; 0 for none
	ReversedBy int64
}

// EntryForm is the data of "entry-edit". Its form sends date, description, currency, and of each line N
// lines[N].account_id, debit, credit and memo. Its buttons send action: post, add or remove-N.
type EntryForm struct {
	Shell
	Form     Form
	Action   string
	Unsaved  bool
	Lines    []EditorLine
	Accounts []Option
	Currency money.Currency
	Totals   EntryTotals
}

// EntryTotals is what an entry's sides come to so far.
type EntryTotals struct {
	Debit, Credit, Difference money.Amount
	Say                       string // how it stands
	Balanced                  bool
}

// GeneralLedger is the data of "ledger".
type GeneralLedger struct {
	Shell
	Period   Period
	Groups   []LedgerGroup
	Sums     []LedgerSum
	Column   Column
	Chosen   string // the id of the account that is open; empty for none
	CSV      string // where the file is; empty for readers who may not have it
	Accounts []Option
	Closed   civil.Date
}

// Period is from one day through another; a zero day is no bound.
type Period struct{ From, To civil.Date }

// LedgerGroup is the accounts of one kind.
type LedgerGroup struct {
	Name     string
	Accounts []LedgerAccount
}

// LedgerAccount is one account in one currency. Balances are debits less credits.
type LedgerAccount struct {
	Account                         ledger.Account
	URL                             string // opens or closes it
	Opening, Debit, Credit, Closing money.Amount
	Open, First                     bool // its lines are shown; it is the first that is so
	Lines                           []LedgerLine
	More                            bool // there are more lines than are shown
}

// LedgerLine is one line of an open account.
type LedgerLine struct {
	Entry                  ledger.EntryID
	Number                 int64
	Date                   civil.Date
	Say                    string
	Debit, Credit, Balance money.Amount
}

// LedgerSum is the foot of the ledger in one currency.
type LedgerSum struct{ Opening, Debit, Credit, Closing money.Amount }

// Balanced says whether debits and credits are the same and nothing is left over.
func (s LedgerSum) Balanced() bool { return s.Debit == s.Credit && s.Closing.IsZero() }

// Balanced says whether all currencies balance.
func (l GeneralLedger) Balanced() bool { return balanced(l.Sums) }

func balanced(sums []LedgerSum) bool {
	for _, s := range sums {
		if !s.Balanced() {
			return false
		}
	}
	return true
}
