package identity

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/countinghouse/countinghouse/internal/id"
	"github.com/countinghouse/countinghouse/tenant"
)

type loginInput struct {
	person    tenant.PersonID
	email     []byte
	session   SessionID
	method    string
	outcome   string
	network   any
	userAgent string
}

func orNull(u uuid.UUID) any {
	if u == uuid.Nil {
		return nil
	}
	return u
}

func insertLogin(ctx context.Context, tx *tenant.PlatformTx, l loginInput) error {
	_, err := tx.Exec(ctx, `
		INSERT INTO platform.login_event (id, person_id, email_hash, at, network, user_agent, method, outcome, session_id)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
		id.New[Login](), orNull(l.person.UUID), l.email, tx.Now(), l.network, l.userAgent, l.method, l.outcome, orNull(l.session.UUID))
	if err != nil {
		return fmt.Errorf("recording a login: %w", err)
	}
	return nil
}

type loginRow struct {
	ID        id.Of[Login] `db:"id"`
	At        time.Time    `db:"at"`
	Network   string       `db:"network"`
	UserAgent string       `db:"user_agent"`
	Method    string       `db:"method"`
	Outcome   string       `db:"outcome"`
	Session   uuid.UUID    `db:"session_id"`
	Open      bool         `db:"open"`
	Disowned  bool         `db:"disowned"`
}

func (r loginRow) login() Login {
	return Login{ID: r.ID, At: r.At, Network: r.Network, UserAgent: r.UserAgent, Method: r.Method, Outcome: r.Outcome,
		Session: SessionID{UUID: r.Session}, Open: r.Open, Disowned: r.Disowned}
}

func logins(ctx context.Context, tx *tenant.PlatformTx, person tenant.PersonID, limit int) ([]Login, error) {
	var rows []loginRow
	err := tx.Select(ctx, &rows, `
		SELECT e.id, e.at, coalesce(host(e.network), '') AS network, e.user_agent, e.method, e.outcome,
		       coalesce(e.session_id, '00000000-0000-0000-0000-000000000000') AS session_id,
		       EXISTS (SELECT FROM platform.session s WHERE s.id = e.session_id AND s.ended_at IS NULL AND s.expires_at > $3
		           AND s.last_seen_at + make_interval(secs => s.idle_seconds) > $3) AS open,
		       EXISTS (SELECT FROM platform.login_event d WHERE d.person_id = $1 AND d.session_id = e.session_id
		           AND d.outcome::text = 'disowned') AS disowned
		  FROM platform.login_event e
		 WHERE e.person_id = $1 AND e.outcome::text <> 'disowned'
		 ORDER BY e.at DESC, e.id DESC LIMIT $2`, person, limit, tx.Now())
	if err != nil {
		return nil, fmt.Errorf("listing logins: %w", err)
	}
	all := make([]Login, 0, len(rows))
	for _, r := range rows {
		all = append(all, r.login())
	}
	return all, nil
}

func lastLogin(ctx context.Context, tx *tenant.PlatformTx, person tenant.PersonID) (*LastLogin, error) {
	var row struct {
		loginRow
		Refused int `db:"refused"`
	}
	err := tx.Get(ctx, &row, `
		SELECT e.id, e.at, coalesce(host(e.network), '') AS network, e.user_agent, e.method, e.outcome,
		       coalesce(e.session_id, '00000000-0000-0000-0000-000000000000') AS session_id,
		       (SELECT count(*) FROM platform.login_event f
		         WHERE f.person_id = $1 AND f.outcome::text = 'refused' AND f.at > e.at) AS refused
		  FROM platform.login_event e
		 WHERE e.person_id = $1 AND e.outcome::text = 'success'
		 ORDER BY e.at DESC, e.id DESC OFFSET 1 LIMIT 1`, person)
	if errors.Is(err, tenant.ErrNoRows) {
		return nil, nil
	} else if err != nil {
		return nil, fmt.Errorf("looking for the login before: %w", err)
	}
	return &LastLogin{row.login(), row.Refused}, nil
}

// loginsBefore are the last successful logins before the one given, as far back as reach, newest first. One that its person disowned was somebody else's.
func loginsBefore(ctx context.Context, tx *tenant.PlatformTx, person tenant.PersonID, e entry) (all []loginBefore, err error) {
	err = tx.Select(ctx, &all, `
		SELECT e.at, host(e.network) AS network
		  FROM platform.login_event e
		 WHERE e.person_id = $1 AND e.outcome::text = 'success' AND e.network IS NOT NULL AND e.session_id <> $2
		   AND e.at > $3 AND e.at <= $4
		   AND NOT EXISTS (SELECT FROM platform.login_event d WHERE d.person_id = $1 AND d.session_id = e.session_id
		       AND d.outcome::text = 'disowned')
		 ORDER BY e.at DESC, e.id DESC LIMIT $5`, person, e.Session, e.At.Add(-reach), e.At, placesTried)
	if err != nil {
		return nil, fmt.Errorf("looking for the logins before: %w", err)
	}
	return all, nil
}

// accountsTried counts the accounts that a network failed to enter in the last hour.
func accountsTried(ctx context.Context, tx *tenant.PlatformTx, network string) (n int, err error) {
	first, last, ok := networkBounds(network)
	if !ok {
		return 0, nil
	}
	err = tx.Get(ctx, &n, `
		SELECT count(DISTINCT e.email_hash) FROM platform.login_event e
		 WHERE e.network BETWEEN $1::inet AND $2::inet AND e.at > $3 AND e.outcome::text = 'refused' AND e.network IS NOT NULL`,
		first, last, tx.Now().Add(-time.Hour))
	if err != nil {
		return 0, fmt.Errorf("counting the accounts that a network tried: %w", err)
	}
	return n, nil
}

// noteDevice keeps the device as one that the person signed in with. fresh: it was not known, and others were.
func noteDevice(ctx context.Context, tx *tenant.PlatformTx, person tenant.PersonID, device string) (fresh bool, err error) {
	hash, ok := HashToken(device)
	err = tx.Get(ctx, &fresh, `
		SELECT count(*) > 0 AND NOT coalesce(bool_or(token_hash = $2 AND forgotten_at IS NULL), false)
		  FROM platform.device WHERE person_id = $1`, person, hash[:])
	if err != nil {
		return false, fmt.Errorf("looking for a device: %w", err)
	}
	if !ok {
		return fresh, nil
	}
	_, err = tx.Exec(ctx, `
		INSERT INTO platform.device (token_hash, person_id, created_at) VALUES ($1, $2, $3)
		ON CONFLICT (token_hash, person_id) DO UPDATE SET forgotten_at = NULL`, hash[:], person, tx.Now())
	if err != nil {
		return false, fmt.Errorf("keeping a device: %w", err)
	}
	return fresh, nil
}

// forgetDevices forgets all devices of a person but the one given.
func forgetDevices(ctx context.Context, tx *tenant.PlatformTx, person tenant.PersonID, except string) error {
	hash, _ := HashToken(except)
	_, err := tx.Exec(ctx, `
		UPDATE platform.device SET forgotten_at = $3
		 WHERE person_id = $1 AND token_hash <> $2 AND forgotten_at IS NULL`, person, hash[:], tx.Now())
	if err != nil {
		return fmt.Errorf("forgetting devices: %w", err)
	}
	return nil
}
