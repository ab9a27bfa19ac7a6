package bank

import (
	"context"
	"crypto/sha256"
	"fmt"
	"strings"

	"github.com/google/uuid"

	"github.com/countinghouse/countinghouse/billing/ledger"
	"github.com/countinghouse/countinghouse/billing/money"
	"github.com/countinghouse/countinghouse/internal/civil"
	"github.com/countinghouse/countinghouse/internal/cursor"
	"github.com/countinghouse/countinghouse/internal/fault"
	"github.com/countinghouse/countinghouse/internal/id"
	"github.com/countinghouse/countinghouse/tenant"
)

// What is refused about lines.
var (
	ErrLineNotFound = fault.New(fault.NotFound, "bank_line.not_found", "There is no such line of a bank account.")
	ErrLineChanged  = fault.New(fault.Conflict, "bank_line.changed", "Someone else dealt with this line in the meantime. Look at it again.")
	ErrLineState    = fault.New(fault.Invalid, "bank_line.state_unknown", "Lines are open, matched or excluded.").At("state")
)

// LineID names a line.
type LineID = id.Of[Line]

// How says how a line was matched.
type How string

// The ways.
const (
	Open       How = ""         // not at all yet
	ByPayment  How = "payment"  // with a payment that was recorded from it
	ByEntry    How = "entry"    // with an entry that was there
	Booked     How = "booked"   // with an entry that was posted from it
	ByTransfer How = "transfer" // with a line of another account of one's own
	Excluded   How = "excluded" // it counts for nothing: the file has it twice, or another file had it
)

// Line is a movement that the bank told of.
type Line struct {
	ID          LineID
	Account     ledger.AccountID
	Date        civil.Date
	Amount      money.Amount // what came in is above zero
	Memo        string
	PartyName   string
	Reference   string
	How         How
	Entry       ledger.EntryID // that it is matched with, or none
	EntryNumber int64
	EntrySay    string
	Rule        RuleID // that booked it, or none
	RuleWords   string
	Statement   StatementID // the finished one that it stands in: it is locked
	Version     int
}

// Locked says that the line is in a finished statement.
func (l Line) Locked() bool { return !l.Statement.IsZero() }

// Text is all that the bank said of it.
func (l Line) Text() string {
	return strings.Join(strings.Fields(l.PartyName+" "+l.Memo+" "+l.Reference), " ")
}

// The states that lists are narrowed to.
const (
	StateOpen     = "open"
	StateMatched  = "matched"
	StateExcluded = "excluded"
)

// Lines gives a page of an account's lines, the newest day first. state narrows it; empty is all. It fails with
// ErrAccountNotFound, ErrLineState and what cursor.Query refuses.
func Lines(ctx context.Context, tx *tenant.Tx, account ledger.AccountID, state string, q cursor.Query) (cursor.Page[Line], error) {
	q, err := q.Check()
	if err != nil {
		return cursor.Page[Line]{}, err
	}
	switch state {
	case "", StateOpen, StateMatched, StateExcluded:
	default:
		return cursor.Page[Line]{}, ErrLineState
	}
	if _, err := selectAccount(ctx, tx, account); err != nil {
		return cursor.Page[Line]{}, err
	}
	rows, err := selectLines(ctx, tx, account, state, q)
	if err != nil {
		return cursor.Page[Line]{}, err
	}
	return cursor.Cut(q, rows), nil
}

// LineByID gives one line; ErrLineNotFound.
func LineByID(ctx context.Context, tx *tenant.Tx, line LineID) (Line, error) {
	return selectLine(ctx, tx, line)
}

// fingerprints give each line of a file what makes it that line: the bank's own id with day and amount, since some banks
// begin their ids anew each day or give every line the same; else day, amount and texts. Lines that are equal in all of
// that are told apart by their order, so that a file that overlaps another brings the same ones again and none of them
// twice, and two equal purchases on one day are two.
func fingerprints(lines []FileLine) []uuid.UUID {
	seen := map[string]int{}
	prints := make([]uuid.UUID, len(lines))
	for i, l := range lines {
		key := fmt.Sprintf("text\x00%s\x00%s\x00%s", l.Memo, l.PartyName, l.Reference)
		if l.BankID != "" {
			key = "id\x00" + l.BankID
		}
		key += fmt.Sprintf("\x00%s\x00%d\x00%s", l.Date, l.Amount.Minor, l.Amount.Currency)
		sum := sha256.Sum256(fmt.Appendf(nil, "%s\x00%d", key, seen[key]))
		seen[key]++
		prints[i] = uuid.UUID(sum[:16])
	}
	return prints
}
