package tenant

import (
	"time"

	"github.com/countinghouse/countinghouse/internal/fault"
)

// Why a member does not get into an organization whose own rules ask for more than the platform does. Everywhere else
// they go on as before.
var (
	ErrEntrySecondFactor = fault.New(fault.Forbidden, "admission.second_factor", "This organization asks for a second factor. Set one up to get in.")
	ErrEntryPassword     = fault.New(fault.Forbidden, "admission.password", "This organization asks for a stronger password. Change yours to get in.")
	ErrEntryPasswordAge  = fault.New(fault.Forbidden, "admission.password_age", "Your password is older than this organization allows. Change it to get in.")
	ErrEntryProof        = fault.New(fault.Forbidden, "admission.proof", "You were away for longer than this organization allows. Show that it is you to go on.")
)

// entryColumns is what an organization's rules make of a person: for queries with p, o, m, and entryJoins.
const entryColumns = `
	coalesce(CASE WHEN e.second_factor AND NOT m.entry_exempt THEN NOT platform.has_second_factor(p.id) END, false) AS lacks_factor,
	coalesce(NOT m.entry_exempt AND (c.length_class < e.password_length OR c.score < e.password_score), false) AS weak_password,
	CASE WHEN e.password_days > 0 AND NOT m.entry_exempt
	     THEN coalesce(c.changed_at, c.created_at) + make_interval(days => e.password_days) END AS password_until`

const entryJoins = `
	LEFT JOIN platform.entry_rule e ON e.organization_id = o.id
	LEFT JOIN platform.credential c ON c.person_id = p.id AND c.kind::text = 'password' `

// entryRow is entryColumns, and of a session what its own times are held against.
type entryRow struct {
	LacksFactor   bool       `db:"lacks_factor"`
	WeakPassword  bool       `db:"weak_password"`
	PasswordUntil *time.Time `db:"password_until"`
	Authenticated *time.Time `db:"authenticated_at"`
	GapSeconds    int        `db:"idle_gap_seconds"`
	IdleMinutes   int        `db:"idle_minutes"`
	SessionHours  int        `db:"session_hours"`
}

// terms is for how long an answer of the rules stays right without being asked again.
type terms struct {
	until         time.Time     // zero: no end
	idle          time.Duration // since the last use; zero: no end
	passwordUntil time.Time     // zero: no end
}

// check says whether the rules of an organization let someone in, and on which terms.
func (r entryRow) check(organization string, seen *time.Time, now time.Time) (t terms, err error) {
	t.idle = time.Duration(r.IdleMinutes) * time.Minute
	if t.idle > 0 && (seen == nil || now.Sub(*seen) > t.idle || time.Duration(r.GapSeconds)*time.Second > t.idle) {
		return t, ErrEntryProof.Sayf("You were away for longer than %s allows. Show that it is you to go on.", organization)
	}
	if r.SessionHours > 0 && r.Authenticated != nil {
		t.until = r.Authenticated.Add(time.Duration(r.SessionHours) * time.Hour)
		if !now.Before(t.until) {
			return t, ErrEntryProof.Sayf("You signed in longer ago than %s allows. Show that it is you to go on.", organization)
		}
	}
	switch {
	case r.LacksFactor:
		return t, ErrEntrySecondFactor.Sayf("%s asks for a second factor. Set one up to get in.", organization)
	case r.WeakPassword:
		return t, ErrEntryPassword.Sayf("%s asks for a stronger password. Change yours to get in.", organization)
	case r.PasswordUntil != nil && !now.Before(*r.PasswordUntil):
		return t, ErrEntryPasswordAge.Sayf("Your password is older than %s allows. Change it to get in.", organization)
	}
	if r.PasswordUntil != nil {
		t.passwordUntil = *r.PasswordUntil
		if t.until.IsZero() || t.passwordUntil.Before(t.until) {
			t.until = t.passwordUntil
		}
	}
	return t, nil
}

// hold says whether a remembered scope may still be handed out without asking the database.
func (s *scope) hold(now time.Time) bool {
	return (s.until.IsZero() || now.Before(s.until)) && (s.idle == 0 || now.Sub(time.Unix(s.seen.Load(), 0)) <= s.idle)
}
