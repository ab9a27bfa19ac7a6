package postgres

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

// errMemoryHeld is a start that came while backends of a killed server still hold its shared memory.
var errMemoryHeld = errors.New("an earlier server's shared memory is still in use")

// command is one program of PostgreSQL to run.
type command struct {
	path    string
	args    []string
	account *account // whom to run it as; nil is ourselves
	death   syscall.Signal
	log     io.Writer
}

// process is a running child that ends with us.
type process struct {
	cmd    *exec.Cmd
	output *tail
	exited chan struct{}
	err    error // set before exited is closed
}

// startProcess starts a child in a session of its own, so that Ctrl-C reaches us alone and we decide when
// the server goes.
func startProcess(c command) (*process, error) {
	p := &process{output: &tail{to: c.log}, exited: make(chan struct{})}
	p.cmd = exec.Command(c.path, c.args...)
	p.cmd.Dir = "/" // our own folder may be closed to the server's user
	p.cmd.Env = childEnv()
	p.cmd.Stdout, p.cmd.Stderr = p.output, p.output
	p.cmd.WaitDelay = stopGrace
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Credential: c.account.credential()}
	dieWithParent(p.cmd.SysProcAttr, c.death)

	started := make(chan error, 1)
	go func() {
		// The kernel ties the child to the thread that started it, so that thread must live as long.
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := p.cmd.Start()
		started <- err
		if err == nil {
			p.err = p.cmd.Wait()
			close(p.exited)
		}
	}()
	if err := <-started; err != nil {
		return nil, fmt.Errorf("starting %s as %s: %w", c.path, c.account, err)
	}
	return p, nil
}

// childEnv leaves out the caller's PG* variables and language, which would change what the programs do.
func childEnv() []string {
	env := []string{"LC_ALL=C", "TZ=UTC"}
	for _, name := range []string{"PATH", "LD_LIBRARY_PATH"} {
		if value, ok := os.LookupEnv(name); ok {
			env = append(env, name+"="+value)
		}
	}
	return env
}

// signal sends s if the child still runs.
func (p *process) signal(s syscall.Signal) {
	if err := p.cmd.Process.Signal(s); err != nil && !errors.Is(err, os.ErrProcessDone) {
		fmt.Fprintf(p.output, "signalling the server: %v\n", err)
	}
}

// failure is why an ended child ended: its status and its last words.
func (p *process) failure() error {
	status := "it exited with status 0"
	if p.err != nil {
		status = p.err.Error()
	}
	return fmt.Errorf("%s\n%s", status, p.output)
}

// run waits for a short-lived child, and ends it when ctx does.
func run(ctx context.Context, c command) error {
	c.death = syscall.SIGKILL
	p, err := startProcess(c)
	if err != nil {
		return err
	}
	select {
	case <-p.exited:
	case <-ctx.Done():
		p.signal(syscall.SIGTERM)
		<-p.exited
		return ctx.Err()
	}
	if p.err != nil {
		return fmt.Errorf("%s: %w", filepath.Base(c.path), p.failure())
	}
	return nil
}

// waitUntilReady returns when the server has written that it accepts connections, as pg_ctl --wait does.
func (f *folder) waitUntilReady(ctx context.Context, p *process) error {
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for {
		lines, err := f.readPidFile()
		if err != nil {
			return err
		}
		const statusLine = 7 // counted from 0; LOCK_FILE_LINE_PM_STATUS of PostgreSQL's pidfile.h
		if len(lines) > statusLine && lines[0] == strconv.Itoa(p.cmd.Process.Pid) &&
			strings.TrimSpace(lines[statusLine]) == "ready" {
			return nil
		}
		select {
		case <-p.exited:
			return fmt.Errorf("PostgreSQL did not start: %w", p.failure())
		case <-ctx.Done():
			return fmt.Errorf("waiting for PostgreSQL to start: %w", ctx.Err())
		case <-tick.C:
		}
	}
}

// explain turns the server's own words about a failed start into a fault where we know them.
func explain(err error, port int) error {
	switch said := err.Error(); {
	case strings.Contains(said, "could not bind") || strings.Contains(said, "could not create any TCP/IP sockets"):
		return portTaken(port).Because(err)
	case strings.Contains(said, "pre-existing shared memory block"):
		return errors.Join(errMemoryHeld, err)
	}
	return err
}

// tail passes a child's output on and keeps the end of it for an error message.
type tail struct {
	mu   sync.Mutex
	to   io.Writer
	kept []byte
}

func (t *tail) Write(p []byte) (int, error) {
	const limit = 4096
	t.mu.Lock()
	defer t.mu.Unlock()
	t.kept = append(t.kept, p...)
	if extra := len(t.kept) - limit; extra > 0 {
		t.kept = append(t.kept[:0], t.kept[extra:]...)
	}
	// A log that fails must not end the server: exec would stop reading and the server would block.
	if _, err := t.to.Write(p); err != nil {
		t.to = io.Discard
		t.kept = fmt.Appendf(t.kept, "(the log cannot be written: %v)\n", err)
	}
	return len(p), nil
}

func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return string(bytes.TrimSpace(t.kept))
}
