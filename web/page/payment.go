package page

import (
	"cmp"

	"github.com/countinghouse/countinghouse/billing"
	"github.com/countinghouse/countinghouse/billing/currency"
	"github.com/countinghouse/countinghouse/billing/money"
	"github.com/countinghouse/countinghouse/internal/civil"
)

// Payments is the data of "payments".
type Payments struct {
	Shell
	Find     Find
	Periods  Periods
	Narrowed bool   // some are left out
	CSV      string // the same list as a file; empty for who may not take it
	Items    []billing.Payment
	Column   Column
	Pager    Pager
}

// Payment is the data of "payment".
type Payment struct {
	Shell
	Payment  billing.Payment
	Account  string        // where the money went
	Gain     currency.Gain // of foreign currency
	Form     Form          // that applies it, or one that was refused
	Open     []Option      // invoices that it can be applied to
	GiveBack GiveBack
}

// GiveBack is the data of the part "give-back", a form that sends amount, date, method, reference and account_id. Without
// an action it is not shown.
type GiveBack struct {
	Comes    bool // the money comes back to us, from a payee
	Action   string
	Form     Form
	Currency money.Currency
	Methods  []Option
	Accounts []Option
}

// SeveralForm is the data of "payment-several". Its form sends currency, amount, date, method, reference, account_id, of each
// open invoice N lines[N].invoice_id and amount, and action, which is record or spread.
type SeveralForm struct {
	Shell
	Form     Form
	Customer billing.Customer
	Currency money.Currency
	Rows     []OpenRow
	Methods  []Option
	Accounts []Option
}

// LateFees is the data of "late-fees". Its form sends percent, amount, days, often, which is once or monthly, and version.
type LateFees struct {
	Shell
	Form     Form
	Currency money.Currency
	Since    civil.Date // none: they are off
	Often    []Option
}

// OpenRow is an open invoice that can get something of a payment.
type OpenRow struct {
	EditorLine
	billing.InvoiceHead
}

// CreditRow is something that a customer has as credit.
type CreditRow struct {
	billing.CustomerCredit
	URL string
	Key string // of the form that applies it
}

// PaymentForm is the data of "payment-edit". Its form sends amount, date, method, reference and account_id.
type PaymentForm struct {
	Shell
	Form     Form
	Invoice  billing.Invoice
	Methods  []Option
	Accounts []Option
}

var methods = map[billing.Method]string{
	billing.BankTransfer: "Bank transfer",
	billing.Cash:         "Cash",
	billing.Card:         "Card",
	billing.Cheque:       "Cheque",
	billing.Other:        "Other",
}

// methodName says in words how a payment was made.
func methodName(m billing.Method) string { return cmp.Or(methods[m], string(m)) }

// Methods are the ways to choose from.
func Methods() []Option {
	var all []Option
	for _, m := range billing.Methods() {
		all = append(all, Option{Value: string(m), Label: methodName(m)})
	}
	return all
}
