package contact

import (
	"strings"

	"github.com/countinghouse/countinghouse/internal/fault"
)

// ErrRightUnknown refuses a word that is no right.
var ErrRightUnknown = fault.New(fault.Invalid, "contact.right_unknown", "Choose among invoices, pay, order, subscriptions, methods and people.").At("rights")

// Rights is what one of a customer's people may do, a bit for each function. The bits are stored: they never change their
// meaning.
type Rights uint8

// The rights.
const (
	Invoices      Rights = 1 << iota // see invoices, quotes and the statement
	Pay                              // pay invoices
	Order                            // order in the shop, accept and decline quotes
	Subscriptions                    // see, pause and cancel subscriptions
	Methods                          // see, add and remove payment methods
	People                           // invite people, choose their rights, remove them

	All  = Invoices | Pay | Order | Subscriptions | Methods | People
	None = Rights(0) // what every one of them may: be signed in, change their own name and password
)

// Function is one right as it is chosen.
type Function struct {
	Right Rights
	Word  string // as the API writes it: "invoices"
	Name  string // after "may": "see invoices, quotes and the statement"
}

var functions = []Function{
	{Invoices, "invoices", "See invoices, quotes and the statement"},
	{Pay, "pay", "Pay invoices"},
	{Order, "order", "Order in the shop, and accept or decline quotes"},
	{Subscriptions, "subscriptions", "See, pause and cancel subscriptions"},
	{Methods, "methods", "Add and remove payment methods"},
	{People, "people", "Invite people, choose what they may do, and change the address"},
}

// Functions lists the rights, in the order in which they are shown. The caller may keep and change the list.
func Functions() []Function { return append([]Function{}, functions...) }

// Has says whether all of those rights are among these.
func (r Rights) Has(all Rights) bool { return r&all == all }

// Words writes the rights as ReadRights reads them.
func (r Rights) Words() []string {
	words := []string{}
	for _, f := range functions {
		if r.Has(f.Right) {
			words = append(words, f.Word)
		}
	}
	return words
}

// String is the words with commas between them, for the record.
func (r Rights) String() string { return strings.Join(r.Words(), ", ") }

// ReadRights reads words; none of them is no right. It fails with ErrRightUnknown.
func ReadRights(words []string) (Rights, error) {
	var all Rights
next:
	for _, word := range words {
		for _, f := range functions {
			if f.Word == word {
				all |= f.Right
				continue next
			}
		}
		return None, ErrRightUnknown
	}
	return all, nil
}
