package bank

import (
	"context"
	"fmt"

	"github.com/google/uuid"

	"github.com/countinghouse/countinghouse/billing/ledger"
	"github.com/countinghouse/countinghouse/billing/money"
	"github.com/countinghouse/countinghouse/internal/civil"
	"github.com/countinghouse/countinghouse/internal/fault"
	"github.com/countinghouse/countinghouse/internal/id"
	"github.com/countinghouse/countinghouse/internal/text"
	"github.com/countinghouse/countinghouse/tenant"
)

// ErrArchived refuses lines for an account that is out of use.
var ErrArchived = fault.New(fault.Conflict, "bank_account.archived", "This account is archived. Restore it first.")

// Imported says what became of a file.
type Imported struct {
	Lines       int // that the file has
	Added       int
	Known       int // there already
	Alike       int // of those added: another with its day and amount is there; another file may have brought it
	Early       int // left out, since they lie before the days that are reconciled
	LeftOut     int // of the file, since they are no movement
	Booked      int // by rules
	First, Last civil.Date
}

// batch is how many lines one statement takes.
const batch = 2000

// Preview says what ImportFile would do, and does nothing. It fails as that does.
func Preview(ctx context.Context, tx *tenant.Tx, account ledger.AccountID, f File) (Imported, error) {
	a, err := selectAccount(ctx, tx, account)
	if err != nil {
		return Imported{}, err
	}
	lines, done, err := timely(ctx, tx, a, f)
	if err != nil {
		return done, err
	}
	return done, countKnown(ctx, tx, account, lines, &done)
}

// ImportFile keeps the lines of a file that are not there yet. Rules that say so book theirs. The same file twice, and one
// that overlaps another, adds nothing twice. Before the first line the balance is the one that the file opens with. It fails
// with ErrAccountNotFound and ErrArchived, and with what posting refuses.
func ImportFile(ctx context.Context, tx *tenant.Tx, account ledger.AccountID, f File) (Imported, error) {
	a, err := lockAccount(ctx, tx, account)
	switch {
	case err != nil:
		return Imported{}, err
	case a.Archived:
		return Imported{}, ErrArchived
	}
	lines, done, err := timely(ctx, tx, a, f)
	if err != nil {
		return done, err
	}
	if err := countKnown(ctx, tx, account, lines, &done); err != nil {
		return done, err
	}
	before, err := selectBefore(ctx, tx, a)
	if err != nil {
		return done, err
	}
	prints := fingerprints(lines)
	var added []LineID
	for from := 0; from < len(lines); from += batch {
		to := min(from+batch, len(lines))
		kept, err := insertLines(ctx, tx, account, lines[from:to], prints[from:to])
		if err != nil {
			return done, err
		}
		added = append(added, kept...)
	}
	done.Added, done.Known = len(added), len(lines)-len(added)
	if err := begin(ctx, tx, a, f, before); err != nil {
		return done, err
	}
	if done.Booked, err = bookByRules(ctx, tx, a, added); err != nil {
		return done, err
	}
	return done, tx.Record(ctx, tenant.Act{Action: "bank.import", Object: "bank", ID: account.UUID,
		Detail: fmt.Sprintf("%s, %d lines, %d new, %s to %s", f.Format, done.Lines, done.Added, done.First, done.Last)})
}

// timely are the lines of a file without those that would change a balance that a statement was finished on.
func timely(ctx context.Context, tx *tenant.Tx, a Account, f File) ([]FileLine, Imported, error) {
	done := Imported{Lines: len(f.Lines), LeftOut: f.LeftOut}
	begun, err := selectBegun(ctx, tx, a.ID)
	if err != nil {
		return nil, done, err
	}
	var lines []FileLine
	for _, l := range f.Lines {
		if done.First.IsZero() || l.Date.Before(done.First) {
			done.First = l.Date
		}
		if l.Date.After(done.Last) {
			done.Last = l.Date
		}
		if begun && l.Date.Before(a.Since) {
			done.Early++
			continue
		}
		lines = append(lines, l)
	}
	return lines, done, nil
}

func countKnown(ctx context.Context, tx *tenant.Tx, account ledger.AccountID, lines []FileLine, done *Imported) error {
	found, err := selectKnown(ctx, tx, account, lines, fingerprints(lines))
	for _, f := range found {
		switch {
		case f.Known:
			done.Known++
		case f.Alike:
			done.Alike++
			done.Added++
		default:
			done.Added++
		}
	}
	return err
}

// begin keeps from which day on lines are known, and the balance before it: so that the balance now stays what it was when
// older lines come, and for the first file what that file says.
func begin(ctx context.Context, tx *tenant.Tx, a Account, f File, before earliest) error {
	now, err := selectBefore(ctx, tx, a)
	if err != nil || now.First.IsZero() {
		return err
	}
	if a.Lines == 0 && before.First.IsZero() {
		if a.Opening, err = openingOf(a, f); err != nil {
			return err
		}
	} else if now.First.Before(a.Since) {
		earlier, err := selectSumBefore(ctx, tx, a.ID, a.Since)
		if err != nil {
			return err
		}
		if a.Opening, err = a.Opening.Sub(money.Amount{Minor: earlier, Currency: a.Currency}); err != nil {
			return err
		}
	}
	if a.Since.IsZero() || now.First.Before(a.Since) {
		a.Since = now.First
	}
	if f.Closing != nil && (a.Stated == nil || !f.Closing.Date.Before(a.Stated.Date)) {
		a.Stated = f.Closing
	}
	return updateBeginning(ctx, tx, a)
}

// openingOf is the balance before the first line of the first file: what it opens with, or what it closes with less its
// lines; else what was entered by hand.
func openingOf(a Account, f File) (money.Amount, error) {
	switch {
	case f.Opening != nil:
		return f.Opening.Amount, nil
	case f.Closing == nil:
		return a.Opening, nil
	}
	opening := f.Closing.Amount
	for _, l := range f.Lines {
		if l.Date.After(f.Closing.Date) {
			continue
		}
		var err error
		if opening, err = opening.Sub(l.Amount); err != nil {
			return opening, err
		}
	}
	return opening, nil
}

// LineInput is a movement that somebody writes from a statement on paper.
type LineInput struct {
	Date      civil.Date
	Amount    money.Amount
	Memo      string
	PartyName string
	Reference string
}

// AddLine adds a line by hand, as often as asked. It fails with what is wrong with it, ErrAccountNotFound and ErrArchived.
func AddLine(ctx context.Context, tx *tenant.Tx, account ledger.AccountID, in LineInput) (Line, error) {
	a, err := lockAccount(ctx, tx, account)
	switch {
	case err != nil:
		return Line{}, err
	case a.Archived:
		return Line{}, ErrArchived
	}
	f := FileLine{Date: in.Date, Amount: in.Amount}
	if err := in.check(a, &f); err != nil {
		return Line{}, err
	}
	begun, err := selectBegun(ctx, tx, account)
	if err != nil {
		return Line{}, err
	}
	if begun && in.Date.Before(a.Since) {
		return Line{}, ErrLineEarly
	}
	before, err := selectBefore(ctx, tx, a)
	if err != nil {
		return Line{}, err
	}
	kept, err := insertLines(ctx, tx, account, []FileLine{f}, []uuid.UUID{id.New[Line]().UUID})
	if err != nil {
		return Line{}, err
	}
	if err := begin(ctx, tx, a, File{}, before); err != nil {
		return Line{}, err
	}
	l, err := selectLine(ctx, tx, kept[0])
	if err != nil {
		return l, err
	}
	return l, tx.Record(ctx, tenant.Act{Action: "bank.add_line", Object: "bank", ID: account.UUID, Detail: fmt.Sprintf("%s %s, %s", l.Amount, l.Amount.Currency, l.Date)})
}

// What is refused about a line by hand.
var (
	ErrLineNothing = fault.New(fault.Invalid, "bank_line.nothing", "Give the amount; with a minus where it went out.").At("amount")
	ErrLineEarly   = fault.New(fault.Conflict, "bank_line.early", "This day lies before the statements of this account. Choose a later one.").At("date")
)

func (in LineInput) check(a Account, f *FileLine) error {
	var faults fault.List
	for _, t := range []struct {
		field, value string
		limit        int
		kept         *string
	}{{"memo", in.Memo, memoLength, &f.Memo}, {"party_name", in.PartyName, partyLength, &f.PartyName}, {"reference", in.Reference, referenceLength, &f.Reference}} {
		kept, err := text.Line(t.field, t.value, t.limit)
		if !faults.Add(t.field, err) {
			return err
		}
		*t.kept = kept
	}
	if in.Date.IsZero() {
		faults = append(faults, civil.ErrDate.At("date"))
	}
	switch {
	case in.Amount.IsZero():
		faults = append(faults, ErrLineNothing)
	case in.Amount.Currency != a.Currency:
		faults = append(faults, ErrOtherMoney.Sayf("This account is in %s.", a.Currency).At("currency"))
	default:
		if err := in.Amount.CheckSize(); !faults.Add("amount", err) {
			return err
		}
	}
	return faults.Err()
}

// KeepMapping keeps how an account's CSV files are read. It fails with ErrAccountNotFound and what Mapping.Check refuses.
func KeepMapping(ctx context.Context, tx *tenant.Tx, account ledger.AccountID, m Mapping) error {
	if err := m.Check(); err != nil {
		return err
	}
	if _, err := lockAccount(ctx, tx, account); err != nil {
		return err
	}
	return updateMapping(ctx, tx, account, m)
}
