package webhook

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/countinghouse/countinghouse/tenant"
)

const endpointColumns = `SELECT id, name, url, events, former_until, failing_since, disabled_at, disabled_for, created_at, version FROM webhook_endpoint`

type endpointRow struct {
	ID           EndpointID `db:"id"`
	Name         string     `db:"name"`
	URL          string     `db:"url"`
	Events       string     `db:"events"`
	FormerUntil  *time.Time `db:"former_until"`
	FailingSince *time.Time `db:"failing_since"`
	DisabledAt   *time.Time `db:"disabled_at"`
	DisabledFor  string     `db:"disabled_for"`
	CreatedAt    time.Time  `db:"created_at"`
	Version      int        `db:"version"`
}

func (r endpointRow) endpoint() Endpoint {
	return Endpoint{ID: r.ID, Name: r.Name, URL: r.URL, Events: strings.Fields(r.Events), FormerUntil: r.FormerUntil, FailingSince: r.FailingSince,
		DisabledAt: r.DisabledAt, DisabledFor: r.DisabledFor, CreatedAt: r.CreatedAt, Version: r.Version}
}

// stored is what a message is signed with and sent to.
type stored struct {
	URL          string     `db:"url"`
	Sealed       string     `db:"sealed"`
	FormerSealed string     `db:"former_sealed"`
	FormerUntil  *time.Time `db:"former_until"`
	Disabled     bool       `db:"disabled"`
}

func countEndpoints(ctx context.Context, tx *tenant.Tx) (n int, err error) {
	// Two that are added at once wait for each other.
	if err := tx.Get(ctx, &n, `SELECT count(*) FROM (SELECT pg_advisory_xact_lock(hashtext('webhook_endpoint ' || current_schema()))) l, webhook_endpoint`); err != nil {
		return 0, fmt.Errorf("counting webhooks: %w", err)
	}
	return n, nil
}

func insertEndpoint(ctx context.Context, tx *tenant.Tx, s SealedEndpoint) error {
	_, err := tx.Exec(ctx, `INSERT INTO webhook_endpoint (id, name, url, events, sealed, created_at) VALUES ($1, $2, $3, $4, $5, $6)`,
		s.id, s.in.Name, s.in.URL, strings.Join(s.in.Events, " "), s.sealed, tx.Now())
	if err != nil {
		return fmt.Errorf("adding a webhook: %w", err)
	}
	return nil
}

func updateEndpoint(ctx context.Context, tx *tenant.Tx, endpoint EndpointID, version int, in Input) error {
	n, err := tx.Exec(ctx, `
		UPDATE webhook_endpoint SET name = $3, url = $4, events = $5, version = version + 1 WHERE id = $1 AND ($2 = 0 OR version = $2)`,
		endpoint, version, in.Name, in.URL, strings.Join(in.Events, " "))
	if err != nil {
		return fmt.Errorf("changing a webhook: %w", err)
	}
	if n == 0 {
		return ErrChanged
	}
	return nil
}

func updateSecret(ctx context.Context, tx *tenant.Tx, r Rotation) error {
	n, err := tx.Exec(ctx, `
		UPDATE webhook_endpoint SET sealed = $3, former_sealed = $4::text, former_until = CASE WHEN $4::text <> '' THEN $5::timestamptz END, version = version + 1
		 WHERE id = $1 AND sealed = $2`, r.endpoint, r.before.Sealed, r.sealed, r.former, r.until)
	if err != nil {
		return fmt.Errorf("rotating a webhook's secret: %w", err)
	}
	if n == 0 {
		if _, err := selectEndpoint(ctx, tx, r.endpoint); err != nil {
			return err
		}
		return ErrChanged
	}
	return nil
}

func updateDisabled(ctx context.Context, tx *tenant.Tx, endpoint EndpointID, why string) error {
	_, err := tx.Exec(ctx, `UPDATE webhook_endpoint SET disabled_at = $2, disabled_for = $3, version = version + 1 WHERE id = $1`, endpoint, tx.Now(), why)
	if err != nil {
		return fmt.Errorf("disabling a webhook: %w", err)
	}
	return nil
}

func updateEnabled(ctx context.Context, tx *tenant.Tx, endpoint EndpointID) error {
	_, err := tx.Exec(ctx, `
		UPDATE webhook_endpoint SET disabled_at = NULL, disabled_for = '', failing_since = NULL, version = version + 1 WHERE id = $1`, endpoint)
	if err != nil {
		return fmt.Errorf("enabling a webhook: %w", err)
	}
	return nil
}

// updateFailing keeps since when nothing arrives, or that something did, and gives that time.
func updateFailing(ctx context.Context, tx *tenant.Tx, endpoint EndpointID, arrived bool) (since *time.Time, err error) {
	err = tx.Get(ctx, &since, `
		UPDATE webhook_endpoint SET failing_since = CASE WHEN $2 THEN NULL ELSE coalesce(failing_since, $3) END WHERE id = $1 RETURNING failing_since`,
		endpoint, arrived, tx.Now())
	if err != nil {
		return nil, fmt.Errorf("noting how a webhook does: %w", err)
	}
	return since, nil
}

func deleteEndpoint(ctx context.Context, tx *tenant.Tx, endpoint EndpointID) error {
	if _, err := tx.Exec(ctx, `DELETE FROM webhook_delivery WHERE endpoint_id = $1`, endpoint); err != nil {
		return fmt.Errorf("removing the log of a webhook: %w", err)
	}
	n, err := tx.Exec(ctx, `DELETE FROM webhook_endpoint WHERE id = $1`, endpoint)
	if err != nil {
		return fmt.Errorf("removing a webhook: %w", err)
	}
	if n == 0 {
		return ErrNotFound
	}
	return nil
}

func selectEndpoint(ctx context.Context, tx *tenant.Tx, endpoint EndpointID) (Endpoint, error) {
	var row endpointRow
	err := tx.Get(ctx, &row, endpointColumns+` WHERE id = $1`, endpoint)
	if errors.Is(err, tenant.ErrNoRows) {
		return Endpoint{}, ErrNotFound
	} else if err != nil {
		return Endpoint{}, fmt.Errorf("reading a webhook: %w", err)
	}
	return row.endpoint(), nil
}

func selectEndpoints(ctx context.Context, tx *tenant.Tx) ([]Endpoint, error) {
	var rows []endpointRow
	if err := tx.Select(ctx, &rows, endpointColumns+` ORDER BY id`); err != nil {
		return nil, fmt.Errorf("listing webhooks: %w", err)
	}
	all := make([]Endpoint, len(rows))
	for i, row := range rows {
		all[i] = row.endpoint()
	}
	return all, nil
}

// selectStored locks nothing: what is sent may be signed by the secret of a moment ago.
func selectStored(ctx context.Context, tx *tenant.Tx, endpoint EndpointID) (s stored, err error) {
	err = tx.Get(ctx, &s, `SELECT url, sealed, former_sealed, former_until, disabled_at IS NOT NULL AS disabled FROM webhook_endpoint WHERE id = $1`, endpoint)
	if errors.Is(err, tenant.ErrNoRows) {
		return s, ErrNotFound
	} else if err != nil {
		return s, fmt.Errorf("reading a webhook: %w", err)
	}
	return s, nil
}

func selectOwners(ctx context.Context, tx *tenant.Tx) (all []string, err error) {
	if err := tx.Select(ctx, &all, `SELECT email FROM member WHERE role = 'owner' AND state = 'active' ORDER BY person_id`); err != nil {
		return nil, fmt.Errorf("listing owners: %w", err)
	}
	return all, nil
}
