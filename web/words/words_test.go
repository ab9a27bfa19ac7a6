package words

import (
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/countinghouse/countinghouse/internal/locale"
)

// TestTranslationsHaveTheirParts: a translation that lost a numbered part would leave a name or an amount out.
func TestTranslationsHaveTheirParts(t *testing.T) {
	t.Parallel()
	parts := regexp.MustCompile(`\{(?:\d+|\*)\}`)
	for english, said := range In(locale.French).said {
		want, got := parts.FindAllString(english, -1), parts.FindAllString(said, -1)
		slices.Sort(want)
		slices.Sort(got)
		if !slices.Equal(slices.Compact(want), slices.Compact(got)) {
			t.Errorf("%q becomes %q, with other parts", english, said)
		}
		if strings.TrimSpace(said) != said || strings.Contains(said, "'") {
			t.Errorf("%q is not set as French is: no space at its ends, ’ and not '", said)
		}
	}
}

// TestCatalogueIsRead: a file with a broken line is read up to there and no further, so all its keys are counted.
func TestCatalogueIsRead(t *testing.T) {
	t.Parallel()
	written := map[string]bool{}
	for _, m := range regexp.MustCompile(`(?m)^msgid "(.+)"$`).FindAllStringSubmatch(string(frenchFile), -1) {
		key := strings.ReplaceAll(m[1], `\"`, `"`)
		if written[key] {
			t.Errorf("%q stands in the catalogue twice", key)
		}
		written[key] = true
	}
	for key := range maps.Keys(written) {
		if _, ok := In(locale.French).said[key]; !ok {
			t.Errorf("%q is in the file and was not read", key)
		}
	}
}
