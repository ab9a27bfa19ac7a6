package web

import (
	"context"
	"net/http"

	"github.com/google/uuid"

	"github.com/countinghouse/countinghouse/authz"
	"github.com/countinghouse/countinghouse/billing"
	"github.com/countinghouse/countinghouse/billing/ledger"
	"github.com/countinghouse/countinghouse/billing/payables"
	"github.com/countinghouse/countinghouse/internal/fault"
	"github.com/countinghouse/countinghouse/internal/id"
	"github.com/countinghouse/countinghouse/tenant"
)

// MoneyBackBody is what a program writes about money that came back from a payee.
type MoneyBackBody struct {
	ExternalID string `json:"external_id,omitempty" doc:"Its id in another system; unique among payments"`
	Date       string `json:"date,omitempty" doc:"Left out, today" example:"2026-11-21"`
	Amount     *Money `json:"amount,omitempty" doc:"Left out, all that is left"`
	Method     string `json:"method" doc:"bank_transfer, cash, card, cheque or other" example:"bank_transfer"`
	Reference  string `json:"reference,omitempty"`
	AccountID  string `json:"account_id,omitempty" doc:"Where it went; left out, the bank account"`
}

func (b MoneyBackBody) input() (in payables.Receiving, err error) {
	var faults fault.List
	keep := func(err error) { faults.Add("", err) }
	in = payables.Receiving{ExternalID: b.ExternalID, Method: billing.Method(b.Method), Reference: b.Reference}
	in.Date, err = bodyDate("date", b.Date)
	keep(err)
	if b.Amount != nil {
		if in.Amount, err = b.Amount.parse("amount"); err == nil && in.Amount.Sign() <= 0 {
			err = payables.ErrBackAmount
		}
		keep(err)
	}
	in.Account, err = bodyID[ledger.Account]("account_id", b.AccountID)
	keep(err)
	return in, faults.Err()
}

// MoneyBackCall is the request to record money that came back.
type MoneyBackCall struct {
	Create[MoneyBackBody]
	ID string `path:"id" maxLength:"36"`
}

func (s *Server) registerMoneyBackAPI() {
	moneyBackAPI(s, "payee-credit", "payee-credits", "Payee credits", "Record money that a payee paid for what is left of their credit", payables.ReceiveCredit)
	moneyBackAPI(s, "bill-payment", "bill-payments", "Bill payments", "Record money that a payee paid back of what was paid in advance", payables.ReceiveAdvance)
}

// moneyBackAPI takes in what of a thing is left.
func moneyBackAPI[E any](s *Server, name, path, tag, summary string, do func(ctx context.Context, tx *tenant.Tx, i id.Of[E], in payables.Receiving) (payables.Payment, error)) {
	handle(s, operation{id: "receive-back-" + name, method: "POST", path: "/v1/" + path + "/{id}/money-back", right: rightTo(authz.Approve, authz.Bills), tag: tag, summary: summary, status: http.StatusCreated},
		func(ctx context.Context, c *call, in *MoneyBackCall) (*Versioned[BillPaymentView], error) {
			input, err := in.Body.input()
			if err != nil {
				return nil, err
			}
			of, err := pathID[E](in.ID)
			if err != nil {
				return nil, err
			}
			return create(ctx, c, func(tx *tenant.Tx) (uuid.UUID, error) {
				made, err := do(ctx, tx, of, input)
				return made.ID.UUID, err
			}, func(tx *tenant.Tx, made uuid.UUID) (BillPaymentView, int, error) {
				p, err := payables.PaymentByID(ctx, tx, payables.PaymentID{UUID: made})
				return viewBillPayment(p), 0, err
			})
		})
}
