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

func timed(machine, human string) template.HTML {
	return template.HTML(`<time datetime="` + template.HTMLEscapeString(machine) + `">` + template.HTMLEscapeString(human) + `</time>`)
}
