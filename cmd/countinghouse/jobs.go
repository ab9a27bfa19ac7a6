package main

import (
	"context"
	"fmt"
	"os"
	"text/tabwriter"
	"time"

	"github.com/countinghouse/countinghouse/internal/jobs"
	"github.com/countinghouse/countinghouse/tenant"
)

// jobsCommands look after background jobs, as /staff/jobs does.
type jobsCommands struct {
	List   jobsList   `cmd:"" help:"List jobs, newest first."`
	Retry  jobsRetry  `cmd:"" help:"Try a job again now."`
	Cancel jobsCancel `cmd:"" help:"Stop a job for good."`
}

type jobsList struct {
	orgDatabase
	Standing string `enum:",failing,failed,running,waiting,cancelled,done" default:"" help:"Only those that are failing, failed, running, waiting, cancelled or done."`
	Limit    int    `default:"50" help:"How many."`
}

// Run prints a line for each job.
func (c jobsList) Run(ctx context.Context) error {
	return c.platform(ctx, func(tx *tenant.PlatformTx) error {
		found, err := jobs.ListJobs(ctx, tx, jobs.Filter{Standing: jobs.Standing(c.Standing)}, 0, c.Limit)
		if err != nil {
			return err
		}
		w := tabwriter.NewWriter(os.Stdout, 0, 4, 2, ' ', 0)
		fmt.Fprintln(w, "JOB\tKIND\tORGANIZATION\tSTANDING\tTRIES\tDUE\tLAST ERROR")
		for _, j := range found {
			fmt.Fprintf(w, "%d\t%s\t%s\t%s\t%d of %d\t%s\t%s\n", j.ID, j.Kind, j.Organization, j.Standing, j.Tries, j.Most, j.Due.UTC().Format(time.RFC3339), j.Error)
		}
		return w.Flush()
	})
}

type jobsRetry struct {
	orgDatabase
	Job int64 `arg:"" help:"Its number."`
}

// Run tries a job again.
func (c jobsRetry) Run(ctx context.Context) error {
	return c.platform(ctx, func(tx *tenant.PlatformTx) error { return jobs.RetryJob(ctx, tx, c.Job) })
}

type jobsCancel struct {
	orgDatabase
	Job int64 `arg:"" help:"Its number."`
}

// Run cancels a job.
func (c jobsCancel) Run(ctx context.Context) error {
	return c.platform(ctx, func(tx *tenant.PlatformTx) error { return jobs.CancelJob(ctx, tx, c.Job) })
}

// platform runs fn on the platform's tables.
func (d orgDatabase) platform(ctx context.Context, fn func(tx *tenant.PlatformTx) error) error {
	return d.use(ctx, func(db *tenant.DB) error { return tenant.DoPlatform(ctx, db, fn) })
}
