package billing

import (
	"context"
	"fmt"
	"regexp"
	"strings"
	"unicode/utf8"

	"github.com/countinghouse/countinghouse/internal/civil"
	"github.com/countinghouse/countinghouse/internal/fault"
	"github.com/countinghouse/countinghouse/tenant"
)

// ErrNumbering refuses a template that would not give every document a number of its own.
var ErrNumbering = fault.New(fault.Invalid, "numbering.malformed", "Write how numbers look, such as INV-{0000} or {YYYY}-{000}: letters, digits and - _ . / with one counter in zeros, and the year ({YYYY}, {YY}) before the month ({MM}).")

// Numbering is how the numbers of a series look: "INV-{0000}", "{YYYY}/{MM}-{000}". The zeros are the counter and how
// many digits it has at least; with a year or a month it begins anew in each.
type Numbering struct{ template string }

const (
	prefixCounter   = "{0000}" // what follows a prefix where no pattern was given
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

// Next are the numbers that the next documents of today get.
type Next struct{ Invoice, Quote, CreditNote string }

// NextNumbers looks how far each series has come. Nothing is taken: whoever issues first gets the number.
func NextNumbers(ctx context.Context, tx *tenant.Tx, s Settings) (next Next, err error) {
	today := s.Today(tx)
	for _, series := range []struct {
		kind      kind
		numbering Numbering
		number    *string
	}{
		{invoiceKind, s.InvoiceNumbering, &next.Invoice}, {quoteKind, s.QuoteNumbering, &next.Quote},
		{creditNoteKind, s.CreditNoteNumbering, &next.CreditNote},
	} {
		count, err := selectCount(ctx, tx, series.numbering.series(series.kind, today))
		if err != nil {
			return next, err
		}
		for taken := true; taken; {
			count++
			*series.number = series.numbering.Number(count, today)
			if taken, err = selectNumberTaken(ctx, tx, series.kind, *series.number); err != nil {
				return next, err
			}
		}
	}
	return next, nil
}
