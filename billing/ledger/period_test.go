package ledger_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/countinghouse/countinghouse/billing/ledger"
	"github.com/countinghouse/countinghouse/internal/civil"
	"github.com/countinghouse/countinghouse/tenant"
	"github.com/countinghouse/countinghouse/tenant/tenanttest"
)

func closeThrough(t *testing.T, b books, through civil.Date) {
	t.Helper()
	tenanttest.Do(t, tenanttest.DB(), b.Organization, func(ctx context.Context, tx *tenant.Tx) error {
		return ledger.CloseThrough(ctx, tx, through)
	})
}

func TestClosedPeriod(t *testing.T) {
	t.Parallel()
	b := openBooks(t)
	closeThrough(t, b, may5)
	_, err := b.post(b.sale(100))
	if !errors.Is(err, ledger.ErrPeriodClosed) || faults(err)[0].Say != "The books are closed through 2026-05-05. Choose a later day." {
		t.Errorf("on the last closed day: %v", err)
	}
	automatic := b.sale(100)
	automatic.Automatic = true
	if e := b.mustPost(t, automatic); e.Date != may5.AddDays(1) || b.read(t, e.ID).Date != e.Date {
		t.Errorf("an automatic entry falls on %s", e.Date)
	}
	later := b.sale(100)
	later.Date, later.Automatic = may5.AddDays(9), true
	if e := b.mustPost(t, later); e.Date != later.Date {
		t.Errorf("an automatic entry of an open day falls on %s", e.Date)
	}
	closeThrough(t, b, civil.Date{})
	if e := b.mustPost(t, b.sale(100)); e.Date != may5 || e.Number != 3 {
		t.Errorf("after opening again: %s on %s", e.Name(), e.Date)
	}
}

// Whoever closes waits for the posting that is under way, and nothing slips in behind.
func TestClosingWaitsForPosting(t *testing.T) {
	t.Parallel()
	b := openBooks(t)
	closer, closed := make(chan int, 1), make(chan error, 1)
	err := b.do(func(ctx context.Context, tx *tenant.Tx) error {
		if _, err := ledger.Post(ctx, tx, b.sale(100)); err != nil {
			return err
		}
		go func() {
			closed <- b.do(func(ctx context.Context, tx *tenant.Tx) error {
				if err := tellBackend(ctx, tx, closer); err != nil {
					return err
				}
				return ledger.CloseThrough(ctx, tx, may5)
			})
		}()
		if err := untilWaiting(ctx, tx, <-closer); err != nil {
			return err
		}
		select {
		case err := <-closed:
			t.Errorf("closed while a posting was under way: %v", err)
		default:
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := <-closed; err != nil {
		t.Fatal(err)
	}
	if _, err := b.post(b.sale(100)); !errors.Is(err, ledger.ErrPeriodClosed) || b.entries(t) != 1 {
		t.Errorf("after closing: %v, %d entries", err, b.entries(t))
	}
}

// A posting that began before the books were closed, and comes after, is refused.
func TestPostingWaitsForClosing(t *testing.T) {
	t.Parallel()
	b := openBooks(t)
	poster, posted := make(chan int, 1), make(chan error, 1)
	err := b.do(func(ctx context.Context, tx *tenant.Tx) error {
		if err := ledger.CloseThrough(ctx, tx, may5); err != nil {
			return err
		}
		go func() {
			posted <- b.do(func(ctx context.Context, tx *tenant.Tx) error {
				if err := tellBackend(ctx, tx, poster); err != nil {
					return err
				}
				_, err := ledger.Post(ctx, tx, b.sale(100))
				return err
			})
		}()
		return untilWaiting(ctx, tx, <-poster)
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := <-posted; !errors.Is(err, ledger.ErrPeriodClosed) {
		t.Errorf("the posting that waited: %v", err)
	}
	if n := b.entries(t); n != 0 {
		t.Errorf("%d entries slipped in", n)
	}
}

// tellBackend sends the number of the database process that the transaction runs in; 0 if it cannot.
func tellBackend(ctx context.Context, tx *tenant.Tx, to chan<- int) error {
	var pid int
	err := tx.Get(ctx, &pid, `SELECT pg_backend_pid()`)
	to <- pid
	return err
}

// untilWaiting returns once that process waits for a lock.
func untilWaiting(ctx context.Context, tx *tenant.Tx, pid int) error {
	ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	for waiting := false; !waiting; {
		err := tx.Get(ctx, &waiting, `SELECT EXISTS (SELECT FROM pg_locks WHERE pid = $1 AND NOT granted)`, pid)
		if err != nil {
			return err
		}
	}
	return nil
}

// The two zones are 25 hours apart, so that no moment has the same date in both.
func TestTodayIsTheOrganizations(t *testing.T) {
	t.Parallel()
	b := openBooks(t)
	for _, name := range []string{"Pacific/Kiritimati", "Pacific/Pago_Pago"} {
		zone, err := time.LoadLocation(name)
		if err != nil {
			t.Fatal(err)
		}
		tenanttest.Do(t, tenanttest.DB(), b.Organization, func(ctx context.Context, tx *tenant.Tx) error {
			if _, err := tx.Exec(ctx, `UPDATE settings SET time_zone = $1`, name); err != nil {
				return err
			}
			today, err := ledger.Today(ctx, tx)
			if want := civil.Of(tx.Now(), zone); today != want {
				t.Errorf("in %s it is %s, and was said to be %s", name, want, today)
			}
			return err
		})
	}
}
