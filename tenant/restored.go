package tenant

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/jmoiron/sqlx"
	"github.com/lib/pq"

	"github.com/countinghouse/countinghouse/internal/fault"
	"github.com/countinghouse/countinghouse/migrations"
)

// ErrNotOurs says that a restored database is none of this service's.
var ErrNotOurs = fault.New(fault.Invalid, "restored.not_ours", "The backup holds no books of Countinghouse. Name the database that it has them in.")

// Restored is what a database holds that was brought back from a backup.
type Restored struct {
	Platform      int64   // version of the platform's own tables
	Newer         []int64 // versions that this binary does not know
	Behind        int     // schemas that lack migrations of this binary
	Compartments  int     // the highest number of one
	Organizations []RestoredOrganization
}

// RestoredOrganization is an organization, or a ready schema, as it is in a restored database.
type RestoredOrganization struct {
	Slug   string `db:"slug"` // empty for a ready schema
	State  string `db:"state"`
	Schema string `db:"schema"`
	There  bool   `db:"there"` // its schema is
	Role   bool   `db:"role"`  // its role is
	Tables int    `db:"tables"`
}

// LookAtRestored tells what a restored database holds, as its owner. It changes nothing. It fails with ErrNotOurs.
func LookAtRestored(ctx context.Context, config Config) (r Restored, err error) {
	config = config.withDefaults()
	owner, err := openPool(config, ownerLogin, 1, nil)
	if err != nil {
		return r, err
	}
	defer func() { err = errors.Join(err, owner.Close()) }()
	all, err := steps(migrations.Tenant())
	if err != nil {
		return r, err
	}
	err = owner.GetContext(ctx, &r.Platform, `SELECT coalesce(max(version), 0) FROM platform.schema_version WHERE schema_name = 'platform'`)
	if slices.Contains([]string{"3D000", "3F000", "42P01", "28000"}, SQLState(err)) { // no such database, schema, table or role
		return r, ErrNotOurs.Because(err)
	} else if err != nil {
		return r, fmt.Errorf("looking at the restored database: %w", err)
	}
	known := versionsOf(all)
	if err := owner.SelectContext(ctx, &r.Newer, `SELECT DISTINCT version FROM platform.schema_version
		WHERE schema_name <> 'platform' AND version > $1 ORDER BY version`, slices.Max(known)); err != nil {
		return r, fmt.Errorf("looking for newer versions: %w", err)
	}
	behind, err := whoIsBehind(ctx, owner, all)
	if err != nil {
		return r, err
	}
	r.Behind = len(behind)
	if err := owner.GetContext(ctx, &r.Compartments, `SELECT coalesce(max(id), 0) FROM platform.compartment`); err != nil {
		return r, fmt.Errorf("counting compartments: %w", err)
	}
	err = owner.SelectContext(ctx, &r.Organizations, `
		SELECT coalesce(o.slug, '') AS slug, o.state::text AS state, o.schema_name AS schema, to_regrole(o.schema_name) IS NOT NULL AS role,
		       n.oid IS NOT NULL AS there, (SELECT count(*) FROM pg_class c WHERE c.relnamespace = n.oid AND c.relkind = 'r') AS tables
		  FROM platform.organization o LEFT JOIN pg_namespace n ON n.nspname = o.schema_name::name
		 WHERE o.state::text <> 'gone' ORDER BY o.slug, o.schema_name`)
	if err != nil {
		return r, fmt.Errorf("listing the restored organizations: %w", err)
	}
	return r, nil
}

func versionsOf(all []step) pq.Int64Array {
	versions := make(pq.Int64Array, len(all))
	for i, s := range all {
		versions[i] = s.version
	}
	return versions
}

// Missing says in sentences what of the organizations is not there that should be. It is for a database in which all are
// at one version: then each has as many tables as most have.
func (r Restored) Missing() (said []string) {
	have := map[int]int{}
	for _, o := range r.Organizations {
		have[o.Tables]++
	}
	usual := 0
	for tables, schemas := range have {
		if schemas > have[usual] || schemas == have[usual] && tables > usual {
			usual = tables
		}
	}
	for _, o := range r.Organizations {
		who := cmp.Or(o.Slug, "A ready schema")
		switch {
		case !o.There:
			said = append(said, who+" has lost its schema, "+o.Schema+".")
		case !o.Role:
			said = append(said, who+" has lost its role, "+o.Schema+".")
		case o.Tables != usual:
			said = append(said, fmt.Sprintf("%s has %d tables in %s, where others have %d.", who, o.Tables, o.Schema, usual))
		}
	}
	return said
}

// LatestAct is when the organization's record was last written to; zero for never.
func LatestAct(ctx context.Context, tx *Tx) (time.Time, error) {
	var at sql.NullTime
	if err := tx.Get(ctx, &at, `SELECT max(at) FROM audit_log`); err != nil {
		return time.Time{}, fmt.Errorf("looking for the newest act: %w", err)
	}
	return at.Time.UTC(), nil
}

// PrepareForDump makes, as the superuser of an empty server, the database and the roles that a dump speaks of: a dump of a
// database holds none.
func PrepareForDump(ctx context.Context, superuserURL string, config Config, roles []string) (err error) {
	if err := Bootstrap(ctx, superuserURL, config); err != nil {
		return err
	}
	super, err := sqlx.ConnectContext(ctx, "postgres", superuserURL)
	if err != nil {
		return fmt.Errorf("entering the cluster as superuser: %w", err)
	}
	defer func() { err = errors.Join(err, super.Close()) }()
	for _, role := range roles {
		if role == ownerLogin {
			continue
		}
		if _, err := super.ExecContext(ctx, "CREATE ROLE "+pq.QuoteIdentifier(role)+" NOLOGIN NOINHERIT"); err != nil {
			return fmt.Errorf("making role %s: %w", role, err)
		}
	}
	return nil
}

// BindDump lets the logins of compartments enter the roles of their organizations, which a dump does not say either. The
// address is the superuser's, to the database that the dump was loaded into.
func BindDump(ctx context.Context, superuserURL string) (err error) {
	super, err := sqlx.ConnectContext(ctx, "postgres", superuserURL)
	if err != nil {
		return fmt.Errorf("entering the cluster as superuser: %w", err)
	}
	defer func() { err = errors.Join(err, super.Close()) }()
	_, err = super.ExecContext(ctx, `
		DO $$
		DECLARE
			found record;
		BEGIN
			FOR found IN SELECT login FROM platform.compartment LOOP
				EXECUTE format('ALTER ROLE %I LOGIN', found.login);
			END LOOP;
			FOR found IN SELECT o.schema_name, c.login FROM platform.organization o JOIN platform.compartment c ON c.id = o.compartment_id
			          WHERE o.state::text <> 'gone' AND to_regrole(o.schema_name) IS NOT NULL LOOP
				EXECUTE format('GRANT %I TO %I', found.schema_name, found.login);
			END LOOP;
		END
		$$`)
	if SQLState(err) == "42P01" || SQLState(err) == "3F000" {
		return ErrNotOurs.Because(err)
	} else if err != nil {
		return fmt.Errorf("letting compartments enter: %w", err)
	}
	return nil
}
