package architecture_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// TestImports reads the files themselves, so that a build tag hides nothing and a tree in which something does
// not compile is judged all the same.
func TestImports(t *testing.T) {
	t.Parallel()
	for _, p := range listPackages(t) {
		if _, named := table[p.name]; !named {
			t.Errorf("%s is not in the table of table_test.go: name it there, with what it may import", p.name)
			continue
		}
		for _, f := range p.files {
			for _, spec := range f.syntax.Imports {
				path, err := strconv.Unquote(spec.Path.Value)
				if err != nil {
					t.Fatal(err)
				}
				if wrong := judgeImport(p.name, path, f.test); wrong != "" {
					t.Errorf("%s: %s", f.position(spec.Pos()), wrong)
				}
			}
		}
	}
}

// judgeImport says what is wrong with an import; nothing is an empty string.
func judgeImport(name, path string, test bool) string {
	for _, part := range parts {
		if within(path, part.path) && !slices.Contains(part.apart, path) && !slices.Contains(part.homes, name) {
			return fmt.Sprintf("%s imports %s, but %s", name, path, part.why)
		}
	}
	if !within(path, module) {
		return ""
	}
	to := strings.TrimPrefix(strings.TrimPrefix(path, module), "/")
	if allows(table[name].may, to) {
		return ""
	}
	if test && (to == name || slices.Contains(forTests, to) || allows(table[name].tests, to)) {
		return ""
	}
	return fmt.Sprintf("%s may not import %s", name, to)
}

func allows(list []string, to string) bool {
	if slices.Contains(list, to) {
		return true
	}
	_, named := table[to]
	return named && slices.Equal(list, everything) && !slices.Contains(forTests, to)
}

// within reports whether an import path is root or below it.
func within(path, root string) bool {
	return path == root || strings.HasPrefix(path, root+"/")
}

func TestJudgeImport(t *testing.T) {
	t.Parallel()
	const refused, allowed = true, false
	for _, c := range []struct {
		name, path string
		test       bool
		want       bool
	}{
		{"billing", module + "/identity", false, refused},
		{"billing", module + "/secrets", false, refused},
		{"identity", module + "/internal/notify", false, refused},
		{"authz", module + "/billing/money", false, refused},
		{"tenant", module + "/billing", true, refused},
		{"secrets", module + "/tenant", false, refused},
		{"billing/report", module + "/billing/export", false, refused},
		{"billing/report", module + "/billing", false, refused},
		{"billing/report", module + "/billing", true, allowed},
		{"billing/report", module + "/billing/ledger", false, allowed},
		{"billing/money", module + "/tenant", false, refused},
		{"billing/ledger", module + "/billing/tax", false, refused},
		{"web/page", module + "/tenant", false, refused},
		{"billing/intake", module + "/billing", false, allowed},
		{"billing", module + "/billing/intake", false, refused},
		{"billing", module + "/internal/postgres", true, refused},
		{"billing", module + "/tenant/tenanttest", false, refused},
		{"billing", module + "/tenant/tenanttest", true, allowed},
		{"cmd/countinghouse", module + "/web", false, allowed},
		{"cmd/countinghouse", module + "/secrets/secretstest", false, refused},
		{"cmd/countinghouse", module + "/unheard/of", false, refused},
		{"cmd/countinghouse", module, false, refused},
		{"web", module + "/internal/baseline", true, allowed},
		{"web", module + "/internal/baseline", false, refused},
		{"billing", "database/sql", false, refused},
		{"billing", "database/sql", true, refused},
		{"billing", "database/sql/driver", false, allowed},
		{"cmd/countinghouse", "github.com/lib/pq", false, refused},
		{"web", "github.com/jmoiron/sqlx/types", false, refused},
		{"tenant", "github.com/jmoiron/sqlx", false, allowed},
		{"web/page", "github.com/gofiber/fiber/v2", false, refused},
		{"cmd/countinghouse", "github.com/danielgtaylor/huma/v2", false, refused},
		{"web", "github.com/danielgtaylor/huma/v2/adapters/humafiber", false, allowed},
		{"cmd/countinghouse", "github.com/hashicorp/vault/api", false, refused},
		{"secrets", "github.com/hashicorp/vault/api/auth/approle", false, allowed},
		{"billing", "github.com/shopspring/decimal", false, allowed},
	} {
		if got := judgeImport(c.name, c.path, c.test) != ""; got != c.want {
			t.Errorf("%s imports %s (in a test: %v): refused is %v", c.name, c.path, c.test, got)
		}
	}
}

// TestTable finds a name in the table that has no row, which could never be refused or allowed as meant.
func TestTable(t *testing.T) {
	t.Parallel()
	for name, row := range table {
		for _, to := range slices.Concat(row.may, row.tests, forTests) {
			if _, named := table[to]; !named && to != "*" {
				t.Errorf("%s may import %s, which has no row", name, to)
			}
		}
		reached := map[string]bool{}
		follow(name, reached)
		if reached[name] {
			t.Errorf("%s may reach itself", name)
		}
	}
}

// follow marks what a package may reach by imports.
func follow(name string, reached map[string]bool) {
	for to := range table {
		if to != name && allows(table[name].may, to) && !reached[to] && !slices.Equal(table[to].may, everything) {
			reached[to] = true
			follow(to, reached)
		}
	}
}

// listPackages gives the packages of the main module as go list sees them, with all their source files.
func listPackages(t *testing.T) []pkg {
	t.Helper()
	command := exec.CommandContext(t.Context(), "go", "list", "-e", "-buildvcs=false", "-json=ImportPath,Dir", "./...")
	command.Dir = filepath.Join("..", "..")
	out, err := command.Output()
	if err != nil {
		var exit *exec.ExitError
		if errors.As(err, &exit) {
			t.Fatalf("go list: %v: %s", err, exit.Stderr)
		}
		t.Fatalf("go list: %v", err)
	}
	var all []pkg
	decoder := json.NewDecoder(strings.NewReader(string(out)))
	for {
		var listed struct{ ImportPath, Dir string }
		if err := decoder.Decode(&listed); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatalf("reading go list: %v", err)
		}
		// Go runs a cached test again when a folder that it read has changed, and a new package changes its
		// parent's.
		if _, err := os.ReadDir(filepath.Dir(listed.Dir)); err != nil {
			t.Fatal(err)
		}
		name := strings.TrimPrefix(strings.TrimPrefix(listed.ImportPath, module), "/")
		all = append(all, pkg{name: name, files: parseFolder(t, name, listed.Dir)})
	}
	if len(all) < 10 {
		t.Fatalf("go list gives %d packages: this test looks in the wrong place", len(all))
	}
	return all
}
