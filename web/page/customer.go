package page

import (
	"github.com/countinghouse/countinghouse/billing"
	"github.com/countinghouse/countinghouse/billing/money"
)

// Customers is the data of "customers".
type Customers struct {
	Shell
	Items    []billing.Customer
	Archived bool // the archived ones are shown
	Find     Find
	Tabs     Tabs
	Pager    Pager
}

// Owed is what a customer owes in one currency.
type Owed struct {
	Amount, Overdue money.Amount
	Invoices        int // that are open
}

// NotDue is what is not overdue.
func (o Owed) NotDue() money.Amount {
	return money.Amount{Minor: o.Amount.Minor - o.Overdue.Minor, Currency: o.Amount.Currency}
}

// Customer is the data of "customer".
type Customer struct {
	Shell
	Credit   []CreditRow
	Form     Form // of an act that was refused; otherwise empty
	Customer billing.Customer
	Taken    bool   // its payment methods can be stored
	Owed     []Owed // none for a customer who owes nothing
	TooLarge bool   // what is owed adds up to more than can be shown
	Invoices InvoiceTable
	More     bool // there are more invoices than are shown
	Acts     []Act
}

// CustomerForm is the data of "customer-edit". Its form sends external_id, name, company, email, phone, street, city,
// region, postal_code, country, and version.
type CustomerForm struct {
	Shell
	Form   Form
	Action string // where it goes
	Back   string // where Cancel leads
	Does   string // what its button says
	Name   string // of the customer who is changed; empty for a new one
}
