package bank_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"pgregory.net/rapid"

	"github.com/countinghouse/countinghouse/billing/bank"
	"github.com/countinghouse/countinghouse/billing/ledger"
	"github.com/countinghouse/countinghouse/internal/civil"
	"github.com/countinghouse/countinghouse/internal/fault"
	"github.com/countinghouse/countinghouse/tenant"
)

// Whatever was imported, posted, matched, undone and left out, the difference between book and bank is explained exactly
// on every day: by what neither has of the other, and by what the bank had before its first line. What stands on the left
// and right is added up apart here.
func TestTheDifferenceIsExplained(t *testing.T) {
	t.Parallel()
	h := openHouse(t)
	from := civil.On(2026, 1, 10)
	rapid.Check(t, func(t *rapid.T) {
		for range rapid.IntRange(1, 4).Draw(t, "steps") {
			h.walk(t, from)
		}
		h.do(func(ctx context.Context, tx *tenant.Tx) error {
			for range 4 {
				day := from.AddDays(rapid.IntRange(-12, 12).Draw(t, "looked at"))
				o, err := bank.OutstandingOn(ctx, tx, h.current, day)
				if err != nil {
					return err
				}
				if got := o.Book.Minor + o.Opening.Minor - o.Booked.Minor + o.Unseen.Minor; got != o.Bank.Minor {
					t.Fatalf("on %s book %s, opening %s, less entries %s, and lines %s come to %d, and the bank has %s", o.Date, o.Book, o.Opening, o.Booked, o.Unseen, got, o.Bank)
				}
			}
			a, err := bank.AccountByID(ctx, tx, h.current)
			if err != nil {
				return err
			}
			end, err := bank.OutstandingOn(ctx, tx, h.current, from.AddDays(400))
			if end.Book != a.Book || end.Bank != a.Bank {
				t.Fatalf("at the end book and bank are %s and %s, and the account says %s and %s", end.Book, end.Bank, a.Book, a.Bank)
			}
			return err
		})
	})
}

// walk does one thing at random.
func (h *house) walk(t *rapid.T, from civil.Date) {
	day := from.AddDays(rapid.IntRange(-10, 10).Draw(t, "day"))
	amount := int64(rapid.IntRange(1, 4).Draw(t, "amount")) * 100 * int64(1-2*rapid.IntRange(0, 1).Draw(t, "sign"))
	switch rapid.IntRange(0, 5).Draw(t, "what") {
	case 0, 1:
		rows := make([]string, rapid.IntRange(1, 3).Draw(t, "rows"))
		for i := range rows {
			rows[i] = fmt.Sprintf("%s,Line %d,%d.00", day.AddDays(i), rapid.IntRange(0, 1000).Draw(t, "text"), amount/100)
		}
		h.take(h.current, rows...)
	case 2:
		h.post(day, h.codes["4000"], h.current, amount)
	case 3:
		err := h.try(func(ctx context.Context, tx *tenant.Tx) error { return h.undoOne(ctx, tx, t) })
		if err != nil {
			t.Fatalf("undoing is refused: %v", err)
		}
	default:
		err := h.try(func(ctx context.Context, tx *tenant.Tx) error { return h.matchOne(ctx, tx, t) })
		if err != nil {
			t.Fatalf("a match that was suggested is refused: %v", err)
		}
	}
}

func (h *house) undoOne(ctx context.Context, tx *tenant.Tx, t *rapid.T) error {
	o, err := bank.OutstandingOn(ctx, tx, h.current, civil.On(2027, 1, 1))
	if err != nil {
		return err
	}
	if len(o.Entries) > 0 && rapid.Bool().Draw(t, "an entry") {
		_, err = ledger.Reverse(ctx, tx, rapid.SampledFrom(o.Entries).Draw(t, "entry").ID, civil.Date{}, "")
		var refused *fault.Error // a reversal is not reversed, nor what was posted from a line
		if errors.As(err, &refused) {
			return nil
		}
		return err
	}
	all, err := h.pick(ctx, tx, bank.StateMatched)
	if err != nil || len(all) == 0 {
		return err
	}
	_, err = bank.UndoMatch(ctx, tx, rapid.SampledFrom(all).Draw(t, "matched").ID, 0)
	return err
}

func (h *house) matchOne(ctx context.Context, tx *tenant.Tx, t *rapid.T) error {
	all, err := h.pick(ctx, tx, bank.StateOpen)
	if err != nil || len(all) == 0 {
		return err
	}
	l := rapid.SampledFrom(all).Draw(t, "open")
	if rapid.IntRange(0, 9).Draw(t, "leave out") == 0 {
		_, err := bank.ExcludeLine(ctx, tx, l.ID, 0)
		return err
	}
	found, err := bank.Suggest(ctx, tx, h.current, []bank.Line{l})
	if err != nil {
		return err
	}
	m := bank.Match{Book: h.codes["6900"]}
	if len(found[l.ID]) > 0 && rapid.Bool().Draw(t, "as suggested") {
		m = found[l.ID][0].Match
	}
	_, err = bank.MatchLine(ctx, tx, l.ID, l.Version, m)
	return err
}

func (h *house) pick(ctx context.Context, tx *tenant.Tx, state string) ([]bank.Line, error) {
	all, err := bank.Lines(ctx, tx, h.current, state, everything)
	return all.Items, err
}
