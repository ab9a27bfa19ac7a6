package bank

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"unicode"

	"github.com/google/uuid"

	"github.com/countinghouse/countinghouse/billing"
	"github.com/countinghouse/countinghouse/billing/ledger"
	"github.com/countinghouse/countinghouse/billing/money"
	"github.com/countinghouse/countinghouse/billing/payables"
	"github.com/countinghouse/countinghouse/internal/civil"
	"github.com/countinghouse/countinghouse/tenant"
)

// Suggestion is what a line may belong to, and why.
type Suggestion struct {
	Match
	Rule   RuleID // that suggests it, or none
	Title  string // "Invoice INV-0042 of Halden Optics"
	Amount money.Amount
	Why    []string // "Its number stands in the text", "The amount is exactly what is open"
	// Certainty is from 1 to 100. From Sure on one click will mostly do.
	Certainty int
}

// Sure is the certainty from which a suggestion is more than a guess.
const Sure = 80

const (
	maxSuggestions = 5
	// nearDays is how far the days of book and bank may lie apart.
	nearDays = 5
	// maxTogether is how many documents one line may pay by a suggestion.
	maxTogether = 20
)

// candidates are what the lines of an account may belong to.
type candidates struct {
	Invoices []openDocument
	Bills    []openDocument
	Entries  []openEntry
	Others   []otherLine
	Rules    []Rule
}

// openDocument is an invoice or a bill that is not paid.
type openDocument struct {
	ID        uuid.UUID `db:"id"`
	Party     uuid.UUID `db:"customer_id"`
	Number    string    `db:"number"`
	Reference string    `db:"reference"` // of a bill: the payee's own number
	Name      string    `db:"customer_name"`
	Company   string    `db:"customer_company"`
	Open      int64     `db:"open"`
}

// who is the customer or payee as a list shows them.
func (d openDocument) who() string { return cmp.Or(d.Company, d.Name) }

// evidence is what speaks for a document.
type evidence struct{ numbered, whole, named bool }

type openEntry struct {
	ID     ledger.EntryID `db:"id"`
	Number int64          `db:"number"`
	Date   civil.Date     `db:"date"`
	Say    string         `db:"description"`
	Amount int64          `db:"amount"`
}

type otherLine struct {
	ID      LineID     `db:"id"`
	Account string     `db:"other_account_name"`
	Date    civil.Date `db:"date"`
	Amount  int64      `db:"amount"`
}

// Suggest gives for each of these lines of one account that is not matched what it may belong to, the most certain first.
func Suggest(ctx context.Context, tx *tenant.Tx, account ledger.AccountID, lines []Line) (map[LineID][]Suggestion, error) {
	var open []Line
	for _, l := range lines {
		if l.How == Open && l.Account == account {
			open = append(open, l)
		}
	}
	if len(open) == 0 {
		return nil, nil
	}
	a, err := selectAccount(ctx, tx, account)
	if err != nil {
		return nil, err
	}
	c, err := selectCandidates(ctx, tx, a, open)
	if err != nil {
		return nil, err
	}
	all := make(map[LineID][]Suggestion, len(open))
	for _, l := range open {
		all[l.ID] = c.suggest(l)
	}
	return all, nil
}

// suggest looks for what a line may belong to. It knows nothing but what it is given.
func (c candidates) suggest(l Line) []Suggestion {
	var found []Suggestion
	found = append(found, c.entries(l)...)
	found = append(found, c.transfers(l)...)
	if l.Amount.Sign() > 0 {
		found = append(found, documents(l, c.Invoices, l.Amount.Minor)...)
	} else {
		found = append(found, documents(l, c.Bills, -l.Amount.Minor)...)
	}
	if r, ok := ruleFor(c.Rules, l); ok {
		found = append(found, Suggestion{Match: r.match(), Rule: r.ID, Title: "Book to " + r.booksTo(), Amount: l.Amount,
			Why: []string{fmt.Sprintf("Your rule for “%s”", r.Words)}, Certainty: 60})
	}
	slices.SortStableFunc(found, func(a, b Suggestion) int { return cmp.Compare(b.Certainty, a.Certainty) })
	return found[:min(len(found), maxSuggestions)]
}

func (c candidates) entries(l Line) (found []Suggestion) {
	for _, e := range c.Entries {
		apart := e.Date.DaysUntil(l.Date)
		if e.Amount != l.Amount.Minor || apart > nearDays || apart < -nearDays {
			continue
		}
		found = append(found, Suggestion{Match: Match{Entry: e.ID}, Title: ledger.NumberName(e.Number) + ", " + e.Say, Amount: l.Amount,
			Why: []string{"The same amount is booked on this account", "Booked " + apartSay(apart)}, Certainty: 90 - 2*max(apart, -apart)})
	}
	return found
}

// apartSay says how far two days lie apart.
func apartSay(days int) string {
	switch n := max(days, -days); n {
	case 0:
		return "on the same day"
	case 1:
		return "one day apart"
	default:
		return fmt.Sprintf("%d days apart", n)
	}
}

func (c candidates) transfers(l Line) (found []Suggestion) {
	for _, o := range c.Others {
		apart := o.Date.DaysUntil(l.Date)
		if o.Amount != -l.Amount.Minor || apart > nearDays || apart < -nearDays {
			continue
		}
		found = append(found, Suggestion{Match: Match{Other: o.ID}, Title: "Transfer with " + o.Account, Amount: l.Amount,
			Why: []string{"The same amount stands there the other way round", "There " + apartSay(apart)}, Certainty: 84 - 2*max(apart, -apart)})
	}
	return found
}

// documents are rated by what speaks for them: the number in the text, the amount to the cent, and the name of whoever
// pays or is paid. Several of one party count where they come to the amount together.
func documents(l Line, all []openDocument, amount int64) (found []Suggestion) {
	said, words, exact := squeezed(l.Text()), wordsOf(l.Text()), 0
	for _, d := range all {
		if d.Open == amount {
			exact++
		}
	}
	var known []openDocument
	var numbered []openDocument
	for _, d := range all {
		e := evidence{holdsNumber(said, squeezed(d.Number)) || holdsNumber(said, squeezed(d.Reference)), d.Open == amount, holdsName(words, d)}
		if e.numbered {
			numbered = append(numbered, d)
		}
		if e.numbered || e.named {
			known = append(known, d)
		}
		if certainty := e.certainty(exact); d.Open >= amount && certainty > 0 {
			found = append(found, single(l, d, e, certainty))
		}
	}
	if len(numbered) == 1 && numbered[0].Open < amount && l.Amount.Sign() > 0 {
		s := single(l, numbered[0], evidence{numbered: true, named: holdsName(words, numbered[0])}, 62)
		s.KeepRest = true
		found = append(found, s)
	}
	found = append(found, several(l, numbered, amount, 92, "Their numbers stand in the text")...)
	for len(known) > 0 {
		var of []openDocument
		party := known[0].Party
		known = slices.DeleteFunc(known, func(d openDocument) bool {
			if d.Party == party {
				of = append(of, d)
			}
			return d.Party == party
		})
		if !slices.EqualFunc(of, numbered, func(a, b openDocument) bool { return a.ID == b.ID }) {
			found = append(found, oldest(l, of, amount)...)
		}
	}
	return found
}

// certainty is 0 for what is no suggestion. A whole amount that many have says nothing.
func (e evidence) certainty(exact int) int {
	switch {
	case e.numbered && e.whole:
		return 96
	case e.whole && e.named:
		return 82
	case e.numbered && e.named:
		return 78
	case e.numbered:
		return 72
	case e.whole && exact == 1:
		return 50
	case e.whole && exact <= 3:
		return 35
	case e.named:
		return 20
	}
	return 0
}

func single(l Line, d openDocument, e evidence, certainty int) Suggestion {
	s := Suggestion{Title: "Invoice " + d.Number + " of " + d.who(), Amount: money.Amount{Minor: d.Open, Currency: l.Amount.Currency}, Certainty: certainty}
	s.Invoices = []billing.InvoiceID{{UUID: d.ID}}
	if l.Amount.Sign() < 0 {
		s.Match = Match{Bills: []payables.BillID{{UUID: d.ID}}}
		s.Title = "Bill " + d.Number + " of " + d.who()
	}
	if e.numbered {
		s.Why = append(s.Why, "Its number stands in the text")
	}
	switch {
	case e.whole:
		s.Amount = l.Amount
		s.Why = append(s.Why, "The amount is exactly what is open")
	case l.Amount.Minor > d.Open:
		s.Why = append(s.Why, "The amount is more than is open: the rest stays as their credit")
	default:
		s.Why = append(s.Why, "The amount is a part of what is open")
	}
	if e.named {
		s.Why = append(s.Why, "The name of "+d.who()+" stands in the text")
	}
	return s
}

// several suggests documents of one party that come to the amount together; nothing where they do not.
func several(l Line, of []openDocument, amount int64, certainty int, why string) []Suggestion {
	if len(of) < 2 || len(of) > maxTogether {
		return nil
	}
	var sum int64
	var numbers []string
	s := Suggestion{Amount: l.Amount, Why: []string{why, "Together they are exactly the amount"}, Certainty: certainty}
	for _, d := range of {
		if d.Party != of[0].Party {
			return nil
		}
		sum += d.Open
		numbers = append(numbers, d.Number)
		if l.Amount.Sign() < 0 {
			s.Bills = append(s.Bills, payables.BillID{UUID: d.ID})
		} else {
			s.Invoices = append(s.Invoices, billing.InvoiceID{UUID: d.ID})
		}
	}
	if sum != amount {
		return nil
	}
	s.Title = strings.Join(numbers, ", ") + " of " + of[0].who()
	return []Suggestion{s}
}

// oldest suggests the first of a party's documents, by the day when they are due, that come to the amount together.
func oldest(l Line, of []openDocument, amount int64) []Suggestion {
	for n := 2; n <= min(len(of), maxTogether); n++ {
		if s := several(l, of[:n], amount, 66, "All are of "+of[0].who()+", those due first"); s != nil {
			return s
		}
	}
	return nil
}

// squeezed is a text in capitals, with nothing but letters and digits: banks break numbers with spaces and leave out
// hyphens.
func squeezed(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			return unicode.ToUpper(r)
		}
		return -1
	}, s)
}

// holdsNumber says whether a number stands in a text, and not a longer one that only contains it. Numbers of fewer than
// three signs are in every text.
func holdsNumber(said, number string) bool {
	if len(number) < 3 || strings.IndexFunc(number, unicode.IsDigit) < 0 {
		return false
	}
	for from := 0; ; {
		at := strings.Index(said[from:], number)
		if at < 0 {
			return false
		}
		at += from
		before, after := at-1, at+len(number)
		digitBefore := before >= 0 && isDigit(said[before]) && isDigit(number[0])
		digitAfter := after < len(said) && isDigit(said[after])
		if !digitBefore && !digitAfter {
			return true
		}
		from = at + 1
	}
}

func isDigit(b byte) bool { return '0' <= b && b <= '9' }

// holdsName says whether all words of three letters and more of a party's company, or of their name, are among those of a
// text.
func holdsName(words map[string]bool, d openDocument) bool {
	for _, name := range []string{d.Company, d.Name} {
		wanted := 0
		all := true
		for word := range wordsOf(name) {
			if len([]rune(word)) >= 3 {
				wanted++
				all = all && words[word]
			}
		}
		if wanted > 0 && all {
			return true
		}
	}
	return false
}

func wordsOf(s string) map[string]bool {
	words := map[string]bool{}
	for _, w := range strings.FieldsFunc(strings.ToUpper(s), func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) }) {
		words[w] = true
	}
	return words
}
