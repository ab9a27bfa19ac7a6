package notify

import (
	"context"
	"sync"
	"time"
)

// outboxMax is how many mails, and how many text messages, an Outbox holds; older ones are forgotten.
const outboxMax = 200

// Outbox keeps the newest mails and text messages in memory instead of sending them, to be read on a page in `dev` and
// by tests. Its zero value is ready; it is safe for concurrent use.
type Outbox struct {
	mu    sync.Mutex
	mails ring[Mail]
	texts ring[SMS]
}

// Send keeps a mail. It refuses with ErrMalformed what could not be sent either.
func (o *Outbox) Send(_ context.Context, m Mail) error {
	if err := m.check(); err != nil {
		return err
	}
	if m.At.IsZero() {
		m.At = time.Now()
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	o.mails.add(m)
	return nil
}

// Text keeps a text message or call. It refuses with ErrMalformedSMS what could not be sent either.
func (o *Outbox) Text(_ context.Context, m SMS) error {
	if err := m.check(); err != nil {
		return err
	}
	if m.At.IsZero() {
		m.At = time.Now()
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	o.texts.add(m)
	return nil
}

// All gives the mails, newest first.
func (o *Outbox) All() []Mail {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.mails.newest()
}

// Texts gives the text messages and calls, newest first.
func (o *Outbox) Texts() []SMS {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.texts.newest()
}

// ring holds the newest outboxMax of what was added.
type ring[T any] struct {
	held []T
	next int // where the oldest is, once it is full
}

func (r *ring[T]) add(v T) {
	if len(r.held) < outboxMax {
		r.held = append(r.held, v)
		return
	}
	r.held[r.next] = v
	r.next = (r.next + 1) % outboxMax
}

func (r *ring[T]) newest() []T {
	n := len(r.held)
	all := make([]T, 0, n)
	for i := range n {
		all = append(all, r.held[(r.next+n-1-i)%n])
	}
	return all
}
