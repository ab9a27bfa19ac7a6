// Package shop takes orders: it looks up what is sold and at which price, asks whether an order may go on, and makes of it
// an invoice and the subscriptions of what recurs. It stands in front of the books and writes as a person would.
//
// There is one door, PlaceOrder, for the portal's pages and for the API: whatever keeps an order back keeps it back on
// both. A price is never taken from who orders, and what has to be checked first is asked in the transaction that keeps the
// order, so that none is invoiced around it.
package shop

import (
	"context"
	"fmt"
	"net/netip"
	"strings"
	"unicode/utf8"

	"github.com/google/uuid"
	"github.com/shopspring/decimal"

	"github.com/countinghouse/countinghouse/billing"
	"github.com/countinghouse/countinghouse/billing/money"
	"github.com/countinghouse/countinghouse/internal/cursor"
	"github.com/countinghouse/countinghouse/internal/fault"
	"github.com/countinghouse/countinghouse/tenant"
)

// What is refused about orders, besides what billing refuses.
var (
	ErrShut       = fault.New(fault.Conflict, "shop.shut", "The shop is closed at the moment. Come again later.")
	ErrNotSold    = fault.New(fault.Invalid, "shop.not_sold", "This is not sold here, or no longer. Take it out of the cart.")
	ErrQuantity   = fault.New(fault.Invalid, "shop.quantity", "Order 1 to 1000 of each.").At("quantity")
	ErrTooMany    = fault.New(fault.Invalid, "shop.too_many_lines", "An order has at most 20 different products. Order the others by themselves.")
	ErrTwice      = fault.New(fault.Invalid, "shop.twice", "A product stands twice in this order. Give it once, with its quantity.")
	ErrCurrencies = fault.New(fault.Invalid, "shop.currencies", "These are sold in different currencies. Order those of each currency by themselves.")
	ErrStillWaits = fault.New(fault.Conflict, "order.waits", "This order waits for something that has to be done first.")
)

const (
	maxLines       = 20
	maxQuantity    = 1000
	heldForMax     = 400 // characters
	reasonsDivider = "\n"
)

// Line is a product and how many of it.
type Line struct {
	Product  billing.ProductID
	Quantity int64
}

// Request is what somebody wants to order. Who of the customer's people it is comes from the scope.
type Request struct {
	Customer      billing.CustomerID
	Lines         []Line
	PurchaseOrder string // the customer's
	Note          string
}

// Asked is an order about which a check is asked.
type Asked struct {
	Order    billing.OrderID // zero while it is being placed
	Customer billing.Customer
	Contact  uuid.UUID // zero: a member orders for the customer
	Products []billing.Product
	Total    money.Amount // with tax; zero while it is being placed
	Network  string       // where the customer's request comes from: an IPv4 address or an IPv6 /64; empty: not known
	Country  string       // of that network; empty: not known
}

// Verdict is what a check makes of an order. Its zero value lets the order go on.
type Verdict struct {
	Wait []string // what the customer has to do first, a sentence each: the order is placed and waits
	Hold []string // why a person has to look at it, a sentence each: the order is held
}

// Check looks at an order in the transaction that keeps it. An error refuses it: nothing is kept.
type Check func(ctx context.Context, tx *tenant.Tx, a Asked) (Verdict, error)

// Shop is the shop of every organization. Its zero value asks nothing.
type Shop struct {
	// Checks are asked one after the other, each time that an order wants to go on.
	Checks []Check
	// Country says in which country a network address is, by its code; empty where it does not know. It may be nil.
	Country func(address string) string
}

// Guarded is the shop as it is served: it asks for verified numbers, and watches for too much at once.
func Guarded() *Shop { return &Shop{Checks: []Check{AskForNumber, Review}} }

// whence is where the customer's request comes from. What a member or a program sends says nothing about the customer's
// network.
func (s *Shop) whence(ctx context.Context, tx *tenant.Tx) (network, country string) {
	if tx.Scope().Kind() != tenant.Customer {
		return "", ""
	}
	address, err := netip.ParseAddr(tenant.RequestFrom(ctx).Network)
	if err != nil {
		return "", ""
	}
	address = address.Unmap().WithZone("")
	if s.Country != nil {
		country = s.Country(address.String())
	}
	if address.Is6() {
		return netip.PrefixFrom(address, 64).Masked().String(), country
	}
	return address.String(), country
}

// Sold lists what an organization sells, by name; nothing while the shop is shut.
func Sold(ctx context.Context, tx *tenant.Tx, search string, q cursor.Query) (cursor.Page[billing.Product], error) {
	if open, err := isOpen(ctx, tx); err != nil || !open {
		return cursor.Page[billing.Product]{}, err
	}
	return billing.Products(ctx, tx, billing.ProductFilter{Search: search, InShop: true}, q)
}

// ProductSold gives one product that is sold; billing.ErrProductNotFound for every other.
func ProductSold(ctx context.Context, tx *tenant.Tx, product billing.ProductID) (billing.Product, error) {
	open, err := isOpen(ctx, tx)
	if err != nil {
		return billing.Product{}, err
	}
	p, err := billing.ProductByID(ctx, tx, product)
	if err == nil && (!open || !p.InShop || p.Archived) {
		return billing.Product{}, billing.ErrProductNotFound
	}
	return p, err
}

func isOpen(ctx context.Context, tx *tenant.Tx) (bool, error) {
	p, err := billing.LoadPortal(ctx, tx)
	return p.ShopOpen, err
}

// PlaceOrder keeps an order, at the prices of this moment. Unless a check makes it wait it becomes an invoice at once, and
// the subscriptions of what recurs begin. It fails with ErrShut, all that is wrong with the request, what a check refuses
// it with, and as billing.IssueInvoice does.
func (s *Shop) PlaceOrder(ctx context.Context, tx *tenant.Tx, in Request) (billing.Order, error) {
	if of := tx.Scope(); of.Kind() == tenant.Customer {
		in.Customer = billing.CustomerID{UUID: of.Subject()}
	}
	open, err := isOpen(ctx, tx)
	if err != nil {
		return billing.Order{}, err
	}
	if !open {
		return billing.Order{}, ErrShut
	}
	customer, err := billing.CustomerByID(ctx, tx, in.Customer)
	if err != nil {
		return billing.Order{}, err
	}
	products, lines, err := s.read(ctx, tx, in.Lines)
	if err != nil {
		return billing.Order{}, err
	}
	network, country := s.whence(ctx, tx)
	v, err := s.ask(ctx, tx, Asked{Customer: customer, Contact: tx.Scope().Contact(), Products: products, Network: network, Country: country})
	if err != nil {
		return billing.Order{}, err
	}
	order, err := billing.KeepOrder(ctx, tx, billing.OrderInput{Contact: tx.Scope().Contact(), Network: network, Country: country, DocumentInput: billing.DocumentInput{
		CustomerID: in.Customer, Currency: products[0].Currency, PurchaseOrder: in.PurchaseOrder, Note: in.Note, Lines: lines}}, v.state(), v.reasons())
	if err != nil || v.waits() {
		return order, err
	}
	return fulfil(ctx, tx, order)
}

// read looks up what is ordered: what it costs, the database says.
func (s *Shop) read(ctx context.Context, tx *tenant.Tx, asked []Line) (products []billing.Product, lines []billing.InvoiceLineInput, err error) {
	switch {
	case len(asked) == 0:
		return nil, nil, billing.ErrOrderNoLines
	case len(asked) > maxLines:
		return nil, nil, ErrTooMany
	}
	seen := map[billing.ProductID]bool{}
	for i, l := range asked {
		p, err := billing.ProductByID(ctx, tx, l.Product)
		switch {
		case fault.KindOf(err) == fault.NotFound, err == nil && (!p.InShop || p.Archived):
			return nil, nil, ErrNotSold.At(fmt.Sprintf("lines[%d].product_id", i))
		case err != nil:
			return nil, nil, err
		case seen[l.Product]:
			return nil, nil, ErrTwice
		case l.Quantity < 1 || l.Quantity > maxQuantity:
			return nil, nil, ErrQuantity.At(fmt.Sprintf("lines[%d].quantity", i))
		case i > 0 && p.Currency != products[0].Currency:
			return nil, nil, ErrCurrencies
		}
		seen[l.Product] = true
		products = append(products, p)
		lines = append(lines, billing.InvoiceLineInput{ProductID: p.ID, Description: p.Name, Quantity: decimal.NewFromInt(l.Quantity),
			UnitPrice: p.UnitPrice, TaxCodes: p.TaxCodes()})
	}
	return products, lines, nil
}

// Price says what lines come to, with taxes, without keeping anything. It fails as PlaceOrder does for the lines.
func (s *Shop) Price(ctx context.Context, tx *tenant.Tx, customer billing.CustomerID, asked []Line) (net, tax, total money.Amount, err error) {
	products, lines, err := s.read(ctx, tx, asked)
	if err != nil {
		return net, tax, total, err
	}
	figures, err := billing.PreviewInvoice(ctx, tx, billing.InvoiceInput{CustomerID: customer, Currency: products[0].Currency, Lines: lines})
	return figures.Net, figures.Tax, figures.Total, err
}

func (s *Shop) ask(ctx context.Context, tx *tenant.Tx, a Asked) (all Verdict, err error) {
	for _, check := range s.Checks {
		v, err := check(ctx, tx, a)
		if err != nil {
			return all, err
		}
		all.Wait, all.Hold = append(all.Wait, v.Wait...), append(all.Hold, v.Hold...)
	}
	return all, nil
}

func (v Verdict) waits() bool { return len(v.Wait) > 0 || len(v.Hold) > 0 }

// state is that of an order about which this was found. What only a person can decide goes before what the customer can.
func (v Verdict) state() string {
	if len(v.Hold) > 0 {
		return billing.OrderHeld
	}
	return billing.OrderPlaced
}

// reasons are kept with the order, as many as there is room for.
func (v Verdict) reasons() string {
	all := strings.Join(append(append([]string{}, v.Hold...), v.Wait...), reasonsDivider)
	for utf8.RuneCountInString(all) > heldForMax {
		_, size := utf8.DecodeLastRuneInString(all)
		all = all[:len(all)-size]
	}
	return all
}

// ContinueOrder lets an order that was placed go on, when what it waited for has been done: the checks are asked again, and
// may find that a person has to look at it. It fails with billing.ErrOrderNotFound, also for another customer's, with
// billing.ErrOrderDecided, and with ErrStillWaits where it has to wait on.
func (s *Shop) ContinueOrder(ctx context.Context, tx *tenant.Tx, order billing.OrderID) (billing.Order, error) {
	o, err := Own(ctx, tx, order)
	if err != nil {
		return o, err
	}
	if o, err = billing.LockOrder(ctx, tx, order, 0); err != nil {
		return o, err
	}
	if o.State != billing.OrderPlaced {
		return o, ErrStillWaits
	}
	products, err := productsOf(ctx, tx, o)
	if err != nil {
		return o, err
	}
	customer, err := billing.CustomerByID(ctx, tx, o.Customer.ID) // as they are now, with their number
	if err != nil {
		return o, err
	}
	network, country := s.whence(ctx, tx)
	v, err := s.ask(ctx, tx, Asked{Order: o.ID, Customer: customer, Contact: o.Contact, Products: products, Total: o.Total, Network: network, Country: country})
	switch {
	case err != nil:
		return o, err
	case len(v.Hold) > 0:
		return billing.HoldOrder(ctx, tx, o, v.reasons())
	case len(v.Wait) > 0:
		return o, ErrStillWaits.Sayf("%s", v.Wait[0])
	}
	return fulfil(ctx, tx, o)
}

// Own gives an order; one of a customer's people is given their own customer's alone. It fails with billing.ErrOrderNotFound.
func Own(ctx context.Context, tx *tenant.Tx, order billing.OrderID) (billing.Order, error) {
	o, err := billing.OrderByID(ctx, tx, order)
	if of := tx.Scope(); err == nil && of.Kind() == tenant.Customer && o.Customer.ID.UUID != of.Subject() {
		return billing.Order{}, billing.ErrOrderNotFound
	}
	return o, err
}

func productsOf(ctx context.Context, tx *tenant.Tx, o billing.Order) (all []billing.Product, err error) {
	for _, l := range o.Lines {
		p, err := billing.ProductByID(ctx, tx, l.Product)
		if err != nil {
			return nil, err
		}
		all = append(all, p)
	}
	return all, nil
}

// ReleaseOrder lets an order go on that waits, whatever it waited for: a member has looked at it. version is the one that
// they saw; 0 is any. It fails as billing.LockOrder and billing.IssueInvoice do.
func ReleaseOrder(ctx context.Context, tx *tenant.Tx, order billing.OrderID, version int) (billing.Order, error) {
	o, err := billing.LockOrder(ctx, tx, order, version)
	if err != nil {
		return o, err
	}
	if err := tx.Record(ctx, tenant.Act{Action: "order.release", Object: "order", ID: o.ID.UUID, Detail: o.Number}); err != nil {
		return o, err
	}
	return fulfil(ctx, tx, o)
}

// RefuseOrder ends an order that waits. It fails as billing.LockOrder does.
func RefuseOrder(ctx context.Context, tx *tenant.Tx, order billing.OrderID, version int) (billing.Order, error) {
	o, err := billing.LockOrder(ctx, tx, order, version)
	if err != nil {
		return o, err
	}
	return billing.SetOrderState(ctx, tx, o, billing.OrderRefused, "refuse")
}
