// Command judge holds what gosec found against the findings that somebody has looked at. It fails for a finding that
// nobody has, and for one that was looked at and is gone, so that the list stays what is true.
//
//	judge FOUND.json LOOKED_AT.txt FOLDER
//
// A line of the list is a rule, a file of the folder, and why the finding is none: "G304 cmd/x/y.go: the operator names it".
package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

type finding struct {
	Rule    string `json:"rule_id"`
	File    string `json:"file"`
	Line    string `json:"line"`
	Details string `json:"details"`
}

func main() {
	if len(os.Args) != 4 {
		fmt.Fprintln(os.Stderr, "usage: judge FOUND.json LOOKED_AT.txt FOLDER")
		os.Exit(2)
	}
	if err := run(os.Args[1], os.Args[2], os.Args[3], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(found, list, folder string, out io.Writer) error {
	text, err := os.ReadFile(found)
	if err != nil {
		return fmt.Errorf("reading what was found: %w", err)
	}
	var report struct {
		Issues []finding
		Errors map[string]any `json:"Golang errors"`
		Stats  struct{ Files int }
	}
	if err := json.Unmarshal(text, &report); err != nil {
		return fmt.Errorf("reading what was found: %w", err)
	}
	if len(report.Errors) > 0 || report.Stats.Files == 0 {
		return fmt.Errorf("gosec could not read the source: %v", report.Errors)
	}
	known, err := readList(list)
	if err != nil {
		return err
	}
	met, fresh := map[string]int{}, 0
	for _, f := range report.Issues {
		file, err := filepath.Rel(folder, f.File)
		if err != nil {
			return fmt.Errorf("placing a finding: %w", err)
		}
		key := f.Rule + " " + filepath.ToSlash(file)
		if met[key]++; known[key] == "" {
			fresh++
			fmt.Fprintf(out, "%s:%s: %s (%s)\n", file, f.Line, f.Details, f.Rule)
		}
	}
	var gone []string
	for key := range known {
		if met[key] == 0 {
			gone = append(gone, key)
		}
	}
	slices.Sort(gone)
	for _, key := range gone {
		fmt.Fprintf(out, "%s: is found no more: take its line out of %s\n", key, list)
	}
	if fresh > 0 || len(gone) > 0 {
		return errors.New("mend what gosec found, or say in " + list + " why it is no fault")
	}
	_, err = fmt.Fprintf(out, "gosec read %d files; it found nothing that has not been looked at (%d findings are explained).\n", report.Stats.Files, len(report.Issues))
	return err
}

func readList(name string) (known map[string]string, err error) {
	file, err := os.Open(name)
	if err != nil {
		return nil, fmt.Errorf("reading what was looked at: %w", err)
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	known = map[string]string{}
	lines := bufio.NewScanner(file)
	for lines.Scan() {
		line := strings.TrimSpace(lines.Text())
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		key, why, ok := strings.Cut(line, ": ")
		if !ok || len(strings.Fields(key)) != 2 || known[key] != "" {
			return nil, fmt.Errorf("%s: %q is no rule, file and reason, or stands there twice", name, line)
		}
		known[key] = why
	}
	return known, lines.Err()
}
