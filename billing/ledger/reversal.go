package ledger

import (
	"context"
	"strings"

	"github.com/countinghouse/countinghouse/internal/civil"
	"github.com/countinghouse/countinghouse/internal/fault"
	"github.com/countinghouse/countinghouse/tenant"
)

// What is refused about undoing an entry.
var (
	ErrAlreadyReversed  = fault.New(fault.Conflict, "entry.already_reversed", "This entry has been undone already.")
	ErrReversalReversed = fault.New(fault.Conflict, "entry.is_reversal", "This entry undoes another and is not undone itself. Post what is right as a new entry.")
	ErrOfDocument       = fault.New(fault.Conflict, "entry.of_document", "This entry belongs to an invoice or a payment. Put that right, and the books follow.")
	ErrReversalEarly    = fault.New(fault.Invalid, "entry.reversal_early", "An entry cannot be undone before its own day. Choose a later day.").At("date")
)

// Reverse undoes an entry made by hand: it posts the same lines with debits and credits exchanged, once. Without a date
// the reversal falls on today, on the entry's own day if that is later, or on the first open day if that is closed;
// without a description it says what it undoes.
//
// It fails with ErrEntryNotFound, ErrAlreadyReversed, ErrReversalReversed, ErrOfDocument, ErrReversalEarly, and with
// ErrPeriodClosed, ErrAccountArchived and what Post says of texts.
func Reverse(ctx context.Context, tx *tenant.Tx, entry EntryID, date civil.Date, description string) (Entry, error) {
	e, err := selectEntry(ctx, tx, entry)
	if err != nil {
		return Entry{}, err
	}
	switch {
	case e.Source == SourceReversal:
		return Entry{}, ErrReversalReversed
	case e.Source != SourceManual:
		return Entry{}, ErrOfDocument
	case !e.ReversedBy.IsZero():
		return Entry{}, ErrAlreadyReversed
	case !date.IsZero() && date.Before(e.Date):
		return Entry{}, ErrReversalEarly
	}
	p := Posting{Date: date, Description: description, Source: SourceReversal, Automatic: date.IsZero(), reverses: e.ID}
	if p.Date.IsZero() {
		if p.Date, err = Today(ctx, tx); err != nil {
			return Entry{}, err
		}
		if p.Date.Before(e.Date) {
			p.Date = e.Date
		}
	}
	if strings.TrimSpace(p.Description) == "" {
		p.Description = "Reversal of " + e.Name()
	}
	for _, l := range e.Lines {
		opposite := l.Line
		if opposite.Amount, err = l.Amount.Neg(); err != nil {
			return Entry{}, err
		}
		p.Lines = append(p.Lines, opposite)
	}
	return Post(ctx, tx, p)
}
