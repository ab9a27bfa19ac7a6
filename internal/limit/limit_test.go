package limit

import (
	"testing"
	"time"
)

func TestCounter(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	c := NewCounter(60, func() time.Time { return now })
	for i := range 60 {
		if s := c.Take("a"); s.Refused || s.Left != 59-i {
			t.Fatalf("request %d: %+v", i+1, s)
		}
	}
	if s := c.Take("a"); !s.Refused || s.Retry != time.Second || s.Left != 0 {
		t.Errorf("one too many: %+v", s)
	}
	if s := c.Take("b"); s.Refused {
		t.Error("another caller pays for it")
	}
	now = now.Add(999 * time.Millisecond)
	if s := c.Take("a"); !s.Refused {
		t.Errorf("too soon: %+v", s)
	}
	now = now.Add(time.Millisecond)
	if s := c.Take("a"); s.Refused {
		t.Errorf("a second later: %+v", s)
	}
	// In no minute, wherever it begins, do more pass than the quota and what came back meanwhile.
	passed := 0
	for range 6000 {
		now = now.Add(10 * time.Millisecond)
		if !c.Take("a").Refused {
			passed++
		}
	}
	if passed > 61 || passed < 59 {
		t.Errorf("%d pass in a minute", passed)
	}
	now = now.Add(time.Hour)
	if s := c.Take("a"); s.Left != 59 || s.Whole != time.Second {
		t.Errorf("rested: %+v", s)
	}
}

func TestCounterForgetsTheOldest(t *testing.T) {
	t.Parallel()
	now := time.Now()
	c := NewCounter(1, func() time.Time { return now })
	for i := range remembered + 10 {
		c.Take(time.Duration(i).String())
	}
	if got := c.until.Len(); got != remembered {
		t.Errorf("it remembers %d", got)
	}
}
