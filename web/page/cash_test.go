package page

import (
	"strings"
	"testing"
)

// The axis holds what is below nothing too, and what is ahead is dashed.
func TestCashChart(t *testing.T) {
	t.Parallel()
	c := NewCashChart(sampleCash())
	if got := strings.Join(c.Labels(), " "); got != "6k 4k 2k 0 −2k" {
		t.Errorf("the axis says %s", got)
	}
	if top := c.height(c.top); top != 0 {
		t.Errorf("the top stands at %v", top)
	}
	if low := c.height(c.low); low != chartHeight {
		t.Errorf("the bottom stands at %v", low)
	}
	for _, d := range c.Days {
		if at := c.height(d.Cash.Minor); at < 0 || at > chartHeight {
			t.Errorf("%s stands at %v, outside", d.Cash, at)
		}
	}
	plot := string(speech{}.cashPlot(c))
	for _, want := range []string{`class="line ahead"`, "<title>9 Nov 2026: −€1,200.00</title>", "<title>30 Nov 2026: €3,800.50 expected</title>"} {
		if !strings.Contains(plot, want) {
			t.Errorf("it lacks %s in %s", want, plot)
		}
	}
	if strings.Count(plot, "<title>") != len(c.Days) {
		t.Error("not every day has its figure")
	}
	if c.Now().Cash != euros(420000) || c.Then().Cash != euros(380050) {
		t.Errorf("now %s, then %s", c.Now().Cash, c.Then().Cash)
	}
	if NewCashChart([]CashDay{{Cash: euros(0)}, {Cash: euros(0)}}) != nil || NewCashChart(nil) != nil {
		t.Error("nothing is drawn")
	}
}
