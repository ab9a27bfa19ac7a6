package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing/fstest"
	"text/tabwriter"
	"time"

	"github.com/countinghouse/countinghouse/tenant"
)

// fleet measures a migration of many schemas by the service against psql, which is told the same statements in a file,
// while people go on reading their invoices.
type fleet struct {
	house   *house
	site    *site
	callers []*caller
	owner   string // the owner's address, for psql
	names   []string
	version int
	calm    []time.Duration // of reads while nothing is migrated
	busy    []time.Duration
}

// change is a migration to measure, as written with its number, for a schema that a message is in or for one that is named.
type change struct {
	name   string
	script func(in string, n int) string
}

var changes = []change{
	{"add a column", func(in string, n int) string {
		return fmt.Sprintf("ALTER TABLE %sparty ADD COLUMN bench_%d integer", in, n)
	}},
	{"create an index", func(in string, n int) string { return fmt.Sprintf("CREATE INDEX bench_%d ON %sparty (country)", n, in) }},
}

// pace is how often each caller reads: little enough that a processor is left for the migration.
const pace = 10 * time.Millisecond

func openFleet(ctx context.Context, h *house, schemas int) (_ *fleet, err error) {
	f := &fleet{house: h, version: 900_000, owner: h.config.URL}
	defer func() {
		if err != nil {
			err = errors.Join(err, f.close())
		}
	}()
	if err := tenant.Provision(ctx, h.db, schemas-len(h.tenants)); err != nil {
		return nil, err
	}
	rows, err := h.super.QueryContext(ctx, `SELECT schema_name FROM platform.organization ORDER BY id`)
	if err != nil {
		return nil, fmt.Errorf("listing the schemas: %w", err)
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			return nil, fmt.Errorf("listing the schemas: %w", err)
		}
		f.names = append(f.names, name)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("listing the schemas: %w", err)
	}
	server, err := h.newServer(h.db)
	if err != nil {
		return nil, err
	}
	if f.site, err = serve(server.App()); err != nil {
		return nil, err
	}
	for range 2 {
		f.callers = append(f.callers, newCaller(f.site.address))
	}
	return f, nil
}

func (f *fleet) close() error {
	for _, c := range f.callers {
		c.close()
	}
	if f.site == nil {
		return nil
	}
	return f.site.close()
}

// while keeps people reading for as long as work takes, and gives how long each of them waited. A failed read is an error.
func (f *fleet) while(ctx context.Context, work func() error) ([]time.Duration, error) {
	over := make(chan struct{})
	waited, failed := make([][]time.Duration, len(f.callers)), make([]error, len(f.callers))
	var all sync.WaitGroup
	for n, c := range f.callers {
		all.Go(func() {
			random := rand.New(rand.NewPCG(uint64(n), uint64(time.Now().UnixNano())))
			beat := time.NewTicker(pace)
			defer beat.Stop()
			for {
				select {
				case <-over:
					return
				case <-beat.C:
				}
				o := f.house.tenants[random.IntN(len(f.house.tenants))]
				began := time.Now()
				if err := c.read(o, o.invoices[random.IntN(len(o.invoices))]); err != nil {
					failed[n] = errors.Join(failed[n], err)
					return
				}
				waited[n] = append(waited[n], time.Since(began))
			}
		})
	}
	err := work()
	close(over)
	all.Wait()
	return slices.Concat(waited...), errors.Join(err, errors.Join(failed...), ctx.Err())
}

// byService migrates all schemas as `countinghouse migrate` does.
func (f *fleet) byService(ctx context.Context, c change) (took time.Duration, err error) {
	f.version++
	files := fstest.MapFS{fmt.Sprintf("%d_bench.sql", f.version): {Data: []byte(c.script("", f.version))}}
	waited, err := f.while(ctx, func() error {
		began := time.Now()
		done, err := tenant.MigrateFleet(ctx, f.house.config, tenant.Fleet{Scripts: files})
		took = time.Since(began)
		if err == nil && (done.Tenants != len(f.names) || len(done.Failed) > 0) {
			err = fmt.Errorf("%d of %d were migrated, %d failed", done.Tenants, len(f.names), len(done.Failed))
		}
		return err
	})
	f.busy = append(f.busy, waited...)
	return took, err
}

// byPsql sends the same statements from a file, a transaction for each schema.
func (f *fleet) byPsql(ctx context.Context, c change) (took time.Duration, err error) {
	f.version++
	var file bytes.Buffer
	for _, name := range f.names {
		fmt.Fprintf(&file, "BEGIN; %s; INSERT INTO platform.schema_version (schema_name, version, applied_at) VALUES ('%s', %d, now()); COMMIT;\n",
			c.script(name+".", f.version), name, f.version)
	}
	path := filepath.Join(f.house.dir, "fleet.sql")
	if err := os.WriteFile(path, file.Bytes(), 0o600); err != nil {
		return 0, fmt.Errorf("writing psql's file: %w", err)
	}
	_, err = f.while(ctx, func() error {
		command := exec.CommandContext(ctx, filepath.Join(f.house.cluster.BinDir(), "psql"), "-XqAt", "-v", "ON_ERROR_STOP=1", "-f", path, f.owner)
		began := time.Now()
		out, err := command.CombinedOutput()
		took = time.Since(began)
		if err != nil {
			return fmt.Errorf("psql: %w: %s", err, strings.TrimSpace(string(out)))
		}
		return nil
	})
	return took, err
}

// rest lets people read while nothing else happens.
func (f *fleet) rest(ctx context.Context, d time.Duration) error {
	waited, err := f.while(ctx, func() error { return pass(ctx, d) })
	f.calm = append(f.calm, waited...)
	return err
}

// measureFleet runs rounds of service, psql, psql, service for each change, and prints the ratios of their speeds.
func measureFleet(ctx context.Context, h *house, schemas, rounds int, out io.Writer) (err error) {
	fmt.Fprintln(os.Stderr, "Making", schemas, "schemas")
	f, err := openFleet(ctx, h, schemas)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.close()) }()
	ratios := make([][]float64, len(changes))
	var service, psql time.Duration
	for n := range rounds {
		if err := f.rest(ctx, 3*time.Second); err != nil {
			return err
		}
		for i, c := range changes {
			var ours, theirs time.Duration
			for _, run := range []struct {
				sum *time.Duration
				by  func(context.Context, change) (time.Duration, error)
			}{{&ours, f.byService}, {&theirs, f.byPsql}, {&theirs, f.byPsql}, {&ours, f.byService}} {
				took, err := run.by(ctx, c)
				if err != nil {
					return err
				}
				*run.sum += took
			}
			ratios[i] = append(ratios[i], theirs.Seconds()/ours.Seconds())
			service, psql = service+ours, psql+theirs
		}
		fmt.Fprintf(os.Stderr, "round %d of %d: %.2f, %.2f\n", n+1, rounds, ratios[0][n], ratios[1][n])
	}
	return f.publish(out, ratios, service, psql)
}

func (f *fleet) publish(out io.Writer, ratios [][]float64, service, psql time.Duration) error {
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintf(table, "\nspeed against psql, %d schemas\tmedian\t95 %% of it\tleast\tmost\t\n", len(f.names))
	for i, c := range changes {
		s := spreadOf(ratios[i])
		fmt.Fprintf(table, "%s\t%.2f\t%.2f-%.2f\t%.2f\t%.2f\t\n", c.name, s.Median, s.From, s.To, s.Least, s.Most)
	}
	if err := table.Flush(); err != nil {
		return fmt.Errorf("printing the figures: %w", err)
	}
	runs := float64(2 * len(changes) * len(ratios[0]) * len(f.names))
	calm, busy := percentile(f.calm, 0.99), percentile(f.busy, 0.99)
	_, err := fmt.Fprintf(out, "A schema took the service %.2f ms and psql %.2f ms. Of %d reads during the service's migrations none failed; p99 %s, %.2f times that of %d reads at rest (%s).\n",
		service.Seconds()*1000/runs, psql.Seconds()*1000/runs, len(f.busy), busy.Round(10*time.Microsecond), busy.Seconds()/calm.Seconds(), len(f.calm), calm.Round(10*time.Microsecond))
	return err
}

func percentile(all []time.Duration, q float64) time.Duration {
	seconds := make([]float64, len(all))
	for i, d := range all {
		seconds[i] = d.Seconds()
	}
	slices.Sort(seconds)
	return time.Duration(quantile(seconds, q) * float64(time.Second))
}
