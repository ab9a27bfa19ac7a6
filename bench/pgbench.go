package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/lib/pq"
)

// pgbench runs what the service sends for a post, message by message, with nothing in front of it. Each organization
// has a script, since a statement that is prepared once and run in another schema each time would be planned each time.
type pgbench struct {
	house    *house
	path     string
	dir      string
	password string
	scripts  []script
	meter    meter
	runs     int
}

func (h *house) openPgbench(password string, all []sampled, m meter) (_ *pgbench, err error) {
	b := &pgbench{house: h, dir: filepath.Join(h.dir, "pgbench"), password: password, meter: m}
	b.path = filepath.Join(h.cluster.BinDir(), "pgbench")
	if _, err := os.Stat(b.path); errors.Is(err, fs.ErrNotExist) {
		if b.path, err = exec.LookPath("pgbench"); err != nil {
			return nil, errors.New("pgbench is not installed (Debian: apt-get install postgresql)")
		}
	}
	if err := os.Mkdir(b.dir, 0o700); err != nil {
		return nil, fmt.Errorf("making a folder for pgbench: %w", err)
	}
	for n, s := range all {
		made, err := writeScript(fmt.Sprintf("o%d", n), s)
		if err != nil {
			return nil, err
		}
		if err := os.WriteFile(filepath.Join(b.dir, made.name+".sql"), []byte(made.text), 0o600); err != nil {
			return nil, fmt.Errorf("keeping a script: %w", err)
		}
		b.scripts = append(b.scripts, made)
	}
	return b, nil
}

// command says how to run all scripts at random, logging each transaction.
func (b *pgbench) command(ctx context.Context, log string) (*exec.Cmd, error) {
	u, err := url.Parse(b.house.config.URL)
	if err != nil {
		return nil, fmt.Errorf("reading the database's address: %w", err)
	}
	args := []string{
		"--no-vacuum", "--protocol=prepared", "--client=" + strconv.Itoa(b.house.clients), "--jobs=1",
		"--time=3600", // until it is told to end
		"--log", "--log-prefix=" + log, "--host=" + u.Hostname(), "--port=" + u.Port(), "--username=" + bareLogin,
		// Ids are made from these: none comes twice.
		"--define=n=0", "--define=base=" + strconv.FormatInt(time.Now().UnixMicro(), 10),
	}
	for _, s := range b.scripts {
		args = append(args, "--file="+filepath.Join(b.dir, s.name+".sql"))
		for _, d := range s.defines {
			args = append(args, "--define="+d)
		}
	}
	c := exec.CommandContext(ctx, b.path, append(args, b.house.databaseName())...)
	// All statements of a script are prepared at once, before the first of them enters the organization: they need to
	// find its tables in some schema, and look for them again when they are first run.
	c.Env = append(os.Environ(), "PGPASSWORD="+b.password, "PGSSLMODE=disable",
		// By itself it would come to the same plans after five calls each.
		"PGOPTIONS=-c plan_cache_mode=force_generic_plan -c search_path="+b.house.tenants[0].schema)
	return c, nil
}

// run counts the transactions within a window that opens when pgbench is warm.
func (b *pgbench) run(ctx context.Context, slice time.Duration) (slot, error) {
	b.runs++
	log := filepath.Join(b.dir, fmt.Sprintf("run%d", b.runs))
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	c, err := b.command(ctx, log)
	if err != nil {
		return slot{}, err
	}
	var said bytes.Buffer
	c.Stdout, c.Stderr = &said, &said
	ended := make(chan error, 1)
	if err := c.Start(); err != nil {
		return slot{}, fmt.Errorf("starting pgbench: %w", err)
	}
	go func() { ended <- c.Wait() }()
	s, err := b.window(ctx, ended, slice)
	if err == nil {
		// What its own timer would send.
		err = c.Process.Signal(syscall.SIGALRM)
	}
	if err != nil {
		cancel()
	}
	if err = errors.Join(err, <-ended); err != nil {
		return s, fmt.Errorf("pgbench: %w: %s", err, said.String())
	}
	s.operations, err = countLogged(log, s)
	return s, err
}

// visits is how often each client is to have worked in each organization, on average, before anything counts: it
// connects, prepares and plans anew in each slice, where the service did so long ago.
const visits = 6

func (b *pgbench) window(ctx context.Context, ended <-chan error, slice time.Duration) (slot, error) {
	if err := b.warm(ctx, ended); err != nil {
		return slot{}, err
	}
	return b.meter.watch(ctx, b.house.lead, slice)
}

// warm waits until pgbench has posted enough entries.
func (b *pgbench) warm(ctx context.Context, ended <-chan error) error {
	var sums []string
	for _, o := range b.house.tenants {
		sums = append(sums, "(SELECT value FROM "+pq.QuoteIdentifier(o.schema)+".counter WHERE name = 'journal')")
	}
	query := "SELECT " + strings.Join(sums, " + ")
	wanted := int64(visits * b.house.clients * len(b.scripts))
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for began := int64(-1); ; {
		var posted int64
		if err := b.house.super.QueryRowContext(ctx, query).Scan(&posted); err != nil {
			return fmt.Errorf("waiting for its first entries: %w", err)
		}
		if began < 0 {
			began = posted
		}
		if posted-began >= wanted {
			return nil
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return ctx.Err()
		}
		if len(ended) > 0 {
			return errors.New("it ended too early")
		}
	}
}

// countLogged counts the transactions of pgbench's log that ended within the window: "client transaction duration
// script seconds microseconds" is a line.
func countLogged(log string, s slot) (n int, err error) {
	files, err := filepath.Glob(log + ".*")
	if err != nil || len(files) == 0 {
		return 0, fmt.Errorf("pgbench left no log (%w)", err)
	}
	for _, name := range files {
		text, err := os.ReadFile(name)
		if err != nil {
			return 0, fmt.Errorf("reading pgbench's log: %w", err)
		}
		lines := bufio.NewScanner(bytes.NewReader(text))
		for lines.Scan() {
			fields := strings.Fields(lines.Text())
			if len(fields) < 6 || fields[2] == "failed" {
				return 0, fmt.Errorf("a transaction of pgbench failed: %q", lines.Text())
			}
			seconds, err := strconv.ParseInt(fields[4], 10, 64)
			micros, also := strconv.ParseInt(fields[5], 10, 64)
			if err := errors.Join(err, also); err != nil {
				return 0, fmt.Errorf("reading pgbench's log: %w", err)
			}
			if s.holds(time.UnixMicro(seconds*1_000_000 + micros)) {
				n++
			}
		}
		if err := errors.Join(lines.Err(), os.Remove(name)); err != nil {
			return 0, fmt.Errorf("reading pgbench's log: %w", err)
		}
	}
	return n, nil
}
