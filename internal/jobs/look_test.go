package jobs_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/countinghouse/countinghouse/internal/jobs"
	"github.com/countinghouse/countinghouse/tenant"
	"github.com/countinghouse/countinghouse/tenant/tenanttest"
)

func platform(t *testing.T, fn func(ctx context.Context, tx *tenant.PlatformTx) error) error {
	t.Helper()
	ctx := context.Background()
	return tenant.DoPlatform(ctx, tenanttest.DB(), func(tx *tenant.PlatformTx) error { return fn(ctx, tx) })
}

func retry(t *testing.T, id int64) error {
	return platform(t, func(ctx context.Context, tx *tenant.PlatformTx) error { return jobs.RetryJob(ctx, tx, id) })
}

func cancel(t *testing.T, id int64) error {
	return platform(t, func(ctx context.Context, tx *tenant.PlatformTx) error { return jobs.CancelJob(ctx, tx, id) })
}

func TestLookAfterJobs(t *testing.T) {
	db := tenanttest.DB()
	o := tenanttest.Found(t, db, nil)
	args := act(func(context.Context, tenant.Scope) error { return nil })
	enqueue(t, o, jobs.Job{Kind: "test.act", Args: args, Key: "one", RunAt: time.Now().Add(time.Hour)})
	id := find(t, args)[0].ID
	if err := cancel(t, id); err != nil {
		t.Fatal(err)
	}
	if err := cancel(t, id); !errors.Is(err, jobs.ErrNotCancelled) {
		t.Errorf("cancelled twice: %v", err)
	}
	var found []jobs.Status
	err := platform(t, func(ctx context.Context, tx *tenant.PlatformTx) (err error) {
		found, err = jobs.ListJobs(ctx, tx, jobs.Filter{Standing: jobs.Cancelled}, id+1, 1)
		return err
	})
	if err != nil || len(found) != 1 || found[0].ID != id || found[0].Organization != o.Slug || found[0].Standing != jobs.Cancelled || found[0].Kind != "test.act" {
		t.Errorf("listed as %+v: %v", found, err)
	}
	t.Run("not again while the same waits", func(t *testing.T) {
		other := act(func(context.Context, tenant.Scope) error { return nil })
		enqueue(t, o, jobs.Job{Kind: "test.act", Args: other, Key: "one", RunAt: time.Now().Add(time.Hour)})
		if err := retry(t, id); !errors.Is(err, jobs.ErrSameWaits) {
			t.Errorf("%v", err)
		}
		if err := cancel(t, find(t, other)[0].ID); err != nil {
			t.Error(err)
		}
	})
	if err := retry(t, id); err != nil {
		t.Fatal(err)
	}
	work(t, db, registry(), jobs.Options{})
	await(t, args, "completed")
	if err := retry(t, id); !errors.Is(err, jobs.ErrNotRetried) {
		t.Errorf("what is done runs again: %v", err)
	}
	err = platform(t, func(ctx context.Context, tx *tenant.PlatformTx) error {
		counts, err := jobs.CountJobs(ctx, tx)
		if counts[jobs.Done] == 0 {
			t.Errorf("counted %v", counts)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}

// write tells when a write went through.
func write(ctx context.Context, db *tenant.DB, s tenant.Scope, done func()) error {
	return tenant.Do(ctx, db, s, func(tx *tenant.Tx) error {
		_, err := tx.Exec(ctx, `INSERT INTO counter (name, value) VALUES ('job', 1) ON CONFLICT (name) DO UPDATE SET value = counter.value + 1`)
		if err == nil {
			done()
		}
		return err
	})
}

func TestCancelledRunWritesNothingMore(t *testing.T) {
	db := tenanttest.DB()
	o := tenanttest.Found(t, db, nil)
	began, goOn := make(chan struct{}, 9), make(chan struct{})
	args := act(func(ctx context.Context, s tenant.Scope) error {
		began <- struct{}{}
		<-goOn
		return write(ctx, db, s, func() { t.Error("a cancelled job wrote") })
	})
	enqueue(t, o, jobs.Job{Kind: "test.act", Args: args})
	work(t, db, registry(), jobs.Options{})
	receive(t, began)
	if err := cancel(t, find(t, args)[0].ID); err != nil {
		t.Fatal(err)
	}
	close(goOn)
	await(t, args, "cancelled")
	if len(began) != 0 {
		t.Error("it was begun again")
	}
}

func TestFailedJobIsTriedAgain(t *testing.T) {
	db := tenanttest.DB()
	o := tenanttest.Found(t, db, nil)
	tries := 0
	args := act(func(context.Context, tenant.Scope) error {
		if tries++; tries == 1 {
			return errors.New("not yet")
		}
		return nil
	})
	enqueue(t, o, jobs.Job{Kind: "test.act", Args: args})
	work(t, db, registry(), jobs.Options{})
	if got := await(t, args, "completed"); got.Attempt != 2 {
		t.Errorf("done at try %d", got.Attempt)
	}
}
