package authz

import (
	"context"
	"errors"
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
	Title    string
	State    string
	JoinedAt time.Time `db:"joined_at"`
}

func (r memberRow) member() Member {
	m := Member{Person: tenant.Person{ID: r.ID, Name: r.Name, Email: r.Email}, Role: r.Role, Title: r.Title, State: r.State, JoinedAt: r.JoinedAt.UTC()}
	for _, ready := range readyMade {
		if ready.Name == r.Role {
			m.Title = ready.Title
		}
	}
	return m
}

// insertMember says whether the person was none before, or no longer; of two at once, the second waits for the first.
func insertMember(ctx context.Context, tx *tenant.Tx, p tenant.Person, role string) (bool, error) {
	n, err := tx.Exec(ctx, `
		INSERT INTO member (person_id, name, email, role, state, joined_at) VALUES ($1, $2, $3, $4, 'active', $5)
		ON CONFLICT (person_id) DO UPDATE SET name = EXCLUDED.name, email = EXCLUDED.email, role = EXCLUDED.role,
			state = 'active', joined_at = EXCLUDED.joined_at
		 WHERE member.state::text = 'removed'`, p.ID, p.Name, p.Email, role, tx.Now())
	if err != nil {
		return false, fmt.Errorf("adding a member: %w", err)
	}
	return n == 1, nil
}

const (
	memberColumns = `SELECT m.person_id, m.name, m.email, m.role, m.state, m.joined_at, coalesce(r.name, '') AS title
		  FROM member m LEFT JOIN role r ON 'own:' || r.id = m.role
		 WHERE m.state::text <> 'removed' AND `
	membersAfter = memberColumns + `
		($1::uuid IS NULL OR (lower(m.name), m.person_id) > (SELECT lower(a.name), a.person_id FROM member a WHERE a.person_id = $1))
		ORDER BY lower(m.name), m.person_id LIMIT $2`
	membersBefore = memberColumns + `
		(lower(m.name), m.person_id) < (SELECT lower(a.name), a.person_id FROM member a WHERE a.person_id = $1)
		ORDER BY lower(m.name) DESC, m.person_id DESC LIMIT $2`
)

func selectMember(ctx context.Context, tx *tenant.Tx, person tenant.PersonID) (row memberRow, err error) {
	err = tx.Get(ctx, &row, memberColumns+`m.person_id = $1`, person)
	if errors.Is(err, tenant.ErrNoRows) {
		return row, ErrNoMember
	} else if err != nil {
		return row, fmt.Errorf("reading a member: %w", err)
	}
	return row, nil
}

// memberByEmail is the zero row for nobody.
func memberByEmail(ctx context.Context, tx *tenant.Tx, email string) (row memberRow, err error) {
	err = tx.Get(ctx, &row, memberColumns+`m.email = $1`, email)
	if err != nil && !errors.Is(err, tenant.ErrNoRows) {
		return row, fmt.Errorf("looking for a member: %w", err)
	}
	return row, nil
}

// countMembers counts those who may enter and those who are denied it.
func countMembers(ctx context.Context, tx *tenant.Tx) (n int, err error) {
	err = tx.Get(ctx, &n, `SELECT count(*) FROM member WHERE state::text <> 'removed'`)
	if err != nil {
		return 0, fmt.Errorf("counting members: %w", err)
	}
	return n, nil
}

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
