package ledger

import (
	"context"
	"fmt"
	"slices"

	"github.com/google/uuid"

	"github.com/countinghouse/countinghouse/billing/money"
	"github.com/countinghouse/countinghouse/internal/civil"
	"github.com/countinghouse/countinghouse/internal/fault"
	"github.com/countinghouse/countinghouse/internal/id"
	"github.com/countinghouse/countinghouse/internal/text"
	"github.com/countinghouse/countinghouse/tenant"
)

// What is refused about a posting.
var (
	ErrTooFewLines     = fault.New(fault.Invalid, "entry.too_few_lines", "An entry has two lines or more: where the money comes from and where it goes.").At("lines")
	ErrTooManyLines    = fault.New(fault.Invalid, "entry.too_many_lines", "An entry has 500 lines at most. Split it.").At("lines")
	ErrZeroLine        = fault.New(fault.Invalid, "entry.zero_line", "This line has no amount. Give it one, or leave the line out.")
	ErrNoCurrency      = fault.New(fault.Invalid, "entry.no_currency", "This line's amount has no currency.")
	ErrUnbalanced      = fault.New(fault.Invalid, "entry.unbalanced", "Debits and credits differ. Make them equal.").At("lines")
	ErrAccountUnknown  = fault.New(fault.Invalid, "account.unknown", "There is no such account. Choose another.")
	ErrAccountArchived = fault.New(fault.Conflict, "account.archived", "This account is archived. Restore it or choose another.")
	ErrPartyUnknown    = fault.New(fault.Invalid, "party.unknown", "There is no such customer or payee. Choose another, or none.")
	ErrPeriodClosed    = fault.New(fault.Conflict, "period.closed", "The books are closed on that day. Choose a later one.").At("date")
)

// MaxLines is how many lines an entry may have.
const MaxLines = 500

const (
	descriptionLength = 300
	memoLength        = 300
)

// Posting is an entry before it has a number.
type Posting struct {
	Date        civil.Date
	Description string
	Source      SourceKind // empty is manual
	SourceID    uuid.UUID
	Lines       []Line
	// Automatic moves an entry that falls in a closed period to the first open day, where one made by hand is refused.
	Automatic bool

	reverses   EntryID
	ofDocument bool
}

// Post writes an entry into the journal, under the next number. Either all of it is kept or nothing. An entry by hand
// also goes on record; one of a document is on record with its document.
//
// It fails with what is wrong with the texts, and with civil.ErrDate, ErrTooFewLines, ErrTooManyLines, ErrZeroLine,
// ErrNoCurrency, money.ErrTooLarge, ErrUnbalanced, ErrAccountUnknown, ErrAccountArchived, ErrPartyUnknown and
// ErrPeriodClosed. After the number is taken other postings of the organization wait for this transaction to end.
func Post(ctx context.Context, tx *tenant.Tx, p Posting) (Entry, error) {
	p, err := p.check()
	if err != nil {
		return Entry{}, err
	}
	e, err := insertEntry(ctx, tx, id.New[Entry](), p)
	if err != nil {
		return Entry{}, err
	}
	action := "entry.post"
	switch {
	case p.Source != SourceManual && p.Source != SourceReversal, p.ofDocument:
		return e, nil
	case p.Source == SourceReversal:
		action = "entry.reverse"
	}
	return e, tx.Record(ctx, tenant.Act{Action: action, Object: "entry", ID: e.ID.UUID,
		Detail: fmt.Sprintf("%s, %d lines, dated %s", e.Name(), len(e.Lines), e.Date)})
}

// check gives the posting with its texts trimmed, or all that is wrong with it.
func (p Posting) check() (Posting, error) {
	if p.Source == "" {
		p.Source = SourceManual
	}
	var faults fault.List
	if p.Date.IsZero() {
		faults = append(faults, civil.ErrDate.At("date"))
	}
	var err error
	if p.Description, err = text.Required("description", p.Description, descriptionLength); !faults.Add("description", err) {
		return p, err
	}
	switch {
	case len(p.Lines) < 2:
		faults = append(faults, ErrTooFewLines)
	case len(p.Lines) > MaxLines:
		return p, append(faults, ErrTooManyLines)
	}
	p.Lines = slices.Clone(p.Lines)
	for i := range p.Lines {
		at := fmt.Sprintf("lines[%d]", i)
		if err := p.Lines[i].check(); !faults.Add(at, err) {
			return p, err
		}
	}
	// Sums of amounts that are wrong by themselves would only confuse.
	if len(faults) == 0 {
		if err := checkBalance(p.Lines); !faults.Add("lines", err) {
			return p, err
		}
	}
	return p, faults.Err()
}

func (l *Line) check() error {
	var faults fault.List
	var err error
	if l.Memo, err = text.Line("memo", l.Memo, memoLength); !faults.Add("memo", err) {
		return err
	}
	if l.Account.IsZero() {
		faults = append(faults, ErrAccountUnknown.At("account_id"))
	}
	switch {
	case l.Amount.Currency.IsZero():
		faults = append(faults, ErrNoCurrency.At("amount"))
	case l.Amount.IsZero():
		faults = append(faults, ErrZeroLine.At("amount"))
	default:
		if err := l.Amount.CheckSize(); !faults.Add("amount", err) {
			return err
		}
	}
	return faults.Err()
}

// checkBalance says for every currency by how much debits and credits differ.
func checkBalance(lines []Line) error {
	sums := map[money.Currency]money.Amount{}
	var order []money.Currency
	for _, l := range lines {
		c := l.Amount.Currency
		sum, seen := sums[c]
		if !seen {
			order = append(order, c)
			sum.Currency = c
		}
		sum, err := sum.Add(l.Amount)
		if err != nil {
			return err
		}
		sums[c] = sum
	}
	var faults fault.List
	for _, c := range order {
		sum := sums[c]
		more, less := "debits", "credits"
		if sum.Sign() < 0 {
			more, less = less, more
		}
		if sum.IsZero() {
			continue
		}
		by, err := absolute(sum)
		if err != nil {
			return err
		}
		faults = append(faults, ErrUnbalanced.Sayf("The %s are %s %s more than the %s. Make them equal.", more, by, c, less))
	}
	return faults.Err()
}

func absolute(a money.Amount) (money.Amount, error) {
	if a.Sign() < 0 {
		return a.Neg()
	}
	return a, nil
}
