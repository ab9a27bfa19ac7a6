// Package text checks what people and programs write before it goes anywhere: names, notes, references.
//
// There is one such check, because a NUL byte that Postgres refuses, a broken UTF-8 sequence or a name of a megabyte
// is the same mistake in every field, and deserves the same clear answer in each.
package text

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/countinghouse/countinghouse/internal/fault"
)

// What the checks refuse.
var (
	ErrInvalid = fault.New(fault.Invalid, "text.invalid", "This holds characters that cannot be kept, such as control characters or broken UTF-8. Type it again.")
	ErrTooLong = fault.New(fault.Invalid, "text.too_long", "This is too long. Shorten it.")
	ErrMissing = fault.New(fault.Invalid, "text.missing", "This cannot be empty.")
)

// Line trims white space around one line of text and gives it back. It refuses at the field, with ErrInvalid, broken
// UTF-8, control characters and line breaks, and with ErrTooLong more than limit characters (code points, as
// varchar(n) counts). An empty line is fine.
func Line(field, value string, limit int) (string, error) {
	return check(field, value, limit, func(r rune) bool {
		return unicode.IsControl(r) || r == '\u2028' || r == '\u2029'
	})
}

// Required is Line that also refuses an empty line, with ErrMissing.
func Required(field, value string, limit int) (string, error) {
	line, err := Line(field, value, limit)
	if err == nil && line == "" {
		return "", ErrMissing.At(field)
	}
	return line, err
}

// Block is Line for several lines: line feeds and tabs are kept, and Windows line ends become line feeds.
func Block(field, value string, limit int) (string, error) {
	return check(field, strings.ReplaceAll(value, "\r\n", "\n"), limit, func(r rune) bool {
		return unicode.IsControl(r) && r != '\n' && r != '\t'
	})
}

func check(field, value string, limit int, refuse func(rune) bool) (string, error) {
	value = strings.TrimSpace(value)
	// Four bytes a character at most: what is far too long is not looked through.
	if len(value) > limit*utf8.UTFMax {
		return "", tooLong(field, limit)
	}
	// A replacement character is what a decoder before us made of a broken sequence.
	if !utf8.ValidString(value) || strings.ContainsFunc(value, refuse) || strings.ContainsRune(value, utf8.RuneError) {
		return "", ErrInvalid.At(field)
	}
	if utf8.RuneCountInString(value) > limit {
		return "", tooLong(field, limit)
	}
	return value, nil
}

func tooLong(field string, limit int) error {
	return ErrTooLong.Sayf("This is too long: at most %d characters fit.", limit).At(field)
}
