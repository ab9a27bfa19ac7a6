package tenant

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/jmoiron/sqlx"
	"github.com/lib/pq"

	"github.com/countinghouse/countinghouse/internal/id"
	"github.com/countinghouse/countinghouse/migrations"
)

// Provision makes n empty schemas, each with its role, in the compartments that have the fewest, and leaves
// them ready to be claimed. What was made before an error stays.
func Provision(ctx context.Context, db *DB, n int) error {
	versions, err := tenantVersions()
	if err != nil {
		return err
	}
	for range n {
		if err := db.provisionOne(ctx, versions); err != nil {
			return fmt.Errorf("making a schema: %w", err)
		}
	}
	return nil
}

func (db *DB) provisionOne(ctx context.Context, versions pq.Int64Array) error {
	organization := id.New[Organization]()
	if db.config.NewKey != nil { // before the transaction: the keyring may be far away
		if err := db.config.NewKey(ctx, organization.String()); err != nil {
			return fmt.Errorf("making its key: %w", err)
		}
	}
	tx, err := db.owner.BeginTxx(ctx, nil)
	if err != nil {
		return reached(ctx, err)
	}
	name, err := newSchemaName()
	if err == nil {
		err = db.provisionIn(ctx, tx, organization, name, versions, db.Now())
	}
	if err != nil {
		return errors.Join(err, tx.Rollback())
	}
	return tx.Commit()
}

func (db *DB) provisionIn(ctx context.Context, tx *sqlx.Tx, organization OrganizationID, name string, versions pq.Int64Array, now time.Time) error {
	var home struct {
		ID    int
		Login string
	}
	err := tx.GetContext(ctx, &home, `
		SELECT c.id, c.login FROM platform.compartment c
		  LEFT JOIN platform.organization o ON o.compartment_id = c.id AND o.state::text <> 'gone'
		 GROUP BY c.id ORDER BY count(o.id), c.id LIMIT 1`)
	if err != nil {
		return fmt.Errorf("choosing a compartment: %w", err)
	}
	// One message: the role, the schema, everything in it, and its place in the platform's lists.
	script := schemaMessage(name, home.Login, db.config.Citus) + strings.ReplaceAll(migrations.Baseline, migrations.BaselineName, name)
	if _, err := tx.ExecContext(ctx, script); err != nil {
		return fmt.Errorf("building schema %s: %w", name, err)
	}
	_, err = tx.ExecContext(ctx, `
		INSERT INTO platform.organization (id, compartment_id, schema_name, state, created_at) VALUES ($1, $2, $3, 'ready', $4)`,
		organization, home.ID, name, now)
	if err != nil {
		return fmt.Errorf("noting schema %s: %w", name, err)
	}
	_, err = tx.ExecContext(ctx, `INSERT INTO platform.schema_version (schema_name, version, applied_at) SELECT $1, unnest($2::bigint[]), $3`,
		name, versions, now)
	if err != nil {
		return fmt.Errorf("noting the versions of schema %s: %w", name, err)
	}
	return nil
}

// schemaMessage makes a tenant's empty schema and role and lets its compartment's login enter it, then makes
// it the place where what follows is created. The nodes of a cluster enter each other as that role: it has a login there,
// and no password, and pg_hba.conf admits it from the nodes alone.
func schemaMessage(name, login string, citus bool) string {
	begin, may := "", "NOLOGIN"
	if citus {
		begin, may = onCitus, "LOGIN"
	}
	return begin + "CREATE ROLE " + name + " " + may + " NOINHERIT; GRANT " + name + " TO " + login + "; CREATE SCHEMA " + name +
		"; GRANT USAGE ON SCHEMA " + name + " TO " + name + "; SET LOCAL search_path = " + name + ", pg_temp;\n"
}

// newSchemaName is opaque: it says nothing of whose schema it will be.
func newSchemaName() (string, error) {
	b := make([]byte, 10)
	if _, err := rand.Read(b); err != nil {
		return "", fmt.Errorf("naming a schema: %w", err)
	}
	return "t_" + hex.EncodeToString(b), nil
}

// Ready counts the schemas that wait to be claimed.
func Ready(ctx context.Context, db *DB) (int, error) {
	var n int
	if err := db.platform.GetContext(ctx, &n, `SELECT count(*) FROM platform.organization WHERE state::text = 'ready'`); err != nil {
		return 0, reached(ctx, fmt.Errorf("counting ready schemas: %w", err))
	}
	return n, nil
}

// The pool of ready schemas holds as many as were claimed in the last hour, within bounds: enough for what comes, and
// no more than a flood of sign-ups could make us keep.
const (
	fewestReady = 4
	mostReady   = 100
)

// Refill makes schemas until as many are ready as the sign-ups of the last hour call for, unless someone else is doing
// so; it gives how many it made. Until it has run, whoever founds an organization while none is ready waits for one to
// be made.
func Refill(ctx context.Context, db *DB) (made int, err error) {
	conn, err := db.owner.Connx(ctx)
	if err != nil {
		return 0, reached(ctx, err)
	}
	defer func() { err = errors.Join(err, closeConn(conn)) }()
	var mine bool
	if err := conn.GetContext(ctx, &mine, `SELECT pg_try_advisory_lock(hashtextextended('countinghouse.refill', 0))`); err != nil || !mine {
		return 0, err
	}
	// The lock would stay with the pooled connection: end it with the work.
	defer func() {
		_, unlocked := conn.ExecContext(context.WithoutCancel(ctx), `SELECT pg_advisory_unlock_all()`)
		err = errors.Join(err, unlocked)
	}()
	var want int
	err = db.platform.GetContext(ctx, &want, `
		SELECT least(greatest(count(*), $1), $2) FROM platform.organization WHERE claimed_at > $3`,
		fewestReady, mostReady, db.Now().Add(-time.Hour))
	if err != nil {
		return 0, reached(ctx, fmt.Errorf("counting sign-ups: %w", err))
	}
	for {
		n, err := Ready(ctx, db)
		if err != nil || n >= want {
			return made, err
		}
		if err := Provision(ctx, db, 1); err != nil {
			return made, err
		}
		made++
	}
}
