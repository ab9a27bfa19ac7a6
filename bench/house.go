package main

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"time"

	"github.com/countinghouse/countinghouse/authz"
	"github.com/countinghouse/countinghouse/identity"
	"github.com/countinghouse/countinghouse/internal/postgres"
	"github.com/countinghouse/countinghouse/tenant"
	"github.com/countinghouse/countinghouse/web"

	"github.com/lib/pq"
)

// origin is where the service believes that it is; callers send its host.
const (
	origin     = "http://books.example"
	originHost = "books.example"
)

// house is a database of our own with organizations in it, and what is needed to run the service on it.
type house struct {
	plan
	dir     string
	cluster *postgres.Server
	log     *serverLog
	config  tenant.Config
	db      *tenant.DB
	super   *sql.DB // the superuser's, in the service's database
	tenants []organization
}

// openHouse starts a private Postgres, durable unless the plan says otherwise, and fills it.
func openHouse(ctx context.Context, p plan) (_ *house, err error) {
	h := &house{plan: p, log: newServerLog(os.Stderr)}
	defer func() {
		if err != nil {
			err = errors.Join(err, h.close())
		}
	}()
	if h.dir, err = os.MkdirTemp("", "countinghouse-bench-"); err != nil {
		return nil, fmt.Errorf("making a folder: %w", err)
	}
	// The server may run as another user, who must be able to pass through.
	if err := os.Chmod(h.dir, 0o711); err != nil {
		return nil, fmt.Errorf("opening the folder to the server: %w", err)
	}
	h.cluster, err = postgres.Start(ctx, postgres.Options{
		Dir: filepath.Join(h.dir, "postgres"), Fast: p.fast, Log: h.log,
		Settings: map[string]string{"log_line_prefix": logPrefix},
	})
	if err != nil {
		return nil, err
	}
	if err := h.migrate(ctx); err != nil {
		return nil, err
	}
	if h.db, err = tenant.Open(ctx, h.config); err != nil {
		return nil, err
	}
	return h, h.populate(ctx)
}

func (h *house) migrate(ctx context.Context) (err error) {
	if h.config, err = tenant.ScratchConfig(h.cluster.URL()); err != nil {
		return err
	}
	h.config.Compartments, h.config.Connections = 2, h.connections // over which the organizations are spread
	if err := tenant.Bootstrap(ctx, h.cluster.URL(), h.config); err != nil {
		return err
	}
	if _, err := tenant.Migrate(ctx, h.config); err != nil {
		return err
	}
	address, err := h.superURL(nil)
	if err != nil {
		return err
	}
	if h.super, err = sql.Open("postgres", address); err != nil {
		return fmt.Errorf("entering as superuser: %w", err)
	}
	return nil
}

// superURL is the superuser's way into the service's database, with run-time settings.
func (h *house) superURL(settings map[string]string) (string, error) {
	u, err := url.Parse(h.cluster.URL())
	if err != nil {
		return "", fmt.Errorf("reading the cluster's address: %w", err)
	}
	service, err := url.Parse(h.config.URL)
	if err != nil {
		return "", fmt.Errorf("reading the database's address: %w", err)
	}
	u.Path = service.Path
	q := u.Query()
	for name, value := range settings {
		q.Set(name, value)
	}
	u.RawQuery = q.Encode()
	return u.String(), nil
}

// newServer wires the service as cmd does, with a log that goes nowhere.
func (h *house) newServer(db *tenant.DB) (*web.Server, error) {
	nobody := identity.MailerFunc(func(context.Context, identity.Mail) error { return nil })
	people, err := identity.New(db, nobody, identity.Options{Origin: origin})
	if err != nil {
		return nil, err
	}
	policy, err := authz.Compile()
	if err != nil {
		return nil, err
	}
	return web.New(web.Config{
		DB: db, Identity: people, Policy: policy, Log: slog.New(slog.NewJSONHandler(io.Discard, nil)),
		Origin: origin, Key: bytes.Repeat([]byte("k"), 32), Version: "bench",
	})
}

func (h *house) close() error {
	h.log.mute() // connections that are cut off now
	var all error
	if h.db != nil {
		all = errors.Join(all, h.db.Close())
	}
	if h.super != nil {
		all = errors.Join(all, h.super.Close())
	}
	if h.cluster != nil {
		ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
		defer cancel()
		all = errors.Join(all, h.cluster.Stop(ctx))
		// With a closed temporary folder the server's files lie elsewhere, in a folder of their own.
		if home := filepath.Dir(h.cluster.Cluster()); home != filepath.Join(h.dir, "postgres") {
			all = errors.Join(all, os.RemoveAll(home))
		}
	}
	if h.dir != "" {
		all = errors.Join(all, os.RemoveAll(h.dir))
	}
	return all
}

// bareLogin may do what any organization's role may, without entering it: for the measures without tenancy.
const bareLogin = "bench_bare"

// makeBareLogin makes the login and gives its password.
func (h *house) makeBareLogin(ctx context.Context) (password string, err error) {
	password = newText()
	statements := []string{
		"CREATE ROLE " + bareLogin + " LOGIN INHERIT PASSWORD " + pq.QuoteLiteral(password),
		"GRANT CONNECT ON DATABASE " + pq.QuoteIdentifier(h.databaseName()) + " TO " + bareLogin,
		"GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA platform TO " + bareLogin,
	}
	for _, o := range h.tenants {
		statements = append(statements, "GRANT "+pq.QuoteIdentifier(o.schema)+" TO "+bareLogin)
	}
	for _, statement := range statements {
		if _, err := h.super.ExecContext(ctx, statement); err != nil {
			return "", fmt.Errorf("making a login without tenancy: %w", err)
		}
	}
	return password, nil
}

func (h *house) databaseName() string {
	u, err := url.Parse(h.config.URL)
	if err != nil {
		return ""
	}
	return u.Path[1:]
}
