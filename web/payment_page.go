package web

import (
	"context"
	"net/http"
	"net/url"
	"strings"

	"github.com/google/uuid"

	"github.com/countinghouse/countinghouse/authz"
	"github.com/countinghouse/countinghouse/billing"
	"github.com/countinghouse/countinghouse/billing/currency"
	"github.com/countinghouse/countinghouse/billing/ledger"
	"github.com/countinghouse/countinghouse/billing/money"
	"github.com/countinghouse/countinghouse/internal/cursor"
	"github.com/countinghouse/countinghouse/tenant"
	"github.com/countinghouse/countinghouse/web/page"
)

func (s *Server) registerPaymentPages() {
	s.member("GET", "/payments", rightTo(authz.Read, authz.Payments), showPayments)
	s.member("GET", "/payments/:id", rightTo(authz.Read, authz.Payments), func(v *visit) error { return showPayment(v, http.StatusOK, page.Form{}) })
	s.member("GET", "/payments.csv", rightTo(authz.Export, authz.Payments), sendPaymentsCSV)
	s.registerCreditPages()
	s.member("GET", "/invoices/:id/payment", rightTo(authz.Create, authz.Payments), func(v *visit) error { return showPaymentForm(v, http.StatusOK, nil) })
	s.member("POST", "/invoices/:id/payment", rightTo(authz.Create, authz.Payments), sendPayment)
}

func showPayments(v *visit) error {
	q, err := v.page()
	if err != nil {
		return err
	}
	return v.show(http.StatusOK, "payments", func(tx *tenant.Tx) (any, error) {
		data := page.Payments{Find: v.find("payments", "Reference, customer or invoice", "period", "from", "to"), Periods: v.periods("payments", "Received", "q")}
		data.Narrowed = data.Find.Search != "" || v.narrowedByDay()
		var err error
		if data.Shell, err = v.frame(tx, "Payments", "payments"); err != nil {
			return nil, err
		}
		settings, err := billing.LoadSettings(v.ctx, tx)
		if err != nil {
			return nil, err
		}
		filter := billing.PaymentFilter{Search: data.Find.Search}
		if filter.From, filter.To, err = v.listDays(tx); err != nil {
			return nil, err
		}
		if v.may(rightTo(authz.Export, authz.Payments)) {
			data.CSV = v.kept("payments.csv", []string{"q", "period", "from", "to"})
		}
		found, err := billing.Payments(v.ctx, tx, filter, q)
		data.Items = found.Items
		amounts := make([]money.Amount, len(found.Items))
		for i, p := range found.Items {
			amounts[i] = p.Amount
		}
		data.Column = page.ColumnOf(settings.BaseCurrency, amounts...)
		data.Pager = pager(v, q, found, func(p billing.Payment) uuid.UUID { return p.ID.UUID }, "")
		return data, err
	})
}

// sendPaymentsCSV gives exactly the payments that the address leaves of the list.
func sendPaymentsCSV(v *visit) error {
	filter := billing.PaymentFilter{Search: v.find("", "").Search}
	return sendListFile(v, listFile[billing.Payment]{
		name: "payments.csv", object: "payment",
		head:   []any{"received", "customer", "invoices", "method", "reference", "currency", "amount", "left"},
		narrow: func(tx *tenant.Tx) (err error) { filter.From, filter.To, err = v.listDays(tx); return err },
		read: func(ctx context.Context, tx *tenant.Tx, q cursor.Query) (cursor.Page[billing.Payment], error) {
			return billing.Payments(ctx, tx, filter, q)
		},
		id: func(p billing.Payment) uuid.UUID { return p.ID.UUID },
		row: func(p billing.Payment) []any {
			return []any{p.Date, p.CustomerName, p.Numbers(), string(p.Method), p.Reference, p.Amount.Currency.Code(), p.Amount, p.Left}
		},
	})
}

func showPayment(v *visit, status int, refused page.Form) error {
	payment, err := idParam[billing.Payment](v, "id")
	if err != nil {
		return err
	}
	return v.show(status, "payment", func(tx *tenant.Tx) (any, error) {
		var data page.Payment
		var err error
		if data.Payment, err = billing.PaymentByID(v.ctx, tx, payment); err != nil {
			return nil, err
		}
		p, title := data.Payment, "Payment on account"
		switch {
		case p.Amount.Sign() < 0:
			title = "Money given back"
		case len(p.Settles) > 0:
			title = "Payment of " + p.Numbers()
		}
		if data.Shell, err = v.frame(tx, title, "payments"); err != nil {
			return nil, err
		}
		if data.Gain, err = currency.GainOf(v.ctx, tx, payment.UUID); err != nil {
			return nil, err
		}
		if p.Left.Sign() > 0 && v.may(rightTo(authz.Create, authz.Payments)) {
			if data.Open, err = openInvoices(v, tx, p.CustomerID, p.Amount.Currency); err != nil {
				return nil, err
			}
		}
		data.Form = ownForm(refused)
		if p.Amount.Sign() > 0 && v.may(rightTo(authz.Approve, authz.Payments)) {
			if err := fillGiveBack(v, tx, &data.GiveBack, refused, v.at("payments", payment.String(), "give-back"), p.Left); err != nil {
				return nil, err
			}
		}
		account, err := ledger.AccountByID(v.ctx, tx, p.Account)
		data.Account = account.Code + " " + account.Name
		return data, err
	})
}

// ownForm is a refused form, unless it was the one that gives money back, which stands on the same pages and tells its
// faults itself.
func ownForm(refused page.Form) page.Form {
	if refused.Values.Get("what") == "give-back" {
		refused = page.Form{}
	}
	if refused.Key == "" {
		return keyed(refused)
	}
	return refused
}

// fillGiveBack fills in the form that gives money back.
func fillGiveBack(v *visit, tx *tenant.Tx, data *page.GiveBack, refused page.Form, action string, left money.Amount) error {
	settings, err := billing.LoadSettings(v.ctx, tx)
	if err != nil {
		return err
	}
	bank, err := ledger.AccountFor(v.ctx, tx, ledger.Bank)
	if err != nil {
		return err
	}
	data.Action, data.Methods, data.Currency = action, page.Methods(), left.Currency
	if data.Form = refused; refused.Values.Get("what") != "give-back" {
		amount := ""
		if left.Sign() > 0 {
			amount = left.String()
		}
		data.Form = keyed(page.NewForm("amount", amount, "date", settings.Today(tx).String(), "method", string(billing.BankTransfer), "account_id", bank.ID.String()))
	}
	data.Form.ID = "back"
	data.Form.Move("amount.amount", "amount")
	accounts, err := ledger.Accounts(v.ctx, tx)
	usable := inUse(data.Form.Value("account_id"), ledger.KindAsset)
	data.Accounts = accountOptions(accounts, func(a ledger.Account) bool { return a.Purpose != ledger.Receivable && usable(a) })
	return err
}

func showPaymentForm(v *visit, status int, refused *page.Form) error {
	invoice, err := idParam[billing.Invoice](v, "id")
	if err != nil {
		return err
	}
	return v.show(status, "payment-edit", func(tx *tenant.Tx) (any, error) {
		data := page.PaymentForm{Methods: page.Methods()}
		var err error
		if data.Invoice, err = billing.InvoiceByID(v.ctx, tx, invoice); err != nil {
			return nil, err
		}
		if data.Invoice.State == billing.Draft {
			return nil, billing.ErrNotIssued
		}
		if data.Invoice.State == billing.Void {
			return nil, billing.ErrVoidDocument
		}
		if data.Shell, err = v.frame(tx, "Record payment", "invoices"); err != nil {
			return nil, err
		}
		bank, err := ledger.AccountFor(v.ctx, tx, ledger.Bank)
		if err != nil {
			return nil, err
		}
		data.Form = orFresh(refused, func() page.Form {
			return page.NewForm("amount", data.Invoice.Open().String(), "date", data.Invoice.Today.String(), "method", string(billing.BankTransfer),
				"account_id", bank.ID.String())
		})
		data.Form.Move("amount.amount", "amount")
		accounts, err := ledger.Accounts(v.ctx, tx)
		usable := inUse(data.Form.Value("account_id"), ledger.KindAsset)
		data.Accounts = accountOptions(accounts, func(a ledger.Account) bool { return a.Purpose != ledger.Receivable && usable(a) })
		return data, err
	})
}

func sendPayment(v *visit) error {
	invoice, err := idParam[billing.Invoice](v, "id")
	if err != nil {
		return err
	}
	return v.send(nil, func(tx *tenant.Tx, sent url.Values) (uuid.UUID, error) {
		paid, err := billing.InvoiceByID(v.ctx, tx, invoice)
		if err != nil {
			return uuid.Nil, err
		}
		in, err := PaymentBody{InvoiceID: invoice.String(), KeepRest: sent.Get("keep_rest") != "", Date: sent.Get("date"), Method: sent.Get("method"), Reference: sent.Get("reference"),
			Amount: Money{strings.TrimSpace(sent.Get("amount")), paid.Currency.Code()}, AccountID: sent.Get("account_id")}.input()
		if err != nil {
			return uuid.Nil, err
		}
		_, err = billing.RecordPayment(v.ctx, tx, in)
		return invoice.UUID, err
	}, func(uuid.UUID) string {
		say(v.c, "Payment recorded")
		return v.at("invoices", invoice.String())
	}, func(form page.Form) error { return showPaymentForm(v, http.StatusUnprocessableEntity, &form) })
}
