package ledger_test

import (
	"context"
	"errors"
	"slices"
	"testing"

	"github.com/countinghouse/countinghouse/billing/ledger"
	"github.com/countinghouse/countinghouse/internal/civil"
	"github.com/countinghouse/countinghouse/internal/cursor"
	"github.com/countinghouse/countinghouse/internal/id"
	"github.com/countinghouse/countinghouse/tenant"
)

func (b books) page(f ledger.EntryFilter, q cursor.Query) (page cursor.Page[ledger.Entry], err error) {
	err = b.do(func(ctx context.Context, tx *tenant.Tx) (err error) {
		page, err = ledger.Entries(ctx, tx, f, q)
		return err
	})
	return page, err
}

func numbers(entries []ledger.Entry) (all []int64) {
	for _, e := range entries {
		all = append(all, e.Number)
	}
	return all
}

// Seven entries, one a day from 5 May; the even ones go to the savings account.
func sevenEntries(t *testing.T) (books, []ledger.Entry) {
	b := openBooks(t)
	var all []ledger.Entry
	for i := range 7 {
		p := b.sale(int64(100 + i))
		p.Date = may5.AddDays(i)
		if i%2 == 1 {
			p.Lines[0].Account = b.account["1020"]
		}
		all = append(all, b.mustPost(t, p))
	}
	return b, all
}

func TestEntries(t *testing.T) {
	t.Parallel()
	b, all := sevenEntries(t)
	for name, c := range map[string]struct {
		filter ledger.EntryFilter
		query  cursor.Query
		want   []int64
		more   bool
	}{
		"all":                   {ledger.EntryFilter{}, cursor.Query{}, []int64{7, 6, 5, 4, 3, 2, 1}, false},
		"first page":            {ledger.EntryFilter{}, cursor.Query{Limit: 3}, []int64{7, 6, 5}, true},
		"next page":             {ledger.EntryFilter{}, cursor.Query{Limit: 3, After: all[4].ID.UUID}, []int64{4, 3, 2}, true},
		"last page":             {ledger.EntryFilter{}, cursor.Query{Limit: 3, After: all[1].ID.UUID}, []int64{1}, false},
		"back":                  {ledger.EntryFilter{}, cursor.Query{Limit: 3, Before: all[1].ID.UUID}, []int64{5, 4, 3}, true},
		"back to the beginning": {ledger.EntryFilter{}, cursor.Query{Limit: 3, Before: all[4].ID.UUID}, []int64{7, 6}, false},
		"of an account":         {ledger.EntryFilter{Account: b.account["1020"]}, cursor.Query{}, []int64{6, 4, 2}, false},
		"of an account, next":   {ledger.EntryFilter{Account: b.account["1020"]}, cursor.Query{After: all[3].ID.UUID}, []int64{2}, false},
		"of an account, back":   {ledger.EntryFilter{Account: b.account["1020"]}, cursor.Query{Limit: 1, Before: all[1].ID.UUID}, []int64{4}, true},
		"from":                  {ledger.EntryFilter{From: may5.AddDays(5)}, cursor.Query{}, []int64{7, 6}, false},
		"to":                    {ledger.EntryFilter{To: may5.AddDays(1)}, cursor.Query{}, []int64{2, 1}, false},
		"one day of an account": {ledger.EntryFilter{Account: b.account["4000"], From: may5, To: may5}, cursor.Query{}, []int64{1}, false},
		"after nothing known":   {ledger.EntryFilter{}, cursor.Query{After: id.New[ledger.Entry]().UUID}, nil, false},
	} {
		page, err := b.page(c.filter, c.query)
		if err != nil || !slices.Equal(numbers(page.Items), c.want) || page.HasMore != c.more {
			t.Errorf("%s: got %v, more %v, %v; want %v, more %v", name, numbers(page.Items), page.HasMore, err, c.want, c.more)
		}
		for _, e := range page.Items {
			if len(e.Lines) != 2 || e.Lines[0].Amount != eur(99+e.Number) || e.Lines[1].AccountName != "Sales" {
				t.Errorf("%s: entry %d has lines %+v", name, e.Number, e.Lines)
			}
		}
	}
	if _, err := b.page(ledger.EntryFilter{From: may5, To: may5.AddDays(-1)}, cursor.Query{}); !errors.Is(err, ledger.ErrDatesReversed) {
		t.Errorf("a span that ends before it begins: %v", err)
	}
	if _, err := b.page(ledger.EntryFilter{}, cursor.Query{Limit: 101}); !errors.Is(err, cursor.ErrLimit) {
		t.Errorf("101 a page: %v", err)
	}
}

func TestEachEntry(t *testing.T) {
	t.Parallel()
	b, all := sevenEntries(t)
	walk := func(from, to civil.Date, fn func(ledger.Entry) error) error {
		return b.do(func(ctx context.Context, tx *tenant.Tx) error { return ledger.EachEntry(ctx, tx, from, to, fn) })
	}
	var seen []ledger.Entry
	if err := walk(may5.AddDays(1), may5.AddDays(3), func(e ledger.Entry) error { seen = append(seen, e); return nil }); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(numbers(seen), []int64{2, 3, 4}) || len(seen[2].Lines) != 2 || seen[2].Lines[0].Amount != all[3].Lines[0].Amount {
		t.Errorf("walked over %+v", seen)
	}
	errEnough := errors.New("enough")
	count := 0
	err := walk(civil.Date{}, civil.Date{}, func(ledger.Entry) error {
		if count++; count == 2 {
			return errEnough
		}
		return nil
	})
	if !errors.Is(err, errEnough) || count != 2 {
		t.Errorf("stopped after %d: %v", count, err)
	}
	if err := walk(may5.AddDays(99), civil.Date{}, func(e ledger.Entry) error { return errEnough }); err != nil {
		t.Errorf("a span without entries: %v", err)
	}
}

func TestEntryByIDOfAnother(t *testing.T) {
	t.Parallel()
	mine, theirs := openBooks(t), openBooks(t)
	e := theirs.mustPost(t, theirs.sale(100))
	err := mine.do(func(ctx context.Context, tx *tenant.Tx) error {
		_, err := ledger.EntryByID(ctx, tx, e.ID)
		return err
	})
	if !errors.Is(err, ledger.ErrEntryNotFound) {
		t.Errorf("another organization's entry: %v", err)
	}
}
