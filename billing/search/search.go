package search

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/google/uuid"

	"github.com/countinghouse/countinghouse/billing/money"
	"github.com/countinghouse/countinghouse/internal/civil"
	"github.com/countinghouse/countinghouse/tenant"
)

// Kind is a kind of thing that can be found.
type Kind string

// The kinds, in the order in which what was found is given.
const (
	Customer    Kind = "customer"
	Payee       Kind = "payee"
	Invoice     Kind = "invoice"
	Quote       Kind = "quote"
	Order       Kind = "order"
	CreditNote  Kind = "credit_note"
	Bill        Kind = "bill"
	PayeeCredit Kind = "payee_credit"
	Recurring   Kind = "recurring"
	Payment     Kind = "payment"
	BillPayment Kind = "bill_payment"
	Entry       Kind = "entry"
	Product     Kind = "product"
	Account     Kind = "account"
	Person      Kind = "person"
)

var kinds = []Kind{Customer, Payee, Invoice, Quote, Order, CreditNote, Bill, PayeeCredit, Recurring, Payment, BillPayment, Entry, Product, Account, Person}

// Kinds lists all kinds in their order. The caller may keep and change the list.
func Kinds() []Kind { return slices.Clone(kinds) }

const (
	// LeastRunes is how much one must give to be shown anything.
	LeastRunes = 2
	// MostRunes is how much of what was given counts.
	MostRunes = 100
)

// Hit is one thing that was found. What a kind does not have is empty.
type Hit struct {
	Kind    Kind
	ID      uuid.UUID
	Number  string       // of a document, an entry or an account; empty for a draft
	Name    string       // its own, or of the customer or payee whose it is
	Company string       // of whoever Name is
	Say     string       // an entry's description; a reference or order number; an address of mail
	State   string       // a document's: "draft", "issued"
	Date    civil.Date   // of issue, of receipt, of posting
	Amount  money.Amount // of a document or payment
}

// Find gives of each of these kinds the most that limit says: what bears the words in number, name, order number or
// reference, and what comes to the amount that they write, the newest first. Fewer than LeastRunes find nothing.
func Find(ctx context.Context, tx *tenant.Tx, words string, of []Kind, limit int) ([]Hit, error) {
	a := ask{words: clean(words), of: of, limit: limit}
	if utf8.RuneCountInString(a.words) < LeastRunes {
		return nil, nil
	}
	a.codes, a.minors = amounts(a.words)
	var found []Hit
	for _, look := range []func(context.Context, *tenant.Tx, ask) ([]Hit, error){
		selectParties, selectDocuments, selectPayments, selectEntries, selectProducts, selectAccounts, selectPeople,
	} {
		hits, err := look(ctx, tx, a)
		if err != nil {
			return nil, err
		}
		found = append(found, hits...)
	}
	slices.SortStableFunc(found, func(a, b Hit) int { return slices.Index(kinds, a.Kind) - slices.Index(kinds, b.Kind) })
	return found, nil
}

// ask is one search.
type ask struct {
	words         string
	of            []Kind
	limit         int
	codes, minors string // the amount that the words write, in each currency: "EUR JPY" and "4000 40"
}

// wants gives those of some kinds that are asked for, divided by spaces; empty for none.
func (a ask) wants(some ...Kind) string {
	var wanted []string
	for _, kind := range some {
		if slices.Contains(a.of, kind) {
			wanted = append(wanted, string(kind))
		}
	}
	return strings.Join(wanted, " ")
}

// clean is the words with single spaces between them, cut to what counts.
func clean(words string) string {
	words = strings.Join(strings.Fields(words), " ")
	if runes := []rune(words); len(runes) > MostRunes {
		words = string(runes[:MostRunes])
	}
	return words
}

// IsAmount says whether words write an amount, by which no list is searched.
func IsAmount(words string) bool {
	codes, _ := amounts(clean(words))
	return codes != ""
}

// amounts reads words as an amount, with or without a symbol or a code, and gives how many minor units it is in every
// currency that can have it: 12.5 is 1250 in EUR, 12500 in KWD, and nothing in JPY.
func amounts(words string) (codes, minors string) {
	text, only := amountText(words)
	if text == "" {
		return "", ""
	}
	var allCodes, allMinors []string
	for _, c := range money.All() {
		if only != "" && c.Code() != only {
			continue
		}
		if a, err := money.ParseAmount(text, c); err == nil && a.Minor > 0 {
			allCodes = append(allCodes, c.Code())
			allMinors = append(allMinors, strconv.FormatInt(a.Minor, 10))
		}
	}
	return strings.Join(allCodes, " "), strings.Join(allMinors, " ")
}

// amountText is the plain decimal that words write, "1240.50" for "€1,240.50", and the currency if its code stands
// with it. A comma before one or two last digits divides off cents, any other thousands.
func amountText(words string) (text, code string) {
	if first, rest, ok := strings.Cut(words, " "); ok {
		if c, err := money.ParseCurrency(strings.ToUpper(first)); err == nil {
			words, code = rest, c.Code()
		} else if at := strings.LastIndexByte(words, ' '); at > 0 {
			if c, err := money.ParseCurrency(strings.ToUpper(words[at+1:])); err == nil {
				words, code = words[:at], c.Code()
			}
		}
	}
	words = strings.Trim(words, "€$£¥₹-− ")
	if at := strings.LastIndexByte(words, ','); at >= 0 && !strings.Contains(words, ".") && len(words)-at-1 <= 2 && len(words)-at-1 >= 1 {
		words = words[:at] + "." + words[at+1:]
	}
	words = strings.NewReplacer(",", "", " ", "", "\u00a0", "", "\u202f", "", "'", "").Replace(words)
	for _, r := range words {
		if (r < '0' || r > '9') && r != '.' {
			return "", ""
		}
	}
	return words, code
}

// entryNumber reads the number of an entry as people see it (J-0898), with or without what stands before it. 0, which no
// entry has, is none.
func entryNumber(words string) int64 {
	number, err := strconv.ParseInt(strings.TrimPrefix(strings.ToUpper(words), "J-"), 10, 64)
	if err != nil || number < 0 {
		return 0
	}
	return number
}
