package operation_test

import (
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// licences are those that we may link, each by words that only it holds; the first that fits counts.
var licences = []struct{ name, words string }{
	{"MPL-2.0", "Mozilla Public License"},
	{"Apache-2.0", "Apache License"},
	{"BSD-3-Clause", "Neither the name of"},
	{"BSD-3-Clause", "names of its contributors may be used"},
	{"BSD-3-Clause", "name of the author may not be used"},
	{"BSD-2-Clause", "Redistributions in binary form must reproduce"},
	{"MIT", "Permission is hereby granted, free of charge"},
	{"ISC", "Permission to use, copy, modify, and/or distribute this software"},
	{"ISC", "Permission to use, copy, modify, and distribute this software"},
	{"Unlicense", "This is free and unencumbered software"},
	{"MIT", "MIT License"},
	{"Public domain", "been put into the public domain"},
}

// never are words of licences that would bind whoever runs or changes the service.
var never = []string{"GNU GENERAL PUBLIC", "GNU AFFERO", "Server Side Public License", "Business Source License", "Commons Clause"}

// TestLicences holds docs/licences.csv against what the service links. A new module is looked at by a person, once: run
// the test with LICENCES=write, look at what changed, and commit it.
func TestLicences(t *testing.T) {
	t.Parallel()
	var found []string
	for path, dir := range linked(t) {
		found = append(found, path+","+licenceOf(t, path, dir))
	}
	slices.Sort(found)
	if len(found) < 30 {
		t.Fatalf("it links %d modules: this test looks in the wrong place", len(found))
	}
	at := filepath.Join(root, "docs", "licences.csv")
	text := "module,licence\n" + strings.Join(found, "\n") + "\n"
	if os.Getenv("LICENCES") == "write" {
		if err := os.WriteFile(at, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	listed, err := os.ReadFile(at)
	if err != nil {
		t.Fatal(err)
	}
	have := strings.Split(strings.TrimSpace(string(listed)), "\n")[1:]
	for _, line := range found {
		if !slices.Contains(have, line) {
			t.Errorf("not on the list: %s. Look at it, then run this test with LICENCES=write", line)
		}
	}
	for _, line := range have {
		if !slices.Contains(found, line) {
			t.Errorf("on the list, and not linked: %s", line)
		}
	}
}

// linked is each module that the service is linked with, and its folder.
func linked(t *testing.T) map[string]string {
	t.Helper()
	command := exec.CommandContext(t.Context(), "go", "list", "-deps", "-buildvcs=false", "-json=Module", "./cmd/countinghouse")
	command.Dir = root
	out, err := command.Output()
	if err != nil {
		var exit *exec.ExitError
		if errors.As(err, &exit) {
			t.Fatalf("go list: %v: %s", err, exit.Stderr)
		}
		t.Fatal(err)
	}
	modules := map[string]string{}
	for decoder := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p struct {
			Module *struct {
				Path, Dir string
				Main      bool
			}
		}
		if err := decoder.Decode(&p); errors.Is(err, io.EOF) {
			return modules
		} else if err != nil {
			t.Fatal(err)
		}
		if p.Module != nil && !p.Module.Main {
			modules[p.Module.Path] = p.Module.Dir
		}
	}
}

func licenceOf(t *testing.T, path, dir string) string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		upper := strings.ToUpper(e.Name())
		if e.IsDir() || !strings.HasPrefix(upper, "LICEN") && !strings.HasPrefix(upper, "COPYING") && !strings.HasPrefix(upper, "UNLICENSE") {
			continue
		}
		text, err := os.ReadFile(filepath.Join(dir, e.Name()))
		if err != nil {
			t.Fatal(err)
		}
		for _, words := range never {
			// The MPL names the GNU licences as ones that it can be combined with.
			if strings.Contains(string(text), words) && !strings.Contains(string(text), "Mozilla Public License") {
				t.Errorf("%s: its licence says %s", path, words)
			}
		}
		flat := strings.Join(strings.Fields(string(text)), " ")
		for _, l := range licences {
			if strings.Contains(flat, l.words) {
				return l.name
			}
		}
	}
	t.Errorf("%s: no licence that we know of in %s", path, filepath.Base(dir))
	return "unknown"
}
