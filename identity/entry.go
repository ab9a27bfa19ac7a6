package identity

import (
	"context"
	"time"

	"github.com/countinghouse/countinghouse/internal/cursor"
	"github.com/countinghouse/countinghouse/internal/id"
	"github.com/countinghouse/countinghouse/tenant"
)

// EntryID names an entry. It is the id of the session that entered, and opens nothing.
type EntryID = id.Of[Entry]

// Entry is a login with which a member came into this organization. What they do elsewhere is in no entry here.
type Entry struct {
	ID        EntryID
	Person    tenant.PersonID
	Name      string // of the member
	At        time.Time
	Network   string // the address from which they signed in; empty when it was not known
	Place     string // where that is; filled in by WithPlaces
	UserAgent string
}

// Agent names browser and system.
func (e Entry) Agent() string { return DescribeAgent(e.UserAgent) }

// Entries lists who came into this organization, the last to sign in first.
func Entries(ctx context.Context, tx *tenant.Tx, q cursor.Query) (cursor.Page[Entry], error) {
	q, err := q.Check()
	if err != nil {
		return cursor.Page[Entry]{}, err
	}
	all, err := selectEntries(ctx, tx, q)
	if err != nil {
		return cursor.Page[Entry]{}, err
	}
	return cursor.Cut(q, all), nil
}

// MemberFactors is what guards a member's account beside their password.
type MemberFactors struct {
	Person   tenant.PersonID
	Name     string
	App      bool
	Passkeys int
}

// On says whether signing in takes them a second step.
func (f MemberFactors) On() bool { return f.App || f.Passkeys > 0 }

// Factors lists the second factors of this organization's active members, by name.
func Factors(ctx context.Context, tx *tenant.Tx) ([]MemberFactors, error) {
	return selectFactors(ctx, tx)
}
