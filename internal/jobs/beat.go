package jobs

import (
	"context"
	"fmt"
	"time"
)

// beat gives a sign of life and takes the jobs of workers that gave none from them.
func (w *Worker) beat(ctx context.Context) error {
	var given int64
	err := w.queue.QueryRowContext(ctx, `SELECT jobs.beat($1, make_interval(secs => $2))`, w.name, w.options.Dead.Seconds()).Scan(&given)
	if err != nil {
		return fmt.Errorf("giving a sign of life: %w", err)
	}
	if given > 0 {
		w.log.Warn("jobs of a worker that ended are given to others", "jobs", given)
	}
	return nil
}

// keepBeating goes on until ctx ends. One beat that fails does no harm: several fall into the time that others wait.
func (w *Worker) keepBeating(ctx context.Context) {
	tick := time.NewTicker(w.options.Dead / 6)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		if err := w.beat(ctx); err != nil && ctx.Err() == nil {
			w.log.Error("a worker cannot give a sign of life", "error", err)
		}
	}
}

// leave is the last sign.
func (w *Worker) leave(ctx context.Context) error {
	bounded, done := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer done()
	if _, err := w.queue.ExecContext(bounded, `SELECT jobs.leave($1)`, w.name); err != nil {
		return fmt.Errorf("leaving the workers: %w", err)
	}
	return nil
}
