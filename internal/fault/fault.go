// Package fault says what went wrong in words a person can act on.
//
// A fault is something the caller can be told: it has a kind (which the edge maps to a status), a stable
// code that programs may switch on, and a sentence for people. Every other error is internal: it is logged
// once, at the edge, and the client sees only a request id.
package fault

import (
	"errors"
	"fmt"
)

// Kind is what sort of refusal a fault is. The edge maps each to one HTTP status.
type Kind uint8

// The kinds. Internal is the zero value and is never declared: it is what an error without a fault has.
const (
	Internal        Kind = iota
	Invalid              // the input is wrong, and the sentence says how to put it right
	NotFound             // there is no such thing, or not for this caller
	Conflict             // the state of things forbids it now
	Forbidden            // known caller, missing right
	Unauthenticated      // no caller known
	TooMany              // a limit was reached; try later
	Unavailable          // something that we depend on does not answer; try later
)

// Error is a refusal that the caller may read.
type Error struct {
	Kind  Kind
	Code  string // stable, dotted: "invoice.not_draft"
	Say   string // one or two sentences for a person
	Field string // the input at fault as the caller named it, such as "lines[2].quantity"; may be empty
	cause error
}

// New declares a fault. Declare them as package variables and compare with errors.Is.
func New(kind Kind, code, say string) *Error {
	return &Error{Kind: kind, Code: code, Say: say}
}

// Error gives code and sentence; it holds no input of the caller unless the sentence was made with it.
func (e *Error) Error() string { return e.Code + ": " + e.Say }

// Unwrap gives the internal cause, which is for the log and never for the client.
func (e *Error) Unwrap() error { return e.cause }

// Is reports whether target is a fault with the same code, so that a fault made more exact with At, Sayf
// or Because still matches the one that was declared.
func (e *Error) Is(target error) bool {
	var t *Error
	return errors.As(target, &t) && t.Code == e.Code
}

// At returns the same fault pointing at one input field.
func (e *Error) At(field string) *Error {
	at := *e
	at.Field = field
	return &at
}

// Sayf returns the same fault with a more exact sentence.
func (e *Error) Sayf(format string, args ...any) *Error {
	said := *e
	said.Say = fmt.Sprintf(format, args...)
	return &said
}

// Because returns the same fault with an internal cause for the log.
func (e *Error) Because(cause error) *Error {
	caused := *e
	caused.cause = cause
	return &caused
}

// List is several faults at once, as a form shows them: all that is wrong, not only the first.
type List []*Error

// Error gives the first fault and how many more there are.
func (l List) Error() string {
	if len(l) == 1 {
		return l[0].Error()
	}
	return fmt.Sprintf("%v (and %d more)", l[0], len(l)-1)
}

// Unwrap lets errors.Is and errors.As look into every fault of the list.
func (l List) Unwrap() []error {
	all := make([]error, len(l))
	for i, e := range l {
		all[i] = e
	}
	return all
}

// Err is the list as an error: nil when it is empty.
func (l List) Err() error {
	if len(l) == 0 {
		return nil
	}
	return l
}

// Add appends err if it is a fault (or a list of them), prefixing its field, and reports whether it was;
// nil counts as handled.
func (l *List) Add(field string, err error) bool {
	if err == nil {
		return true
	}
	var many List
	if errors.As(err, &many) {
		for _, e := range many {
			*l = append(*l, e.At(join(field, e.Field)))
		}
		return true
	}
	var one *Error
	if !errors.As(err, &one) {
		return false
	}
	*l = append(*l, one.At(join(field, one.Field)))
	return true
}

func join(outer, inner string) string {
	switch {
	case outer == "":
		return inner
	case inner == "" || inner == outer:
		return outer
	}
	return outer + "." + inner
}

// KindOf is the kind of the first fault in err's tree; Internal when there is none.
func KindOf(err error) Kind {
	var e *Error
	if errors.As(err, &e) {
		return e.Kind
	}
	return Internal
}
