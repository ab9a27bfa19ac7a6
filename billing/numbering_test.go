package billing_test

import (
	"errors"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/countinghouse/countinghouse/billing"
	"github.com/countinghouse/countinghouse/internal/civil"
)

func TestNumbering(t *testing.T) {
	t.Parallel()
	on := civil.On(2026, time.March, 9)
	for template, want := range map[string][2]string{
		"INV-{0000}":           {"INV-0042", ""},
		"{0}":                  {"42", ""},
		"{YYYY}-{000}":         {"2026-042", "2026"},
		"F/{YY}.{MM}/{00000}":  {"F/26.03/00042", "2026-03"},
		"{MM}_{YYYY}_{0}-sale": {"03_2026_42-sale", "2026-03"},
	} {
		n, err := billing.ParseNumbering(template)
		if err != nil {
			t.Errorf("%s: %v", template, err)
			continue
		}
		if got := [2]string{n.Number(42, on), n.Period(on)}; got != want {
			t.Errorf("%s: %q, want %q", template, got, want)
		}
	}
	for _, template := range []string{"", "INV-", "{0}{0}", "{0000}-{00}", "{MM}-{0}", "{YYYY}{000}", "INV-1{000}", "{000}1", "{0}-{YYYY}-{YY}",
		"INV {0}", "{0000000000}", "{number}", "#{0}", "Ⅳ{0}", "{0}\n", "{{0}}", "A-{YYYY}-{0}-A-very-long-text-that-goes-on-1"} {
		if n, err := billing.ParseNumbering(template); !errors.Is(err, billing.ErrNumbering) {
			t.Errorf("%q: got %v and %v", template, n, err)
		}
	}
}

// Two documents never get one number: neither in a period, nor in two.
func TestNumberingGivesEachNumberOnce(t *testing.T) {
	t.Parallel()
	template := rapid.StringMatching(`[A-Z]{0,3}-?(\{YYYY\}|\{YY\})?[-/]?(\{MM\})?[-/.]?\{0{1,4}\}(-[A-Z])?`)
	day := rapid.Custom(func(t *rapid.T) civil.Date {
		return civil.On(2026+rapid.IntRange(0, 60).Draw(t, "years"), time.Month(rapid.IntRange(1, 12).Draw(t, "month")), 1)
	})
	nth := rapid.Int64Range(1, 3000)
	rapid.Check(t, func(t *rapid.T) {
		n, err := billing.ParseNumbering(template.Draw(t, "template"))
		if err != nil {
			return
		}
		a, b, i, j := day.Draw(t, "a"), day.Draw(t, "b"), nth.Draw(t, "i"), nth.Draw(t, "j")
		if same := n.Period(a) == n.Period(b) && i == j; (n.Number(i, a) == n.Number(j, b)) != same {
			t.Fatalf("%s: %d in %q is %s, %d in %q is %s", n, i, n.Period(a), n.Number(i, a), j, n.Period(b), n.Number(j, b))
		}
	})
}
