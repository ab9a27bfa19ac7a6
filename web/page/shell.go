package page

import (
	"slices"
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
	Today        time.Time // the moment, in the organization's time zone
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
}

// Counts are the figures beside entries of the navigation; zero shows none.
type Counts struct{ Invoices int }

// At is an address inside the organization: .At "invoices" is /o/acme/invoices.
func (s Shell) At(parts ...any) string { return joinPath(s.Organization.URL(), parts...) }

// NavSection is a headed part of the navigation.
type NavSection struct {
	Title   string
	Foot    bool // stands at the end
	Entries []NavEntry
}

// NavEntry is one way in the navigation.
type NavEntry struct {
	Label, Icon, URL string
	Current          bool
	Count            int
	right            string // that it takes to go there
}

// Sections are the ways through an organization: what exists, and of that what the reader may see.
func (s Shell) Sections() []NavSection {
	way := func(right, key, label, icon string, path ...any) NavEntry {
		return NavEntry{right: right, Label: label, Icon: icon, URL: s.At(path...), Current: s.Nav == key}
	}
	invoices := way("invoices:read", "invoices", "Invoices", "file-text", "invoices")
	invoices.Count = s.Open.Invoices
	all := []NavSection{
		{Entries: []NavEntry{way("invoices:read", "overview", "Overview", "house")}},
		{Title: "Money in", Entries: []NavEntry{
			invoices,
			way("payments:read", "payments", "Payments", "hand-coins", "payments"),
			way("customers:read", "customers", "Customers", "contact", "customers"),
			way("products:read", "products", "Products", "package", "products"),
		}},
		{Title: "Books", Entries: []NavEntry{
			way("reports:read", "ledger", "Ledger", "book-open-text", "ledger"),
			way("journal:read", "journal", "Journal", "notebook-pen", "journal"),
			way("accounts:read", "accounts", "Accounts", "list-tree", "accounts"),
			way("taxes:read", "taxes", "Taxes", "percent", "taxes"),
		}},
		{Title: "Reports", Entries: []NavEntry{
			way("reports:read", "trial-balance", "Trial balance", "scale", "reports", "trial-balance"),
			way("reports:read", "customer-balances", "Customer balances", "chart-column", "reports", "customer-balances"),
		}},
		{Foot: true, Entries: []NavEntry{
			way("tokens:read", "tokens", "API tokens", "key-round", "tokens"),
			way("settings:read", "settings", "Settings", "settings", "settings"),
		}},
	}
	var shown []NavSection
	for _, section := range all {
		section.Entries = slices.DeleteFunc(section.Entries, func(e NavEntry) bool { return !s.Can(e.right) })
		if len(section.Entries) > 0 {
			shown = append(shown, section)
		}
	}
	return shown
}

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
