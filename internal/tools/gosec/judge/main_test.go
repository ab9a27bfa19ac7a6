package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestJudge(t *testing.T) {
	t.Parallel()
	const one = `{"Issues":[{"rule_id":"G304","file":"/src/a/b.go","line":"7","details":"a file"}],"Golang errors":{},"Stats":{"files":3}}`
	for name, c := range map[string]struct{ found, list, want string }{
		"explained":      {one, "# why\nG304 a/b.go: the operator names it\n", ""},
		"new":            {one, "", "a/b.go:7: a file (G304)"},
		"another rule":   {one, "G204 a/b.go: because\n", "a/b.go:7: a file (G304)"},
		"gone":           {strings.Replace(one, `{"rule_id":"G304","file":"/src/a/b.go","line":"7","details":"a file"}`, "", 1), "G304 a/b.go: because\n", "is found no more"},
		"no reason":      {one, "G304 a/b.go\n", "is no rule, file and reason"},
		"twice":          {one, "G304 a/b.go: because\nG304 a/b.go: because\n", "twice"},
		"broken source":  {strings.Replace(one, `"Golang errors":{}`, `"Golang errors":{"a.go":[]}`, 1), "G304 a/b.go: because\n", "could not read the source"},
		"read no source": {strings.Replace(one, `"files":3`, `"files":0`, 1), "G304 a/b.go: because\n", "could not read the source"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			found, list := filepath.Join(dir, "found.json"), filepath.Join(dir, "list.txt")
			for file, text := range map[string]string{found: c.found, list: c.list} {
				if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			var out strings.Builder
			err := run(found, list, "/src", &out)
			if c.want == "" {
				if err != nil {
					t.Fatal(err)
				}
				return
			}
			if err == nil || !strings.Contains(out.String()+err.Error(), c.want) {
				t.Errorf("said %q and %v", out.String(), err)
			}
		})
	}
}
