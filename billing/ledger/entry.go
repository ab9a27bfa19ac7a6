package ledger

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/countinghouse/countinghouse/billing/money"
	"github.com/countinghouse/countinghouse/internal/civil"
	"github.com/countinghouse/countinghouse/internal/cursor"
	"github.com/countinghouse/countinghouse/internal/fault"
	"github.com/countinghouse/countinghouse/internal/id"
	"github.com/countinghouse/countinghouse/tenant"
)

// ErrEntryNotFound says that the journal has no such entry.
var ErrEntryNotFound = fault.New(fault.NotFound, "entry.not_found", "There is no such journal entry.")

// ErrDatesReversed refuses a span of dates that ends before it begins.
var ErrDatesReversed = fault.New(fault.Invalid, "dates.reversed", "The last day comes before the first. Swap them.").At("to")

// SourceKind is what an entry comes from.
type SourceKind string

// What entries come from.
const (
	SourceManual   SourceKind = "manual"
	SourceReversal SourceKind = "reversal"
	SourceInvoice  SourceKind = "invoice"
	SourcePayment  SourceKind = "payment"
	SourceGateway  SourceKind = "gateway"  // a payment gateway's fee
	SourceCurrency SourceKind = "currency" // a gain or loss on foreign currency
	// SourceCreditNote and SourceWriteOff are of a credit note and of an invoice that nobody pays.
	SourceCreditNote SourceKind = "credit_note"
	SourceWriteOff   SourceKind = "write_off"
	// SourceLateFee is of an invoice over a fee for another that was not paid in time.
	SourceLateFee SourceKind = "late_fee"
	// SourceClosing is of the entry that closes a year, and of the one that takes it back.
	SourceClosing SourceKind = "closing"
	// SourceBill, SourcePayeeCredit and SourceBillPayment are of what is bought.
	SourceBill        SourceKind = "bill"
	SourcePayeeCredit SourceKind = "payee_credit"
	SourceBillPayment SourceKind = "bill_payment"
	SourceBank        SourceKind = "bank" // a line of a bank's statement that was booked to an account
)

// EntryID names an entry.
type EntryID = id.Of[Entry]

// Entry is one posted entry of the journal. It never changes, but for ReversedBy, which appears when another undoes it.
type Entry struct {
	ID           EntryID
	Number       int64 // from 1, without gaps
	Date         civil.Date
	Description  string
	Source       SourceKind
	SourceID     uuid.UUID // the document or payment, of a fee the invoice; none for a manual entry
	Reverses     EntryID   // the entry that this one undoes, or none
	ReversedBy   EntryID   // the entry that undoes this one, or none
	PostedAt     time.Time
	PostedBy     tenant.PersonID // none for the operator
	PostedByName string
	Lines        []EntryLine
}

// Line is one amount on one account.
type Line struct {
	Account AccountID
	Party   uuid.UUID    // the customer or payee that it is about, or none
	Amount  money.Amount // a debit is positive, a credit negative
	Memo    string
}

// Debit is the amount if it is a debit, and nothing otherwise.
func (l Line) Debit() money.Amount {
	return money.Amount{Minor: max(l.Amount.Minor, 0), Currency: l.Amount.Currency}
}

// Credit is the amount without its sign if it is a credit, and nothing otherwise.
func (l Line) Credit() money.Amount {
	return money.Amount{Minor: max(-l.Amount.Minor, 0), Currency: l.Amount.Currency}
}

// EntryLine is a line as it is shown.
type EntryLine struct {
	Line
	AccountCode string
	AccountName string
	PartyName   string
}

// NumberName is how people see an entry's number: J-0898.
func NumberName(number int64) string { return fmt.Sprintf("J-%04d", number) }

// Name is how people see the entry: J-0898.
func (e Entry) Name() string { return NumberName(e.Number) }

// EntryByID gives one entry with its lines; ErrEntryNotFound.
func EntryByID(ctx context.Context, tx *tenant.Tx, entry EntryID) (Entry, error) {
	return selectEntry(ctx, tx, entry)
}

// EntryFilter narrows a list of entries: to those with a line on an account, and to a span of dates, both ends included.
// What is zero does not narrow.
type EntryFilter struct {
	Account  AccountID
	From, To civil.Date
	Search   string // of the description, or an entry's number; not with an account
}

// Entries gives a page of the journal, the newest number first. It fails with ErrDatesReversed and what cursor.Query
// refuses; a page after or before an entry that does not exist is empty.
func Entries(ctx context.Context, tx *tenant.Tx, filter EntryFilter, q cursor.Query) (cursor.Page[Entry], error) {
	q, err := q.Check()
	if err != nil {
		return cursor.Page[Entry]{}, err
	}
	if !filter.From.IsZero() && !filter.To.IsZero() && filter.To.Before(filter.From) {
		return cursor.Page[Entry]{}, ErrDatesReversed
	}
	rows, err := selectEntries(ctx, tx, filter, q)
	if err != nil {
		return cursor.Page[Entry]{}, err
	}
	page := cursor.Cut(q, rows)
	return page, fillLines(ctx, tx, page.Items)
}

// EachEntry calls fn for every entry of a span of dates with its lines, by number, as they come from the database, so
// that a long journal needs no memory. A zero end does not bound. fn must use no transaction; its error ends the walk.
func EachEntry(ctx context.Context, tx *tenant.Tx, from, to civil.Date, fn func(Entry) error) error {
	if !from.IsZero() && !to.IsZero() && to.Before(from) {
		return ErrDatesReversed
	}
	return walkEntries(ctx, tx, from, to, fn)
}
