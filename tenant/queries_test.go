package tenant_test

import (
	"bytes"
	"context"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/jmoiron/sqlx"

	"github.com/countinghouse/countinghouse/tenant"
	"github.com/countinghouse/countinghouse/tenant/tenanttest"
)

// keptStatements is where the statements of the version before are kept: what a server that still runs it will ask a database that
// was migrated already. `QUERIES=write go test -run TestStatementsOfTheVersionBefore ./tenant` keeps today's, when a version is
// out that operators will upgrade from.
const keptStatements = "testdata/statements.sql"

// asks is how code hands its SQL over.
var asks = map[string]bool{"Get": true, "Select": true, "Exec": true, "Each": true, "GetContext": true, "SelectContext": true, "ExecContext": true, "QueryxContext": true, "QueryRowContext": true}

var statement = regexp.MustCompile(`(?is)^\s*(SELECT|INSERT|UPDATE|DELETE|WITH)\s`)

// constants are the strings of one package that are written in its source.
type constants map[string]ast.Expr

// text works an expression out, as far as it is written in the source.
func (c constants) text(e ast.Expr, deep int) (string, bool) {
	if deep > 20 {
		return "", false
	}
	switch e := e.(type) {
	case *ast.BasicLit:
		s, err := strconv.Unquote(e.Value)
		return s, err == nil && e.Kind == token.STRING
	case *ast.Ident:
		if of, ok := c[e.Name]; ok {
			return c.text(of, deep+1)
		}
	case *ast.ParenExpr:
		return c.text(e.X, deep+1)
	case *ast.BinaryExpr:
		a, one := c.text(e.X, deep+1)
		b, two := c.text(e.Y, deep+1)
		return a + b, one && two && e.Op == token.ADD
	}
	return "", false
}

// statementsIn lists the SQL that the code of one folder asks with, and counts what is put together at run time.
func statementsIn(t *testing.T, folder string, found map[string]bool) (unknown int) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(folder, "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	known, set := constants{}, token.NewFileSet()
	var all []*ast.File
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(set, name, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, file)
		ast.Inspect(file, func(n ast.Node) bool {
			of, ok := n.(*ast.GenDecl)
			if !ok || of.Tok != token.CONST {
				return true
			}
			for _, spec := range of.Specs {
				if v, ok := spec.(*ast.ValueSpec); ok {
					for i, name := range v.Names {
						if i < len(v.Values) {
							known[name.Name] = v.Values[i]
						}
					}
				}
			}
			return true
		})
	}
	for _, file := range all {
		ast.Inspect(file, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok {
				return true
			}
			of, ok := call.Fun.(*ast.SelectorExpr)
			if !ok || !asks[of.Sel.Name] || len(call.Args) < 2 {
				return true
			}
			for _, argument := range call.Args[1:] {
				said, whole := known.text(argument, 0)
				if whole && statement.MatchString(said) && !strings.Contains(said, "%s") {
					found[strings.Join(strings.Fields(remarks.ReplaceAllString(said, "")), " ")] = true
				} else if _, sum := argument.(*ast.BinaryExpr); sum && !whole {
					unknown++
				}
			}
			return true
		})
	}
	return unknown
}

// statementsOfTheCode lists the SQL of the whole service.
func statementsOfTheCode(t *testing.T) []string {
	t.Helper()
	found, unknown := map[string]bool{}, 0
	err := filepath.WalkDir("..", func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.IsDir() {
			return err
		}
		switch d.Name() {
		case ".git", "testdata", "node_modules", "bench", "tenanttest", "chaos", "tools":
			return filepath.SkipDir
		}
		unknown += statementsIn(t, path, found)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	all := make([]string, 0, len(found))
	for s := range found {
		all = append(all, s)
	}
	slices.Sort(all)
	if len(all) < 800 || unknown*10 > len(all) {
		t.Fatalf("%d statements, and %d that are put together at run time: this reads the code wrongly", len(all), unknown)
	}
	return all
}

// untyped is what Postgres says of a parameter whose type only what is sent with it tells.
var untyped = []string{"42P18", "42P08"}

// refusedIn lists which statements a schema does not take, and why. Names and types are looked up as when they are run;
// nothing is run.
func refusedIn(t *testing.T, owner *sqlx.DB, schema string, all []string) (refused []string) {
	t.Helper()
	ctx := context.Background()
	conn, err := owner.Connx(ctx)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := conn.Close(); err != nil {
			t.Error(err)
		}
	}()
	if _, err := conn.ExecContext(ctx, "SET search_path = "+schema+", pg_temp"); err != nil {
		t.Fatal(err)
	}
	defer func() {
		if _, err := conn.ExecContext(ctx, "DEALLOCATE ALL; RESET search_path"); err != nil {
			t.Error(err)
		}
	}()
	for i, s := range all {
		if strings.Contains(s, "INTO staging ") { // a table of the transaction's own
			continue
		}
		_, err := conn.ExecContext(ctx, fmt.Sprintf("PREPARE statement_%d AS %s", i, s))
		if err != nil && !slices.Contains(untyped, tenant.SQLState(err)) {
			refused = append(refused, fmt.Sprintf("%v: %s", err, s))
		}
	}
	return refused
}

// Servers of the version before go on while the fleet is migrated, and afterwards until they are replaced: each statement of
// theirs is one that the newest schemas take.
func TestStatementsOfTheVersionBefore(t *testing.T) {
	t.Parallel()
	today := statementsOfTheCode(t)
	owner := tenant.OwnerPool(tenanttest.DB())
	schema := schemaOf(t, tenanttest.Found(t, tenanttest.DB(), nil))
	for _, said := range refusedIn(t, owner, schema, today) {
		t.Errorf("today's code: %s", said)
	}
	if os.Getenv("QUERIES") == "write" {
		if err := os.WriteFile(keptStatements, []byte(strings.Join(today, "\n")+"\n"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	text, err := os.ReadFile(keptStatements)
	if err != nil {
		t.Fatal(err)
	}
	var before []string
	for line := range bytes.Lines(text) {
		before = append(before, strings.TrimSuffix(string(line), "\n"))
	}
	if len(before) < 800 {
		t.Fatalf("%d statements are kept", len(before))
	}
	for _, said := range refusedIn(t, owner, schema, before) {
		t.Errorf("the version before, on the newest schema: %s", said)
	}
	// That it finds what is taken away.
	for taken, want := range map[string]string{"ALTER TABLE party DROP COLUMN name CASCADE": "name", "DROP TABLE journal_line CASCADE": "journal_line",
		"ALTER TABLE settings RENAME COLUMN time_zone TO zone": "time_zone"} {
		other := schemaOf(t, tenanttest.Found(t, tenanttest.DB(), nil))
		if _, err := owner.Exec("BEGIN; SET LOCAL search_path = " + other + "; " + taken + "; COMMIT"); err != nil {
			t.Fatal(err)
		}
		if said := refusedIn(t, owner, other, before); !strings.Contains(strings.Join(said, "\n"), want) {
			t.Errorf("after %s the version before is said to work: %q", taken, said)
		}
	}
}
