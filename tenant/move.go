package tenant

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/lib/pq"

	"github.com/countinghouse/countinghouse/internal/fault"
)

// Why an organization is not moved.
var (
	ErrNoCompartment = fault.New(fault.NotFound, "compartment.missing", "There is no such compartment.")
	ErrMoving        = fault.New(fault.Unavailable, "organization.moving",
		"The organization is in its new compartment. Transactions that began before still run in the old one: run this again to shut the old door behind them.")
)

// moveWait is how long a move waits for transactions that began before it.
const moveWait = time.Minute

// MoveOrganization has an organization's role entered by another compartment's login and pool, while it is in use: the next
// request of everyone goes by the new one. The data stay where they are. The old login can enter it no more when this
// returns; if transactions that began before take longer than a minute it fails with ErrMoving, and may be run again. It
// fails with ErrNoOrganization and ErrNoCompartment.
func MoveOrganization(ctx context.Context, db *DB, slug string, to int) error {
	var o struct {
		ID     OrganizationID
		Schema string `db:"schema_name"`
		Login  sql.NullString
	}
	err := db.owner.GetContext(ctx, &o, `
		SELECT o.id, o.schema_name, (SELECT c.login FROM platform.compartment c WHERE c.id = $2) AS login
		  FROM platform.organization o WHERE o.slug = $1 AND o.state::text IN ('active', 'suspended')`, slug, to)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return ErrNoOrganization
	case err != nil:
		return reached(ctx, fmt.Errorf("looking for an organization: %w", err))
	case !o.Login.Valid:
		return ErrNoCompartment
	}
	// Committed before anyone is sent there: Postgres tells other backends of a new member a moment late.
	if _, err := db.owner.ExecContext(ctx, "GRANT "+o.Schema+" TO "+pq.QuoteIdentifier(o.Login.String)); err != nil {
		return reached(ctx, fmt.Errorf("letting another compartment in: %w", err))
	}
	_, err = db.owner.ExecContext(ctx, `UPDATE platform.organization SET compartment_id = $2, policy_version = policy_version + 1 WHERE id = $1 AND compartment_id <> $2`, o.ID, to)
	if err != nil {
		return reached(ctx, fmt.Errorf("moving an organization: %w", err))
	}
	return db.shutBehind(ctx, o.Schema, o.Login.String)
}

// shutBehind takes a tenant's role from every login but one, when whoever was asked in before that is out: the credential's
// answer and the entry are one message, and between the two the door must not fall shut.
func (db *DB) shutBehind(ctx context.Context, schema, but string) error {
	var logins []string
	err := db.owner.SelectContext(ctx, &logins, `
		SELECT m.rolname FROM pg_auth_members a JOIN pg_roles r ON r.oid = a.roleid JOIN pg_roles m ON m.oid = a.member
		  JOIN platform.compartment c ON c.login = m.rolname WHERE r.rolname = $1 AND m.rolname <> $2`, schema, but)
	if err != nil {
		return reached(ctx, fmt.Errorf("looking who may enter: %w", err))
	}
	if len(logins) == 0 {
		return nil
	}
	if err := db.outlast(ctx, logins); err != nil {
		return err
	}
	for _, login := range logins {
		if _, err := db.owner.ExecContext(ctx, "REVOKE "+schema+" FROM "+pq.QuoteIdentifier(login)); err != nil {
			return reached(ctx, fmt.Errorf("shutting the old compartment out: %w", err))
		}
	}
	return nil
}

// outlast waits until the transactions of these logins that run now have ended.
func (db *DB) outlast(ctx context.Context, logins []string) error {
	const running = `
		SELECT l.virtualtransaction || ' ' || l.pid FROM pg_locks l JOIN pg_stat_activity a ON a.pid = l.pid
		 WHERE l.locktype = 'virtualxid' AND l.granted AND a.usename = ANY ($1)`
	var before []string
	if err := db.owner.SelectContext(ctx, &before, running, pq.Array(logins)); err != nil {
		return reached(ctx, fmt.Errorf("looking for transactions: %w", err))
	}
	until := time.NewTimer(moveWait)
	defer until.Stop()
	look := time.NewTicker(20 * time.Millisecond)
	defer look.Stop()
	for left := len(before); left > 0; {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-until.C:
			return ErrMoving
		case <-look.C:
		}
		err := db.owner.GetContext(ctx, &left, `SELECT count(*) FROM (`+running+`) AS r (name) WHERE r.name = ANY ($2)`, pq.Array(logins), pq.Array(before))
		if err != nil {
			return reached(ctx, fmt.Errorf("looking for transactions: %w", err))
		}
	}
	return nil
}
