package main

import (
	"context"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/alecthomas/kong"
)

const docs = "../../docs"

// guides are all texts that tell people to run something.
func guides(t *testing.T) map[string]string {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(docs, "*.md"))
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]string{}
	for _, name := range append(names, "../../README.md", "../../SECURITY.md", "../../bench/README.md") {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		all[filepath.Base(filepath.Dir(name))+"/"+filepath.Base(name)] = string(text)
	}
	return all
}

var runnable = regexp.MustCompile("(?ms)^```sh\n(.*?)^```$")

// What developers of integrations are told to run does what the text says, from the first command to the last.
func TestDevelopersGuide(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile(filepath.Join(docs, "developers.md"))
	if err != nil {
		t.Fatal(err)
	}
	script := "set -euo pipefail\n"
	blocks := runnable.FindAllStringSubmatch(string(text), -1)
	if len(blocks) < 8 {
		t.Fatalf("%d blocks: this test reads the text wrongly", len(blocks))
	}
	for _, block := range blocks {
		script += block[1]
	}
	h := newHouse(t)
	address := fmt.Sprintf("127.0.0.1:%d", freePort(t))
	r := startReplica(t, "--listen", address, "--origin", "http://"+address)
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	command := exec.CommandContext(ctx, "bash", "-x", "-c", script)
	command.Dir = t.TempDir()
	command.Env = append(os.Environ(), "BASE=http://"+address, "TOKEN="+h.writer().token)
	out, err := command.CombinedOutput()
	r.stop()
	if err != nil {
		t.Errorf("%v after:\n%s", err, out[max(0, len(out)-3000):])
	}
}

// commandLine is the parser of the program itself, which neither prints nor ends the process.
func commandLine(t *testing.T) *kong.Kong {
	t.Helper()
	parser, err := kong.New(&commands{}, kong.Name("countinghouse"), kong.Exit(func(int) {}),
		kong.BindTo(t.Context(), (*context.Context)(nil)))
	if err != nil {
		t.Fatal(err)
	}
	return parser
}

// known are all flags and variables of the program.
func known(t *testing.T) (flags, variables map[string]bool) {
	t.Helper()
	flags, variables = map[string]bool{}, map[string]bool{}
	var walk func(n *kong.Node)
	walk = func(n *kong.Node) {
		for _, f := range n.Flags {
			flags[f.Name] = true
			for _, name := range f.Tag.Envs {
				variables[name] = true
			}
		}
		for _, child := range n.Children {
			walk(child)
		}
	}
	walk(commandLine(t).Model.Node)
	return flags, variables
}

var (
	saidFlag     = regexp.MustCompile("(?:^|[\\s`(])--(?:no-)?([a-z][a-z-]+)")
	saidVariable = regexp.MustCompile(`COUNTINGHOUSE_[A-Z_]+`)
	saidMake     = regexp.MustCompile("(?m)(?:`|^ *)make ([a-z]+)(?: |`|$)")
	saidCommand  = regexp.MustCompile("(?m)(?:`|^ *(?:/usr/local/bin/)?|^ *books ()?)countinghouse ([a-z][^`\n|>;&]*)")
)

// foreign are flags of other programs that the texts name.
var foreign = strings.Fields("help now set from-literal protocol quiet pipe wait stanza type target target-action format pg tablespace-map-all")

// Every flag, variable, command and target of make that a text names is there.
func TestGuidesNameWhatIsThere(t *testing.T) {
	t.Parallel()
	makefile, err := os.ReadFile("../../Makefile")
	if err != nil {
		t.Fatal(err)
	}
	flags, variables := known(t)
	if len(flags) < 50 || len(variables) < 30 {
		t.Fatalf("%d flags and %d variables: this test reads the program wrongly", len(flags), len(variables))
	}
	// Read by tests and by make alone.
	for _, name := range []string{"COUNTINGHOUSE_POSTGRES_BIN", "COUNTINGHOUSE_VULNDB"} {
		variables[name] = true
	}
	said := 0
	for _, name := range slices.Sorted(maps.Keys(guides(t))) {
		text := guides(t)[name]
		for _, found := range saidFlag.FindAllStringSubmatch(text, -1) {
			if said++; !flags[found[1]] && !slices.Contains(foreign, found[1]) {
				t.Errorf("%s names --%s, which no command has", name, found[1])
			}
		}
		for _, found := range saidVariable.FindAllString(text, -1) {
			if said++; !variables[strings.TrimRight(found, "_")] {
				t.Errorf("%s names %s, which nothing reads", name, found)
			}
		}
		for _, found := range saidMake.FindAllStringSubmatch(text, -1) {
			if said++; !strings.Contains("\n"+string(makefile), "\n"+found[1]+":") {
				t.Errorf("%s says make %s, which there is not", name, found[1])
			}
		}
	}
	if said < 40 {
		t.Errorf("%d names: this test reads the texts wrongly", said)
	}
}

// Every command of ours that operators are told to run is one that the program takes, with what it is given. What it then
// does has tests of its own.
func TestGuidesSayCommandsThatAreTaken(t *testing.T) {
	taken := 0
	// What the settings of the service would say.
	for name, value := range map[string]string{"DATABASE_URL": "postgres://countinghouse_owner:x@localhost/countinghouse", "KEY_FILE": "/etc/countinghouse/service.key",
		"ORIGIN": "https://books.example", "KEYRING": "local", "SMTP_HOST": "127.0.0.1", "MAIL_FROM": "books@books.example"} {
		t.Setenv("COUNTINGHOUSE_"+name, value)
	}
	folder := t.TempDir()
	for name, text := range guides(t) {
		text = strings.ReplaceAll(text, "\n    books ", "\n    countinghouse ")
		text = strings.ReplaceAll(text, "\n       books ", "\n       countinghouse ")
		for _, found := range saidCommand.FindAllStringSubmatch(text, -1) {
			said, _, _ := strings.Cut(found[2], " # ") // what follows is told to people
			line := shellWords(said)
			if line[0] == "is" || line[0] == "does" || strings.Contains(found[2], "...") {
				continue
			}
			for i, word := range line {
				switch { // what stands for a file is one
				case word == "FILE" || strings.HasSuffix(word, ".jsonl") || strings.HasSuffix(word, ".json") ||
					strings.HasSuffix(word, ".tar.gz") || strings.HasSuffix(word, ".pub") || word == "key.txt":
					line[i] = filepath.Join(folder, "file")
					if err := os.WriteFile(line[i], nil, 0o600); err != nil {
						t.Fatal(err)
					}
				}
			}
			if len(line) == 1 && isGroup(t, line[0]) || slices.Contains(line, "--help") {
				continue
			}
			taken++
			if _, err := commandLine(t).Parse(line); err != nil && !strings.Contains(err.Error(), "expected \"<") {
				t.Errorf("%s says %q, which is not taken: %v", name, found[0], err)
			}
		}
	}
	if taken < 6 {
		t.Errorf("%d commands: this test reads the texts wrongly", taken)
	}
}

// shellWords parts a line as a shell does, as far as the guides go: by spaces, but for those in single quotes.
func shellWords(line string) (words []string) {
	quoted := strings.Split(line, "'")
	open := false // the word goes on
	for i, part := range quoted {
		if i%2 == 1 {
			if !open {
				words = append(words, "")
			}
			words[len(words)-1] += part
			open = true
			continue
		}
		for j, word := range strings.Split(part, " ") {
			if j > 0 {
				open = false
			}
			switch {
			case word == "":
			case open:
				words[len(words)-1] += word
			default:
				words, open = append(words, word), true
			}
		}
	}
	return words
}

// isGroup says whether a command only holds others.
func isGroup(t *testing.T, name string) bool {
	t.Helper()
	for _, n := range commandLine(t).Model.Children {
		if n.Name == name {
			return len(n.Children) > 0
		}
	}
	return false
}
