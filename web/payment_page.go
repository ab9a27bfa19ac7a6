package web

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/google/uuid"

	"github.com/countinghouse/countinghouse/authz"
	"github.com/countinghouse/countinghouse/billing"
	"github.com/countinghouse/countinghouse/billing/ledger"
	"github.com/countinghouse/countinghouse/billing/money"
	"github.com/countinghouse/countinghouse/tenant"
	"github.com/countinghouse/countinghouse/web/page"
)

func (s *Server) registerPaymentPages() {
	s.member("GET", "/payments", rightTo(authz.Read, authz.Payments), showPayments)
	s.member("GET", "/payments/:id", rightTo(authz.Read, authz.Payments), showPayment)
	s.member("GET", "/invoices/:id/payment", rightTo(authz.Create, authz.Payments), func(v *visit) error { return showPaymentForm(v, http.StatusOK, nil) })
	s.member("POST", "/invoices/:id/payment", rightTo(authz.Create, authz.Payments), sendPayment)
}

func showPayments(v *visit) error {
	q, err := v.page()
	if err != nil {
		return err
	}
	return v.show(http.StatusOK, "payments", func(tx *tenant.Tx) (any, error) {
		var data page.Payments
		var err error
		if data.Shell, err = v.frame(tx, "Payments", "payments"); err != nil {
			return nil, err
		}
		settings, err := billing.LoadSettings(v.ctx, tx)
		if err != nil {
			return nil, err
		}
		found, err := billing.Payments(v.ctx, tx, billing.PaymentFilter{}, q)
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

func showPayment(v *visit) error {
	payment, err := idParam[billing.Payment](v, "id")
	if err != nil {
		return err
	}
	return v.show(http.StatusOK, "payment", func(tx *tenant.Tx) (any, error) {
		var data page.Payment
		var err error
		if data.Payment, err = billing.PaymentByID(v.ctx, tx, payment); err != nil {
			return nil, err
		}
		if data.Shell, err = v.frame(tx, "Payment of "+data.Payment.InvoiceNumber, "payments"); err != nil {
			return nil, err
		}
		account, err := ledger.AccountByID(v.ctx, tx, data.Payment.Account)
		data.Account = account.Code + " " + account.Name
		return data, err
	})
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
		in, err := PaymentBody{InvoiceID: invoice.String(), Date: sent.Get("date"), Method: sent.Get("method"), Reference: sent.Get("reference"),
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
