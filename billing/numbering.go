package billing

import (
	"fmt"
	"regexp"
	"strings"
	"unicode/utf8"

	"github.com/countinghouse/countinghouse/internal/civil"
	"github.com/countinghouse/countinghouse/internal/fault"
)

// ErrNumbering refuses a template that would not give every document a number of its own.
var ErrNumbering = fault.New(fault.Invalid, "numbering.malformed", "Write how numbers look, such as INV-{0000} or {YYYY}-{000}: letters, digits and - _ . / with one counter in zeros, and the year ({YYYY}, {YY}) before the month ({MM}).")

// Numbering is how the numbers of a series look: "INV-{0000}", "{YYYY}/{MM}-{000}". The zeros are the counter and how
// many digits it has at least; with a year or a month it begins anew in each.
type Numbering struct{ template string }

const (
	numberingLength = 40
	counterDigits   = 9
)

var (
	numberingToken = regexp.MustCompile(`\{(YYYY|YY|MM|0+)\}`)
	numberingText  = regexp.MustCompile(`^[A-Za-z0-9._/-]*$`)
)

// ParseNumbering reads a template. It fails with ErrNumbering: without exactly one counter of at most nine digits, with
// a month that has no year, with a digit beside a token (INV-1{0} after INV-{0} would give one number twice), or with
// anything but letters, digits and - _ . / around the tokens.
func ParseNumbering(template string) (Numbering, error) {
	if utf8.RuneCountInString(template) > numberingLength {
		return Numbering{}, ErrNumbering
	}
	counters, years, months, at := 0, 0, 0, 0
	for _, token := range numberingToken.FindAllStringSubmatchIndex(template, -1) {
		if !plainBetween(template[at:token[0]], at > 0) {
			return Numbering{}, ErrNumbering
		}
		at = token[1]
		switch name := template[token[2]:token[3]]; name {
		case "YYYY", "YY":
			years++
		case "MM":
			months++
		default:
			counters++
			if len(name) > counterDigits {
				return Numbering{}, ErrNumbering
			}
		}
	}
	rest := template[at:]
	if counters != 1 || years > 1 || months > 1 || months > years || !numberingText.MatchString(rest) || startsWithDigit(rest) {
		return Numbering{}, ErrNumbering
	}
	return Numbering{template}, nil
}

// plainBetween says whether a text may stand before a token, and after one: no digit touches a token, and two tokens
// have something between them, so that where the counter begins can be seen.
func plainBetween(s string, afterToken bool) bool {
	if !numberingText.MatchString(s) {
		return false
	}
	if afterToken && (s == "" || startsWithDigit(s)) {
		return false
	}
	return s == "" || s[len(s)-1] < '0' || s[len(s)-1] > '9'
}

func startsWithDigit(s string) bool { return s != "" && s[0] >= '0' && s[0] <= '9' }

// String is the template.
func (n Numbering) String() string { return n.template }

// Period is the part of the calendar in which the counter runs: "", "2026" or "2026-11".
func (n Numbering) Period(on civil.Date) string {
	switch {
	case strings.Contains(n.template, "{MM}"):
		return on.String()[:7]
	case strings.Contains(n.template, "{YY"):
		return on.String()[:4]
	}
	return ""
}

// Number writes the nth number of a document of that day.
func (n Numbering) Number(nth int64, on civil.Date) string {
	return numberingToken.ReplaceAllStringFunc(n.template, func(token string) string {
		switch token {
		case "{YYYY}":
			return fmt.Sprintf("%04d", on.Year())
		case "{YY}":
			return fmt.Sprintf("%02d", on.Year()%100)
		case "{MM}":
			return fmt.Sprintf("%02d", on.Month())
		}
		return fmt.Sprintf("%0*d", len(token)-2, nth)
	})
}
