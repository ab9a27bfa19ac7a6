// Package pgtest gives a test binary a PostgreSQL server of its own, so that `go test ./web` works with
// nothing prepared. Only tests import it.
//
//	func TestMain(m *testing.M) { os.Exit(pgtest.Main(m, prepare)) }
package pgtest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/countinghouse/countinghouse/internal/postgres"
)

// startTimeout and stopTimeout are generous, because all packages of `go test ./...` start at once.
const (
	startTimeout = 2 * time.Minute
	stopTimeout  = 30 * time.Second
)

// running is set before the first test and not changed while one runs.
var running *postgres.Server

// Main starts a server that gives up durability for speed, has prepare make it ready (migrate it, say; nil
// for nothing to do), runs the tests, and removes the server with its data. It returns the exit code. A test
// binary that is killed takes its server with it.
func Main(m *testing.M, prepare func(url string) error) int {
	code, err := runTests(m, prepare)
	if err != nil {
		fmt.Fprintln(os.Stderr, "pgtest:", err)
		return 1
	}
	return code
}

// URL is the superuser's connection string, to the database "postgres". It panics outside Main.
func URL() string { return server().URL() }

// BinDir is the folder of the server's programs, for tests that run pg_dump or psql.
func BinDir() string { return server().BinDir() }

func server() *postgres.Server {
	if running == nil {
		panic("pgtest: the package's TestMain does not call pgtest.Main")
	}
	return running
}

func runTests(m *testing.M, prepare func(url string) error) (code int, err error) {
	dir, err := os.MkdirTemp("", "countinghouse-test-")
	if err != nil {
		return 1, fmt.Errorf("making a folder for the server: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	// A server that runs as another user must be able to pass through.
	if err := os.Chmod(dir, 0o711); err != nil {
		return 1, fmt.Errorf("opening the folder to the server: %w", err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), startTimeout)
	defer cancel()
	s, err := postgres.Start(ctx, postgres.Options{Dir: dir, Fast: true})
	if err != nil {
		return 1, err
	}
	running = s
	defer func() { err = errors.Join(err, removeServer(s, dir)) }()
	if prepare != nil {
		if err := prepare(s.URL()); err != nil {
			return 1, fmt.Errorf("preparing the database: %w", err)
		}
	}
	return m.Run(), nil
}

func removeServer(s *postgres.Server, dir string) error {
	ctx, cancel := context.WithTimeout(context.Background(), stopTimeout)
	defer cancel()
	err := s.Stop(ctx)
	// With a closed temporary folder the server's files lie elsewhere, in a folder of their own.
	if home := filepath.Dir(s.Cluster()); home != dir {
		err = errors.Join(err, os.RemoveAll(home))
	}
	return err
}
