package jobs_test

import (
	"context"
	"database/sql"
	"slices"
	"strings"
	"testing"

	"github.com/riverqueue/river/riverdriver/riverdatabasesql"
	"github.com/riverqueue/river/rivermigrate"

	"github.com/countinghouse/countinghouse/tenant/tenanttest"
)

// Our migration is River's own put together; a newer River that wants another shape fails here.
func TestQueueHasTheShapeThatRiverWants(t *testing.T) {
	ctx := context.Background()
	db, err := sql.Open("postgres", tenanttest.Config().URL)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.ExecContext(ctx, `CREATE SCHEMA river_wants`); err != nil {
		t.Fatal(err)
	}
	theirs, err := rivermigrate.New(riverdatabasesql.New(db), &rivermigrate.Config{Schema: "river_wants"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := theirs.Migrate(ctx, rivermigrate.DirectionUp, nil); err != nil {
		t.Fatal(err)
	}
	ours, err := rivermigrate.New(riverdatabasesql.New(db), &rivermigrate.Config{Schema: "jobs"})
	if err != nil {
		t.Fatal(err)
	}
	if result, err := ours.Validate(ctx, nil); err != nil || !result.OK {
		t.Errorf("River misses migrations: %+v %v", result, err)
	}
	want, got := shape(t, db, "river_wants"), shape(t, db, "jobs")
	for _, line := range want {
		if !slices.Contains(got, line) {
			t.Errorf("River wants %s", line)
		}
	}
	for _, line := range got {
		if !slices.Contains(want, line) {
			t.Errorf("River does not know %s", line)
		}
	}
	if len(want) < 40 {
		t.Errorf("only %d lines were compared", len(want))
	}
}

// shape lists columns, constraints and indexes of River's tables, a line each.
func shape(t *testing.T, db *sql.DB, schema string) (lines []string) {
	t.Helper()
	rows, err := db.QueryContext(context.Background(), `
		WITH tables AS (SELECT c.oid, c.relname, c.relpersistence FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
		                 WHERE n.nspname = $1 AND c.relkind = 'r' AND c.relname LIKE 'river%')
		SELECT line FROM (
			SELECT concat_ws(' ', 'column', t.relname, t.relpersistence, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull, pg_get_expr(d.adbin, d.adrelid)) AS line
			  FROM tables t JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum > 0 AND NOT a.attisdropped
			  LEFT JOIN pg_attrdef d ON d.adrelid = t.oid AND d.adnum = a.attnum
			UNION ALL
			SELECT concat_ws(' ', 'constraint', t.relname, c.conname, pg_get_constraintdef(c.oid)) FROM tables t JOIN pg_constraint c ON c.conrelid = t.oid
			UNION ALL
			SELECT pg_get_indexdef(i.indexrelid) FROM tables t JOIN pg_index i ON i.indrelid = t.oid
			UNION ALL
			SELECT concat_ws(' ', 'state', e.enumlabel, rank() OVER (ORDER BY e.enumsortorder)) FROM pg_enum e JOIN pg_type y ON y.oid = e.enumtypid JOIN pg_namespace n ON n.oid = y.typnamespace WHERE n.nspname = $1
			UNION ALL
			SELECT btrim(regexp_replace(p.prosrc, '\s+', ' ', 'g')) FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace WHERE n.nspname = $1 AND p.proname LIKE 'river%'
		) all_lines ORDER BY line COLLATE "C"`, schema)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var line string
		if err := rows.Scan(&line); err != nil {
			t.Fatal(err)
		}
		// The name that a renamed table left behind.
		lines = append(lines, strings.NewReplacer(schema+".", "", "river_migration_pkey1", "river_migration_pkey").Replace(line))
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return lines
}
