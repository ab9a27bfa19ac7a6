package ledger_test

import (
	"context"
	"errors"
	"sync"
	"testing"

	"github.com/countinghouse/countinghouse/billing/ledger"
	"github.com/countinghouse/countinghouse/internal/civil"
	"github.com/countinghouse/countinghouse/internal/id"
	"github.com/countinghouse/countinghouse/tenant"
	"github.com/countinghouse/countinghouse/tenant/tenanttest"
)

func (b books) reverse(entry ledger.EntryID, on civil.Date, description string) (e ledger.Entry, err error) {
	err = b.do(func(ctx context.Context, tx *tenant.Tx) (err error) {
		e, err = ledger.Reverse(ctx, tx, entry, on, description)
		return err
	})
	return e, err
}

func TestReverse(t *testing.T) {
	t.Parallel()
	b := openBooks(t)
	p := b.sale(12_30)
	p.Lines[0].Party, p.Lines[0].Memo = b.party, "for May"
	posted := b.mustPost(t, p)
	undone, err := b.reverse(posted.ID, may5.AddDays(3), "")
	if err != nil {
		t.Fatal(err)
	}
	if undone.Number != 2 || undone.Source != ledger.SourceReversal || undone.Reverses != posted.ID ||
		undone.Date != may5.AddDays(3) || undone.Description != "Reversal of J-0001" {
		t.Errorf("the reversal is %+v", undone)
	}
	if l := undone.Lines[0]; l.Amount != eur(-12_30) || l.Party != b.party || l.Memo != "for May" {
		t.Errorf("its first line is %+v", l)
	}
	for _, code := range []string{"1010", "4000"} {
		if left := b.balance(t, code, "EUR"); left != 0 {
			t.Errorf("%d is left on %s", left, code)
		}
	}
	if read := b.read(t, posted.ID); read.ReversedBy != undone.ID {
		t.Errorf("the entry says that it is undone by %v", read.ReversedBy)
	}
	if _, err := b.reverse(posted.ID, may5.AddDays(4), ""); !errors.Is(err, ledger.ErrAlreadyReversed) {
		t.Errorf("a second time: %v", err)
	}
	if _, err := b.reverse(undone.ID, civil.Date{}, ""); !errors.Is(err, ledger.ErrReversalReversed) {
		t.Errorf("the reversal itself: %v", err)
	}
}

func TestReverseRefuses(t *testing.T) {
	t.Parallel()
	b := openBooks(t)
	mine := b.mustPost(t, b.sale(100))
	for _, source := range []ledger.SourceKind{ledger.SourceInvoice, ledger.SourcePayment} {
		p := b.sale(100)
		p.Source, p.SourceID = source, id.New[books]().UUID
		if _, err := b.reverse(b.mustPost(t, p).ID, civil.Date{}, ""); !errors.Is(err, ledger.ErrOfDocument) {
			t.Errorf("an entry of %s: %v", source, err)
		}
	}
	if _, err := b.reverse(mine.ID, may5.AddDays(-1), ""); !errors.Is(err, ledger.ErrReversalEarly) {
		t.Errorf("before its day: %v", err)
	}
	if _, err := openBooks(t).reverse(mine.ID, civil.Date{}, ""); !errors.Is(err, ledger.ErrEntryNotFound) {
		t.Errorf("another organization's: %v", err)
	}
	if n := b.entries(t); n != 3 {
		t.Errorf("%d entries are there", n)
	}
}

// Of several who undo the same entry in the same moment one does.
func TestReverseAtOnce(t *testing.T) {
	t.Parallel()
	b := openBooks(t)
	posted := b.mustPost(t, b.sale(100))
	errs := make([]error, 8)
	var wait sync.WaitGroup
	for i := range errs {
		wait.Go(func() { _, errs[i] = b.reverse(posted.ID, civil.Date{}, "") })
	}
	wait.Wait()
	done := 0
	for _, err := range errs {
		if err == nil {
			done++
		} else if !errors.Is(err, ledger.ErrAlreadyReversed) {
			t.Error(err)
		}
	}
	if done != 1 || b.entries(t) != 2 || b.balance(t, "1010", "EUR") != 0 {
		t.Errorf("undone %d times, %d entries, %d left", done, b.entries(t), b.balance(t, "1010", "EUR"))
	}
}

func TestReverseWithoutDate(t *testing.T) {
	t.Parallel()
	b := openBooks(t)
	var today civil.Date
	tenanttest.Do(t, tenanttest.DB(), b.Organization, func(ctx context.Context, tx *tenant.Tx) (err error) {
		today, err = ledger.Today(ctx, tx)
		return err
	})
	past, future := b.sale(100), b.sale(100)
	past.Date, future.Date = today.AddDays(-40), today.AddDays(40)
	for _, c := range []struct {
		of     ledger.Posting
		closed civil.Date
		want   civil.Date
	}{
		{past, civil.Date{}, today},
		{future, civil.Date{}, future.Date},
		{past, today.AddDays(9), today.AddDays(10)},
	} {
		posted := b.mustPost(t, c.of)
		closeThrough(t, b, c.closed)
		e, err := b.reverse(posted.ID, civil.Date{}, "Wrong account")
		// The clock may have passed midnight since today was asked for.
		if err != nil || e.Date != c.want && e.Date != c.want.AddDays(1) || e.Description != "Wrong account" {
			t.Errorf("an entry of %s is undone on %s (%q), %v; want %s", posted.Date, e.Date, e.Description, err, c.want)
		}
	}
}
