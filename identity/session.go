package identity

import (
	"context"
	"net/netip"
	"strings"
	"time"
	"unicode"

	"github.com/countinghouse/countinghouse/internal/fault"
	"github.com/countinghouse/countinghouse/tenant"
)

// ErrRefused is the one answer to a wrong password and to an unknown address.
var ErrRefused = fault.New(fault.Unauthenticated, "sign_in.refused", "This e-mail address and password do not belong together.")

// ErrPerson says that nobody has that address.
var ErrPerson = fault.New(fault.NotFound, "person.not_found", "Nobody has an account with this address.")

const userAgentMax = 300

// seenEvery is how often at most the use of a session is written down.
const seenEvery = time.Minute

// SignIn opens a session for who knows the password of an address, and gives its token. It fails with ErrRefused,
// after the same work whether the address is known or not.
func (i *Identity) SignIn(ctx context.Context, email, password string, from RequestInfo) (p tenant.Person, session string, err error) {
	phc := i.hasher.decoy
	if email, err = NormalizeEmail(email); err == nil {
		err = tenant.DoPlatform(ctx, i.db, func(tx *tenant.PlatformTx) error {
			found, err := personWithPassword(ctx, tx, email)
			if err == nil && !found.ID.IsZero() {
				p, phc = found.person(), found.Secret
			}
			return err
		})
		if err != nil {
			return tenant.Person{}, "", err
		}
	}
	plain, typed := normalizePassword(password)
	good, err := i.hasher.matches(ctx, plain, phc)
	if err != nil {
		return tenant.Person{}, "", err
	}
	if !good || !typed || p.ID.IsZero() {
		return tenant.Person{}, "", ErrRefused
	}
	err = tenant.DoPlatform(ctx, i.db, func(tx *tenant.PlatformTx) error {
		session, err = i.openSession(ctx, tx, p.ID, from)
		return err
	})
	if err != nil {
		return tenant.Person{}, "", err
	}
	return p, session, nil
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
}

// Organizations lists where a person may enter today, by name.
func (i *Identity) Organizations(ctx context.Context, person tenant.PersonID) (all []Membership, err error) {
	err = tenant.DoPlatform(ctx, i.db, func(tx *tenant.PlatformTx) error {
		all, err = memberships(ctx, tx, person)
		return err
	})
	return all, err
}

// openSession always makes a new token, so that one planted in a browser before signing in opens nothing after.
func (i *Identity) openSession(ctx context.Context, tx *tenant.PlatformTx, person tenant.PersonID, from RequestInfo) (string, error) {
	secret, hash, err := newSecret()
	if err != nil {
		return "", err
	}
	return secret, insertSession(ctx, tx, sessionInput{
		hash: hash, person: person, idle: i.options.IdleTimeout, expires: tx.Now().Add(i.options.SessionLifetime),
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
