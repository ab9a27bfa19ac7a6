package intake

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"path"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/countinghouse/countinghouse/billing"
	"github.com/countinghouse/countinghouse/billing/ledger"
	"github.com/countinghouse/countinghouse/billing/money"
	"github.com/countinghouse/countinghouse/internal/civil"
	"github.com/countinghouse/countinghouse/internal/fault"
	"github.com/countinghouse/countinghouse/tenant"
)

// What is refused about journals in plain text.
var (
	ErrDirective = fault.New(fault.Invalid, "import.directive", "This line is none that is read here: transactions, comments, and the directives account, commodity, payee, tag, decimal-mark and P are. Have hledger print the journal first: hledger print.")
	ErrPosting   = fault.New(fault.Invalid, "import.posting", "A posting is an account, two spaces and an amount, such as: expenses:rent  550.00 EUR.")
	ErrVirtual   = fault.New(fault.Invalid, "import.virtual", "Virtual postings, in brackets, have no place in double entry. Leave them out.")
	ErrPrice     = fault.New(fault.Invalid, "import.price", "Prices and lots on a posting are not read. Write the entry in each currency, with lines that add up.")
	ErrElided    = fault.New(fault.Invalid, "import.elided", "Only one posting of an entry may leave its amount out.")
	ErrRoot      = fault.New(fault.Invalid, "import.account_root", "Begin the account with assets, liabilities, equity, income or expenses, or declare its type: account NAME  ; type: A.")
)

// looksLikeJournal tells a journal in plain text from a table: by the ending of its name, or by its first line.
func looksLikeJournal(name string, start []byte) bool {
	if slices.Contains([]string{".journal", ".ledger", ".hledger", ".j", ".dat"}, strings.ToLower(path.Ext(name))) {
		return true
	}
	for line := range strings.SplitSeq(strings.TrimPrefix(string(start), "\ufeff"), "\n") {
		line = strings.TrimRight(line, "\r")
		if line == "" || strings.ContainsRune(";#%|*", rune(line[0])) {
			continue
		}
		word, _, _ := strings.Cut(line, " ")
		return slices.Contains(ignored, word) && !strings.Contains(line, ",") || word == "account" || entryHead.MatchString(line) && !strings.Contains(word, ",")
	}
	return false
}

var (
	// A date, a second date, a mark, a code in brackets, a description (hledger manual, "Transactions").
	entryHead = regexp.MustCompile(`^(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})(?:=[-/.0-9]+)?(?:[ \t]+([*!]))?(?:[ \t]+\(([^)]*)\))?(?:[ \t]+(.*))?$`)
	// What does not change what entries are. P is a price of the market.
	ignored = []string{"commodity", "payee", "tag", "decimal-mark", "P", "D"}
	kinds   = map[string]ledger.Kind{
		"asset": ledger.KindAsset, "assets": ledger.KindAsset, "liability": ledger.KindLiability, "liabilities": ledger.KindLiability,
		"equity": ledger.KindEquity, "income": ledger.KindIncome, "revenue": ledger.KindIncome, "revenues": ledger.KindIncome,
		"expense": ledger.KindExpense, "expenses": ledger.KindExpense,
	}
	letters = map[string]ledger.Kind{"A": ledger.KindAsset, "C": ledger.KindAsset, "L": ledger.KindLiability, "E": ledger.KindEquity,
		"V": ledger.KindEquity, "R": ledger.KindIncome, "X": ledger.KindExpense}
	accountType = regexp.MustCompile(`;.*\btype:\s*([A-Z])`)
	symbols     = map[string]string{"$": "USD", "€": "EUR", "£": "GBP", "¥": "JPY"}
	amountShape = regexp.MustCompile(`^([-+]?)\s*([\p{Sc}A-Z]{1,3})?\s*([-+]?)\s*([0-9][0-9.,']*)\s*([\p{Sc}A-Z]{1,3})?$`)
)

// plainAmount is an amount as it is written; its currency may be known only when it is taken.
type plainAmount struct {
	number, currency string
	elided           bool
	column           int // counted from 0
}

// journalText is a journal in plain text while it is read.
type journalText struct {
	t        *Table
	types    map[string]ledger.Kind // declared
	entry    *journalEntry
	amounts  []plainAmount // of the entry
	open     bool          // indented lines are postings
	passing  bool          // within a comment block
	codes    map[string]int
	all      []*journalEntry
	declared map[*journalEntry][]plainAmount
}

// readJournal reads the subset of ledger's and hledger's journals that both share: transactions with their postings, one
// amount of which may be left out, the currency before or after it; comments; account directives. Prices of the market
// (P) and balance assertions change no entry and are passed over. Whatever else is refused, with its place.
func (t *Table) readJournal(source *unixLines, from io.Reader) (*Table, error) {
	t.Shape = Journal
	j := &journalText{t: t, types: map[string]ledger.Kind{}, codes: map[string]int{}, declared: map[*journalEntry][]plainAmount{}}
	lines := bufio.NewScanner(from)
	lines.Buffer(make([]byte, 0, 64<<10), 1<<20)
	for n := 1; lines.Scan() && !t.faults.full(); n++ {
		line := strings.TrimPrefix(lines.Text(), "\ufeff")
		if !utf8.ValidString(line) || strings.IndexByte(line, 0) >= 0 {
			t.refuse(row{line: n}, -1, ErrCell)
			break
		}
		j.read(row{line: n}, strings.TrimRight(line, " \t"))
	}
	if err := lines.Err(); source.left < 0 {
		t.faults.addAll(ErrTooLarge, func(string) Fault { return Fault{} })
	} else if errors.Is(err, bufio.ErrTooLong) {
		t.faults.addAll(ErrDirective.Sayf("A line of this file is longer than a million characters. This is no journal."), func(string) Fault { return Fault{} })
	} else if err != nil {
		return nil, fmt.Errorf("reading %s: %w", t.File, err)
	}
	j.end()
	if len(j.all) == 0 && len(t.faults.list) == 0 {
		t.faults.addAll(ErrEmpty.Sayf("The journal has no transactions."), func(string) Fault { return Fault{} })
	}
	if err := t.faults.err(); err != nil {
		return nil, err
	}
	j.name()
	t.entries, t.amounts = j.all, j.declared
	return t, nil
}

func (j *journalText) read(at row, line string) {
	bare := strings.TrimLeft(line, " \t")
	switch indented := len(bare) < len(line); {
	case j.passing:
		j.passing = line != "end comment"
	case bare == "":
		j.end()
	case strings.HasPrefix(bare, ";"), !indented && strings.ContainsRune("#%|*", rune(bare[0])):
	case indented && j.entry != nil:
		j.posting(at, line, bare)
	case indented && !j.open: // what a directive says further
	default:
		j.end()
		j.directive(at, line)
	}
}

func (j *journalText) directive(at row, line string) {
	if found := entryHead.FindStringSubmatch(line); found != nil {
		day, err := civil.Parse(fmt.Sprintf("%s-%02s-%02s", found[1], found[2], found[3]))
		if err != nil {
			j.t.refuse(at, 0, err)
		}
		description, _, _ := strings.Cut(found[6], ";")
		j.entry = &journalEntry{key: strings.TrimSpace(found[5]), date: day, description: strings.TrimSpace(description)}
		if j.entry.description == "" {
			j.entry.description = "(no description)"
		}
		j.entry.lines, j.amounts, j.open = nil, nil, true
		j.t.plainHead = at
		return
	}
	word, rest, _ := strings.Cut(line, " ")
	switch {
	case word == "comment":
		j.passing = true
	case word == "account":
		name, _, _ := strings.Cut(rest, ";")
		if name, _, _ = strings.Cut(name, "  "); accountType.MatchString(rest) {
			j.types[strings.TrimSpace(name)] = letters[accountType.FindStringSubmatch(rest)[1]]
		}
	case !slices.Contains(ignored, word):
		j.t.refuse(at, 0, ErrDirective)
	}
}

func (j *journalText) posting(at row, line, bare string) {
	column := utf8.RuneCountInString(line) - utf8.RuneCountInString(bare)
	text, memo, _ := strings.Cut(bare, ";")
	text = strings.TrimRight(text, " \t")
	if mark, rest, ok := strings.Cut(text, " "); ok && (mark == "*" || mark == "!") {
		text = strings.TrimLeft(rest, " \t")
	}
	account, rest := text, ""
	if cut := accountEnd.FindStringIndex(text); cut != nil {
		account, rest = text[:cut[0]], text[cut[1]:]
	}
	if strings.HasPrefix(account, "(") || strings.HasPrefix(account, "[") {
		j.t.refuse(at, column, ErrVirtual)
		return
	}
	amountAt := column
	if rest != "" {
		amountAt += utf8.RuneCountInString(bare[:strings.LastIndex(bare, rest)])
	}
	amount, ok := j.amount(at, amountAt, rest)
	if !ok {
		return
	}
	l := journalLine{row: at, column: column, memo: strings.TrimSpace(memo)}
	if l.code, l.name, l.kind, ok = j.account(account); !ok {
		j.t.refuse(at, column, ErrRoot)
		return
	}
	j.entry.lines, j.amounts = append(j.entry.lines, l), append(j.amounts, amount)
}

// account takes "assets:1010 Current account" apart: its kind is the first part's, or what was declared.
func (j *journalText) account(text string) (code, name string, kind ledger.Kind, ok bool) {
	root, rest, _ := strings.Cut(text, ":")
	kind, ok = kinds[strings.ToLower(root)]
	name = rest
	if declared, there := j.types[text]; there {
		kind = declared
		if !ok {
			name = text
		}
		ok = true
	}
	if name == "" {
		name = text
	}
	if first, after, two := strings.Cut(name, " "); two && strings.ContainsAny(first, "0123456789") && codeLike.MatchString(first) {
		code, name = first, after
	}
	return code, name, kind, ok
}

// accountEnd is what ends an account's name: two spaces, or a tab.
var accountEnd = regexp.MustCompile(`(?:\t| {2})[ \t]*`)

var codeLike = regexp.MustCompile(`^[0-9A-Za-z][0-9A-Za-z.-]{0,19}$`)

// amount takes apart what follows an account: "-1,240.00 EUR", "$5", or nothing. What is asserted of a balance is passed over.
func (j *journalText) amount(at row, column int, text string) (plainAmount, bool) {
	text, _, _ = strings.Cut(text, "=")
	text = strings.TrimSpace(text)
	if text == "" {
		return plainAmount{elided: true, column: column}, true
	}
	if strings.ContainsAny(text, "@{") {
		j.t.refuse(at, column, ErrPrice)
		return plainAmount{}, false
	}
	found := amountShape.FindStringSubmatch(strings.ReplaceAll(text, `"`, ""))
	if found == nil || found[2] != "" && found[5] != "" {
		j.t.refuse(at, column, ErrPosting.Sayf("%s It says %q.", ErrPosting.Say, clip(text)))
		return plainAmount{}, false
	}
	currency := found[2] + found[5]
	if code, ok := symbols[currency]; ok {
		currency = code
	}
	number := strings.ReplaceAll(plainNumber(found[4]), "'", "")
	if (found[1] == "-") != (found[3] == "-") {
		number = "-" + number
	}
	return plainAmount{number: number, currency: currency, column: column}, true
}

// end closes the entry that is being read.
func (j *journalText) end() {
	e := j.entry
	j.entry, j.open = nil, false
	if e == nil || len(j.t.faults.list) > 0 {
		return
	}
	if len(e.lines) == 0 {
		j.t.refuse(j.t.plainHead, -1, ledger.ErrTooFewLines)
		return
	}
	elided := 0
	for i, a := range j.amounts {
		if a.elided {
			if elided++; elided == 2 {
				j.t.refuse(e.lines[i].row, a.column, ErrElided)
			}
		}
	}
	if e.key != "" {
		j.codes[e.key]++
	}
	j.all = append(j.all, e)
	j.declared[e] = j.amounts
}

// name gives entries their names: the code where it is the only one, or else what they say, and how often it was said
// before.
func (j *journalText) name() {
	said := map[string]int{}
	for _, e := range j.all {
		if e.key != "" && j.codes[e.key] == 1 {
			e.key = "journal " + e.key
			continue
		}
		sum := sha256.New()
		fmt.Fprintln(sum, e.date, e.description, e.key)
		for i, l := range e.lines {
			fmt.Fprintln(sum, l.code, l.name, j.declared[e][i].number, j.declared[e][i].currency)
		}
		words := hex.EncodeToString(sum.Sum(nil))
		said[words]++
		e.key = fmt.Sprintf("journal %s %d", words, said[words])
	}
}

// settleAmounts reads the amounts of a journal in plain text, those without a currency in the organization's own, and
// works out the ones that were left out.
func (t *Table) settleAmounts(ctx context.Context, tx *tenant.Tx) error {
	settings, err := billing.LoadSettings(ctx, tx)
	if err != nil {
		return err
	}
	for _, e := range t.entries {
		t.settleEntry(e, t.amounts[e], settings.BaseCurrency)
		if t.faults.full() {
			break
		}
	}
	return nil
}

func (t *Table) settleEntry(e *journalEntry, amounts []plainAmount, base money.Currency) {
	var order []money.Currency
	sums := map[money.Currency]int64{}
	rest := -1
	for i, a := range amounts {
		if a.elided {
			rest = i
			continue
		}
		currency := base
		var err error
		if a.currency != "" {
			currency, err = money.ParseCurrency(a.currency)
		}
		if err == nil {
			e.lines[i].amount, err = money.ParseAmount(a.number, currency)
		}
		if err != nil {
			t.refuse(e.lines[i].row, a.column, err)
			return
		}
		if _, seen := sums[currency]; !seen {
			order = append(order, currency)
		}
		sums[currency] += e.lines[i].amount.Minor
	}
	if rest < 0 {
		return
	}
	left := e.lines[rest]
	e.lines = slices.Delete(e.lines, rest, rest+1)
	for _, c := range order {
		if sums[c] != 0 {
			left.amount = money.Amount{Minor: -sums[c], Currency: c}
			e.lines = append(e.lines, left)
		}
	}
}
