package page

import (
	"fmt"
	"html/template"
	"reflect"
	"time"
)

// calendar is a day of the calendar, as time.Time and other types of dates tell it.
type calendar interface {
	Date() (year int, month time.Month, day int)
}

const (
	isoLayout  = "2006-01-02"
	oneDay     = 24 * time.Hour
	noDate     = template.HTML(`<span class="faint">–</span>`)
	daysNearby = 6 // a weekday's name says which day only within a week
)

// calendarDay reads a date; ok is false for none: nil, an empty string, the zero time. The day is given as its
// midnight in UTC, so that days can be counted.
func calendarDay(value any) (day time.Time, ok bool, err error) {
	if v := reflect.ValueOf(value); !v.IsValid() || v.Kind() == reflect.Pointer && v.IsNil() || v.IsZero() {
		return time.Time{}, false, nil
	}
	if v := reflect.ValueOf(value); v.Kind() == reflect.Pointer {
		return calendarDay(v.Elem().Interface())
	}
	switch v := value.(type) {
	case calendar:
		year, month, d := v.Date()
		return time.Date(year, month, d, 0, 0, 0, 0, time.UTC), true, nil
	case fmt.Stringer:
		day, err = time.Parse(isoLayout, v.String())
	case string:
		day, err = time.Parse(isoLayout, v)
	default:
		err = fmt.Errorf("%T is no date", value)
	}
	return day, err == nil, err
}

func isoDate(value any) (string, error) {
	day, ok, err := calendarDay(value)
	if err != nil || !ok {
		return "", err
	}
	return day.Format(isoLayout), nil
}

// date writes a date: 9 Nov this year, 9 Nov 2025 in another; a dash for none.
func date(today, value any) (template.HTML, error) {
	now, _, err := calendarDay(today)
	if err != nil {
		return "", err
	}
	day, ok, err := calendarDay(value)
	if err != nil {
		return "", err
	}
	if !ok {
		return noDate, nil
	}
	return timed(day.Format(isoLayout), short(now, day)), nil
}

// day is date, but names a day close by: Today, Yesterday, Tomorrow, Friday.
func day(today, value any) (template.HTML, error) {
	now, _, err := calendarDay(today)
	if err != nil {
		return "", err
	}
	day, ok, err := calendarDay(value)
	if err != nil {
		return "", err
	}
	if !ok {
		return noDate, nil
	}
	return timed(day.Format(isoLayout), near(now, day)), nil
}

// when writes a moment: Today, 16:41, or 9 Nov, 16:41. now gives the day and the time zone to tell it in.
func when(now, moment time.Time) template.HTML {
	if moment.IsZero() {
		return noDate
	}
	local := moment.In(now.Location())
	today, _, _ := calendarDay(now)
	day, _, _ := calendarDay(local)
	return timed(local.Format(time.RFC3339), near(today, day)+", "+local.Format("15:04"))
}

// moment is when for the middle of a sentence: 9 Nov, 16:41. now gives the time zone to tell it in.
func moment(now, moment time.Time) template.HTML {
	local := moment.In(now.Location())
	today, _, _ := calendarDay(now)
	day, _, _ := calendarDay(local)
	return timed(local.Format(time.RFC3339), short(today, day)+", "+local.Format("15:04"))
}

// fullDate writes a date in full: Monday 23 November 2026.
func fullDate(value any) (template.HTML, error) {
	day, ok, err := calendarDay(value)
	if err != nil || !ok {
		return noDate, err
	}
	return timed(day.Format(isoLayout), day.Format("Monday 2 January 2006")), nil
}

// longDate writes a date with its year, for paper: 9 Nov 2026.
func longDate(value any) (template.HTML, error) {
	day, ok, err := calendarDay(value)
	if err != nil || !ok {
		return noDate, err
	}
	return timed(day.Format(isoLayout), day.Format("2 Jan 2006")), nil
}

func short(today, day time.Time) string {
	if day.Year() == today.Year() {
		return day.Format("2 Jan")
	}
	return day.Format("2 Jan 2006")
}

func near(today, day time.Time) string {
	switch days := int(day.Sub(today) / oneDay); {
	case days == 0:
		return "Today"
	case days == -1:
		return "Yesterday"
	case days == 1:
		return "Tomorrow"
	case -daysNearby <= days && days <= daysNearby:
		return day.Format("Monday")
	}
	return short(today, day)
}

func timed(machine, human string) template.HTML {
	return template.HTML(`<time datetime="` + template.HTMLEscapeString(machine) + `">` + template.HTMLEscapeString(human) + `</time>`)
}
