package tenant_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/countinghouse/countinghouse/tenant"
	"github.com/countinghouse/countinghouse/tenant/tenanttest"
)

// startPooler runs PgBouncer in transaction mode before the tests' database, with two connections for each login, and gives its
// address.
func startPooler(t *testing.T) string {
	t.Helper()
	program, err := exec.LookPath("pgbouncer")
	if err != nil {
		t.Fatalf("install pgbouncer (Debian's package has that name): %v", err)
	}
	logins, err := tenant.PooledLogins(t.Context(), tenanttest.Config())
	if err != nil {
		t.Fatal(err)
	}
	var users bytes.Buffer
	for _, l := range logins {
		fmt.Fprintf(&users, "%q %q\n", l.Name, l.Password)
	}
	at, err := url.Parse(tenanttest.Config().URL)
	if err != nil {
		t.Fatal(err)
	}
	host, port := at.Hostname(), at.Port()
	if inside := at.Query().Get("host"); inside != "" {
		host = inside
	}
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := free.Addr().(*net.TCPAddr)
	if err := free.Close(); err != nil {
		t.Fatal(err)
	}
	dir, err := os.MkdirTemp("", "countinghouse-pooler-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	ini := fmt.Sprintf("[databases]\n* = host=%s port=%s\n[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = %d\nunix_socket_dir =\npool_mode = transaction\n"+
		"auth_type = scram-sha-256\nauth_file = %s\nignore_startup_parameters = extra_float_digits\ndefault_pool_size = 2\nmax_client_conn = 500\n",
		host, port, address.Port, filepath.Join(dir, "users"))
	arguments := []string{filepath.Join(dir, "ini")}
	if os.Geteuid() == 0 { // it refuses to be root
		arguments = append([]string{"-u", "nobody"}, arguments...)
	}
	err = errors.Join(os.WriteFile(filepath.Join(dir, "ini"), []byte(ini), 0o644), os.WriteFile(filepath.Join(dir, "users"), users.Bytes(), 0o644), os.Chmod(dir, 0o755))
	if err != nil {
		t.Fatal(err)
	}
	var said bytes.Buffer
	c := exec.Command(program, arguments...)
	c.Stderr = &said
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- c.Wait() }()
	t.Cleanup(func() {
		_ = c.Process.Kill() // it may have ended by itself, which the next line tells too
		<-ended
		if t.Failed() {
			t.Logf("pgbouncer said\n%s", said.String())
		}
	})
	for wait := time.NewTicker(20 * time.Millisecond); ; <-wait.C {
		conn, err := net.DialTimeout("tcp", address.String(), time.Second)
		if err == nil {
			if err := conn.Close(); err != nil {
				t.Fatal(err)
			}
			return address.String()
		}
		select {
		case err := <-ended:
			ended <- err
			t.Fatalf("pgbouncer ended: %v", err)
		case <-t.Context().Done():
			t.Fatal(t.Context().Err())
		default:
		}
	}
}

// Many callers of several organizations share two connections of a pooler in transaction mode: calls that commit, fail, are cut off
// and read alone. Nobody ever finds another's role, path or rows, nor does who works for the platform.
func TestBehindPooler(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	config := tenanttest.Config()
	config.Pooler, config.Connections = startPooler(t), 12
	db, err := tenant.Open(ctx, config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	type member struct {
		tenanttest.Organization
		name string
	}
	var all []member
	for range 6 {
		name := "Org " + tenanttest.Random(8)
		all = append(all, member{tenanttest.Found(t, db, func(ctx context.Context, tx *tenant.Tx) error {
			_, err := tx.Exec(ctx, `INSERT INTO settings (name, base_currency, time_zone, country) VALUES ($1, 'EUR', 'UTC', 'FI')`, name)
			return err
		}), name})
	}
	var served, cut atomic.Int64
	var callers sync.WaitGroup
	for range 16 {
		callers.Go(func() {
			for range 60 {
				m := all[rand.IntN(len(all))]
				ctx, cancel := context.WithCancel(ctx)
				way := rand.IntN(6)
				if way == 5 {
					time.AfterFunc(time.Duration(rand.IntN(3000))*time.Microsecond, cancel)
				}
				err := callThrough(ctx, db, m.Session, m.Slug, m.name, way)
				cancel()
				switch {
				case err == nil:
					served.Add(1)
				case way == 5 && (errors.Is(err, context.Canceled) || errors.Is(err, tenant.ErrUnavailable)):
					cut.Add(1)
				default:
					t.Error(err)
				}
			}
		})
	}
	callers.Wait()
	if served.Load() < 16*60*2/3 || cut.Load() == 0 {
		t.Errorf("%d calls were served, %d cut off", served.Load(), cut.Load())
	}
}

var errUndo = errors.New("undo this")

func callThrough(ctx context.Context, db *tenant.DB, session tenant.Hash, slug, name string, way int) error {
	var seen struct{ Name, Path, Role, Schema string }
	const look = `SELECT s.name, current_setting('search_path') AS path, current_setting('role') AS role, current_schema() AS schema FROM settings s`
	if way == 4 { // for the platform
		var at struct{ Path, Role string }
		err := tenant.DoPlatform(ctx, db, func(tx *tenant.PlatformTx) error {
			return tx.Get(ctx, &at, `SELECT current_setting('search_path') AS path, current_setting('role') AS role`)
		})
		if err == nil && (at.Role != "none" || at.Path != `""`) {
			return fmt.Errorf("the platform's own connection has role %s and path %s", at.Role, at.Path)
		}
		return err
	}
	scope, err := tenant.EnterMember(ctx, db, session, slug)
	if err != nil {
		return err
	}
	run := tenant.Do
	if way == 1 {
		run = tenant.Glance
	}
	err = run(ctx, db, scope, func(tx *tenant.Tx) error {
		if way == 2 {
			if _, err := tx.Exec(ctx, `UPDATE settings SET city = 'Turku'`); err != nil {
				return err
			}
		}
		if err := tx.Get(ctx, &seen, look); err != nil {
			return err
		}
		if way == 3 {
			return errUndo
		}
		return nil
	})
	if err != nil && !errors.Is(err, errUndo) {
		return err
	}
	if seen.Name != name || seen.Role != seen.Schema || seen.Path != seen.Schema+", pg_temp" {
		return fmt.Errorf("%s sees %+v", name, seen)
	}
	return nil
}
