package secrets

import (
	"context"
	"errors"
	"sync"
	"time"
)

const (
	breaksAfter = 5               // failures in a row
	opensFor    = 2 * time.Second // until one call may try
)

// breaker keeps callers from waiting for a Vault that is away: after some failures in a row it refuses at once,
// with the last error, and now and then lets one call through to see whether Vault is back.
type breaker struct {
	now func() time.Time

	mu     sync.Mutex
	failed int
	last   error
	tryAt  time.Time
}

// allow answers the last error while the circuit is open.
func (b *breaker) allow() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.failed < breaksAfter {
		return nil
	}
	now := b.now()
	if now.Before(b.tryAt) {
		return b.last
	}
	b.tryAt = now.Add(opensFor) // this one tries; the others wait for what it finds
	return nil
}

// note counts what became of a call. A caller's own giving up says nothing of Vault, nor does its refusal of one
// request; but a refusal shows that Vault is there.
func (b *breaker) note(ctx context.Context, err error) {
	if ctx.Err() != nil {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if !errors.Is(err, ErrUnavailable) || errors.Is(err, ErrRefused) {
		b.failed, b.last = 0, nil
		return
	}
	b.failed++
	b.last = err
	if b.failed >= breaksAfter {
		b.tryAt = b.now().Add(opensFor)
	}
}
