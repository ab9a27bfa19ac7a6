package main

import (
	"context"
	"errors"
	"math/rand/v2"
	"runtime/pprof"
	"sync"
	"sync/atomic"
	"time"
)

// slot is what was counted of one slice.
type slot struct {
	begin, end time.Time
	operations int
	used       usage
}

func (s slot) holds(t time.Time) bool { return t.After(s.begin) && !t.After(s.end) }

// watch lets lead pass and then opens a window of a slice's length.
func (m meter) watch(ctx context.Context, lead, slice time.Duration) (s slot, err error) {
	if err := pass(ctx, lead); err != nil {
		return s, err
	}
	before := m.read()
	s.begin = time.Now()
	if err := pass(ctx, slice); err != nil {
		return s, err
	}
	s.end = time.Now()
	s.used = m.read().since(before)
	return s, nil
}

func pass(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// drive has clients call at once, and counts the answers that came within the window.
func (m meter) drive(ctx context.Context, callers []*caller, lead, slice time.Duration, call func(c *caller, random *rand.Rand) error) (slot, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var over atomic.Bool
	answered := make([][]time.Time, len(callers))
	failed := make([]error, len(callers))
	var all sync.WaitGroup
	for n, c := range callers {
		all.Go(func() {
			// A profile tells the clients from the service by this.
			pprof.Do(ctx, pprof.Labels("side", "client"), func(context.Context) {
				random := rand.New(rand.NewPCG(uint64(n), uint64(time.Now().UnixNano())))
				for !over.Load() {
					if failed[n] = call(c, random); failed[n] != nil {
						cancel()
						return
					}
					answered[n] = append(answered[n], time.Now())
				}
			})
		})
	}
	s, err := m.watch(ctx, lead, slice)
	over.Store(true)
	all.Wait()
	if broken := errors.Join(failed...); broken != nil {
		return s, broken
	}
	for _, times := range answered {
		for _, t := range times {
			if s.holds(t) {
				s.operations++
			}
		}
	}
	return s, err
}
