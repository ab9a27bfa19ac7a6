package jobs

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/countinghouse/countinghouse/tenant"
)

// selectJobs takes the states as one text: none is all of them.
func selectJobs(ctx context.Context, tx *tenant.PlatformTx, states []string, kind string, before int64, limit int) ([]Status, error) {
	var rows []struct {
		ID      int64     `db:"id"`
		Kind    string    `db:"kind"`
		Slug    string    `db:"slug"`
		Stamp   string    `db:"stamp"`
		State   string    `db:"state"`
		Attempt int       `db:"attempt"`
		Most    int       `db:"max_attempts"`
		Due     time.Time `db:"scheduled_at"`
		Error   string    `db:"error"`
	}
	err := tx.Select(ctx, &rows, `
		SELECT j.id, j.kind, coalesce(o.slug, '') AS slug, coalesce(o.id::text, '') AS stamp, j.state::text AS state, j.attempt, j.max_attempts, j.scheduled_at,
		       coalesce(j.errors[array_upper(j.errors, 1)]->>'error', '') AS error
		  FROM jobs.river_job j LEFT JOIN platform.organization o ON o.id = (j.metadata->>'organization')::uuid
		 WHERE ($1 = '' OR j.state::text = ANY (string_to_array($1, ' '))) AND ($2 = 0 OR j.id < $2)
		   AND ($4 = '' OR j.kind = $4)
		 ORDER BY j.id DESC LIMIT $3`, strings.Join(states, " "), before, limit, kind)
	if err != nil {
		return nil, fmt.Errorf("listing jobs: %w", err)
	}
	found := make([]Status, len(rows))
	for i, r := range rows {
		found[i] = Status{ID: r.ID, Kind: r.Kind, Organization: r.Slug, Stamp: r.Stamp, Standing: standing(r.State), Tries: r.Attempt, Most: r.Most, Due: r.Due, Error: r.Error}
	}
	return found, nil
}

func selectKinds(ctx context.Context, tx *tenant.PlatformTx) (kinds []string, err error) {
	if err := tx.Select(ctx, &kinds, `SELECT DISTINCT kind FROM jobs.river_job ORDER BY kind LIMIT 200`); err != nil {
		return nil, fmt.Errorf("listing kinds of jobs: %w", err)
	}
	return kinds, nil
}

type stateCount struct {
	State string `db:"state"`
	Count int    `db:"count"`
}

func countStates(ctx context.Context, tx *tenant.PlatformTx) (rows []stateCount, err error) {
	if err := tx.Select(ctx, &rows, `SELECT state::text AS state, count(*) AS count FROM jobs.river_job GROUP BY state`); err != nil {
		return nil, fmt.Errorf("counting jobs: %w", err)
	}
	return rows, nil
}

func retryJob(ctx context.Context, tx *tenant.PlatformTx, id int64) (done bool, err error) {
	if err := tx.Get(ctx, &done, `SELECT jobs.retry($1, $2)`, id, tx.Now()); err != nil {
		return false, fmt.Errorf("trying job %d again: %w", id, err)
	}
	return done, nil
}

func cancelJob(ctx context.Context, tx *tenant.PlatformTx, id int64) (done bool, err error) {
	if err := tx.Get(ctx, &done, `SELECT jobs.cancel($1, $2)`, id, tx.Now()); err != nil {
		return false, fmt.Errorf("cancelling job %d: %w", id, err)
	}
	return done, nil
}
