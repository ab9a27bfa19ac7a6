package web

import (
	"context"
	"net/http"
	"net/url"

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

func (s *Server) registerMoneyBackPages() {
	approve := rightTo(authz.Approve, authz.Bills)
	s.member("POST", "/payee-credits/:id/money-back", approve, func(v *visit) error {
		return sendMoneyBack(v, func(ctx context.Context, tx *tenant.Tx, i id.Of[billing.Document]) (money.Currency, error) {
			c, err := billing.PurchaseByID(ctx, tx, billing.PayeeCredit, i)
			return c.Currency, err
		}, payables.ReceiveCredit, func(form page.Form) error {
			return showBill(v, billing.PayeeCredit, http.StatusUnprocessableEntity, form)
		})
	})
	s.member("POST", "/bill-payments/:id/money-back", approve, func(v *visit) error {
		return sendMoneyBack(v, func(ctx context.Context, tx *tenant.Tx, i id.Of[billing.Payment]) (money.Currency, error) {
			p, err := payables.PaymentByID(ctx, tx, i)
			return p.Amount.Currency, err
		}, payables.ReceiveAdvance, func(form page.Form) error { return showBillPayment(v, http.StatusUnprocessableEntity, form) })
	})
}

// sendMoneyBack records money that came back from a payee, and shows it.
func sendMoneyBack[E any](v *visit, currency func(ctx context.Context, tx *tenant.Tx, i id.Of[E]) (money.Currency, error),
	do func(ctx context.Context, tx *tenant.Tx, i id.Of[E], in payables.Receiving) (payables.Payment, error), refused func(form page.Form) error) error {
	of, err := idParam[E](v, "id")
	if err != nil {
		return err
	}
	return v.send(nil, func(tx *tenant.Tx, sent url.Values) (uuid.UUID, error) {
		c, err := currency(v.ctx, tx, of)
		if err != nil {
			return uuid.Nil, err
		}
		in, err := moneyBackInput(sent, c)
		if err != nil {
			return uuid.Nil, err
		}
		made, err := do(v.ctx, tx, of, in)
		return made.ID.UUID, err
	}, func(made uuid.UUID) string {
		say(v.c, "Money back recorded")
		return v.at("bill-payments", made.String())
	}, refused)
}

func moneyBackInput(sent url.Values, c money.Currency) (in payables.Receiving, err error) {
	var faults fault.List
	keep := func(err error) { faults.Add("", err) } // all that is read here fails with faults alone
	in = payables.Receiving{Method: billing.Method(sent.Get("method")), Reference: sent.Get("reference")}
	in.Amount, err = money.ParseAmount(trimmed(sent, "amount"), c)
	keep(at("amount", err))
	in.Date, err = bodyDate("date", trimmed(sent, "date"))
	keep(err)
	in.Account, err = bodyID[ledger.Account]("account_id", sent.Get("account_id"))
	keep(err)
	return in, faults.Err()
}

// fillMoneyBack offers the form of money that comes back, where something is left. What was refused of it stands there, and
// nowhere else on the page.
func fillMoneyBack(v *visit, tx *tenant.Tx, data *page.GiveBack, form *page.Form, action string, left money.Amount) error {
	refused := *form
	if form.Value("what") == "give-back" {
		*form = keyed(page.Form{})
	}
	if err := fillGiveBack(v, tx, data, refused, action, left); err != nil {
		return err
	}
	data.Comes = true
	accounts, err := moneyAccounts(v.ctx, tx)
	data.Accounts = accounts
	return err
}
