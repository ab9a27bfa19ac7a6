package identity

import (
	"context"
	"fmt"
	"time"

	"github.com/countinghouse/countinghouse/internal/cursor"
	"github.com/countinghouse/countinghouse/tenant"
)

const entriesSQL = `
	SELECT e.id, e.person_id, coalesce(m.name, '') AS name, e.at, e.network, e.user_agent
	  FROM platform.list_entries($1, $2, $3) e LEFT JOIN member m ON m.person_id = e.person_id`

func selectEntries(ctx context.Context, tx *tenant.Tx, q cursor.Query) ([]Entry, error) {
	var rows []struct {
		ID        EntryID         `db:"id"`
		Person    tenant.PersonID `db:"person_id"`
		Name      string          `db:"name"`
		At        time.Time       `db:"at"`
		Network   string          `db:"network"`
		UserAgent string          `db:"user_agent"`
	}
	var err error
	if q.Backwards() {
		err = tx.Select(ctx, &rows, entriesSQL+` ORDER BY e.id`, nil, q.Before, q.Fetch())
	} else {
		err = tx.Select(ctx, &rows, entriesSQL+` ORDER BY e.id DESC`, nullable(q.After), nil, q.Fetch())
	}
	if err != nil {
		return nil, fmt.Errorf("listing entries: %w", err)
	}
	all := make([]Entry, 0, len(rows))
	for _, r := range rows {
		all = append(all, Entry{ID: r.ID, Person: r.Person, Name: r.Name, At: r.At.UTC(), Network: r.Network, UserAgent: r.UserAgent})
	}
	return all, nil
}

func selectFactors(ctx context.Context, tx *tenant.Tx) ([]MemberFactors, error) {
	var rows []struct {
		Person   tenant.PersonID `db:"person_id"`
		Name     string          `db:"name"`
		App      bool            `db:"app"`
		Passkeys int             `db:"passkeys"`
	}
	err := tx.Select(ctx, &rows, `
		SELECT f.person_id, m.name, f.app, f.passkeys
		  FROM platform.list_member_factors() f JOIN member m ON m.person_id = f.person_id
		 ORDER BY lower(m.name), m.person_id`)
	if err != nil {
		return nil, fmt.Errorf("listing second factors: %w", err)
	}
	all := make([]MemberFactors, 0, len(rows))
	for _, r := range rows {
		all = append(all, MemberFactors(r))
	}
	return all, nil
}
