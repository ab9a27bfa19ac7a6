package tenant_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/countinghouse/countinghouse/tenant"
	"github.com/countinghouse/countinghouse/tenant/tenanttest"
)

// spread is what a tenant's schema must not have, so that it can lie on a node of a Citus cluster with schema-based
// sharding: the list of the design, and what Citus itself refuses in such a schema (its schema_based_sharding.c: foreign
// and inherited tables, foreign keys out of the schema, SET SCHEMA; its list of limitations: rules).
var spread = []struct {
	why  string
	what *regexp.Regexp
}{
	{"a foreign key leads out of the schema", regexp.MustCompile(`(?i)\breferences\s+"?\w+"?\s*\.`)},
	{"the platform's tables and functions are not on the node", regexp.MustCompile(`(?i)\b(platform|jobs)\s*\.\s*\w`)},
	{"a key comes from a sequence", regexp.MustCompile(`(?i)\b(small|big)?serial\b|\bcreate\s+(temp\w*\s+|unlogged\s+)?sequence\b|\bas\s+identity\b|\bnextval\s*\(`)},
	{"a schema is made together with what is in it", regexp.MustCompile(`(?i)\bcreate\s+schema\b`)},
	{"something is moved into another schema", regexp.MustCompile(`(?i)\bset\s+schema\b`)},
	{"a schema is renamed, and its functions keep the old name", regexp.MustCompile(`(?i)\balter\s+schema\b`)},
	{"SET CONSTRAINTS does not reach the node", regexp.MustCompile(`(?i)\bset\s+constraints\b`)},
	{"a function lies outside the schema", regexp.MustCompile(`(?i)\b(function|procedure)\s+(if\s+exists\s+)?"?\w+"?\s*\.\s*"?\w+"?\s*\(`)},
	{"a table inherits", regexp.MustCompile(`(?i)\binherits?\b`)},
	{"a table is parted over others", regexp.MustCompile(`(?i)\bpartition\s+(of|by\s+(range|list|hash))\b`)},
	{"a foreign table", regexp.MustCompile(`(?i)\bcreate\s+(foreign\s+table|server|user\s+mapping)\b`)},
	{"a table of a session", regexp.MustCompile(`(?i)\bcreate\s+(global\s+|local\s+)?temp(orary)?\b`)},
	{"a rule", regexp.MustCompile(`(?i)\bcreate\s+(or\s+replace\s+)?rule\b`)},
	{"an extension", regexp.MustCompile(`(?i)\bcreate\s+extension\b`)},
	{"on a node the table of a trigger is a shard, with a number behind its name", regexp.MustCompile(`(?i)\btg_(table_name|relname|relid)\b`)},
	{"a function puts SQL together at run time", regexp.MustCompile(`(?i)\bexecute\s+(format\s*\(|'|\w+\s*\|\|)`)},
}

var (
	quotedNames = regexp.MustCompile(`'[^']*'`)
	// once is what a migration does on the coordinator and leaves nothing of: its grants to the schema's role, by name.
	once = regexp.MustCompile(`(?is)\bdo\s+\$\$.*?\$\$`)
)

// refusedBySpread finds what a cluster would not take. What stands in remarks and in quotes is text; but for a function's
// body, which is in dollars and not in quotes.
func refusedBySpread(script string) (found []string) {
	script = remarks.ReplaceAllString(script, "")
	// SQL in quotes after EXECUTE counts.
	kept := regexp.MustCompile(`(?i)execute\s+'`).FindAllString(script, -1)
	script = quotedNames.ReplaceAllString(script, "''") + strings.Join(kept, "\n")
	for _, s := range spread {
		within := script
		if strings.Contains(s.why, "run time") {
			within = once.ReplaceAllString(script, "")
		}
		if said := s.what.FindString(within); said != "" {
			found = append(found, s.why+": "+said)
		}
	}
	return found
}

// Each migration of a tenant, and the script that makes a new one, can be run on a Citus cluster as far as their text tells.
func TestMigrationsKeepToWhatACitusClusterTakes(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("../migrations/tenant/*.sql")
	if err != nil || len(files) < 10 {
		t.Fatal(files, err)
	}
	for _, file := range append(files, "../migrations/baseline.sql") {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		script := string(text)
		if filepath.Base(file) == "baseline.sql" { // everything in it is named with its own schema
			script = strings.ReplaceAll(script, "t_baseline.", "")
		}
		for _, said := range refusedBySpread(script) {
			t.Errorf("%s: %s", filepath.Base(file), said)
		}
	}
	for bad, why := range map[string]string{
		"CREATE TABLE a (b uuid REFERENCES platform.person)":                             "foreign key",
		"ALTER TABLE a ADD FOREIGN KEY (b) REFERENCES public.b (id)":                     "foreign key",
		"CREATE VIEW v AS SELECT * FROM platform.organization":                           "platform",
		"CREATE FUNCTION f() RETURNS trigger AS $$ BEGIN PERFORM platform.see(); END $$": "platform",
		"CREATE TABLE a (n bigserial)":                                                   "sequence",
		"CREATE TABLE a (n bigint GENERATED ALWAYS AS IDENTITY)":                         "sequence",
		"CREATE SEQUENCE s": "sequence",
		"CREATE TABLE a (n bigint DEFAULT nextval('s'))":                   "sequence",
		"CREATE SCHEMA a CREATE TABLE b (n int)":                           "together",
		"ALTER TABLE a SET SCHEMA b":                                       "another schema",
		"ALTER SCHEMA a\n RENAME TO b":                                     "renamed",
		"SET CONSTRAINTS ALL IMMEDIATE":                                    "SET CONSTRAINTS",
		"CREATE FUNCTION public.f() RETURNS int":                           "outside",
		"CREATE TABLE a () INHERITS (b)":                                   "inherits",
		"CREATE TABLE a (n int) PARTITION BY RANGE (n)":                    "parted",
		"CREATE TABLE a PARTITION OF b DEFAULT":                            "parted",
		"CREATE FOREIGN TABLE a (n int) SERVER s":                          "foreign table",
		"CREATE TEMPORARY TABLE a (n int)":                                 "session",
		"CREATE OR REPLACE RULE r AS ON INSERT TO a DO NOTHING":            "rule",
		"CREATE EXTENSION pgcrypto":                                        "extension",
		"CREATE FUNCTION f() AS $$ BEGIN IF TG_TABLE_NAME = 'a' $$":        "shard",
		"DO $$ BEGIN EXECUTE 'DROP TABLE a'; END $$":                       "run time",
		"CREATE FUNCTION f() AS $$ BEGIN EXECUTE format('%I', x); $$":      "run time",
		"CREATE FUNCTION f() AS $$ BEGIN EXECUTE q || ' FROM a'; END $$":   "run time",
		"CREATE TABLE a (\n  b uuid\n    REFERENCES\n  \"other\" . \"c\")": "foreign key",
	} {
		if said := strings.Join(refusedBySpread(bad), "\n"); !strings.Contains(said, why) {
			t.Errorf("%q is let through, or found for something else: %s", bad, said)
		}
	}
	for _, good := range []string{"CREATE TABLE a (b uuid REFERENCES c (id))", "-- platform.see keeps a copy", "COMMENT ON TABLE a IS 'see platform.person'",
		"ALTER TABLE a ADD COLUMN serial_number varchar(20)", "SELECT row_number() OVER (PARTITION BY n) FROM a"} {
		if said := refusedBySpread(good); len(said) > 0 {
			t.Errorf("%q is found: %v", good, said)
		}
	}
}

var (
	definer = regexp.MustCompile(`(?is)create\s+(?:or\s+replace\s+)?function\s+([\w.]+)\s*\(([^)]*)\)(.*?)\$\$(.*?)\$\$`)
	pinned  = regexp.MustCompile(`(?i)set\s+search_path\s*(=|to|from\s+current)`)
)

// What a tenant's transaction has done on the platform's side is done by functions of the coordinator. They look at the
// caller's role for whose it is, find nothing by a bare name, and touch no table of a tenant, which may be elsewhere.
func TestFunctionsOfThePlatformStayOnTheCoordinator(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("../migrations/platform/*.sql")
	if err != nil || len(files) < 10 {
		t.Fatal(files, err)
	}
	seen := 0
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range definer.FindAllStringSubmatch(remarks.ReplaceAllString(string(text), ""), -1) {
			name, head, body := f[1], f[3], f[4]
			if !strings.Contains(strings.ToUpper(head), "SECURITY DEFINER") {
				continue
			}
			seen++
			if !pinned.MatchString(head) {
				t.Errorf("%s: %s finds what it names by its caller's search path", filepath.Base(file), name)
			}
			// Keys of finished requests are cleared by the owner, schema by schema, which a coordinator passes on.
			if strings.Contains(strings.ToLower(body), "schema_name)") && strings.Contains(strings.ToUpper(body), "EXECUTE") && name != "platform.clear_idempotency_keys" {
				t.Errorf("%s: %s reaches into the schemas of tenants", filepath.Base(file), name)
			}
		}
	}
	if seen < 80 {
		t.Errorf("%d functions: this test reads the migrations wrongly", seen)
	}
}

// Told that its database is a cluster when it is none, it does not start, and says what to do.
func TestCitusIsAskedFor(t *testing.T) {
	t.Parallel()
	ctx, config := context.Background(), tenanttest.Config()
	config.Citus = true
	if db, err := tenant.Open(ctx, config); !errors.Is(err, tenant.ErrNoCitus) || db != nil || !strings.Contains(tenant.ErrNoCitus.Say, "CREATE EXTENSION citus") {
		t.Errorf("it opens: %v", err)
	}
	if done, err := tenant.Migrate(ctx, config); !errors.Is(err, tenant.ErrNoCitus) || done.Platform != 0 {
		t.Errorf("it migrates: %+v %v", done, err)
	}
	for version, want := range map[string]error{"11.3-1": tenant.ErrCitusOld, "12.0-1": nil, "13.0-1": nil, "14.0-1": nil} {
		if err := tenant.CheckCitusVersion(version); !errors.Is(err, want) {
			t.Errorf("%s: %v", version, err)
		}
	}
	if err := tenant.CheckCitusVersion("devel"); err == nil {
		t.Error("a version that is none is taken")
	}
}

// The message that makes an organization on a cluster is one that Postgres takes, and what it makes works; that it is then
// spread only a cluster shows.
func TestProvisionForACluster(t *testing.T) {
	t.Parallel()
	ctx, db := context.Background(), tenanttest.OpenWith(t, &tenanttest.Clock{})
	tenant.PretendCitus(db)
	schema, err := tenant.ProvisionSchema(ctx, db)
	if err != nil {
		t.Fatal(err)
	}
	var role struct {
		Login    bool `db:"rolcanlogin"`
		Inherits bool `db:"rolinherit"`
	}
	if err := tenant.OwnerPool(db).Get(&role, `SELECT rolcanlogin, rolinherit FROM pg_roles WHERE rolname = $1`, schema); err != nil || !role.Login || role.Inherits {
		t.Errorf("its role: %+v %v", role, err)
	}
	message := tenant.SchemaMessage("t_1", "countinghouse_c01", true)
	settings, create := strings.Index(message, "citus.enable_schema_based_sharding = on"), strings.Index(message, "CREATE SCHEMA t_1")
	if settings < 0 || create < settings {
		t.Errorf("the message is %q", message)
	}
	if plain := tenant.SchemaMessage("t_1", "countinghouse_c01", false); strings.Contains(plain, "citus") || !strings.Contains(plain, "NOLOGIN") {
		t.Errorf("without a cluster it is %q", plain)
	}
}
