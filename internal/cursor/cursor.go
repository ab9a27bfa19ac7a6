// Package cursor pages through lists by key: a page is asked for by the item that it begins after or ends
// before, so that rows which come and go meanwhile neither repeat nor hide others.
package cursor

import (
	"slices"

	"github.com/google/uuid"

	"github.com/countinghouse/countinghouse/internal/fault"
)

// What a page request is refused for.
var (
	ErrLimit = fault.New(fault.Invalid, "page.limit", "Ask for 1 to 100 items a page.").At("limit")
	ErrBoth  = fault.New(fault.Invalid, "page.both", "Give starting_after or ending_before, not both.").At("ending_before")
)

// Default and Max are how many items a page has.
const (
	Default = 25
	Max     = 100
)

// Query asks for a page. At most one of After and Before is set: the id of the item next to the page.
type Query struct {
	Limit  int // 0 means Default
	After  uuid.UUID
	Before uuid.UUID
}

// Check fills in the default and refuses what cannot be answered: ErrLimit, ErrBoth.
func (q Query) Check() (Query, error) {
	if q.Limit == 0 {
		q.Limit = Default
	}
	if q.Limit < 1 || q.Limit > Max {
		return q, ErrLimit
	}
	if q.After != uuid.Nil && q.Before != uuid.Nil {
		return q, ErrBoth
	}
	return q, nil
}

// Backwards reports whether the page ends before an item; its rows are then read in reverse order.
func (q Query) Backwards() bool { return q.Before != uuid.Nil }

// Fetch is how many rows to read: one more than the page has, to know whether there are more.
func (q Query) Fetch() int { return q.Limit + 1 }

// Page is part of a list. HasMore says whether there are items beyond it in the direction that was asked for.
type Page[T any] struct {
	Items   []T
	HasMore bool
}

// Cut makes a page of the rows that Fetch asked for, in the list's own order.
func Cut[T any](q Query, rows []T) Page[T] {
	p := Page[T]{Items: rows, HasMore: len(rows) > q.Limit}
	if p.HasMore {
		p.Items = rows[:q.Limit]
	}
	if q.Backwards() {
		slices.Reverse(p.Items)
	}
	if p.Items == nil {
		p.Items = []T{}
	}
	return p
}
