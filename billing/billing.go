// Package billing is the business: whom one sells to, what, for how much, and what has been paid.
//
// Its functions take the organization's transaction and leave commit to whoever opened it, so that a document, its
// number, its journal entry and the record of who did it are kept together or not at all. All amounts come from the one
// calculator in tax and are stored; nothing that shows an invoice works a figure out again.
package billing

import (
	"encoding/json"
	"fmt"

	"github.com/google/uuid"

	"github.com/countinghouse/countinghouse/internal/fault"
	"github.com/countinghouse/countinghouse/internal/id"
	"github.com/countinghouse/countinghouse/internal/text"
)

// Lengths in characters, as the columns have them.
const (
	nameLength       = 200
	externalIDLength = 100
	descriptionLimit = 500
)

// orNull is an id for a column or filter that may have none.
func orNull(u uuid.UUID) any {
	if u == uuid.Nil {
		return nil
	}
	return u
}

// textOrNull is a text for a column whose absence is NULL, so that many rows may have none under a unique key.
func textOrNull(s string) any {
	if s == "" {
		return nil
	}
	return s
}

// toJSON carries rows and lists into a statement as one argument.
func toJSON(v any) (string, error) {
	b, err := json.Marshal(v)
	if err != nil {
		return "", fmt.Errorf("writing an argument: %w", err)
	}
	return string(b), nil
}

// known is a thing and its id in another system.
type known[T any] struct {
	ExternalID string   `db:"external_id"`
	ID         id.Of[T] `db:"id"`
}

func byExternalID[T any](rows []known[T]) map[string]id.Of[T] {
	ids := make(map[string]id.Of[T], len(rows))
	for _, r := range rows {
		ids[r.ExternalID] = r.ID
	}
	return ids
}

// plausibleIDs leaves out what no row can have, and what Postgres would not even read.
func plausibleIDs(externalIDs []string) []string {
	kept := make([]string, 0, len(externalIDs))
	for _, s := range externalIDs {
		if line, err := text.Required("external_id", s, externalIDLength); err == nil {
			kept = append(kept, line)
		}
	}
	return kept
}

// fields collects the faults of an input as its fields are read one after the other.
type fields struct {
	faults fault.List
	other  error
}

func (f *fields) add(field string, err error) {
	if f.other == nil && !f.faults.Add(field, err) {
		f.other = err
	}
}

// text reads one field by one of the checks of internal/text.
func (f *fields) text(check func(field, value string, limit int) (string, error), field, value string, limit int) string {
	kept, err := check(field, value, limit)
	f.add(field, err)
	return kept
}

func (f *fields) err() error {
	if f.other != nil {
		return f.other
	}
	return f.faults.Err()
}
