package main

import (
	"context"
	"fmt"

	"github.com/countinghouse/countinghouse/tenant"
)

// databaseFlags say which database, for everything but dev.
type databaseFlags struct {
	DatabaseURL string `env:"COUNTINGHOUSE_DATABASE_URL" required:"" placeholder:"URL" help:"The database, entered as its owner: postgres://countinghouse_owner:...@host/countinghouse?sslmode=verify-full."`
	KeyFile     string `env:"COUNTINGHOUSE_KEY_FILE" required:"" type:"path" placeholder:"FILE" help:"The service's key: 64 hex digits. Keep it as long as the database."`
}

func (f databaseFlags) config() (key []byte, config tenant.Config, err error) {
	if key, err = loadKey(f.KeyFile); err != nil {
		return nil, config, err
	}
	config.URL = f.DatabaseURL
	config.Key, err = derive(key, "database logins")
	return key, config, err
}

type migrateCommand struct {
	databaseFlags
}

// Run migrates and says what it did.
func (m migrateCommand) Run(ctx context.Context) error {
	_, config, err := m.config()
	if err != nil {
		return err
	}
	done, err := tenant.Migrate(ctx, config)
	if err != nil {
		return err
	}
	_, err = fmt.Printf("Applied %d migrations of the platform and brought %d organizations forward.\n", done.Platform, done.Tenants)
	return err
}
