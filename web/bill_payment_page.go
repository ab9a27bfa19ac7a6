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
	"github.com/countinghouse/countinghouse/billing/payables"
	"github.com/countinghouse/countinghouse/internal/fault"
	"github.com/countinghouse/countinghouse/internal/id"
	"github.com/countinghouse/countinghouse/tenant"
	"github.com/countinghouse/countinghouse/web/page"
)

func (s *Server) registerBillPaymentPages() {
	read, approve := rightTo(authz.Read, authz.Bills), rightTo(authz.Approve, authz.Bills)
	s.member("GET", "/payees/:id/pay", approve, func(v *visit) error { return showPaying(v, http.StatusOK, nil) })
	s.member("POST", "/payees/:id/pay", approve, sendPaying)
	s.member("GET", "/bill-payments", read, showBillPayments)
	s.member("GET", "/bill-payments/:id", read, func(v *visit) error { return showBillPayment(v, http.StatusOK, page.Form{}) })
	s.member("POST", "/bill-payments/:id/take-back", approve, sendTakeBack)
	s.member("POST", "/bill-payments/:id/apply", approve, sendApplyAdvance)
	s.registerMoneyBackPages()
}

// partName is the field of what is paid of a bill.
func partName(bill payables.BillID) string { return "paid_" + bill.String() }

func showPaying(v *visit, status int, refused *page.Form) error {
	payee, err := idParam[billing.Customer](v, "id")
	if err != nil {
		return err
	}
	return v.show(status, "pay-bills", func(tx *tenant.Tx) (any, error) {
		settings, err := billing.LoadSettings(v.ctx, tx)
		if err != nil {
			return nil, err
		}
		data := page.Paying{Methods: page.Methods(), Currency: settings.BaseCurrency}
		asked := v.query("currency")
		if refused != nil {
			asked = refused.Value("currency")
		}
		if asked != "" {
			if data.Currency, err = money.ParseCurrency(asked); err != nil {
				return nil, at("currency", err)
			}
		}
		if data.Payee, err = billing.PayeeByID(v.ctx, tx, payee); err != nil {
			return nil, err
		}
		if data.Shell, err = v.frame(tx, "Pay "+customerLabel(data.Payee.Customer), "bills"); err != nil {
			return nil, err
		}
		open, err := payables.OpenBills(v.ctx, tx, payee, data.Currency)
		if err != nil {
			return nil, err
		}
		bank, err := ledger.AccountFor(v.ctx, tx, ledger.Bank)
		if err != nil {
			return nil, err
		}
		data.Form = orFresh(refused, func() page.Form {
			form := page.NewForm("currency", data.Currency.Code(), "date", settings.Today(tx).String(), "method", string(billing.BankTransfer), "account_id", bank.ID.String())
			for _, h := range open {
				if v.query("bill") == h.ID.String() {
					form.Values.Set(partName(h.ID), h.Open().String())
				}
			}
			return form
		})
		for _, h := range open {
			data.Bills = append(data.Bills, page.PayingBill{PurchaseHead: h, Field: partName(h.ID), URL: v.at("bills", h.ID.String())})
		}
		data.Accounts, err = moneyAccounts(v.ctx, tx)
		return data, err
	})
}

// payingInput reads the form; fields are those of its parts, in their order.
func payingInput(sent url.Values, payee billing.PayeeID) (in payables.Paying, fields []string, err error) {
	var faults fault.List
	keep := func(err error) { faults.Add("", err) } // all that is read here fails with faults alone
	c, err := money.ParseCurrency(trimmed(sent, "currency"))
	if err != nil {
		return in, nil, at("currency", err)
	}
	in = payables.Paying{Payee: payee, Method: billing.Method(sent.Get("method")), Reference: sent.Get("reference")}
	in.Date, err = bodyDate("date", trimmed(sent, "date"))
	keep(err)
	in.Account, err = bodyID[ledger.Account]("account_id", sent.Get("account_id"))
	keep(err)
	if written := trimmed(sent, "amount"); written != "" {
		in.Amount, err = money.ParseAmount(written, c)
		keep(at("amount", err))
	}
	for name := range sent {
		text, ok := strings.CutPrefix(name, "paid_")
		written := trimmed(sent, name)
		if !ok || written == "" {
			continue
		}
		bill, ok := id.Parse[billing.Document](text)
		if !ok {
			return in, nil, errFormLine
		}
		amount, err := money.ParseAmount(written, c)
		keep(at(name, err))
		if err == nil && amount.IsZero() {
			continue
		}
		in.Parts, fields = append(in.Parts, payables.Part{Bill: bill, Amount: amount}), append(fields, name)
	}
	if len(in.Parts) == 0 && in.Amount.IsZero() && len(faults) == 0 {
		faults = append(faults, errNothingPaid)
	}
	return in, fields, faults.Err()
}

var errNothingPaid = fault.New(fault.Invalid, "bill_payment.nothing", "Say what is paid of at least one bill, or an amount that is paid in advance.").At("amount")

func sendPaying(v *visit) error {
	payee, err := idParam[billing.Customer](v, "id")
	if err != nil {
		return err
	}
	return v.send(nil, func(tx *tenant.Tx, sent url.Values) (uuid.UUID, error) {
		in, fields, err := payingInput(sent, payee)
		if err != nil {
			return uuid.Nil, err
		}
		p, err := payables.PayBills(v.ctx, tx, in)
		return p.ID.UUID, partFaults(err, fields)
	}, func(made uuid.UUID) string {
		say(v.c, "Paid")
		return v.at("bill-payments", made.String())
	}, func(form page.Form) error { return showPaying(v, http.StatusUnprocessableEntity, &form) })
}

// partFaults points the faults of the nth part at its field.
func partFaults(err error, fields []string) error {
	found := faultsOf(err)
	if len(found) == 0 {
		return err
	}
	moved := make(fault.List, len(found))
	for n, f := range found {
		moved[n] = f
		for i, field := range fields {
			if f.Field == partField(i) {
				moved[n] = f.At(field)
			}
		}
	}
	return moved.Err()
}

func showBillPayments(v *visit) error {
	q, err := v.page()
	if err != nil {
		return err
	}
	return v.show(http.StatusOK, "bill-payments", func(tx *tenant.Tx) (any, error) {
		var data page.BillPayments
		var err error
		if data.Shell, err = v.frame(tx, "Bill payments", "bill-payments"); err != nil {
			return nil, err
		}
		settings, err := billing.LoadSettings(v.ctx, tx)
		if err != nil {
			return nil, err
		}
		data.Periods, data.Narrowed = v.periods("bill-payments", "Paid"), v.narrowedByDay()
		var filter payables.Filter
		if filter.From, filter.To, err = v.listDays(tx); err != nil {
			return nil, err
		}
		found, err := payables.Payments(v.ctx, tx, filter, q)
		data.Items = found.Items
		amounts := make([]money.Amount, len(found.Items))
		for i, p := range found.Items {
			amounts[i] = p.Amount
		}
		data.Column = page.ColumnOf(settings.BaseCurrency, amounts...)
		data.Pager = pager(v, q, found, func(p payables.Payment) uuid.UUID { return p.ID.UUID }, "")
		return data, err
	})
}

func showBillPayment(v *visit, status int, form page.Form) error {
	payment, err := idParam[billing.Payment](v, "id")
	if err != nil {
		return err
	}
	return v.show(status, "bill-payment", func(tx *tenant.Tx) (any, error) {
		data := page.BillPayment{Form: form}
		if data.Form.Key == "" {
			data.Form = keyed(form)
		}
		var err error
		if data.Payment, err = payables.PaymentByID(v.ctx, tx, payment); err != nil {
			return nil, err
		}
		p := data.Payment
		title := "Payment to " + p.PayeeName
		if p.IsBack() {
			title = "Money back from " + p.PayeeName
		}
		if data.Shell, err = v.frame(tx, title, "bill-payments"); err != nil {
			return nil, err
		}
		if !p.TakenBackOn.IsZero() || !v.may(rightTo(authz.Approve, authz.Bills)) {
			return data, nil
		}
		if p.CameBack.IsZero() {
			data.Acts = []page.Act{takeBackAct(v, p)}
		}
		if p.Left.Sign() <= 0 {
			return data, nil
		}
		if data.Open, err = openBills(v, tx, p.Payee, p.Left.Currency); err != nil {
			return nil, err
		}
		return data, fillMoneyBack(v, tx, &data.MoneyBack, &data.Form, v.at("bill-payments", payment.String(), "money-back"), p.Left)
	})
}

func takeBackAct(v *visit, p payables.Payment) page.Act {
	act := page.Act{URL: v.at("bill-payments", p.ID.String(), "take-back"), Label: "Take back", Icon: "undo-2", Class: "btn-danger", Does: "Take the payment back",
		Ask: "Its entry is undone, and what it paid is open again.", Key: newFormKey()}
	if p.IsBack() {
		act.Label, act.Does, act.Ask = "Undo", "Undo it", "Its entry is undone, and the payee still has what came back."
	}
	return act
}

func sendTakeBack(v *visit) error {
	payment, err := idParam[billing.Payment](v, "id")
	if err != nil {
		return err
	}
	return v.send(nil, func(tx *tenant.Tx, _ url.Values) (uuid.UUID, error) {
		_, err := payables.TakeBack(v.ctx, tx, payment)
		return payment.UUID, err
	}, func(uuid.UUID) string {
		say(v.c, "Taken back")
		return v.at("bill-payments", payment.String())
	}, func(form page.Form) error { return showBillPayment(v, http.StatusUnprocessableEntity, form) })
}

func sendApplyAdvance(v *visit) error {
	payment, err := idParam[billing.Payment](v, "id")
	if err != nil {
		return err
	}
	return v.send(nil, func(tx *tenant.Tx, sent url.Values) (uuid.UUID, error) {
		bill, err := bodyID[billing.Document]("bill_id", sent.Get("bill_id"))
		if err != nil {
			return uuid.Nil, err
		}
		var amount money.Amount
		if written := trimmed(sent, "amount"); written != "" {
			p, err := payables.PaymentByID(v.ctx, tx, payment)
			if err != nil {
				return uuid.Nil, err
			}
			if amount, err = money.ParseAmount(written, p.Amount.Currency); err != nil {
				return uuid.Nil, at("amount", err)
			}
		}
		_, err = payables.ApplyAdvance(v.ctx, tx, payment, bill, amount)
		return payment.UUID, err
	}, func(uuid.UUID) string {
		say(v.c, "Applied")
		return v.at("bill-payments", payment.String())
	}, func(form page.Form) error { return showBillPayment(v, http.StatusUnprocessableEntity, form) })
}
