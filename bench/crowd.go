package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"text/tabwriter"

	"github.com/countinghouse/countinghouse/authz"
	"github.com/countinghouse/countinghouse/identity"
	"github.com/countinghouse/countinghouse/tenant"
)

// few is how many organizations the many are held against.
const few = 10

// The loads of a crowd.
const (
	ofFew     = iota // any of the first few
	ofAll            // any
	ofPopular        // any, the n-th as often as 1/n: Zipf's law
	loads
)

var loadNames = [loads]string{"few", "many, evenly", "many, by Zipf's law"}

// runCrowd measures the same load in few organizations and in many: nine reads of an invoice for each entry posted.
func runCrowd(ctx context.Context, p plan) (err error) {
	p.organizations = 1
	h, err := openHouse(ctx, p)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, h.close()) }()
	if err := h.multiply(ctx, p.crowd); err != nil {
		return err
	}
	return measureCrowd(ctx, h, os.Stdout)
}

// multiply makes organizations that hold what the first holds, until there are so many.
func (h *house) multiply(ctx context.Context, many int) error {
	first := h.tenants[0]
	script, err := h.copyScript(ctx, first.schema)
	if err != nil {
		return err
	}
	var owner tenant.Person
	err = h.super.QueryRowContext(ctx, "SELECT id, name, email FROM platform.person LIMIT 1").Scan(&owner.ID.UUID, &owner.Name, &owner.Email)
	if err != nil {
		return fmt.Errorf("asking who founds: %w", err)
	}
	anything := func(string) error { return nil }
	for n := len(h.tenants); n < many; n++ {
		o, slug := first, fmt.Sprintf("crowd-%d", n)
		if err := tenant.Provision(ctx, h.db, 1); err != nil {
			return err
		}
		err := tenant.Found(ctx, h.db, owner, slug, "Tidewater Studios", func(tx *tenant.Tx) error {
			if err := authz.AddMember(ctx, tx, owner, "owner"); err != nil {
				return err
			}
			var err error
			_, o.token, err = identity.AddToken(ctx, tx, identity.TokenInput{Name: "bench", Scopes: []string{"*:read", "*:write"}}, anything)
			return err
		})
		if err != nil {
			return err
		}
		if err := h.super.QueryRowContext(ctx, `SELECT schema_name FROM platform.organization WHERE slug = $1`, slug).Scan(&o.schema); err != nil {
			return fmt.Errorf("looking for organization %s: %w", slug, err)
		}
		if _, err := h.super.ExecContext(ctx, strings.ReplaceAll(script, "NEW_SCHEMA", o.schema)); err != nil {
			return fmt.Errorf("filling organization %s: %w", slug, err)
		}
		h.tenants = append(h.tenants, o)
		if n%500 == 0 {
			fmt.Fprintln(os.Stderr, n, "organizations")
		}
	}
	return nil
}

// copyScript copies all rows of a schema into NEW_SCHEMA, but for those that are there. Triggers and foreign keys rest:
// the rows went through them once.
func (h *house) copyScript(ctx context.Context, schema string) (_ string, err error) {
	rows, err := h.super.QueryContext(ctx, `
		SELECT c.table_name, string_agg(quote_ident(c.column_name), ', ' ORDER BY c.ordinal_position)
		  FROM information_schema.columns c JOIN information_schema.tables t USING (table_schema, table_name)
		 WHERE c.table_schema = $1 AND t.table_type = 'BASE TABLE' AND c.is_generated = 'NEVER'
		   AND c.table_name NOT IN ('member', 'audit_log', 'audit_seal')
		 GROUP BY c.table_name`, schema)
	if err != nil {
		return "", fmt.Errorf("listing tables: %w", err)
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	var script strings.Builder
	script.WriteString("BEGIN; SET LOCAL session_replication_role = replica;")
	for rows.Next() {
		var table, columns string
		if err := rows.Scan(&table, &columns); err != nil {
			return "", fmt.Errorf("listing tables: %w", err)
		}
		fmt.Fprintf(&script, "INSERT INTO NEW_SCHEMA.%[1]s (%[2]s) OVERRIDING SYSTEM VALUE SELECT %[2]s FROM %[3]s.%[1]s ON CONFLICT DO NOTHING;", table, columns, schema)
	}
	script.WriteString("COMMIT")
	return script.String(), rows.Err()
}

func measureCrowd(ctx context.Context, h *house, out io.Writer) (err error) {
	server, err := h.newServer(h.db)
	if err != nil {
		return err
	}
	at, err := serve(server.App())
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, at.close()) }()
	m, err := h.newMeter()
	if err != nil {
		return err
	}
	var callers []*caller
	for range h.clients {
		callers = append(callers, newCaller(at.address))
	}
	popular := zipf(len(h.tenants))
	choose := [loads]func(*rand.Rand) organization{
		func(r *rand.Rand) organization { return h.tenants[r.IntN(min(few, len(h.tenants)))] },
		func(r *rand.Rand) organization { return h.tenants[r.IntN(len(h.tenants))] },
		func(r *rand.Rand) organization { return h.tenants[popular(r)] },
	}
	run := func(load int) (slot, error) {
		return m.drive(ctx, callers, h.lead, h.slice, func(c *caller, random *rand.Rand) error {
			o := choose[load](random)
			if random.IntN(10) == 0 {
				return c.post(o, newText())
			}
			return c.read(o, o.invoices[random.IntN(len(o.invoices))])
		})
	}
	for load := range loads { // until connections know what they will meet
		if _, err := m.drive(ctx, callers, 0, h.warmUp, func(c *caller, random *rand.Rand) error {
			o := choose[load](random)
			return c.read(o, o.invoices[0])
		}); err != nil {
			return err
		}
	}
	var ratios [loads][]float64
	for n := range h.rounds {
		var done [loads]int
		for _, load := range []int{ofFew, ofAll, ofPopular, ofPopular, ofAll, ofFew} {
			s, err := run(load)
			if err != nil {
				return err
			}
			done[load] += s.operations
		}
		for load := range loads {
			ratios[load] = append(ratios[load], float64(done[load])/float64(done[ofFew]))
		}
		fmt.Fprintf(os.Stderr, "round %d of %d: %.2f, %.2f\n", n+1, h.rounds, ratios[ofAll][n], ratios[ofPopular][n])
	}
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintf(table, "\n%d organizations against %d\tmedian\t95 %% of it\tleast\tmost\t\n", len(h.tenants), few)
	for load := ofAll; load < loads; load++ {
		s := spreadOf(ratios[load])
		fmt.Fprintf(table, "%s\t%.2f\t%.2f-%.2f\t%.2f\t%.2f\t\n", loadNames[load], s.Median, s.From, s.To, s.Least, s.Most)
	}
	if err := table.Flush(); err != nil {
		return fmt.Errorf("printing the figures: %w", err)
	}
	largest, backends := m.largest()
	_, err = fmt.Fprintf(out, "The largest of %d backends has %d MB of its own.\n", backends, largest>>20)
	return err
}

// zipf draws places from 0 on, the n-th as often as 1/(n+1).
func zipf(n int) func(*rand.Rand) int {
	sums := make([]float64, n)
	total := 0.0
	for i := range sums {
		total += 1 / float64(i+1)
		sums[i] = total
	}
	return func(r *rand.Rand) int {
		at, low, high := r.Float64()*total, 0, n-1
		for low < high {
			if middle := (low + high) / 2; sums[middle] < at {
				low = middle + 1
			} else {
				high = middle
			}
		}
		return low
	}
}

var ownMemory = regexp.MustCompile(`RssAnon:\s+(\d+) kB`)

// largest is the most memory in bytes that a backend has for itself, without what all share: proc(5).
func (m meter) largest() (most int64, backends int) {
	found, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		return 0, 0
	}
	for _, path := range found {
		stat, err := os.ReadFile(path)
		if err != nil || !m.isChild(stat) {
			continue
		}
		status, err := os.ReadFile(filepath.Join(filepath.Dir(path), "status"))
		if err != nil {
			continue // it ended meanwhile
		}
		own := ownMemory.FindSubmatch(status)
		if own == nil {
			continue
		}
		if kilobytes, err := strconv.ParseInt(string(own[1]), 10, 64); err == nil {
			most, backends = max(most, kilobytes<<10), backends+1
		}
	}
	return most, backends
}

func (m meter) isChild(stat []byte) bool {
	_, rest, _ := strings.Cut(string(stat), ") ")
	fields := strings.Fields(rest)
	return len(fields) > 1 && fields[1] == strconv.Itoa(m.postmaster)
}
