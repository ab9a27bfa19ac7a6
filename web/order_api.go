package web

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/countinghouse/countinghouse/authz"
	"github.com/countinghouse/countinghouse/billing"
	"github.com/countinghouse/countinghouse/billing/shop"
	"github.com/countinghouse/countinghouse/internal/cursor"
	"github.com/countinghouse/countinghouse/internal/id"
	"github.com/countinghouse/countinghouse/tenant"
)

// OrderNew is an order that a program places for a customer. Prices and taxes are those of the shop.
type OrderNew struct {
	CustomerID    string         `json:"customer_id" maxLength:"36"`
	Lines         []OrderLineNew `json:"lines" maxItems:"50"`
	PurchaseOrder string         `json:"purchase_order,omitempty" doc:"The customer's own number for it"`
	Note          string         `json:"note,omitempty"`
}

// OrderLineNew is a product and how many of it.
type OrderLineNew struct {
	ProductID string `json:"product_id" maxLength:"36"`
	Quantity  int64  `json:"quantity" doc:"1 to 1000"`
}

// OrderLine is one line of an order.
type OrderLine struct {
	ProductID   string `json:"product_id"`
	Description string `json:"description"`
	Quantity    string `json:"quantity"`
	UnitPrice   string `json:"unit_price"`
	Net         Money  `json:"net"`
}

// OrderView is an order as a program reads it.
type OrderView struct {
	ID            string      `json:"id"`
	Number        string      `json:"number"`
	State         string      `json:"state" doc:"placed: it waits for the customer; held: it waits for you; refused; done: it is invoiced" enum:"placed,held,refused,done"`
	CustomerID    string      `json:"customer_id"`
	ContactID     string      `json:"contact_id,omitempty" doc:"Who of the customer's people ordered"`
	Reasons       []string    `json:"reasons" doc:"Why it waits or waited"`
	PurchaseOrder string      `json:"purchase_order,omitempty"`
	Note          string      `json:"note,omitempty"`
	Net           Money       `json:"net"`
	Tax           Money       `json:"tax"`
	Total         Money       `json:"total"`
	InvoiceID     string      `json:"invoice_id,omitempty"`
	InvoiceNumber string      `json:"invoice_number,omitempty"`
	CreatedAt     time.Time   `json:"created_at"`
	Lines         []OrderLine `json:"lines,omitempty" doc:"Left out in lists"`
}

func viewOrderHead(h billing.OrderHead) OrderView {
	v := OrderView{ID: h.ID.String(), Number: h.Number, State: h.State, CustomerID: h.Customer.ID.String(), Reasons: []string{}, PurchaseOrder: h.PurchaseOrder,
		Note: h.Note, Net: moneyOf(h.Net), Tax: moneyOf(h.Tax), Total: moneyOf(h.Total), InvoiceID: idText(h.Invoice), InvoiceNumber: h.InvoiceNumber, CreatedAt: h.CreatedAt}
	if h.Contact != uuid.Nil {
		v.ContactID = h.Contact.String()
	}
	if h.HeldFor != "" {
		v.Reasons = strings.Split(h.HeldFor, "\n")
	}
	return v
}

func viewOrder(o billing.Order) OrderView {
	v := viewOrderHead(o.OrderHead)
	for _, l := range o.Lines {
		v.Lines = append(v.Lines, OrderLine{ProductID: idText(l.Product), Description: l.Description, Quantity: l.Quantity.String(), UnitPrice: l.UnitPrice.String(), Net: moneyOf(l.Net)})
	}
	return v
}

func (b OrderNew) request() (in shop.Request, err error) {
	in = shop.Request{PurchaseOrder: b.PurchaseOrder, Note: b.Note}
	if in.Customer, err = bodyID[billing.Customer]("customer_id", b.CustomerID); err != nil {
		return in, err
	}
	for i, l := range b.Lines {
		product, err := bodyID[billing.Product](fmt.Sprintf("lines[%d].product_id", i), l.ProductID)
		if err != nil {
			return in, err
		}
		in.Lines = append(in.Lines, shop.Line{Product: product, Quantity: l.Quantity})
	}
	return in, nil
}

type orderListInput struct {
	PageInput
	State      string `query:"state" doc:"placed, held, refused or done" maxLength:"10"`
	CustomerID string `query:"customer_id" maxLength:"36"`
	Search     string `query:"search" doc:"Words of the number, the customer or their own number" maxLength:"200"`
}

func (s *Server) registerOrderAPI() {
	const tag = "Orders"
	handle(s, operation{id: "list-orders", method: "GET", path: "/v1/orders", right: rightTo(authz.Read, authz.Orders), tag: tag, summary: "List orders, the newest first"},
		func(ctx context.Context, c *call, in *orderListInput) (*Body[List[OrderView]], error) {
			customer, err := bodyID[billing.Customer]("customer_id", in.CustomerID)
			if err != nil {
				return nil, err
			}
			return list(ctx, c, in.PageInput, func(tx *tenant.Tx, q cursor.Query) (cursor.Page[billing.OrderHead], error) {
				return billing.Orders(ctx, tx, billing.OrderFilter{State: in.State, CustomerID: customer, Search: in.Search}, q)
			}, viewOrderHead)
		})
	handle(s, operation{id: "place-order", method: "POST", path: "/v1/orders", right: rightTo(authz.Create, authz.Orders), tag: tag, summary: "Place an order for a customer", status: http.StatusCreated,
		more: " What keeps an order back in the shop keeps it back here."},
		func(ctx context.Context, c *call, in *Create[OrderNew]) (*Versioned[OrderView], error) {
			request, err := in.Body.request()
			if err != nil {
				return nil, err
			}
			return create(ctx, c, func(tx *tenant.Tx) (uuid.UUID, error) {
				o, err := s.orders().PlaceOrder(ctx, tx, request)
				return o.ID.UUID, err
			}, func(tx *tenant.Tx, made uuid.UUID) (OrderView, int, error) {
				o, err := billing.OrderByID(ctx, tx, id.Of[billing.Order]{UUID: made})
				return viewOrder(o), o.Version, err
			})
		})
	handle(s, operation{id: "get-order", method: "GET", path: "/v1/orders/{id}", right: rightTo(authz.Read, authz.Orders), tag: tag, summary: "Read an order"},
		func(ctx context.Context, c *call, in *ByID) (*Versioned[OrderView], error) {
			return read(ctx, c, in.ID, func(tx *tenant.Tx, i billing.OrderID) (OrderView, int, error) {
				o, err := billing.OrderByID(ctx, tx, i)
				return viewOrder(o), o.Version, err
			})
		})
	for _, act := range []struct {
		verb, summary string
		action        authz.Action
		do            func(ctx context.Context, tx *tenant.Tx, order billing.OrderID, version int) (billing.Order, error)
	}{
		{"release", "Let an order that waits go on: it is invoiced", authz.Approve, shop.ReleaseOrder},
		{"refuse", "Refuse an order that waits", authz.Delete, shop.RefuseOrder},
	} {
		handle(s, operation{id: act.verb + "-order", method: "POST", path: "/v1/orders/{id}/" + act.verb, right: rightTo(act.action, authz.Orders), tag: tag, summary: act.summary},
			func(ctx context.Context, c *call, in *Act) (*Versioned[OrderView], error) {
				return change(ctx, c, in.ID, in.IfMatch, func(tx *tenant.Tx, i billing.OrderID, version int) (OrderView, int, error) {
					o, err := act.do(ctx, tx, i, version)
					return viewOrder(o), o.Version, err
				})
			})
	}
}
