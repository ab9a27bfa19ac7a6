package tenant

import (
	"context"
	"database/sql"
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/lib/pq"

	"github.com/countinghouse/countinghouse/internal/fault"
)

// Why a job does not run.
var (
	// ErrJobRefused: the member on whose behalf it was to run may not do so any more.
	ErrJobRefused = fault.New(fault.Forbidden, "job.refused", "Whoever asked for this is not an active member of the organization any more, or may not do it any more.")
	// ErrJobWaits: the organization is suspended, or is to be deleted and may still be restored.
	ErrJobWaits = fault.New(fault.Conflict, "job.waits", "The organization is not active, or is suspended. Its jobs run when it is active again.")
	// ErrJobOver: this run of the job is not the one that counts: it was given to another worker, was cancelled, or has ended.
	ErrJobOver = errors.New("tenant: this run of a job is over")
)

// EnterJob mints a scope for one run of a job: in the organization that the job was stamped with when it was
// queued, on behalf of the member who caused it with the role that they have there today, or of nobody. What it
// writes counts only while that run is the job's last and is not cancelled. It fails with ErrJobRefused,
// ErrJobWaits, ErrJobOver, and ErrNoOrganization where the organization is gone.
func EnterJob(ctx context.Context, db *DB, job int64, run int) (Scope, error) {
	const q = `
		SELECT j.attempt AS access, j.metadata ? 'person' AS acts_for, o.state, coalesce(p.id, '00000000-0000-0000-0000-000000000000') AS person_id,
		       coalesce(p.name, '') AS person_name, coalesce(p.email, '') AS email, m.role, coalesce(w.rights, '') AS rights,
		       o.id AS organization_id, coalesce(o.slug, '') AS slug, coalesce(o.name, '') AS name,
		       coalesce(o.schema_name, '') AS schema_name, coalesce(o.compartment_id, 0) AS compartment_id,
		       coalesce(o.policy_version, 0) AS policy_version,` + accountColumns + `,
		       CASE WHEN j.metadata ? 'ceiling' THEN ARRAY(SELECT jsonb_array_elements_text(j.metadata->'ceiling')) END AS scopes
		  FROM jobs.river_job j
		  LEFT JOIN platform.organization o ON o.id = (j.metadata->>'organization')::uuid AND o.state::text IN ('active', 'suspended', 'closing')
		  LEFT JOIN platform.person p ON p.id = (j.metadata->>'person')::uuid
		  LEFT JOIN platform.membership m ON m.organization_id = o.id AND m.person_id = p.id AND m.state::text = 'active'
		  LEFT JOIN platform.own_role w ON w.organization_id = o.id AND w.role = m.role
		 WHERE j.id = $1 AND j.attempt = $2 AND j.state = 'running' AND NOT j.metadata ? 'cancel_attempted_at'`
	var row struct {
		scopeRow
		ActsFor bool    `db:"acts_for"`
		State   *string `db:"state"`
	}
	err := db.platform.GetContext(ctx, &row, q, job, run)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return Scope{}, ErrJobOver
	case err != nil:
		return Scope{}, reached(ctx, fmt.Errorf("entering for a job: %w", err))
	case row.State == nil:
		return Scope{}, ErrNoOrganization
	case *row.State != "active":
		return Scope{}, ErrJobWaits
	case row.ActsFor && row.Role == nil:
		return Scope{}, ErrJobRefused
	case !row.ActsFor:
		nobody := "job"
		row.Role = &nobody
	}
	var credential Hash
	binary.BigEndian.PutUint64(credential[:], uint64(job))
	s, err := row.scope(Job, credential)
	if err == nil && row.Scopes != nil {
		s.ceiling = append([]string{}, row.Scopes...)
	}
	return Scope{s: s}, err
}

// OpenWork opens a worker's own way into the database: a login that may touch nothing but the queue of jobs, in
// schema jobs. The caller closes it.
func OpenWork(db *DB) (*sql.DB, error) {
	// River's queries are not made for lib/pq's binary parameters.
	address, err := db.config.loginURL(workLogin, map[string]string{
		"application_name": "countinghouse work", "search_path": "", "binary_parameters": "no",
	})
	if err != nil {
		return nil, err
	}
	inner, err := pq.NewConnector(address)
	if err != nil {
		return nil, fmt.Errorf("reading the database address of %s: %w", workLogin, err)
	}
	pool := sql.OpenDB(inner)
	pool.SetMaxOpenConns(6)
	pool.SetMaxIdleConns(3)
	return pool, nil
}
