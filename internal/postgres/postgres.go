// Package postgres runs a private PostgreSQL server for one data folder.
//
// It exists so that one command brings up everything on a bare machine, and so that each test binary has a
// real server of its own. The server listens on the loopback address alone, asks for a password that only
// this machine holds, and ends with the process that started it, even when that process is killed. It opens
// no SQL connection: package tenant alone does. Where Postgres is installed its own binaries run; where it
// is not, the builds that github.com/fergusstrange/embedded-postgres names are fetched.
package postgres

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"time"

	"github.com/countinghouse/countinghouse/internal/fault"
)

// What Start refuses. Each is returned with a sentence that names the folder, port or version in question.
var (
	ErrMissing = fault.New(fault.Unavailable, "postgres.missing",
		"PostgreSQL 15 or later is not installed and could not be fetched. Install it (Debian: apt-get install postgresql).")
	ErrPortTaken = fault.New(fault.Conflict, "postgres.port_taken",
		"The database port is taken by another program. Stop that program or choose another port.")
	ErrOtherVersion = fault.New(fault.Conflict, "postgres.other_version",
		"The data folder was made by another major version of PostgreSQL. Install that version or name another folder.")
	ErrInUse = fault.New(fault.Conflict, "postgres.in_use",
		"Another process is using the data folder. Stop it or name another folder.")
	ErrUnreachable = fault.New(fault.Forbidden, "postgres.unreachable",
		"The data folder cannot be used by the user that the server runs as. Name another folder.")
	ErrPasswordLost = fault.New(fault.Conflict, "postgres.password_lost",
		"The data folder has lost its password file. Put it back, or name another folder.")
)

// Options says which server is wanted. Dir alone is needed.
type Options struct {
	// Dir is the data folder, made if missing. It belongs to one running process at a time.
	Dir string
	// Port to listen on at 127.0.0.1. With 0 it is a free one, remembered in Dir and taken again next time
	// if it is still free.
	Port int
	// Fast gives up durability for speed: a crash of the machine may ruin the data. For tests alone.
	Fast bool
	// Settings are server parameters (postgresql.conf names), before those that keep the server private.
	Settings map[string]string
	// Log receives what the server prints, and a line when the data lies elsewhere than in Dir. May be nil.
	Log io.Writer
	// Cache keeps fetched binaries for every data folder; empty is the user's cache folder.
	Cache string
	// Repository is the Maven repository to fetch binaries from; empty is Maven Central.
	Repository string

	binDirs   []string // where to look for binaries in place of the machine's usual places
	elsewhere string   // where clusters go whose own folder the server cannot enter
}

// Server is a running PostgreSQL server.
type Server struct {
	url     string
	binDir  string
	cluster string
	lock    *os.File
	process *process
	done    chan error
	mu      sync.Mutex // guards stopped and the closing of lock
	stopped bool
}

// Start brings up the server of o.Dir, making the cluster on the first run, and returns when it accepts
// connections. ctx bounds the start, not the server's life. If an earlier server of this folder is still
// ending, because its process was killed, Start waits for it. Errors: the faults declared above.
func Start(ctx context.Context, o Options) (*Server, error) {
	if o.Log == nil {
		o.Log = io.Discard
	}
	f, err := openFolder(o)
	if err != nil {
		return nil, err
	}
	s, err := f.start(ctx, o)
	if err != nil {
		return nil, errors.Join(err, f.lock.Close())
	}
	return s, nil
}

func (f *folder) start(ctx context.Context, o Options) (*Server, error) {
	if err := f.waitForPredecessor(ctx); err != nil {
		return nil, err
	}
	bins, err := f.findBinaries(ctx, o)
	if err != nil {
		return nil, err
	}
	password, err := f.makeCluster(ctx, bins, o)
	if err != nil {
		return nil, err
	}
	p, port, err := f.launch(ctx, bins, o)
	if err != nil {
		return nil, err
	}
	address := url.URL{
		Scheme: "postgres", User: url.UserPassword(superuser, password),
		Host: fmt.Sprintf("127.0.0.1:%d", port), Path: "/postgres", RawQuery: "sslmode=disable",
	}
	s := &Server{
		url: address.String(), binDir: bins.dir, cluster: f.cluster(), lock: f.lock, process: p,
		done: make(chan error, 1),
	}
	go s.watch()
	return s, nil
}

// URL is the superuser's connection string, to the database "postgres".
func (s *Server) URL() string { return s.url }

// BinDir is the folder of the server's programs. An installed PostgreSQL has psql, pg_dump and pgbench
// there; a fetched one has only initdb, pg_ctl and postgres.
func (s *Server) BinDir() string { return s.binDir }

// Cluster is the folder that holds the data: within Options.Dir, or elsewhere if the server's user cannot
// enter that.
func (s *Server) Cluster() string { return s.cluster }

// Done receives one error if the server ends without Stop, and is closed when the server has ended.
func (s *Server) Done() <-chan error { return s.done }

func (s *Server) watch() {
	<-s.process.exited
	s.mu.Lock()
	if !s.stopped {
		s.done <- fmt.Errorf("PostgreSQL ended by itself: %w", s.process.failure())
	}
	s.mu.Unlock()
	close(s.done)
}

// Stop ends the server: open transactions are rolled back, everything else is written out. When ctx ends
// first the server is stopped at once and recovers at its next start; that is an error. A second call does
// nothing.
func (s *Server) Stop(ctx context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stopped {
		return nil
	}
	s.stopped = true
	err := s.process.stop(ctx)
	return errors.Join(err, s.lock.Close())
}

const (
	superuser = "postgres"
	// stopGrace is how long a server may take over an immediate stop before it is killed.
	stopGrace = 5 * time.Second
)

// stop asks for a fast shutdown, and for an immediate one when ctx ends first.
func (p *process) stop(ctx context.Context) error {
	p.signal(syscall.SIGINT)
	select {
	case <-p.exited:
		return nil
	case <-ctx.Done():
	}
	p.signal(syscall.SIGQUIT)
	select {
	case <-p.exited:
	case <-time.After(stopGrace):
		p.signal(syscall.SIGKILL)
		<-p.exited
	}
	return fmt.Errorf("PostgreSQL was cut short while stopping: %w", ctx.Err())
}

// launch starts the server of an existing cluster on the port asked for, or on a free one.
func (f *folder) launch(ctx context.Context, bins binaries, o Options) (*process, int, error) {
	const tries = 5
	for try := 1; ; try++ {
		port, err := f.choosePort(o.Port, try == 1)
		if err != nil {
			return nil, 0, err
		}
		p, err := f.launchOn(ctx, bins, o, port)
		if err == nil {
			return p, port, f.rememberPort(port)
		}
		// Another program may take a free port between our looking and the server's binding.
		lostRace := o.Port == 0 && errors.Is(err, ErrPortTaken)
		// A killed server's last backends hold its memory until they notice.
		held := errors.Is(err, errMemoryHeld)
		if try == tries || !lostRace && !held {
			return nil, 0, err
		}
		if held {
			if err := pause(ctx, time.Second); err != nil {
				return nil, 0, err
			}
		}
	}
}

func (f *folder) launchOn(ctx context.Context, bins binaries, o Options, port int) (*process, error) {
	death := syscall.SIGINT
	if o.Fast {
		death = syscall.SIGQUIT // what a dead test leaves is thrown away, so nothing needs writing out
	}
	args := append([]string{"-D", f.cluster()}, serverSettings(o, port)...)
	p, err := startProcess(command{
		path: filepath.Join(bins.dir, "postgres"), args: args, account: f.account, death: death, log: o.Log,
	})
	if err != nil {
		return nil, err
	}
	if err := f.waitUntilReady(ctx, p); err != nil {
		if ctx.Err() != nil {
			p.signal(syscall.SIGQUIT)
			<-p.exited
		}
		return nil, explain(err, port)
	}
	return p, nil
}

// pause waits, unless ctx ends first.
func pause(ctx context.Context, wait time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(wait):
		return nil
	}
}
