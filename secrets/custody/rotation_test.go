package custody_test

import (
	"context"
	"errors"
	"maps"
	"sync"
	"testing"
	"time"

	"github.com/countinghouse/countinghouse/secrets"
	"github.com/countinghouse/countinghouse/secrets/custody"
	"github.com/countinghouse/countinghouse/tenant"
)

func (h *house) rotator(keyring secrets.Keyring) custody.Rotator {
	return custody.Rotator{DB: h.db, Keyring: keyring, Columns: []tenant.SealedColumn{things}}
}

// watched calls a function before each batch is sealed anew.
type watched struct {
	secrets.Keyring
	before func(ctx context.Context)
}

func (w watched) RewrapAll(ctx context.Context, items []secrets.Sealed) []secrets.Result[string] {
	w.before(ctx)
	return w.Keyring.RewrapAll(ctx, items)
}

func TestRotate(t *testing.T) {
	t.Parallel()
	h := newHouse(t, 250)
	old, err := h.stored(t.Context(), h.rows[0])
	if err != nil {
		t.Fatal(err)
	}
	reading, stop := context.WithCancel(t.Context())
	var readers sync.WaitGroup
	for n := range 2 {
		readers.Go(func() {
			for i := n; reading.Err() == nil; i++ {
				if err := h.read(t.Context(), h.rows[i%len(h.rows)]); err != nil {
					t.Errorf("while the key is renewed: %v", err)
					return
				}
			}
		})
	}
	outcome, err := h.rotator(h.keyring).Rotate(t.Context(), h.scope)
	if err != nil || outcome.Done || outcome.Version != 2 || outcome.Rewrapped != 250 {
		t.Errorf("the first run: %+v, %v", outcome, err)
	}
	// A request that began before the rotation stores what the older version sealed: it opens, and is found.
	h.store(t, h.rows[7], old)
	if _, err := h.keyring.Open(t.Context(), h.place(h.rows[0]), old); err != nil {
		t.Errorf("before all is over the older version is retired: %v", err)
	}
	text := h.seal(t, h.rows[7])
	h.store(t, h.rows[7], text)
	h.clock.Advance(3 * time.Minute)
	if outcome, err = h.rotator(h.keyring).Rotate(t.Context(), h.scope); err != nil || !outcome.Done {
		t.Errorf("the second run: %+v, %v", outcome, err)
	}
	stop()
	readers.Wait()
	if got := h.versions(t); !maps.Equal(got, map[int]int{2: 250}) {
		t.Errorf("stored by version: %v", got)
	}
	if _, err := h.keyring.Open(t.Context(), h.place(h.rows[0]), old); !errors.Is(err, secrets.ErrRetired) {
		t.Errorf("a copy of before opens: %v", err)
	}
	for _, row := range h.rows {
		if err := h.read(t.Context(), row); err != nil {
			t.Error(err)
		}
	}
}

func TestRotateIsCutShort(t *testing.T) {
	t.Parallel()
	h := newHouse(t, 250)
	hangs, goes, ended := make(chan struct{}), make(chan struct{}), make(chan error, 1)
	batches := 0
	stuck := watched{h.keyring, func(context.Context) {
		if batches++; batches == 2 {
			close(hangs)
			<-goes
		}
	}}
	go func() {
		_, err := h.rotator(stuck).Rotate(t.Context(), h.scope)
		ended <- err
	}()
	<-hangs // as if it were killed, for all that others see
	if got := h.versions(t); !maps.Equal(got, map[int]int{1: 150, 2: 100}) {
		t.Errorf("in the middle: %v", got)
	}
	for _, row := range h.rows {
		if err := h.read(t.Context(), row); err != nil {
			t.Errorf("in the middle: %v", err)
		}
	}
	if _, err := h.rotator(h.keyring).Rotate(t.Context(), h.scope); !errors.Is(err, custody.ErrUnderWay) {
		t.Errorf("two at once: %v", err)
	}
	h.clock.Advance(61 * time.Second)
	counting := 0
	outcome, err := h.rotator(watched{h.keyring, func(context.Context) { counting++ }}).Rotate(t.Context(), h.scope)
	if err != nil || outcome.Version != 2 || outcome.Rewrapped != 250 || counting != 2 {
		t.Errorf("taken up: %+v, %v, after %d more batches", outcome, err, counting)
	}
	close(goes)
	if err := <-ended; !errors.Is(err, custody.ErrUnderWay) {
		t.Errorf("the one that hung goes on: %v", err)
	}
	h.clock.Advance(3 * time.Minute)
	for range 2 { // what was taken up walks once more from the beginning
		if outcome, err = h.rotator(h.keyring).Rotate(t.Context(), h.scope); err != nil {
			t.Fatal(err)
		}
		if outcome.Done {
			break
		}
	}
	if got := h.versions(t); !outcome.Done || !maps.Equal(got, map[int]int{2: 250}) {
		t.Errorf("at the end: %v, %+v", got, outcome)
	}
}

func TestRotateLeavesWhatChangedMeanwhile(t *testing.T) {
	t.Parallel()
	h := newHouse(t, 3)
	var entered string
	_, err := h.rotator(watched{h.keyring, func(context.Context) {
		entered = h.seal(t, h.rows[1])
		h.store(t, h.rows[1], entered)
	}}).Rotate(t.Context(), h.scope)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := h.stored(t.Context(), h.rows[1]); err != nil || got != entered {
		t.Errorf("what was entered meanwhile is overwritten: %v", err)
	}
}

// TestRotateGoesOnPastWhatIsUnreadable has a value that somebody moved from another row.
func TestRotateGoesOnPastWhatIsUnreadable(t *testing.T) {
	t.Parallel()
	h := newHouse(t, 3)
	moved, err := h.stored(t.Context(), h.rows[0])
	if err != nil {
		t.Fatal(err)
	}
	h.store(t, h.rows[1], moved)
	if _, err := h.rotator(h.keyring).Rotate(t.Context(), h.scope); err != nil {
		t.Fatal(err)
	}
	h.clock.Advance(3 * time.Minute)
	outcome, err := h.rotator(h.keyring).Rotate(t.Context(), h.scope)
	if err != nil || !outcome.Done || outcome.Unreadable != 1 || outcome.Rewrapped != 2 {
		t.Errorf("%+v, %v", outcome, err)
	}
	if got, err := h.stored(t.Context(), h.rows[1]); err != nil || got != moved {
		t.Errorf("it was changed: %v", err)
	}
}

// away has no keys to give.
type away struct{ secrets.Keyring }

func (away) RewrapAll(_ context.Context, items []secrets.Sealed) []secrets.Result[string] {
	results := make([]secrets.Result[string], len(items))
	for i := range results {
		results[i].Err = secrets.ErrSealed
	}
	return results
}

func TestRotateWithoutKeyringRetiresNothing(t *testing.T) {
	t.Parallel()
	h := newHouse(t, 3)
	for range 2 {
		if _, err := h.rotator(away{h.keyring}).Rotate(t.Context(), h.scope); !errors.Is(err, secrets.ErrSealed) {
			t.Errorf("Rotate: %v", err)
		}
		h.clock.Advance(3 * time.Minute)
	}
	for _, row := range h.rows {
		if err := h.read(t.Context(), row); err != nil {
			t.Error(err)
		}
	}
	outcome, err := h.rotator(h.keyring).Rotate(t.Context(), h.scope)
	if err != nil || outcome.Version != 2 || outcome.Rewrapped != 3 {
		t.Errorf("once it is back: %+v, %v", outcome, err)
	}
}

func TestRotateIfOlder(t *testing.T) {
	t.Parallel()
	h := newHouse(t, 1)
	const age = 90 * 24 * time.Hour
	at := func(want map[int]int, done bool) {
		t.Helper()
		outcome, err := h.rotator(h.keyring).RotateIfOlder(t.Context(), h.scope, age)
		if got := h.versions(t); err != nil || outcome.Done != done || !maps.Equal(got, want) {
			t.Errorf("%v: %+v, %v", got, outcome, err)
		}
	}
	at(map[int]int{1: 1}, true) // its age counts from here
	h.clock.Advance(age - time.Hour)
	at(map[int]int{1: 1}, true)
	h.clock.Advance(2 * time.Hour)
	at(map[int]int{2: 1}, false)
	h.clock.Advance(time.Hour)
	at(map[int]int{2: 1}, true)
	h.clock.Advance(age - 2*time.Hour)
	at(map[int]int{2: 1}, true)
	h.clock.Advance(3 * time.Hour)
	at(map[int]int{3: 1}, false)
}
