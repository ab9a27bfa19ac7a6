package web

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/google/uuid"

	"github.com/countinghouse/countinghouse/authz"
	"github.com/countinghouse/countinghouse/billing"
	"github.com/countinghouse/countinghouse/billing/gateway"
	"github.com/countinghouse/countinghouse/billing/money"
	"github.com/countinghouse/countinghouse/internal/cursor"
	"github.com/countinghouse/countinghouse/internal/fault"
	"github.com/countinghouse/countinghouse/internal/id"
	"github.com/countinghouse/countinghouse/tenant"
)

// ChargeBody asks to charge a stored method.
type ChargeBody struct {
	InvoiceID string `json:"invoice_id"`
	MethodID  string `json:"payment_method_id" doc:"A stored card of the invoice's customer"`
	Amount    *Money `json:"amount,omitempty" doc:"Left out, all that is open on the invoice"`
	CVV       string `json:"cvv,omitempty" doc:"The security code of a card whose number is stored here, write-only: it goes to the gateway with this charge and is kept nowhere" maxLength:"4"`
}

// RefundBody asks to give back a charge.
type RefundBody struct {
	Amount *Money `json:"amount,omitempty" doc:"Left out, all that is left of the charge"`
}

// ChargeView is a charge or a refund as a program reads it.
type ChargeView struct {
	ID            string     `json:"id"`
	Kind          string     `json:"kind" doc:"charge: a stored method; page: the customer pays on the gateway's page; refund"`
	State         string     `json:"state" doc:"ready, called, unknown, waiting; or with a result: succeeded, declined, failed"`
	Reason        string     `json:"reason,omitempty" doc:"Why it was declined or failed: the gateway's short code"`
	Amount        Money      `json:"amount"`
	Refundable    Money      `json:"refundable" doc:"What can still be given back"`
	GatewayID     string     `json:"gateway_id"`
	CustomerID    string     `json:"customer_id"`
	InvoiceID     string     `json:"invoice_id"`
	InvoiceNumber string     `json:"invoice_number"`
	MethodID      string     `json:"payment_method_id,omitempty"`
	ChargeID      string     `json:"charge_id,omitempty" doc:"Of a refund: the charge"`
	GatewayRef    string     `json:"gateway_reference,omitempty" doc:"The gateway's own name of it"`
	CreatedAt     time.Time  `json:"created_at"`
	SettledAt     *time.Time `json:"settled_at" doc:"When the result was known"`
}

func viewCharge(i billing.Intent) ChargeView {
	return ChargeView{ID: i.ID.String(), Kind: string(i.Kind), State: string(i.State), Reason: i.Reason, Amount: moneyOf(i.Amount()),
		Refundable: moneyOf(i.Refundable()), GatewayID: i.GatewayID.String(), CustomerID: i.CustomerID.String(), InvoiceID: i.InvoiceID.String(),
		InvoiceNumber: i.InvoiceNumber, MethodID: idText(i.MethodID), ChargeID: idText(i.ChargeID), GatewayRef: i.Ref,
		CreatedAt: i.CreatedAt, SettledAt: i.SettledAt}
}

// bodyAmount reads an amount that may be left out.
func bodyAmount(field string, m *Money) (money.Amount, error) {
	if m == nil {
		return money.Amount{}, nil
	}
	return m.parse(field)
}

// UnfreezeBody says what was booked by hand.
type UnfreezeBody struct {
	Note string `json:"note" doc:"What was booked, for those who look at it later" maxLength:"500"`
}

type chargeListInput struct {
	PageInput
	CustomerID string `query:"customer_id" maxLength:"36"`
	InvoiceID  string `query:"invoice_id" maxLength:"36"`
}

func (s *Server) registerChargeAPI() {
	if s.Till == nil {
		return
	}
	const tag = "Charges"
	handle(s, operation{id: "list-charges", method: "GET", path: "/v1/charges", right: authz.Right{Module: authz.Payments, Action: authz.Read}, tag: tag, summary: "List charges and refunds through gateways, newest first"},
		func(ctx context.Context, c *call, in *chargeListInput) (*Body[List[ChargeView]], error) {
			var filter billing.ChargeFilter
			var err error
			if filter.CustomerID, err = bodyID[billing.Customer]("customer_id", in.CustomerID); err != nil {
				return nil, err
			}
			if filter.InvoiceID, err = bodyID[billing.Invoice]("invoice_id", in.InvoiceID); err != nil {
				return nil, err
			}
			return list(ctx, c, in.PageInput, func(tx *tenant.Tx, q cursor.Query) (cursor.Page[billing.Intent], error) {
				return billing.Charges(ctx, tx, filter, q)
			}, viewCharge)
		})
	handle(s, operation{id: "charge", method: "POST", path: "/v1/charges", right: authz.Right{Module: authz.Payments, Action: authz.Create}, tag: tag, summary: "Charge a stored payment method for an invoice; its state says what became of it", status: http.StatusCreated},
		chargeMethod)
	handle(s, operation{id: "get-charge", method: "GET", path: "/v1/charges/{id}", right: authz.Right{Module: authz.Payments, Action: authz.Read}, tag: tag, summary: "Read a charge or refund"},
		func(ctx context.Context, c *call, in *ByID) (*Versioned[ChargeView], error) {
			return read(ctx, c, in.ID, func(tx *tenant.Tx, i billing.IntentID) (ChargeView, int, error) {
				v, err := billing.IntentByID(ctx, tx, i)
				return viewCharge(v), 0, err
			})
		})
	handle(s, operation{id: "refund-charge", method: "POST", path: "/v1/charges/{id}/refund", right: authz.Right{Module: authz.Payments, Action: authz.Approve}, tag: tag, summary: "Give back a charge, whole or in part; its state says what became of it", status: http.StatusCreated},
		refundCharge)
	handle(s, operation{id: "unfreeze-charge", method: "POST", path: "/v1/charges/{id}/unfreeze", right: rightTo(authz.Approve, authz.Payments), tag: tag, summary: "Let a charge go on whose money moved in another currency, once that is booked by hand"},
		func(ctx context.Context, c *call, in *Change[UnfreezeBody]) (*Versioned[ChargeView], error) {
			return change(ctx, c, in.ID, IfMatch{}, func(tx *tenant.Tx, i billing.IntentID, _ int) (ChargeView, int, error) {
				v, err := billing.UnfreezeCharge(ctx, tx, i, in.Body.Note)
				return viewCharge(v), 0, err
			})
		})
	handle(s, operation{id: "ask-charge", method: "POST", path: "/v1/charges/{id}/ask", right: authz.Right{Module: authz.Payments, Action: authz.Change}, tag: tag, summary: "Ask the gateway now what became of a charge or refund without a result"},
		func(ctx context.Context, c *call, in *ByID) (*Versioned[ChargeView], error) {
			i, err := pathID[billing.Intent](in.ID)
			if err != nil {
				return nil, err
			}
			r, err := c.server.Till.Ask(ctx, c.do, i)
			if err != nil && !r.Settled() {
				return nil, err
			}
			return versioned(viewCharge(r.Intent), 0), nil
		})
}

type refundInput struct {
	ByID
	IdempotencyKey string `header:"Idempotency-Key" doc:"Your own name for this request; sent again, it is done once" maxLength:"100"`
	Body           RefundBody
}

func chargeMethod(ctx context.Context, c *call, in *Create[ChargeBody]) (*Versioned[ChargeView], error) {
	var faults fault.List
	input := billing.ChargeInput{}
	var err error
	input.InvoiceID, err = bodyID[billing.Invoice]("invoice_id", in.Body.InvoiceID)
	faults.Add("", err)
	input.MethodID, err = bodyID[billing.PaymentMethod]("payment_method_id", in.Body.MethodID)
	faults.Add("", err)
	input.Amount, err = bodyAmount("amount", in.Body.Amount)
	faults.Add("", err)
	if err := faults.Err(); err != nil {
		return nil, err
	}
	var cvv gateway.CVV
	return c.order(ctx, func(tx *tenant.Tx) (i billing.Intent, err error) {
		if cvv, err = cvvFor(ctx, tx, input.MethodID, in.Body.CVV); err != nil {
			return i, err
		}
		return billing.PlanCharge(ctx, tx, input)
	}, &cvv)
}

// cvvFor reads the security code that was typed for a stored method.
func cvvFor(ctx context.Context, tx *tenant.Tx, method billing.PaymentMethodID, typed string) (gateway.CVV, error) {
	m, err := billing.PaymentMethodByID(ctx, tx, method)
	if err != nil {
		return gateway.CVV{}, err
	}
	return m.ParseCVV(typed)
}

func refundCharge(ctx context.Context, c *call, in *refundInput) (*Versioned[ChargeView], error) {
	charge, err := pathID[billing.Intent](in.ID)
	if err != nil {
		return nil, err
	}
	amount, err := bodyAmount("amount", in.Body.Amount)
	if err != nil {
		return nil, err
	}
	if in.Body.Amount != nil && amount.IsZero() {
		return nil, billing.ErrRefundAmount
	}
	return c.order(ctx, func(tx *tenant.Tx) (billing.Intent, error) { return billing.PlanRefund(ctx, tx, charge, amount) }, new(gateway.CVV))
}

// order stores an intent once for the request's Idempotency-Key and gives it to its gateway. Once it is stored the
// request is answered with how it stands: what kept it from being ordered is tried again by itself, without the cvv, which
// plan may have filled.
func (c *call) order(ctx context.Context, plan func(tx *tenant.Tx) (billing.Intent, error), cvv *gateway.CVV) (*Versioned[ChargeView], error) {
	var intent billing.IntentID
	out, err := create(ctx, c, func(tx *tenant.Tx) (uuid.UUID, error) {
		i, err := plan(tx)
		return i.ID.UUID, err
	}, func(tx *tenant.Tx, made uuid.UUID) (ChargeView, int, error) {
		intent = id.Of[billing.Intent]{UUID: made}
		i, err := billing.IntentByID(ctx, tx, intent)
		return viewCharge(i), 0, err
	})
	if err != nil {
		return nil, err
	}
	r, err := c.server.Till.PerformWith(ctx, c.do, intent, *cvv)
	c.server.noteOrder(ctx, err)
	if !r.ID.IsZero() {
		out.Body = viewCharge(r.Intent)
	}
	return out, nil
}

// noteOrder logs why an order went wrong where that is nobody's to read.
func (s *Server) noteOrder(ctx context.Context, err error) {
	var f *fault.Error
	if err != nil && !errors.As(err, &f) {
		s.Log.Error("ordering at a gateway", "request_id", tenant.RequestFrom(ctx).ID, "error", err)
	}
}
