package bank

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"unicode"

	"github.com/countinghouse/countinghouse/billing"
	"github.com/countinghouse/countinghouse/billing/ledger"
	"github.com/countinghouse/countinghouse/billing/money"
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
)

// candidates are what the lines of an account may belong to.
type candidates struct {
	Invoices []openInvoice
	Entries  []openEntry
	Others   []otherLine
	Rules    []Rule
}

type openInvoice struct {
	ID       billing.InvoiceID  `db:"id"`
	Customer billing.CustomerID `db:"customer_id"`
	Number   string             `db:"number"`
	Name     string             `db:"customer_name"`
	Company  string             `db:"customer_company"`
	Open     int64              `db:"open"`
	Issued   civil.Date         `db:"issue_date"`
}

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
		found = append(found, c.invoices(l)...)
	}
	if r, ok := ruleFor(c.Rules, l); ok {
		found = append(found, Suggestion{Match: Match{Book: r.BookTo, Say: r.Say}, Rule: r.ID, Title: "Book to " + r.BookCode + " " + r.BookName, Amount: l.Amount,
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
		when := "on the same day"
		if n := max(apart, -apart); n == 1 {
			when = "one day apart"
		} else if n > 1 {
			when = fmt.Sprintf("%d days apart", n)
		}
		found = append(found, Suggestion{Match: Match{Entry: e.ID}, Title: ledger.NumberName(e.Number) + ", " + e.Say, Amount: l.Amount,
			Why: []string{"The same amount is booked on this account", "Booked " + when}, Certainty: 90 - 2*max(apart, -apart)})
	}
	return found
}

func (c candidates) transfers(l Line) (found []Suggestion) {
	for _, o := range c.Others {
		apart := o.Date.DaysUntil(l.Date)
		if o.Amount != -l.Amount.Minor || apart > nearDays || apart < -nearDays {
			continue
		}
		found = append(found, Suggestion{Match: Match{Other: o.ID}, Title: "Transfer with " + o.Account, Amount: l.Amount,
			Why: []string{"The same amount stands there the other way round", fmt.Sprintf("There on %s", o.Date)}, Certainty: 84 - 2*max(apart, -apart)})
	}
	return found
}

// invoices are rated by what speaks for them: the number in the text, the amount to the cent, and the customer's name.
func (c candidates) invoices(l Line) (found []Suggestion) {
	said := squeezed(l.Text())
	exact := 0
	for _, i := range c.Invoices {
		if i.Open == l.Amount.Minor {
			exact++
		}
	}
	for _, i := range c.Invoices {
		numbered, whole, named := holdsNumber(said, squeezed(i.Number)), i.Open == l.Amount.Minor, holdsName(l.Text(), i)
		if i.Open < l.Amount.Minor || !numbered && !whole && !named {
			continue
		}
		s := Suggestion{Match: Match{Invoice: i.ID}, Title: "Invoice " + i.Number + " of " + cmp.Or(i.Company, i.Name), Amount: money.Amount{Minor: i.Open, Currency: l.Amount.Currency}}
		switch {
		case numbered && whole:
			s.Certainty = 96
		case whole && named:
			s.Certainty = 82
		case numbered && named:
			s.Certainty = 78
		case numbered:
			s.Certainty = 72
		case whole && exact == 1:
			s.Certainty = 50
		case whole:
			s.Certainty = 35
		default:
			s.Certainty = 20
		}
		if numbered {
			s.Why = append(s.Why, "Its number stands in the text")
		}
		if whole {
			s.Why = append(s.Why, "The amount is exactly what is open")
		} else {
			s.Why = append(s.Why, "The amount is a part of what is open")
		}
		if named {
			s.Why = append(s.Why, "The customer’s name stands in the text")
		}
		found = append(found, s)
	}
	return found
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

// holdsName says whether all words of three letters and more of a customer's company, or of their name, stand in a text.
func holdsName(said string, i openInvoice) bool {
	words := wordsOf(said)
	for _, name := range []string{i.Company, i.Name} {
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
