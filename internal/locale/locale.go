// Package locale writes dates and figures as the readers of a language expect them.
//
// It is a table of our own and not a library of every language: a document is read by a tax authority too, so what it
// says must not change with the version of a table that someone else keeps.
package locale

import (
	"fmt"

	"github.com/countinghouse/countinghouse/internal/civil"
	"github.com/countinghouse/countinghouse/internal/fault"
)

// ErrLanguageUnknown refuses a language that we do not speak.
var ErrLanguageUnknown = fault.New(fault.Invalid, "language.unknown", "Choose English (en) or French (fr).").At("language")

// Language is one that we speak, by its code of ISO 639-1.
type Language string

// The languages.
const (
	English Language = "en"
	French  Language = "fr"
)

// Languages lists them, the one that is taken when nobody chose first.
func Languages() []Language { return []Language{English, French} }

// Parse reads a code; empty is English. It fails with ErrLanguageUnknown.
func Parse(code string) (Language, error) {
	switch l := Language(code); l {
	case "":
		return English, nil
	case English, French:
		return l, nil
	}
	return "", ErrLanguageUnknown
}

// Name is what the language calls itself.
func (l Language) Name() string {
	if l == French {
		return "Français"
	}
	return "English"
}

// Date writes a day in full: "21 November 2026", "21 novembre 2026", "1er mai 2026"; "" for no date.
func (l Language) Date(d civil.Date) string {
	if d.IsZero() {
		return ""
	}
	if l == French {
		day := fmt.Sprint(d.Day())
		if d.Day() == 1 {
			day = "1er"
		}
		return fmt.Sprintf("%s %s %d", day, frenchMonths[d.Month()-1], d.Year())
	}
	return fmt.Sprintf("%d %s %d", d.Day(), d.Month(), d.Year())
}

var frenchMonths = [12]string{"janvier", "février", "mars", "avril", "mai", "juin", "juillet", "août", "septembre",
	"octobre", "novembre", "décembre"}

// Group is what stands between each three digits before the decimals. French has the narrow no-break space of the
// Imprimerie nationale's rules.
func (l Language) Group() string {
	if l == French {
		return "\u202f"
	}
	return ","
}

// Decimal is what stands before the decimals.
func (l Language) Decimal() string {
	if l == French {
		return ","
	}
	return "."
}
