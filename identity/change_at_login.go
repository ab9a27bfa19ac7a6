package identity

import (
	"context"
	"time"

	"github.com/countinghouse/countinghouse/internal/fault"
	"github.com/countinghouse/countinghouse/tenant"
)

// ErrChangeOver says that whoever had to change their password took too long.
var ErrChangeOver = fault.New(fault.Unauthenticated, "change.over", "This took too long. Sign in again, then set the new password.")

// changeLifetime is for thinking of a password.
const changeLifetime = 30 * time.Minute

// ChangeNeeded is how a sign-in ends whose proofs were right, of a person who has to change their password now.
type ChangeNeeded struct {
	// Token is for CompleteChange. It opens nothing else, and nothing after half an hour.
	Token string
}

// Error says what is missing, and not the token.
func (*ChangeNeeded) Error() string {
	return "identity: the password has to be changed before this sign-in goes on"
}

// enterOrChange is enter for who need not change their password. It must stand behind all proofs.
func (i *Identity) enterOrChange(ctx context.Context, tx *tenant.PlatformTx, p tenant.Person, method string, from RequestInfo) (e entry, next *ChangeNeeded, err error) {
	rules, err := i.rules(ctx, tx)
	if err != nil {
		return e, nil, err
	}
	c, err := lockPassword(ctx, tx, p.ID)
	if err != nil {
		return e, nil, err
	}
	if !rules.Password.outdated(c, tx.Now()) {
		e, err = i.enter(ctx, tx, p, method, from)
		return e, nil, err
	}
	token, hash, err := newSecret()
	if err != nil {
		return e, nil, err
	}
	if err := insertPending(ctx, tx, forChange, hash, p.ID, tx.Now().Add(changeLifetime)); err != nil {
		return e, nil, err
	}
	return e, &ChangeNeeded{token}, i.record(ctx, tx, p, p.Email, SessionID{}, method, LoginHeld, from)
}

// CheckChange says who it is that has to change their password. It fails with ErrChangeOver.
func (i *Identity) CheckChange(ctx context.Context, token string) (p tenant.Person, err error) {
	hash, ok := HashToken(token)
	if !ok {
		return p, ErrChangeOver
	}
	err = tenant.DoPlatform(ctx, i.db, func(tx *tenant.PlatformTx) error {
		p, err = changingPerson(ctx, tx, hash)
		return err
	})
	return p, err
}

// CompleteChange sets the new password of a person who had to change it, ends every session of theirs, tells them, and
// opens the session that their sign-in was about. It fails with ErrChangeOver, and with a fault.List of what
// CheckPassword refuses or of ErrPasswordReused; then the token stays good. The present password is never a new one.
func (i *Identity) CompleteChange(ctx context.Context, token, password string, from RequestInfo) (p tenant.Person, session string, err error) {
	hash, ok := HashToken(token)
	if !ok {
		return p, "", ErrChangeOver
	}
	if p, err = i.CheckChange(ctx, token); err != nil {
		return p, "", err
	}
	fresh, err := i.newPassword(ctx, p, password)
	if err != nil {
		return tenant.Person{}, "", err
	}
	if err := i.refusePresent(ctx, p, password); err != nil {
		return tenant.Person{}, "", err
	}
	var e entry
	err = tenant.DoPlatform(ctx, i.db, func(tx *tenant.PlatformTx) error {
		old, err := lockPassword(ctx, tx, p.ID)
		if err != nil {
			return err
		}
		// Behind the lock: of two who change it at once the second finds nothing here.
		if _, err := changingPerson(ctx, tx, hash); err != nil {
			return err
		}
		if err := i.setPassword(ctx, tx, p, old, fresh, from); err != nil {
			return err
		}
		e, err = i.enter(ctx, tx, p, ByPassword, from)
		return err
	})
	if err != nil {
		return tenant.Person{}, "", err
	}
	i.tell(ctx, i.changedMail(p, from))
	i.greet(ctx, p, e, from)
	return p, e.Token, nil
}

// refusePresent refuses the present password as a new one, even where the policy compares with none.
func (i *Identity) refusePresent(ctx context.Context, p tenant.Person, password string) error {
	var former []string
	err := tenant.DoPlatform(ctx, i.db, func(tx *tenant.PlatformTx) (err error) {
		former, err = formerPasswords(ctx, tx, p.ID, 1)
		return err
	})
	if err != nil || len(former) == 0 {
		return err
	}
	plain, _ := normalizePassword(password)
	if same, err := i.hasher.matches(ctx, plain, former[0]); err != nil {
		return err
	} else if same {
		return fault.List{ErrPasswordReused}
	}
	return nil
}
