package tenant

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"sync"
	"time"

	"github.com/jmoiron/sqlx"
	"github.com/lib/pq"

	"github.com/countinghouse/countinghouse/internal/fault"
	"github.com/countinghouse/countinghouse/migrations"
)

// Fleet says how the organizations are brought forward. The zero value is how it is done if nobody says otherwise.
type Fleet struct {
	Scripts     fs.FS         // the migrations; nil means this binary's
	Canaries    int           // how many go first: if one of them fails, no other is touched; 0 means 3
	Parallel    int           // at once in each compartment; 0 means 1
	StopAt      int           // percent of a wave that may fail before the rest is left alone; 0 means 5
	LockTimeout time.Duration // for how long a migration may hold up requests that wait behind it; 0 means 2 s
	Tries       int           // for what a busy database refuses; 0 means 5
	Pause       time.Duration // before the second try, doubled before each further one; 0 means 100 ms
	Tell        func(Progress)
}

func (f Fleet) withDefaults() Fleet {
	if f.Scripts == nil {
		f.Scripts = migrations.Tenant()
	}
	for _, n := range []struct {
		field *int
		usual int
	}{{&f.Canaries, 3}, {&f.Parallel, 1}, {&f.StopAt, 5}, {&f.Tries, 5}} {
		if *n.field <= 0 {
			*n.field = n.usual
		}
	}
	if f.LockTimeout <= 0 {
		f.LockTimeout = 2 * time.Second
	}
	if f.Pause <= 0 {
		f.Pause = 100 * time.Millisecond
	}
	if f.Tell == nil {
		f.Tell = func(Progress) {}
	}
	return f
}

// Progress is how far a fleet has come. It is told after each schema, by one goroutine at a time.
type Progress struct {
	Wave    int      `json:"wave"` // 0 is the canaries
	Done    int      `json:"done"`
	Failed  int      `json:"failed"`
	Total   int      `json:"total"`
	Failure *Failure `json:"failure,omitempty"` // of the schema that this is told after
}

// Failure is a schema that stays on the version that it had.
type Failure struct {
	Schema   string `json:"schema"`
	Version  int64  `json:"version"` // the migration that failed
	SQLState string `json:"sqlstate"`
	Reason   string `json:"reason"`
}

// Laggard is a schema that lacks migrations.
type Laggard struct {
	Schema      string        `db:"schema_name" json:"schema"`
	Compartment int           `db:"compartment_id" json:"compartment"`
	State       string        `db:"state" json:"state"`
	Applied     pq.Int64Array `db:"applied" json:"-"`
	Missing     []int64       `db:"-" json:"missing"`
}

// ErrFleetStopped is returned when too many organizations of a wave could not be brought forward: the rest was left alone.
var ErrFleetStopped = fault.New(fault.Conflict, "migrate.stopped",
	"Too many organizations could not be migrated, so the rest were left on their version, which is still served. Mend the cause and run it again.")

// step is one migration of a tenant.
type step struct {
	version int64
	script  string
}

// steps reads the scripts, lowest version first.
func steps(files fs.FS) ([]step, error) {
	versions, err := versionsIn(files)
	if err != nil {
		return nil, err
	}
	all := make([]step, 0, len(versions))
	for _, v := range versions {
		script, err := fs.ReadFile(files, v.name)
		if err != nil {
			return nil, fmt.Errorf("reading migration %s: %w", v.name, err)
		}
		all = append(all, step{v.version, string(script)})
	}
	return all, nil
}

// WhoIsBehind lists the schemas that lack migrations, in the order in which they are brought forward: empty ones that
// wait to be claimed first, since nobody misses them, then the organizations by age. One query, whatever their number.
func WhoIsBehind(ctx context.Context, config Config, fleet Fleet) (behind []Laggard, err error) {
	config, fleet = config.withDefaults(), fleet.withDefaults()
	owner, err := openPool(config, ownerLogin, 1, nil)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, owner.Close()) }()
	all, err := steps(fleet.Scripts)
	if err != nil {
		return nil, err
	}
	return whoIsBehind(ctx, owner, all)
}

func whoIsBehind(ctx context.Context, owner *sqlx.DB, all []step) ([]Laggard, error) {
	versions := make(pq.Int64Array, len(all))
	for i, s := range all {
		versions[i] = s.version
	}
	behind := []Laggard{}
	err := owner.SelectContext(ctx, &behind, `
		WITH has AS (SELECT schema_name, array_agg(version) AS applied FROM platform.schema_version
		              WHERE version = ANY($1) GROUP BY schema_name)
		SELECT o.schema_name, o.compartment_id, o.state::text AS state, coalesce(has.applied, '{}') AS applied
		  FROM platform.organization o LEFT JOIN has USING (schema_name)
		 WHERE o.state::text <> 'gone' AND coalesce(cardinality(has.applied), 0) < cardinality($1::bigint[])
		 ORDER BY o.state::text <> 'ready', o.id`, versions)
	if err != nil {
		return nil, fmt.Errorf("asking which organizations are behind: %w", err)
	}
	for i := range behind {
		for _, v := range versions {
			if !slices.Contains(behind[i].Applied, v) {
				behind[i].Missing = append(behind[i].Missing, v)
			}
		}
	}
	return behind, nil
}

// march is one run over the fleet.
type march struct {
	Fleet
	owner *sqlx.DB
	steps []step

	mu       sync.Mutex
	progress Progress
	failures []Failure
}

// run brings everyone forward: canaries first, then waves that grow tenfold, each side by side over the compartments.
func (m *march) run(ctx context.Context, behind []Laggard) error {
	m.progress.Total = len(behind)
	size := m.Canaries
	for wave := 0; len(behind) > 0; wave++ {
		m.progress.Wave = wave
		this := behind[:min(size, len(behind))]
		behind = behind[len(this):]
		bearable := len(this) * m.StopAt / 100
		if wave == 0 {
			bearable = 0
		}
		failed, err := m.wave(ctx, this, bearable)
		if err != nil {
			return err
		}
		if failed > bearable {
			return ErrFleetStopped
		}
		size *= 10
	}
	return nil
}

// wave migrates some schemas and counts those that failed. It ends early once more failed than is bearable.
func (m *march) wave(ctx context.Context, schemas []Laggard, bearable int) (failed int, err error) {
	queues := map[int]chan Laggard{}
	for _, b := range schemas {
		if queues[b.Compartment] == nil {
			queues[b.Compartment] = make(chan Laggard, len(schemas))
		}
		queues[b.Compartment] <- b
	}
	before := m.progress.Failed
	var workers sync.WaitGroup
	for _, queue := range queues {
		close(queue)
		for range m.Parallel {
			workers.Go(func() {
				for b := range queue {
					if ctx.Err() != nil || m.failedSince(before) > bearable {
						return
					}
					m.one(ctx, b)
				}
			})
		}
	}
	workers.Wait()
	return m.failedSince(before), ctx.Err()
}

func (m *march) failedSince(before int) int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.progress.Failed - before
}

// one brings one schema forward, notes what became of it, and tells.
func (m *march) one(ctx context.Context, b Laggard) {
	failure := m.forward(ctx, b)
	if ctx.Err() != nil {
		return // interrupted: neither done nor failed
	}
	if err := m.note(ctx, b.Schema, failure); err != nil && failure == nil {
		failure = &Failure{Schema: b.Schema, Reason: err.Error()}
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if failure == nil {
		m.progress.Done++
	} else {
		m.progress.Failed++
		m.failures = append(m.failures, *failure)
	}
	told := m.progress
	told.Failure = failure
	m.Tell(told)
}

func (m *march) forward(ctx context.Context, b Laggard) *Failure {
	for _, s := range m.steps {
		if !slices.Contains(b.Missing, s.version) {
			continue
		}
		if err := m.apply(ctx, b.Schema, s); err != nil {
			return &Failure{Schema: b.Schema, Version: s.version, SQLState: SQLState(err), Reason: err.Error()}
		}
	}
	return nil
}

// apply runs one migration, again where the database was busy or the connection went. The whole is one transaction, so
// that a try whose answer was lost either is there, with its version, or left nothing.
func (m *march) apply(ctx context.Context, schema string, s step) error {
	pause := m.Pause
	for try := 1; ; try++ {
		err := applyStep(ctx, m.owner, schema, s, m.LockTimeout)
		if err == nil || ctx.Err() != nil || try == m.Tries || !passing(err) {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(pause):
		}
		pause *= 2
		var there bool
		asked := m.owner.GetContext(ctx, &there,
			`SELECT EXISTS (SELECT FROM platform.schema_version WHERE schema_name = $1 AND version = $2)`, schema, s.version)
		if asked == nil && there {
			return nil
		}
	}
}

// passing reports whether an error says that another try may succeed: a lock that was not to be had, a deadlock, a
// serialization failure, or no answer at all.
func passing(err error) bool {
	switch state := SQLState(err); state {
	case "55P03", "40P01", "40001", "57P01", "57P02", "57P03", "":
		return true
	default:
		return state[:2] == "08" || state[:2] == "53"
	}
}

// applyStep sends a migration and its version as one message, which is one transaction.
func applyStep(ctx context.Context, owner sqlx.ExecerContext, schema string, s step, wait time.Duration) error {
	_, err := owner.ExecContext(ctx, fmt.Sprintf("SET LOCAL lock_timeout = %d; SET LOCAL search_path = %s, pg_temp;\n%s\n;"+
		"INSERT INTO platform.schema_version (schema_name, version, applied_at) VALUES (%s, %d, now())",
		wait.Milliseconds(), pq.QuoteIdentifier(schema), s.script, pq.QuoteLiteral(schema), s.version))
	if err != nil {
		return fmt.Errorf("migration %d: %w", s.version, err)
	}
	return nil
}

// note keeps a failure for the operator until the schema is brought forward.
func (m *march) note(ctx context.Context, schema string, failure *Failure) (err error) {
	if failure == nil {
		_, err = m.owner.ExecContext(ctx, `DELETE FROM platform.migration_failure WHERE schema_name = $1`, schema)
	} else {
		_, err = m.owner.ExecContext(ctx, `
			INSERT INTO platform.migration_failure (schema_name, version, sqlstate, reason, failed_at) VALUES ($1, $2, $3, left($4, 300), now())
			ON CONFLICT (schema_name) DO UPDATE SET version = excluded.version, sqlstate = excluded.sqlstate, reason = excluded.reason, failed_at = excluded.failed_at`,
			schema, failure.Version, failure.SQLState, failure.Reason)
	}
	if err != nil {
		return fmt.Errorf("noting what became of schema %s: %w", schema, err)
	}
	return nil
}
