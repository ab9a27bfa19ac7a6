package subscription_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/countinghouse/countinghouse/billing/subscription"
	"github.com/countinghouse/countinghouse/internal/civil"
)

func TestSchedule(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name     string
		unit     subscription.Unit
		every    int
		anchor   string
		monthEnd bool
		want     string
	}{
		{"the 31st comes back after short months", subscription.Month, 1, "2027-01-31", false, "2027-01-31 2027-02-28 2027-03-31 2027-04-30 2027-05-31"},
		{"February of a leap year", subscription.Month, 1, "2028-01-30", false, "2028-01-30 2028-02-29 2028-03-30"},
		{"the 29th in common and leap years", subscription.Month, 12, "2027-11-29", false, "2027-11-29 2028-11-29"},
		{"last days of months", subscription.Month, 1, "2027-02-28", true, "2027-02-28 2027-03-31 2027-04-30"},
		{"the 28th without that", subscription.Month, 1, "2027-02-28", false, "2027-02-28 2027-03-28 2027-04-28"},
		{"quarters over the year's end", subscription.Month, 3, "2027-11-30", false, "2027-11-30 2028-02-29 2028-05-30 2028-08-30"},
		{"a leap day each year", subscription.Year, 1, "2028-02-29", false, "2028-02-29 2029-02-28 2030-02-28 2031-02-28 2032-02-29"},
		{"every four years", subscription.Year, 4, "2096-02-29", false, "2096-02-29 2100-02-28 2104-02-29"},
		{"weeks over both changes of clocks", subscription.Week, 2, "2027-03-21", false, "2027-03-21 2027-04-04 2027-04-18"},
		{"days over a leap day", subscription.Day, 30, "2028-02-15", false, "2028-02-15 2028-03-16 2028-04-15"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := subscription.Schedule{Unit: c.unit, Every: c.every, Anchor: on(c.anchor), MonthEnd: c.monthEnd}
			var got []string
			for k := range strings.Fields(c.want) {
				got = append(got, s.At(k).String())
			}
			if !slices.Equal(got, strings.Fields(c.want)) {
				t.Errorf("%v, not %s", got, c.want)
			}
		})
	}
}

// TestScheduleKeepsItsDays walks through years by each hour of a zone's clock: each period begins on one day, at the
// first moment of that day on the wall, whatever the clocks do.
func TestScheduleKeepsItsDays(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ zone, from, until string }{
		{"Europe/Dublin", "2027-01-01", "2028-12-31"},
		{"America/Sao_Paulo", "2017-01-01", "2019-12-31"}, // midnight was left out each October or November
		{"Pacific/Apia", "2011-01-01", "2012-12-31"},      // 30 December 2011 was left out
	} {
		zone, err := time.LoadLocation(c.zone)
		if err != nil {
			t.Fatal(err)
		}
		s := subscription.Schedule{Unit: subscription.Day, Every: 1, Anchor: on(c.from)}
		next, seen := 0, 0
		start := time.Date(s.Anchor.Year(), s.Anchor.Month(), s.Anchor.Day(), 0, 0, 0, 0, zone)
		for at := start; !civil.Of(at, zone).After(on(c.until)); at = at.Add(30 * time.Minute) {
			today := civil.Of(at, zone)
			due := 0
			for !s.At(next).After(today) {
				next++
				due++
			}
			seen += due
			if skipped := today.String() == "2011-12-31" && c.zone == "Pacific/Apia"; due > 1 && !(skipped && due == 2) {
				t.Fatalf("%s: %d periods begin at %s", c.zone, due, at)
			}
		}
		if want := on(c.from).DaysUntil(on(c.until)) + 1; seen != want {
			t.Errorf("%s: %d days are billed of %d", c.zone, seen, want)
		}
	}
}

func on(s string) civil.Date {
	d, err := civil.Parse(s)
	if err != nil {
		panic(err)
	}
	return d
}
