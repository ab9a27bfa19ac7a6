package tenant

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/lib/pq"

	"github.com/countinghouse/countinghouse/migrations"
)

// FleetState is how schemas and database stand, for those who run the platform. It holds nothing of any organization's.
type FleetState struct {
	Version      int64 // to which this binary's migrations bring an organization
	Platform     int64 // of the platform's own tables
	Compartments []CompartmentState
	Last         *time.Time     // when a migration of an organization was last done; nil for never
	Failed       int            // how many schemas could not be brought forward and wait for another run
	Failures     []FleetFailure // the newest of them, a hundred at most
	Database     DatabaseState
}

// CompartmentState counts the schemas of a compartment.
type CompartmentState struct {
	ID            int `db:"id"`
	Organizations int `db:"organizations"`
	Ready         int `db:"ready"`  // that wait to be claimed
	Behind        int `db:"behind"` // that lack migrations, of both
}

// FleetFailure is why a schema stays on its version. Slug is empty where nobody has claimed it.
type FleetFailure struct {
	Failure
	Slug string
	At   time.Time
}

// DatabaseState is how the database stands, in its own words.
type DatabaseState struct {
	Server      string `db:"server"` // such as "15.12"
	Bytes       int64  `db:"bytes"`
	Connections int    `db:"connections"`
	Most        int    `db:"most"`  // connections that it takes
	Spare       bool   `db:"spare"` // it recovers, or follows another
}

// Total is how many schemas there are, and Behind how many of them lack migrations.
func (s FleetState) Total() (total, behind int) {
	for _, c := range s.Compartments {
		total += c.Organizations + c.Ready
		behind += c.Behind
	}
	return total, behind
}

// LookAtFleet tells how schemas and database stand at this moment, in four queries whatever the number of schemas. It
// fails with ErrUnavailable.
func LookAtFleet(ctx context.Context, db *DB) (s FleetState, err error) {
	versions, err := versionsHere()
	if err != nil {
		return s, err
	}
	s.Version = slices.Max(versions)
	for _, part := range []func(context.Context, *DB, *FleetState) error{countCompartments(versions), lookAtFailures, lookAtDatabase} {
		if err := part(ctx, db, &s); err != nil {
			return s, reached(ctx, err)
		}
	}
	return s, nil
}

func versionsHere() (pq.Int64Array, error) {
	all, err := steps(migrations.Tenant())
	if err != nil {
		return nil, err
	}
	versions := make(pq.Int64Array, len(all))
	for i, s := range all {
		versions[i] = s.version
	}
	return versions, nil
}

func countCompartments(versions pq.Int64Array) func(context.Context, *DB, *FleetState) error {
	return func(ctx context.Context, db *DB, s *FleetState) error {
		err := db.owner.SelectContext(ctx, &s.Compartments, `
			WITH has AS (SELECT schema_name, count(*) AS n FROM platform.schema_version WHERE version = ANY($1) GROUP BY schema_name)
			SELECT c.id, count(o.id) FILTER (WHERE o.state::text <> 'ready') AS organizations, count(o.id) FILTER (WHERE o.state::text = 'ready') AS ready,
			       count(o.id) FILTER (WHERE coalesce(has.n, 0) < cardinality($1::bigint[])) AS behind
			  FROM platform.compartment c
			  LEFT JOIN platform.organization o ON o.compartment_id = c.id AND o.state::text <> 'gone'
			  LEFT JOIN has USING (schema_name)
			 GROUP BY c.id ORDER BY c.id`, versions)
		if err != nil {
			return fmt.Errorf("counting the schemas of compartments: %w", err)
		}
		return nil
	}
}

func lookAtFailures(ctx context.Context, db *DB, s *FleetState) error {
	err := db.owner.QueryRowContext(ctx, `
		SELECT (SELECT max(version) FROM platform.schema_version WHERE schema_name = 'platform'),
		       (SELECT max(applied_at) FROM platform.schema_version WHERE schema_name <> 'platform'),
		       (SELECT count(*) FROM platform.migration_failure)`).Scan(&s.Platform, &s.Last, &s.Failed)
	if err != nil {
		return fmt.Errorf("asking how far migrations have come: %w", err)
	}
	var rows []struct {
		Schema   string    `db:"schema_name"`
		Slug     string    `db:"slug"`
		Version  int64     `db:"version"`
		SQLState string    `db:"sqlstate"`
		Reason   string    `db:"reason"`
		At       time.Time `db:"failed_at"`
	}
	err = db.owner.SelectContext(ctx, &rows, `
		SELECT f.schema_name, coalesce(o.slug, '') AS slug, f.version, f.sqlstate, f.reason, f.failed_at
		  FROM platform.migration_failure f LEFT JOIN platform.organization o USING (schema_name)
		 ORDER BY f.failed_at DESC, f.schema_name LIMIT 100`)
	if err != nil {
		return fmt.Errorf("listing failed migrations: %w", err)
	}
	for _, r := range rows {
		s.Failures = append(s.Failures, FleetFailure{Failure{r.Schema, r.Version, r.SQLState, r.Reason}, r.Slug, r.At.UTC()})
	}
	return nil
}

func lookAtDatabase(ctx context.Context, db *DB, s *FleetState) error {
	err := db.owner.GetContext(ctx, &s.Database, `
		SELECT split_part(current_setting('server_version'), ' ', 1) AS server, pg_database_size(current_database()) AS bytes,
		       (SELECT coalesce(sum(numbackends), 0)::int FROM pg_stat_database) AS connections,
		       current_setting('max_connections')::int AS most, pg_is_in_recovery() AS spare`)
	if err != nil {
		return fmt.Errorf("asking the database how it stands: %w", err)
	}
	return nil
}

// Shape is how far an organization's schema has been brought, and how much room it takes.
type Shape struct {
	Version int64 // the newest of its migrations; 0 for none
	Behind  bool  // it lacks some of this binary's
	Bytes   int64 // tables and indexes, on disk
}

// Shapes gives the shapes of organizations by their slugs; one that there is no more is left out. It fails with
// ErrUnavailable.
func Shapes(ctx context.Context, db *DB, slugs []string) (map[string]Shape, error) {
	versions, err := versionsHere()
	if err != nil {
		return nil, err
	}
	var rows []struct {
		Slug    string `db:"slug"`
		Version int64  `db:"version"`
		Has     int    `db:"has"`
		Bytes   int64  `db:"bytes"`
	}
	err = db.owner.SelectContext(ctx, &rows, `
		SELECT o.slug, coalesce(v.latest, 0) AS version, coalesce(v.has, 0) AS has, coalesce(t.bytes, 0) AS bytes
		  FROM platform.organization o
		  LEFT JOIN LATERAL (SELECT max(version) AS latest, count(*) FILTER (WHERE version = ANY($2)) AS has
		                       FROM platform.schema_version WHERE schema_name = o.schema_name) v ON true
		  LEFT JOIN LATERAL (SELECT sum(pg_total_relation_size(c.oid))::bigint AS bytes FROM pg_class c
		                      WHERE c.relnamespace = (SELECT n.oid FROM pg_namespace n WHERE n.nspname = o.schema_name::name) AND c.relkind = 'r') t ON true
		 WHERE o.slug = ANY($1) AND o.state::text <> 'gone'`, pq.Array(slugs), versions)
	if err != nil {
		return nil, reached(ctx, fmt.Errorf("measuring organizations: %w", err))
	}
	shapes := make(map[string]Shape, len(rows))
	for _, r := range rows {
		shapes[r.Slug] = Shape{Version: r.Version, Behind: r.Has < len(versions), Bytes: r.Bytes}
	}
	return shapes, nil
}
