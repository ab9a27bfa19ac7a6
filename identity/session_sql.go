package identity

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/countinghouse/countinghouse/tenant"
)

type personRow struct {
	ID     tenant.PersonID `db:"id"`
	Name   string          `db:"name"`
	Email  string          `db:"email"`
	Secret string          `db:"secret"`
	Seen   time.Time       `db:"last_seen_at"`
	Known  bool            `db:"known"` // the device is
}

func (r personRow) person() tenant.Person {
	return tenant.Person{ID: r.ID, Name: r.Name, Email: r.Email}
}

// personWithPassword is the zero row when nobody has the address.
func personWithPassword(ctx context.Context, tx *tenant.PlatformTx, email, device string) (row personRow, err error) {
	hash, ok := HashToken(device)
	err = tx.Get(ctx, &row, `
		SELECT p.id, p.name, p.email, c.secret, $3 AND EXISTS (SELECT FROM platform.device d
		           WHERE d.token_hash = $2 AND d.person_id = p.id AND d.forgotten_at IS NULL) AS known
		  FROM platform.person p JOIN platform.credential c ON c.person_id = p.id AND c.kind::text = 'password'
		 WHERE p.email = $1`, email, hash[:], ok)
	if err != nil && !errors.Is(err, tenant.ErrNoRows) {
		return personRow{}, fmt.Errorf("looking for a password: %w", err)
	}
	return row, nil
}

func personByEmail(ctx context.Context, tx *tenant.PlatformTx, email string) (tenant.Person, error) {
	var row personRow
	err := tx.Get(ctx, &row, `SELECT id, name, email FROM platform.person WHERE email = $1`, email)
	if errors.Is(err, tenant.ErrNoRows) {
		return tenant.Person{}, ErrPerson
	} else if err != nil {
		return tenant.Person{}, fmt.Errorf("looking for a person: %w", err)
	}
	return row.person(), nil
}

type sessionInput struct {
	hash      tenant.Hash
	id        SessionID
	person    tenant.PersonID
	idle      time.Duration
	expires   time.Time
	network   any
	userAgent string
}

func insertSession(ctx context.Context, tx *tenant.PlatformTx, s sessionInput) error {
	_, err := tx.Exec(ctx, `
		INSERT INTO platform.session (token_hash, id, person_id, created_at, authenticated_at, last_seen_at,
			idle_seconds, expires_at, network, user_agent)
		VALUES ($1, $2, $3, $4, $4, $4, $5, $6, $7, $8)`,
		s.hash[:], s.id, s.person, tx.Now(), int64(s.idle/time.Second), s.expires, s.network, s.userAgent)
	if err != nil {
		return fmt.Errorf("opening a session: %w", err)
	}
	return nil
}

func endSession(ctx context.Context, tx *tenant.PlatformTx, hash tenant.Hash) error {
	_, err := tx.Exec(ctx, `
		UPDATE platform.session SET ended_at = $2, access_version = access_version + 1
		 WHERE token_hash = $1 AND ended_at IS NULL`, hash[:], tx.Now())
	if err != nil {
		return fmt.Errorf("ending a session: %w", err)
	}
	return nil
}

func endSessionByID(ctx context.Context, tx *tenant.PlatformTx, person tenant.PersonID, session SessionID) error {
	_, err := tx.Exec(ctx, `
		UPDATE platform.session SET ended_at = $3, access_version = access_version + 1
		 WHERE id = $1 AND person_id = $2 AND ended_at IS NULL`, session, person, tx.Now())
	if err != nil {
		return fmt.Errorf("ending a session: %w", err)
	}
	return nil
}

// endSessions ends all sessions of a person but the one given; the zero hash is none.
func endSessions(ctx context.Context, tx *tenant.PlatformTx, person tenant.PersonID, except tenant.Hash) error {
	_, err := tx.Exec(ctx, `
		UPDATE platform.session SET ended_at = $3, access_version = access_version + 1
		 WHERE person_id = $1 AND token_hash <> $2 AND ended_at IS NULL`, person, except[:], tx.Now())
	if err != nil {
		return fmt.Errorf("ending sessions: %w", err)
	}
	return nil
}

func openSessions(ctx context.Context, tx *tenant.PlatformTx, person tenant.PersonID, asking tenant.Hash) ([]Session, error) {
	var rows []struct {
		ID        SessionID `db:"id"`
		Created   time.Time `db:"created_at"`
		Seen      time.Time `db:"last_seen_at"`
		Network   string    `db:"network"`
		UserAgent string    `db:"user_agent"`
		Current   bool      `db:"current"`
	}
	err := tx.Select(ctx, &rows, `
		SELECT id, created_at, last_seen_at, coalesce(host(network), '') AS network, user_agent, token_hash = $2 AS current
		  FROM platform.session
		 WHERE person_id = $1 AND ended_at IS NULL AND expires_at > $3
		   AND last_seen_at + make_interval(secs => idle_seconds) > $3
		 ORDER BY last_seen_at DESC, id DESC LIMIT 200`, person, asking[:], tx.Now())
	if err != nil {
		return nil, fmt.Errorf("listing sessions: %w", err)
	}
	all := make([]Session, 0, len(rows))
	for _, r := range rows {
		all = append(all, Session{ID: r.ID, CreatedAt: r.Created, SeenAt: r.Seen, Network: r.Network, UserAgent: r.UserAgent, Current: r.Current})
	}
	return all, nil
}

func personBySession(ctx context.Context, tx *tenant.PlatformTx, hash tenant.Hash) (row personRow, err error) {
	err = tx.Get(ctx, &row, `
		SELECT p.id, p.name, p.email, s.last_seen_at
		  FROM platform.session s JOIN platform.person p ON p.id = s.person_id
		 WHERE s.token_hash = $1 AND s.ended_at IS NULL AND s.expires_at > $2
		   AND s.last_seen_at + make_interval(secs => s.idle_seconds) > $2`, hash[:], tx.Now())
	if errors.Is(err, tenant.ErrNoRows) {
		return row, tenant.ErrNotSignedIn
	} else if err != nil {
		return row, fmt.Errorf("looking for a session: %w", err)
	}
	return row, nil
}

func noteSeen(ctx context.Context, tx *tenant.PlatformTx, hash tenant.Hash) error {
	_, err := tx.Exec(ctx, `
		UPDATE platform.session SET last_seen_at = $2,
		       idle_gap_seconds = greatest(idle_gap_seconds, ceil(extract(epoch FROM $2::timestamptz - last_seen_at))::integer)
		 WHERE token_hash = $1 AND last_seen_at < $2 AND ended_at IS NULL`, hash[:], tx.Now())
	if err != nil {
		return fmt.Errorf("noting that a session was used: %w", err)
	}
	return nil
}

func memberships(ctx context.Context, tx *tenant.PlatformTx, person tenant.PersonID) ([]Membership, error) {
	var rows []struct {
		ID   tenant.OrganizationID `db:"id"`
		Slug string                `db:"slug"`
		Name string                `db:"name"`
		Role string                `db:"role"`
		// As package tenant has it, which keeps them out.
		PasswordUntil *time.Time `db:"password_until"`
		Sample        bool       `db:"sample"`
	}
	err := tx.Select(ctx, &rows, `
		SELECT o.id, o.slug, o.name, m.role,
		       CASE WHEN e.password_days > 0 AND NOT m.entry_exempt
		            THEN coalesce(c.changed_at, c.created_at) + make_interval(days => e.password_days) END AS password_until,
		       EXISTS (SELECT FROM platform.sample s WHERE s.slug = o.slug AND s.ended_at IS NULL) AS sample
		  FROM platform.membership m JOIN platform.organization o ON o.id = m.organization_id
		  LEFT JOIN platform.entry_rule e ON e.organization_id = o.id
		  LEFT JOIN platform.credential c ON c.person_id = m.person_id AND c.kind::text = 'password'
		 WHERE m.person_id = $1 AND m.state::text = 'active' AND o.state::text = 'active'
		 ORDER BY lower(o.name), o.id`, person)
	if err != nil {
		return nil, fmt.Errorf("listing someone's organizations: %w", err)
	}
	all := make([]Membership, 0, len(rows))
	for _, r := range rows {
		m := Membership{Organization: tenant.Organization{ID: r.ID, Slug: r.Slug, Name: r.Name}, Role: r.Role, Sample: r.Sample}
		if r.PasswordUntil != nil {
			m.PasswordUntil = *r.PasswordUntil
		}
		all = append(all, m)
	}
	return all, nil
}
