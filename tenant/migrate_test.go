package tenant_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/countinghouse/countinghouse/internal/postgres/pgtest"
	"github.com/countinghouse/countinghouse/migrations"
	"github.com/countinghouse/countinghouse/tenant"
	"github.com/countinghouse/countinghouse/tenant/tenanttest"
)

// The script of a new tenant and the way by migrations lead to the same schema.
func TestBaselineEqualsMigrations(t *testing.T) {
	t.Parallel()
	ctx, owner := context.Background(), tenant.OwnerPool(tenanttest.DB())
	byScript := schemaOf(t, tenanttest.Found(t, tenanttest.DB(), nil))

	byMigrations := "t_" + tenanttest.Random(10)
	for _, statement := range []string{
		"CREATE ROLE " + byMigrations + " NOLOGIN NOINHERIT", "CREATE SCHEMA " + byMigrations,
		"GRANT USAGE ON SCHEMA " + byMigrations + " TO " + byMigrations,
	} {
		if _, err := owner.ExecContext(ctx, statement); err != nil {
			t.Fatal(err)
		}
	}
	if err := tenant.MigrateTenant(ctx, tenanttest.Config(), byMigrations); err != nil {
		t.Fatal(err)
	}
	want, got := dump(t, byMigrations), dump(t, byScript)
	if want != got {
		t.Fatalf("run make baseline: the migrations give\n%s\nand baseline.sql\n%s", difference(want, got), difference(got, want))
	}
	if !strings.Contains(want, "CREATE TABLE "+migrations.BaselineName+".journal_entry") {
		t.Fatal("the dump holds no table")
	}
}

func dump(t *testing.T, schema string) string {
	t.Helper()
	script, err := tenant.DumpSchema(context.Background(), tenanttest.Config(), pgtest.BinDir(), schema)
	if err != nil {
		t.Fatal(err)
	}
	return strings.ReplaceAll(script, schema, migrations.BaselineName)
}

// difference lists the lines of a that b has not.
func difference(a, b string) string {
	in := map[string]bool{}
	for line := range strings.Lines(b) {
		in[line] = true
	}
	var only strings.Builder
	for line := range strings.Lines(a) {
		if !in[line] {
			only.WriteString(line)
		}
	}
	return only.String()
}

// Every relation costs each backend memory and every backup time.
func TestRelationBudget(t *testing.T) {
	t.Parallel()
	schema := schemaOf(t, tenanttest.Found(t, tenanttest.DB(), nil))
	var size struct {
		Relations int
		Bytes     int64
	}
	err := tenant.OwnerPool(tenanttest.DB()).Get(&size, `
		WITH own AS (SELECT c.oid, c.reltoastrelid FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = $1),
		     every AS (SELECT oid FROM own UNION SELECT reltoastrelid FROM own WHERE reltoastrelid <> 0
		               UNION SELECT i.indexrelid FROM pg_index i JOIN own ON own.reltoastrelid = i.indrelid)
		SELECT count(*) AS relations, sum(pg_relation_size(oid)) AS bytes FROM every`, schema)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("an empty tenant has %d relations and %d kB", size.Relations, size.Bytes/1024)
	if size.Relations > 150 || size.Bytes > 1_200_000 {
		t.Fatal("over the budget: 150 relations and 1.2 MB")
	}
	if size.Relations < 10 {
		t.Fatal("this counts the wrong schema")
	}
}

// A migration that rewrites a table would make a running EXECUTE return nothing, without an error.
func TestMigrationsRewriteNoTable(t *testing.T) {
	t.Parallel()
	ctx, owner := context.Background(), tenant.OwnerPool(tenanttest.DB())
	schema := "t_" + tenanttest.Random(10)
	for _, statement := range []string{"CREATE ROLE " + schema + " NOLOGIN", "CREATE SCHEMA " + schema,
		`INSERT INTO platform.schema_version (schema_name, version, applied_at) VALUES ('` + schema + `', 0, now())`} {
		if _, err := owner.ExecContext(ctx, statement); err != nil {
			t.Fatal(err)
		}
	}
	files, err := filepath.Glob("../migrations/tenant/*.sql")
	if err != nil || len(files) < 3 {
		t.Fatal(err, files)
	}
	seen := map[string]int64{}
	for _, file := range files {
		script, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		tx := owner.MustBeginTx(ctx, nil)
		if _, err := tx.ExecContext(ctx, "SET LOCAL search_path = "+schema+", pg_temp; "+string(script)); err != nil {
			t.Fatal(file, err)
		}
		if err := tx.Commit(); err != nil {
			t.Fatal(err)
		}
		var tables []struct {
			Name string
			Node int64
		}
		err = owner.Select(&tables, `SELECT c.relname AS name, c.relfilenode AS node FROM pg_class c
			JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = $1 AND c.relkind = 'r'`, schema)
		if err != nil {
			t.Fatal(err)
		}
		for _, table := range tables {
			if before, there := seen[table.Name]; there && before != table.Node {
				t.Errorf("%s rewrites table %s", filepath.Base(file), table.Name)
			}
			seen[table.Name] = table.Node
		}
	}
	if len(seen) < 10 {
		t.Fatalf("only %d tables were seen", len(seen))
	}
}

// Migrate may be run again at any time.
func TestMigrateTwice(t *testing.T) {
	t.Parallel()
	done, err := tenant.Migrate(context.Background(), tenanttest.Config())
	if err != nil || done.Platform != 0 || done.Tenants != 0 {
		t.Fatalf("%+v, %v", done, err)
	}
}
