package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"sync"
)

// kind is what was written.
type kind string

const (
	posting kind = "posting"
	payment kind = "payment"
	account kind = "bank account"
	signUp  kind = "sign-up"
)

var kinds = []kind{posting, payment, account, signUp}

// note is a line of the record: a write that is about to be tried, or was acknowledged.
type note struct {
	Kind         kind   `json:"kind"`
	Organization string `json:"organization"` // its slug
	Tag          string `json:"tag"`          // what it is known by in the books
	Acknowledged bool   `json:"acknowledged"`
}

// record is the file of what was tried and what was acknowledged. It is on the disk before the next write is sent.
type record struct {
	mu   sync.Mutex
	file *os.File
}

func openRecord(name string) (*record, error) {
	file, err := os.OpenFile(name, os.O_CREATE|os.O_APPEND|os.O_RDWR, 0o600)
	return &record{file: file}, err
}

func (r *record) add(n note) error {
	line, err := json.Marshal(n)
	if err != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if _, err := r.file.Write(append(line, '\n')); err != nil {
		return fmt.Errorf("keeping the record: %w", err)
	}
	if err := r.file.Sync(); err != nil {
		return fmt.Errorf("keeping the record: %w", err)
	}
	return nil
}

func (r *record) close() error {
	if r == nil || r.file == nil {
		return nil
	}
	return r.file.Close()
}

// write is a write by what it is known by, without how it went.
type write struct {
	kind              kind
	organization, tag string
}

// readRecord gives each write that was tried, and whether it was acknowledged.
func readRecord(name string) (map[write]bool, error) {
	file, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	found := map[write]bool{}
	lines := bufio.NewScanner(file)
	for lines.Scan() {
		var n note
		if err := json.Unmarshal(lines.Bytes(), &n); err != nil {
			return nil, fmt.Errorf("the record is damaged: %w", err)
		}
		w := write{n.Kind, n.Organization, n.Tag}
		found[w] = found[w] || n.Acknowledged
	}
	return found, lines.Err()
}
