// Package id gives every kind of thing its own type of identifier, so that a customer's id cannot be passed
// where an invoice's is meant. All are UUIDv7 (RFC 9562): made by the application, roughly in time order.
package id

import "github.com/google/uuid"

// Of is the identifier of a T. Its zero value is no identifier. It reads and writes as text in JSON and SQL.
type Of[T any] struct{ uuid.UUID }

// New makes a fresh identifier.
func New[T any]() Of[T] {
	return Of[T]{uuid.Must(uuid.NewV7())} // fails only when the machine has no randomness left
}

// Parse reads an identifier in its canonical 36-character form and nothing else; ok is false otherwise,
// and for the nil UUID, which names nothing.
func Parse[T any](s string) (_ Of[T], ok bool) {
	if len(s) != 36 {
		return Of[T]{}, false
	}
	u, err := uuid.Parse(s)
	return Of[T]{u}, err == nil && u != uuid.Nil
}

// IsZero reports whether it is no identifier.
func (i Of[T]) IsZero() bool { return i.UUID == uuid.Nil }
