package tenanttest

import (
	"context"
	"database/sql"
	"errors"
	"testing"

	_ "github.com/lib/pq" // the driver
)

// AsOwner runs SQL in the organization's schema as the owner of its tables, whom nothing but a chain of hashes finds
// out: what an attacker would do who has the database. Triggers do not fire.
func AsOwner(t testing.TB, o Organization, statements string) {
	t.Helper()
	if err := asOwner(o, statements); err != nil {
		t.Fatal(err)
	}
}

func asOwner(o Organization, statements string) (err error) {
	ctx := context.Background()
	db, err := sql.Open("postgres", config.URL)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	db.SetMaxOpenConns(1)
	var schema string
	if err := db.QueryRowContext(ctx, `SELECT schema_name FROM platform.organization WHERE slug = $1`, o.Slug).Scan(&schema); err != nil {
		return err
	}
	// So can a table's owner.
	_, err = db.ExecContext(ctx, "SET search_path = "+schema+"; BEGIN; ALTER TABLE journal_entry DISABLE TRIGGER USER; ALTER TABLE journal_line DISABLE TRIGGER USER; "+
		statements+"; ALTER TABLE journal_entry ENABLE TRIGGER USER; ALTER TABLE journal_line ENABLE TRIGGER USER; COMMIT")
	return err
}
