package tenant

import (
	"context"
	"sync"
	"time"

	"github.com/countinghouse/countinghouse/internal/fault"
)

// ErrBusy is the answer to an organization that has so much under way that its next request would wait too long.
var ErrBusy = fault.New(fault.TooMany, "organization.busy", "This organization has a lot under way at the moment. Nothing was changed; try again shortly.")

const (
	turnPatience = 10 * time.Second
	turnQueue    = 200 // that wait for a turn of one organization
)

// turns bounds how much of a process each organization has at once, so that one which is at full blast leaves
// connections to the others of its compartment. Whoever is above the bound waits in its own organization's line.
type turns struct {
	most int

	mu   sync.Mutex
	held map[OrganizationID]*turn // of those that have anything under way
}

type turn struct {
	free  chan struct{} // holds what may yet begin
	users int           // that hold a place or wait for one
}

// take waits for a place, which leave gives back. It fails with ErrBusy, and with the context's error.
func (t *turns) take(ctx context.Context, o OrganizationID) (leave func(), err error) {
	t.mu.Lock()
	mine, ok := t.held[o]
	if !ok {
		mine = &turn{free: make(chan struct{}, t.most)}
		for range t.most {
			mine.free <- struct{}{}
		}
		if t.held == nil {
			t.held = map[OrganizationID]*turn{}
		}
		t.held[o] = mine
	}
	if mine.users >= t.most+turnQueue {
		t.mu.Unlock()
		return nil, ErrBusy
	}
	mine.users++
	t.mu.Unlock()
	select { // most often there is one
	case <-mine.free:
		return func() { t.leave(o, mine, true) }, nil
	default:
	}
	late := time.NewTimer(turnPatience)
	defer late.Stop()
	select {
	case <-mine.free:
		return func() { t.leave(o, mine, true) }, nil
	case <-late.C:
		err = ErrBusy
	case <-ctx.Done():
		err = ctx.Err()
	}
	t.leave(o, mine, false)
	return nil, err
}

func (t *turns) leave(o OrganizationID, mine *turn, held bool) {
	if held {
		mine.free <- struct{}{}
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if mine.users--; mine.users == 0 {
		delete(t.held, o)
	}
}
