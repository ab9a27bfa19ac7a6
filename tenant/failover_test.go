package tenant_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"github.com/countinghouse/countinghouse/internal/fault"
	"github.com/countinghouse/countinghouse/internal/postgres"
	"github.com/countinghouse/countinghouse/internal/postgres/pgtest"
	"github.com/countinghouse/countinghouse/tenant"
	"github.com/countinghouse/countinghouse/tenant/tenanttest"
)

// note writes something that can be found again.
func note(ctx context.Context, tx *tenant.Tx, id uuid.UUID) error {
	return tx.Record(ctx, tenant.Act{Action: "test.note", Object: "test", ID: id})
}

// endBackends ends connections as a server does that is stopped.
func endBackends(t *testing.T, pids ...int) {
	t.Helper()
	super, err := sqlx.Connect("postgres", pgtest.URL())
	if err != nil {
		t.Fatal(err)
	}
	for _, pid := range pids {
		var ended bool
		if err := super.Get(&ended, `SELECT pg_terminate_backend($1, 5000)`, pid); err != nil || !ended {
			t.Errorf("backend %d was not ended: %v", pid, err)
		}
	}
	if err := super.Close(); err != nil {
		t.Error(err)
	}
}

// A connection that died while it lay idle costs nobody an answer; one that dies in the middle of a transaction is told of
// as what it is.
func TestADeadConnection(t *testing.T) {
	t.Parallel()
	ctx, db := context.Background(), tenanttest.OpenWith(t, &tenanttest.Clock{})
	o := tenanttest.Found(t, db, nil)
	const ask = `SELECT pg_backend_pid()`
	// All that the pools hold.
	idle := func() (pids []int) {
		var all sync.WaitGroup
		var mu sync.Mutex
		var meet sync.WaitGroup
		meet.Add(3)
		for range 3 {
			all.Go(func() {
				err := tenant.Do(ctx, db, o.Scope, func(tx *tenant.Tx) error {
					var pid int
					if err := tx.Get(ctx, &pid, ask); err != nil {
						return err // a connection that died before, and another is tried
					}
					mu.Lock()
					pids = append(pids, pid)
					mu.Unlock()
					meet.Done()
					meet.Wait() // each has a connection of its own
					return nil
				})
				if err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
		var pid int
		err := tenant.DoPlatform(ctx, db, func(tx *tenant.PlatformTx) error { return tx.Get(ctx, &pid, ask) })
		pids = append(pids, pid)
		if err != nil {
			t.Error(err)
		}
		return pids
	}
	id, pid := uuid.New(), 0
	for name, do := range map[string]func() error{
		"writing": func() error {
			return tenant.Do(ctx, db, o.Scope, func(tx *tenant.Tx) error { return note(ctx, tx, id) })
		},
		"reading": func() error {
			return tenant.Glance(ctx, db, o.Scope, func(tx *tenant.Tx) error { return tx.Get(ctx, &pid, ask) })
		},
		"asking nothing": func() error { return tenant.Do(ctx, db, o.Scope, func(*tenant.Tx) error { return nil }) },
		"on the platform": func() error {
			return tenant.DoPlatform(ctx, db, func(tx *tenant.PlatformTx) error { return tx.Get(ctx, &pid, ask) })
		},
	} {
		endBackends(t, idle()...)
		if err := do(); err != nil {
			t.Errorf("%s, after every connection died: %v", name, err)
		}
	}
	var kept int
	count := func(id uuid.UUID) int {
		t.Helper()
		tenanttest.Do(t, db, o, func(ctx context.Context, tx *tenant.Tx) error {
			return tx.Get(ctx, &kept, `SELECT count(*) FROM audit_log WHERE object_id = $1`, id)
		})
		return kept
	}
	if n := count(id); n != 1 {
		t.Errorf("it was written %d times", n)
	}
	id = uuid.New()
	err := tenant.Do(ctx, db, o.Scope, func(tx *tenant.Tx) error {
		if err := tx.Get(ctx, &pid, ask); err != nil {
			return err
		}
		if err := note(ctx, tx, id); err != nil {
			return err
		}
		endBackends(t, pid)
		return note(ctx, tx, id)
	})
	if !errors.Is(err, tenant.ErrUnavailable) || count(id) != 0 {
		t.Errorf("in the middle: %v, and %d were kept", err, kept)
	}
	err = tenant.Do(ctx, db, o.Scope, func(tx *tenant.Tx) error {
		err := tx.Get(ctx, &pid, ask)
		if err == nil {
			err = note(ctx, tx, id)
		}
		endBackends(t, pid)
		return err
	})
	if !errors.Is(err, tenant.ErrUnsure) || fault.KindOf(err) != fault.Unavailable {
		t.Errorf("at the end: %v", err)
	}
}

// pair is a server and the replica that each commit waits for.
type pair struct {
	*testing.T
	first       *postgres.Server
	config      tenant.Config
	replica     *exec.Cmd
	replicaPort int
}

func openPair(t *testing.T) *pair {
	t.Helper()
	dir, err := os.MkdirTemp("", "countinghouse-pair-")
	if err == nil {
		err = os.Chmod(dir, 0o711)
	}
	if err != nil {
		t.Fatal(err)
	}
	p := &pair{T: t}
	t.Cleanup(func() { p.end(dir) })
	ctx := context.Background()
	// Durable as far as the death of processes goes.
	p.first, err = postgres.Start(ctx, postgres.Options{Dir: filepath.Join(dir, "first"), Fast: true, Settings: map[string]string{"wal_level": "replica",
		"max_wal_senders": "4", "synchronous_commit": "on", "shared_buffers": "48MB", "max_connections": "60", "wal_sender_timeout": "5s"}})
	if err != nil {
		t.Fatal(err)
	}
	if p.config, err = (tenant.Config{Key: []byte("a key of 32 bytes for this pair!"), Compartments: 1}).OnCluster(p.first.URL()); err != nil {
		t.Fatal(err)
	}
	if err := tenant.Bootstrap(ctx, p.first.URL(), p.config); err != nil {
		t.Fatal(err)
	}
	if _, err := tenant.Migrate(ctx, p.config); err != nil {
		t.Fatal(err)
	}
	p.follow(filepath.Join(dir, "replica"))
	at, err := url.Parse(p.config.URL)
	if err != nil {
		t.Fatal(err)
	}
	at.Host = fmt.Sprintf("127.0.0.1:%d,%s", p.replicaPort, at.Host) // the one that takes no writes first
	p.config.URL = at.String()
	return p
}

func (p *pair) program(name string, args ...string) string {
	p.Helper()
	command := exec.Command(filepath.Join(p.first.BinDir(), name), args...)
	command.Dir = "/"
	said, err := command.CombinedOutput()
	if err != nil {
		p.Fatalf("%s: %v: %s", name, err, said)
	}
	return strings.TrimSpace(string(said))
}

// follow makes the replica, and has commits wait for it.
func (p *pair) follow(data string) {
	p.Helper()
	p.program("pg_basebackup", "-d", p.first.URL(), "-D", data, "-R", "--checkpoint=fast")
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		p.Fatal(err)
	}
	p.replicaPort = l.Addr().(*net.TCPAddr).Port
	if err := l.Close(); err != nil {
		p.Fatal(err)
	}
	p.replica = exec.Command(filepath.Join(p.first.BinDir(), "postgres"), "-D", data, "-c", "listen_addresses=127.0.0.1", "-c", "port="+strconv.Itoa(p.replicaPort),
		"-c", "unix_socket_directories=", "-c", "hot_standby=on", "-c", "max_connections=60", "-c", "shared_buffers=48MB", "-c", "fsync=off", "-c", "max_wal_senders=4")
	p.replica.Dir = "/"
	p.replica.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGQUIT}
	if os.Geteuid() == 0 {
		owner, err := os.Stat(p.first.Cluster())
		if err != nil {
			p.Fatal(err)
		}
		of := owner.Sys().(*syscall.Stat_t)
		p.replica.SysProcAttr.Credential = &syscall.Credential{Uid: of.Uid, Gid: of.Gid}
		if err := filepath.WalkDir(data, func(path string, _ os.DirEntry, err error) error {
			return errors.Join(err, os.Lchown(path, int(of.Uid), int(of.Gid)))
		}); err != nil {
			p.Fatal(err)
		}
	}
	if err := p.replica.Start(); err != nil {
		p.Fatal(err)
	}
	p.program("psql", "-XAtqc", "ALTER SYSTEM SET synchronous_standby_names = '*'", "-c", "SELECT pg_reload_conf()", p.first.URL())
	p.await("the replica follows", func() bool {
		return p.program("psql", "-XAtqc", "SELECT count(*) FROM pg_stat_replication WHERE sync_state = 'sync'", p.first.URL()) == "1"
	})
}

func (p *pair) await(what string, so func() bool) {
	p.Helper()
	again := time.NewTicker(20 * time.Millisecond)
	defer again.Stop()
	for deadline := time.Now().Add(time.Minute); !so(); <-again.C {
		if time.Now().After(deadline) {
			p.Fatalf("in a minute it did not come to it that %s", what)
		}
	}
}

// lose kills the first server, as its machine would die.
func (p *pair) lose() {
	p.Helper()
	text, err := os.ReadFile(filepath.Join(p.first.Cluster(), "postmaster.pid"))
	if err != nil {
		p.Fatal(err)
	}
	line, _, _ := strings.Cut(string(text), "\n")
	pid, err := strconv.Atoi(line)
	if err != nil {
		p.Fatal(err)
	}
	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
		p.Fatal(err)
	}
}

func (p *pair) promote() {
	p.Helper()
	second, err := url.Parse(p.first.URL())
	if err != nil {
		p.Fatal(err)
	}
	second.Host = fmt.Sprintf("127.0.0.1:%d", p.replicaPort)
	p.program("psql", "-XAtqc", "SELECT pg_promote()", second.String())
}

func (p *pair) end(dir string) {
	if p.replica != nil && p.replica.Process != nil {
		if err := p.replica.Process.Signal(syscall.SIGQUIT); err != nil {
			p.Error(err)
		}
		_ = p.replica.Wait() // it was told to end at once
	}
	if p.first != nil {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		if err := p.first.Stop(ctx); err != nil {
			p.Error(err)
		}
	}
	if err := os.RemoveAll(dir); err != nil {
		p.Error(err)
	}
}

// The first server dies under callers who write, its replica takes over, and nobody tells the service: it finds the other
// one, nothing that was acknowledged is lost, and until then everybody is told to come again.
func TestFailover(t *testing.T) {
	p := openPair(t) // not beside others: it sets passwords of a cluster of its own, but has the machine's cores
	ctx := context.Background()
	db, err := tenant.Open(ctx, p.config)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	}()
	o := tenanttest.Found(t, db, nil)
	var acknowledged sync.Map
	var before, refused, after atomic.Int64
	var promoted atomic.Bool
	var callers sync.WaitGroup
	for range 4 {
		callers.Go(func() {
			for after.Load() < 100 {
				id, late := uuid.New(), promoted.Load()
				err := tenant.Do(ctx, db, o.Scope, func(tx *tenant.Tx) error { return note(ctx, tx, id) })
				switch {
				case err == nil:
					acknowledged.Store(id.String(), true)
					before.Add(1)
					if late {
						after.Add(1)
					}
				case errors.Is(err, tenant.ErrUnavailable), errors.Is(err, tenant.ErrUnsure):
					if refused.Add(1); late {
						t.Errorf("after the replica took over: %v", err)
					}
					<-time.After(20 * time.Millisecond) // as they were told to come again
				default:
					t.Errorf("they are told %v", err)
					return
				}
			}
		})
	}
	p.await("callers write", func() bool { return before.Load() > 100 })
	p.lose()
	p.await("callers are refused", func() bool { return refused.Load() > 8 })
	if err := db.Reach(ctx); !errors.Is(err, tenant.ErrUnavailable) {
		t.Errorf("without a database it says %v", err)
	}
	began := time.Now()
	p.promote()
	promoted.Store(true)
	callers.Wait()
	t.Logf("%d writes before, %d refused, all well %v after the promotion", before.Load()-after.Load(), refused.Load(), time.Since(began).Round(time.Millisecond))

	var there []string
	tenanttest.Do(t, db, o, func(ctx context.Context, tx *tenant.Tx) error {
		return tx.Select(ctx, &there, `SELECT object_id::text FROM audit_log WHERE action = 'test.note'`)
	})
	kept := map[string]bool{}
	for _, id := range there {
		kept[id] = true
	}
	lost := 0
	acknowledged.Range(func(id, _ any) bool {
		if !kept[id.(string)] {
			lost++
		}
		return true
	})
	if lost > 0 || len(kept) != len(there) {
		t.Errorf("%d acknowledged writes are lost, %d of %d are there twice", lost, len(there)-len(kept), len(there))
	}
}
