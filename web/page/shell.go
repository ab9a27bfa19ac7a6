package page

import (
	"strings"
	"time"
	"unicode"
)

// Shell is what every page inside an organization needs; the data of such a page embeds it.
type Shell struct {
	Title        string // of the page; the browser adds the organization's name
	Nav          string // which entry of the navigation is current: "invoices", "trial-balance"
	Organization Organization
	Others       []Organization // the person's other organizations
	Person       Person
	Flash        Flash
	Open         Counts
	Today        time.Time     // the moment, in the organization's time zone
	Visits       []VisitBanner // who of support is in at this moment
	PasswordDue  time.Time     // when the organization's own rules shut the reader out for the age of their password; zero unless it is soon
	Suspended    bool          // the organization can be read and not changed
	Support      bool          // the reader is of support: each thing that a page asks for by itself would be on the record
	Keys         bool          // single keys do something
	Sample       *Sample       // what is told of an organization to look around in; nil elsewhere
	SampleOffer  bool          // one may look around in a sample
	// May says whether the reader holds a right ("invoices:create"); what they may not do is not offered. It is
	// no protection: each route asks for its right itself. Nil is nothing.
	May func(right string) bool
}

// Can is May for templates: {{if .Can "invoices:create"}}.
func (s Shell) Can(right string) bool { return s.May != nil && s.May(right) }

// Organization is an organization as the shell shows it.
type Organization struct{ Name, Slug string }

// Initials are two letters for its seal.
func (o Organization) Initials() string { return initials(o.Name) }

// URL is the address of its overview.
func (o Organization) URL() string { return joinPath("/o", o.Slug) }

// Sample is what is told on each page of an organization to look around in.
type Sample struct {
	Today  time.Time
	Until  time.Time
	Filled int    // percent of what it is filled with
	Own    bool   // it is the reader's
	Back   string // the path that they came from
	Done   bool   // it was filled while the reader looked at the page
	URL    string // of its overview
}

// Filling says whether it is still being filled.
func (s Sample) Filling() bool { return s.Filled < 100 }

// Person is whoever is signed in.
type Person struct{ Name, Email string }

// Initials are two letters for the avatar.
func (p Person) Initials() string {
	if p.Name == "" {
		return initials(p.Email)
	}
	return initials(p.Name)
}

// Flash tells once, after a redirect, what was done: "Sent to hughoreilly@apple.ie".
type Flash struct {
	Say string // empty for none
	// Login is the session of the login that it tells of, which can be disowned; empty for any other.
	Login string
}

// Counts are the figures beside entries of the navigation; zero shows none.
type Counts struct{ Invoices int }

// At is an address inside the organization: .At "invoices" is /o/acme/invoices.
func (s Shell) At(parts ...any) string { return joinPath(s.Organization.URL(), parts...) }

// Pager leads to the pages before and after one of a list.
type Pager struct {
	Said         string // "50 invoices", "1 to 50 of 412"; may be empty
	Newer, Older string // addresses; empty where there is none
	ByName       bool   // the list is not by time: its pages are named otherwise
}

// initials are the first letters of the first two words, or the first two letters of a single one.
func initials(name string) string {
	words := strings.FieldsFunc(name, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })
	var letters []rune
	switch len(words) {
	case 0:
		return "?"
	case 1:
		letters = []rune(words[0])
		letters = letters[:min(2, len(letters))]
	default:
		letters = []rune{[]rune(words[0])[0], []rune(words[1])[0]}
	}
	return strings.ToUpper(string(letters))
}
