package locale_test

import (
	"errors"
	"testing"
	"time"

	"github.com/countinghouse/countinghouse/internal/civil"
	"github.com/countinghouse/countinghouse/internal/locale"
)

func TestDate(t *testing.T) {
	t.Parallel()
	for want, got := range map[string]string{
		"21 November 2026": locale.English.Date(civil.On(2026, time.November, 21)),
		"1 May 2026":       locale.English.Date(civil.On(2026, time.May, 1)),
		"21 novembre 2026": locale.French.Date(civil.On(2026, time.November, 21)),
		"1er août 2026":    locale.French.Date(civil.On(2026, time.August, 1)),
		"11 août 2026":     locale.French.Date(civil.On(2026, time.August, 11)),
		"":                 locale.French.Date(civil.Date{}),
	} {
		if got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

func TestParse(t *testing.T) {
	t.Parallel()
	for _, code := range []string{"EN", "de", "fr ", "fr-CA", "\x00"} {
		if l, err := locale.Parse(code); !errors.Is(err, locale.ErrLanguageUnknown) || l != "" {
			t.Errorf("%q: got %q and %v", code, l, err)
		}
	}
	for _, l := range locale.Languages() {
		if got, err := locale.Parse(string(l)); got != l || err != nil {
			t.Errorf("%q: got %q and %v", l, got, err)
		}
	}
	if got, err := locale.Parse(""); got != locale.English || err != nil {
		t.Errorf("nothing chosen: got %q and %v", got, err)
	}
}
