package billing

import (
	"cmp"
	"context"
	"fmt"

	"github.com/google/uuid"

	"github.com/countinghouse/countinghouse/internal/civil"
	"github.com/countinghouse/countinghouse/internal/cursor"
	"github.com/countinghouse/countinghouse/internal/fault"
	"github.com/countinghouse/countinghouse/internal/id"
	"github.com/countinghouse/countinghouse/internal/text"
	"github.com/countinghouse/countinghouse/tenant"
)

// What is refused about orders, besides what invoices refuse.
var (
	ErrOrderNotFound = fault.New(fault.NotFound, "order.not_found", "There is no such order.")
	ErrOrderChanged  = fault.New(fault.Conflict, "order.changed", "Someone else decided about this order in the meantime. Look at it again.")
	ErrOrderDecided  = fault.New(fault.Conflict, "order.decided", "This order was invoiced or refused already.")
	ErrOrderNoLines  = fault.New(fault.Invalid, "order.no_lines", "Put something into the cart first.")
	ErrOrderExternal = fault.New(fault.Conflict, "order.external_id_taken", "Another order has this external id.").At("external_id")
	ErrOrderState    = fault.New(fault.Invalid, "order.state_unknown", "Ask for placed, held, refused or done.").At("state")
)

// The states of an order.
const (
	OrderPlaced  = "placed" // it waits for something that the customer has to do
	OrderHeld    = "held"   // it waits for a person of the organization
	OrderRefused = "refused"
	OrderDone    = "done" // it became an invoice
)

// orderNumbering is how the numbers of orders look.
const orderNumbering = "ORD-{0000}"

// OrderID names an order.
type OrderID = id.Of[Order]

// Order is what a customer wants to buy. It posts nothing; it becomes an invoice, at the prices of when it was placed.
type Order struct {
	OrderHead
	DocumentBody
}

// OrderHead is an order without its lines, as lists show it.
type OrderHead struct {
	ID OrderID
	DocumentHead
	Contact       uuid.UUID // who of the customer's people ordered; zero: a member did it for them
	ContactSay    string    // their name, or their address
	HeldFor       string    // why it waits, a reason a line; it stays when that was settled
	Invoice       InvoiceID // what it became; none yet
	InvoiceNumber string
}

// OrderInput is an order as it is to be kept.
type OrderInput struct {
	DocumentInput
	Contact uuid.UUID
	Network string // that it came from, as NetworkOf writes it; empty: not known
	Country string // of that network; empty: not known
}

// KeepOrder keeps a new order in a state, with its number and, where it waits, the reasons. It fails as DraftInvoice does,
// and with ErrOrderNoLines.
func KeepOrder(ctx context.Context, tx *tenant.Tx, in OrderInput, state, heldFor string) (Order, error) {
	if len(in.Lines) == 0 {
		return Order{}, ErrOrderNoLines
	}
	d, err := prepareDraft(ctx, tx, orderKind, in.DocumentInput)
	if err != nil {
		return Order{}, err
	}
	made := id.New[Order]()
	if err := insertDraft(ctx, tx, made.UUID, d); err != nil {
		return Order{}, err
	}
	number, err := takeNumber(ctx, tx, orderKind, orderNumbering, d.issue)
	if err != nil {
		return Order{}, err
	}
	if err := updatePlaced(ctx, tx, made, state, number, heldFor, in); err != nil {
		return Order{}, err
	}
	if err := tx.Record(ctx, tenant.Act{Action: "order.place", Object: "order", ID: made.UUID,
		Detail: fmt.Sprintf("%s, %s, %d lines, %s %s", number, state, len(d.lines), d.figures.Total, d.currency)}); err != nil {
		return Order{}, err
	}
	if state == OrderHeld {
		if err := tx.Record(ctx, tenant.Act{Action: "order.hold", Object: "order", ID: made.UUID, Detail: number}); err != nil {
			return Order{}, err
		}
	}
	return selectOrder(ctx, tx, made)
}

// LockOrder reads an order that waits, so that nobody decides about it before the transaction ends. version is the one that
// the caller saw; 0 is any. It fails with ErrOrderNotFound, ErrOrderChanged and ErrOrderDecided.
func LockOrder(ctx context.Context, tx *tenant.Tx, order OrderID, version int) (Order, error) {
	locked, err := lockDocument(ctx, tx, orderKind, order.UUID)
	switch {
	case err != nil:
		return Order{}, err
	case locked.State != OrderPlaced && locked.State != OrderHeld:
		return Order{}, ErrOrderDecided
	case version != 0 && version != locked.Version:
		return Order{}, ErrOrderChanged
	}
	return selectOrder(ctx, tx, order)
}

// SetOrderState moves an order that the caller has locked. verb is what happened, for the record.
func SetOrderState(ctx context.Context, tx *tenant.Tx, o Order, state, verb string) (Order, error) {
	if err := updateOrderState(ctx, tx, o.ID, state); err != nil {
		return Order{}, err
	}
	err := tx.Record(ctx, tenant.Act{Action: "order." + verb, Object: "order", ID: o.ID.UUID, Detail: o.Number,
		Changes: []tenant.Change{{Field: "state", Before: o.State, After: state}}})
	if err != nil {
		return Order{}, err
	}
	return selectOrder(ctx, tx, o.ID)
}

// HoldOrder lets an order that the caller has locked wait for a person, with the reasons.
func HoldOrder(ctx context.Context, tx *tenant.Tx, o Order, heldFor string) (Order, error) {
	if err := updateOrderHeld(ctx, tx, o.ID, heldFor); err != nil {
		return Order{}, err
	}
	return SetOrderState(ctx, tx, o, OrderHeld, "hold")
}

// InvoiceOrder makes an issued invoice out of an order that the caller has locked, at the prices of the order and with the
// taxes of today. It fails as IssueInvoice does.
func InvoiceOrder(ctx context.Context, tx *tenant.Tx, o Order) (Invoice, error) {
	made, err := draftDocument(ctx, tx, invoiceKind, o.input())
	if err != nil {
		return Invoice{}, err
	}
	return IssueInvoice(ctx, tx, InvoiceID{UUID: made}, 0)
}

// input is what an order says, as one would write it on an invoice of today.
func (o Order) input() DocumentInput {
	in := Quote{QuoteHead: QuoteHead{ID: QuoteID{UUID: o.ID.UUID}, DocumentHead: o.DocumentHead}, DocumentBody: o.DocumentBody}.input()
	in.Reference = cmp.Or(o.Reference, o.Number)
	return in
}

// OrderByID gives one order; ErrOrderNotFound.
func OrderByID(ctx context.Context, tx *tenant.Tx, order OrderID) (Order, error) {
	return selectOrder(ctx, tx, order)
}

// OrderFilter narrows a list of orders. Search looks at number, purchase order, and the customer's name and company.
type OrderFilter struct {
	State      string
	CustomerID CustomerID
	Search     string
}

// Orders lists orders, the newest first.
func Orders(ctx context.Context, tx *tenant.Tx, filter OrderFilter, q cursor.Query) (cursor.Page[OrderHead], error) {
	none := cursor.Page[OrderHead]{}
	q, err := q.Check()
	if err != nil {
		return none, err
	}
	if filter.Search, err = text.Line("search", filter.Search, nameLength); err != nil {
		return none, err
	}
	switch filter.State {
	case "", OrderPlaced, OrderHeld, OrderRefused, OrderDone:
	default:
		return none, ErrOrderState
	}
	rows, err := selectOrders(ctx, tx, filter, q)
	if err != nil {
		return none, err
	}
	return cursor.Cut(q, rows), nil
}

// OrderCounts says how many orders there are in each state.
func OrderCounts(ctx context.Context, tx *tenant.Tx) (map[string]int, error) {
	return countOrders(ctx, tx)
}

// Day is the organization's date of an order.
func (h OrderHead) Day() civil.Date { return h.IssueDate }
