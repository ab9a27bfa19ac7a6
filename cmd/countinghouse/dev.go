package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"time"

	"github.com/countinghouse/countinghouse/internal/jobs"
	"github.com/countinghouse/countinghouse/internal/notify"
	"github.com/countinghouse/countinghouse/internal/postgres"
	"github.com/countinghouse/countinghouse/tenant"
)

type devCommand struct {
	Data string `default:"data" type:"path" help:"The folder of the database and the keys."`
	Port int    `default:"8080" help:"Where the pages are: http://localhost:PORT."`
	Demo bool   `help:"With an organization that has a history to look at."`
	placeFlags
	cardFlags
	ownVault
	retentionFlags
	passwordFlags
}

// Run starts a private Postgres and the service on it, until it is interrupted.
func (d devCommand) Run(ctx context.Context) (err error) {
	began := time.Now()
	// First, so that a taken port is told before anything is started.
	listener, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", d.Port))
	if err != nil {
		return fmt.Errorf("port %d is taken: end what uses it, or choose another with --port (make run PORT=8081): %w", d.Port, err)
	}
	defer listener.Close()
	log := slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn}))
	cluster, err := startCluster(ctx, d.Data)
	if err != nil {
		return err
	}
	defer func() {
		stop, done := context.WithTimeout(context.WithoutCancel(ctx), 30*time.Second)
		defer done()
		err = errors.Join(err, cluster.Stop(stop))
	}()
	outbox := &notify.Outbox{}
	p := parts{kept: d.retentionFlags, mail: outbox, outbox: outbox, texts: outbox, voice: true, origin: fmt.Sprintf("http://localhost:%d", d.Port), log: log}
	if p.places, err = d.placeFlags.database(); err != nil {
		return err
	}
	if p.key, p.database, err = clusterConfig(d.Data, cluster.URL()); err != nil {
		return err
	}
	if p.refused, err = d.passwordFlags.refused(); err != nil {
		return err
	}
	keyring, stopVault, err := d.open(ctx, d.Data)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, stopVault()) }()
	p.keyring = keyring
	practice, stopPractice, err := startPractice(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, stopPractice()) }()
	p.practice = practice
	if p.cardNumbers, err = d.accepted(); err != nil {
		return err
	}
	forget, err := noteURL(d.Data, p.database)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, forget()) }()
	if err := tenant.Bootstrap(ctx, cluster.URL(), p.database); err != nil {
		return err
	}
	if _, err := tenant.Migrate(ctx, p.database); err != nil {
		return err
	}
	db, people, server, err := p.assemble(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	if d.Demo {
		if err := makeDemo(ctx, db, people, outbox, p.origin); err != nil {
			return fmt.Errorf("making the demo: %w", err)
		}
	}
	fmt.Printf("\nCountinghouse is ready after %.1f s.\n\n  Open  %s\n  Mail  %s/dev/outbox\n  Cards %s\n", time.Since(began).Seconds(), p.origin, p.origin, practice.Address)
	if d.Demo {
		fmt.Printf("\n  Sign in as %s with the password: %s\n", demoEmail, demoPassword)
	}
	fmt.Print(d.say())
	fmt.Printf("\nIts database and keys are in %s. Ctrl-C stops it.\n", d.Data)
	work, err := p.worker(db, server.Desk, jobs.Options{Finish: 3 * time.Second})
	if err != nil {
		return err
	}
	watched, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	go func() {
		if died, open := <-cluster.Done(); open {
			cancel(fmt.Errorf("the database ended by itself: %w", died))
		}
	}()
	if err := serve(watched, db, server, listener, log, work); err != nil {
		return err
	}
	if cause := context.Cause(watched); cause != nil && ctx.Err() == nil {
		return cause
	}
	fmt.Println("\nStopped.")
	return nil
}

// startCluster runs the private Postgres of a data folder. What the server prints goes to a file there.
func startCluster(ctx context.Context, data string) (*postgres.Server, error) {
	// Others must be able to pass through: as root, the server runs as a user of its own.
	if err := os.MkdirAll(data, 0o755); err != nil {
		return nil, fmt.Errorf("making the data folder: %w", err)
	}
	log, err := os.OpenFile(filepath.Join(data, "postgres.log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, fmt.Errorf("opening the database's log: %w", err)
	}
	server, err := postgres.Start(ctx, postgres.Options{Dir: filepath.Join(data, "postgres"), Log: log})
	if err != nil {
		return nil, errors.Join(err, log.Close())
	}
	return server, nil // which writes to the log for as long as it runs
}

// clusterConfig says how to enter the database of a data folder.
func clusterConfig(data, superuserURL string) (key []byte, config tenant.Config, err error) {
	if key, err = keepKey(filepath.Join(data, "keys", "service.key")); err != nil {
		return nil, config, err
	}
	if config.Key, err = derive(key, "database logins"); err != nil {
		return nil, config, err
	}
	config, err = config.OnCluster(superuserURL)
	return key, config, err
}
