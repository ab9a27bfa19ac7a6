package page

import (
	"strings"

	"github.com/countinghouse/countinghouse/billing/money"
	"github.com/countinghouse/countinghouse/internal/civil"
)

// Search is what was found in an organization.
type Search struct {
	Shell
	Find   Find
	Words  string
	Short  bool // too little was given to look for
	Groups []SearchGroup
	Ways   []NavEntry // pages whose names have the words
}

// None says that something was looked for and nothing found.
func (s Search) None() bool { return !s.Short && len(s.Groups) == 0 && len(s.Ways) == 0 }

// SearchGroup is what was found of one kind.
type SearchGroup struct {
	Label, Icon string
	All         string // the address of the list with all that match; empty where the list has no search
	Hits        []SearchHit
}

// SearchHit is one thing that was found.
type SearchHit struct {
	URL, Title, Say string
	State           string // of a badge; empty for none
	Date            civil.Date
	Amount          money.Amount
}

// Ways are the pages that the reader may see and whose names have the words.
func (s Shell) Ways(words string) []NavEntry {
	words = strings.ToLower(strings.TrimSpace(words))
	if words == "" {
		return nil
	}
	var found []NavEntry
	known := map[string]bool{}
	add := func(item navItem, icon string) {
		if strings.Contains(strings.ToLower(item.label), words) && item.open(s.Can) && !known[item.label] {
			known[item.label] = true
			found = append(found, NavEntry{Label: item.label, Icon: icon, URL: s.At(item.path...)})
		}
	}
	for _, section := range navigation {
		for _, item := range section.entries {
			add(item, item.icon)
		}
	}
	for _, item := range settings {
		add(item, "settings")
	}
	return found
}

// Keys is the page about the keys.
type Keys struct {
	Gate
	Flash Flash
	Keys  []Key
	On    bool
	Act   Act // switches them on or off
}

// Key is one key, and what it does.
type Key struct {
	Press []string // one after the other
	Does  string
}

// goKeys are the letters that lead to entries of the navigation after g. Who is not shown an entry is not led there.
var goKeys = map[string]string{
	"overview": "o", "invoices": "i", "quotes": "q", "orders": "d", "payments": "p", "customers": "c",
	"bills": "b", "payees": "y", "bank": "k", "ledger": "l", "journal": "j", "reports": "r", "activity": "a",
}

// KeyList are the keys there are, in the order in which they are told.
func KeyList() []Key { return keyList(func(string) bool { return true }) }

// KeyList are those that lead the reader somewhere.
func (s Shell) KeyList() []Key { return keyList(s.Can) }

func keyList(may func(right string) bool) []Key {
	all := []Key{
		{[]string{"/"}, "Search"},
		{[]string{"?"}, "Show these keys"},
		{[]string{"n"}, "New, on a list"},
		{[]string{"Esc"}, "Close what is open"},
	}
	for _, section := range navigation {
		for _, item := range section.entries {
			if letter := goKeys[item.key]; letter != "" && item.open(may) {
				all = append(all, Key{[]string{"g", letter}, item.label})
			}
		}
	}
	return all
}
