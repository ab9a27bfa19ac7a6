package tenant

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"github.com/jmoiron/sqlx"
	"github.com/lib/pq"
	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/database"

	"github.com/countinghouse/countinghouse/migrations"
)

// Bootstrap makes, as a superuser, the owner role and the database that config names, unless they are there.
// It is for clusters of our own; where an operator gives a database, its owner was made by them.
func Bootstrap(ctx context.Context, superuserURL string, config Config) (err error) {
	super, err := sqlx.ConnectContext(ctx, "postgres", superuserURL)
	if err != nil {
		return fmt.Errorf("entering the cluster as superuser: %w", err)
	}
	defer func() { err = errors.Join(err, super.Close()) }()
	if err := ensureLogin(ctx, super, ownerLogin, "CREATEROLE", config); err != nil {
		return err
	}
	var there bool
	if err := super.GetContext(ctx, &there, `SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1)`, databaseName); err != nil || there {
		return err
	}
	for _, statement := range []string{
		"CREATE DATABASE " + databaseName + " OWNER " + ownerLogin,
		"REVOKE ALL ON DATABASE " + databaseName + " FROM PUBLIC",
	} {
		if _, err := super.ExecContext(ctx, statement); err != nil {
			return fmt.Errorf("making the database: %w", err)
		}
	}
	return nil
}

// ensureLogin makes a login role or gives it today's password.
func ensureLogin(ctx context.Context, db sqlx.ExtContext, login, options string, config Config) error {
	var there bool
	if err := sqlx.GetContext(ctx, db, &there, `SELECT EXISTS (SELECT FROM pg_roles WHERE rolname = $1)`, login); err != nil {
		return fmt.Errorf("looking for login %s: %w", login, err)
	}
	verb := "CREATE"
	if there {
		verb = "ALTER"
	}
	statement := verb + " ROLE " + pq.QuoteIdentifier(login) + " LOGIN NOINHERIT " + options +
		" PASSWORD " + pq.QuoteLiteral(config.password(login))
	if _, err := db.ExecContext(ctx, statement); err != nil {
		return fmt.Errorf("making login %s: %w", login, err)
	}
	return nil
}

// Migrated is what Migrate did.
type Migrated struct {
	Platform int // migrations of the platform
	Tenants  int // organizations and ready schemas brought forward
}

// Migrate brings the platform, the logins and compartments, and then every tenant to this binary's version.
// It may be run again after any interruption.
func Migrate(ctx context.Context, config Config) (done Migrated, err error) {
	config = config.withDefaults()
	owner, err := openPool(config, ownerLogin, 4, nil)
	if err != nil {
		return done, err
	}
	defer func() { err = errors.Join(err, owner.Close()) }()
	if err := owner.PingContext(ctx); err != nil {
		return done, fmt.Errorf("entering the database as its owner: %w", err)
	}
	if err := prepareDatabase(ctx, owner, config); err != nil {
		return done, err
	}
	if done.Platform, err = up(ctx, owner.DB, migrations.Platform(), "platform"); err != nil {
		return done, err
	}
	if err := ensureCompartments(ctx, owner, config); err != nil {
		return done, err
	}
	done.Tenants, err = migrateTenants(ctx, owner, config)
	return done, err
}

func prepareDatabase(ctx context.Context, owner *sqlx.DB, config Config) error {
	for _, login := range []string{appLogin, workLogin} {
		if err := ensureLogin(ctx, owner, login, "", config); err != nil {
			return err
		}
	}
	var name string
	if err := owner.GetContext(ctx, &name, `SELECT current_database()`); err != nil {
		return fmt.Errorf("asking the database's name: %w", err)
	}
	for _, statement := range []string{
		"CREATE SCHEMA IF NOT EXISTS platform",
		"REVOKE ALL ON DATABASE " + pq.QuoteIdentifier(name) + " FROM PUBLIC", // no TEMP, no CONNECT
		"GRANT CONNECT ON DATABASE " + pq.QuoteIdentifier(name) + " TO " + appLogin + ", " + workLogin,
	} {
		if _, err := owner.ExecContext(ctx, statement); err != nil {
			return fmt.Errorf("preparing the database: %w", err)
		}
	}
	return nil
}

// ensureCompartments makes the logins that organizations are spread over.
func ensureCompartments(ctx context.Context, owner *sqlx.DB, config Config) error {
	var name string
	if err := owner.GetContext(ctx, &name, `SELECT current_database()`); err != nil {
		return fmt.Errorf("asking the database's name: %w", err)
	}
	for n := 1; n <= config.Compartments; n++ {
		login := compartmentLogin(n)
		if err := ensureLogin(ctx, owner, login, "", config); err != nil {
			return err
		}
		for _, statement := range []string{
			"GRANT EXECUTE ON FUNCTION platform.job_alive TO " + login,
			"GRANT CONNECT ON DATABASE " + pq.QuoteIdentifier(name) + " TO " + login,
			"GRANT EXECUTE ON FUNCTION platform.session_alive, platform.token_alive, platform.organization_alive, platform.self_alive, platform.support_alive, platform.door_alive, platform.invitation_alive, platform.claim_organization TO " + login,
		} {
			if _, err := owner.ExecContext(ctx, statement); err != nil {
				return fmt.Errorf("opening compartment %s: %w", login, err)
			}
		}
		_, err := owner.ExecContext(ctx, `INSERT INTO platform.compartment (id, login) VALUES ($1, $2) ON CONFLICT (id) DO NOTHING`, n, login)
		if err != nil {
			return fmt.Errorf("noting compartment %s: %w", login, err)
		}
	}
	return nil
}

// migrateTenants asks once who is behind, and brings those forward.
func migrateTenants(ctx context.Context, owner *sqlx.DB, config Config) (int, error) {
	versions, err := tenantVersions()
	if err != nil {
		return 0, err
	}
	var behind []string
	err = owner.SelectContext(ctx, &behind, `
		SELECT o.schema_name FROM platform.organization o
		 WHERE o.state::text <> 'gone' AND NOT EXISTS (SELECT FROM platform.schema_version v WHERE v.schema_name = o.schema_name AND v.version = $1)
		 ORDER BY o.state::text = 'ready', o.id`, versions[len(versions)-1])
	if err != nil {
		return 0, fmt.Errorf("asking which organizations are behind: %w", err)
	}
	for i, schema := range behind {
		if err := migrateTenant(ctx, config, schema); err != nil {
			return i, fmt.Errorf("migrating schema %s: %w", schema, err)
		}
	}
	return len(behind), nil
}

func migrateTenant(ctx context.Context, config Config, schema string) (err error) {
	address, err := config.loginURL(ownerLogin, map[string]string{"search_path": schema + ",pg_temp"})
	if err != nil {
		return err
	}
	db, err := sql.Open("postgres", address)
	if err != nil {
		return fmt.Errorf("entering as the owner: %w", err)
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	// goose takes a schema without version 0 for one whose history was lost.
	_, err = db.ExecContext(ctx, `INSERT INTO platform.schema_version (schema_name, version, applied_at)
		VALUES ($1, 0, now()) ON CONFLICT DO NOTHING`, schema)
	if err != nil {
		return fmt.Errorf("beginning the history of a schema: %w", err)
	}
	_, err = up(ctx, db, migrations.Tenant(), schema)
	return err
}

// up applies what is missing; each migration and its version row are one transaction.
func up(ctx context.Context, db *sql.DB, files fs.FS, schema string) (int, error) {
	provider, err := goose.NewProvider(database.DialectCustom, db, files, goose.WithStore(versionStore{schema}),
		goose.WithDisableGlobalRegistry(true))
	if err != nil {
		return 0, fmt.Errorf("reading the migrations: %w", err)
	}
	results, err := provider.Up(ctx)
	if err != nil {
		return len(results), fmt.Errorf("migrating: %w", err)
	}
	return len(results), nil
}

// tenantVersions lists the versions that a tenant of this binary has, lowest first.
func tenantVersions() ([]int64, error) {
	names, err := fs.Glob(migrations.Tenant(), "*.sql")
	if err != nil {
		return nil, fmt.Errorf("listing the migrations: %w", err)
	}
	versions := []int64{0} // goose notes this one before the first
	for _, name := range names {
		version, err := goose.NumericComponent(name)
		if err != nil {
			return nil, fmt.Errorf("reading the version of %s: %w", name, err)
		}
		versions = append(versions, version)
	}
	return versions, nil
}

// versionStore keeps the versions of all schemas in one table of the database, so that who is behind is one
// query, and a version is written in the migration's own transaction.
type versionStore struct{ schema string }

var _ database.Store = versionStore{}

func (versionStore) Tablename() string { return "platform.schema_version" }

// TableExists spares goose from finding out by a failed query.
func (versionStore) TableExists(ctx context.Context, db database.DBTxConn) (there bool, err error) {
	err = db.QueryRowContext(ctx, `SELECT to_regclass('platform.schema_version') IS NOT NULL`).Scan(&there)
	return there, err
}

func (versionStore) CreateVersionTable(ctx context.Context, db database.DBTxConn) error {
	_, err := db.ExecContext(ctx, `CREATE TABLE platform.schema_version (
		schema_name varchar(63) NOT NULL,
		version     bigint NOT NULL,
		applied_at  timestamptz NOT NULL,
		PRIMARY KEY (schema_name, version))`)
	return err
}

func (s versionStore) Insert(ctx context.Context, db database.DBTxConn, r database.InsertRequest) error {
	_, err := db.ExecContext(ctx, `INSERT INTO platform.schema_version (schema_name, version, applied_at) VALUES ($1, $2, now())`,
		s.schema, r.Version)
	return err
}

func (s versionStore) Delete(ctx context.Context, db database.DBTxConn, version int64) error {
	_, err := db.ExecContext(ctx, `DELETE FROM platform.schema_version WHERE schema_name = $1 AND version = $2`, s.schema, version)
	return err
}

func (s versionStore) GetMigration(ctx context.Context, db database.DBTxConn, version int64) (*database.GetMigrationResult, error) {
	var at time.Time
	err := db.QueryRowContext(ctx, `SELECT applied_at FROM platform.schema_version WHERE schema_name = $1 AND version = $2`,
		s.schema, version).Scan(&at)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, database.ErrVersionNotFound
	} else if err != nil {
		return nil, err
	}
	return &database.GetMigrationResult{Timestamp: at, IsApplied: true}, nil
}

func (s versionStore) GetLatestVersion(ctx context.Context, db database.DBTxConn) (int64, error) {
	var latest sql.NullInt64
	err := db.QueryRowContext(ctx, `SELECT max(version) FROM platform.schema_version WHERE schema_name = $1`, s.schema).Scan(&latest)
	if err != nil {
		return 0, err
	}
	if !latest.Valid {
		return 0, database.ErrVersionNotFound
	}
	return latest.Int64, nil
}

func (s versionStore) ListMigrations(ctx context.Context, db database.DBTxConn) ([]*database.ListMigrationsResult, error) {
	rows, err := db.QueryContext(ctx, `SELECT version FROM platform.schema_version WHERE schema_name = $1 ORDER BY version DESC`, s.schema)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	list := []*database.ListMigrationsResult{}
	for rows.Next() {
		r := &database.ListMigrationsResult{IsApplied: true}
		if err := rows.Scan(&r.Version); err != nil {
			return nil, err
		}
		list = append(list, r)
	}
	return list, rows.Err()
}
