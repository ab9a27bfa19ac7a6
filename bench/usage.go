package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// usage is processor time: of the server's processes together, and of this one, which holds service and clients.
type usage struct{ database, ourselves time.Duration }

func (u usage) since(before usage) usage {
	return usage{u.database - before.database, u.ourselves - before.ourselves}
}

func (u usage) add(more usage) usage {
	return usage{u.database + more.database, u.ourselves + more.ourselves}
}

// meter reads processor times. Where there is no /proc the database's is always nothing.
type meter struct{ postmaster int }

func (h *house) newMeter() (meter, error) {
	text, err := os.ReadFile(filepath.Join(h.cluster.Cluster(), "postmaster.pid"))
	if err != nil {
		return meter{}, fmt.Errorf("looking for the database's process: %w", err)
	}
	first, _, _ := strings.Cut(string(text), "\n")
	pid, err := strconv.Atoi(first)
	if err != nil {
		return meter{}, fmt.Errorf("looking for the database's process: %w", err)
	}
	return meter{pid}, nil
}

func (m meter) read() usage {
	var u usage
	var self syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &self) == nil {
		u.ourselves = time.Duration(self.Utime.Nano() + self.Stime.Nano())
	}
	found, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		return u
	}
	for _, path := range found {
		if text, err := os.ReadFile(path); err == nil { // else it ended meanwhile
			u.database += m.childTime(text)
		}
	}
	return u
}

// childTime reads one process's line: proc(5). The kernel counts in hundredths of a second.
func (m meter) childTime(stat []byte) time.Duration {
	_, rest, ok := bytes.Cut(stat, []byte(") "))
	fields := strings.Fields(string(rest))
	if !ok || len(fields) < 13 || fields[1] != strconv.Itoa(m.postmaster) {
		return 0
	}
	var ticks int
	for _, field := range fields[11:13] {
		n, err := strconv.Atoi(field)
		if err != nil {
			return 0
		}
		ticks += n
	}
	return time.Duration(ticks) * 10 * time.Millisecond
}
