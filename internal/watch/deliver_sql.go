package watch

import (
	"context"
	"fmt"
	"time"

	"github.com/countinghouse/countinghouse/tenant"
)

func selectEvent(ctx context.Context, tx *tenant.PlatformTx, event ID) (e Raised, mailed, posted bool, err error) {
	var row struct {
		raisedRow
		Mailed, Posted bool
	}
	err = tx.Get(ctx, &row, `
		SELECT e.id, e.kind, e.severity, e.at, e.last_at, e.times, e.organization_id, coalesce(o.slug, '') AS slug, e.person_id,
		       coalesce(host(e.network), '') AS network, e.detail, e.request_id,
		       e.mailed_at IS NOT NULL AS mailed, e.posted_at IS NOT NULL AS posted
		  FROM platform.security_event e LEFT JOIN platform.organization o ON o.id = e.organization_id WHERE e.id = $1`, event)
	if err != nil {
		return e, false, false, fmt.Errorf("reading security event %s: %w", event, err)
	}
	return row.raised(), row.Mailed, row.Posted, nil
}

// selectConcerned gives the addresses of the owners whom an event concerns.
func selectConcerned(ctx context.Context, tx *tenant.PlatformTx, e Raised) (all []string, err error) {
	err = tx.Select(ctx, &all, `
		SELECT DISTINCT p.email FROM platform.membership m JOIN platform.person p ON p.id = m.person_id
		 WHERE m.role = 'owner' AND m.state::text = 'active'
		   AND (m.organization_id = $1
		     OR $1::uuid IS NULL AND $3 AND m.organization_id IN (SELECT c.organization_id FROM platform.membership c
		          WHERE c.person_id = $2 AND c.state::text = 'active'))
		 ORDER BY p.email`, orNull(e.Organization.UUID), orNull(e.Person.UUID), e.Severity == High)
	if err != nil {
		return nil, fmt.Errorf("looking for whom a security event concerns: %w", err)
	}
	return all, nil
}

// selectWaiting gives the events that are still to be mailed, or posted where there is a webhook, the oldest first.
func selectWaiting(ctx context.Context, tx *tenant.PlatformTx, since time.Time, webhook bool) (all []ID, err error) {
	err = tx.Select(ctx, &all, `
		SELECT e.id FROM platform.security_event e
		 WHERE e.at > $1 AND e.severity::text <> 'low' AND (e.mailed_at IS NULL OR ($2 AND e.posted_at IS NULL))
		 ORDER BY e.id LIMIT 200`, since, webhook)
	if err != nil {
		return nil, fmt.Errorf("looking for security events to deliver: %w", err)
	}
	return all, nil
}

func noteMailed(ctx context.Context, tx *tenant.PlatformTx, event ID) error {
	if _, err := tx.Exec(ctx, `UPDATE platform.security_event SET mailed_at = $2 WHERE id = $1 AND mailed_at IS NULL`, event, tx.Now()); err != nil {
		return fmt.Errorf("noting that a security event was mailed: %w", err)
	}
	return nil
}

func notePosted(ctx context.Context, tx *tenant.PlatformTx, event ID) error {
	if _, err := tx.Exec(ctx, `UPDATE platform.security_event SET posted_at = $2 WHERE id = $1 AND posted_at IS NULL`, event, tx.Now()); err != nil {
		return fmt.Errorf("noting that a security event was posted: %w", err)
	}
	return nil
}
