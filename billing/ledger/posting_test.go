package ledger_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/uuid"

	"github.com/countinghouse/countinghouse/billing/ledger"
	"github.com/countinghouse/countinghouse/billing/money"
	"github.com/countinghouse/countinghouse/internal/civil"
	"github.com/countinghouse/countinghouse/internal/id"
	"github.com/countinghouse/countinghouse/internal/text"
	"github.com/countinghouse/countinghouse/tenant"
	"github.com/countinghouse/countinghouse/tenant/tenanttest"
)

func TestPost(t *testing.T) {
	t.Parallel()
	b := openBooks(t)
	p := ledger.Posting{Date: may5, Description: "  Deposit, и ещё \"quoted\" \\ text  ", Lines: []ledger.Line{
		{Account: b.account["1100"], Party: b.party, Amount: eur(12_30), Memo: "for May"},
		{Account: b.account["4000"], Amount: eur(-10_00)},
		{Account: b.account["2200"], Amount: eur(-2_30)},
		{Account: b.account["1010"], Amount: amount("JPY", 500)},
		{Account: b.account["3000"], Amount: amount("JPY", -500)},
	}}
	posted := b.mustPost(t, p)
	if posted.Number != 1 || posted.Name() != "J-0001" || posted.Source != ledger.SourceManual || posted.Date != may5 {
		t.Errorf("posted as %s, %s, of %s", posted.Name(), posted.Source, posted.Date)
	}
	if posted.Description != `Deposit, и ещё "quoted" \ text` || posted.PostedBy != b.Owner.ID || posted.PostedByName != b.Owner.Name {
		t.Errorf("posted as %q by %s, %q", posted.Description, posted.PostedBy, posted.PostedByName)
	}
	if l := posted.Lines[0]; l.PartyName != "Terhi Hämäläinen" || l.AccountName != "Owed by customers" || l.AccountCode != "1100" {
		t.Errorf("the first line is %+v", l)
	}
	read := b.read(t, posted.ID)
	if fmt.Sprintf("%+v", read) != fmt.Sprintf("%+v", posted) {
		t.Errorf("reads back as\n%+v, and was\n%+v", read, posted)
	}
	if next := b.mustPost(t, b.sale(100)); next.Number != 2 {
		t.Errorf("the next number is %d", next.Number)
	}
	if got := b.balance(t, "1010", "JPY"); got != 500 {
		t.Errorf("yen on the current account: %d", got)
	}
}

func TestPostIsOnRecord(t *testing.T) {
	t.Parallel()
	b := openBooks(t)
	e := b.mustPost(t, b.sale(100))
	document := b.sale(100)
	document.Source, document.SourceID = ledger.SourceInvoice, id.New[books]().UUID
	b.mustPost(t, document)
	var acts []struct {
		ObjectID uuid.UUID `db:"object_id"`
		Detail   string    `db:"detail"`
	}
	tenanttest.Do(t, tenanttest.DB(), b.Organization, func(ctx context.Context, tx *tenant.Tx) error {
		return tx.Select(ctx, &acts, `SELECT object_id, detail FROM audit_log WHERE action = 'entry.post'`)
	})
	if len(acts) != 1 || acts[0].ObjectID != e.ID.UUID || acts[0].Detail != "J-0001, 2 lines, dated 2026-05-05" {
		t.Errorf("on record: %+v", acts)
	}
}

func TestPostRefuses(t *testing.T) {
	t.Parallel()
	b := openBooks(t)
	archived := addAccount(t, b, "7777")
	mustArchive(t, b, archived)
	other := openBooks(t) // another organization's accounts and customers are as unknown as any
	change := func(edit func(p *ledger.Posting)) ledger.Posting {
		p := b.sale(100)
		edit(&p)
		return p
	}
	line := func(i int, edit func(l *ledger.Line)) ledger.Posting {
		return change(func(p *ledger.Posting) { edit(&p.Lines[i]) })
	}
	for name, c := range map[string]struct {
		posting ledger.Posting
		want    error
		at      string
	}{
		"no lines":            {change(func(p *ledger.Posting) { p.Lines = nil }), ledger.ErrTooFewLines, "lines"},
		"one line":            {change(func(p *ledger.Posting) { p.Lines = p.Lines[:1] }), ledger.ErrTooFewLines, "lines"},
		"501 lines":           {change(func(p *ledger.Posting) { p.Lines = slices.Repeat(p.Lines, 251)[:501] }), ledger.ErrTooManyLines, "lines"},
		"no date":             {change(func(p *ledger.Posting) { p.Date = civil.Date{} }), civil.ErrDate, "date"},
		"no description":      {change(func(p *ledger.Posting) { p.Description = " " }), text.ErrMissing, "description"},
		"a NUL":               {change(func(p *ledger.Posting) { p.Description = "a\x00b" }), text.ErrInvalid, "description"},
		"broken UTF-8":        {line(1, func(l *ledger.Line) { l.Memo = "a\xff" }), text.ErrInvalid, "lines[1].memo"},
		"a long memo":         {line(1, func(l *ledger.Line) { l.Memo = strings.Repeat("ä", 301) }), text.ErrTooLong, "lines[1].memo"},
		"a line of nothing":   {line(0, func(l *ledger.Line) { l.Amount.Minor = 0 }), ledger.ErrZeroLine, "lines[0].amount"},
		"no currency":         {line(0, func(l *ledger.Line) { l.Amount.Currency = money.Currency{} }), ledger.ErrNoCurrency, "lines[0].amount"},
		"an amount too large": {line(0, func(l *ledger.Line) { l.Amount = eur(100_000_000_000_000_000) }), money.ErrTooLarge, "lines[0].amount"},
		"no account":          {line(1, func(l *ledger.Line) { l.Account = ledger.AccountID{} }), ledger.ErrAccountUnknown, "lines[1].account_id"},
		"an unknown account":  {line(1, func(l *ledger.Line) { l.Account = id.New[ledger.Account]() }), ledger.ErrAccountUnknown, "lines[1].account_id"},
		"another's account":   {line(1, func(l *ledger.Line) { l.Account = other.account["4000"] }), ledger.ErrAccountUnknown, "lines[1].account_id"},
		"an archived account": {line(1, func(l *ledger.Line) { l.Account = archived.ID }), ledger.ErrAccountArchived, "lines[1].account_id"},
		"another's customer":  {line(0, func(l *ledger.Line) { l.Party = other.party }), ledger.ErrPartyUnknown, "lines[0].party_id"},
		"one cent off":        {line(0, func(l *ledger.Line) { l.Amount.Minor++ }), ledger.ErrUnbalanced, "lines"},
		"balanced across two": {line(0, func(l *ledger.Line) { l.Amount = amount("USD", 100) }), ledger.ErrUnbalanced, "lines"},
		"a sum beyond counting": {change(func(p *ledger.Posting) {
			huge := ledger.Line{Account: b.account["1010"], Amount: money.Max(money.MustCurrency("CLF"))}
			p.Lines = slices.Repeat([]ledger.Line{huge}, 20)
		}), money.ErrTooLarge, "lines"},
	} {
		if _, err := b.post(c.posting); !errors.Is(err, c.want) || !slices.Contains(fields(err), c.at) {
			t.Errorf("%s: got %v at %q, want %v at %s", name, err, fields(err), c.want, c.at)
		}
	}
	if n := b.entries(t); n != 0 {
		t.Errorf("%d entries were kept", n)
	}
	if e := b.mustPost(t, b.sale(1)); e.Number != 1 {
		t.Errorf("refusals cost %d numbers", e.Number-1)
	}
}

func TestPostSaysByHowMuch(t *testing.T) {
	t.Parallel()
	b := openBooks(t)
	p := b.sale(12_30)
	p.Lines[1].Amount.Minor = -12_00
	p.Lines = append(p.Lines, ledger.Line{Account: b.account["1010"], Amount: amount("JPY", -70)})
	_, err := b.post(p)
	var said []string
	for _, f := range faults(err) {
		said = append(said, f.Say)
	}
	want := []string{
		"The debits are 0.30 EUR more than the credits. Make them equal.",
		"The credits are 70 JPY more than the debits. Make them equal.",
	}
	if !slices.Equal(said, want) {
		t.Errorf("says %q", said)
	}
}

func TestPostSaysAllThatIsWrong(t *testing.T) {
	t.Parallel()
	b := openBooks(t)
	_, err := b.post(ledger.Posting{Lines: []ledger.Line{{Memo: "\x00"}, {Account: b.account["1010"]}}})
	want := []string{"date", "description", "lines[0].memo", "lines[0].account_id", "lines[0].amount", "lines[1].amount"}
	if got := fields(err); !slices.Equal(got, want) {
		t.Errorf("points at %q, want %q", got, want)
	}
}

// Numbers stay gapless whoever comes first, and an entry that is given up takes no number along.
func TestPostNumbersAreGapless(t *testing.T) {
	t.Parallel()
	b := openBooks(t)
	errGivenUp := errors.New("given up")
	var wait sync.WaitGroup
	var mu sync.Mutex
	var numbers []int64
	for i := range 60 {
		wait.Go(func() {
			var e ledger.Entry
			err := b.do(func(ctx context.Context, tx *tenant.Tx) (err error) {
				if e, err = ledger.Post(ctx, tx, b.sale(100)); err == nil && i%6 == 0 {
					return errGivenUp
				}
				return err
			})
			mu.Lock()
			defer mu.Unlock()
			switch {
			case err == nil:
				numbers = append(numbers, e.Number)
			case !errors.Is(err, errGivenUp):
				t.Error(err)
			}
		})
	}
	wait.Wait()
	slices.Sort(numbers)
	for i, n := range numbers {
		if n != int64(i+1) {
			t.Fatalf("number %d is %d", i+1, n)
		}
	}
	if len(numbers) != 50 || b.entries(t) != 50 || b.balance(t, "1010", "EUR") != 50_00 {
		t.Errorf("%d numbers, %d entries", len(numbers), b.entries(t))
	}
}

// The most lines that an entry may have, and the largest amounts.
func TestPostTakesTheLargest(t *testing.T) {
	t.Parallel()
	b := openBooks(t)
	largest := money.Max(money.MustCurrency("EUR")).Minor
	p := b.sale(largest)
	p.Lines = slices.Repeat(p.Lines, ledger.MaxLines/2)
	e := b.mustPost(t, p)
	read := b.read(t, e.ID)
	if len(read.Lines) != 500 || read.Lines[0].Amount.Minor != largest || read.Lines[499].Amount.Minor != -largest {
		t.Errorf("%d lines, from %v to %v", len(read.Lines), read.Lines[0].Amount, read.Lines[len(read.Lines)-1].Amount)
	}
}
