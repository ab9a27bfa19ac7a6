package architecture_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// pkg is a package of the main module.
type pkg struct {
	name  string // its path within the module
	files []file
}

// file is one source file.
type file struct {
	set    *token.FileSet
	syntax *ast.File
	test   bool
}

func (f file) position(at token.Pos) string {
	p := f.set.Position(at)
	return fmt.Sprintf("%s:%d", p.Filename, p.Line)
}

// parseFolder reads every Go file of a folder, whatever its build tags. A file that does not parse is an error
// of its own: what cannot be read cannot be judged.
func parseFolder(t *testing.T, name, dir string) []file {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var files []file
	for _, entry := range entries {
		if filepath.Ext(entry.Name()) != ".go" {
			continue
		}
		source, err := os.ReadFile(filepath.Join(dir, entry.Name()))
		if err != nil {
			t.Fatal(err)
		}
		set := token.NewFileSet()
		path := filepath.Join(name, entry.Name())
		syntax, err := parser.ParseFile(set, path, source, parser.SkipObjectResolution)
		if err != nil {
			t.Errorf("%v", err)
			continue
		}
		files = append(files, file{set: set, syntax: syntax, test: strings.HasSuffix(path, "_test.go")})
	}
	return files
}

// TestSource holds every source file against the rules below.
func TestSource(t *testing.T) {
	t.Parallel()
	for _, p := range listPackages(t) {
		for _, f := range p.files {
			for _, wrong := range judgeSource(p.name, f) {
				t.Error(wrong)
			}
		}
	}
}

// judgeSource says what a file may not hold but does.
func judgeSource(name string, f file) []string {
	var wrong []string
	find := func(at token.Pos, format string, args ...any) {
		said := f.position(at) + ": " + fmt.Sprintf(format, args...)
		if !slices.Contains(wrong, said) {
			wrong = append(wrong, said)
		}
	}
	ast.PreorderStack(f.syntax, nil, func(node ast.Node, around []ast.Node) bool {
		if _, ok := node.(*ast.ImportSpec); ok {
			return false
		}
		if !f.test && !within(name, "tenant") {
			findRoleChange(node, find)
		}
		if !f.test && within(name, "billing") {
			findFloatConversion(node, find)
			if name != "billing/invoicepdf" { // millimetres on paper are floats; no figure of money is among them
				findFloat(node, find)
			}
		}
		if f.test {
			findSleep(f, node, find)
		}
		if f.test || slices.Contains(forTests, name) {
			findSkip(node, around, find)
		}
		return true
	})
	return wrong
}

type finder func(at token.Pos, format string, args ...any)

// roleChange is SQL that enters another role or path, which would leave the organization that the
// transaction was opened for.
var roleChange = regexp.MustCompile(`(?i)\b(set\s+((local|session)\s+)?(role|search_path|session\s+authorization)\b|reset\s+(role|search_path)\b|set_config\s*\()`)

func findRoleChange(node ast.Node, find finder) {
	expression, ok := node.(ast.Expr)
	if !ok {
		return
	}
	if found := roleChange.FindString(foldString(expression)); found != "" {
		find(node.Pos(), "%q in a string: only tenant changes role or search path", found)
	}
}

// foldString is the text of a literal, or of literals put together; what else is between them is a NUL.
func foldString(expression ast.Expr) string {
	switch e := expression.(type) {
	case *ast.BasicLit:
		if e.Kind == token.STRING {
			if text, err := strconv.Unquote(e.Value); err == nil {
				return text
			}
		}
	case *ast.BinaryExpr:
		if e.Op == token.ADD {
			return foldString(e.X) + foldString(e.Y)
		}
	case *ast.ParenExpr:
		return foldString(e.X)
	}
	return "\x00"
}

// findFloat finds floats by their types and by their literals.
func findFloat(node ast.Node, find finder) {
	switch n := node.(type) {
	case *ast.Ident:
		if n.Name == "float64" || n.Name == "float32" {
			find(n.Pos(), "%s in billing: money, rates and quantities are never floats", n.Name)
		}
	case *ast.BasicLit:
		if n.Kind == token.FLOAT {
			find(n.Pos(), "the float %s in billing: money, rates and quantities are never floats", n.Value)
		}
	}
}

// findFloatConversion finds what turns decimals into floats and back.
func findFloatConversion(node ast.Node, find finder) {
	if n, ok := node.(*ast.SelectorExpr); ok && strings.Contains(n.Sel.Name, "Float") {
		find(n.Pos(), "%s in billing: money, rates and quantities are never floats", n.Sel.Name)
	}
}

func findSleep(f file, node ast.Node, find finder) {
	switch n := node.(type) {
	case *ast.SelectorExpr:
		if of, ok := n.X.(*ast.Ident); ok && n.Sel.Name == "Sleep" && of.Name == importedAs(f, "time") {
			find(n.Pos(), "a sleep in a test: wait for what is to happen, or use testing/synctest")
		}
	case *ast.Ident:
		if n.Name == "Sleep" && importedAs(f, "time") == "." {
			find(n.Pos(), "a sleep in a test: wait for what is to happen, or use testing/synctest")
		}
	}
}

// importedAs is the name by which a file knows a package of the standard library; empty when it does not.
func importedAs(f file, path string) string {
	for _, spec := range f.syntax.Imports {
		if spec.Path.Value != strconv.Quote(path) {
			continue
		}
		if spec.Name != nil {
			return spec.Name.Name
		}
		return path[strings.LastIndexByte(path, '/')+1:]
	}
	return ""
}

func findSkip(node ast.Node, around []ast.Node, find finder) {
	n, ok := node.(*ast.SelectorExpr)
	if !ok || !slices.Contains([]string{"Skip", "Skipf", "SkipNow"}, n.Sel.Name) {
		return
	}
	// In a property test it means that an action does not fit the state, and another is drawn.
	if of, ok := n.X.(*ast.Ident); ok && parameterType(of.Name, around) == "rapid.T" {
		return
	}
	find(n.Pos(), "%s in a test: what a test needs, make test provides", n.Sel.Name)
}

// parameterType is the type that a name's pointer has as a parameter of the innermost function that takes one of
// that name; empty for another type.
func parameterType(name string, around []ast.Node) string {
	for _, node := range slices.Backward(around) {
		var taken *ast.FieldList
		switch f := node.(type) {
		case *ast.FuncLit:
			taken = f.Type.Params
		case *ast.FuncDecl:
			taken = f.Type.Params
		default:
			continue
		}
		for _, field := range taken.List {
			if slices.ContainsFunc(field.Names, func(n *ast.Ident) bool { return n.Name == name }) {
				return pointedType(field.Type)
			}
		}
	}
	return ""
}

func pointedType(expression ast.Expr) string {
	if pointer, ok := expression.(*ast.StarExpr); ok {
		if selector, ok := pointer.X.(*ast.SelectorExpr); ok {
			if of, ok := selector.X.(*ast.Ident); ok {
				return of.Name + "." + selector.Sel.Name
			}
		}
	}
	return ""
}

func TestJudgeSource(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, source string
		test         bool
		want         int
	}{
		{"billing", `var q = "SET ROLE t_1"`, false, 1},
		{"billing", "var q = `select 1; set\n\tlocal  role t_1`", false, 1},
		{"billing", `var q = "SET " + ("LOCAL ROLE " + name)`, false, 1},
		{"cmd/countinghouse", `var q = "set search_path = x"`, false, 1},
		{"web", `var q = "SET LOCAL search_path TO x"`, false, 1},
		{"web", `var q = "select set_config('role', $1, true)"`, false, 1},
		{"web", `var q = "RESET ROLE"`, false, 1},
		{"web", `func f() { g("SET SESSION AUTHORIZATION x") }`, false, 1},
		{"tenant", `var q = "SET LOCAL ROLE x"`, false, 0},
		{"tenantry", `var q = "SET LOCAL ROLE x"`, false, 1},
		{"web", `var q = "SET ROLE x"`, true, 0},
		{"web", `var q = "The owner has set roles and paths."`, false, 0},
		{"web", "// SET ROLE in a comment\nvar q = \"select 1\"", false, 0},

		{"billing/tax", `var rate float64`, false, 1},
		{"billing", `func f(x any) { _ = x.([]float32) }`, false, 1},
		{"billing", `var rate = 0.19`, false, 1},
		{"billing", `var f = d.InexactFloat64()`, false, 1},
		{"billing", `var d = decimal.NewFromFloat(1)`, false, 1},
		{"billing", `var rate float64`, true, 0},
		{"web/page", `var height float64`, false, 0},
		{"billing", `var rate = 19`, false, 0},
		{"billing/invoicepdf", `var width float64 = 0.3`, false, 0},
		{"billing/invoicepdf", `var f = d.InexactFloat64()`, false, 1},

		{"web", "import \"time\"\nfunc f() { time.Sleep(1) }", true, 1},
		{"web", "import clock \"time\"\nvar nap = clock.Sleep", true, 1},
		{"web", "import . \"time\"\nfunc f() { Sleep(1) }", true, 1},
		{"web", "import \"time\"\nfunc f() { time.Sleep(1) }", false, 0},
		{"web", "import \"time\"\nfunc f() { time.After(1) }", true, 0},

		{"web", `func f(t *testing.T) { t.Skip("no network") }`, true, 1},
		{"web", `func f(t *testing.T) { t.SkipNow() }`, true, 1},
		{"tenant/tenanttest", `func F(t testing.TB) { t.Skipf("no Postgres") }`, false, 1},
		{"web", `func f(t *testing.T) { rapid.Check(t, func(r *rapid.T) { r.Skip("none yet") }) }`, true, 0},
		{"web", `func f(t *testing.T) { rapid.Check(t, func(r *rapid.T) { t.Skip("none yet") }) }`, true, 1},
		{"web", `func f(t *rapid.T) { g(func(t *testing.T) { t.Skip("none yet") }) }`, true, 1},
		{"web", `func f(r *reader) { r.Skip(1) }`, false, 0},
	} {
		set := token.NewFileSet()
		syntax, err := parser.ParseFile(set, "web/a.go", "package a\n"+c.source, parser.SkipObjectResolution)
		if err != nil {
			t.Fatalf("%s: %v", c.source, err)
		}
		if got := judgeSource(c.name, file{set: set, syntax: syntax, test: c.test}); len(got) != c.want {
			t.Errorf("%s in %s (test: %v): %q, want %d findings", c.source, c.name, c.test, got, c.want)
		}
	}
}
