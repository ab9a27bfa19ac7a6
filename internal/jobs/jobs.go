// Package jobs is work that is done in the background: mails, exports, sweeps.
//
// A job is a row that is written in the transaction of its cause, so that it exists exactly when its cause does.
// An organization's transaction writes it through one function of the database, which stamps it with the
// organization of the transaction's role; a worker, which has a database login of its own and sees nothing but the
// queue, gets into that organization by the stamp alone, on behalf of the member who caused the job and only while
// they may still be there. The queue is River's, behind this package: the rest of the house knows its own few words.
//
// A job may run more than once: a worker can be killed after the work and before the note of it. So handlers are
// idempotent. But two runs of one job never both count: a run whose job was given to another worker can write nothing
// more inside the organization.
package jobs

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/countinghouse/countinghouse/internal/fault"
	"github.com/countinghouse/countinghouse/tenant"
)

// Job is something to be done later.
type Job struct {
	Kind  string    // what: "report.export"; "platform." begins the platform's own
	Args  any       // marshals to JSON: ids only, never a person's data, at most 2,000 characters; nil is {}
	RunAt time.Time // not before; zero: now
	Key   string    // a second one with the same key and kind in the same organization is not made while the first is not finished; "" is no key
}

// ErrSupport refuses a job that someone of support would cause.
var ErrSupport = fault.New(fault.Forbidden, "job.support", "Support cannot start work that goes on after their visit. Ask the owner to do it.")

const platformPrefix = "platform."

var kindShape = regexp.MustCompile(`^[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)+$`)

var errKind = errors.New("a kind of job is small words with dots between, such as report.export; platform. begins the platform's own alone")

func checkKind(kind string, platform bool) error {
	if !kindShape.MatchString(kind) || len(kind) > 100 || strings.HasPrefix(kind, platformPrefix) != platform {
		return fmt.Errorf("%q: %w", kind, errKind)
	}
	return nil
}

// parts gives what the database's functions take.
func (j Job) parts(now time.Time) (args string, runAt time.Time, err error) {
	args, runAt = "{}", j.RunAt
	if j.Args != nil {
		b, err := json.Marshal(j.Args)
		if err != nil {
			return "", runAt, fmt.Errorf("writing the arguments of job %s: %w", j.Kind, err)
		}
		args = string(b)
	}
	if runAt.IsZero() {
		runAt = now
	}
	return args, runAt, nil
}

// Enqueue adds a job to the organization that tx is in, on behalf of the person of its scope and with no more than
// that scope's ceiling. It runs after tx commits, or never. It fails with ErrSupport for a support person: a job would
// outlive the visit, and see what is masked for them.
func Enqueue(ctx context.Context, tx *tenant.Tx, j Job) error {
	if tx.Scope().Kind() == tenant.Support {
		return ErrSupport
	}
	if err := checkKind(j.Kind, false); err != nil {
		return err
	}
	args, runAt, err := j.parts(tx.Now())
	if err != nil {
		return err
	}
	return insertJob(ctx, tx, j, tx.Scope().Person().ID, args, runAt)
}

// EnqueueForNobody is Enqueue on nobody's behalf, for what an organization has set to follow from what happens, whoever
// caused it: it is done too when that person is gone by then, or came as support. The job's kind alone bounds what it
// does, so its arguments are ids of rows that its handler reads, never what a request said.
func EnqueueForNobody(ctx context.Context, tx *tenant.Tx, j Job) error {
	if err := checkKind(j.Kind, false); err != nil {
		return err
	}
	args, runAt, err := j.parts(tx.Now())
	if err != nil {
		return err
	}
	return insertJob(ctx, tx, j, tenant.PersonID{}, args, runAt)
}

// EnqueuePlatform adds a job of the platform's own. It runs after tx commits, or never.
func EnqueuePlatform(ctx context.Context, tx *tenant.PlatformTx, j Job) error {
	if err := checkKind(j.Kind, true); err != nil {
		return err
	}
	args, runAt, err := j.parts(tx.Now())
	if err != nil {
		return err
	}
	return insertPlatformJob(ctx, tx, j, args, runAt)
}
