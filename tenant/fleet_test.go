package tenant_test

import (
	"context"
	"errors"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"github.com/jmoiron/sqlx"

	"github.com/countinghouse/countinghouse/internal/postgres/pgtest"
	"github.com/countinghouse/countinghouse/tenant"
	"github.com/countinghouse/countinghouse/tenant/tenanttest"
)

// fleetOf is a database of its own with some empty schemas, so that migrating them disturbs no other test. Its logins are
// the cluster's, and each run sets their passwords: so tests of fleets do not run side by side.
func fleetOf(t *testing.T, schemas int) (tenant.Config, *sqlx.DB) {
	t.Helper()
	ctx, name := context.Background(), "fleet_"+tenanttest.Random(8)
	super, err := sqlx.Connect("postgres", pgtest.URL())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := super.Close(); err != nil {
			t.Error(err)
		}
	})
	if _, err := super.Exec("CREATE DATABASE " + name + " OWNER countinghouse_owner"); err != nil {
		t.Fatal(err)
	}
	config := tenanttest.Config()
	at, err := url.Parse(config.URL)
	if err != nil {
		t.Fatal(err)
	}
	at.Path = "/" + name
	config.URL = at.String()
	if _, err := tenant.Migrate(ctx, config); err != nil {
		t.Fatal(err)
	}
	db, err := tenant.Open(ctx, config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	if err := tenant.Provision(ctx, db, schemas); err != nil {
		t.Fatal(err)
	}
	return config, tenant.OwnerPool(db)
}

func scripts(script string) fstest.MapFS {
	return fstest.MapFS{"90001_next.sql": {Data: []byte(script)}}
}

// schemasOf lists the schemas in the order in which a fleet goes.
func schemasOf(t *testing.T, config tenant.Config, fleet tenant.Fleet) (names []string) {
	t.Helper()
	behind, err := tenant.WhoIsBehind(context.Background(), config, fleet)
	if err != nil {
		t.Fatal(err)
	}
	for _, b := range behind {
		if !slices.Equal(b.Missing, []int64{90001}) {
			t.Fatalf("schema %s lacks %v", b.Schema, b.Missing)
		}
		names = append(names, b.Schema)
	}
	return names
}

func change(t *testing.T, db *sqlx.DB, statement string) {
	t.Helper()
	if _, err := db.Exec(statement); err != nil {
		t.Fatal(statement, err)
	}
}

// One that cannot be migrated stays on its version and is told of; the others go on, and it may follow later.
func TestFleetLeavesOneThatFails(t *testing.T) {
	ctx := context.Background()
	config, owner := fleetOf(t, 24)
	fleet := tenant.Fleet{Scripts: scripts("ALTER TABLE party ADD COLUMN next integer"), StopAt: 10}
	names := schemasOf(t, config, fleet)
	odd := names[20]
	change(t, owner, "ALTER TABLE "+odd+".party ADD COLUMN next text")
	var last tenant.Progress
	fleet.Tell = func(p tenant.Progress) { last = p }

	done, err := tenant.MigrateFleet(ctx, config, fleet)
	if err != nil || done.Tenants != 23 || len(done.Failed) != 1 {
		t.Fatalf("%+v, %v", done, err)
	}
	if f := done.Failed[0]; f.Schema != odd || f.Version != 90001 || f.SQLState != "42701" || !strings.Contains(f.Reason, "already exists") {
		t.Errorf("%+v", f)
	}
	if last.Done != 23 || last.Failed != 1 || last.Total != 24 {
		t.Errorf("told %+v", last)
	}
	var noted []string
	if err := owner.Select(&noted, `SELECT schema_name FROM platform.migration_failure`); err != nil || !slices.Equal(noted, []string{odd}) {
		t.Fatal(noted, err)
	}
	if left := schemasOf(t, config, fleet); !slices.Equal(left, []string{odd}) {
		t.Fatalf("behind are %v", left)
	}

	change(t, owner, "ALTER TABLE "+odd+".party DROP COLUMN next")
	if done, err = tenant.MigrateFleet(ctx, config, fleet); err != nil || done.Tenants != 1 || len(done.Failed) != 0 {
		t.Fatalf("%+v, %v", done, err)
	}
	if err := owner.Select(&noted, `SELECT schema_name FROM platform.migration_failure`); err != nil || len(noted) != 0 {
		t.Error(noted, err)
	}
}

// A migration that is wrong is found out by the canaries, and nobody else has met it.
func TestFleetStopsAtACanary(t *testing.T) {
	config, owner := fleetOf(t, 12)
	fleet := tenant.Fleet{Scripts: scripts("CREATE TABLE next (n integer); SELECT 1/0")}
	done, err := tenant.MigrateFleet(context.Background(), config, fleet)
	if !errors.Is(err, tenant.ErrFleetStopped) || done.Tenants != 0 || len(done.Failed) == 0 || len(done.Failed) > 3 {
		t.Fatalf("%+v, %v", done, err)
	}
	var left int
	if err := owner.Get(&left, `SELECT count(*) FROM pg_class WHERE relname = 'next'`); err != nil || left != 0 {
		t.Fatalf("%d tables were left (%v)", left, err)
	}
}

// When more of a wave fail than is bearable, the rest is left alone.
func TestFleetStopsAtAFailureRate(t *testing.T) {
	config, owner := fleetOf(t, 30)
	fleet := tenant.Fleet{Scripts: scripts("ALTER TABLE party ADD COLUMN next integer"), StopAt: 10}
	for _, name := range schemasOf(t, config, fleet)[3:] {
		change(t, owner, "ALTER TABLE "+name+".party ADD COLUMN next text")
	}
	done, err := tenant.MigrateFleet(context.Background(), config, fleet)
	// 10 % of the wave's 27 are 2; each of the two compartments may be at one more when the third fails.
	if !errors.Is(err, tenant.ErrFleetStopped) || done.Tenants != 3 || len(done.Failed) < 3 || len(done.Failed) > 4 {
		t.Fatalf("%d went forward, %d failed, %v", done.Tenants, len(done.Failed), err)
	}
}

// Interrupted anywhere and run again, it gives each schema the migration once. A second ADD COLUMN would fail.
func TestFleetGoesOnWhereItWasCut(t *testing.T) {
	config, _ := fleetOf(t, 24)
	fleet := tenant.Fleet{Scripts: scripts("ALTER TABLE party ADD COLUMN next integer"), Parallel: 2}
	total := 0
	for range 10 {
		ctx, cut := context.WithCancel(context.Background())
		fleet.Tell = func(p tenant.Progress) {
			if p.Done == 4 {
				cut()
			}
		}
		done, err := tenant.MigrateFleet(ctx, config, fleet)
		cut()
		if total += done.Tenants; err == nil {
			break
		}
		if !errors.Is(err, context.Canceled) {
			t.Fatal(err)
		}
	}
	if left := schemasOf(t, config, fleet); len(left) != 0 || total > 24 || total < 12 {
		t.Fatalf("%d went forward, behind are %v", total, left)
	}
}

// Two that are started at once do the work once.
func TestFleetTwiceAtOnce(t *testing.T) {
	config, _ := fleetOf(t, 12)
	fleet := tenant.Fleet{Scripts: scripts("ALTER TABLE party ADD COLUMN next integer")}
	var done [2]tenant.Migrated
	var errs [2]error
	var both sync.WaitGroup
	for i := range done {
		both.Go(func() { done[i], errs[i] = tenant.MigrateFleet(context.Background(), config, fleet) })
	}
	both.Wait()
	if errs[0] != nil || errs[1] != nil || done[0].Tenants+done[1].Tenants != 12 || len(done[0].Failed)+len(done[1].Failed) != 0 {
		t.Fatal(done, errs)
	}
}

// A migration that cannot have its lock steps back, so that the requests behind it are answered, and tries again.
func TestFleetStepsBackFromALock(t *testing.T) {
	ctx := context.Background()
	config, owner := fleetOf(t, 4)
	fleet := tenant.Fleet{Scripts: scripts("ALTER TABLE party ADD COLUMN next integer"), LockTimeout: 20 * time.Millisecond, Tries: 8, Pause: 50 * time.Millisecond}
	busy := schemasOf(t, config, fleet)[0]
	reading, err := owner.Beginx()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := reading.Exec("SELECT count(*) FROM " + busy + ".party"); err != nil {
		t.Fatal(err)
	}
	released := make(chan error, 1)
	go func() {
		for waits, seen := false, false; !seen || waits; {
			if err := owner.Get(&waits, `SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted AND relation = to_regclass($1))`, busy+".party"); err != nil {
				released <- err
				return
			}
			seen = seen || waits
		}
		released <- reading.Commit() // it has stepped back at least once
	}()
	done, err := tenant.MigrateFleet(ctx, config, fleet)
	if err != nil || done.Tenants != 4 || len(done.Failed) != 0 {
		t.Errorf("%+v, %v", done, err)
	}
	if err := <-released; err != nil {
		t.Error(err)
	}
}

var (
	takings = regexp.MustCompile(`(?i)drop\s+(column|table|function|schema|view)|\brename\b|\btruncate\b|alter\s+column|alter\s+\w+\s+(set\s+not\s+null|type)`)
	columns = regexp.MustCompile(`(?i)add\s+column\s+[^,;]*`)
	remarks = regexp.MustCompile(`--[^\n]*`)
)

// takesAway finds what the version before would miss, or would not know to fill in.
func takesAway(script string) []string {
	script = remarks.ReplaceAllString(script, "")
	found := takings.FindAllString(script, -1)
	for _, column := range columns.FindAllString(script, -1) {
		if c := strings.ToLower(column); strings.Contains(c, "not null") && !strings.Contains(c, "default") {
			found = append(found, column)
		}
	}
	return found
}

// A migration adds and never takes away, so that the version before it, which may still run, finds what it knows.
func TestMigrationsOnlyExpand(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("../migrations/tenant/*.sql")
	if err != nil || len(files) < 10 {
		t.Fatal(files, err)
	}
	for _, file := range files {
		script, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, taking := range takesAway(string(script)) {
			t.Errorf("%s: %q takes away what the version before it may use", filepath.Base(file), taking)
		}
	}
	for _, bad := range []string{"ALTER TABLE a DROP COLUMN b", "DROP TABLE a", "ALTER TABLE a RENAME b TO c", "alter table a\n alter column b type text",
		"ALTER TABLE a ALTER b SET NOT NULL", "ALTER TABLE a ADD COLUMN b integer NOT NULL,", "TRUNCATE a"} {
		if len(takesAway(bad)) == 0 {
			t.Errorf("%q is let through", bad)
		}
	}
}
