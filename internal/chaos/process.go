package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"time"
)

// process is a program that is started again when it ends, as a service manager does.
type process struct {
	name  string
	start func() *exec.Cmd
	log   *os.File

	mu       sync.Mutex
	running  *exec.Cmd
	ended    chan struct{} // of the one that runs
	stopping bool
	held     bool // not to be started again for now
	kills    int
	deaths   int // that nobody here caused
	watched  sync.WaitGroup
}

// startProcess starts it and watches over it.
func startProcess(name, folder string, start func() *exec.Cmd) (*process, error) {
	log, err := os.OpenFile(filepath.Join(folder, name+".log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	p := &process{name: name, start: start, log: log}
	if err := p.launch(); err != nil {
		return nil, errors.Join(err, log.Close())
	}
	p.watched.Go(p.watch)
	return p, nil
}

func (p *process) launch() error {
	command := p.start()
	command.Stdout, command.Stderr = p.log, p.log
	if command.SysProcAttr == nil {
		command.SysProcAttr = &syscall.SysProcAttr{}
	}
	command.SysProcAttr.Setpgid = true // so that all of it can be killed, and Ctrl-C is for us
	command.WaitDelay = 5 * time.Second
	if err := command.Start(); err != nil {
		return fmt.Errorf("starting %s: %w", p.name, err)
	}
	p.running, p.ended = command, make(chan struct{})
	return nil
}

// watch starts it again, a little later each time that it ends at once.
func (p *process) watch() {
	for pause := 50 * time.Millisecond; ; {
		began := time.Now()
		p.mu.Lock()
		command, ended, kills := p.running, p.ended, p.kills
		p.mu.Unlock()
		// How it ended is in its log.
		_ = command.Wait()
		close(ended)
		if time.Since(began) > 5*time.Second {
			pause = 50 * time.Millisecond
		}
		for {
			p.mu.Lock()
			stopping, held := p.stopping, p.held
			if !stopping && p.kills == kills {
				p.deaths++
				kills = -1 // counted
			}
			p.mu.Unlock()
			if stopping {
				return
			}
			<-time.After(pause)
			pause = min(pause*2, time.Second)
			if held {
				continue
			}
			p.mu.Lock()
			err := error(nil)
			if !p.stopping && !p.held {
				err = p.launch()
			}
			launched := err == nil && !p.stopping && !p.held
			p.mu.Unlock()
			if launched {
				break
			}
		}
	}
}

// kill ends the process, or with all its children, at once and without a word.
func (p *process) kill(whole bool) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.kills++
	at := p.running.Process.Pid
	if whole {
		at = -at
	}
	if err := syscall.Kill(at, syscall.SIGKILL); err != nil && !errors.Is(err, syscall.ESRCH) {
		return fmt.Errorf("killing %s: %w", p.name, err)
	}
	return nil
}

// hold kills it with its children and keeps it from being started, until let go.
func (p *process) hold() error {
	p.mu.Lock()
	p.held = true
	ended := p.ended
	p.mu.Unlock()
	err := p.kill(true)
	<-ended
	return err
}

func (p *process) letGo() {
	p.mu.Lock()
	p.held = false
	p.mu.Unlock()
}

// stop asks it to end, and sees to it.
func (p *process) stop(signal syscall.Signal, patience time.Duration) error {
	if p == nil {
		return nil
	}
	p.mu.Lock()
	p.stopping = true
	ended, running := p.ended, p.running
	p.mu.Unlock()
	if err := running.Process.Signal(signal); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("stopping %s: %w", p.name, err)
	}
	var late error
	select {
	case <-ended:
	case <-time.After(patience):
		late = fmt.Errorf("%s does not end within %v of being asked", p.name, patience)
		_ = syscall.Kill(-running.Process.Pid, syscall.SIGKILL) // it may end in this moment
	}
	p.watched.Wait()
	return errors.Join(late, p.log.Close())
}

// runOnce runs a program to its end and gives what it printed.
func runOnce(ctx context.Context, log io.Writer, command *exec.Cmd) ([]byte, error) {
	out, err := command.Output()
	if err == nil {
		return out, nil
	}
	var failed *exec.ExitError
	said := ""
	if errors.As(err, &failed) {
		said = string(failed.Stderr)
	}
	if log != nil {
		fmt.Fprintf(log, "%s: %v\n%s\n", command.Path, err, said)
	}
	return out, errors.Join(ctx.Err(), fmt.Errorf("%s %s: %w: %.2000s", filepath.Base(command.Path), command.Args[1:min(3, len(command.Args))], err, said))
}

// await looks until something is so.
func await(ctx context.Context, what string, patience time.Duration, so func() bool) error {
	ctx, cancel := context.WithTimeoutCause(ctx, patience, fmt.Errorf("after %v still not: %s", patience, what))
	defer cancel()
	look := time.NewTicker(20 * time.Millisecond)
	defer look.Stop()
	for !so() {
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-look.C:
		}
	}
	return nil
}
