package audit

import (
	"context"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/countinghouse/countinghouse/internal/cursor"
	"github.com/countinghouse/countinghouse/internal/id"
	"github.com/countinghouse/countinghouse/tenant"
)

// EntryID names an entry of the feed.
type EntryID = id.Of[Entry]

// Entry is one act as people read it.
type Entry struct {
	ID         EntryID
	At         time.Time
	By         string    // how they got in: member, token, operator, support, ...
	Actor      uuid.UUID // the person; zero for the operator
	Name       string    // theirs, if they are or were a member, or support was let in
	Grant      uuid.UUID // the support grant under which it was done; zero for none
	Visit      Visit     // what that grant says
	Action     string    // "invoice.issue"
	ObjectKind string
	Object     uuid.UUID // zero for none
	Request    string
	Network    string
	Detail     string
	Changes    []Change
	Seal       int64 // its number in the chain; 0: not sealed yet
}

// Visit is why somebody of support was in, and by whose leave.
type Visit struct {
	LetInBy uuid.UUID // the owner who said yes
	Owner   string    // their name
	Ticket  string
	Reason  string
}

// Change is one field before and after.
type Change struct {
	Field         string
	Before, After string
	Personal      bool
	Erased        bool // it was a person's, and is no longer kept
	Hidden        bool // it is not for the reader
}

// Words says in plain words what was done: "issued an invoice".
func (e Entry) Words() string {
	switch e.Action { // what support asks for is on record with the part of the books that it asked for
	case "support.read":
		return "looked at " + spaced(e.ObjectKind)
	case "support.change":
		return "sent a change to " + spaced(e.ObjectKind)
	case "support.refused":
		return "was refused " + spaced(e.ObjectKind)
	}
	return Words(e.Action)
}

// Filter narrows the feed. The zero value is everything.
type Filter struct {
	Actor      uuid.UUID
	Group      string // one of Groups
	ObjectKind string
	Object     uuid.UUID
	From, To   time.Time // from the one, before the other
	Support    bool      // done under a support grant alone
	Personal   bool      // with people's data, for who may see them
}

// Feed gives a page of what was done in the organization, newest first.
func Feed(ctx context.Context, tx *tenant.Tx, f Filter, q cursor.Query) (cursor.Page[Entry], error) {
	q, err := q.Check()
	if err != nil {
		return cursor.Page[Entry]{}, err
	}
	entries, err := selectFeed(ctx, tx, f, q)
	if err != nil {
		return cursor.Page[Entry]{}, err
	}
	return cursor.Cut(q, entries), nil
}

// readChanges reads what tenant.Tx.Record wrote.
func readChanges(before, after string) []Change {
	befores, afters := lines(before), lines(after)
	if len(befores) != len(afters) {
		return nil // changed by someone who owns the database: the chain tells
	}
	changes := make([]Change, 0, len(befores))
	for i := range befores {
		field, was, personal := readChange(befores[i])
		_, is, _ := readChange(afters[i])
		changes = append(changes, Change{Field: field, Before: was, After: is, Personal: personal, Erased: personal})
	}
	return changes
}

func lines(s string) []string {
	if s == "" {
		return nil
	}
	return strings.Split(strings.TrimSuffix(s, "\n"), "\n")
}

func readChange(line string) (field, value string, personal bool) {
	if field, value, ok := strings.Cut(line, ": "); ok && !strings.Contains(field, "~") {
		return field, value, false
	}
	field, value, _ = strings.Cut(line, "~ ")
	return field, value, true
}

// addPersonal puts a person's data in the place of their digests, where they are still kept and are what was recorded.
func (e *Entry) addPersonal(p personalRow) {
	for i, c := range e.Changes {
		if c.Field == p.Field && c.Erased && c.Before == tenant.PersonalDigest(p.Salt, p.Field, "before", p.Before) &&
			c.After == tenant.PersonalDigest(p.Salt, p.Field, "after", p.After) {
			e.Changes[i] = Change{Field: c.Field, Before: p.Before, After: p.After, Personal: true}
		}
	}
}
