package web

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/google/uuid"
	"github.com/shopspring/decimal"

	"github.com/countinghouse/countinghouse/authz"
	"github.com/countinghouse/countinghouse/billing"
	"github.com/countinghouse/countinghouse/billing/ledger"
	"github.com/countinghouse/countinghouse/billing/money"
	"github.com/countinghouse/countinghouse/billing/payables"
	"github.com/countinghouse/countinghouse/billing/tax"
	"github.com/countinghouse/countinghouse/internal/cursor"
	"github.com/countinghouse/countinghouse/internal/fault"
	"github.com/countinghouse/countinghouse/tenant"
	"github.com/countinghouse/countinghouse/web/page"
)

func (s *Server) registerExpensePages() {
	right := rightTo(authz.Approve, authz.Bills)
	s.member("GET", "/expenses/new", right, func(v *visit) error { return showExpense(v, http.StatusOK, nil) })
	s.member("POST", "/expenses/files", right, sendExpense) // its name gives it room for the receipt
}

func showExpense(v *visit, status int, refused *page.Form) error {
	return v.show(status, "expense-edit", func(tx *tenant.Tx) (any, error) {
		settings, err := billing.LoadSettings(v.ctx, tx)
		if err != nil {
			return nil, err
		}
		data := page.Expense{Methods: page.Methods()}
		if data.Shell, err = v.frame(tx, "Record an expense", "bills"); err != nil {
			return nil, err
		}
		bank, err := ledger.AccountFor(v.ctx, tx, ledger.Bank)
		if err != nil {
			return nil, err
		}
		data.Form = orFresh(refused, func() page.Form {
			return page.NewForm("date", settings.Today(tx).String(), "currency", settings.BaseCurrency.Code(), "method", string(billing.Card), "paid_from", bank.ID.String())
		})
		moveExpenseFaults(&data.Form)
		payees, err := billing.Payees(v.ctx, tx, billing.PayeeFilter{}, cursor.Query{Limit: shownCustomers})
		if err != nil {
			return nil, err
		}
		for _, p := range payees.Items {
			data.Payees = append(data.Payees, page.Option{Value: p.ID.String(), Label: customerLabel(p.Customer)})
		}
		if data.Costs, err = costAccounts(v.ctx, tx); err != nil {
			return nil, err
		}
		if data.Accounts, err = moneyAccounts(v.ctx, tx); err != nil {
			return nil, err
		}
		rates, err := tax.Rates(v.ctx, tx)
		for _, r := range rates {
			if !r.Archived {
				data.Taxes = append(data.Taxes, page.Option{Value: r.Code, Label: r.Name})
			}
		}
		return data, err
	})
}

// moveExpenseFaults brings the faults of the one line to the fields of the form.
func moveExpenseFaults(form *page.Form) {
	for from, to := range map[string]string{"lines[0].description": "description", "lines[0].unit_price": "amount", "lines[0].account_id": "account_id",
		"lines[0]": "account_id", "lines[0].taxes[0]": "tax_code", "issue_date": "date", "name": "new_payee", "customer_id": "payee_id"} {
		form.Move(from, to)
	}
}

func expenseInput(sent url.Values) (in payables.ExpenseInput, err error) {
	var faults fault.List
	keep := func(err error) { faults.Add("", err) } // all that is read here fails with faults alone
	in = payables.ExpenseInput{NewPayee: trimmed(sent, "new_payee"), Method: billing.Method(sent.Get("method"))}
	in.Reference, in.Note, in.PricesWithTax = sent.Get("reference"), sent.Get("note"), true
	in.CustomerID, err = bodyID[billing.Customer]("payee_id", sent.Get("payee_id"))
	keep(err)
	in.IssueDate, err = bodyDate("date", trimmed(sent, "date"))
	keep(err)
	in.Currency, err = money.ParseCurrency(trimmed(sent, "currency"))
	keep(at("currency", err))
	in.AccountID, err = bodyID[ledger.Account]("paid_from", sent.Get("paid_from"))
	keep(err)
	line := billing.InvoiceLineInput{Description: sent.Get("description"), Quantity: decimal.NewFromInt(1)}
	line.UnitPrice, err = bodyPrice("amount", trimmed(sent, "amount"))
	keep(err)
	line.AccountID, err = bodyID[ledger.Account]("account_id", sent.Get("account_id"))
	keep(err)
	if code := sent.Get("tax_code"); code != "" {
		line.TaxCodes = []string{code}
	}
	in.Lines = []billing.InvoiceLineInput{line}
	return in, faults.Err()
}

func sendExpense(v *visit) error {
	number := ""
	return v.upload(func(tx *tenant.Tx, sent url.Values, f uploaded) (uuid.UUID, error) {
		in, err := expenseInput(sent)
		if err != nil {
			return uuid.Nil, err
		}
		if strings.TrimSpace(f.name) != "" || len(f.bytes) > 0 {
			in.Receipt = &billing.FileInput{Name: f.name, Bytes: f.bytes}
		}
		b, err := payables.RecordExpense(v.ctx, tx, in)
		number = b.Number
		return b.ID.UUID, err
	}, func(made uuid.UUID) string {
		say(v.c, "Expense recorded as "+number)
		return v.at("bills", made.String())
	}, func(form page.Form) error { return showExpense(v, http.StatusUnprocessableEntity, &form) })
}
