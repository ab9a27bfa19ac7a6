package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"
)

// mishap is something that breaks, and is mended.
type mishap struct {
	name   string
	strike func(ctx context.Context) error
	// met says that the load has felt it, or that it ran through it.
	met  func(since moment) bool
	mend func(ctx context.Context) error
}

// moment is how far the load was.
type moment struct {
	at                                   time.Time
	acknowledged, failed, signedUp, kept int64
}

func (w *world) now() moment {
	return moment{time.Now(), w.load.acknowledged.Load(), w.load.failed.Load(), w.load.signedUp.Load(), w.load.kept.Load()}
}

// failing is when tries fail.
func (w *world) failing(since moment) bool { return w.load.failed.Load() >= since.failed+3 }

// going is when writes go through all the same.
func (w *world) going(since moment) bool { return w.load.acknowledged.Load() >= since.acknowledged+20 }

// felt is either: a server that is back at once may be missed by nobody.
func (w *world) felt(since moment) bool { return w.failing(since) || w.going(since) }

// still is when nothing has gone through for a second.
func (w *world) still(since moment) bool {
	return time.Since(since.at) > time.Second && time.Since(time.Unix(0, w.load.last.Load())) > time.Second
}

func nothing(context.Context) error { return nil }

// faults are all that can be had here.
func (w *world) faults(chance *rand.Rand) []mishap {
	all := []mishap{
		{"server killed", func(context.Context) error { return w.servers[chance.IntN(2)].process.kill(false) }, w.felt, nothing},
		{"worker killed", func(context.Context) error { return w.worker.kill(false) }, w.going, nothing},
		{"PostgreSQL killed", func(context.Context) error { return w.cluster.nodes[w.cluster.first].process.kill(chance.IntN(2) == 0) }, w.failing, nothing},
		{"first PostgreSQL lost, replica promoted", w.failOver, w.failing, w.cluster.replicate},
		{"network cut", func(context.Context) error { w.line.set(refusing); return nil }, w.failing, func(context.Context) error { w.line.set(passing); return nil }},
		{"network silent", func(context.Context) error { w.line.set(silent); return nil }, w.still, func(context.Context) error { w.line.set(passing); return nil }},
		w.clockJump(chance),
	}
	if w.vault != nil {
		all = append(all, mishap{"Vault sealed", w.vault.seal, w.failing, w.vault.unseal})
	}
	if w.cluster.nodes[0].disk && w.cluster.nodes[1].disk {
		var free func() error
		all = append(all, mishap{"disk filled", func(context.Context) (err error) {
			free, err = w.cluster.fill()
			return err
		}, w.failing, func(context.Context) error { return free() }})
	}
	return all
}

func (w *world) failOver(ctx context.Context) error {
	err := w.cluster.failOver(ctx)
	w.line.lead(w.cluster.address())
	return err
}

// clockJump sets one server's clock wrong by up to 25 minutes, either way, so that two are apart by less than an hour: by
// that much whoever verifies a chain lets the times of its rows differ from their order. A chain made by clocks that are
// further apart is told to be broken, though nothing is lost: found here, with jumps of three hours.
func (w *world) clockJump(chance *rand.Rand) mishap {
	at := 0
	return mishap{"clock of a server jumps", func(context.Context) error {
		at = chance.IntN(2)
		return w.servers[at].setClock(time.Duration(chance.IntN(50*60)-25*60) * time.Second)
	}, w.going, func(context.Context) error { return w.servers[at].setClock(0) }}
}

const patience = 90 * time.Second

// meet lets one thing happen while the load runs, and waits until all is well again.
func (w *world) meet(ctx context.Context, m mishap, met *report) error {
	fail := func(err error) error { return fmt.Errorf("%s: %w", m.name, errors.Join(err, w.load.wrong())) }
	wait := func(what string, so func() bool) error {
		return await(ctx, what, patience, func() bool { return so() || w.load.wrong() != nil })
	}
	began := w.now()
	if err := wait("the load runs", func() bool { return w.load.acknowledged.Load() >= began.acknowledged+10 }); err != nil {
		return fail(err)
	}
	broken := w.now()
	if err := m.strike(ctx); err != nil {
		return fail(err)
	}
	if err := wait("the load feels it", func() bool { return m.met(broken) }); err != nil {
		return fail(err)
	}
	mended := w.now()
	if err := m.mend(ctx); err != nil {
		return fail(err)
	}
	// Each kind of write goes through again, and without a failure for a while.
	after := w.now()
	if err := wait("every kind of write goes through again", func() bool {
		return w.load.acknowledged.Load() >= after.acknowledged+10 && w.load.kept.Load() > after.kept
	}); err != nil {
		return fail(err)
	}
	met.add(m.name, mended.at.Sub(broken.at), time.Since(mended.at), w.load.failed.Load()-broken.failed)
	return w.load.wrong()
}

// report is what was met.
type report struct {
	began  time.Time
	took   time.Duration
	faults []survived
	left   []string
}

type survived struct {
	name          string
	times         int
	longest       time.Duration // until every kind of write went through again
	failed        int64
	longestBroken time.Duration
}

func (r *report) add(name string, broken, until time.Duration, failed int64) {
	at := slices.IndexFunc(r.faults, func(s survived) bool { return s.name == name })
	if at < 0 {
		r.faults = append(r.faults, survived{name: name})
		at = len(r.faults) - 1
	}
	s := &r.faults[at]
	s.times++
	s.longest, s.longestBroken = max(s.longest, until), max(s.longestBroken, broken)
	s.failed += failed
}

// String is the first half of what is told.
func (r report) String() string {
	var b strings.Builder
	times := 0
	fmt.Fprintf(&b, "%-42s %5s %16s %14s %16s\n", "fault", "times", "broken at most", "tries failed", "well again after")
	for _, s := range r.faults {
		times += s.times
		fmt.Fprintf(&b, "%-42s %5d %16v %14d %16v\n", s.name, s.times, s.longestBroken.Round(time.Millisecond), s.failed, s.longest.Round(time.Millisecond))
	}
	fmt.Fprintf(&b, "survived %d faults of %d kinds in %v\n", times, len(r.faults), r.took.Round(time.Second))
	for _, left := range r.left {
		fmt.Fprintf(&b, "NOT TRIED: %s\n", left)
	}
	return b.String()
}
