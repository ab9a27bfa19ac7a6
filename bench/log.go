package main

import (
	"bytes"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"
	"sync"
)

// logPrefix begins every message of the server, so that its further lines are told from the next message.
const logPrefix = "@bench@"

// serverLog reads what the Postgres server writes. While it records, the statements that were run are kept; what else
// the server says goes on to out.
type serverLog struct {
	out io.Writer

	mu       sync.Mutex
	rest     []byte // of a line that has not ended
	record   string // the message being read
	kept     []statement
	waiting  string // a marker that ends a recording
	finished chan struct{}
}

func newServerLog(out io.Writer) *serverLog { return &serverLog{out: out} }

// statement is one message from a client to the server, as the server logged it.
type statement struct {
	text       string
	simple     bool // without parameters, and perhaps several statements
	parameters []string
	null       []bool
	prepared   string // for an EXECUTE: the PREPARE that it is of
}

// await keeps statements from now until one contains marker, and then closes the channel.
func (l *serverLog) await(marker string) <-chan struct{} {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.kept, l.waiting, l.finished = nil, marker, make(chan struct{})
	return l.finished
}

// mute ends the forwarding, for when what the server says is no news.
func (l *serverLog) mute() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.out = nil
}

// taken gives the statements that were kept.
func (l *serverLog) taken() []statement {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.kept
}

// Write takes what the server prints.
func (l *serverLog) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.rest = append(l.rest, p...)
	for {
		end := bytes.IndexByte(l.rest, '\n')
		if end < 0 {
			return len(p), nil
		}
		l.line(string(l.rest[:end]))
		l.rest = l.rest[end+1:]
	}
}

func (l *serverLog) line(line string) {
	// The server indents the further lines of a message by a tab.
	if more, ok := strings.CutPrefix(line, "\t"); ok {
		l.record += "\n" + more
	} else {
		l.record = strings.TrimPrefix(line, logPrefix)
	}
	kind, text, _ := strings.Cut(l.record, ":  ")
	switch {
	case kind == "LOG" && l.keep(text), kind == "DETAIL" && l.detail(text):
	case l.out != nil && kind != "LOG" && kind != "DETAIL" && l.record != "":
		fmt.Fprintln(l.out, "postgres:", strings.TrimPrefix(line, logPrefix))
	}
}

var executed = regexp.MustCompile(`^execute (\S+): `)

// keep takes a message of log_statement. A message of several lines comes again with each of them.
func (l *serverLog) keep(text string) bool {
	s := statement{text: text}
	if name := executed.FindString(text); name != "" {
		s.text = strings.TrimPrefix(text, name)
	} else if s.text, s.simple = strings.CutPrefix(text, "statement: "); !s.simple {
		return false
	}
	if l.waiting != "" && strings.Contains(s.text, l.waiting) {
		l.waiting = ""
		close(l.finished)
		return true
	}
	if l.waiting == "" {
		return true
	}
	if n := len(l.kept); n > 0 && strings.Contains(l.record, "\n") {
		l.kept[n-1] = s
	} else {
		l.kept = append(l.kept, s)
	}
	return true
}

var parameter = regexp.MustCompile(`\$(\d+) = (NULL|'((?:[^']|'')*)')(?:, |$)`)

// detail takes what is said of the last statement.
func (l *serverLog) detail(text string) bool {
	if l.waiting == "" || len(l.kept) == 0 {
		return false
	}
	s := &l.kept[len(l.kept)-1]
	if prepared, ok := strings.CutPrefix(text, "prepare: "); ok {
		s.prepared = prepared
	}
	list, ok := strings.CutPrefix(text, "parameters: ")
	if !ok {
		return true
	}
	s.parameters, s.null = nil, nil
	for i, found := range parameter.FindAllStringSubmatch(list, -1) {
		if found[1] != strconv.Itoa(i+1) {
			break // the message goes on in the next line
		}
		s.parameters = append(s.parameters, strings.ReplaceAll(found[3], "''", "'"))
		s.null = append(s.null, found[2] == "NULL")
	}
	return true
}
