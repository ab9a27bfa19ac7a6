package proof

import (
	"fmt"
	"math/big"
	"strconv"
	"time"

	"github.com/google/uuid"

	"github.com/countinghouse/countinghouse/billing/money"
)

// Finding is something that does not agree.
type Finding struct {
	Check string `json:"check"` // the key of one of Checks
	Say   string `json:"say"`   // a sentence: numbers, days and amounts, nobody's data
	// What to look at: entry, invoice, credit_note, bill, payee_credit, payment, bill_payment, bank; empty is the whole.
	Kind string    `json:"kind,omitempty"`
	ID   uuid.UUID `json:"id,omitzero"`
}

// Check is one thing that is proved.
type Check struct {
	Key, Name string
}

// The keys of checks.
const (
	trial     = "trial"
	entries   = "entries"
	documents = "documents"
	payments  = "payments"
	gateways  = "gateways"
	banks     = "bank"
	chain     = "chain"
)

// Checks lists what is proved, in the order in which it is.
func Checks() []Check {
	return []Check{
		{trial, "The trial balance is zero in each currency"},
		{entries, "Each entry balances, has two lines or more, and none is missing"},
		{documents, "Receivables and payables equal their documents"},
		{payments, "Payments are booked as they are kept"},
		{gateways, "Payment gateways and their clearing accounts agree"},
		{banks, "The bank's lines and the entries that they are matched with agree"},
		{chain, "Record and journal are as they were sealed"},
	}
}

// Proof is what became of proving an organization's books.
type Proof struct {
	At       time.Time // when they were proved last
	WholeAt  time.Time // when all agreed last; zero for never
	Found    int       // how much does not agree
	Findings []Finding // the first of it
	Entries  int64     // how many entries were looked at
	Seals    int64     // the rows of the chain
	Head     string    // the chain's end, up to which it was proved last; empty for none
}

// Whole says whether all agreed.
func (p Proof) Whole() bool { return p.Found == 0 }

// difference is a row that a check found: Found is what is there, Wanted what there should be, in minor units.
type difference struct {
	Sort     string
	ID       uuid.NullUUID
	Number   string
	Currency string
	Found    string // numeric: a sum may be more than an amount can be
	Wanted   string
}

// amount is such as "12.30 EUR".
func (d difference) amount(minor string) string {
	n, err := strconv.ParseInt(minor, 10, 64)
	c, unknown := money.ParseCurrency(d.Currency)
	if err != nil || unknown != nil {
		return minor + " minor units of " + d.Currency
	}
	return money.Amount{Minor: n, Currency: c}.String() + " " + d.Currency
}

func (d difference) found() string  { return d.amount(d.Found) }
func (d difference) wanted() string { return d.amount(d.Wanted) }

// apart is by how much the two differ.
func (d difference) apart() string {
	found, ok := new(big.Int).SetString(d.Found, 10)
	wanted, also := new(big.Int).SetString(d.Wanted, 10)
	if !ok || !also {
		return d.found() + " and not " + d.wanted()
	}
	return d.amount(found.Sub(found, wanted).String())
}

// called is what people call it: "Invoice INV-12".
func (d difference) called() string {
	word := map[string]string{"entry": "Entry", "invoice": "Invoice", "credit_note": "Credit note", "bill": "Bill", "payee_credit": "Payee credit",
		"payment": "The payment of", "bill_payment": "The payment of", "bank": "The bank account"}[d.Sort]
	return fmt.Sprintf("%s %s", word, d.Number)
}
