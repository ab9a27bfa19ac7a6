package subscription

import (
	"time"

	"github.com/countinghouse/countinghouse/internal/civil"
)

// Unit is what a schedule counts in.
type Unit string

// The units.
const (
	Day   Unit = "day"
	Week  Unit = "week"
	Month Unit = "month"
	Year  Unit = "year"
)

// Schedule says on which days periods begin. It knows days of the calendar and no times, so that no change of clocks
// moves one.
type Schedule struct {
	Unit     Unit
	Every    int        // units a period has, 1 to 365
	Anchor   civil.Date // the first day of period 0
	MonthEnd bool       // each period begins on the last day of a month
}

// At is the first day of a period, counted from 0. It is always counted from the anchor and never from the period
// before: one that begins on the 31st begins on the last day of a shorter month, and on the 31st again after it. A
// 29 February is the 28th in other years.
func (s Schedule) At(period int) civil.Date {
	n := period * s.Every
	switch s.Unit {
	case Day:
		return s.Anchor.AddDays(n)
	case Week:
		return s.Anchor.AddDays(7 * n)
	case Year:
		n *= 12
	}
	last := civil.On(s.Anchor.Year(), s.Anchor.Month()+time.Month(n)+1, 0)
	if s.MonthEnd || s.Anchor.Day() > last.Day() {
		return last
	}
	return civil.On(last.Year(), last.Month(), s.Anchor.Day())
}

// From is the first period, not before period, that begins on a day or later.
func (s Schedule) From(period int, day civil.Date) int {
	for s.At(period).Before(day) {
		period++
	}
	return period
}
