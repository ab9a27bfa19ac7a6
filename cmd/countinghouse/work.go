package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/countinghouse/countinghouse/authz"
	"github.com/countinghouse/countinghouse/billing"
	"github.com/countinghouse/countinghouse/billing/payables"
	"github.com/countinghouse/countinghouse/billing/plan"
	"github.com/countinghouse/countinghouse/billing/subscription"
	"github.com/countinghouse/countinghouse/billing/takeout"
	"github.com/countinghouse/countinghouse/internal/jobs"
	"github.com/countinghouse/countinghouse/internal/webhook"
	"github.com/countinghouse/countinghouse/tenant"
	"github.com/countinghouse/countinghouse/web"
)

// work is what a process has at hand to do its jobs with.
type work struct {
	parts
	db     *tenant.DB
	desk   *authz.Desk
	policy *authz.Policy
}

// register is the list of all there is to do in the background, a line each.
func (w work) register(r *jobs.Registry) {
	r.Every("platform.ready_schemas", time.Minute, w.refill)
	r.Every("platform.clear_old", 24*time.Hour, w.clear, jobs.Within(30*time.Minute))
	r.Every("platform.keys", time.Hour, w.tend, jobs.Within(time.Hour))
	r.Every("platform.support_receipts", time.Minute, w.desk.Settle)
	r.Every("platform.security_events", time.Minute, w.deliver)
	r.EachOrganization("audit.seal", 15*time.Minute, w.seal, jobs.WhileSuspended())
	r.EachOrganization("books.prove", time.Hour, w.prove, jobs.Within(30*time.Minute), jobs.WhileSuspended())
	r.EachOrganization("payments.reconcile", 2*time.Minute, w.reconcile)
	r.EachOrganization("payments.collect", time.Hour, w.collect, jobs.Within(30*time.Minute))
	r.EachOrganization(subscription.Job, time.Hour, w.bill, jobs.Within(30*time.Minute))
	r.EachOrganization(payables.Job, time.Hour, w.makeBills, jobs.Within(30*time.Minute))
	r.Every("platform.plans", 10*time.Minute, w.plans)
	r.Every("platform.samples", time.Hour, w.endSamples)
	r.Organization(web.SampleJob, w.fillSample, jobs.Within(10*time.Minute))
	r.Organization(plan.Job, w.tendPlans, jobs.Within(30*time.Minute))
	r.Organization(takeout.PackJob, w.packer().Job, jobs.Within(time.Hour), jobs.WhileSuspended()) // it looks for the rights itself, to say so
	r.EachOrganization("customers.erase", 24*time.Hour, w.eraseOverdue)
	r.EachOrganization("exports.clear", 24*time.Hour, w.clearExports, jobs.WhileSuspended())
	r.Organization(billing.MailJob, w.bringOut, jobs.Needs("invoices:approve"))
	r.EachOrganization("invoices.late_fees", 24*time.Hour, w.chargeLate)
	r.EachOrganization("invoices.remind", time.Hour, w.remind)
	r.EachOrganization("audit.head", 24*time.Hour, w.mailHead, jobs.WhileSuspended())
	// On nobody's behalf: what is set up goes on when whoever caused it is gone.
	r.Organization(webhook.DeliverJob, w.deliverWebhook, jobs.Within(time.Minute))
	r.Organization(webhook.TellJob, w.tellOfWebhook)
	r.EachOrganization(webhook.SweepJob, time.Hour, w.sweepWebhooks)
}

func (w work) refill(ctx context.Context) error {
	_, err := tenant.Refill(ctx, w.db)
	return err
}

func (w work) clear(ctx context.Context) error {
	cleared, err := tenant.ClearOld(ctx, w.db, cmp.Or(w.keepLogins, 365*24*time.Hour))
	if err == nil && cleared > 0 {
		w.log.Info("cleared what is old", "rows", cleared)
	}
	return err
}

// worker gives the function that runs jobs until its context ends.
func (p parts) worker(db *tenant.DB, desk *authz.Desk, o jobs.Options) (func(context.Context) error, error) {
	policy, err := authz.Compile()
	if err != nil {
		return nil, err
	}
	o.Allow = func(s tenant.Scope, right string) error { return allowJob(policy, s, right) }
	o.Tracer = p.tracer
	r := &jobs.Registry{}
	work{p, db, desk, policy}.register(r)
	return func(ctx context.Context) error { return jobs.Work(ctx, db, r, p.log, o) }, nil
}

// allowJob says whether the person on whose behalf a job runs may do it today.
func allowJob(policy *authz.Policy, s tenant.Scope, right string) error {
	needed, ok := authz.ParseRight(right)
	if !ok {
		return fmt.Errorf("a job needs the right %q, which there is not", right)
	}
	if !policy.May(s, needed).Allowed {
		return authz.Forbidden(needed)
	}
	return nil
}

// backgroundCommands are what has to do with background jobs.
type backgroundCommands struct {
	Work workCommand  `cmd:"" help:"Run background jobs: mails, sweeps, exports. As many of these as there is work for."`
	Jobs jobsCommands `cmd:"" help:"Look after background jobs."`
}

type workCommand struct {
	serviceFlags
	traceFlags
	Runs int `env:"COUNTINGHOUSE_RUNS" default:"6" help:"How many jobs of organizations run at once in this process."`
}

// Run works until it is interrupted; jobs that run may finish within 20 seconds and are given back otherwise.
func (c workCommand) Run(ctx context.Context) (err error) {
	if c.Runs < 1 || c.Runs > 1000 {
		return wrong("runs", errors.New("give 1 to 1000 jobs at once"))
	}
	if err := c.traceFlags.check(); err != nil {
		return err
	}
	p, err := c.parts()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, p.security.close()) }()
	if p.tracer, err = c.tell(ctx, p.log); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, shutTracer(ctx, p.tracer)) }()
	defer context.AfterFunc(ctx, p.ready.Drain)()
	db, people, server, err := p.assemble(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	stopOperators, err := c.operate(ctx, p)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, stopOperators()) }()
	run, err := p.worker(db, server.Desk, jobs.Options{Runs: c.Runs})
	if err != nil {
		return err
	}
	p.log.Info("working", "version", version)
	defer people.Flush()
	defer server.Desk.Flush()
	return run(ctx)
}
