package web

import (
	"testing"

	"github.com/countinghouse/countinghouse/internal/civil"
)

func TestSpan(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, today, want string }{
		{"this-month", "2026-02-03", "2026-02-01 2026-02-28"},
		{"last-month", "2026-01-31", "2025-12-01 2025-12-31"},
		{"this-quarter", "2026-11-22", "2026-10-01 2026-12-31"},
		{"this-quarter", "2026-03-31", "2026-01-01 2026-03-31"},
		{"this-year", "2026-11-22", "2026-01-01 2026-12-31"},
		{"last-year", "2024-02-29", "2023-01-01 2023-12-31"},
	} {
		today, err := civil.Parse(c.today)
		if err != nil {
			t.Fatal(err)
		}
		from, to, ok := span(c.name, today)
		if got := from.String() + " " + to.String(); !ok || got != c.want {
			t.Errorf("%s on %s is %s, want %s", c.name, c.today, got, c.want)
		}
	}
	if _, _, ok := span("next-year", civil.On(2026, 1, 1)); ok {
		t.Error("a period that is not offered is taken")
	}
	if len(presets) != 5 {
		t.Errorf("%d presets", len(presets))
	}
	for _, p := range presets {
		if _, _, ok := span(p.name, civil.On(2026, 1, 1)); !ok {
			t.Errorf("%s is offered and not known", p.name)
		}
	}
}
