package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime/pprof"
	"time"
)

// The four measures, by the letters that the issue and README.md give them.
const (
	readHouse = iota // a
	readBare         // b
	postHouse        // c
	postBare         // d
	measures
)

// bench holds both sides of both comparisons, ready to run.
type bench struct {
	house   *house
	meter   meter
	site    *site
	bare    *bare
	pgbench *pgbench
	callers []*caller // of the service
	others  []*caller // of bare
	trips   [measures]int
}

func openBench(ctx context.Context, h *house) (_ *bench, err error) {
	b := &bench{house: h}
	defer func() {
		if err != nil {
			err = errors.Join(err, b.close())
		}
	}()
	samples, err := h.record(ctx)
	if err != nil {
		return nil, err
	}
	if b.meter, err = h.newMeter(); err != nil {
		return nil, err
	}
	server, err := h.newServer(h.db)
	if err != nil {
		return nil, err
	}
	if b.site, err = serve(server.App()); err != nil {
		return nil, err
	}
	password, err := h.makeBareLogin(ctx)
	if err != nil {
		return nil, err
	}
	if b.bare, err = h.openBare(ctx, password, server.App().Config(), h.tenants[0], samples[0]); err != nil {
		return nil, err
	}
	if b.pgbench, err = h.openPgbench(password, samples, b.meter); err != nil {
		return nil, err
	}
	b.trips = [measures]int{len(samples[0].read.statements), 1, len(samples[0].posts[0].statements), b.pgbench.scripts[0].trips}
	for range h.clients {
		b.callers = append(b.callers, newCaller(b.site.address))
		b.others = append(b.others, newCaller(b.bare.address))
	}
	return b, nil
}

func (b *bench) close() error {
	var all error
	for _, c := range append(b.callers, b.others...) {
		c.close()
	}
	if b.site != nil {
		all = errors.Join(all, b.site.close())
	}
	if b.bare != nil {
		all = errors.Join(all, b.bare.close())
	}
	return all
}

// run runs one slice of a measure.
func (b *bench) run(ctx context.Context, measure int, slice time.Duration) (slot, error) {
	h := b.house
	anyTenant := func(random *rand.Rand) organization { return h.tenants[random.IntN(len(h.tenants))] }
	anyInvoice := func(o organization, random *rand.Rand) string { return o.invoices[random.IntN(len(o.invoices))] }
	switch measure {
	case readHouse:
		return b.meter.drive(ctx, b.callers, h.lead, slice, func(c *caller, random *rand.Rand) error {
			o := anyTenant(random)
			return c.read(o, anyInvoice(o, random))
		})
	case readBare:
		return b.meter.drive(ctx, b.others, h.lead, slice, func(c *caller, random *rand.Rand) error {
			return c.read(h.tenants[0], anyInvoice(h.tenants[0], random))
		})
	case postHouse:
		return b.meter.drive(ctx, b.callers, h.lead, slice, func(c *caller, random *rand.Rand) error {
			return c.post(anyTenant(random), newText())
		})
	default:
		return b.pgbench.run(ctx, slice)
	}
}

// mirrored is the order within a round.
var mirrored = []int{readHouse, readBare, readBare, readHouse, postHouse, postBare, postBare, postHouse}

func (b *bench) measure(ctx context.Context) (outcome, error) {
	o := outcome{plan: b.house.plan, trips: b.trips, began: time.Now()}
	// What the service prepares at the first call of each organization on each connection is not what is asked here.
	for measure := range postBare {
		if _, err := b.run(ctx, measure, b.house.warmUp); err != nil {
			return o, err
		}
	}
	for n := range b.house.rounds {
		var r round
		for _, measure := range mirrored {
			s, err := b.run(ctx, measure, b.house.slice)
			if err != nil {
				return o, err
			}
			r.add(measure, s)
		}
		o.rounds = append(o.rounds, r)
		fmt.Fprintf(os.Stderr, "round %d of %d: read %.2f, post %.2f\n", n+1, b.house.rounds, r.readRatio(), r.postRatio())
	}
	return o, nil
}

// profile writes CPU profiles of the service while it answers; the clients' part is labelled side=client.
func (b *bench) profile(ctx context.Context, dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("making a folder: %w", err)
	}
	for measure, name := range map[int]string{readHouse: "read.pprof", readBare: "bare.pprof", postHouse: "post.pprof"} {
		if err := b.profileOne(ctx, measure, filepath.Join(dir, name)); err != nil {
			return err
		}
	}
	return nil
}

func (b *bench) profileOne(ctx context.Context, measure int, path string) (err error) {
	file, err := os.Create(path)
	if err != nil {
		return fmt.Errorf("keeping a profile: %w", err)
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	if err := pprof.StartCPUProfile(file); err != nil {
		return fmt.Errorf("profiling: %w", err)
	}
	defer pprof.StopCPUProfile()
	const long = 5 * time.Second
	_, err = b.run(ctx, measure, long)
	return err
}
