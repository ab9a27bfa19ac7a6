package jobs

import (
	"cmp"
	"context"
	"crypto/rand"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver/riverdatabasesql"
	"github.com/riverqueue/river/rivertype"

	"github.com/countinghouse/countinghouse/internal/fault"
	"github.com/countinghouse/countinghouse/internal/trace"
	"github.com/countinghouse/countinghouse/tenant"
)

// Options say how a worker works. The zero Options are good.
type Options struct {
	// Runs bounds how many jobs of organizations run at once; 0 means 6. Of the platform's own, 2 run besides.
	Runs int
	// Poll is how often the queue is looked at; 0 means once a second.
	Poll time.Duration
	// Finish bounds how long running jobs may go on once the worker is to stop; then they are told to stop and are
	// given back. 0 means 20 seconds.
	Finish time.Duration
	// Dead is after how long without a sign of life a worker's jobs are given to others; 0 means a minute.
	Dead time.Duration
	// Allow says whether the person of a scope holds a right; nil refuses every kind that names one.
	Allow func(s tenant.Scope, right string) error
	// Tracer is told of each run; nil tells nobody.
	Tracer *trace.Tracer
	// Clock is for tests that move it; nil is the database's.
	Clock func() time.Time
}

func (o Options) withDefaults() Options {
	if o.Runs == 0 {
		o.Runs = 6
	}
	if o.Poll == 0 {
		o.Poll = time.Second
	}
	if o.Finish == 0 {
		o.Finish = 20 * time.Second
	}
	if o.Dead == 0 {
		o.Dead = time.Minute
	}
	if o.Allow == nil {
		o.Allow = func(tenant.Scope, string) error { return tenant.ErrJobRefused }
	}
	return o
}

// Worker runs jobs. Several may run on one database, in one process or in many.
type Worker struct {
	db       *tenant.DB
	log      *slog.Logger
	name     string // among all workers
	options  Options
	queue    *sql.DB
	client   *river.Client[*sql.Tx]
	stopping atomic.Bool
}

// Work runs the jobs of the registry until ctx ends. Then running jobs may finish within Options.Finish; what has not
// by then is given back and runs again elsewhere.
func Work(ctx context.Context, db *tenant.DB, r *Registry, log *slog.Logger, options Options) (err error) {
	w, err := newWorker(db, r, log, options)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, w.queue.Close()) }()
	if err := w.beat(ctx); ctx.Err() != nil {
		return nil // told to stop before it began: nothing was taken
	} else if err != nil {
		return fmt.Errorf("starting to work: %w", err)
	}
	alive, end := context.WithCancel(context.WithoutCancel(ctx))
	var beating sync.WaitGroup
	beating.Go(func() { w.keepBeating(alive) })
	defer func() {
		end()
		beating.Wait()
		err = errors.Join(err, w.leave(ctx))
	}()
	if err := w.client.Start(context.WithoutCancel(ctx)); err != nil {
		return fmt.Errorf("starting to work: %w", err)
	}
	<-ctx.Done()
	w.stopping.Store(true)
	// Past the bound, River ends the jobs' contexts; they get as long again to come back.
	stop, done := context.WithTimeout(context.WithoutCancel(ctx), 2*w.options.Finish+5*time.Second)
	defer done()
	if err := w.client.Stop(stop); err != nil {
		return fmt.Errorf("letting jobs finish: %w", err)
	}
	return nil
}

func newWorker(db *tenant.DB, r *Registry, log *slog.Logger, options Options) (*Worker, error) {
	if err := r.check(); err != nil {
		return nil, err
	}
	options = options.withDefaults()
	w := &Worker{db: db, log: log, options: options, name: rand.Text()}
	config := &river.Config{
		Schema: "jobs", ID: w.name, PollOnly: true, Logger: log,
		FetchPollInterval: options.Poll, FetchCooldown: min(100*time.Millisecond, options.Poll),
		Queues:              map[string]river.QueueConfig{"organization": {MaxWorkers: options.Runs}, "platform": {MaxWorkers: 2}},
		Workers:             river.NewWorkers(),
		SoftStopTimeout:     options.Finish,
		ReindexerIndexNames: []string{}, // that is the owner's
		// Finished jobs are cleared with everything else that grows old.
		CancelledJobRetentionPeriod: -1, CompletedJobRetentionPeriod: -1, DiscardedJobRetentionPeriod: -1,
	}
	if options.Clock != nil {
		config.Test.Time = clock(options.Clock)
	}
	longest := time.Duration(0)
	for _, e := range r.order {
		longest = max(longest, e.within)
		river.AddWorkerArgs(config.Workers, rawArgs{kind: e.kind}, &handler{w: w, entry: e})
		if e.every > 0 {
			config.PeriodicJobs = append(config.PeriodicJobs, periodic(e))
		}
	}
	config.RescueStuckJobsAfter = longest + 10*time.Minute
	var err error
	if w.queue, err = tenant.OpenWork(db); err != nil {
		return nil, err
	}
	if w.client, err = river.NewClient(riverdatabasesql.New(w.queue), config); err != nil {
		return nil, errors.Join(fmt.Errorf("making a worker: %w", err), w.queue.Close())
	}
	return w, nil
}

// periodic offers a job every minute, which the queue takes once in each span: so a span is neither missed nor run
// twice when workers come and go.
func periodic(e *entry) *river.PeriodicJob {
	states := []rivertype.JobState{
		rivertype.JobStateAvailable, rivertype.JobStateCancelled, rivertype.JobStateCompleted, rivertype.JobStateDiscarded,
		rivertype.JobStatePending, rivertype.JobStateRetryable, rivertype.JobStateRunning, rivertype.JobStateScheduled,
	}
	return river.NewPeriodicJob(river.PeriodicInterval(time.Minute), func() (river.JobArgs, *river.InsertOpts) {
		return rawArgs{kind: e.kind}, &river.InsertOpts{
			Queue: "platform", MaxAttempts: 8, UniqueOpts: river.UniqueOpts{ByPeriod: e.every, ByState: states},
		}
	}, &river.PeriodicJobOpts{RunOnStart: true})
}

// rawArgs leaves the arguments to the handler.
type rawArgs struct {
	kind string
	data json.RawMessage
}

// Kind is the job's.
func (a rawArgs) Kind() string { return a.kind }

// MarshalJSON gives the arguments as they are.
func (a rawArgs) MarshalJSON() ([]byte, error) {
	if a.data == nil {
		return []byte("{}"), nil
	}
	return a.data, nil
}

// UnmarshalJSON keeps the arguments as they are.
func (a *rawArgs) UnmarshalJSON(b []byte) error {
	a.data = append(json.RawMessage{}, b...)
	return nil
}

// handler is one kind of job, for River.
type handler struct {
	river.WorkerDefaults[rawArgs]
	w     *Worker
	entry *entry
}

// Timeout bounds a run.
func (h *handler) Timeout(*river.Job[rawArgs]) time.Duration { return h.entry.within }

// Work runs a job once and says what becomes of it. What is kept of an error holds no one's data; the log has it whole.
func (h *handler) Work(ctx context.Context, job *river.Job[rawArgs]) error {
	ctx, traced, told := h.w.options.Tracer.Run(ctx)
	ran := trace.Ran{Kind: job.Kind, Job: job.ID, Attempt: job.Attempt}
	err := h.run(ctx, job, &ran)
	if err != nil {
		ran.Failure = failureOf(err)
	}
	told(ran)
	switch {
	case err == nil:
		return nil
	case h.w.stopping.Load() && ctx.Err() != nil:
		return river.JobSnooze(0) // given back
	case errors.Is(err, tenant.ErrJobWaits):
		return river.JobSnooze(time.Hour)
	case errors.Is(err, tenant.ErrJobRefused), errors.Is(err, tenant.ErrNoOrganization), errors.Is(err, errWrongQueue):
		return river.JobCancel(kept(err))
	}
	h.w.log.Warn("a job failed", "job", job.ID, "kind", job.Kind, "attempt", job.Attempt, "trace_id", traced.ID, "error", err)
	return kept(err)
}

func (h *handler) run(ctx context.Context, job *river.Job[rawArgs], ran *trace.Ran) (err error) {
	defer func() {
		if cause := recover(); cause != nil {
			h.w.log.Error("a job panicked", "job", job.ID, "kind", job.Kind, "panic", fmt.Sprint(cause), "stack", string(debug.Stack()))
			err = errPanic
		}
	}()
	ctx = tenant.WithRequest(ctx, tenant.Request{ID: fmt.Sprintf("job-%d", job.ID)})
	switch e := h.entry; {
	case e.sweeps != "":
		return tenant.DoPlatform(ctx, h.w.db, func(tx *tenant.PlatformTx) error {
			return spreadJobs(ctx, tx, e.sweeps, min(e.every/2, time.Hour))
		})
	case e.organization == nil && job.Queue == "platform":
		return e.platform(ctx, job.Args.data)
	case e.organization != nil && job.Queue == "organization":
		return h.inOrganization(ctx, job, ran)
	}
	return errWrongQueue
}

// inOrganization enters and decides anew when rights have changed during the run: handlers can be run again.
func (h *handler) inOrganization(ctx context.Context, job *river.Job[rawArgs], ran *trace.Ran) error {
	for try := 1; ; try++ {
		s, err := tenant.EnterJob(ctx, h.w.db, job.ID, job.Attempt)
		if err != nil {
			return err
		}
		ran.Organization = s.Organization().ID.String()
		if s.ReadOnly() && !h.entry.always {
			return tenant.ErrJobWaits
		}
		s = s.WhileSuspended()
		if h.entry.right != "" && !s.Person().ID.IsZero() {
			if err := h.w.options.Allow(s, h.entry.right); err != nil {
				return tenant.ErrJobRefused.Because(err)
			}
		}
		if err = h.entry.organization(ctx, s, job.Args.data); !errors.Is(err, tenant.ErrStale) || try == 5 {
			return err
		}
	}
}

var (
	errPanic      = errors.New("the handler panicked: the log tells where")
	errWrongQueue = errors.New("a job of the platform was queued by an organization, or the other way round")
)

// kept is what the queue keeps of an error: whoever looks at the jobs of all organizations reads it.
func kept(err error) error {
	var f *fault.Error
	switch {
	case errors.Is(err, errPanic), errors.Is(err, errWrongQueue):
		return err
	case errors.As(err, &f):
		return errors.New(f.Code)
	case tenant.SQLState(err) != "":
		return fmt.Errorf("the database refused: SQLSTATE %s %s", tenant.SQLState(err), tenant.Violates(err))
	case errors.Is(err, context.DeadlineExceeded):
		return errors.New("it took too long")
	case errors.Is(err, tenant.ErrStale), errors.Is(err, tenant.ErrJobOver):
		return errors.New("the run was overtaken: the job was cancelled or given to another worker, or rights kept changing")
	}
	return errors.New("an internal error: the log has it under the job's number")
}

// failureOf is what a trace tells of a run that failed.
func failureOf(err error) string {
	var f *fault.Error
	switch {
	case errors.Is(err, errPanic):
		return "panic"
	case errors.As(err, &f):
		return f.Code
	}
	return cmp.Or(tenant.SQLState(err), "failed")
}

// clock is a moved one, for tests.
type clock func() time.Time

// Now is the time by the clock.
func (c clock) Now() time.Time { return c() }

// NowOrNil is the same, so that the database's own time is not used either.
func (c clock) NowOrNil() *time.Time { now := c(); return &now }
