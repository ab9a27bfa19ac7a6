// Package civil has the date of a calendar, without a time or a zone: what an invoice is due on. A time.Time at
// midnight changes its day when it crosses a zone; this cannot.
package civil

import (
	"database/sql/driver"
	"fmt"
	"time"

	"github.com/countinghouse/countinghouse/internal/fault"
)

// ErrDate refuses what is not a date.
var ErrDate = fault.New(fault.Invalid, "date.malformed", "Write the date as year-month-day, such as 2026-11-21.")

// Date is a day of the Gregorian calendar, from 1900 to 2199. The zero Date is no date.
type Date struct{ t time.Time } // midnight UTC

// On makes a date; days and months out of range carry over as time.Date does.
func On(year int, month time.Month, day int) Date {
	return Date{time.Date(year, month, day, 0, 0, 0, 0, time.UTC)}
}

// Of is the date on the wall calendar of a zone at a moment.
func Of(moment time.Time, zone *time.Location) Date { return On(moment.In(zone).Date()) }

// Parse reads YYYY-MM-DD (RFC 3339 full-date) and nothing else; ErrDate otherwise.
func Parse(s string) (Date, error) {
	t, err := time.Parse(time.DateOnly, s)
	if err != nil || t.Year() < 1900 || t.Year() > 2199 {
		return Date{}, ErrDate
	}
	return Date{t}, nil
}

// String is YYYY-MM-DD; "" for no date.
func (d Date) String() string {
	if d.IsZero() {
		return ""
	}
	return d.t.Format(time.DateOnly)
}

// IsZero reports whether it is no date.
func (d Date) IsZero() bool { return d.t.IsZero() }

// AddDays is the date n days later, or earlier when n is negative.
func (d Date) AddDays(n int) Date { return Date{d.t.AddDate(0, 0, n)} }

// DaysUntil counts the days from d to other; negative when other is earlier.
func (d Date) DaysUntil(other Date) int { return int(other.t.Sub(d.t) / (24 * time.Hour)) }

// Before reports whether d is earlier than other.
func (d Date) Before(other Date) bool { return d.t.Before(other.t) }

// After reports whether d is later than other.
func (d Date) After(other Date) bool { return d.t.After(other.t) }

// Year is the calendar year.
func (d Date) Year() int { return d.t.Year() }

// Month is the month of the year.
func (d Date) Month() time.Month { return d.t.Month() }

// Day is the day of the month.
func (d Date) Day() int { return d.t.Day() }

// Weekday is the day of the week.
func (d Date) Weekday() time.Weekday { return d.t.Weekday() }

// MarshalText writes what String gives.
func (d Date) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// UnmarshalText reads what Parse does.
func (d *Date) UnmarshalText(text []byte) (err error) {
	*d, err = Parse(string(text))
	return err
}

// Value gives a date column its text; NULL for no date.
func (d Date) Value() (driver.Value, error) {
	if d.IsZero() {
		return nil, nil
	}
	return d.String(), nil
}

// Scan reads a date column; NULL is no date.
func (d *Date) Scan(src any) error {
	switch v := src.(type) {
	case nil:
		*d = Date{}
	case time.Time:
		*d = On(v.Date())
	default:
		return fmt.Errorf("a date cannot be read from %T", src)
	}
	return nil
}
