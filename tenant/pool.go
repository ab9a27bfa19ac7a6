package tenant

import (
	"context"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"time"

	"github.com/jmoiron/sqlx"
	"github.com/pressly/goose/v3"

	"github.com/countinghouse/countinghouse/internal/fault"
	"github.com/countinghouse/countinghouse/migrations"
)

// PoolUse is how one pool of connections is used in this process.
type PoolUse struct {
	Login  string // the database login that it enters with: one for each compartment
	Most   int
	Open   int
	InUse  int
	Waits  int64 // callers that had to wait for a connection, ever
	Waited time.Duration
}

// Pools tells how the pools of this process are used.
func (db *DB) Pools() []PoolUse {
	var all []PoolUse
	for login, pool := range map[string]*sqlx.DB{ownerLogin: db.owner, appLogin: db.platform} {
		s := pool.Stats()
		all = append(all, PoolUse{login, s.MaxOpenConnections, s.OpenConnections, s.InUse, s.WaitCount, s.WaitDuration})
	}
	db.mu.Lock()
	for n, held := range db.compartments {
		all = append(all, held.use(compartmentLogin(n)))
	}
	db.mu.Unlock()
	slices.SortFunc(all, func(a, b PoolUse) int { return strings.Compare(a.Login, b.Login) })
	return all
}

// Reach says whether the platform's tables can be reached. It fails with ErrUnavailable.
func (db *DB) Reach(ctx context.Context) error {
	if err := db.platform.PingContext(ctx); err != nil {
		return ErrUnavailable.Because(err)
	}
	return nil
}

// Behind counts the organizations and ready schemas that Migrate has not yet brought to this binary's version.
func Behind(ctx context.Context, db *DB) (int, error) {
	all, err := steps(migrations.Tenant())
	if err != nil {
		return 0, err
	}
	behind, err := whoIsBehind(ctx, db.owner, all)
	if err != nil {
		return 0, reached(ctx, err)
	}
	return len(behind), nil
}

// Census is how many there are of what the platform keeps.
type Census struct {
	Organizations map[string]int // by state: ready, active, suspended, closing, gone
	People        int
	Waiting       int            // accounts and networks that have to wait before they may try to sign in again
	Events        map[string]int // security events of the last 24 hours, by kind, each as often as it happened
	Unproved      int            // organizations in use whose books did not agree when they were proved last
	Unlooked      int            // organizations in use for two days or more whose books were not proved within the last two
}

// Count takes a census.
func Count(ctx context.Context, db *DB) (c Census, err error) {
	c = Census{Organizations: map[string]int{}, Events: map[string]int{}}
	err = DoPlatform(ctx, db, func(tx *PlatformTx) error {
		var states []struct {
			State string
			Count int
		}
		if err := tx.Select(ctx, &states, `SELECT state::text AS state, count(*) AS count FROM platform.organization GROUP BY state`); err != nil {
			return fmt.Errorf("counting organizations: %w", err)
		}
		for _, s := range states {
			c.Organizations[s.State] = s.Count
		}
		if err := tx.Get(ctx, &c.People, `SELECT count(*) FROM platform.person`); err != nil {
			return fmt.Errorf("counting people: %w", err)
		}
		if err := tx.Get(ctx, &c.Waiting, `SELECT count(*) FROM platform.sign_in_budget WHERE wait_until > $1`, tx.Now()); err != nil {
			return fmt.Errorf("counting who has to wait: %w", err)
		}
		var events []struct {
			Kind  string
			Times int
		}
		if err := tx.Select(ctx, &events, `SELECT kind, sum(times) AS times FROM platform.security_event WHERE last_at > $1 GROUP BY kind`, tx.Now().Add(-24*time.Hour)); err != nil {
			return fmt.Errorf("counting security events: %w", err)
		}
		for _, e := range events {
			c.Events[e.Kind] = e.Times
		}
		return countProofs(ctx, tx, &c)
	})
	return c, err
}

func countProofs(ctx context.Context, tx *PlatformTx, c *Census) error {
	var proofs struct{ Unproved, Unlooked int }
	err := tx.Get(ctx, &proofs, `
		SELECT count(*) FILTER (WHERE p.found > 0) AS unproved, count(*) FILTER (WHERE greatest(o.claimed_at, p.proved_at) < $1) AS unlooked
		  FROM platform.organization o LEFT JOIN platform.proof p ON p.organization_id = o.id
		 WHERE o.state::text IN ('active', 'suspended')`, tx.Now().Add(-48*time.Hour))
	if err != nil {
		return fmt.Errorf("counting proofs of books: %w", err)
	}
	c.Unproved, c.Unlooked = proofs.Unproved, proofs.Unlooked
	return nil
}

// ErrNotMigrated says that the database is older than this binary.
var ErrNotMigrated = fault.New(fault.Unavailable, "database.not_migrated", "The database is older than this version. Run countinghouse migrate, then start this again.")

// CheckPlatform says whether the platform's tables are at this binary's version or newer. It fails with ErrNotMigrated and
// ErrUnavailable.
func CheckPlatform(ctx context.Context, db *DB) error {
	latest, err := latestVersion(migrations.Platform())
	if err != nil {
		return err
	}
	var there bool
	err = db.owner.GetContext(ctx, &there, `SELECT EXISTS (SELECT FROM platform.schema_version WHERE schema_name = 'platform' AND version >= $1)`, latest)
	switch {
	case SQLState(err) == "42P01": // there is no such table
		return ErrNotMigrated
	case err != nil:
		return reached(ctx, fmt.Errorf("asking for the platform's version: %w", err))
	case !there:
		return ErrNotMigrated
	}
	return nil
}

func latestVersion(files fs.FS) (latest int64, err error) {
	names, err := fs.Glob(files, "*.sql")
	if err != nil {
		return 0, fmt.Errorf("listing the migrations: %w", err)
	}
	for _, name := range names {
		version, err := goose.NumericComponent(name)
		if err != nil {
			return 0, fmt.Errorf("reading the version of %s: %w", name, err)
		}
		latest = max(latest, version)
	}
	return latest, nil
}
