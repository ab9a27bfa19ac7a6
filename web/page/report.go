package page

import (
	"time"

	"github.com/countinghouse/countinghouse/billing"
	"github.com/countinghouse/countinghouse/billing/money"
	"github.com/countinghouse/countinghouse/internal/civil"
)

// TrialBalance is the data of "trial-balance".
type TrialBalance struct {
	Shell
	AsOf   civil.Date
	Groups []LedgerGroup
	Sums   []LedgerSum
	Column Column
	CSV    string
}

// Balanced says whether all currencies balance.
func (t TrialBalance) Balanced() bool { return balanced(t.Sums) }

// CustomerBalances is the data of "customer-balances".
type CustomerBalances struct {
	Shell
	AsOf   civil.Date
	Rows   []CustomerBalance
	Sums   []Owed
	Column Column
	CSV    string
}

// CustomerBalance is what one customer owes in one currency.
type CustomerBalance struct {
	Customer billing.CustomerID
	Name     string
	Owed
}

// Overview is the data of "overview".
type Overview struct {
	Shell
	Say       string // how things stand, in a sentence
	Owed      []Owed
	Owing     []Owed // what you owe; its Invoices are bills
	TooLarge  bool   // the amounts add up to more than can be shown
	Books     bool   // cash and income may be seen
	Sales     bool   // what is owed to you may be seen
	Purchases bool   // what you owe may be seen
	Cash      []money.Amount
	Month     []money.Amount // this month's income
	Chart     *Chart         // nil where there is nothing to draw
	CashTime  *CashChart     // so is this
	Overdue   InvoiceTable
	Recent    InvoiceTable
	SetUp     []Step
	SetUpEnd  bool // all done
	Proof     Proved
	Away      bool // the reader put the steps away
	Put       Act  // puts them away, or brings them back
}

// Proved is what became of the last proof of the books; the zero Proved where there was none, or for who may not see it.
type Proved struct {
	At, WholeAt time.Time
	Entries     int
	Findings    []Disagreement
	More        int // how much more does not agree than is listed
}

// Disagreement is something that does not agree, and where to look; URL is empty for readers who may not.
type Disagreement struct {
	Say, URL string
}

// Step is one thing to do before the books are of use.
type Step struct {
	Label, Say string
	URL, Way   string // where it is done; empty for readers who may not
	// Other is a second way to do it, with its address; empty for none.
	Other, OtherURL string
	Done            bool
}

// Done counts the steps that are.
func (o Overview) Done() int {
	done := 0
	for _, step := range o.SetUp {
		if step.Done {
			done++
		}
	}
	return done
}
