package page

import (
	"cmp"

	"github.com/countinghouse/countinghouse/billing"
)

// Payments is the data of "payments".
type Payments struct {
	Shell
	Items  []billing.Payment
	Column Column
	Pager  Pager
}

// Payment is the data of "payment".
type Payment struct {
	Shell
	Payment billing.Payment
	Account string // where the money went
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
