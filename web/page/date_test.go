package page

import (
	"testing"
	"time"
)

func TestDates(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		value     any
		date, day string
	}{
		{"2026-11-23", "23 Nov", "Today"},
		{"2026-11-22", "22 Nov", "Yesterday"},
		{"2026-11-24", "24 Nov", "Tomorrow"},
		{"2026-11-20", "20 Nov", "Friday"},
		{"2026-11-16", "16 Nov", "16 Nov"},
		{"2026-11-30", "30 Nov", "30 Nov"},
		{"2025-11-09", "9 Nov 2025", "9 Nov 2025"},
		{"2027-01-01", "1 Jan 2027", "1 Jan 2027"},
	} {
		at, err := time.Parse(isoLayout, c.value.(string))
		if err != nil {
			t.Fatal(err)
		}
		for _, value := range []any{c.value, at, &at} {
			iso := c.value.(string)
			if got, err := english.date(now, value); err != nil || string(got) != `<time datetime="`+iso+`">`+c.date+`</time>` {
				t.Errorf("date(%v) = %q, %v; want %s", value, got, err, c.date)
			}
			if got, err := english.day(now, value); err != nil || string(got) != `<time datetime="`+iso+`">`+c.day+`</time>` {
				t.Errorf("day(%v) = %q, %v; want %s", value, got, err, c.day)
			}
		}
	}
	for _, none := range []any{nil, "", time.Time{}, (*time.Time)(nil)} {
		if got, err := english.date(now, none); err != nil || got != noDate {
			t.Errorf("date(%v) = %q, %v; want a dash", none, got, err)
		}
	}
	for _, wrong := range []any{"9 Nov", 12} {
		if got, err := english.date(now, wrong); err == nil {
			t.Errorf("date(%v) = %q, want an error", wrong, got)
		}
	}
}

func TestWhen(t *testing.T) {
	t.Parallel()
	tokyo := time.FixedZone("Asia/Tokyo", 9*60*60)
	// 23:30 on the 22nd in UTC is the morning of the 23rd in Tokyo.
	moment := time.Date(2026, time.November, 22, 23, 30, 0, 0, time.UTC)
	if got := string(english.when(now.In(tokyo), moment)); got != `<time datetime="2026-11-23T08:30:00+09:00">Today, 08:30</time>` {
		t.Errorf("in Tokyo: %s", got)
	}
	if got := string(english.when(now, moment)); got != `<time datetime="2026-11-22T23:30:00Z">Yesterday, 23:30</time>` {
		t.Errorf("in Dublin: %s", got)
	}
}
