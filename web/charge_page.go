package web

import (
	"errors"
	"net/http"
	"net/url"
	"strings"

	"github.com/google/uuid"

	"github.com/countinghouse/countinghouse/authz"
	"github.com/countinghouse/countinghouse/billing"
	"github.com/countinghouse/countinghouse/billing/gateway"
	"github.com/countinghouse/countinghouse/billing/money"
	"github.com/countinghouse/countinghouse/billing/till"
	"github.com/countinghouse/countinghouse/internal/fault"
	"github.com/countinghouse/countinghouse/internal/id"
	"github.com/countinghouse/countinghouse/tenant"
	"github.com/countinghouse/countinghouse/web/page"
)

func (s *Server) registerChargePages() {
	if s.Till == nil {
		return
	}
	s.member("POST", "/invoices/:id/charge", rightTo(authz.Create, authz.Payments), sendCharge)
	s.member("GET", "/charges/:id", rightTo(authz.Read, authz.Payments), func(v *visit) error { return showCharge(v, http.StatusOK, nil) })
	s.member("POST", "/charges/:id/unfreeze", rightTo(authz.Approve, authz.Payments), sendUnfreeze)
	s.member("POST", "/charges/:id/refund", rightTo(authz.Approve, authz.Payments), sendRefund)
	s.member("POST", "/charges/:id/ask", rightTo(authz.Change, authz.Payments), askCharge)
}

// till enters the visit's organization for as many transactions as an order takes.
func (v *visit) till() till.Do { return v.do }

// became says in a sentence what became of an order.
func became(r till.Result, err error) string {
	amount := page.Symboled(r.Amount())
	var f *fault.Error
	switch {
	case errors.As(err, &f):
		return f.Say
	case r.Kind == billing.IntentRefund && r.State == billing.IntentSucceeded:
		return amount + " refunded"
	case r.State == billing.IntentSucceeded:
		return amount + " charged"
	case r.State == billing.IntentDeclined:
		return "The card was declined. Nothing was charged."
	case r.State == billing.IntentWaiting:
		return "The customer's bank asks them first. Nothing is charged until they answer."
	case r.State == billing.IntentFailed:
		return "The payment gateway did not do it. Nothing was moved."
	}
	return gateway.ErrUnknown.Say
}

// keepTold says what became of an order, and passes on what is nobody's to read.
func (v *visit) keepTold(r till.Result, err error) {
	v.server.noteOrder(v.ctx, err)
	say(v.c, became(r, err))
}

func sendCharge(v *visit) error {
	invoice, err := idParam[billing.Invoice](v, "id")
	if err != nil {
		return err
	}
	var cvv gateway.CVV
	return v.send(nil, func(tx *tenant.Tx, sent url.Values) (_ uuid.UUID, err error) {
		if _, err := billing.InvoiceByID(v.ctx, tx, invoice); err != nil {
			return uuid.Nil, err
		}
		method, ok := id.Parse[billing.PaymentMethod](sent.Get("method_id"))
		if !ok {
			return uuid.Nil, billing.ErrMethodUnusable
		}
		if cvv, err = cvvFor(v.ctx, tx, method, sent.Get("cvv")); err != nil {
			return uuid.Nil, err
		}
		i, err := billing.PlanCharge(v.ctx, tx, billing.ChargeInput{InvoiceID: invoice, MethodID: method})
		return i.ID.UUID, err
	}, func(made uuid.UUID) string {
		v.keepTold(v.server.Till.PerformWith(v.ctx, v.till(), id.Of[billing.Intent]{UUID: made}, cvv))
		return v.at("invoices", invoice.String())
	}, func(form page.Form) error {
		for _, secret := range secretFields {
			form.Values.Del(secret)
		}
		return showInvoice(v, http.StatusUnprocessableEntity, form)
	})
}

func showCharge(v *visit, status int, refused *page.Form) error {
	intent, err := idParam[billing.Intent](v, "id")
	if err != nil {
		return err
	}
	return v.show(status, "charge", func(tx *tenant.Tx) (any, error) {
		i, err := billing.IntentByID(v.ctx, tx, intent)
		if err != nil {
			return nil, err
		}
		title := "Charge of " + i.InvoiceNumber
		if i.Kind == billing.IntentRefund {
			title = "Refund of " + i.InvoiceNumber
		}
		shell, err := v.frame(tx, title, "payments")
		data := page.Charge{Shell: shell, Intent: i}
		if refundable := i.Refundable(); !refundable.IsZero() && v.may(rightTo(authz.Approve, authz.Payments)) {
			data.MayRefund = true
			data.Form = orFresh(refused, func() page.Form { return page.NewForm("amount", refundable.String()) })
		}
		if i.Frozen() && v.may(rightTo(authz.Approve, authz.Payments)) {
			data.MayUnfreeze = true
			data.Booked = orFresh(refused, func() page.Form { return page.NewForm() })
		}
		if !i.Settled() && v.may(rightTo(authz.Change, authz.Payments)) {
			data.Acts = []page.Act{{URL: v.at("charges", i.ID.String(), "ask"), Label: "Ask the gateway", Icon: "refresh-cw", Key: newFormKey()}}
		}
		return data, err
	})
}

func sendUnfreeze(v *visit) error {
	charge, err := idParam[billing.Intent](v, "id")
	if err != nil {
		return err
	}
	return v.send(nil, func(tx *tenant.Tx, sent url.Values) (uuid.UUID, error) {
		_, err := billing.UnfreezeCharge(v.ctx, tx, charge, sent.Get("note"))
		return charge.UUID, err
	}, func(uuid.UUID) string {
		say(v.c, "The charge goes on")
		return v.at("charges", charge.String())
	}, func(form page.Form) error { return showCharge(v, http.StatusUnprocessableEntity, &form) })
}

func sendRefund(v *visit) error {
	charge, err := idParam[billing.Intent](v, "id")
	if err != nil {
		return err
	}
	return v.send(nil, func(tx *tenant.Tx, sent url.Values) (uuid.UUID, error) {
		i, err := billing.IntentByID(v.ctx, tx, charge)
		if err != nil {
			return uuid.Nil, err
		}
		amount, err := money.ParseAmount(strings.TrimSpace(sent.Get("amount")), i.Currency)
		if err != nil {
			return uuid.Nil, at("amount", err)
		}
		if amount.IsZero() {
			return uuid.Nil, billing.ErrRefundAmount
		}
		refund, err := billing.PlanRefund(v.ctx, tx, charge, amount)
		return refund.ID.UUID, err
	}, func(made uuid.UUID) string {
		v.keepTold(v.server.Till.Perform(v.ctx, v.till(), id.Of[billing.Intent]{UUID: made}, ""))
		return v.at("charges", charge.String())
	}, func(form page.Form) error { return showCharge(v, http.StatusUnprocessableEntity, &form) })
}

func askCharge(v *visit) error {
	intent, err := idParam[billing.Intent](v, "id")
	if err != nil {
		return err
	}
	if err := v.checkForm(); err != nil {
		return err
	}
	result, err := v.server.Till.Ask(v.ctx, v.till(), intent)
	if errors.Is(err, billing.ErrIntentNotFound) {
		return err
	}
	v.keepTold(result, err)
	return v.c.Redirect(v.at("charges", intent.String()), http.StatusSeeOther)
}
