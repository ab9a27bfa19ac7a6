package identity

import (
	"context"
	"errors"
	"time"

	"github.com/countinghouse/countinghouse/tenant"
)

// RequestRecoveryByText is RequestRecovery with a code that is sent to the person's phone, as a text message or, with
// voice, by a call. request is what ConfirmRecovery takes with the code. Who has no number, or has been sent too many
// codes, gets the link by e-mail instead; so does everyone when the gateway does not take the message. Answer, rows and
// work are the same for an unknown address. It fails with ErrEmail, and with ErrNoRecovery where the operator wants none.
func (i *Identity) RequestRecoveryByText(ctx context.Context, email string, voice bool, from RequestInfo) (request string, err error) {
	rules, err := i.rulesNow(ctx)
	if err != nil {
		return "", err
	}
	if rules.NoRecovery {
		return "", ErrNoRecovery
	}
	if email, err = NormalizeEmail(email); err != nil {
		return "", err
	}
	link, linkHash, err := newSecret()
	if err != nil {
		return "", err
	}
	c, err := i.newCode(forRecovery, "", from)
	if err != nil {
		return "", err
	}
	c.link = linkHash[:]
	var known bool
	err = tenant.DoPlatform(ctx, i.db, func(tx *tenant.PlatformTx) error {
		if err := lockEmail(ctx, tx, email); err != nil {
			return err
		}
		sent, err := countRecoveries(ctx, tx, email, tx.Now().Add(-time.Hour))
		if err != nil || sent >= i.options.MailsPerHour {
			return err
		}
		if err := insertRecovery(ctx, tx, linkHash, email, tx.Now().Add(i.options.RecoveryLifetime)); err != nil {
			return err
		}
		if known, err = i.aimCode(ctx, tx, &c, email); err != nil {
			return err
		}
		return insertCode(ctx, tx, c)
	})
	if err != nil || !known {
		return c.request, err
	}
	if c.number == "" {
		i.tell(ctx, i.recoveryMail(email, link))
		return c.request, nil
	}
	i.textOrMail(ctx, c.text(voice && i.options.Voice), i.recoveryMail(email, link))
	return c.request, nil
}

// aimCode finds to whom a code goes: it has a number only if it is to be sent.
func (i *Identity) aimCode(ctx context.Context, tx *tenant.PlatformTx, c *phoneCode, email string) (known bool, err error) {
	p, err := personByEmail(ctx, tx, email)
	if err != nil && !errors.Is(err, ErrPerson) {
		return false, err
	}
	phone, err := phoneOf(ctx, tx, p.ID)
	if err != nil {
		return false, err
	}
	number := email // which is no number: the work is the same for nobody's
	if phone != nil && i.options.Texter != nil {
		number = phone.Number
	}
	err = i.spendText(ctx, tx, number, c.network)
	switch {
	case errors.Is(err, ErrPhoneSoon), errors.Is(err, ErrPhoneLimit):
	case err != nil:
		return false, err
	case number != email:
		c.person, c.number = p.ID, number
	}
	return !p.ID.IsZero(), nil
}

// textOrMail sends a text message while the caller goes on, and the mail when it cannot be sent.
func (i *Identity) textOrMail(ctx context.Context, t Text, m Mail) {
	sending, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Minute)
	i.sending.Go(func() {
		defer cancel()
		if err := i.options.Texter.Text(sending, t); err != nil {
			i.options.Log.Error("a text message was not sent; a mail goes instead", "kind", t.Kind, "error", err)
			i.tell(ctx, m)
		}
	})
}

// ConfirmRecovery exchanges the code that came to a phone for the token of a link as RequestRecovery mails it: good
// for CheckRecovery and Recover, once. A code is good for ten minutes, for five tries and once. It fails with
// ErrPhoneCode.
func (i *Identity) ConfirmRecovery(ctx context.Context, request, code string) (link string, err error) {
	link, hash, err := newSecret()
	if err != nil {
		return "", err
	}
	var refused error
	err = tenant.DoPlatform(ctx, i.db, func(tx *tenant.PlatformTx) error {
		kept, err := i.checkPhoneCode(ctx, tx, forRecovery, request, code)
		if err == nil {
			err = moveRecovery(ctx, tx, kept.link, hash)
		}
		if errors.Is(err, ErrPhoneCode) {
			refused = err // and the try stays counted
			return nil
		}
		return err
	})
	if err == nil {
		err = refused
	}
	if err != nil {
		return "", err
	}
	return link, nil
}
