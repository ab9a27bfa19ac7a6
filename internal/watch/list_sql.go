package watch

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/countinghouse/countinghouse/internal/cursor"
	"github.com/countinghouse/countinghouse/internal/id"
	"github.com/countinghouse/countinghouse/tenant"
)

type raisedRow struct {
	ID           ID
	Kind         string
	Severity     string
	At           time.Time
	LastAt       time.Time `db:"last_at"`
	Times        int
	Organization uuid.NullUUID `db:"organization_id"`
	Slug         string
	Person       uuid.NullUUID `db:"person_id"`
	Network      string
	Detail       string
	RequestID    string `db:"request_id"`
}

func (r raisedRow) raised() Raised {
	return Raised{ID: r.ID, Kind: r.Kind, Severity: Severity(r.Severity), At: r.At.UTC(), LastAt: r.LastAt.UTC(), Times: r.Times,
		Organization: id.Of[tenant.Organization]{UUID: r.Organization.UUID}, Slug: r.Slug, Person: id.Of[tenant.Person]{UUID: r.Person.UUID},
		Network: r.Network, Detail: r.Detail, RequestID: r.RequestID}
}

func raisedOf(rows []raisedRow) []Raised {
	all := make([]Raised, len(rows))
	for i, r := range rows {
		all[i] = r.raised()
	}
	return all
}

func selectEvents(ctx context.Context, tx *tenant.Tx, q cursor.Query) ([]Raised, error) {
	var rows []raisedRow
	err := tx.Select(ctx, &rows, `
		SELECT id, kind, severity, at, last_at, times, person_id, coalesce(network, '') AS network, detail, request_id
		  FROM platform.list_security_events($1, $2, $3)`, orNull(q.After), orNull(q.Before), q.Fetch())
	if err != nil {
		return nil, fmt.Errorf("listing security events: %w", err)
	}
	return raisedOf(rows), nil
}

const allEvents = `
	SELECT e.id, e.kind, e.severity, e.at, e.last_at, e.times, e.organization_id, coalesce(o.slug, '') AS slug, e.person_id,
	       coalesce(host(e.network), '') AS network, e.detail, e.request_id
	  FROM platform.security_event e LEFT JOIN platform.organization o ON o.id = e.organization_id
	 WHERE ($1 = '' OR e.kind = $1) AND ($2 = '' OR e.severity = $2) AND ($3::uuid IS NULL OR e.organization_id = $3)`

func selectAllEvents(ctx context.Context, tx *tenant.PlatformTx, f Filter, q cursor.Query) ([]Raised, error) {
	var rows []raisedRow
	var err error
	if q.Backwards() {
		err = tx.Select(ctx, &rows, allEvents+` AND e.id > $4 ORDER BY e.id LIMIT $5`,
			f.Kind, string(f.Severity), orNull(f.Organization.UUID), q.Before, q.Fetch())
	} else {
		err = tx.Select(ctx, &rows, allEvents+` AND ($4::uuid IS NULL OR e.id < $4) ORDER BY e.id DESC LIMIT $5`,
			f.Kind, string(f.Severity), orNull(f.Organization.UUID), orNull(q.After), q.Fetch())
	}
	if err != nil {
		return nil, fmt.Errorf("listing security events: %w", err)
	}
	return raisedOf(rows), nil
}
