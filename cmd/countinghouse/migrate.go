package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/url"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/countinghouse/countinghouse/tenant"
)

// databaseFlags say which database, for everything but dev.
type databaseFlags struct {
	DatabaseURL string `env:"COUNTINGHOUSE_DATABASE_URL" required:"" placeholder:"URL" help:"The database, entered as its owner: postgres://countinghouse_owner:...@host/countinghouse?sslmode=verify-full."`
	KeyFile     string `env:"COUNTINGHOUSE_KEY_FILE" required:"" type:"path" placeholder:"FILE" help:"The service's key: 64 hex digits. Keep it as long as the database."`
	Pooler      string `name:"database-pooler" env:"COUNTINGHOUSE_DATABASE_POOLER" placeholder:"HOST:PORT" help:"A PgBouncer in transaction mode that requests go through. The database's own address stays in --database-url."`
	Connections int    `env:"COUNTINGHOUSE_CONNECTIONS" default:"8" help:"How many connections this process opens to each compartment. One for every fifty organizations that are at work at the same time is good."`
	Citus       bool   `name:"database-citus" env:"COUNTINGHOUSE_DATABASE_CITUS" help:"The database is the coordinator of a Citus cluster: new organizations are spread over its nodes. docs/operators.md says how the cluster is set up."`
}

func (f databaseFlags) config() (key []byte, config tenant.Config, err error) {
	if key, err = loadKey(f.KeyFile); err != nil {
		return nil, config, wrong("key-file", err)
	}
	if u, err := url.Parse(f.DatabaseURL); err != nil || u.Host == "" || u.Scheme != "postgres" && u.Scheme != "postgresql" {
		// The address is not told back: it may hold a password.
		return nil, config, wrong("database-url", errors.New("it is not of the form postgres://countinghouse_owner:...@host/countinghouse?sslmode=verify-full"))
	}
	if f.Pooler != "" {
		if _, port, err := net.SplitHostPort(f.Pooler); err != nil || port == "" {
			return nil, config, wrong("database-pooler", fmt.Errorf("%q is not of the form host:6432", f.Pooler))
		}
	}
	if f.Connections < 0 || f.Connections > 1000 { // 0, of commands that do not ask, is the usual number
		return nil, config, wrong("connections", errors.New("give 1 to 1000"))
	}
	config.URL, config.Pooler, config.Connections, config.Citus = f.DatabaseURL, f.Pooler, f.Connections, f.Citus
	config.Key, err = derive(key, "database logins")
	return key, config, err
}

type migrateCommand struct {
	databaseFlags
	Plan        bool          `help:"Say who is behind and by what, and change nothing."`
	JSON        bool          `name:"json" help:"Say it in lines of JSON."`
	Canaries    int           `default:"3" help:"How many go first; if one of them fails, no other is touched."`
	Parallel    int           `default:"1" help:"How many at once in each compartment."`
	StopAt      int           `default:"5" help:"How many percent of a wave may fail before the rest is left alone."`
	LockTimeout time.Duration `default:"2s" help:"For how long a migration may hold up requests before it steps back and tries again."`
}

// Run migrates and says what it did. Whoever fails stays on their version and is named; then the command fails too.
func (m migrateCommand) Run(ctx context.Context) error {
	if m.Canaries < 1 || m.Parallel < 1 || m.Parallel > 16 || m.StopAt < 1 || m.StopAt > 100 || m.LockTimeout < 10*time.Millisecond {
		return errors.New("--canaries is 1 or more, --parallel 1 to 16, --stop-at 1 to 100 and --lock-timeout 10ms or more")
	}
	_, config, err := m.config()
	if err != nil {
		return err
	}
	fleet := tenant.Fleet{Canaries: m.Canaries, Parallel: m.Parallel, StopAt: m.StopAt, LockTimeout: m.LockTimeout, Tell: m.tell(os.Stdout)}
	if m.Plan {
		return m.plan(ctx, config, fleet, os.Stdout)
	}
	done, err := tenant.MigrateFleet(ctx, config, fleet)
	if told := m.sum(os.Stdout, done); told != nil {
		return errors.Join(err, told)
	}
	if err == nil && len(done.Failed) > 0 {
		err = errors.New("some organizations could not be migrated; they stay on their version, which is still served: mend the cause and run this again")
	}
	return err
}

// plan lists who is behind by what they lack.
func (m migrateCommand) plan(ctx context.Context, config tenant.Config, fleet tenant.Fleet, out io.Writer) error {
	behind, err := tenant.WhoIsBehind(ctx, config, fleet)
	if tenant.SQLState(err) == "42P01" {
		_, err = fmt.Fprintln(out, "The database is empty: everything is to be made.")
		return err
	} else if err != nil {
		return err
	}
	if m.JSON {
		return json.NewEncoder(out).Encode(map[string]any{"behind": behind})
	}
	lacking := map[string]int{}
	for _, b := range behind {
		lacking[strings.Trim(fmt.Sprint(b.Missing), "[]")]++
	}
	if _, err := fmt.Fprintf(out, "%d organizations and ready schemas are behind.\n", len(behind)); err != nil {
		return err
	}
	for _, versions := range slices.Sorted(maps.Keys(lacking)) {
		if _, err := fmt.Fprintf(out, "%6d lack %s\n", lacking[versions], versions); err != nil {
			return err
		}
	}
	return nil
}

// tell shows how far it is: a bar for a person at a terminal, lines of JSON for a program, failures for everybody.
func (m migrateCommand) tell(out *os.File) func(tenant.Progress) {
	if m.JSON {
		lines := json.NewEncoder(out)
		return func(p tenant.Progress) {
			if err := lines.Encode(p); err != nil {
				fmt.Fprintln(os.Stderr, "countinghouse: telling of the progress:", err)
			}
		}
	}
	info, err := out.Stat()
	terminal := err == nil && info.Mode()&os.ModeCharDevice != 0
	return func(p tenant.Progress) {
		if p.Failure != nil {
			fmt.Fprintf(out, "\rSchema %s stays behind: %s\n", p.Failure.Schema, p.Failure.Reason)
		}
		if terminal {
			filled := (p.Done + p.Failed) * 40 / p.Total
			fmt.Fprintf(out, "\r[%s%s] %d of %d, %d failed", strings.Repeat("#", filled), strings.Repeat(".", 40-filled), p.Done, p.Total, p.Failed)
			if p.Done+p.Failed == p.Total {
				fmt.Fprintln(out)
			}
		}
	}
}

func (m migrateCommand) sum(out io.Writer, done tenant.Migrated) error {
	if m.JSON {
		return json.NewEncoder(out).Encode(map[string]int{"platform": done.Platform, "migrated": done.Tenants, "failed": len(done.Failed)})
	}
	_, err := fmt.Fprintf(out, "Applied %d migrations of the platform and brought %d organizations and ready schemas forward; %d failed.\n",
		done.Platform, done.Tenants, len(done.Failed))
	return err
}
