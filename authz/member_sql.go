package authz

import (
	"context"
	"fmt"
	"time"

	"github.com/countinghouse/countinghouse/internal/cursor"
	"github.com/countinghouse/countinghouse/tenant"
)

type memberRow struct {
	ID       tenant.PersonID `db:"person_id"`
	Name     string
	Email    string
	Role     string
	State    string
	JoinedAt time.Time `db:"joined_at"`
}

// insertMember says whether the person was none before; of two at once, the second waits for the first.
func insertMember(ctx context.Context, tx *tenant.Tx, p tenant.Person, role string) (bool, error) {
	n, err := tx.Exec(ctx, `
		INSERT INTO member (person_id, name, email, role, state, joined_at) VALUES ($1, $2, $3, $4, 'active', $5)
		ON CONFLICT (person_id) DO NOTHING`, p.ID, p.Name, p.Email, role, tx.Now())
	if err != nil {
		return false, fmt.Errorf("adding a member: %w", err)
	}
	return n == 1, nil
}

const (
	memberColumns = `SELECT person_id, name, email, role, state, joined_at FROM member`
	membersAfter  = memberColumns + `
		WHERE $1::uuid IS NULL OR (lower(name), person_id) > (SELECT lower(a.name), a.person_id FROM member a WHERE a.person_id = $1)
		ORDER BY lower(name), person_id LIMIT $2`
	membersBefore = memberColumns + `
		WHERE (lower(name), person_id) < (SELECT lower(a.name), a.person_id FROM member a WHERE a.person_id = $1)
		ORDER BY lower(name) DESC, person_id DESC LIMIT $2`
)

func selectMembers(ctx context.Context, tx *tenant.Tx, q cursor.Query) (rows []memberRow, err error) {
	if q.Backwards() {
		err = tx.Select(ctx, &rows, membersBefore, q.Before, q.Fetch())
	} else {
		err = tx.Select(ctx, &rows, membersAfter, nullable(q.After), q.Fetch())
	}
	if err != nil {
		return nil, fmt.Errorf("listing members: %w", err)
	}
	return rows, nil
}
