// Package ready says whether a process can take work.
//
// Everybody may ask whether; only operators may ask why not: what is wrong names hosts and parts of ours.
package ready

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"
)

// ErrDraining says that the process is ending, and finishes what it began.
var ErrDraining = errors.New("this process is ending: it finishes what it began and takes nothing new")

// remembered is for how long an answer is given again, so that asking costs nothing however often it is done.
const remembered = time.Second

// patience bounds one check.
const patience = 2 * time.Second

// Check is one thing that must be right.
type Check struct {
	Name string
	// Soft says that the process works without it, if not in all that it does: it is told and keeps nothing from being ready.
	Soft bool
	Run  func(ctx context.Context) error
}

// Finding is what a check found.
type Finding struct {
	Name string `json:"name"`
	Soft bool   `json:"soft,omitempty"`
	OK   bool   `json:"ok"`
	Say  string `json:"error,omitempty"`
}

// Ready asks the checks. The zero Ready has none, and is ready. It is safe for concurrent use.
type Ready struct {
	draining atomic.Bool

	mu     sync.Mutex
	checks []Check
	asked  time.Time
	last   []Finding
}

// Add adds checks.
func (r *Ready) Add(checks ...Check) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.checks, r.asked = append(r.checks, checks...), time.Time{}
}

// Drain makes it say no from now on.
func (r *Ready) Drain() { r.draining.Store(true) }

// Draining says whether Drain was called.
func (r *Ready) Draining() bool { return r.draining.Load() }

// Look gives what every check found, at most a second ago, and whether the process is ready.
func (r *Ready) Look(ctx context.Context) (ready bool, found []Finding) {
	r.mu.Lock()
	if time.Since(r.asked) > remembered {
		r.last, r.asked = r.ask(ctx), time.Now()
	}
	found = append([]Finding{}, r.last...)
	r.mu.Unlock()
	if r.Draining() {
		found = append(found, Finding{Name: "draining", Say: ErrDraining.Error()})
	}
	for _, f := range found {
		if !f.OK && !f.Soft {
			return false, found
		}
	}
	return true, found
}

func (r *Ready) ask(ctx context.Context) []Finding {
	// The answer is for others too: whoever gives up waiting does not decide it.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), patience)
	defer cancel()
	found := make([]Finding, len(r.checks))
	var all sync.WaitGroup
	for i, c := range r.checks {
		all.Go(func() {
			found[i] = Finding{Name: c.Name, Soft: c.Soft, OK: true}
			if err := c.Run(ctx); err != nil {
				found[i].OK, found[i].Say = false, err.Error()
				if cause := errors.Unwrap(err); cause != nil {
					found[i].Say += " (" + cause.Error() + ")"
				}
			}
		})
	}
	all.Wait()
	return found
}
