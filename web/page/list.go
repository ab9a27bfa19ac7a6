package page

import (
	"html/template"
	"net/url"
	"strings"

	"github.com/countinghouse/countinghouse/billing"
	"github.com/countinghouse/countinghouse/billing/money"
	"github.com/countinghouse/countinghouse/internal/country"
)

// Find is the search of a list.
type Find struct {
	URL    string            // of the list
	Search string            // what was searched for; empty for nothing
	Label  string            // what one can search by: "Name, company or email"
	Keep   map[string]string // what else of the address stays
}

// Clear is the address of the list without the search.
func (f Find) Clear() string {
	kept := url.Values{}
	for name, value := range f.Keep {
		if value != "" {
			kept.Set(name, value)
		}
	}
	if len(kept) == 0 {
		return f.URL
	}
	return f.URL + "?" + kept.Encode()
}

// Periods are the ways to narrow a list by its days.
type Periods struct {
	Label    string // of what day: "Issued"
	URL      string // of the list
	Options  []Tab
	From, To string            // the days of one's own choice; empty for none
	Keep     map[string]string // what else of the address stays
}

// Own says whether the days are of one's own choice.
func (p Periods) Own() bool { return p.From != "" || p.To != "" }

// Tabs is one list seen in several ways.
type Tabs struct {
	Label string
	Tabs  []Tab
}

// Tab is one of the ways.
type Tab struct {
	Label, URL string
	Count      int
	Counted    bool
	Current    bool
}

// Act is one button that changes something: a form of its own.
type Act struct {
	URL, Label, Icon string
	Class            string // of the button: "btn-danger", "btn-small"
	Ask              string // asked first, where it cannot be undone; empty for not
	Does             string // what the button in the question says; empty for Label
	Key              string
	Version          int
}

// Column is how amounts are written in a column: where all are of one currency its head names it, and elsewhere every
// cell does.
type Column struct {
	currency money.Currency
	speech   speech
}

// ColumnOf looks at all amounts of a column. otherwise is the currency of a column of none.
func ColumnOf(otherwise money.Currency, amounts ...money.Amount) Column {
	column := Column{currency: otherwise}
	for i, a := range amounts {
		if i == 0 {
			column.currency = a.Currency
		} else if a.Currency != column.currency {
			return Column{}
		}
	}
	return column
}

// Head is the column's head: "Open, EUR".
func (c Column) Head(label string) string {
	label = c.speech.say(label)
	if c.currency.IsZero() {
		return label
	}
	return label + ", " + c.currency.Code()
}

// Cell writes an amount.
func (c Column) Cell(a money.Amount) string {
	if c.currency.IsZero() {
		return c.speech.coded(a)
	}
	return c.speech.figures(a)
}

// Open writes what is still owed: a dash for nothing.
func (c Column) Open(a money.Amount) template.HTML {
	if a.IsZero() {
		return noDate
	}
	return template.HTML(template.HTMLEscapeString(c.Cell(a)))
}

// Side writes one side of an entry: nothing where there is no amount.
func (c Column) Side(a money.Amount) string {
	if a.IsZero() {
		return ""
	}
	return c.Cell(a)
}

// Balance writes a balance of the ledger with its side: 1,240.00 Dr; 0.00 has none.
func (c Column) Balance(a money.Amount) template.HTML {
	side := "Dr"
	switch a.Sign() {
	case 0:
		return template.HTML(template.HTMLEscapeString(c.Cell(a)))
	case -1:
		side, a = "Cr", magnitude(a)
	}
	return template.HTML(template.HTMLEscapeString(c.Cell(a)) + ` <span class="faint">` + side + `</span>`)
}

// magnitude is an amount without its sign. The smallest int64, which no ledger can hold, stays as it is.
func magnitude(a money.Amount) money.Amount {
	if positive, err := a.Neg(); err == nil && a.Sign() < 0 {
		return positive
	}
	return a
}

// Address is where somebody is.
type Address struct{ Street, City, Region, PostalCode, Country string }

// AddressOf is a customer's.
func AddressOf(c billing.Customer) Address {
	return Address{c.Street, c.City, c.Region, c.PostalCode, c.Country}
}

// OwnAddress is the organization's.
func OwnAddress(s billing.Settings) Address {
	return Address{s.Street, s.City, s.Region, s.PostalCode, s.Country}
}

// Lines are the lines that are not empty. The postal code goes before the city, as most of the world writes it.
func (a Address) Lines() []string {
	var lines []string
	for _, line := range []string{a.Street, strings.TrimSpace(a.PostalCode + " " + a.City), a.Region, country.Name(a.Country)} {
		if line != "" {
			lines = append(lines, line)
		}
	}
	return lines
}
