package web

import (
	"context"
	"net/http"
	"time"

	"github.com/google/uuid"

	"github.com/countinghouse/countinghouse/authz"
	"github.com/countinghouse/countinghouse/billing"
	"github.com/countinghouse/countinghouse/billing/ledger"
	"github.com/countinghouse/countinghouse/internal/cursor"
	"github.com/countinghouse/countinghouse/internal/fault"
	"github.com/countinghouse/countinghouse/internal/id"
	"github.com/countinghouse/countinghouse/tenant"
)

// PaymentBody is what a program writes about money that came in.
type PaymentBody struct {
	ExternalID string `json:"external_id,omitempty" doc:"The payment's id in another system; unique"`
	InvoiceID  string `json:"invoice_id"`
	Date       string `json:"date,omitempty" doc:"Left out, today" example:"2026-11-21"`
	Amount     Money  `json:"amount" doc:"At most what is open on the invoice, in its currency"`
	Method     string `json:"method" doc:"bank_transfer, cash, card, cheque or other" example:"bank_transfer"`
	Reference  string `json:"reference,omitempty"`
	AccountID  string `json:"account_id,omitempty" doc:"Where the money went; left out, the bank account"`
}

// PaymentView is a payment as a program reads it.
type PaymentView struct {
	ID            string              `json:"id"`
	ExternalID    string              `json:"external_id,omitempty"`
	Customer      InvoiceCustomerView `json:"customer"`
	InvoiceID     string              `json:"invoice_id"`
	InvoiceNumber string              `json:"invoice_number"`
	Date          string              `json:"date"`
	Amount        Money               `json:"amount"`
	Method        string              `json:"method"`
	Reference     string              `json:"reference,omitempty"`
	AccountID     string              `json:"account_id"`
	EntryID       string              `json:"journal_entry_id"`
	CreatedAt     time.Time           `json:"created_at"`
}

func (b PaymentBody) input() (in billing.PaymentInput, err error) {
	var faults fault.List
	keep := func(err error) { faults.Add("", err) }
	in = billing.PaymentInput{ExternalID: b.ExternalID, Method: billing.Method(b.Method), Reference: b.Reference}
	in.InvoiceID, err = bodyID[billing.Invoice]("invoice_id", b.InvoiceID)
	keep(err)
	in.Date, err = bodyDate("date", b.Date)
	keep(err)
	in.Amount, err = b.Amount.parse("amount")
	keep(err)
	in.AccountID, err = bodyID[ledger.Account]("account_id", b.AccountID)
	keep(err)
	return in, faults.Err()
}

func viewPayment(p billing.Payment) PaymentView {
	return PaymentView{ID: p.ID.String(), ExternalID: p.ExternalID, Customer: InvoiceCustomerView{p.CustomerID.String(), p.CustomerName},
		InvoiceID: p.InvoiceID.String(), InvoiceNumber: p.InvoiceNumber, Date: p.Date.String(), Amount: moneyOf(p.Amount), Method: string(p.Method),
		Reference: p.Reference, AccountID: p.Account.String(), EntryID: p.Entry.String(), CreatedAt: p.CreatedAt}
}

type paymentListInput struct {
	PageInput
	CustomerID string `query:"customer_id" maxLength:"36"`
	InvoiceID  string `query:"invoice_id" maxLength:"36"`
}

func (s *Server) registerPaymentAPI() {
	const tag = "Payments"
	handle(s, operation{id: "list-payments", method: "GET", path: "/v1/payments", right: authz.Right{Module: authz.Payments, Action: authz.Read}, tag: tag, summary: "List payments, newest first"},
		func(ctx context.Context, c *call, in *paymentListInput) (*Body[List[PaymentView]], error) {
			var filter billing.PaymentFilter
			var err error
			if filter.CustomerID, err = bodyID[billing.Customer]("customer_id", in.CustomerID); err != nil {
				return nil, err
			}
			if filter.InvoiceID, err = bodyID[billing.Invoice]("invoice_id", in.InvoiceID); err != nil {
				return nil, err
			}
			return list(ctx, c, in.PageInput, func(tx *tenant.Tx, q cursor.Query) (cursor.Page[billing.Payment], error) {
				return billing.Payments(ctx, tx, filter, q)
			}, viewPayment)
		})
	handle(s, operation{id: "record-payment", method: "POST", path: "/v1/payments", right: authz.Right{Module: authz.Payments, Action: authz.Create}, tag: tag, summary: "Record a payment of an invoice, whole or in part", status: http.StatusCreated},
		func(ctx context.Context, c *call, in *Create[PaymentBody]) (*Versioned[PaymentView], error) {
			input, err := in.Body.input()
			if err != nil {
				return nil, err
			}
			return create(ctx, c, func(tx *tenant.Tx) (uuid.UUID, error) {
				made, err := billing.RecordPayment(ctx, tx, input)
				return made.ID.UUID, err
			}, func(tx *tenant.Tx, made uuid.UUID) (PaymentView, int, error) {
				v, err := billing.PaymentByID(ctx, tx, id.Of[billing.Payment]{UUID: made})
				return viewPayment(v), 0, err
			})
		})
	handle(s, operation{id: "get-payment", method: "GET", path: "/v1/payments/{id}", right: authz.Right{Module: authz.Payments, Action: authz.Read}, tag: tag, summary: "Read a payment"},
		func(ctx context.Context, c *call, in *ByID) (*Versioned[PaymentView], error) {
			return read(ctx, c, in.ID, func(tx *tenant.Tx, i billing.PaymentID) (PaymentView, int, error) {
				v, err := billing.PaymentByID(ctx, tx, i)
				return viewPayment(v), 0, err
			})
		})
}
