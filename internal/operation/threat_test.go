// Package operation holds what operators and reviewers are handed against what is so: the threat model against the tests
// that it names, the unit of systemd against systemd itself, the list of licences against what is linked, and the files of
// the repository against secrets.
package operation_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

const root = "../.."

// Every test that the threat model names is there, and every threat names one.
func TestThreatModel(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile(filepath.Join(root, "docs", "threat-model.md"))
	if err != nil {
		t.Fatal(err)
	}
	named := regexp.MustCompile("`([a-z/]+)` ((?:Test|Fuzz)[A-Za-z0-9_]+)")
	threats := 0
	for line := range strings.Lines(string(text)) {
		cells := strings.Split(line, "|")
		if len(cells) != 5 || strings.HasPrefix(cells[1], "---") || strings.TrimSpace(cells[1]) == "threat" {
			continue
		}
		threats++
		tests := named.FindAllStringSubmatch(cells[3], -1)
		if len(tests) == 0 {
			t.Errorf("no test proves what stops: %s", strings.TrimSpace(cells[1]))
		}
		if rest := strings.Trim(named.ReplaceAllString(cells[3], ""), ", "); rest != "" {
			t.Errorf("%q is no name of a test", rest)
		}
		for _, found := range tests {
			if !isThere(t, found[1], found[2]) {
				t.Errorf("there is no %s in %s, which proves what stops: %s", found[2], found[1], strings.TrimSpace(cells[1]))
			}
		}
	}
	if threats < 30 {
		t.Errorf("%d threats: this test reads the file wrongly", threats)
	}
}

func isThere(t *testing.T, folder, test string) bool {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(root, filepath.FromSlash(folder), "*_test.go"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range files {
		source, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(source), "\nfunc "+test+"(") {
			return true
		}
	}
	return false
}
