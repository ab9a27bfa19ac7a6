package web

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/google/uuid"

	"github.com/countinghouse/countinghouse/authz"
	"github.com/countinghouse/countinghouse/billing"
	"github.com/countinghouse/countinghouse/billing/ledger"
	"github.com/countinghouse/countinghouse/billing/money"
	"github.com/countinghouse/countinghouse/internal/fault"
	"github.com/countinghouse/countinghouse/tenant"
	"github.com/countinghouse/countinghouse/web/page"
)

var errSpreadAmount = fault.New(fault.Invalid, "payment.spread_amount", "Write the amount first, then it can be spread.").At("amount")

// registerCreditPages are payments over several invoices, and what becomes of those that settle nothing yet.
func (s *Server) registerCreditPages() {
	s.member("GET", "/customers/:id/payment", rightTo(authz.Create, authz.Payments), func(v *visit) error { return showSeveral(v, http.StatusOK, nil) })
	s.member("POST", "/customers/:id/payment", rightTo(authz.Create, authz.Payments), sendSeveral)
	s.member("POST", "/payments/:id/apply", rightTo(authz.Create, authz.Payments), func(v *visit) error {
		return movePayment(v, "Applied", func(tx *tenant.Tx, p billing.PaymentID, invoice billing.InvoiceID, sent url.Values) error {
			amount, err := paymentPart(v, tx, p, sent)
			if err != nil {
				return err
			}
			_, err = billing.ApplyPayment(v.ctx, tx, p, invoice, amount)
			return err
		})
	})
	s.member("POST", "/payments/:id/unapply", rightTo(authz.Change, authz.Payments), func(v *visit) error {
		return movePayment(v, "Taken off the invoice", func(tx *tenant.Tx, p billing.PaymentID, invoice billing.InvoiceID, _ url.Values) error {
			_, err := billing.UnapplyPayment(v.ctx, tx, p, invoice)
			return err
		})
	})
	s.member("POST", "/payments/:id/give-back", rightTo(authz.Approve, authz.Payments), sendPaymentBack)
	s.member("POST", "/credit-notes/:id/give-back", rightTo(authz.Approve, authz.Payments), sendCreditBack)
	s.member("POST", "/invoices/:id/apply", rightTo(authz.Create, authz.Payments), sendInvoiceApply)
}

// severalCurrency is the currency of the payment that the address or the form asks for; else the organization's own.
func severalCurrency(v *visit, tx *tenant.Tx, sent string) (money.Currency, error) {
	settings, err := billing.LoadSettings(v.ctx, tx)
	if err != nil || sent == "" {
		return settings.BaseCurrency, err
	}
	return money.ParseCurrency(sent)
}

func showSeveral(v *visit, status int, refused *page.Form) error {
	customer, err := idParam[billing.Customer](v, "id")
	if err != nil {
		return err
	}
	return v.show(status, "payment-several", func(tx *tenant.Tx) (any, error) {
		data := page.SeveralForm{Methods: page.Methods()}
		var err error
		if data.Customer, err = billing.CustomerByID(v.ctx, tx, customer); err != nil {
			return nil, err
		}
		if data.Shell, err = v.frame(tx, "Record payment", "customers"); err != nil {
			return nil, err
		}
		asked := v.query("currency")
		if refused != nil {
			asked = refused.Value("currency")
		}
		if data.Currency, err = severalCurrency(v, tx, asked); err != nil {
			return nil, err
		}
		open, err := billing.OpenInvoices(v.ctx, tx, customer, data.Currency)
		if err != nil {
			return nil, err
		}
		settings, err := billing.LoadSettings(v.ctx, tx)
		if err != nil {
			return nil, err
		}
		bank, err := ledger.AccountFor(v.ctx, tx, ledger.Bank)
		if err != nil {
			return nil, err
		}
		data.Form = orFresh(refused, func() page.Form {
			return page.NewForm("date", settings.Today(tx).String(), "method", string(billing.BankTransfer), "account_id", bank.ID.String())
		})
		data.Form.Move("amount.amount", "amount")
		data.Rows = severalRows(open, &data.Form)
		accounts, err := ledger.Accounts(v.ctx, tx)
		usable := inUse(data.Form.Value("account_id"), ledger.KindAsset)
		data.Accounts = accountOptions(accounts, func(a ledger.Account) bool { return a.Purpose != ledger.Receivable && usable(a) })
		return data, err
	})
}

// severalRows are the open invoices with what the form gives them. Invoices that were paid meanwhile are left out; so what
// was written is found by the invoice and not by its place.
func severalRows(open []billing.InvoiceHead, form *page.Form) []page.OpenRow {
	written := map[string]string{}
	for i := range 500 {
		if invoice := form.Value(lineName(i, "invoice_id")); invoice != "" {
			written[invoice] = form.Value(lineName(i, "amount"))
		}
	}
	if form.Values.Get("action") == "spread" {
		spread(open, form, written)
	}
	var rows []page.OpenRow
	for i, invoice := range open {
		rows = append(rows, page.OpenRow{EditorLine: page.EditorLine{Index: i}, InvoiceHead: invoice})
		form.Values.Set(lineName(i, "amount"), written[invoice.ID.String()])
		form.Move(lineName(i, "invoice_id"), lineName(i, "amount"))
		form.Move(lineName(i, "amount")+".amount", lineName(i, "amount"))
	}
	return rows
}

// spread gives what came in to the oldest invoices first.
func spread(open []billing.InvoiceHead, form *page.Form, written map[string]string) {
	if len(open) == 0 {
		return
	}
	amount, err := money.ParseAmount(strings.TrimSpace(form.Value("amount")), open[0].Currency)
	if err != nil || amount.Sign() <= 0 {
		form.Refused(errSpreadAmount)
		return
	}
	gets, _ := billing.OldestFirst(amount, open)
	for i, get := range gets {
		written[open[i].ID.String()] = ""
		if get.Sign() > 0 {
			written[open[i].ID.String()] = get.String()
		}
	}
}

func sendSeveral(v *visit) error {
	customer, err := idParam[billing.Customer](v, "id")
	if err != nil {
		return err
	}
	sent, err := readForm(v.c)
	if err != nil {
		return err
	}
	if sent.Get("action") == "spread" {
		form := keyed(page.FormOf(sent))
		return showSeveral(v, http.StatusOK, &form)
	}
	var index []int
	rest := ""
	return v.perform(sent, func(tx *tenant.Tx, sent url.Values) (uuid.UUID, error) {
		var body PaymentBody
		body, index = severalBody(customer, sent)
		in, err := body.input()
		if err != nil {
			return uuid.Nil, allocationsOnForm(err, index)
		}
		made, err := billing.RecordPayment(v.ctx, tx, in)
		if made.Left.Sign() > 0 {
			rest = fmt.Sprintf(". %s %s of it is credit", made.Left, made.Left.Currency)
		}
		return made.ID.UUID, allocationsOnForm(err, index)
	}, func(made uuid.UUID) string {
		say(v.c, "Payment recorded"+rest)
		return v.at("payments", made.String())
	}, func(form page.Form) error { return showSeveral(v, http.StatusUnprocessableEntity, &form) })
}

// severalBody reads the form: the invoices that get something, and which lines they are.
func severalBody(customer billing.CustomerID, sent url.Values) (body PaymentBody, index []int) {
	code := sent.Get("currency")
	body = PaymentBody{CustomerID: customer.String(), Date: sent.Get("date"), Method: sent.Get("method"), Reference: sent.Get("reference"),
		Amount: Money{strings.TrimSpace(sent.Get("amount")), code}, AccountID: sent.Get("account_id")}
	for i := range 500 {
		invoice, written := sent.Get(lineName(i, "invoice_id")), strings.TrimSpace(sent.Get(lineName(i, "amount")))
		if invoice == "" {
			break
		}
		if written != "" {
			body.Allocations, index = append(body.Allocations, AllocationBody{invoice, Money{written, code}}), append(index, i)
		}
	}
	return body, index
}

// allocationsOnForm points the faults of the nth allocation at the line of the form that it was.
func allocationsOnForm(err error, index []int) error {
	found := faultsOf(err)
	if len(found) == 0 {
		return err
	}
	moved := make(fault.List, len(found))
	for n, f := range found {
		moved[n] = f
		for chosen, line := range index {
			if strings.HasPrefix(f.Field, fmt.Sprintf("allocations[%d].", chosen)) {
				moved[n] = f.At(lineName(line, "amount"))
				break
			}
		}
	}
	return moved.Err()
}

// paymentPart is the amount that a form gives to an invoice; zero for as much as can be.
func paymentPart(v *visit, tx *tenant.Tx, p billing.PaymentID, sent url.Values) (money.Amount, error) {
	written := strings.TrimSpace(sent.Get("amount"))
	if written == "" {
		return money.Amount{}, nil
	}
	payment, err := billing.PaymentByID(v.ctx, tx, p)
	if err != nil {
		return money.Amount{}, err
	}
	amount, err := money.ParseAmount(written, payment.Amount.Currency)
	if err == nil && amount.IsZero() {
		err = billing.ErrCreditAmount
	}
	return amount, at("amount", err)
}

// movePayment does something between a payment and an invoice that a form names.
func movePayment(v *visit, done string, do func(tx *tenant.Tx, p billing.PaymentID, invoice billing.InvoiceID, sent url.Values) error) error {
	payment, err := idParam[billing.Payment](v, "id")
	if err != nil {
		return err
	}
	return v.send(nil, func(tx *tenant.Tx, sent url.Values) (uuid.UUID, error) {
		invoice, err := bodyID[billing.Invoice]("invoice_id", sent.Get("invoice_id"))
		if err != nil {
			return uuid.Nil, err
		}
		return payment.UUID, do(tx, payment, invoice, sent)
	}, func(uuid.UUID) string {
		say(v.c, done)
		return v.at("payments", payment.String())
	}, func(form page.Form) error { return showPayment(v, http.StatusUnprocessableEntity, form) })
}

func giveBackInput(sent url.Values, in money.Currency) (billing.RefundInput, error) {
	return GiveBackBody{Date: sent.Get("date"), Method: sent.Get("method"), Reference: sent.Get("reference"), AccountID: sent.Get("account_id"),
		Amount: Money{strings.TrimSpace(sent.Get("amount")), in.Code()}}.input()
}

func sendPaymentBack(v *visit) error {
	payment, err := idParam[billing.Payment](v, "id")
	if err != nil {
		return err
	}
	return v.send(nil, func(tx *tenant.Tx, sent url.Values) (uuid.UUID, error) {
		p, err := billing.PaymentByID(v.ctx, tx, payment)
		if err != nil {
			return uuid.Nil, err
		}
		in, err := giveBackInput(sent, p.Amount.Currency)
		if err != nil {
			return uuid.Nil, err
		}
		made, err := billing.GiveBackPayment(v.ctx, tx, payment, in)
		return made.ID.UUID, err
	}, func(made uuid.UUID) string {
		say(v.c, "Given back")
		return v.at("payments", made.String())
	}, func(form page.Form) error { return showPayment(v, http.StatusUnprocessableEntity, form) })
}

func sendCreditBack(v *visit) error {
	note, err := idParam[billing.CreditNote](v, "id")
	if err != nil {
		return err
	}
	return v.send(nil, func(tx *tenant.Tx, sent url.Values) (uuid.UUID, error) {
		n, err := billing.CreditNoteByID(v.ctx, tx, note)
		if err != nil {
			return uuid.Nil, err
		}
		in, err := giveBackInput(sent, n.Currency)
		if err != nil {
			return uuid.Nil, err
		}
		made, err := billing.GiveBackCredit(v.ctx, tx, note, in)
		return made.ID.UUID, err
	}, func(uuid.UUID) string {
		say(v.c, "Given back")
		return v.at("credit-notes", note.String())
	}, func(form page.Form) error { return showCreditNote(v, http.StatusUnprocessableEntity, form) })
}

// sendInvoiceApply lets a credit of the customer settle the invoice whose page the form is on.
func sendInvoiceApply(v *visit) error {
	invoice, err := idParam[billing.Invoice](v, "id")
	if err != nil {
		return err
	}
	return v.send(nil, func(tx *tenant.Tx, sent url.Values) (uuid.UUID, error) {
		payment, err := bodyID[billing.Payment]("payment_id", sent.Get("payment_id"))
		note, fault := bodyID[billing.CreditNote]("credit_note_id", sent.Get("credit_note_id"))
		switch {
		case errors.Join(err, fault) != nil:
			return uuid.Nil, errNoID
		case !payment.IsZero():
			_, err = billing.ApplyPayment(v.ctx, tx, payment, invoice, money.Amount{})
		default:
			_, err = billing.ApplyCreditNote(v.ctx, tx, note, invoice, money.Amount{})
		}
		return invoice.UUID, err
	}, func(uuid.UUID) string {
		say(v.c, "Credit applied")
		return v.at("invoices", invoice.String())
	}, func(form page.Form) error { return showInvoice(v, http.StatusUnprocessableEntity, form) })
}

// creditRows are what a customer has as credit, with the address of each.
func creditRows(v *visit, tx *tenant.Tx, customer billing.CustomerID, in money.Currency) ([]page.CreditRow, error) {
	all, err := billing.CreditsOf(v.ctx, tx, customer, in)
	var rows []page.CreditRow
	for _, c := range all {
		row := page.CreditRow{CustomerCredit: c, URL: v.at("payments", c.Payment.String()), Key: newFormKey()}
		if !c.CreditNote.IsZero() {
			row.URL = v.at("credit-notes", c.CreditNote.String())
		}
		rows = append(rows, row)
	}
	return rows, err
}
