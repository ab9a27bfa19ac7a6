// Package country knows the countries of ISO 3166-1, by code and by English name.
//
// Addresses keep the two-letter code, because it is one thing however it is written; people and their files write names,
// so those are read too, in the spellings that are met.
package country

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/countinghouse/countinghouse/internal/fault"
)

// ErrUnknown refuses what is neither a code nor a name of a country.
var ErrUnknown = fault.New(fault.Invalid, "country.unknown", "Give the country as its English name or its ISO 3166 code, such as Portugal or PT.")

// Country is one country, or territory with a code of its own.
type Country struct {
	Code string // ISO 3166-1 alpha-2
	Name string // in English, as in everyday use
}

type entry struct {
	alpha2, alpha3, name string
	others               []string
}

var byName, byCode = func() (names, codes map[string]string) {
	names, codes = map[string]string{}, map[string]string{}
	for _, e := range table {
		codes[e.alpha2] = e.name
		for _, name := range append([]string{e.alpha2, e.alpha3, e.name}, e.others...) {
			names[fold(name)] = e.alpha2
		}
	}
	return names, codes
}()

// Parse reads an English name, an alpha-2 or an alpha-3 code, in capitals or not, and gives the alpha-2 code; ErrUnknown
// for anything else.
func Parse(s string) (code string, err error) {
	if len(s) <= 200 {
		if code, ok := byName[fold(s)]; ok {
			return code, nil
		}
	}
	return "", ErrUnknown
}

// Name is the English name of an alpha-2 code; the code itself when there is none.
func Name(code string) string {
	if name, ok := byCode[code]; ok {
		return name
	}
	return code
}

// All gives all countries, sorted by name.
func All() []Country {
	all := make([]Country, len(table))
	for i, e := range table {
		all[i] = Country{Code: e.alpha2, Name: e.name}
	}
	slices.SortFunc(all, func(a, b Country) int { return strings.Compare(fold(a.Name), fold(b.Name)) })
	return all
}

var plain = strings.NewReplacer("&", " and ", "å", "a", "ã", "a", "é", "e", "í", "i", "ô", "o", "ç", "c", "ü", "u")

// fold makes spellings that differ in capitals, accents, points and a leading article the same.
func fold(s string) string {
	if !utf8.ValidString(s) {
		return ""
	}
	words := strings.FieldsFunc(plain.Replace(strings.ToLower(strings.ReplaceAll(s, ".", ""))), func(r rune) bool {
		return !unicode.IsLetter(r)
	})
	if len(words) > 1 && words[0] == "the" {
		words = words[1:]
	}
	for i, w := range words {
		if w == "st" {
			words[i] = "saint"
		}
	}
	return strings.Join(words, " ")
}
