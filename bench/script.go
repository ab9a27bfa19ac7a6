package main

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// script is a post of one organization in pgbench's language.
type script struct {
	name    string
	text    string
	defines []string // what parameters hold, as pgbench's --define takes it
	trips   int
}

var (
	argument  = regexp.MustCompile(`\$(\d+)`)
	execute   = regexp.MustCompile(`^EXECUTE (\w+)\((.*)\)$`)
	uuidShape = regexp.MustCompile(`^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`)
	colon     = regexp.MustCompile(`(^|[^:]):[A-Za-z0-9_]`)
)

// writer writes a script. Every message of the service becomes one of pgbench: statements that went together go
// together. Parameters stay parameters, with the values that they had, but for the ids: those that differ from one
// request to the next are made of a number that grows.
type writer struct {
	script
	key           string // the Idempotency-Key of the sample
	prepared      map[string]string
	swap          func(value, other string) (string, bool)
	before, after []statement
}

func writeScript(name string, of sampled) (script, error) {
	posts := of.posts
	w := &writer{script: script{name: name, trips: len(posts[0].statements)}, key: posts[0].key, prepared: of.prepared, swap: of.swap,
		after: posts[0].statements, before: posts[1].statements}
	if len(w.after) != len(w.before) {
		return script{}, fmt.Errorf("two posts took %d and %d messages", len(w.before), len(w.after))
	}
	w.text = "\\set n :n + 1\n\\set id :base + :n * 128 + :client_id\n"
	for i := range w.after {
		if err := w.message(i); err != nil {
			return script{}, err
		}
	}
	return w.script, nil
}

func (w *writer) message(i int) error {
	s := w.after[i]
	if colon.MatchString(s.text) && !s.simple {
		return fmt.Errorf("pgbench would take a part of this for a variable: %s", s.text)
	}
	if !s.simple {
		return w.statement(i, fmt.Sprint(i), s, s.text)
	}
	var parts []string
	for part := range strings.SplitSeq(s.text, ";") {
		if part = strings.TrimSpace(part); part != "" {
			parts = append(parts, part)
		}
	}
	if len(parts) > 1 {
		w.text += "\\startpipeline\n"
	}
	for n, part := range parts {
		if err := w.part(i, fmt.Sprintf("%d_%d", i, n), s, part); err != nil {
			return err
		}
	}
	if len(parts) > 1 {
		w.text += "\\endpipeline\n"
	}
	return nil
}

// part writes a statement without parameters. An EXECUTE becomes what it executes: pgbench prepares by itself.
func (w *writer) part(i int, place string, s statement, text string) error {
	found := execute.FindStringSubmatch(text)
	if found == nil {
		if colon.MatchString(text) {
			return fmt.Errorf("pgbench would take a part of this for a variable: %s", text)
		}
		w.text += text + ";\n"
		return nil
	}
	prepared, ok := w.prepared[found[1]]
	if !ok {
		_, prepared, ok = strings.Cut(s.prepared, " AS ")
	}
	if !ok {
		return fmt.Errorf("the server did not say what %s executes", text)
	}
	given := statement{}
	for value := range strings.SplitSeq(found[2], ",") {
		given.parameters = append(given.parameters, strings.Trim(value, "' "))
		given.null = append(given.null, value == "NULL")
	}
	return w.statement(i, place, given, prepared)
}

// statement writes one with parameters, whose names tell its place.
func (w *writer) statement(i int, place string, s statement, text string) error {
	var failed error
	defined := map[string]bool{}
	text = argument.ReplaceAllStringFunc(text, func(word string) string {
		n, err := strconv.Atoi(word[1:])
		if err != nil || n < 1 || n > len(s.parameters) {
			failed = fmt.Errorf("the server did not say what %s is in: %s", word, text)
			return word
		}
		value := s.parameters[n-1]
		switch {
		case s.null[n-1]:
			return "NULL"
		case value == "": // which pgbench cannot define
			return "''"
		case value == w.key:
			return ":id"
		case uuidShape.MatchString(value) && w.differs(i, n-1, value):
			// The first half keeps its place in time, as ids made by the service have one.
			return "('" + strings.ReplaceAll(value, "-", "")[:16] + "' || :id::text)::uuid"
		}
		if other := w.before[i].parameters; w.swap != nil && n-1 < len(other) {
			if made, ok := w.swap(value, other[n-1]); ok {
				return made
			}
		}
		name := fmt.Sprintf("%s_%s_%d", w.name, place, n)
		if !defined[name] {
			defined[name] = true
			w.defines = append(w.defines, name+"="+value)
		}
		return ":" + name
	})
	w.text += strings.TrimSpace(text) + ";\n"
	return failed
}

// differs says whether a parameter was another one in the other sample.
func (w *writer) differs(i, n int, value string) bool {
	other := w.before[i].parameters
	return n < len(other) && other[n] != value
}
