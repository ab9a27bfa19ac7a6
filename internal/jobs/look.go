package jobs

import (
	"context"
	"slices"
	"time"

	"github.com/countinghouse/countinghouse/internal/fault"
	"github.com/countinghouse/countinghouse/tenant"
)

// Why a job is left as it is.
var (
	ErrNotRetried   = fault.New(fault.Conflict, "job.not_retried", "There is no such job, or it runs or is done already. Only one that waits, failed or was cancelled can be tried again.")
	ErrNotCancelled = fault.New(fault.Conflict, "job.not_cancelled", "There is no such job, or it has ended already.")
	ErrSameWaits    = fault.New(fault.Conflict, "job.same_waits", "The same job was queued again in the meantime. Let that one run.")
)

// Standing is where jobs are, as those who look after them tell them apart.
type Standing string

// The standings.
const (
	Waiting   Standing = "waiting"   // for their time or for a worker
	Running   Standing = "running"   //
	Failing   Standing = "failing"   // failed, and tried again later
	Failed    Standing = "failed"    // tried often enough
	Cancelled Standing = "cancelled" // by someone, or because whoever asked may not any more
	Done      Standing = "done"
)

// Standings lists them, those that need care first.
func Standings() []Standing { return []Standing{Failing, Failed, Running, Waiting, Cancelled, Done} }

var states = map[Standing][]string{
	Waiting: {"available", "scheduled", "pending"}, Running: {"running"}, Failing: {"retryable"},
	Failed: {"discarded"}, Cancelled: {"cancelled"}, Done: {"completed"},
}

func standing(state string) Standing {
	for s, of := range states {
		if slices.Contains(of, state) {
			return s
		}
	}
	return Standing(state)
}

// Status is a job as those who look after them see it: no arguments, and of the error what holds no one's data.
type Status struct {
	ID           int64
	Kind         string
	Organization string // its address; "" for the platform's own
	Stamp        string // its id
	Standing     Standing
	Tries, Most  int
	Due          time.Time
	Error        string // the last
}

// Filter narrows a list of jobs; what is empty does not.
type Filter struct {
	Standing Standing
	Kind     string
}

// ListJobs gives the jobs that the filter lets through, newest first: those before the number, 0 for from the newest
// on, at most limit of them.
func ListJobs(ctx context.Context, tx *tenant.PlatformTx, f Filter, before int64, limit int) ([]Status, error) {
	return selectJobs(ctx, tx, states[f.Standing], f.Kind, before, limit)
}

// QueuedKinds lists the kinds that there are jobs of, by name.
func QueuedKinds(ctx context.Context, tx *tenant.PlatformTx) ([]string, error) {
	return selectKinds(ctx, tx)
}

// CountJobs counts the jobs of each standing.
func CountJobs(ctx context.Context, tx *tenant.PlatformTx) (map[Standing]int, error) {
	rows, err := countStates(ctx, tx)
	counts := map[Standing]int{}
	for _, r := range rows {
		counts[standing(r.State)] += r.Count
	}
	return counts, err
}

// RetryJob runs a job again as soon as a worker is free. It fails with ErrNotRetried and ErrSameWaits.
func RetryJob(ctx context.Context, tx *tenant.PlatformTx, id int64) error {
	done, err := retryJob(ctx, tx, id)
	if tenant.Violates(err) == "river_job_unique_idx" {
		return ErrSameWaits
	} else if err == nil && !done {
		return ErrNotRetried
	}
	return err
}

// CancelJob stops a job for good. One that runs can write nothing more in its organization from now on. It fails with
// ErrNotCancelled.
func CancelJob(ctx context.Context, tx *tenant.PlatformTx, id int64) error {
	done, err := cancelJob(ctx, tx, id)
	if err == nil && !done {
		return ErrNotCancelled
	}
	return err
}
