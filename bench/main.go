// Package main measures what tenancy costs: the service's two hot paths by HTTP against the same work without it.
//
// Absolute figures say little on a machine that others share, so everything is a ratio of slices that ran within
// seconds of each other, mirrored (A B B A) so that a drift strikes both sides alike, and the spread over the rounds is
// told with it. README.md says what the four measures are.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"
)

// plan says what to run.
type plan struct {
	rounds        int
	slice         time.Duration // what is counted of each run
	lead          time.Duration // what is left out before it
	warmUp        time.Duration // what the service gets before the first round
	clients       int
	organizations int
	invoices      int    // in each organization
	fast          bool   // without durability, for the test of this package
	results       string // folder
	check         bool
	profile       string // folder
	fleet         int    // schemas to migrate; then nothing else is measured
	subscriptions int    // that fall due
	noisy         bool   // measure what one organization notices of another, and nothing else
	hot           bool   // measure posting to the same two accounts, and nothing else
	crowd         int    // organizations to hold against few; then nothing else is measured
	connections   int    // of the service to each compartment; 0 is what it has by itself
	signUps       int    // schemas to make and to claim; then nothing else is measured
	archive       int    // journal lines of a tenant to archive; then nothing else is measured
}

// floors are the ratios below which -check fails.
const (
	readFloor = 0.25
	postFloor = 0.30
)

func main() {
	var p plan
	flag.IntVar(&p.rounds, "rounds", 20, "how often to run all four")
	flag.DurationVar(&p.slice, "slice", time.Second, "how long each slice counts")
	flag.DurationVar(&p.lead, "lead", 200*time.Millisecond, "how long a slice runs before it counts")
	flag.DurationVar(&p.warmUp, "warm-up", 3*time.Second, "how long the service runs each request before the first round")
	flag.IntVar(&p.clients, "clients", 8, "how many clients work at once")
	flag.IntVar(&p.organizations, "organizations", 8, "how many organizations they work in")
	flag.IntVar(&p.invoices, "invoices", 200, "how many invoices each organization has")
	flag.StringVar(&p.results, "results", "bench/results", "where the figures go as JSON; empty for nowhere")
	flag.BoolVar(&p.check, "check", false, "fail when a ratio is below its floor")
	flag.StringVar(&p.profile, "profile", "", "a folder to write CPU profiles of both paths to, after the rounds")
	flag.IntVar(&p.fleet, "fleet", 0, "measure the migration of so many schemas, and nothing else")
	flag.IntVar(&p.archive, "archive", 0, "measure the archive of a tenant with so many journal lines against pg_dump, and nothing else")
	flag.IntVar(&p.subscriptions, "subscriptions", 10_000, "how many subscriptions fall due; 0 leaves their measure out")
	flag.BoolVar(&p.noisy, "noisy", false, "measure what one organization notices of another at full blast, and nothing else")
	flag.BoolVar(&p.hot, "hot", false, "measure posting to the same two accounts against many, and nothing else")
	flag.IntVar(&p.crowd, "crowd", 0, "measure so many organizations against ten, and nothing else")
	flag.IntVar(&p.connections, "connections", 0, "how many connections the service has to each of two compartments; 0 is its own number")
	flag.IntVar(&p.signUps, "sign-ups", 0, "measure the making and claiming of so many schemas, and nothing else")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, p); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		stop()
		os.Exit(1)
	}
}

func run(ctx context.Context, p plan) (err error) {
	if p.fleet > 0 {
		return runFleet(ctx, p)
	}
	if p.noisy {
		return runNoisy(ctx, p)
	}
	if p.archive > 0 {
		return runArchive(ctx, p)
	}
	if p.crowd > 0 {
		return runCrowd(ctx, p)
	}
	if p.hot {
		return runHot(ctx, p)
	}
	if p.signUps > 0 {
		return runSignUps(ctx, p)
	}
	decided, err := measureDecisions([]int{1, 100, 10_000}, 1_000_000)
	if err != nil {
		return err
	}
	if slow := publishDecisions(os.Stdout, decided); slow != nil {
		if p.check {
			return slow
		}
		fmt.Fprintln(os.Stdout, slow)
	}
	fmt.Fprintln(os.Stderr, "Preparing a database and", p.organizations, "organizations")
	h, err := openHouse(ctx, p)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, h.close()) }()
	b, err := openBench(ctx, h)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, b.close()) }()
	var o outcome
	if p.rounds > 0 {
		if o, err = b.measure(ctx); err != nil {
			return err
		}
		if err := o.publish(os.Stdout, p.results); err != nil {
			return err
		}
	}
	if p.subscriptions > 0 {
		fmt.Fprintln(os.Stderr, "Preparing", p.subscriptions, "subscriptions")
		found, err := b.measureDue(ctx, p.subscriptions)
		if err == nil {
			err = found.publish(os.Stdout, p.results)
		}
		if err != nil {
			return err
		}
	}
	if p.profile != "" {
		if err := b.profile(ctx, p.profile); err != nil {
			return err
		}
	}
	if p.check {
		return o.check()
	}
	return nil
}

func runFleet(ctx context.Context, p plan) (err error) {
	h, err := openHouse(ctx, p)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, h.close()) }()
	return measureFleet(ctx, h, p.fleet, p.rounds, os.Stdout)
}

func runNoisy(ctx context.Context, p plan) (err error) {
	h, err := openHouse(ctx, p)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, h.close()) }()
	return measureNoisy(ctx, h, os.Stdout)
}
