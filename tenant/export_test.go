package tenant

import (
	"context"

	"github.com/jmoiron/sqlx"
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
