package page

import (
	"fmt"
	"html/template"
	"strconv"
	"strings"

	"github.com/shopspring/decimal"

	"github.com/countinghouse/countinghouse/billing/money"
	"github.com/countinghouse/countinghouse/internal/civil"
)

// Month is one month of the chart.
type Month struct {
	First            civil.Date // its first day
	Income, Expenses money.Amount
	URL              string // of what it is made of; empty for readers who may not see that
}

// Result is what is left of the month's income.
func (m Month) Result() (money.Amount, error) { return m.Income.Sub(m.Expenses) }

// Chart is income and expenses by month. The plot stretches with the page, so its words stand around it in HTML.
type Chart struct {
	Currency money.Currency
	Months   []Month
	top      int64 // of the axis, in minor units
	step     int64
}

const (
	chartWidth, chartHeight = 640, 180
	barWidth                = 16.0
)

// NewChart draws months of one currency; nil when all of them are empty. A month below nothing, where more was taken
// back than earned, has no bar: the table tells it.
func NewChart(currency money.Currency, months []Month) *Chart {
	var most int64
	for _, m := range months {
		most = max(most, m.Income.Minor, m.Expenses.Minor)
	}
	if most == 0 {
		return nil
	}
	c := &Chart{Currency: currency, Months: months, step: axisStep(most)}
	c.top = (most + c.step - 1) / c.step * c.step
	return c
}

// axisStep is what lies between two lines of an axis that has four of them or fewer: 1, 2, 5, 10, 20, 50 and so on.
func axisStep(most int64) int64 {
	step := int64(1)
	for i := 0; step < (most+3)/4; i++ {
		if i%3 == 1 {
			step = step / 2 * 5
		} else {
			step *= 2
		}
	}
	return step
}

// Labels are the words of the upright axis, from the top.
func (c *Chart) Labels() []string {
	var labels []string
	for at := c.top; at >= 0; at -= c.step {
		labels = append(labels, shortAmount(decimal.New(at, -int32(c.Currency.Digits()))))
	}
	return labels
}

// shortAmount writes a round figure: 2500 is 2.5k.
func shortAmount(d decimal.Decimal) string {
	for _, unit := range []struct {
		zeros int32
		sign  string
	}{{9, "bn"}, {6, "M"}, {3, "k"}} {
		if shifted := d.Shift(-unit.zeros); shifted.GreaterThanOrEqual(decimal.NewFromInt(1)) {
			return shifted.String() + unit.sign
		}
	}
	return d.String()
}

// Leads says whether its months lead to what they are made of.
func (c *Chart) Leads() bool { return len(c.Months) > 0 && c.Months[0].URL != "" }

// monthly is a month's name in a chart: "Nov".
func (s speech) monthly(m Month) string { return s.language.Format(moment(m.First), "Jan") }

// plot is the drawing of a chart without the words around it. Each month says its figures when one points at it.
func (s speech) plot(c *Chart) template.HTML {
	var b strings.Builder
	for at := c.top; at >= 0; at -= c.step {
		class := "grid"
		if at == 0 {
			class = "zero"
		}
		fmt.Fprintf(&b, `<path class="%s" d="M0 %sH%d"/>`, class, coordinate(c.height(at)), chartWidth)
	}
	group := chartWidth / float64(len(c.Months))
	for i, m := range c.Months {
		left := group*float64(i) + (group-2*barWidth-4.25)/2
		title := template.HTMLEscapeString(s.language.Format(moment(m.First), "January 2006") + ": " + s.say("Income") + " " + s.symboled(m.Income) + ", " + s.say("Expenses") + " " + s.symboled(m.Expenses))
		begin, end := "<g>", "</g>"
		if m.URL != "" {
			begin, end = `<a href="`+template.HTMLEscapeString(m.URL)+`" aria-label="`+title+`">`, "</a>"
		}
		fmt.Fprintf(&b, `%s<title>%s</title><rect class="month" x="%s" y="0" width="%s" height="%d"/>`, begin, title, coordinate(group*float64(i)), coordinate(group), chartHeight)
		c.bar(&b, "in", left, m.Income.Minor)
		c.bar(&b, "out", left+barWidth+4.25, m.Expenses.Minor)
		b.WriteString(end)
	}
	return template.HTML(b.String())
}

func (c *Chart) bar(b *strings.Builder, class string, x float64, minor int64) {
	if minor <= 0 {
		return
	}
	y := c.height(minor)
	fmt.Fprintf(b, `<rect class="%s" x="%s" y="%s" width="%s" height="%s"/>`, class, coordinate(x), coordinate(y), coordinate(barWidth), coordinate(chartHeight-y))
	if class != "out" {
		return
	}
	// Expenses are ruled and income is solid, so that they differ without colour.
	b.WriteString(`<path class="ruled" d="`)
	for line := y + 5.5; line < chartHeight; line += 6 {
		fmt.Fprintf(b, "M%s %sh%s", coordinate(x), coordinate(line), coordinate(barWidth))
	}
	b.WriteString(`"/>`)
}

// height is where an amount stands in the plot. A drawing may round; figures stand in the table.
func (c *Chart) height(minor int64) float64 {
	return chartHeight - float64(minor)/float64(c.top)*chartHeight
}

func coordinate(v float64) string { return strconv.FormatFloat(v, 'f', 1, 64) }

// share is what part makes of whole, in percent, for the length of a bar.
func share(part, whole money.Amount) string {
	if whole.Sign() <= 0 {
		return "0"
	}
	return coordinate(min(100, max(0, float64(part.Minor)/float64(whole.Minor)*100)))
}
