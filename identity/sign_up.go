package identity

import (
	"context"
	"fmt"
	"time"

	"github.com/countinghouse/countinghouse/internal/fault"
	"github.com/countinghouse/countinghouse/internal/id"
	"github.com/countinghouse/countinghouse/tenant"
)

const personNameMax = 200

// Why a sign-up does not go on.
var (
	ErrLink     = fault.New(fault.NotFound, "link.invalid", "This link is not valid, or no longer. Ask for a new one.")
	ErrSignedUp = fault.New(fault.Conflict, "sign_up.done", "This address has an account already. Sign in with it.")
	ErrMail     = fault.New(fault.Unavailable, "mail.unavailable", "The mail could not be sent right now. Try again in a few minutes.")
)

// RequestSignUp mails a link to an address with which an identity can be made, or, to one that has an identity,
// where to sign in. Answer and work are the same for both. Each address gets Options.MailsPerHour at most;
// beyond that nothing is sent and the answer is still the same. It fails with ErrEmail, and with ErrMail when
// the mailer does not take the message.
func (i *Identity) RequestSignUp(ctx context.Context, email string) error {
	email, err := NormalizeEmail(email)
	if err != nil {
		return err
	}
	secret, hash, err := newSecret()
	if err != nil {
		return err
	}
	var send, known bool
	err = tenant.DoPlatform(ctx, i.db, func(tx *tenant.PlatformTx) error {
		if err := lockEmail(ctx, tx, email); err != nil {
			return err
		}
		sent, err := countVerifications(ctx, tx, email, tx.Now().Add(-time.Hour))
		if err != nil || sent >= i.options.MailsPerHour {
			return err
		}
		send = true
		// For a known address the row only counts the mail: its token is told to nobody.
		if err := insertVerification(ctx, tx, hash, email, tx.Now().Add(i.options.LinkLifetime)); err != nil {
			return err
		}
		known, err = emailKnown(ctx, tx, email)
		return err
	})
	if err != nil || !send {
		return err
	}
	m := i.signUpMail(email, secret)
	if known {
		m = i.knownMail(email)
	}
	if err := i.mailer.Send(ctx, m); err != nil {
		return ErrMail.Because(err)
	}
	return nil
}

func (i *Identity) signUpMail(email, secret string) Mail {
	return Mail{
		Kind: "sign_up", To: email, Subject: "Your Countinghouse account",
		Text: "Someone, most likely you, asked for a Countinghouse account with this address.\n\n" +
			"Go on here within " + hours(i.options.LinkLifetime) + ":\n\n" +
			i.options.Origin + "/set-up?token=" + secret + "\n\n" +
			"If it was not you, there is nothing to do. Without this link nothing happens.\n",
	}
}

func (i *Identity) knownMail(email string) Mail {
	return Mail{
		Kind: "sign_up_known", To: email, Subject: "You have a Countinghouse account",
		Text: "Someone, most likely you, asked for a Countinghouse account with this address.\n\n" +
			"You have one already. Sign in here:\n\n" +
			i.options.Origin + "/sign-in\n\n" +
			"If it was not you, there is nothing to do. Nobody got in, and nothing has changed.\n",
	}
}

func hours(d time.Duration) string {
	switch n := int(d.Round(time.Hour) / time.Hour); n {
	case 0, 1:
		return "an hour"
	default:
		return fmt.Sprintf("%d hours", n)
	}
}

// CheckSignUp says whose address a mailed link proves, without using the link up. It fails with ErrLink, and
// with ErrSignedUp when the address has got an identity since.
func (i *Identity) CheckSignUp(ctx context.Context, token string) (email string, err error) {
	hash, ok := HashToken(token)
	if !ok {
		return "", ErrLink
	}
	err = tenant.DoPlatform(ctx, i.db, func(tx *tenant.PlatformTx) error {
		if email, err = verifiedEmail(ctx, tx, hash); err != nil {
			return err
		}
		known, err := emailKnown(ctx, tx, email)
		if err == nil && known {
			return ErrSignedUp
		}
		return err
	})
	if err != nil {
		return "", err
	}
	return email, nil
}

// CompleteSignUp uses a mailed link up: it makes the person and their password, and opens a session, whose
// token it gives. It fails with ErrLink, ErrSignedUp, and a fault.List of what is wrong with the name and what
// ValidatePassword refuses; then the link stays good.
func (i *Identity) CompleteSignUp(ctx context.Context, token, name, password string, from RequestInfo) (p tenant.Person, session string, err error) {
	hash, ok := HashToken(token)
	if !ok {
		return p, "", ErrLink
	}
	email, err := i.CheckSignUp(ctx, token)
	if err != nil {
		return p, "", err
	}
	p, fresh, err := i.newPerson(ctx, email, name, password)
	if err != nil {
		return tenant.Person{}, "", err
	}
	session, err = i.settle(ctx, p, fresh, from, func(tx *tenant.PlatformTx) error { return useVerification(ctx, tx, hash, email) })
	if err != nil {
		return tenant.Person{}, "", err
	}
	return p, session, nil
}

// settle makes a person and their password and opens their first session, whose token it gives, all or nothing. prove
// uses up what vouches for their address, after others who settle with the same one had their turn.
func (i *Identity) settle(ctx context.Context, p tenant.Person, fresh freshPassword, from RequestInfo, prove func(tx *tenant.PlatformTx) error) (session string, err error) {
	var e entry
	err = tenant.DoPlatform(ctx, i.db, func(tx *tenant.PlatformTx) error {
		if err := lockEmail(ctx, tx, p.Email); err != nil {
			return err
		}
		if err := prove(tx); err != nil {
			return err
		}
		if err := insertPerson(ctx, tx, p, fresh); err != nil {
			return err
		}
		e, err = i.enter(ctx, tx, p, BySignUp, from)
		return err
	})
	if err != nil {
		return "", err
	}
	return e.Token, nil
}

// AddPerson makes a person without a mail: for the operator's command line, which vouches for the address. It
// fails with ErrEmail, ErrSignedUp, and a fault.List as CompleteSignUp does.
func (i *Identity) AddPerson(ctx context.Context, email, name, password string) (tenant.Person, error) {
	email, err := NormalizeEmail(email)
	if err != nil {
		return tenant.Person{}, err
	}
	p, fresh, err := i.newPerson(ctx, email, name, password)
	if err != nil {
		return tenant.Person{}, err
	}
	err = tenant.DoPlatform(ctx, i.db, func(tx *tenant.PlatformTx) error {
		return insertPerson(ctx, tx, p, fresh)
	})
	if err != nil {
		return tenant.Person{}, err
	}
	return p, nil
}

func (i *Identity) newPerson(ctx context.Context, email, name, password string) (p tenant.Person, fresh freshPassword, err error) {
	name, err = checkName(name, personNameMax)
	var refused fault.List
	if !refused.Add("name", err) {
		return p, fresh, err
	}
	if err := i.CheckPassword(ctx, password, email, name); !refused.Add("password", err) {
		return p, fresh, err
	}
	if err := refused.Err(); err != nil {
		return p, fresh, err
	}
	if fresh, err = i.hashFresh(ctx, password, email, name); err != nil {
		return p, fresh, err
	}
	return tenant.Person{ID: id.New[tenant.Person](), Name: name, Email: email}, fresh, nil
}
