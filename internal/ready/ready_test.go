package ready

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

func TestLook(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var down, asked atomic.Int64
		r := &Ready{}
		r.Add(Check{Name: "database", Run: func(context.Context) error {
			asked.Add(1)
			if down.Load() > 0 {
				return errors.New("no route to db.internal")
			}
			return nil
		}}, Check{Name: "keyring", Soft: true, Run: func(context.Context) error { return errors.New("sealed") }})
		for range 100 {
			if ok, found := r.Look(t.Context()); !ok || len(found) != 2 || found[1].OK {
				t.Fatalf("%v %+v", ok, found)
			}
		}
		if asked.Load() != 1 {
			t.Errorf("it asked %d times", asked.Load())
		}
		down.Store(1)
		<-time.After(remembered + time.Millisecond)
		if ok, found := r.Look(t.Context()); ok || found[0].Say == "" {
			t.Errorf("without its database: %v %+v", ok, found)
		}
		down.Store(0)
		<-time.After(remembered + time.Millisecond)
		if ok, _ := r.Look(t.Context()); !ok {
			t.Error("it does not come back")
		}
		r.Drain()
		if ok, found := r.Look(t.Context()); ok || found[len(found)-1].Name != "draining" {
			t.Errorf("draining: %v %+v", ok, found)
		}
	})
}

// A check that hangs is an answer too, and in time.
func TestLookDoesNotHang(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := &Ready{}
		r.Add(Check{Name: "database", Run: func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }})
		began := time.Now()
		if ok, _ := r.Look(t.Context()); ok || time.Since(began) > patience {
			t.Errorf("%v after %v", ok, time.Since(began))
		}
	})
}
