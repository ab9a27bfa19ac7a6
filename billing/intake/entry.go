package intake

import (
	"context"
	"crypto/sha256"
	"fmt"
	"slices"
	"strings"

	"github.com/google/uuid"

	"github.com/countinghouse/countinghouse/billing/ledger"
	"github.com/countinghouse/countinghouse/billing/money"
	"github.com/countinghouse/countinghouse/internal/civil"
	"github.com/countinghouse/countinghouse/tenant"
)

// journalEntry is an entry of a file of any form.
type journalEntry struct {
	key         string // what the file calls it
	date        civil.Date
	description string
	source      string // where our own exports say that it came from
	reverses    string // the key of the entry that it takes back
	lines       []journalLine
}

// journalLine is a line of it, with its place in the file.
type journalLine struct {
	row
	column     int // where the account stands, counted from 0
	code, name string
	kind       ledger.Kind // none: the file does not say
	party      string
	amount     money.Amount
	memo       string
}

func (e *journalEntry) first() row { return e.lines[0].row }

// madeBy are the sources of entries that the books make by themselves when documents and payments are imported.
var madeBy = []string{string(ledger.SourceInvoice), string(ledger.SourceLateFee), string(ledger.SourceCreditNote), string(ledger.SourceBill),
	string(ledger.SourcePayeeCredit), string(ledger.SourcePayment), string(ledger.SourceBillPayment)}

// takeJournal posts the entries that are not there. What the books make by themselves when documents and payments are
// imported is passed over, and what took it back.
func (t *Table) takeJournal(ctx context.Context, tx *tenant.Tx, s *Summary, progress func(int)) error {
	entries := t.entries
	if entries == nil {
		entries = t.readEntries()
	} else if err := t.settleAmounts(ctx, tx); err != nil {
		return err
	}
	if len(t.faults.list) > 0 {
		return nil
	}
	if err := lockImport(ctx, tx); err != nil {
		return err
	}
	c, err := loadChart(ctx, tx)
	if err != nil {
		return err
	}
	stored, err := storedEntries(ctx, tx)
	if err != nil {
		return err
	}
	parties, err := partiesByName(ctx, tx)
	if err != nil {
		return err
	}
	passed := map[string]bool{}
	for i, e := range entries {
		if slices.Contains(madeBy, e.source) || e.reverses != "" && passed[e.reverses] {
			passed[e.key] = true
			s.Passed++
			continue
		}
		if err := t.takeEntry(ctx, tx, s, c, e, stored, parties); err != nil && !t.refusedBy(err, placeEntry(e)) || t.faults.full() {
			return nil
		}
		s.Lines += len(e.lines)
		progress(i + 1)
	}
	s.Things = len(entries) - s.Passed
	return nil
}

// placeEntry says which row a field of a posting came from.
func placeEntry(e *journalEntry) func(field string) (row, string) {
	return func(field string) (row, string) {
		index := -1
		if n, err := fmt.Sscanf(field, "lines[%d]", &index); n == 1 && err == nil && index >= 0 && index < len(e.lines) {
			return e.lines[index].row, "amount"
		}
		return e.first(), field
	}
}

// entrySource is the id under which an entry of a file is found again: the same for the same name in a file, whichever
// organization it is taken into.
func entrySource(key string) uuid.UUID {
	sum := sha256.Sum256([]byte("countinghouse import of entry " + key))
	source, err := uuid.FromBytes(sum[:16])
	if err != nil {
		panic(err) // 16 bytes are an id
	}
	source[6], source[8] = source[6]&0x0f|0x80, source[8]&0x3f|0x80 // RFC 9562, version 8
	return source
}

func (t *Table) takeEntry(ctx context.Context, tx *tenant.Tx, s *Summary, c *chart, e *journalEntry, stored map[uuid.UUID]storedEntry, parties map[string]uuid.UUID) error {
	p := ledger.Posting{Date: e.date, Description: e.description, SourceID: entrySource(e.key)}
	before := len(t.faults.list)
	for _, l := range e.lines {
		account, ok := c.find(l.code, l.name)
		if !ok && l.kind == "" {
			t.refuse(l.row, l.column, ErrAccount.Sayf("There is no account %q in the books. Import the chart of accounts first.", clip(strings.TrimSpace(l.code+" "+l.name))))
			continue
		} else if !ok {
			var err error
			if account, err = c.add(ctx, tx, l.code, l.name, l.kind); err != nil {
				return err
			}
		}
		p.Lines = append(p.Lines, ledger.Line{Account: account.ID, Party: parties[l.party], Amount: l.amount, Memo: l.memo})
	}
	if len(t.faults.list) > before {
		return nil
	}
	if known, there := stored[p.SourceID]; there {
		s.Unchanged++
		if !known.is(p) {
			t.refuse(e.first(), 0, differs("Entry", e.key, "with another day, text or lines"))
		}
		return nil
	}
	s.Added++
	posted, err := ledger.Post(ctx, tx, p)
	stored[p.SourceID] = storedEntry{ID: posted.ID, Date: posted.Date, Description: posted.Description, lines: entryShape(p.Lines)}
	return err
}

// is compares what an import can know of.
func (s storedEntry) is(p ledger.Posting) bool {
	return s.Date == p.Date && s.Description == strings.TrimSpace(p.Description) && slices.Equal(s.lines, entryShape(p.Lines))
}

// entryShape is the lines in an order of their own, in words that can be compared.
func entryShape(lines []ledger.Line) []string {
	shape := make([]string, len(lines))
	for i, l := range lines {
		shape[i] = fmt.Sprintf("%s %d %s", l.Account, l.Amount.Minor, l.Amount.Currency)
	}
	slices.Sort(shape)
	return shape
}

// readEntries gathers the rows of a CSV file into entries, which follow each other.
func (t *Table) readEntries() []*journalEntry {
	all := []*journalEntry{}
	known := map[string]*journalEntry{}
	for _, r := range t.rows {
		if t.faults.full() {
			break
		}
		e := &journalEntry{key: t.entryKey(r), date: t.date(r, "date"), description: t.text(r, "description"), source: t.text(r, "source"), reverses: t.text(r, "reverses")}
		if head := known[e.key]; head == nil {
			known[e.key] = e
			all = append(all, e)
		} else if head.date != e.date {
			t.refuseCell(r, "date", ErrMixed.Sayf("Entry %q has another day in line %d. All rows of an entry have the same.", clip(e.key), head.first().line))
		} else {
			e = head
		}
		if line, ok := t.readEntryLine(r); ok {
			e.lines = append(e.lines, line)
		}
	}
	return slices.DeleteFunc(all, func(e *journalEntry) bool { return len(e.lines) == 0 })
}

// entryKey is what a row calls its entry; other programs' files without numbers go by text and day.
func (t *Table) entryKey(r row) string {
	if t.at("entry") < 0 {
		return t.text(r, "description") + " " + t.plain(r, "date")
	}
	key := t.key(r, "entry")
	if t.foreign != nil {
		key = t.foreign.name + " " + key
	}
	return key
}

func (t *Table) readEntryLine(r row) (journalLine, bool) {
	currency := t.currency(r)
	l := journalLine{row: r, code: t.text(r, "account_code"), name: t.text(r, "account"), party: t.text(r, "party"), memo: t.text(r, "memo")}
	if l.column = t.at("account_code"); l.column < 0 {
		l.column = t.at("account")
	}
	if word := t.text(r, "kind"); word != "" {
		var ok bool
		if l.kind, ok = kindOf(word); !ok {
			t.refuseCell(r, "kind", ErrKind)
		}
	}
	zero := money.Amount{Currency: currency}
	debit, credit := zero, zero
	if t.at("amount") >= 0 {
		debit = t.amount(r, "amount", currency)
	} else {
		if t.plain(r, "debit") != "" {
			debit = t.amount(r, "debit", currency)
		}
		if t.plain(r, "credit") != "" {
			credit = t.amount(r, "credit", currency)
		}
	}
	l.amount = money.Amount{Minor: debit.Minor - credit.Minor, Currency: currency}
	return l, !l.amount.IsZero() || t.foreign == nil // other programs write lines of nothing
}
