package page

import (
	"fmt"

	"github.com/countinghouse/countinghouse/billing"
	"github.com/countinghouse/countinghouse/billing/money"
	"github.com/countinghouse/countinghouse/billing/payables"
)

// Payees is the data of "payees".
type Payees struct {
	Shell
	Items    []billing.Payee
	Archived bool // the archived ones are shown
	Find     Find
	Tabs     Tabs
	Pager    Pager
}

// Payee is the data of "payee".
type Payee struct {
	Shell
	Form    Form // of an act that was refused; otherwise empty
	Payee   billing.Payee
	Account string                // what is usually bought from them is on; empty for none
	Owed    []billing.PurchaseSum // by currency; none for whom nothing is owed
	Bills   []BillRow
	More    bool // there are more bills than are shown
	Acts    []Act
	SoldKey string // of the form that makes them a customer too
}

// PayeeForm is the data of "payee-edit". Its form sends what that of a customer does, and expense_account_id.
type PayeeForm struct {
	Shell
	Form     Form
	Action   string // where it goes
	Back     string // where Cancel leads
	Does     string // what its button says
	Name     string // of the payee who is changed; empty for a new one
	Accounts []Option
}

// Bills is the data of "bills": a list of bills, of payees' credits, or of recurring bills.
type Bills struct {
	Shell
	Periods    Periods
	Say        string
	New        string // what the button says that leads to NewURL
	NewURL     string
	Left       string // the head of what is left; empty for none
	Repeats    bool
	MayExpense bool // an expense can be recorded from here
	Narrowed   bool // some are left out
	Find       Find
	Tabs       Tabs
	Pager      Pager
	Sums       []billing.PurchaseSum
	Rows       []BillRow
	Column     Column
	Form       Form   // of an act on several that was refused
	CSV        string // the same list as a file; empty for who may not take it
	Choose     string // the form that takes those that are ticked; empty for none
	ChosenURL  string // where it is sent, with act, chosen, date and method
	ChosenKey  string
	Methods    []Option
}

// BillRow is one document of a list.
type BillRow struct {
	billing.PurchaseHead
	URL   string
	Shown string // its badge
}

// Bill is the data of "bill": a bill, a payee's credit, or a recurring bill. The form of a credit sends bill_id and amount.
type Bill struct {
	Shell
	Form      Form   // of an act that was refused; otherwise empty
	Kind      string // "bill", "payee_credit", "recurring"
	Bill      payables.Bill
	Shown     string            // its badge
	At1       string            // its own address
	List      string            // the list that it stands in
	ListURL   string            //
	Accounts  map[string]string // of its lines, by id
	Acts      []Act
	Pay       string   // where it is paid; empty for what is not
	Open      []Option // bills that a credit could settle
	MoneyBack GiveBack // of a credit of which something is left
	Made      []BillRow
	Files     []File
	FileKey   string // of the form that attaches a file
}

// Amounts is how the document's amounts are written: all are of one currency.
func (b Bill) Amounts() Column { return Column{currency: b.Bill.Currency} }

// LineAmount is what a line comes to in the prices of the document.
func (b Bill) LineAmount(line int) money.Amount { return b.Bill.Amounts()[line-1] }

// RepeatUnits are the units to choose from.
func RepeatUnits() []Option {
	return []Option{{Value: "month", Label: "Months"}, {Value: "year", Label: "Years"}, {Value: "week", Label: "Weeks"}, {Value: "day", Label: "Days"}}
}

// RepeatSay says how often: "Every month", "Every 3 weeks".
func RepeatSay(r billing.Repeat) string {
	if r.Every == 1 {
		return "Every " + r.Unit
	}
	return fmt.Sprintf("Every %d %ss", r.Every, r.Unit)
}

// repeatProblem says in words why the next bill was not made.
func repeatProblem(code string) string {
	switch code {
	case "payee.archived":
		return "The next bill cannot be made, because the payee is archived. Restore the payee, or stop this."
	case "account.archived", "account.unknown", "expense_account.missing":
		return "The next bill cannot be made, because an account of its lines is not in use any more. Change the lines."
	case "tax.unknown":
		return "The next bill cannot be made, because a tax of its lines is archived. Change the lines."
	}
	return "The next bill could not be made (" + code + "). It is tried again each hour."
}

// Paying is the data of "pay-bills". Its form sends currency, date, method, account_id, reference, amount, and for each bill
// its Field with what is paid of it.
type Paying struct {
	Shell
	Form     Form
	Payee    billing.Payee
	Currency money.Currency
	Bills    []PayingBill
	Methods  []Option
	Accounts []Option
}

// PayingBill is a bill that can be paid.
type PayingBill struct {
	billing.PurchaseHead
	Field string
	URL   string
}

// BillPayments is the data of "bill-payments".
type BillPayments struct {
	Shell
	Periods  Periods
	Narrowed bool // some are left out
	Items    []payables.Payment
	Column   Column
	Pager    Pager
}

// BillPayment is the data of "bill-payment". The form of what is left sends bill_id and amount.
type BillPayment struct {
	Shell
	Form      Form // of an act that was refused; otherwise empty
	Payment   payables.Payment
	Acts      []Act
	Open      []Option // bills that the rest could pay
	MoneyBack GiveBack // where something is left
}

// Expense is the data of "expense-edit". Its form sends payee_id or new_payee, date, description, amount, currency, tax_code,
// account_id, paid_from, method, reference, note and file.
type Expense struct {
	Shell
	Form     Form
	Payees   []Option
	Costs    []Option
	Accounts []Option // to pay from
	Taxes    []Option
	Methods  []Option
}
