package text_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/countinghouse/countinghouse/internal/fault"
	"github.com/countinghouse/countinghouse/internal/text"
)

func TestLine(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, in, out string
		err           error
	}{
		{"a plain name", "Mara Lindqvist", "Mara Lindqvist", nil},
		{"space around it", " \t Mara\u00a0 ", "Mara", nil},
		{"Greek", "Αλέξανδρος", "Αλέξανδρος", nil},
		{"Cyrillic", "Мария Иванова", "Мария Иванова", nil},
		{"Han", "株式会社山田", "株式会社山田", nil},
		{"nothing", "", "", nil},
		{"ten characters of four bytes", strings.Repeat("𠮷", 10), strings.Repeat("𠮷", 10), nil},
		{"eleven of them", strings.Repeat("𠮷", 11), "", text.ErrTooLong},
		{"a megabyte", strings.Repeat("a", 1<<20), "", text.ErrTooLong},
		{"NUL", "a\x00b", "", text.ErrInvalid},
		{"broken UTF-8", "a\xff", "", text.ErrInvalid},
		{"what a decoder made of broken UTF-8", "a\ufffd", "", text.ErrInvalid},
		{"a line break", "a\nb", "", text.ErrInvalid},
		{"a line separator", "a\u2028b", "", text.ErrInvalid},
		{"a tab", "a\tb", "", text.ErrInvalid},
		{"an escape", "a\x1b[2J", "", text.ErrInvalid},
		{"a C1 control", "a\u0085b", "", text.ErrInvalid},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			limit := 10
			if c.err == nil {
				limit = max(10, len([]rune(c.out)))
			}
			got, err := text.Line("name", c.in, limit)
			check(t, got, c.out, err, c.err)
		})
	}
}

func TestRequired(t *testing.T) {
	t.Parallel()
	for _, in := range []string{"", "   ", "\n"} {
		got, err := text.Required("name", in, 10)
		check(t, got, "", err, text.ErrMissing)
	}
	got, err := text.Required("name", " a ", 10)
	check(t, got, "a", err, nil)
}

func TestBlock(t *testing.T) {
	t.Parallel()
	got, err := text.Block("note", "one\r\ntwo\tthree\n", 100)
	check(t, got, "one\ntwo\tthree", err, nil)
	for _, in := range []string{"a\x00", "a\rb", "a\xc3\x28", "a\x07b"} {
		got, err := text.Block("note", in, 100)
		check(t, got, "", err, text.ErrInvalid)
	}
}

func check(t *testing.T, got, want string, err, wantErr error) {
	t.Helper()
	if !errors.Is(err, wantErr) || (err == nil) != (wantErr == nil) {
		t.Fatalf("error %v, want %v", err, wantErr)
	}
	if got != want {
		t.Errorf("%q, want %q", got, want)
	}
	var f *fault.Error
	if errors.As(err, &f) && f.Field == "" {
		t.Error("the fault does not say which field")
	}
}
