// Package limit counts how much somebody asks for, and says when it is too much.
//
// Each process counts for itself, in memory that is bounded: this keeps one caller from crowding out the others, where
// an answer a moment later does no harm. What must hold across processes, such as tries of a password, counts in SQL.
// The count is that of the generic cell rate algorithm (ITU-T I.371): one moment for each caller, no windows whose
// edges let twice as much through.
package limit

import (
	"sync"
	"time"

	lru "github.com/hashicorp/golang-lru/v2/simplelru"
)

// remembered bounds how many callers a counter knows: those that came last.
const remembered = 50_000

// window is the time that a quota is for.
const window = time.Minute

// Counter counts the requests of many callers against one quota. It is safe for concurrent use.
type Counter struct {
	quota int
	now   func() time.Time

	mu    sync.Mutex
	until *lru.LRU[string, time.Time] // when a caller's quota is whole again
}

// NewCounter makes a counter of so many requests a minute; nil, which refuses nobody, for 0.
func NewCounter(perMinute int, now func() time.Time) *Counter {
	if perMinute <= 0 {
		return nil
	}
	until, err := lru.NewLRU[string, time.Time](remembered, nil)
	if err != nil {
		panic(err) // a size that is a constant above nothing
	}
	return &Counter{quota: perMinute, now: now, until: until}
}

// State is how a caller stands.
type State struct {
	Refused bool
	Quota   int           // requests a minute
	Left    int           // that may come at once
	Whole   time.Duration // until the whole quota is there again
	Retry   time.Duration // of one that is refused: until one would pass
}

// Take counts one request of a caller. One that is refused does not count. It is not for nil.
func (c *Counter) Take(caller string) State {
	c.mu.Lock()
	defer c.mu.Unlock()
	now, each := c.now(), window/time.Duration(c.quota)
	until, _ := c.until.Get(caller)
	if until.Before(now) {
		until = now
	}
	next := until.Add(each)
	s := State{Quota: c.quota, Whole: next.Sub(now)}
	if s.Whole > window {
		s.Refused, s.Whole, s.Retry = true, until.Sub(now), s.Whole-window
		return s
	}
	c.until.Add(caller, next)
	s.Left = int((window - s.Whole) / each)
	return s
}
