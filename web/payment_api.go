package web

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/google/uuid"

	"github.com/countinghouse/countinghouse/authz"
	"github.com/countinghouse/countinghouse/billing"
	"github.com/countinghouse/countinghouse/billing/currency"
	"github.com/countinghouse/countinghouse/billing/ledger"
	"github.com/countinghouse/countinghouse/billing/money"
	"github.com/countinghouse/countinghouse/internal/cursor"
	"github.com/countinghouse/countinghouse/internal/fault"
	"github.com/countinghouse/countinghouse/internal/id"
	"github.com/countinghouse/countinghouse/tenant"
)

// PaymentBody is what a program writes about money that came in.
type PaymentBody struct {
	ExternalID  string           `json:"external_id,omitempty" doc:"The payment's id in another system; unique"`
	CustomerID  string           `json:"customer_id,omitempty" doc:"Who paid; needed where no invoice is named: then it is a deposit, which stays as credit"`
	InvoiceID   string           `json:"invoice_id,omitempty" doc:"The one invoice that is paid, in part or whole"`
	Allocations []AllocationBody `json:"allocations,omitempty" maxItems:"200" doc:"In place of invoice_id: what each of several invoices of one customer and currency gets. What none gets stays as credit"`
	KeepRest    bool             `json:"keep_rest,omitempty" doc:"With invoice_id: keep what is more than is open as the customer's credit, rather than refuse it"`
	Date        string           `json:"date,omitempty" doc:"Left out, today" example:"2026-11-21"`
	Amount      Money            `json:"amount" doc:"With invoice_id, at most what is open on it unless keep_rest; in the invoices' currency"`
	Method      string           `json:"method" doc:"bank_transfer, cash, card, cheque or other" example:"bank_transfer"`
	Reference   string           `json:"reference,omitempty"`
	AccountID   string           `json:"account_id,omitempty" doc:"Where the money went; left out, the bank account"`
}

// AllocationBody is what one invoice gets of a payment.
type AllocationBody struct {
	InvoiceID string `json:"invoice_id"`
	Amount    Money  `json:"amount"`
}

// PaymentView is a payment as a program reads it.
type PaymentView struct {
	ID            string              `json:"id"`
	ExternalID    string              `json:"external_id,omitempty"`
	Customer      InvoiceCustomerView `json:"customer"`
	InvoiceID     string              `json:"invoice_id,omitempty" doc:"Where it settles one invoice alone"`
	InvoiceNumber string              `json:"invoice_number,omitempty"`
	Settles       []SettledView       `json:"settles"`
	Date          string              `json:"date"`
	Amount        Money               `json:"amount" doc:"Below zero: money given back"`
	Left          Money               `json:"left" doc:"What of it, less what was given back, is the customer's credit"`
	RefundOf      string              `json:"refund_of,omitempty" doc:"Of money given back: the payment that it was taken from"`
	Method        string              `json:"method"`
	Reference     string              `json:"reference,omitempty"`
	AccountID     string              `json:"account_id"`
	EntryID       string              `json:"journal_entry_id"`
	Gain          *Money              `json:"realised_gain,omitempty" doc:"Of a foreign currency: what its settlements gained or, below zero, lost, in the organization's own; not in lists"`
	GainWaiting   bool                `json:"realised_gain_waiting,omitempty" doc:"More is told once an exchange rate is known; not in lists"`
	CreatedAt     time.Time           `json:"created_at"`
}

// SettledView is what of a payment settles a document.
type SettledView struct {
	Kind   string `json:"kind" doc:"invoice, or credit_note where its credit was paid out"`
	ID     string `json:"id"`
	Number string `json:"number"`
	Date   string `json:"date"`
	Amount Money  `json:"amount"`
}

func (b PaymentBody) input() (in billing.PaymentInput, err error) {
	var faults fault.List
	keep := func(err error) { faults.Add("", err) }
	in = billing.PaymentInput{ExternalID: b.ExternalID, KeepRest: b.KeepRest, Method: billing.Method(b.Method), Reference: b.Reference}
	in.CustomerID, err = bodyID[billing.Customer]("customer_id", b.CustomerID)
	keep(err)
	in.InvoiceID, err = bodyID[billing.Invoice]("invoice_id", b.InvoiceID)
	keep(err)
	for i, a := range b.Allocations {
		field := fmt.Sprintf("allocations[%d]", i)
		var one billing.Allocation
		one.InvoiceID, err = bodyID[billing.Invoice](field+".invoice_id", a.InvoiceID)
		keep(err)
		one.Amount, err = a.Amount.parse(field + ".amount")
		keep(err)
		in.Allocations = append(in.Allocations, one)
	}
	in.Date, err = bodyDate("date", b.Date)
	keep(err)
	in.Amount, err = b.Amount.parse("amount")
	keep(err)
	in.AccountID, err = bodyID[ledger.Account]("account_id", b.AccountID)
	keep(err)
	return in, faults.Err()
}

func viewPayment(p billing.Payment) PaymentView {
	v := PaymentView{ID: p.ID.String(), ExternalID: p.ExternalID, Customer: InvoiceCustomerView{p.CustomerID.String(), p.CustomerName},
		Settles: []SettledView{}, Date: p.Date.String(), Amount: moneyOf(p.Amount), Left: moneyOf(p.Left), RefundOf: idText(p.RefundOf),
		Method: string(p.Method), Reference: p.Reference, AccountID: p.Account.String(), EntryID: p.Entry.String(), CreatedAt: p.CreatedAt}
	for _, s := range p.Settles {
		v.Settles = append(v.Settles, SettledView{s.Kind, s.Document.String(), s.Number, s.Date.String(), moneyOf(s.Amount)})
	}
	if len(p.Settles) == 1 && p.Settles[0].Kind == "invoice" {
		v.InvoiceID, v.InvoiceNumber = p.Settles[0].Document.String(), p.Settles[0].Number
	}
	return v
}

// paymentWhole reads a payment with what it gained.
func paymentWhole(ctx context.Context, tx *tenant.Tx, payment billing.PaymentID) (PaymentView, int, error) {
	p, err := billing.PaymentByID(ctx, tx, payment)
	if err != nil {
		return PaymentView{}, 0, err
	}
	v := viewPayment(p)
	gain, err := currency.GainOf(ctx, tx, payment.UUID)
	if gain.Waiting || !gain.Amount.IsZero() {
		told := moneyOf(gain.Amount)
		v.Gain, v.GainWaiting = &told, gain.Waiting
	}
	return v, 0, err
}

// GiveBackBody is what a program writes about money that is given back.
type GiveBackBody struct {
	ExternalID string `json:"external_id,omitempty" doc:"The refund's id in another system; unique"`
	Date       string `json:"date,omitempty" doc:"Left out, today" example:"2026-11-21"`
	Amount     Money  `json:"amount"`
	Method     string `json:"method" doc:"bank_transfer, cash, card, cheque or other" example:"bank_transfer"`
	Reference  string `json:"reference,omitempty"`
	AccountID  string `json:"account_id,omitempty" doc:"Where the money comes from; left out, the bank account"`
}

func (b GiveBackBody) input() (billing.RefundInput, error) {
	return PaymentBody{ExternalID: b.ExternalID, Date: b.Date, Amount: b.Amount, Method: b.Method, Reference: b.Reference, AccountID: b.AccountID}.input()
}

// GiveBackCall is the request to give something back.
type GiveBackCall struct {
	Create[GiveBackBody]
	ID string `path:"id" maxLength:"36"`
}

// giveBackAPI gives back what of a thing is left.
func giveBackAPI[E any](s *Server, name, path, tag, summary string, do func(ctx context.Context, tx *tenant.Tx, i id.Of[E], in billing.RefundInput) (billing.Payment, error)) {
	handle(s, operation{id: "give-back-" + name, method: "POST", path: "/v1/" + path + "/{id}/give-back", right: rightTo(authz.Approve, authz.Payments), tag: tag, summary: summary, status: http.StatusCreated},
		func(ctx context.Context, c *call, in *GiveBackCall) (*Versioned[PaymentView], error) {
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
			}, func(tx *tenant.Tx, made uuid.UUID) (PaymentView, int, error) {
				return paymentWhole(ctx, tx, billing.PaymentID{UUID: made})
			})
		})
}

// CustomerCreditView is what a customer has as credit.
type CustomerCreditView struct {
	PaymentID    string `json:"payment_id,omitempty"`
	CreditNoteID string `json:"credit_note_id,omitempty"`
	Number       string `json:"number,omitempty" doc:"Of a credit note; of a payment its reference"`
	Date         string `json:"date"`
	Left         Money  `json:"left"`
}

// registerCreditAPI is what becomes of payments that settle nothing yet.
func (s *Server) registerCreditAPI() {
	const tag = "Payments"
	giveBackAPI(s, "payment", "payments", tag, "Give a payment back, whole or in part: what is credit first, then what settles invoices, which are open again", billing.GiveBackPayment)
	giveBackAPI(s, "credit-note", "credit-notes", tag, "Give back what is left of a credit note", billing.GiveBackCredit)
	move := func(act, summary string, right authz.Right, do func(context.Context, *tenant.Tx, billing.PaymentID, billing.InvoiceID, money.Amount) (billing.Payment, error)) {
		handle(s, operation{id: act + "-payment", method: "POST", path: "/v1/payments/{id}/" + act, right: right, tag: tag, summary: summary},
			func(ctx context.Context, c *call, in *Change[ApplyBody]) (*Versioned[PaymentView], error) {
				invoice, amount, err := in.Body.input()
				if err != nil {
					return nil, err
				}
				return change(ctx, c, in.ID, IfMatch{}, func(tx *tenant.Tx, i billing.PaymentID, _ int) (PaymentView, int, error) {
					if _, err := do(ctx, tx, i, invoice, amount); err != nil {
						return PaymentView{}, 0, err
					}
					return paymentWhole(ctx, tx, i)
				})
			})
	}
	move("apply", "Let what is left of a payment settle an invoice of its customer", rightTo(authz.Create, authz.Payments), billing.ApplyPayment)
	move("unapply", "Take a payment off an invoice: it is credit again", rightTo(authz.Change, authz.Payments),
		func(ctx context.Context, tx *tenant.Tx, p billing.PaymentID, invoice billing.InvoiceID, _ money.Amount) (billing.Payment, error) {
			return billing.UnapplyPayment(ctx, tx, p, invoice)
		})
	handle(s, operation{id: "list-customer-credits", method: "GET", path: "/v1/customers/{id}/credits", right: rightTo(authz.Read, authz.Payments), tag: tag, summary: "List what a customer has as credit, the oldest first"},
		func(ctx context.Context, c *call, in *ByID) (*Versioned[List[CustomerCreditView]], error) {
			return read(ctx, c, in.ID, func(tx *tenant.Tx, i billing.CustomerID) (List[CustomerCreditView], int, error) {
				views := List[CustomerCreditView]{Items: []CustomerCreditView{}}
				if _, err := billing.CustomerByID(ctx, tx, i); err != nil {
					return views, 0, err
				}
				all, err := billing.CreditsOf(ctx, tx, i, money.Currency{})
				for _, one := range all {
					views.Items = append(views.Items, CustomerCreditView{idText(one.Payment), idText(one.CreditNote), one.Number, one.Date.String(), moneyOf(one.Left)})
				}
				return views, 0, err
			})
		})
}

type paymentListInput struct {
	PageInput
	CustomerID string `query:"customer_id" maxLength:"36"`
	InvoiceID  string `query:"invoice_id" maxLength:"36"`
}

func (s *Server) registerPaymentAPI() {
	s.registerCreditAPI()
	s.registerLateFees()
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
	handle(s, operation{id: "record-payment", method: "POST", path: "/v1/payments", right: authz.Right{Module: authz.Payments, Action: authz.Create}, tag: tag, summary: "Record a payment of one invoice, of several, or on account", status: http.StatusCreated},
		func(ctx context.Context, c *call, in *Create[PaymentBody]) (*Versioned[PaymentView], error) {
			input, err := in.Body.input()
			if err != nil {
				return nil, err
			}
			return create(ctx, c, func(tx *tenant.Tx) (uuid.UUID, error) {
				made, err := billing.RecordPayment(ctx, tx, input)
				return made.ID.UUID, err
			}, func(tx *tenant.Tx, made uuid.UUID) (PaymentView, int, error) {
				return paymentWhole(ctx, tx, billing.PaymentID{UUID: made})
			})
		})
	handle(s, operation{id: "get-payment", method: "GET", path: "/v1/payments/{id}", right: authz.Right{Module: authz.Payments, Action: authz.Read}, tag: tag, summary: "Read a payment"},
		func(ctx context.Context, c *call, in *ByID) (*Versioned[PaymentView], error) {
			return read(ctx, c, in.ID, func(tx *tenant.Tx, i billing.PaymentID) (PaymentView, int, error) {
				return paymentWhole(ctx, tx, i)
			})
		})
}
