package notify

import (
	"context"
	"sync"
	"time"
)

// outboxMax is how many mails an Outbox holds; older ones are forgotten.
const outboxMax = 200

// Outbox keeps the newest mails in memory instead of sending them, to be read on a page in `dev` and by tests. Its
// zero value is ready; it is safe for concurrent use.
type Outbox struct {
	mu    sync.Mutex
	mails []Mail // a ring, once it is full
	next  int    // where the oldest is
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
	if len(o.mails) < outboxMax {
		o.mails = append(o.mails, m)
		return nil
	}
	o.mails[o.next] = m
	o.next = (o.next + 1) % outboxMax
	return nil
}

// All gives the mails, newest first.
func (o *Outbox) All() []Mail {
	o.mu.Lock()
	defer o.mu.Unlock()
	n := len(o.mails)
	all := make([]Mail, 0, n)
	for i := range n {
		all = append(all, o.mails[(o.next+n-1-i)%n])
	}
	return all
}
