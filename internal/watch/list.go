package watch

import (
	"context"
	"time"

	"github.com/countinghouse/countinghouse/internal/cursor"
	"github.com/countinghouse/countinghouse/tenant"
)

// Raised is an event as it is kept.
type Raised struct {
	ID           ID
	Kind         string
	Severity     Severity
	At, LastAt   time.Time // the first and the last time
	Times        int
	Organization tenant.OrganizationID
	Slug         string // its address; of AllEvents alone
	Person       tenant.PersonID
	Network      string // empty: unknown, or not for the reader
	Detail       string
	RequestID    string `db:"request_id"`
}

// Info is what there is to say about its kind.
func (r Raised) Info() KindInfo {
	info, ok := InfoOf(r.Kind)
	if !ok { // of a newer version than this
		return KindInfo{Kind: r.Kind, Severity: r.Severity, Name: r.Kind}
	}
	return info
}

// Events gives those of the organization, and those about its members' own accounts without their network, newest
// first.
func Events(ctx context.Context, tx *tenant.Tx, q cursor.Query) (cursor.Page[Raised], error) {
	q, err := q.Check()
	if err != nil {
		return cursor.Page[Raised]{}, err
	}
	rows, err := selectEvents(ctx, tx, q)
	return cursor.Cut(q, rows), err
}

// Filter narrows AllEvents: the zero value is everything.
type Filter struct {
	Kind         string
	Severity     Severity
	Organization tenant.OrganizationID
}

// AllEvents gives those of all organizations, newest first: for the platform's own staff.
func AllEvents(ctx context.Context, tx *tenant.PlatformTx, f Filter, q cursor.Query) (cursor.Page[Raised], error) {
	q, err := q.Check()
	if err != nil {
		return cursor.Page[Raised]{}, err
	}
	rows, err := selectAllEvents(ctx, tx, f, q)
	return cursor.Cut(q, rows), err
}
