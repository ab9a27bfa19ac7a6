package tenant

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"
)

// Left is for how long someone stays signed in.
type Left struct {
	Idle time.Duration // if they do nothing
	End  time.Duration // whatever they do
}

// Nearest is the shorter of the two.
func (l Left) Nearest() time.Duration { return min(l.Idle, l.End) }

type leftRow struct {
	Seen          time.Time `db:"last_seen_at"`
	IdleSeconds   int       `db:"idle_seconds"`
	Expires       time.Time `db:"expires_at"`
	Authenticated time.Time `db:"authenticated_at"`
	GapSeconds    int       `db:"idle_gap_seconds"`
	IdleMinutes   int       `db:"idle_minutes"`
	SessionHours  int       `db:"session_hours"`
}

// SessionLeft says for how long a session lasts, and with it entry to the organization at that address if its person
// is a member there. It does not count as use. It fails with ErrNotSignedIn when either is over.
func SessionLeft(ctx context.Context, db *DB, session Hash, slug string) (Left, error) {
	const q = `
		SELECT s.last_seen_at, s.idle_seconds, s.expires_at, s.authenticated_at, s.idle_gap_seconds,
		       coalesce(e.idle_minutes, 0) AS idle_minutes, coalesce(e.session_hours, 0) AS session_hours
		  FROM platform.session s
		  LEFT JOIN platform.organization o ON o.slug = $2 AND o.state::text = 'active'
		  LEFT JOIN platform.membership m ON m.organization_id = o.id AND m.person_id = s.person_id AND m.state::text = 'active'
		  LEFT JOIN platform.entry_rule e ON e.organization_id = m.organization_id
		 WHERE s.token_hash = $1 AND s.ended_at IS NULL`
	var row leftRow
	err := db.platform.GetContext(ctx, &row, q, session[:], slug)
	if errors.Is(err, sql.ErrNoRows) {
		return Left{}, ErrNotSignedIn
	} else if err != nil {
		return Left{}, reached(ctx, fmt.Errorf("looking at what is left of a session: %w", err))
	}
	l := row.left(db.Now())
	if l.Nearest() <= 0 {
		return Left{}, ErrNotSignedIn
	}
	return l, nil
}

func (r leftRow) left(now time.Time) Left {
	idle, end := time.Duration(r.IdleSeconds)*time.Second, r.Expires
	if limit := time.Duration(r.IdleMinutes) * time.Minute; limit > 0 {
		if time.Duration(r.GapSeconds)*time.Second > limit {
			return Left{}
		}
		idle = min(idle, limit)
	}
	if limit := r.Authenticated.Add(time.Duration(r.SessionHours) * time.Hour); r.SessionHours > 0 && limit.Before(end) {
		end = limit
	}
	return Left{Idle: r.Seen.Add(idle).Sub(now), End: end.Sub(now)}
}

// Stay counts as use of a session that SessionLeft says is not over, and says what is left then.
func Stay(ctx context.Context, db *DB, session Hash, slug string) (Left, error) {
	if _, err := SessionLeft(ctx, db, session, slug); err != nil {
		return Left{}, err
	}
	if _, err := db.platform.ExecContext(ctx, touchSession, session[:], db.Now()); err != nil {
		return Left{}, reached(ctx, fmt.Errorf("noting that a session was used: %w", err))
	}
	return SessionLeft(ctx, db, session, slug)
}

// touchSession writes down that a session was used, and the longest time that it was not. It wakes none that is over.
const touchSession = `
	UPDATE platform.session SET last_seen_at = $2,
	       idle_gap_seconds = greatest(idle_gap_seconds, ceil(extract(epoch FROM $2::timestamptz - last_seen_at))::integer)
	 WHERE token_hash = $1 AND last_seen_at < $2 AND ended_at IS NULL AND expires_at > $2
	   AND last_seen_at + make_interval(secs => idle_seconds) > $2`
