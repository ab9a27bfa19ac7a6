package metric

import (
	"context"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/countinghouse/countinghouse/tenant"
)

const (
	// remembered is for how long figures from the database are given again: they are of the whole platform, and each
	// process is asked for them.
	remembered = 30 * time.Second
	patience   = 5 * time.Second
)

// JobCounts gives how many jobs there are of each standing.
type JobCounts func(ctx context.Context) (map[string]int, error)

// Watch adds the figures of a database: its pools in this process, and what it holds. What cannot be counted is left
// out, and countinghouse_database_counted says so.
func (m *Meter) Watch(db *tenant.DB, jobs JobCounts, log *slog.Logger) {
	m.registry.MustRegister(&poolFigures{db: db}, &heldFigures{db: db, jobs: jobs, log: log})
}

func figure(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc("countinghouse_"+name, help, labels, nil)
}

var (
	poolMost   = figure("pool_connections_max", "The most connections that a pool of this process opens, by database login: one for each compartment.", "login")
	poolOpen   = figure("pool_connections_open", "Connections that are open.", "login")
	poolUsed   = figure("pool_connections_in_use", "Connections that are in use.", "login")
	poolWaits  = figure("pool_waits_total", "How often a caller waited for a connection.", "login")
	poolWaited = figure("pool_wait_seconds_total", "How long callers waited for connections.", "login")
)

// poolFigures reads the pools when it is asked.
type poolFigures struct{ db *tenant.DB }

// Describe names the figures.
func (p *poolFigures) Describe(out chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{poolMost, poolOpen, poolUsed, poolWaits, poolWaited} {
		out <- d
	}
}

// Collect gives them.
func (p *poolFigures) Collect(out chan<- prometheus.Metric) {
	for _, use := range p.db.Pools() {
		gauge := func(d *prometheus.Desc, v int) {
			out <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, float64(v), use.Login)
		}
		gauge(poolMost, use.Most)
		gauge(poolOpen, use.Open)
		gauge(poolUsed, use.InUse)
		out <- prometheus.MustNewConstMetric(poolWaits, prometheus.CounterValue, float64(use.Waits), use.Login)
		out <- prometheus.MustNewConstMetric(poolWaited, prometheus.CounterValue, use.Waited.Seconds(), use.Login)
	}
}

var (
	counted       = figure("database_counted", "Whether the figures from the database could be read: 1 or 0.")
	organizations = figure("organizations", "Organizations by state; ready ones are schemas that wait for a sign-up.", "state")
	people        = figure("people", "People with an identity: it grows with every sign-up.")
	waiting       = figure("sign_in_lockouts", "Accounts and networks that have to wait before they may try to sign in again.")
	events        = figure("security_events", "Security events of the last 24 hours, by kind.", "kind")
	behind        = figure("schemas_behind", "Organizations and ready schemas that are not at this version's schema.")
	unproved      = figure("books_disagreeing", "Organizations in use whose books did not agree when they were proved last.")
	unlooked      = figure("books_unproved", "Organizations in use whose books were not proved within the last two days.")
	jobsHeld      = figure("jobs", "Background jobs by standing.", "standing")
)

// heldFigures counts in the database, at most every half minute.
type heldFigures struct {
	db   *tenant.DB
	jobs JobCounts
	log  *slog.Logger

	mu   sync.Mutex
	at   time.Time
	last []prometheus.Metric
}

// Describe names the figures.
func (h *heldFigures) Describe(out chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{counted, organizations, people, waiting, events, behind, unproved, unlooked, jobsHeld} {
		out <- d
	}
}

// Collect gives them.
func (h *heldFigures) Collect(out chan<- prometheus.Metric) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if time.Since(h.at) > remembered {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		found, err := h.count(ctx)
		ok := 1
		if err != nil {
			h.log.Warn("the figures of the database cannot be read", "error", err)
			ok = 0
		}
		h.last, h.at = append(found, constant(counted, ok)), time.Now()
	}
	for _, f := range h.last {
		out <- f
	}
}

func (h *heldFigures) count(ctx context.Context) (found []prometheus.Metric, err error) {
	census, err := tenant.Count(ctx, h.db)
	if err != nil {
		return nil, err
	}
	found = append(byLabel(organizations, census.Organizations), constant(people, census.People), constant(waiting, census.Waiting),
		constant(unproved, census.Unproved), constant(unlooked, census.Unlooked))
	found = append(found, byLabel(events, census.Events)...)
	late, err := tenant.Behind(ctx, h.db)
	if err != nil {
		return found, err
	}
	found = append(found, constant(behind, late))
	held, err := h.jobs(ctx)
	if err != nil {
		return found, err
	}
	return append(found, byLabel(jobsHeld, held)...), nil
}

func constant(d *prometheus.Desc, v int, labels ...string) prometheus.Metric {
	return prometheus.MustNewConstMetric(d, prometheus.GaugeValue, float64(v), labels...)
}

func byLabel(d *prometheus.Desc, counts map[string]int) (all []prometheus.Metric) {
	for _, label := range slices.Sorted(maps.Keys(counts)) {
		all = append(all, constant(d, counts[label], label))
	}
	return all
}
