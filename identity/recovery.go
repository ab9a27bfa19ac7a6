package identity

import (
	"context"
	"errors"
	"time"

	"github.com/countinghouse/countinghouse/internal/fault"
	"github.com/countinghouse/countinghouse/tenant"
)

// ErrNoRecovery says that forgotten passwords are set by the operator alone.
var ErrNoRecovery = fault.New(fault.Forbidden, "recovery.off", "A forgotten password is not set from here. Ask whoever runs this service.")

// RequestRecovery mails a link by which a new password can be set, if someone has the address. Answer and work are
// the same for an unknown one, which gets nothing. Each address gets Options.MailsPerHour at most. It fails with
// ErrEmail, and with ErrNoRecovery where the operator wants none.
func (i *Identity) RequestRecovery(ctx context.Context, email string) error {
	rules, err := i.rulesNow(ctx)
	if err != nil {
		return err
	}
	if rules.NoRecovery {
		return ErrNoRecovery
	}
	return i.mailRecovery(ctx, email)
}

func (i *Identity) mailRecovery(ctx context.Context, email string) error {
	email, err := NormalizeEmail(email)
	if err != nil {
		return err
	}
	secret, hash, err := newSecret()
	if err != nil {
		return err
	}
	var send bool
	err = tenant.DoPlatform(ctx, i.db, func(tx *tenant.PlatformTx) error {
		if err := lockEmail(ctx, tx, email); err != nil {
			return err
		}
		sent, err := countRecoveries(ctx, tx, email, tx.Now().Add(-time.Hour))
		if err != nil || sent >= i.options.MailsPerHour {
			return err
		}
		// For an unknown address the row only counts the request: its token is told to nobody.
		if err := insertRecovery(ctx, tx, hash, email, tx.Now().Add(i.options.RecoveryLifetime)); err != nil {
			return err
		}
		send, err = emailKnown(ctx, tx, email)
		return err
	})
	if err != nil || !send {
		return err
	}
	i.tell(ctx, i.recoveryMail(email, secret))
	return nil
}

// RecoveryLink makes a link by which a person can set a new password, for the operator to hand to them where nobody
// recovers by themselves, or where no mail arrives. It is good for as long as a mailed one, once. It fails with ErrEmail,
// and with ErrPerson where nobody has the address.
func (i *Identity) RecoveryLink(ctx context.Context, email string) (string, error) {
	p, err := i.PersonByEmail(ctx, email)
	if err != nil {
		return "", err
	}
	secret, hash, err := newSecret()
	if err != nil {
		return "", err
	}
	err = tenant.DoPlatform(ctx, i.db, func(tx *tenant.PlatformTx) error {
		return insertRecovery(ctx, tx, hash, p.Email, tx.Now().Add(i.options.RecoveryLifetime))
	})
	return i.recoveryAddress(secret), err
}

func (i *Identity) recoveryAddress(secret string) string {
	return i.options.Origin + "/recover/set?token=" + secret
}

// CheckRecovery says whose link it is, without using it up. It fails with ErrLink.
func (i *Identity) CheckRecovery(ctx context.Context, token string) (p tenant.Person, err error) {
	hash, ok := HashToken(token)
	if !ok {
		return p, ErrLink
	}
	err = tenant.DoPlatform(ctx, i.db, func(tx *tenant.PlatformTx) error {
		p, err = personByRecovery(ctx, tx, hash)
		return err
	})
	return p, err
}

// Recover uses a mailed link up: it sets a new password, ends every session, lets the account be tried afresh, and
// tells the person. It opens no session: signing in with the new password follows, and a second factor with it.
// from.Device is a known device from then on, so that it gets in while others still guess. It fails with ErrLink,
// and with a fault.List of what CheckPassword refuses or of ErrPasswordReused; then the link stays good.
func (i *Identity) Recover(ctx context.Context, token, password string, from RequestInfo) error {
	hash, ok := HashToken(token)
	if !ok {
		return ErrLink
	}
	p, err := i.CheckRecovery(ctx, token)
	if err != nil {
		return err
	}
	fresh, err := i.newPassword(ctx, p, password)
	if err != nil {
		return err
	}
	err = tenant.DoPlatform(ctx, i.db, func(tx *tenant.PlatformTx) error {
		old, err := lockPassword(ctx, tx, p.ID)
		if err != nil {
			return err
		}
		if err := useRecovery(ctx, tx, hash, p.Email); err != nil {
			return err
		}
		if err := i.setPassword(ctx, tx, p, old, fresh, from); err != nil {
			return err
		}
		if _, err := noteDevice(ctx, tx, p.ID, from.Device); err != nil {
			return err
		}
		return errors.Join(
			clearTries(ctx, tx, i.subject(accountBudget().kind, p.Email)),
			clearTries(ctx, tx, i.subject(deviceBudget().kind, p.Email, from.Device)),
			i.record(ctx, tx, p, p.Email, SessionID{}, ByRecovery, LoginRecovered, from))
	})
	if err != nil {
		return err
	}
	i.tell(ctx, i.changedMail(p, from))
	return nil
}

func (i *Identity) recoveryMail(email, secret string) Mail {
	return Mail{
		Kind: "recovery", To: email, Subject: "Set a new Countinghouse password",
		Text: "Someone, most likely you, asked to set a new password for your account.\n\n" +
			"Do it here within " + roughly(i.options.RecoveryLifetime) + ":\n\n" +
			i.recoveryAddress(secret) + "\n\n" +
			"If it was not you, there is nothing to do. Your password stays as it is.\n",
	}
}
