package operation_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// exposed is how exposed systemd may find the service, of 10: it is at 1.x with all that it can be denied.
const exposed = 20 // tenths

// writeUnits puts all units of the docs into a folder, with a program and an environment that are there.
func writeUnits(t *testing.T) (folder string, names []string) {
	t.Helper()
	folder = t.TempDir()
	program, environment := filepath.Join(folder, "countinghouse"), filepath.Join(folder, "environment")
	for name, text := range map[string]string{program: "#!/bin/true\n", environment: ""} {
		if err := os.WriteFile(name, []byte(text), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for _, kind := range []string{"*.service", "*.timer"} {
		found, err := filepath.Glob(filepath.Join(root, "docs", kind))
		if err != nil {
			t.Fatal(err)
		}
		for _, from := range found {
			unit, err := os.ReadFile(from)
			if err != nil {
				t.Fatal(err)
			}
			// The check looks whether the program is there.
			text := strings.NewReplacer("/usr/local/bin/countinghouse", program, "/etc/countinghouse/environment", environment).Replace(string(unit))
			if err := os.WriteFile(filepath.Join(folder, filepath.Base(from)), []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			names = append(names, filepath.Base(from))
		}
	}
	return folder, names
}

// systemd reads the units without a word, and finds little that the service could do beside its work.
func TestUnit(t *testing.T) {
	t.Parallel()
	folder, names := writeUnits(t)
	if len(names) != 3 {
		t.Errorf("the units are %v", names)
	}
	for _, name := range names {
		out, err := exec.CommandContext(t.Context(), "systemd-analyze", "verify", "--man=no", filepath.Join(folder, name)).CombinedOutput()
		for line := range strings.Lines(string(out)) {
			if strings.Contains(line, "countinghouse") { // of others on this machine it talks too
				t.Errorf("systemd says of %s: %s", name, line)
			}
		}
		if err != nil && strings.Contains(string(out), "countinghouse") {
			t.Error(err)
		}
	}
	at := filepath.Join(folder, "countinghouse.service")
	said, err := exec.CommandContext(t.Context(), "systemd-analyze", "security", "--offline=true", "--no-pager", at).CombinedOutput()
	found := regexp.MustCompile(`Overall exposure level for \S+: (\d+)\.(\d)`).FindSubmatch(said)
	if found == nil {
		t.Fatalf("%v: %s", err, said)
	}
	level, err := strconv.Atoi(string(found[1]) + string(found[2]))
	if err != nil || level > exposed {
		t.Errorf("exposed at %d tenths, want at most %d:\n%s", level, exposed, said)
	}
}
