package web

import (
	"context"
	"strconv"
	"strings"

	"github.com/google/uuid"
	"github.com/shopspring/decimal"

	"github.com/countinghouse/countinghouse/billing/money"
	"github.com/countinghouse/countinghouse/internal/civil"
	"github.com/countinghouse/countinghouse/internal/cursor"
	"github.com/countinghouse/countinghouse/internal/fault"
	"github.com/countinghouse/countinghouse/internal/id"
	"github.com/countinghouse/countinghouse/tenant"
)

var (
	errCursor  = fault.New(fault.Invalid, "page.cursor", "Give the id of an item of this list.")
	errIfMatch = fault.New(fault.Invalid, "version.malformed", "Send the ETag that you were given back as If-Match.").At("If-Match")
	errNoID    = fault.New(fault.NotFound, "resource.not_found", "There is no such thing in this organization.")
	errNoPrice = fault.New(fault.Invalid, "price.missing", "Give the price; 0 if it costs nothing.")
	errIDShape = fault.New(fault.Invalid, "id.malformed", "An id is 36 characters, as this API gave it.")
)

// Money is an amount as the API writes it.
type Money struct {
	Amount   string `json:"amount" doc:"Decimal, with all minor digits of the currency" example:"12.30" maxLength:"40"`
	Currency string `json:"currency" doc:"ISO 4217" example:"EUR" maxLength:"3"`
}

func moneyOf(a money.Amount) Money { return Money{a.String(), a.Currency.Code()} }

func (m Money) parse(field string) (money.Amount, error) {
	currency, err := money.ParseCurrency(m.Currency)
	if err != nil {
		return money.Amount{}, at(field+".currency", err)
	}
	amount, err := money.ParseAmount(m.Amount, currency)
	return amount, at(field+".amount", err)
}

// PageInput asks for a page of a list.
type PageInput struct {
	Limit         int    `query:"limit" doc:"How many items, 1 to 100" default:"25" minimum:"1" maximum:"100"`
	StartingAfter string `query:"starting_after" doc:"The id of the item before the page" maxLength:"36"`
	EndingBefore  string `query:"ending_before" doc:"The id of the item after the page" maxLength:"36"`
}

func (p PageInput) query() (q cursor.Query, err error) {
	q.Limit = p.Limit
	if q.After, err = parseCursor("starting_after", p.StartingAfter); err != nil {
		return q, err
	}
	if q.Before, err = parseCursor("ending_before", p.EndingBefore); err != nil {
		return q, err
	}
	return q.Check()
}

func parseCursor(field, s string) (uuid.UUID, error) {
	if s == "" {
		return uuid.Nil, nil
	}
	i, ok := id.Parse[struct{}](s)
	if !ok {
		return uuid.Nil, errCursor.At(field)
	}
	return i.UUID, nil
}

// List is a page of a list.
type List[T any] struct {
	Items   []T  `json:"items"`
	HasMore bool `json:"has_more" doc:"Whether there are items beyond this page, in the direction asked for"`
}

// Body wraps what is answered.
type Body[T any] struct{ Body T }

// Versioned is an answer that can be changed later: its ETag goes back as If-Match.
type Versioned[T any] struct {
	ETag     string `header:"ETag" doc:"Send it back as If-Match with a change"`
	Replayed string `header:"Idempotency-Replayed" doc:"true when this answers a request that was done before"`
	Body     T
}

func versioned[T any](v T, version int) *Versioned[T] {
	return &Versioned[T]{ETag: etag(version), Body: v}
}

func etag(version int) string {
	if version == 0 {
		return ""
	}
	return `"` + strconv.Itoa(version) + `"`
}

// IfMatch is the version that the caller last saw.
type IfMatch struct {
	IfMatch string `header:"If-Match" doc:"The ETag that you were given; left out, the last change wins" maxLength:"20"`
}

func (m IfMatch) version() (int, error) {
	if m.IfMatch == "" || m.IfMatch == "*" {
		return 0, nil
	}
	version, err := strconv.Atoi(strings.TrimSuffix(strings.TrimPrefix(m.IfMatch, `"`), `"`))
	if err != nil || version < 1 || version > 1<<30 {
		return 0, errIfMatch
	}
	return version, nil
}

// Create is what every creating request takes beside its body.
type Create[T any] struct {
	IdempotencyKey string `header:"Idempotency-Key" doc:"Your own name for this request; sent again, it is done once" maxLength:"100"`
	Body           T
}

// Change is a changing request.
type Change[T any] struct {
	IfMatch
	ID   string `path:"id" maxLength:"36"`
	Body T
}

// ByID names one thing.
type ByID struct {
	ID string `path:"id" maxLength:"36"`
}

// pathID reads an id of the path. One that could not be an id names nothing.
func pathID[T any](s string) (id.Of[T], error) {
	i, ok := id.Parse[T](s)
	if !ok {
		return i, errNoID
	}
	return i, nil
}

// bodyID reads an id within a body; empty is no id.
func bodyID[T any](field, s string) (id.Of[T], error) {
	if s == "" {
		return id.Of[T]{}, nil
	}
	i, ok := id.Parse[T](s)
	if !ok {
		return i, errIDShape.At(field)
	}
	return i, nil
}

func bodyDate(field, s string) (civil.Date, error) {
	if s == "" {
		return civil.Date{}, nil
	}
	d, err := civil.Parse(s)
	return d, at(field, err)
}

// bodyQuantity reads a quantity; none is nothing, which the calculator refuses in words of its own.
func bodyQuantity(field, s string) (decimal.Decimal, error) {
	if s == "" {
		return decimal.Zero, nil
	}
	d, err := money.ParseDecimal(s, money.QuantityIntDigits, money.QuantityFracDigits)
	return d, at(field, err)
}

// bodyPrice reads a price; none is refused, since nothing would be a price too.
func bodyPrice(field, s string) (decimal.Decimal, error) {
	if s == "" {
		return decimal.Zero, errNoPrice.At(field)
	}
	d, err := money.ParseDecimal(s, money.PriceIntDigits, money.PriceFracDigits)
	return d, at(field, err)
}

// at points faults at a field of the request; what is no fault stays as it is.
func at(field string, err error) error {
	if err == nil {
		return nil
	}
	var list fault.List
	if list.Add(field, err) {
		return list.Err()
	}
	return err
}

// create runs make once for the request's Idempotency-Key and then reads what there is now.
func create[T any](ctx context.Context, c *call, make func(tx *tenant.Tx) (uuid.UUID, error), read func(tx *tenant.Tx, made uuid.UUID) (T, int, error)) (*Versioned[T], error) {
	var out *Versioned[T]
	err := c.do(ctx, func(tx *tenant.Tx) error {
		made, replayed, err := tx.Once(ctx, c.key, c.digest(), func() (uuid.UUID, error) { return make(tx) })
		if err != nil {
			return err
		}
		v, version, err := read(tx, made)
		out = versioned(v, version)
		if replayed {
			out.Replayed = "true"
		}
		return err
	})
	return out, err
}

// Act is a request that does something to one thing and needs no body.
type Act struct {
	IfMatch
	ID string `path:"id" maxLength:"36"`
}

// act does something to one thing as it is, and answers with what it is now.
func act[E, T any](ctx context.Context, c *call, text string, do func(tx *tenant.Tx, i id.Of[E]) (T, int, error)) (*Versioned[T], error) {
	return change(ctx, c, text, IfMatch{}, func(tx *tenant.Tx, i id.Of[E], _ int) (T, int, error) { return do(tx, i) })
}

// read answers with one thing, and can change nothing.
func read[E, T any](ctx context.Context, c *call, text string, fetch func(tx *tenant.Tx, i id.Of[E]) (T, int, error)) (*Versioned[T], error) {
	i, err := pathID[E](text)
	if err != nil {
		return nil, err
	}
	var out *Versioned[T]
	err = c.glance(ctx, func(tx *tenant.Tx) error {
		v, now, err := fetch(tx, i)
		out = versioned(v, now)
		return err
	})
	return out, err
}

// change does something to one thing, if it is still as the caller saw it, and answers with what it is now.
func change[E, T any](ctx context.Context, c *call, text string, m IfMatch, do func(tx *tenant.Tx, i id.Of[E], version int) (T, int, error)) (*Versioned[T], error) {
	i, err := pathID[E](text)
	if err != nil {
		return nil, err
	}
	version, err := m.version()
	if err != nil {
		return nil, err
	}
	var out *Versioned[T]
	err = c.do(ctx, func(tx *tenant.Tx) error {
		v, now, err := do(tx, i, version)
		out = versioned(v, now)
		return err
	})
	return out, err
}

// list answers with a page of things.
func list[E, T any](ctx context.Context, c *call, p PageInput, fetch func(tx *tenant.Tx, q cursor.Query) (cursor.Page[E], error), view func(E) T) (*Body[List[T]], error) {
	q, err := p.query()
	if err != nil {
		return nil, err
	}
	out := &Body[List[T]]{Body: List[T]{Items: []T{}}}
	err = c.do(ctx, func(tx *tenant.Tx) error {
		found, err := fetch(tx, q)
		out.Body.Items = out.Body.Items[:0] // it may run twice
		for _, e := range found.Items {
			out.Body.Items = append(out.Body.Items, view(e))
		}
		out.Body.HasMore = found.HasMore
		return err
	})
	return out, err
}

func idText[T any](i id.Of[T]) string {
	if i.IsZero() {
		return ""
	}
	return i.String()
}

// dateText is a date as the API writes it; nil for none.
func dateText(d civil.Date) *string {
	if d.IsZero() {
		return nil
	}
	s := d.String()
	return &s
}
