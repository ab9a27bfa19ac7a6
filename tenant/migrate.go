package tenant

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"slices"
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
	if login == ownerLogin {
		return nil
	}
	// Outside a tenant nothing is found by its bare name.
	if _, err := db.ExecContext(ctx, "ALTER ROLE "+pq.QuoteIdentifier(login)+" SET search_path = ''"); err != nil {
		return fmt.Errorf("making login %s: %w", login, err)
	}
	return nil
}

// Migrated is what a migration did.
type Migrated struct {
	Platform int // migrations of the platform
	Tenants  int // organizations and ready schemas brought forward
	Failed   []Failure
}

// Migrate brings the platform, the logins and compartments, and then every tenant to this binary's version, and
// takes one tenant that fails for a failure. It may be run again after any interruption.
func Migrate(ctx context.Context, config Config) (Migrated, error) {
	done, err := MigrateFleet(ctx, config, Fleet{})
	if err == nil && len(done.Failed) > 0 {
		err = fmt.Errorf("%d organizations could not be migrated, %s first: %s", len(done.Failed), done.Failed[0].Schema, done.Failed[0].Reason)
	}
	return done, err
}

// MigrateFleet is Migrate for many: a tenant that fails is left on its version, which is still served, and is told of in
// Failed; too many of them end it with ErrFleetStopped. Two that run at once do so one after the other. The address in
// config must lead to the database itself: a pooler would lose the lock that sees to that.
func MigrateFleet(ctx context.Context, config Config, fleet Fleet) (done Migrated, err error) {
	config, fleet = config.withDefaults(), fleet.withDefaults()
	owner, err := openPool(config, ownerLogin, config.Compartments*fleet.Parallel+2, nil)
	if err != nil {
		return done, err
	}
	defer func() { err = errors.Join(err, owner.Close()) }()
	if err := checkCitus(ctx, config, owner); err != nil {
		return done, err
	}
	turn, err := owner.Connx(ctx)
	if err != nil {
		return done, fmt.Errorf("entering the database as its owner: %w", err)
	}
	defer func() { err = errors.Join(err, turn.Close()) }() // the pool ends with us, and the lock with its connection
	if _, err := turn.ExecContext(ctx, `SELECT pg_advisory_lock(hashtextextended('countinghouse.migrate', 0))`); err != nil {
		return done, fmt.Errorf("waiting for another migration to end: %w", err)
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
	m := &march{Fleet: fleet, owner: owner}
	if m.steps, err = steps(fleet.Scripts); err != nil {
		return done, err
	}
	behind, err := whoIsBehind(ctx, owner, m.steps)
	if err != nil {
		return done, err
	}
	err = m.run(ctx, behind)
	done.Tenants, done.Failed = m.progress.Done, m.failures
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
			"GRANT EXECUTE ON FUNCTION platform.found_organization TO " + login,
			"GRANT EXECUTE ON FUNCTION platform.customer_alive, platform.visitor_alive TO " + login,
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

// migrateTenant takes one empty schema through all migrations.
func migrateTenant(ctx context.Context, config Config, schema string) (err error) {
	owner, err := openPool(config, ownerLogin, 1, nil)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, owner.Close()) }()
	all, err := steps(migrations.Tenant())
	if err != nil {
		return err
	}
	for _, s := range all {
		if err := applyStep(ctx, owner, schema, s, time.Minute); err != nil {
			return err
		}
	}
	return nil
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

// named is a migration's file and version.
type named struct {
	name    string
	version int64
}

// versionsIn lists the migrations of a folder, lowest version first.
func versionsIn(files fs.FS) ([]named, error) {
	names, err := fs.Glob(files, "*.sql")
	if err != nil {
		return nil, fmt.Errorf("listing the migrations: %w", err)
	}
	list := make([]named, 0, len(names))
	for _, name := range names {
		version, err := goose.NumericComponent(name)
		if err != nil {
			return nil, fmt.Errorf("reading the version of %s: %w", name, err)
		}
		list = append(list, named{name, version})
	}
	slices.SortFunc(list, func(a, b named) int { return cmp.Compare(a.version, b.version) })
	return list, nil
}

// tenantVersions lists the versions that a tenant of this binary has, lowest first.
func tenantVersions() (pq.Int64Array, error) {
	list, err := versionsIn(migrations.Tenant())
	if err != nil {
		return nil, err
	}
	versions := make(pq.Int64Array, len(list))
	for i, m := range list {
		versions[i] = m.version
	}
	return versions, nil
}

// versionStore keeps the platform's versions beside those of all schemas in one table of the database, so that who is
// behind is one query, and a version is written in the migration's own transaction.
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
