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
	ErrOfClosing        = fault.New(fault.Conflict, "entry.of_closing", "This entry closes a year. Reopen the year to take it back.")
	ErrReversalEarly    = fault.New(fault.Invalid, "entry.reversal_early", "An entry cannot be undone before its own day. Choose a later day.").At("date")
)

// Reverse undoes an entry made by hand: it posts the same lines with debits and credits exchanged, once. Without a date
// the reversal falls on today, on the entry's own day if that is later, or on the first open day if that is closed;
// without a description it says what it undoes.
//
// It fails with ErrEntryNotFound, ErrAlreadyReversed, ErrReversalReversed, ErrOfDocument, ErrOfClosing, ErrReversalEarly, and with
// ErrPeriodClosed, ErrAccountArchived and what Post says of texts.
func Reverse(ctx context.Context, tx *tenant.Tx, entry EntryID, date civil.Date, description string) (Entry, error) {
	e, err := selectEntry(ctx, tx, entry)
	if err != nil {
		return Entry{}, err
	}
	switch {
	case e.Source == SourceReversal:
		return Entry{}, ErrReversalReversed
	case e.Source == SourceClosing:
		return Entry{}, ErrOfClosing
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
	if p.Lines, err = opposite(e.Lines); err != nil {
		return Entry{}, err
	}
	return Post(ctx, tx, p)
}

// ReverseDocument undoes the entry of a document, as Reverse does one made by hand, on that day or the first open one.
// Whoever calls it keeps the document in step and puts it on record. It fails with ErrEntryNotFound and
// ErrAlreadyReversed, and with ErrAccountArchived.
func ReverseDocument(ctx context.Context, tx *tenant.Tx, entry EntryID, date civil.Date, description string) (Entry, error) {
	e, err := selectEntry(ctx, tx, entry)
	switch {
	case err != nil:
		return Entry{}, err
	case !e.ReversedBy.IsZero():
		return Entry{}, ErrAlreadyReversed
	}
	if date.Before(e.Date) {
		date = e.Date
	}
	p := Posting{Date: date, Description: description, Source: SourceReversal, SourceID: e.SourceID, Automatic: true, reverses: e.ID, ofDocument: true}
	if p.Lines, err = opposite(e.Lines); err != nil {
		return Entry{}, err
	}
	return Post(ctx, tx, p)
}

// opposite are lines with debits and credits exchanged.
func opposite(lines []EntryLine) ([]Line, error) {
	all := make([]Line, len(lines))
	for i, l := range lines {
		all[i] = l.Line
		var err error
		if all[i].Amount, err = l.Amount.Neg(); err != nil {
			return nil, err
		}
	}
	return all, nil
}
