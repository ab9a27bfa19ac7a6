package web

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/google/uuid"

	"github.com/countinghouse/countinghouse/authz"
	"github.com/countinghouse/countinghouse/billing"
	"github.com/countinghouse/countinghouse/billing/ledger"
	"github.com/countinghouse/countinghouse/billing/payables"
	"github.com/countinghouse/countinghouse/internal/cursor"
	"github.com/countinghouse/countinghouse/internal/fault"
	"github.com/countinghouse/countinghouse/tenant"
)

// BillPaymentBody is what a program writes about money that went to a payee.
type BillPaymentBody struct {
	ExternalID string         `json:"external_id,omitempty" doc:"The payment's id in another system; unique"`
	PayeeID    string         `json:"payee_id"`
	Date       string         `json:"date,omitempty" doc:"Left out, today" example:"2026-11-21"`
	Amount     *Money         `json:"amount,omitempty" doc:"Left out, what the bills come to. What is more than that is paid in advance"`
	Method     string         `json:"method" doc:"bank_transfer, cash, card, cheque or other" example:"bank_transfer"`
	Reference  string         `json:"reference,omitempty"`
	AccountID  string         `json:"account_id,omitempty" doc:"What it was paid from; left out, the bank account"`
	Bills      []PaidPartBody `json:"bills,omitempty" maxItems:"200" doc:"What is paid of which bill"`
}

// PaidPartBody is what is paid of one bill.
type PaidPartBody struct {
	BillID string `json:"bill_id"`
	Amount Money  `json:"amount"`
}

// BillPaymentView is a payment of bills or, below zero, money that came back, as a program reads it.
type BillPaymentView struct {
	ID          string              `json:"id"`
	ExternalID  string              `json:"external_id,omitempty"`
	Payee       InvoiceCustomerView `json:"payee"`
	Date        string              `json:"date"`
	Amount      Money               `json:"amount"`
	Left        Money               `json:"left" doc:"What of it pays no bill"`
	Method      string              `json:"method"`
	Reference   string              `json:"reference,omitempty"`
	AccountID   string              `json:"account_id"`
	EntryID     string              `json:"journal_entry_id"`
	TakenBackOn *string             `json:"taken_back_on"`
	CameBack    Money               `json:"came_back" doc:"What of it came back from the payee"`
	RefundOf    string              `json:"refund_of,omitempty" doc:"Of money that came back: the payment that it came back of"`
	Bills       []PaidPartView      `json:"bills"`
	CreatedAt   time.Time           `json:"created_at"`
}

// PaidPartView is what a payment pays of one bill or, below zero, what came back of a payee's credit.
type PaidPartView struct {
	BillID string `json:"bill_id" doc:"The bill, or the payee's credit"`
	Kind   string `json:"kind" doc:"bill or payee_credit"`
	Number string `json:"number"`
	Amount Money  `json:"amount"`
	Date   string `json:"date" doc:"Since when"`
}

// partField is the field of the nth part of a payment.
func partField(n int) string { return fmt.Sprintf("bills[%d]", n) }

func (b BillPaymentBody) input() (in payables.Paying, err error) {
	var faults fault.List
	keep := func(err error) { faults.Add("", err) }
	in = payables.Paying{ExternalID: b.ExternalID, Method: billing.Method(b.Method), Reference: b.Reference}
	in.Payee, err = bodyID[billing.Customer]("payee_id", b.PayeeID)
	keep(err)
	in.Date, err = bodyDate("date", b.Date)
	keep(err)
	if b.Amount != nil {
		in.Amount, err = b.Amount.parse("amount")
		keep(err)
	}
	in.Account, err = bodyID[ledger.Account]("account_id", b.AccountID)
	keep(err)
	for i, p := range b.Bills {
		part := payables.Part{}
		part.Bill, err = bodyID[billing.Document](partField(i)+".bill_id", p.BillID)
		keep(err)
		part.Amount, err = p.Amount.parse(partField(i) + ".amount")
		keep(err)
		in.Parts = append(in.Parts, part)
	}
	return in, faults.Err()
}

func viewBillPayment(p payables.Payment) BillPaymentView {
	v := BillPaymentView{ID: p.ID.String(), ExternalID: p.ExternalID, Payee: InvoiceCustomerView{p.Payee.String(), p.PayeeName}, Date: p.Date.String(),
		Amount: moneyOf(p.Amount), Left: moneyOf(p.Left), Method: string(p.Method), Reference: p.Reference, AccountID: p.Account.String(), EntryID: p.Entry.String(),
		TakenBackOn: dateText(p.TakenBackOn), CameBack: moneyOf(p.CameBack), Bills: []PaidPartView{}, CreatedAt: p.CreatedAt}
	if p.RefundOf.UUID != uuid.Nil {
		v.RefundOf = p.RefundOf.String()
	}
	for _, x := range p.Parts {
		v.Bills = append(v.Bills, PaidPartView{x.Bill.String(), string(x.Kind), x.Number, moneyOf(x.Amount), x.Date.String()})
	}
	return v
}

type billPaymentListInput struct {
	PageInput
	PayeeID string `query:"payee_id" maxLength:"36"`
	From    string `query:"from" doc:"Paid on this day or later" maxLength:"10"`
	To      string `query:"to" doc:"Paid on this day or earlier" maxLength:"10"`
}

func (s *Server) registerBillPaymentAPI() {
	s.registerMoneyBackAPI()
	const tag, path = "Bill payments", "/v1/bill-payments"
	approve := rightTo(authz.Approve, authz.Bills)
	handle(s, operation{id: "list-bill-payments", method: "GET", path: path, right: rightTo(authz.Read, authz.Bills), tag: tag, summary: "List payments of bills, newest first"},
		func(ctx context.Context, c *call, in *billPaymentListInput) (*Body[List[BillPaymentView]], error) {
			var filter payables.Filter
			var err error
			if filter.Payee, err = bodyID[billing.Customer]("payee_id", in.PayeeID); err != nil {
				return nil, err
			}
			if filter.From, err = bodyDate("from", in.From); err != nil {
				return nil, err
			}
			if filter.To, err = bodyDate("to", in.To); err != nil {
				return nil, err
			}
			return list(ctx, c, in.PageInput, func(tx *tenant.Tx, q cursor.Query) (cursor.Page[payables.Payment], error) {
				return payables.Payments(ctx, tx, filter, q)
			}, viewBillPayment)
		})
	handle(s, operation{id: "pay-bills", method: "POST", path: path, right: approve, tag: tag, summary: "Record a payment to a payee, of one bill or several, in part or in advance", status: http.StatusCreated},
		func(ctx context.Context, c *call, in *Create[BillPaymentBody]) (*Versioned[BillPaymentView], error) {
			input, err := in.Body.input()
			if err != nil {
				return nil, err
			}
			return create(ctx, c, func(tx *tenant.Tx) (uuid.UUID, error) {
				made, err := payables.PayBills(ctx, tx, input)
				return made.ID.UUID, err
			}, func(tx *tenant.Tx, made uuid.UUID) (BillPaymentView, int, error) {
				p, err := payables.PaymentByID(ctx, tx, payables.PaymentID{UUID: made})
				return viewBillPayment(p), 0, err
			})
		})
	handle(s, operation{id: "get-bill-payment", method: "GET", path: path + "/{id}", right: rightTo(authz.Read, authz.Bills), tag: tag, summary: "Read a payment of bills"},
		func(ctx context.Context, c *call, in *ByID) (*Versioned[BillPaymentView], error) {
			return change(ctx, c, in.ID, IfMatch{}, func(tx *tenant.Tx, i payables.PaymentID, _ int) (BillPaymentView, int, error) {
				p, err := payables.PaymentByID(ctx, tx, i)
				return viewBillPayment(p), 0, err
			})
		})
	handle(s, operation{id: "take-back-bill-payment", method: "POST", path: path + "/{id}/take-back", right: approve, tag: tag, summary: "Take a payment back: what it paid is open again"},
		func(ctx context.Context, c *call, in *Act) (*Versioned[BillPaymentView], error) {
			return change(ctx, c, in.ID, IfMatch{}, func(tx *tenant.Tx, i payables.PaymentID, _ int) (BillPaymentView, int, error) {
				p, err := payables.TakeBack(ctx, tx, i)
				return viewBillPayment(p), 0, err
			})
		})
	handle(s, operation{id: "apply-bill-payment", method: "POST", path: path + "/{id}/apply", right: approve, tag: tag, summary: "Let what was paid in advance pay a bill"},
		func(ctx context.Context, c *call, in *Change[PayeeApplyBody]) (*Versioned[BillPaymentView], error) {
			bill, amount, err := in.Body.input()
			if err != nil {
				return nil, err
			}
			return change(ctx, c, in.ID, IfMatch{}, func(tx *tenant.Tx, i payables.PaymentID, _ int) (BillPaymentView, int, error) {
				p, err := payables.ApplyAdvance(ctx, tx, i, bill, amount)
				return viewBillPayment(p), 0, err
			})
		})
}
