package ledger_test

import (
	"context"
	"errors"
	"testing"

	"pgregory.net/rapid"

	"github.com/countinghouse/countinghouse/billing/ledger"
	"github.com/countinghouse/countinghouse/tenant"
)

// Whatever is posted and undone in whatever order, every entry balances, all accounts together come to nothing, and each
// comes to what was posted to it. The books go on from one run to the next, as books do.
func TestAnySequenceBalances(t *testing.T) {
	t.Parallel()
	m := model{books: openBooks(t), sums: map[cell]int64{}, undone: map[ledger.EntryID]bool{}}
	rapid.Check(t, func(r *rapid.T) {
		for range rapid.IntRange(1, 8).Draw(r, "steps") {
			if len(m.posted) == 0 || rapid.IntRange(0, 2).Draw(r, "undo") > 0 {
				m.post(r)
			} else {
				m.reverse(r)
			}
		}
		m.compare(r)
	})
}

// cell is an account in one currency.
type cell struct {
	Code     string
	Currency string
}

// model is what the books ought to hold.
type model struct {
	books
	posted []ledger.Entry
	undone map[ledger.EntryID]bool
	sums   map[cell]int64
}

func (m *model) add(e ledger.Entry) {
	for _, l := range e.Lines {
		m.sums[cell{l.AccountCode, l.Amount.Currency.Code()}] += l.Amount.Minor
	}
}

func (m *model) post(r *rapid.T) {
	p, off := drawPosting(r, m.books)
	e, err := m.books.post(p)
	if off != errors.Is(err, ledger.ErrUnbalanced) || !off && err != nil {
		r.Fatalf("posting %+v, out of balance %v: %v", p.Lines, off, err)
	}
	if err == nil {
		m.posted = append(m.posted, e)
		m.add(e)
	}
}

func (m *model) reverse(r *rapid.T) {
	e := rapid.SampledFrom(m.posted).Draw(r, "entry")
	back, err := m.books.reverse(e.ID, e.Date, "")
	if m.undone[e.ID] != errors.Is(err, ledger.ErrAlreadyReversed) || !m.undone[e.ID] && err != nil {
		r.Fatalf("undoing %s, undone before: %v: %v", e.Name(), m.undone[e.ID], err)
	}
	if err == nil {
		m.undone[e.ID] = true
		m.add(back)
	}
}

func (m *model) compare(r *rapid.T) {
	var off int
	var rows []struct {
		cell
		Sum int64
	}
	err := m.do(func(ctx context.Context, tx *tenant.Tx) error {
		err := tx.Select(ctx, &rows, `SELECT a.code, l.currency, sum(l.amount)::bigint AS sum
			FROM journal_line l JOIN account a ON a.id = l.account_id GROUP BY 1, 2`)
		if err != nil {
			return err
		}
		return tx.Get(ctx, &off, `
			SELECT (SELECT count(*) FROM (SELECT FROM journal_line GROUP BY entry_id, currency HAVING sum(amount) <> 0) x)
			     + (SELECT count(*) FROM (SELECT FROM journal_line GROUP BY currency HAVING sum(amount) <> 0) x)
			     + (SELECT count(*) FROM journal_entry e WHERE (SELECT count(*) FROM journal_line l WHERE l.entry_id = e.id) < 2)
			     + (SELECT coalesce(max(number), 0) - count(*) FROM journal_entry)`)
	})
	if err != nil || off != 0 {
		r.Fatalf("%d sums are off, %v", off, err)
	}
	if len(rows) != len(m.sums) {
		r.Fatalf("%d accounts were posted to, and %d have lines", len(m.sums), len(rows))
	}
	for _, row := range rows {
		if want := m.sums[row.cell]; row.Sum != want {
			r.Fatalf("%s has %d %s, and %d were posted to it", row.Code, row.Sum, row.Currency, want)
		}
	}
}

// drawPosting makes lines in one or two currencies and says whether they are out of balance.
func drawPosting(r *rapid.T, b books) (p ledger.Posting, off bool) {
	codes, currencies := []string{"1010", "1020", "2200", "4000", "5000"}, []string{"EUR", "JPY", "KWD"}
	p = ledger.Posting{Date: may5.AddDays(rapid.IntRange(-400, 400).Draw(r, "day")), Description: "any"}
	for range rapid.IntRange(1, 2).Draw(r, "currencies") {
		currency := rapid.SampledFrom(currencies).Draw(r, "currency")
		var sum int64
		for range rapid.IntRange(1, 4).Draw(r, "lines") {
			minor := rapid.Int64Range(1, 1e9).Draw(r, "minor") * rapid.SampledFrom([]int64{1, -1}).Draw(r, "side")
			sum += minor
			p.Lines = append(p.Lines, ledger.Line{Account: b.account[rapid.SampledFrom(codes).Draw(r, "account")], Amount: amount(currency, minor)})
		}
		if rapid.IntRange(0, 4).Draw(r, "out of balance") == 0 {
			sum++
		}
		if sum != 0 {
			p.Lines = append(p.Lines, ledger.Line{Account: b.account["3000"], Amount: amount(currency, -sum)})
		}
	}
	sums := map[string]int64{}
	for _, l := range p.Lines {
		sums[l.Amount.Currency.Code()] += l.Amount.Minor
	}
	for _, sum := range sums {
		off = off || sum != 0
	}
	if len(p.Lines) == 1 {
		p.Lines = append(p.Lines, ledger.Line{Account: b.account["3000"], Amount: amount("USD", 1)})
		off = true
	}
	return p, off
}
