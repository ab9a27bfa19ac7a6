// Package admission is what an organization asks of who enters it beyond what the platform asks of everyone: a second
// factor, a stronger or younger password, shorter sessions.
//
// The rules gate entry to that organization alone. Whoever does not keep to them is led to where they can, and goes on
// everywhere else as before. The organization keeps them with its settings; the platform keeps a copy, made in the same
// transaction, which package tenant holds against everyone who comes in: a request must not read another schema before
// it is let in.
//
// Nobody locks themselves out with them, and nobody locks others out without having been told how many.
package admission

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/countinghouse/countinghouse/internal/fault"
	"github.com/countinghouse/countinghouse/tenant"
)

// Why rules are not changed.
var (
	ErrChanged  = fault.New(fault.Conflict, "admission.changed", "Somebody changed these rules meanwhile. Look at them again, then change them.")
	ErrLength   = fault.New(fault.Invalid, "admission.password_length", "Ask for 12, 15 or 20 characters.").At("password_length")
	ErrScore    = fault.New(fault.Invalid, "admission.password_score", "Ask for a strength from 2 to 4.").At("password_score")
	ErrDays     = fault.New(fault.Invalid, "admission.password_days", "Give 30 to 3650 days, or 0 for passwords that do not age.").At("password_days")
	ErrIdle     = fault.New(fault.Invalid, "admission.idle_minutes", "Give 5 to 1440 minutes, or 0 for what the platform has.").At("idle_minutes")
	ErrSession  = fault.New(fault.Invalid, "admission.session_hours", "Give 1 to 720 hours, or 0 for what the platform has.").At("session_hours")
	ErrExempt   = fault.New(fault.Invalid, "admission.exempt", "Only members can be exempt.").At("exempt")
	ErrSelf     = fault.New(fault.Conflict, "admission.self", "You would lock yourself out. Do first what you ask of others.")
	ErrConfirm  = fault.New(fault.Conflict, "admission.confirm", "Members will have to do something before they get in. Confirm it.").At("confirm")
	selfFactor  = ErrSelf.Sayf("You would lock yourself out: set up your own second factor first, under Sign-in and security.").At("second_factor")
	selfWeak    = ErrSelf.Sayf("You would lock yourself out: your own password was not as strong when you set it. Change it first, under Sign-in and security.").At("password_length")
	selfTooOld  = ErrSelf.Sayf("You would lock yourself out: your own password is older than that. Change it first, under Sign-in and security.").At("password_days")
	lengthsOpen = []int{12, 15, 20}
)

// Rules is what an organization asks.
type Rules struct {
	SecondFactor   bool
	PasswordLength int // 12, 15 or 20 characters at least, as it was when the password was set
	PasswordScore  int // of zxcvbn: 2 to 4, likewise
	PasswordDays   int // 0: a password does not age
	IdleMinutes    int // 0: as the platform has it
	SessionHours   int // since they last showed who they are; 0: as the platform has it
	PortalCaptcha  bool
	Exempt         []tenant.PersonID // of whom neither second factor nor password rules are asked

	Version int
}

// Standing is how a member stands to what may be asked.
type Standing struct {
	Person         tenant.PersonID
	Name           string
	SecondFactor   bool
	PasswordLength int
	PasswordScore  int
	PasswordSince  time.Time
	Exempt         bool
}

// Effect is how many of the members would have to do something before they get in.
type Effect struct {
	Members      int
	NoFactor     int // are led to set up a second factor
	WeakPassword int // are led to change their password
	OldPassword  int // likewise
}

// Blocks says whether anyone has to do something.
func (e Effect) Blocks() bool { return e.NoFactor+e.WeakPassword+e.OldPassword > 0 }

// Sentences tell it: "3 of 5 members have no second factor and are led to set one up."
func (e Effect) Sentences() []string {
	var all []string
	tell := func(n int, one, many string) {
		switch {
		case n == 1:
			all = append(all, fmt.Sprintf("1 of %d members %s.", e.Members, one))
		case n > 1:
			all = append(all, fmt.Sprintf("%d of %d members %s.", n, e.Members, many))
		}
	}
	tell(e.NoFactor, "has no second factor and will be led to set one up", "have no second factor and will be led to set one up")
	tell(e.WeakPassword, "has a weaker password and will be led to change it", "have weaker passwords and will be led to change them")
	tell(e.OldPassword, "has an older password and will be led to change it", "have older passwords and will be led to change them")
	return all
}

// Effect works out what the rules mean for those who are members now.
func (r Rules) Effect(members []Standing, now time.Time) Effect {
	e := Effect{Members: len(members)}
	for _, m := range members {
		if slices.Contains(r.Exempt, m.Person) {
			continue
		}
		if r.SecondFactor && !m.SecondFactor {
			e.NoFactor++
		}
		switch {
		case m.PasswordLength < r.PasswordLength || m.PasswordScore < r.PasswordScore:
			e.WeakPassword++
		case r.tooOld(m, now):
			e.OldPassword++
		}
	}
	return e
}

func (r Rules) tooOld(m Standing, now time.Time) bool {
	return r.PasswordDays > 0 && now.Sub(m.PasswordSince) >= time.Duration(r.PasswordDays)*24*time.Hour
}

func (r Rules) check(members []Standing) error {
	var broken fault.List
	refuse := func(bad bool, f *fault.Error) {
		if bad {
			broken = append(broken, f)
		}
	}
	between := func(n, least, most int) bool { return n == 0 || n >= least && n <= most }
	refuse(!slices.Contains(lengthsOpen, r.PasswordLength), ErrLength)
	refuse(r.PasswordScore < 2 || r.PasswordScore > 4, ErrScore)
	refuse(!between(r.PasswordDays, 30, 3650), ErrDays)
	refuse(!between(r.IdleMinutes, 5, 1440), ErrIdle)
	refuse(!between(r.SessionHours, 1, 720), ErrSession)
	for _, p := range r.Exempt {
		if !slices.ContainsFunc(members, func(m Standing) bool { return m.Person == p }) {
			return append(broken, ErrExempt)
		}
	}
	return broken.Err()
}

// sparesSelf refuses rules that keep out who sets them.
func (r Rules) sparesSelf(members []Standing, self tenant.PersonID, now time.Time) error {
	at := slices.IndexFunc(members, func(m Standing) bool { return m.Person == self })
	if at < 0 || slices.Contains(r.Exempt, self) {
		return nil
	}
	m := members[at]
	switch {
	case r.SecondFactor && !m.SecondFactor:
		return selfFactor
	case m.PasswordLength < r.PasswordLength || m.PasswordScore < r.PasswordScore:
		return selfWeak
	case r.tooOld(m, now):
		return selfTooOld
	}
	return nil
}

// warning is for how long before an organization's rule shuts them out people are told: long enough for a holiday, and
// less than half of the shortest age that may be asked.
const warning = 14 * 24 * time.Hour

// Warns says whether someone is to be told that their password has to be changed until then. The zero time is never.
func Warns(until, now time.Time) bool { return !until.IsZero() && until.Sub(now) <= warning }

// Load reads the rules.
func Load(ctx context.Context, tx *tenant.Tx) (Rules, error) { return selectRules(ctx, tx) }

// Members tells how the active members stand, by name.
func Members(ctx context.Context, tx *tenant.Tx) ([]Standing, error) { return selectStanding(ctx, tx) }

// Change sets the rules anew; they hold for every request from the next on. version is the one that the change was made
// on. Unless it is confirmed it fails with ErrConfirm when a member who gets in now would have to do something first. It
// fails with what is out of bounds, ErrChanged, and ErrSelf when the rules would keep out who sets them.
func Change(ctx context.Context, tx *tenant.Tx, version int, next Rules, confirmed bool) (Rules, error) {
	was, err := lockRules(ctx, tx)
	if err != nil {
		return Rules{}, err
	}
	if was.Version != version {
		return Rules{}, ErrChanged
	}
	members, err := selectStanding(ctx, tx)
	if err != nil {
		return Rules{}, err
	}
	if err := next.check(members); err != nil {
		return Rules{}, err
	}
	if err := next.sparesSelf(members, tx.Scope().Person().ID, tx.Now()); err != nil {
		return Rules{}, err
	}
	before, after := was.Effect(members, tx.Now()), next.Effect(members, tx.Now())
	if after.worseThan(before) && !confirmed {
		return Rules{}, ErrConfirm.Sayf("%s Confirm it.", strings.Join(after.Sentences(), " "))
	}
	next.Version = was.Version + 1
	if err := storeRules(ctx, tx, next); err != nil {
		return Rules{}, err
	}
	for _, m := range members {
		if exempt := slices.Contains(next.Exempt, m.Person); exempt != m.Exempt {
			if err := storeExempt(ctx, tx, m.Person, exempt); err != nil {
				return Rules{}, err
			}
		}
	}
	return next, tx.Record(ctx, tenant.Act{Action: "admission.change", Object: "settings", Changes: changes(was, next)})
}

func (e Effect) worseThan(before Effect) bool {
	return e.NoFactor > before.NoFactor || e.WeakPassword > before.WeakPassword || e.OldPassword > before.OldPassword
}

func changes(was, is Rules) []tenant.Change {
	number := func(field string, before, after int) tenant.Change {
		return tenant.Change{Field: field, Before: strconv.Itoa(before), After: strconv.Itoa(after)}
	}
	return []tenant.Change{
		{Field: "second_factor", Before: strconv.FormatBool(was.SecondFactor), After: strconv.FormatBool(is.SecondFactor)},
		number("password_length", was.PasswordLength, is.PasswordLength),
		number("password_score", was.PasswordScore, is.PasswordScore),
		number("password_days", was.PasswordDays, is.PasswordDays),
		number("idle_minutes", was.IdleMinutes, is.IdleMinutes),
		number("session_hours", was.SessionHours, is.SessionHours),
		{Field: "portal_captcha", Before: strconv.FormatBool(was.PortalCaptcha), After: strconv.FormatBool(is.PortalCaptcha)},
		number("exempt", len(was.Exempt), len(is.Exempt)),
	}
}
