// Package locale writes dates and figures as the readers of a language expect them.
//
// It is a table of our own and not a library of every language: a document is read by a tax authority too, so what it
// says must not change with the version of a table that someone else keeps.
package locale

import (
	"fmt"
	"strings"
	"time"

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

// Format writes a day by a layout of package time, with the language's names of days and months: "Mon 2 Jan" is "lun. 9 nov.".
func (l Language) Format(day time.Time, layout string) string {
	if l != French {
		return day.Format(layout)
	}
	var b strings.Builder
	for rest := layout; rest != ""; {
		name, found := "", false
		for _, n := range frenchNames {
			if name, found = n.layout, strings.HasPrefix(rest, n.layout); found {
				b.WriteString(n.name(day))
				break
			}
		}
		if found {
			rest = rest[len(name):]
			continue
		}
		next := strings.IndexAny(rest, " ,")
		if next < 0 {
			next = len(rest) - 1
		}
		b.WriteString(day.Format(rest[:next+1]))
		rest = rest[next+1:]
	}
	return b.String()
}

// frenchNames are the parts of layouts that are names, the longer ones first.
var frenchNames = []struct {
	layout string
	name   func(day time.Time) string
}{
	{"January", func(day time.Time) string { return frenchMonths[day.Month()-1] }},
	{"Monday", func(day time.Time) string { return frenchDays[day.Weekday()] }},
	{"Jan", func(day time.Time) string { return frenchShortMonths[day.Month()-1] }},
	{"Mon", func(day time.Time) string { return frenchDays[day.Weekday()][:3] + "." }},
}

var frenchDays = [7]string{"dimanche", "lundi", "mardi", "mercredi", "jeudi", "vendredi", "samedi"}

// frenchShortMonths are shortened as the Imprimerie nationale does.
var frenchShortMonths = [12]string{"janv.", "févr.", "mars", "avril", "mai", "juin", "juill.", "août", "sept.", "oct.", "nov.", "déc."}

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
