package identity

import (
	"context"
	"errors"
	"net/netip"
	"strings"
	"time"
	"unicode"

	"github.com/countinghouse/countinghouse/internal/fault"
	"github.com/countinghouse/countinghouse/internal/id"
	"github.com/countinghouse/countinghouse/tenant"
)

// ErrRefused is the one answer to a wrong password and to an unknown address.
var ErrRefused = fault.New(fault.Unauthenticated, "sign_in.refused", "This e-mail address and password do not belong together.")

// ErrPerson says that nobody has that address.
var ErrPerson = fault.New(fault.NotFound, "person.not_found", "Nobody has an account with this address.")

const userAgentMax = 300

// Session is one that is open: a browser in which a person is signed in.
type Session struct {
	ID        SessionID
	CreatedAt time.Time
	SeenAt    time.Time
	Network   string
	Place     string // where that is; empty when it is not known
	UserAgent string
	Current   bool // the one that asks
}

// SessionID names a session. It opens nothing.
type SessionID = id.Of[Session]

// Agent names browser and system.
func (s Session) Agent() string { return DescribeAgent(s.UserAgent) }

// seenEvery is how often at most the use of a session is written down.
const seenEvery = time.Minute

// SignIn opens a session for who knows the password of an address, and gives its token. It fails with ErrRefused,
// after the same work whether the address is known or not; with a *Wait after too many failures of the account, the
// network or, for a device that the person signed in with before, of that device alone; and with ErrMustChange when
// the password may be known to others and has to be changed first. For a person with a second factor it fails with a
// *SecondStepNeeded, and CompleteSecondStep opens the session. With a *ChangeNeeded it fails, as that does, for a
// person who has to change their password now, and CompleteChange opens the session.
func (i *Identity) SignIn(ctx context.Context, email, password string, from RequestInfo) (p tenant.Person, session string, err error) {
	address := typedAddress(email)
	found, taken, err := i.beginSignIn(ctx, address, from)
	if err != nil {
		return tenant.Person{}, "", err
	}
	p, phc := found.person(), found.Secret
	if p.ID.IsZero() {
		phc = i.hasher.decoy
	}
	plain, typed := normalizePassword(password)
	good, err := i.hasher.matches(ctx, plain, phc)
	if err != nil {
		return tenant.Person{}, "", err
	}
	if !good || !typed || p.ID.IsZero() {
		return tenant.Person{}, "", i.refuse(ctx, p, address, taken, from)
	}
	return i.admit(ctx, p, phc, taken, from)
}

// beginSignIn takes the try that the sign-in costs before any work is done. The row is zero for an unknown address.
func (i *Identity) beginSignIn(ctx context.Context, address string, from RequestInfo) (found personRow, taken []try, err error) {
	err = tenant.DoPlatform(ctx, i.db, func(tx *tenant.PlatformTx) error {
		if found, err = personWithPassword(ctx, tx, address, from.Device); err != nil {
			return err
		}
		taken, err = i.takeSignIn(ctx, tx, address, found.Known, from)
		return err
	})
	return found, taken, err
}

// refuse records a failure and, once a day, tells the owner of an account that is being guessed.
func (i *Identity) refuse(ctx context.Context, p tenant.Person, address string, taken []try, from RequestInfo) error {
	var told bool
	var accounts int
	guessed, over := exhausted(taken)
	err := tenant.DoPlatform(ctx, i.db, func(tx *tenant.PlatformTx) (err error) {
		if over {
			if told, err = noteTold(ctx, tx, guessed.subject); err != nil {
				return err
			}
		}
		if err := i.record(ctx, tx, p, address, SessionID{}, ByPassword, LoginRefused, from); err != nil {
			return err
		}
		accounts, err = accountsTried(ctx, tx, from.Network)
		return err
	})
	if err != nil {
		return err
	}
	if over {
		i.raise(ctx, guessing(p, guessed, from))
	}
	if accounts >= sprayedAccounts {
		i.raise(ctx, spraying(accounts, from))
	}
	if told && !p.ID.IsZero() {
		i.tell(ctx, i.guessedMail(p, from))
	}
	return ErrRefused
}

// admit lets in who gave the right password, if it still is that in the moment that the session opens.
func (i *Identity) admit(ctx context.Context, p tenant.Person, phc string, taken []try, from RequestInfo) (tenant.Person, string, error) {
	var e entry
	var change bool
	var owed *SecondStepNeeded
	var next *ChangeNeeded
	err := tenant.DoPlatform(ctx, i.db, func(tx *tenant.PlatformTx) error {
		c, err := lockPassword(ctx, tx, p.ID)
		if err != nil {
			return err
		}
		if c.Secret != phc {
			return ErrRefused
		}
		if err := giveBack(ctx, tx, taken); err != nil {
			return err
		}
		if change = c.MustChange; change {
			return i.record(ctx, tx, p, p.Email, SessionID{}, ByPassword, LoginHeld, from)
		}
		if owed, err = i.oweSecondStep(ctx, tx, p.ID); err != nil || owed != nil {
			return err
		}
		e, next, err = i.enterOrChange(ctx, tx, p, ByPassword, from)
		return err
	})
	switch {
	case err != nil:
		return tenant.Person{}, "", err
	case owed != nil:
		return tenant.Person{}, "", owed
	case next != nil:
		return tenant.Person{}, "", next
	case change:
		return tenant.Person{}, "", errors.Join(ErrMustChange, i.mailRecovery(ctx, p.Email))
	}
	i.greet(ctx, p, e, from)
	return p, e.Token, nil
}

// SignOut ends a session at once, everywhere. What is no open session is none already: that is not an error.
func (i *Identity) SignOut(ctx context.Context, token string) error {
	hash, ok := HashToken(token)
	if !ok {
		return nil
	}
	return tenant.DoPlatform(ctx, i.db, func(tx *tenant.PlatformTx) error { return endSession(ctx, tx, hash) })
}

// PersonBySession says whose open session it is, for pages outside any organization, and notes that the person
// was there (once a minute at most). It fails with tenant.ErrNotSignedIn.
func (i *Identity) PersonBySession(ctx context.Context, token string) (p tenant.Person, err error) {
	hash, ok := HashToken(token)
	if !ok {
		return p, tenant.ErrNotSignedIn
	}
	err = tenant.DoPlatform(ctx, i.db, func(tx *tenant.PlatformTx) error {
		row, err := personBySession(ctx, tx, hash)
		if err != nil {
			return err
		}
		p = row.person()
		if tx.Now().Sub(row.Seen) < seenEvery {
			return nil
		}
		return noteSeen(ctx, tx, hash)
	})
	if err != nil {
		return tenant.Person{}, err
	}
	return p, nil
}

// Sessions lists where a person is signed in, the last used first. token tells which of them asks.
func (i *Identity) Sessions(ctx context.Context, person tenant.PersonID, token string) (all []Session, err error) {
	hash, _ := HashToken(token)
	err = tenant.DoPlatform(ctx, i.db, func(tx *tenant.PlatformTx) error {
		all, err = openSessions(ctx, tx, person, hash)
		return err
	})
	for n := range all {
		all[n].Place = i.placeOf(all[n].Network)
	}
	return all, err
}

// EndSession signs a person out of one of their sessions. One that is over, or another's, is left as it is: that is
// not an error.
func (i *Identity) EndSession(ctx context.Context, person tenant.PersonID, session SessionID) error {
	return tenant.DoPlatform(ctx, i.db, func(tx *tenant.PlatformTx) error { return endSessionByID(ctx, tx, person, session) })
}

// EndOtherSessions signs the bearer of an open session out of all others. It fails with tenant.ErrNotSignedIn.
func (i *Identity) EndOtherSessions(ctx context.Context, token string) error {
	hash, ok := HashToken(token)
	if !ok {
		return tenant.ErrNotSignedIn
	}
	return tenant.DoPlatform(ctx, i.db, func(tx *tenant.PlatformTx) error {
		row, err := personBySession(ctx, tx, hash)
		if err != nil {
			return err
		}
		return endSessions(ctx, tx, row.ID, hash)
	})
}

// PersonByEmail finds a person, for the operator's command line. It fails with ErrEmail and ErrPerson.
func (i *Identity) PersonByEmail(ctx context.Context, email string) (p tenant.Person, err error) {
	if email, err = NormalizeEmail(email); err != nil {
		return p, err
	}
	err = tenant.DoPlatform(ctx, i.db, func(tx *tenant.PlatformTx) error {
		p, err = personByEmail(ctx, tx, email)
		return err
	})
	return p, err
}

// Membership is an organization that someone may enter, and as what.
type Membership struct {
	Organization tenant.Organization
	Role         string
	// PasswordUntil is when the organization's own rules shut them out unless they change their password before; zero
	// for never.
	PasswordUntil time.Time
	// Sample says that it is one to look around in.
	Sample bool
}

// Organizations lists where a person may enter today, by name.
func (i *Identity) Organizations(ctx context.Context, person tenant.PersonID) (all []Membership, err error) {
	err = tenant.DoPlatform(ctx, i.db, func(tx *tenant.PlatformTx) error {
		all, err = memberships(ctx, tx, person)
		return err
	})
	return all, err
}

// newSession always makes a new token, so that one planted in a browser before signing in opens nothing after.
func (i *Identity) newSession(ctx context.Context, tx *tenant.PlatformTx, person tenant.PersonID, from RequestInfo) (string, SessionID, error) {
	secret, hash, err := newSecret()
	if err != nil {
		return "", SessionID{}, err
	}
	rules, err := i.rules(ctx, tx)
	if err != nil {
		return "", SessionID{}, err
	}
	session := id.New[Session]()
	return secret, session, insertSession(ctx, tx, sessionInput{
		hash: hash, id: session, person: person, idle: rules.IdleTimeout, expires: tx.Now().Add(rules.SessionLifetime),
		network: cleanNetwork(from.Network), userAgent: cleanUserAgent(from.UserAgent),
	})
}

// cleanNetwork is an address as the database takes it, or nil.
func cleanNetwork(s string) any {
	a, err := netip.ParseAddr(s)
	if err != nil {
		return nil
	}
	return a.Unmap().WithZone("").String()
}

func cleanUserAgent(s string) string {
	if len(s) > 4*userAgentMax {
		s = s[:4*userAgentMax]
	}
	s = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return -1
		}
		return r
	}, strings.ToValidUTF8(s, ""))
	if runes := []rune(s); len(runes) > userAgentMax {
		return string(runes[:userAgentMax])
	}
	return s
}
