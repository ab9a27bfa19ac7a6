package page

import (
	"fmt"
	"html/template"
	"strings"
	"time"

	"github.com/shopspring/decimal"

	"github.com/countinghouse/countinghouse/billing/money"
	"github.com/countinghouse/countinghouse/internal/civil"
)

// CashDay is the cash of one day.
type CashDay struct {
	Day   civil.Date
	Cash  money.Amount
	Ahead bool // it is expected
}

// CashChart is cash over time, the future dashed.
type CashChart struct {
	Days     []CashDay
	top, low int64 // of the axis, in minor units
	step     int64
}

// NewCashChart draws days of one currency in even steps; nil when there was and will be nothing.
func NewCashChart(days []CashDay) *CashChart {
	var most, least int64
	for _, d := range days {
		most, least = max(most, d.Cash.Minor), min(least, d.Cash.Minor)
	}
	if len(days) < 2 || most == 0 && least == 0 {
		return nil
	}
	c := &CashChart{Days: days, step: axisStep(max(most, -least))}
	c.top = (most + c.step - 1) / c.step * c.step
	c.low = -((-least + c.step - 1) / c.step * c.step)
	return c
}

// Labels are the words of the upright axis, from the top.
func (c *CashChart) Labels() []string {
	var labels []string
	for at := c.top; at >= c.low; at -= c.step {
		d := decimal.New(max(at, -at), -int32(c.Days[0].Cash.Currency.Digits()))
		label := shortAmount(d)
		if at < 0 {
			label = "−" + label
		}
		labels = append(labels, label)
	}
	return labels
}

// Currency is that of all days.
func (c *CashChart) Currency() money.Currency { return c.Days[0].Cash.Currency }

// Now is the last day that is not ahead, and Then the last of all.
func (c *CashChart) Now() CashDay {
	now := c.Days[0]
	for _, d := range c.Days {
		if !d.Ahead {
			now = d
		}
	}
	return now
}

// Then is the last day.
func (c *CashChart) Then() CashDay { return c.Days[len(c.Days)-1] }

// ahead are the words of a chart's level axis: the months in which the days begin, and what is ahead.
func (s speech) ahead(c *CashChart) []string {
	var words []string
	for _, d := range c.Days {
		word := s.language.Format(moment(d.Day), "Jan")
		if d.Ahead {
			word = s.say("ahead")
		}
		if len(words) == 0 || words[len(words)-1] != word {
			words = append(words, word)
		}
	}
	return words
}

// moment is a day as a moment, for layouts.
func moment(d civil.Date) time.Time {
	return time.Date(d.Year(), d.Month(), d.Day(), 0, 0, 0, 0, time.UTC)
}

// cashPlot is the drawing of a chart without the words around it.
func (s speech) cashPlot(c *CashChart) template.HTML {
	var b strings.Builder
	for at := c.top; at >= c.low; at -= c.step {
		class := "grid"
		if at == 0 {
			class = "zero"
		}
		fmt.Fprintf(&b, `<path class="%s" d="M0 %sH%d"/>`, class, coordinate(c.height(at)), chartWidth)
	}
	var past, ahead []string
	for i, d := range c.Days {
		point := coordinate(c.at(i)) + " " + coordinate(c.height(d.Cash.Minor))
		if !d.Ahead {
			past = append(past, point)
			ahead = []string{point}
		} else {
			ahead = append(ahead, point)
		}
	}
	now := c.at(len(past) - 1)
	zero := coordinate(c.height(0))
	fmt.Fprintf(&b, `<path class="area" d="M%s L%s %s L0 %s Z"/>`, strings.Join(past, " L"), coordinate(now), zero, zero)
	fmt.Fprintf(&b, `<path class="line" d="M%s"/>`, strings.Join(past, " L"))
	if len(ahead) > 1 {
		fmt.Fprintf(&b, `<path class="line ahead" d="M%s"/><path class="zero" d="M%s 0V%d"/>`, strings.Join(ahead, " L"), coordinate(now), chartHeight)
	}
	wide := chartWidth / float64(len(c.Days)-1)
	for i, d := range c.Days {
		say := s.language.Format(moment(d.Day), "2 Jan 2006") + ": " + s.symboled(d.Cash)
		if d.Ahead {
			say += " " + s.say("expected")
		}
		fmt.Fprintf(&b, `<rect x="%s" y="0" width="%s" height="%d" fill="none" pointer-events="all"><title>%s</title></rect>`,
			coordinate(c.at(i)-wide/2), coordinate(wide), chartHeight, template.HTMLEscapeString(say))
	}
	return template.HTML(b.String())
}

func (c *CashChart) at(i int) float64 { return chartWidth * float64(i) / float64(len(c.Days)-1) }

func (c *CashChart) height(minor int64) float64 {
	return chartHeight - float64(minor-c.low)/float64(c.top-c.low)*chartHeight
}
