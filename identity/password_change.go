package identity

import (
	"context"
	"slices"
	"unicode/utf8"

	"github.com/countinghouse/countinghouse/internal/fault"
	"github.com/countinghouse/countinghouse/internal/watch"
	"github.com/countinghouse/countinghouse/tenant"
)

// Why a password is not changed, or has to be.
var (
	ErrPresentPassword = fault.New(fault.Invalid, "password.present", "This is not your present password.").At("present")
	// ErrMustChange answers a right password alone. Who knows it may be who stole it, so that the way on leads
	// through the mail.
	ErrMustChange = fault.New(fault.Forbidden, "password.must_change", "This password has to be changed first. We have sent you a link to set a new one.")
	ErrLogin      = fault.New(fault.NotFound, "login.not_found", "There is no such login of yours.")
)

// ChangePassword sets a new password for the bearer of an open session who knows the present one. It ends every
// session, tells the person, and gives the token of a new session for this browser. It fails with
// tenant.ErrNotSignedIn, ErrPresentPassword, a *Wait after too many of these, and a fault.List of what
// CheckPassword refuses or of ErrPasswordReused.
func (i *Identity) ChangePassword(ctx context.Context, token, present, password string, from RequestInfo) (session string, err error) {
	hash, ok := HashToken(token)
	if !ok {
		return "", tenant.ErrNotSignedIn
	}
	var p tenant.Person
	var old passwordRow
	var taken try
	err = tenant.DoPlatform(ctx, i.db, func(tx *tenant.PlatformTx) error {
		row, err := personBySession(ctx, tx, hash)
		if err != nil {
			return err
		}
		p = row.person()
		if taken, err = i.take(ctx, tx, proofBudget(), p.ID.String()); err != nil {
			return err
		}
		old, err = lockPassword(ctx, tx, p.ID)
		return err
	})
	if err != nil {
		return "", err
	}
	plain, _ := normalizePassword(present)
	if good, err := i.hasher.matches(ctx, plain, old.Secret); err != nil {
		return "", err
	} else if !good {
		return "", ErrPresentPassword
	}
	// Who knows the present one may try as many new ones as it takes to find one that is not refused.
	err = tenant.DoPlatform(ctx, i.db, func(tx *tenant.PlatformTx) error { return giveBack(ctx, tx, []try{taken}) })
	if err != nil {
		return "", err
	}
	fresh, err := i.newPassword(ctx, p, password)
	if err != nil {
		return "", err
	}
	if session, err = i.replacePassword(ctx, hash, p, old, fresh, from); err != nil {
		return "", err
	}
	i.tell(ctx, i.changedMail(p, from))
	return session, nil
}

// replacePassword does what ChangePassword found allowed, if session and password still are what they were.
func (i *Identity) replacePassword(ctx context.Context, hash tenant.Hash, p tenant.Person, old passwordRow, fresh freshPassword, from RequestInfo) (token string, err error) {
	err = tenant.DoPlatform(ctx, i.db, func(tx *tenant.PlatformTx) error {
		if _, err := personBySession(ctx, tx, hash); err != nil {
			return err // ended while we worked
		}
		c, err := lockPassword(ctx, tx, p.ID)
		if err != nil {
			return err
		}
		if c.Secret != old.Secret {
			return ErrPresentPassword
		}
		if err := i.setPassword(ctx, tx, p, c, fresh, from); err != nil {
			return err
		}
		var session SessionID
		if token, session, err = i.newSession(ctx, tx, p.ID, from); err != nil {
			return err
		}
		return i.record(ctx, tx, p, p.Email, session, ByPassword, LoginChanged, from)
	})
	return token, err
}

// freshPassword is a new password as it is kept: its PHC string, and what an organization may ask of it later, when
// nobody can read it any more.
type freshPassword struct {
	phc    string
	length int // the longest of lengthClasses that it reaches
	score  int
}

// lengthClasses are the lengths that an organization may ask for. The exact one is not kept: it would help who guesses.
var lengthClasses = []int{20, 15, passwordMin}

func (i *Identity) hashFresh(ctx context.Context, password, email, name string) (f freshPassword, err error) {
	plain, _ := normalizePassword(password)
	if f.phc, err = i.hasher.hash(ctx, plain); err != nil {
		return f, err
	}
	length := utf8.RuneCountInString(plain)
	f.length = lengthClasses[slices.IndexFunc(lengthClasses, func(class int) bool { return length >= class || class == passwordMin })]
	f.score = max(score(plain, email, name), leastScore)
	return f, nil
}

// newPassword checks a new password of a person, and hashes it.
func (i *Identity) newPassword(ctx context.Context, p tenant.Person, password string) (fresh freshPassword, err error) {
	if err := i.CheckPassword(ctx, password, p.Email, p.Name); err != nil {
		return fresh, err
	}
	var former []string
	err = tenant.DoPlatform(ctx, i.db, func(tx *tenant.PlatformTx) error {
		rules, err := i.rules(ctx, tx)
		if err != nil {
			return err
		}
		former, err = formerPasswords(ctx, tx, p.ID, rules.Password.history())
		return err
	})
	if err != nil {
		return fresh, err
	}
	plain, _ := normalizePassword(password)
	for _, secret := range former {
		if same, err := i.hasher.matches(ctx, plain, secret); err != nil {
			return fresh, err
		} else if same {
			return fresh, fault.List{ErrPasswordReused}
		}
	}
	return i.hashFresh(ctx, password, p.Email, p.Name)
}

// setPassword replaces a password and everything that the old one opened: all sessions, and all devices but the
// one that asks.
func (i *Identity) setPassword(ctx context.Context, tx *tenant.PlatformTx, p tenant.Person, old passwordRow, fresh freshPassword, from RequestInfo) error {
	rules, err := i.rules(ctx, tx)
	if err != nil {
		return err
	}
	if err := storePassword(ctx, tx, p.ID, old.Secret, fresh, rules.Password.history()-1); err != nil {
		return err
	}
	if err := endRecovery(ctx, tx, p.Email); err != nil {
		return err
	}
	if err := endPending(ctx, tx, p.ID); err != nil {
		return err
	}
	if err := endSessions(ctx, tx, p.ID, tenant.Hash{}); err != nil {
		return err
	}
	return forgetDevices(ctx, tx, p.ID, from.Device)
}

// RequirePasswordChange lets a person in only after they have set a new password by a mailed link. Open sessions
// stay.
func (i *Identity) RequirePasswordChange(ctx context.Context, person tenant.PersonID) error {
	return tenant.DoPlatform(ctx, i.db, func(tx *tenant.PlatformTx) error { return requireChange(ctx, tx, person) })
}

// Disown is for a person who says that a login of theirs was not them. It ends the session of that login and every
// other but the one that asks, forgets all devices but the one that asks, revokes every API token of the person in
// every organization, lets the present password open nothing more until it is changed, and keeps all this on
// record. It fails with tenant.ErrNotSignedIn and ErrLogin.
func (i *Identity) Disown(ctx context.Context, token string, session SessionID, from RequestInfo) error {
	hash, ok := HashToken(token)
	if !ok {
		return tenant.ErrNotSignedIn
	}
	var p tenant.Person
	err := tenant.DoPlatform(ctx, i.db, func(tx *tenant.PlatformTx) error {
		row, err := personBySession(ctx, tx, hash)
		if err != nil {
			return err
		}
		p = row.person()
		method, err := loginOfSession(ctx, tx, p.ID, session)
		if err != nil {
			return err
		}
		if err := i.record(ctx, tx, p, p.Email, session, method, LoginDisowned, from); err != nil {
			return err
		}
		if err := endSessionByID(ctx, tx, p.ID, session); err != nil {
			return err
		}
		if err := endSessions(ctx, tx, p.ID, hash); err != nil {
			return err
		}
		if err := forgetDevices(ctx, tx, p.ID, from.Device); err != nil {
			return err
		}
		if err := endPending(ctx, tx, p.ID); err != nil {
			return err
		}
		if err := revokeTokensOf(ctx, tx, p.ID); err != nil {
			return err
		}
		return requireChange(ctx, tx, p.ID)
	})
	if err != nil {
		return err
	}
	i.tell(ctx, i.disownedMail(p))
	i.raise(ctx, watch.Event{Kind: watch.Disowned, Person: p.ID, Network: networkOf(from.Network), Subject: "session " + session.String(),
		Detail: "session " + session.String()})
	return nil
}

func (i *Identity) changedMail(p tenant.Person, from RequestInfo) Mail {
	return Mail{
		Kind: "password_changed", To: p.Email, Subject: "Your Countinghouse password was changed",
		Text: "The password of your account was changed" + i.fromWhere(from) + ". Everywhere else you are signed out.\n\n" +
			"If it was not you, set a new one here at once:\n\n" + i.options.Origin + "/recover\n",
	}
}

func (i *Identity) disownedMail(p tenant.Person) Mail {
	return Mail{
		Kind: "disowned", To: p.Email, Subject: "Your Countinghouse account was secured",
		Text: "You told us that a login to your account was not yours. It is ended, you are signed out everywhere else, and your API tokens are revoked.\n\n" +
			"Set a new password, if you have not yet:\n\n" + i.options.Origin + "/recover\n",
	}
}
