package tenant

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/jmoiron/sqlx"

	"github.com/countinghouse/countinghouse/internal/fault"
)

// Why a database is not taken for the coordinator of a Citus cluster.
var (
	ErrNoCitus = fault.New(fault.Unavailable, "database.no_citus",
		"This was told that the database is the coordinator of a Citus cluster, and it has no extension citus. As its superuser run CREATE EXTENSION citus there, or leave --database-citus out.")
	ErrCitusOld = fault.New(fault.Unavailable, "database.citus_old",
		"Schemas are spread over a cluster from Citus 12 on, and this database has an older one. Upgrade it on every node.")
	ErrCitusTriggers = fault.New(fault.Unavailable, "database.citus_triggers",
		"The ledger's triggers are not let onto a Citus cluster as it is set up. Set citus.enable_unsafe_triggers = on in postgresql.conf of every node and reload them.")
)

// oldestCitus is the first version with schema-based sharding: https://www.citusdata.com/updates/v12-0/.
const oldestCitus = 12

// checkCitus says whether a database is a coordinator that schemas can be spread from. Without Citus asked for it asks
// nothing.
func checkCitus(ctx context.Context, config Config, owner *sqlx.DB) error {
	if !config.Citus {
		return nil
	}
	var version string
	err := owner.GetContext(ctx, &version, `SELECT extversion FROM pg_extension WHERE extname = 'citus'`)
	if errors.Is(err, sql.ErrNoRows) {
		return ErrNoCitus
	} else if err != nil {
		return reached(ctx, fmt.Errorf("asking for the extension citus: %w", err))
	}
	if err := checkCitusVersion(version); err != nil {
		return err
	}
	var on bool
	if err := owner.GetContext(ctx, &on, `SELECT coalesce(current_setting('citus.enable_unsafe_triggers', true), '') = 'on'`); err != nil {
		return reached(ctx, fmt.Errorf("asking how citus is set up: %w", err))
	}
	if !on {
		return ErrCitusTriggers
	}
	return nil
}

// checkCitusVersion reads a version such as 13.0-1.
func checkCitusVersion(version string) error {
	digits, _, _ := strings.Cut(version, ".")
	major, err := strconv.Atoi(digits)
	if err != nil {
		return fmt.Errorf("reading the version %q of citus: %w", version, err)
	}
	if major < oldestCitus {
		return ErrCitusOld
	}
	return nil
}

// onCitus has the schema that the transaction makes lie whole on one node.
const onCitus = "SET LOCAL citus.enable_schema_based_sharding = on; "
