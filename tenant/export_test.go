package tenant

import (
	"context"
	"errors"

	"github.com/jmoiron/sqlx"

	"github.com/countinghouse/countinghouse/internal/id"
)

// ExecUnchecked runs SQL that was built at run time, as an attacker would who had found a way to inject it.
func ExecUnchecked(ctx context.Context, tx *Tx, statement string) error {
	_, err := tx.Exec(ctx, query(statement))
	return err
}

// DumpSchema gives the script of one schema of the database.
var DumpSchema = dumpSchema

// MigrateTenant brings one schema forward by its migrations.
var MigrateTenant = migrateTenant

// OwnerPool is the owner's way into the database.
func OwnerPool(db *DB) *sqlx.DB { return db.owner }

// CompartmentPools are the ways into the compartments that were used.
func CompartmentPools(db *DB) (pools []*sqlx.DB) {
	db.mu.Lock()
	defer db.mu.Unlock()
	for _, held := range db.compartments {
		pools = append(pools, held.all...)
	}
	return pools
}

// Waiting is how many callers wait for a connection now.
func Waiting(db *DB) (n int) {
	db.mu.Lock()
	defer db.mu.Unlock()
	for _, held := range db.compartments {
		held.mu.Lock()
		n += len(held.waiting)
		held.mu.Unlock()
	}
	return n
}

// MeetingAtMost bounds how many organizations a connection serves.
func MeetingAtMost(c Config, n int) Config {
	c.mostMet = n
	return c
}

// PretendCitus has organizations be made as on a cluster, on a database that is none.
func PretendCitus(db *DB) { db.config.Citus = true }

// ProvisionSchema makes one schema and gives its name.
func ProvisionSchema(ctx context.Context, db *DB) (schema string, err error) {
	versions, err := tenantVersions()
	if err != nil {
		return "", err
	}
	tx, err := db.owner.BeginTxx(ctx, nil)
	if err != nil {
		return "", err
	}
	if schema, err = newSchemaName(); err == nil {
		err = db.provisionIn(ctx, tx, id.New[Organization](), schema, versions, db.Now())
	}
	if err != nil {
		return "", errors.Join(err, tx.Rollback())
	}
	return schema, tx.Commit()
}

// SchemaMessage begins a schema.
var SchemaMessage = schemaMessage

// CheckCitusVersion says whether a version of Citus can do it.
var CheckCitusVersion = checkCitusVersion
