package identity

import (
	"context"
	"errors"
	"time"

	"github.com/countinghouse/countinghouse/internal/fault"
	"github.com/countinghouse/countinghouse/internal/phonenumber"
	"github.com/countinghouse/countinghouse/tenant"
)

// Why a phone number is not taken, or a code not sent.
var (
	ErrPhone      = phonenumber.ErrMalformed
	ErrPhoneKind  = phonenumber.ErrKind
	ErrPhoneCode  = fault.New(fault.Invalid, "phone.code", "This code is not right, or no longer. Look again, or ask for a new one.").At("code")
	ErrPhoneSoon  = fault.New(fault.TooMany, "phone.soon", "A code was sent to this number a moment ago. Wait a minute, then ask again.")
	ErrPhoneLimit = fault.New(fault.TooMany, "phone.limit", "No more codes are sent to this number, or from where you are, today. Try again tomorrow.")
	ErrNoTexts    = fault.New(fault.Conflict, "phone.unavailable", "No text messages are sent from here. Use e-mail.")
	ErrText       = fault.New(fault.Unavailable, "phone.unsent", "The code could not be sent right now. Try again in a few minutes.")
)

// Text is a message to one phone.
type Text struct {
	Kind  string // what it is about: "phone_code", "recovery_code"
	To    string // E.164
	Say   string
	Voice bool // call and read it aloud
}

// Texter sends text messages. An error means that the message was not taken over.
type Texter interface {
	Text(ctx context.Context, t Text) error
}

// TexterFunc is a function as a Texter.
type TexterFunc func(ctx context.Context, t Text) error

// Text calls it.
func (f TexterFunc) Text(ctx context.Context, t Text) error { return f(ctx, t) }

// Phone is the number that a person has shown to be theirs.
type Phone struct {
	Number string // E.164
	Since  time.Time
}

// Pretty is the number as people write it: +353 86 012 3456.
func (p Phone) Pretty() string { return phonenumber.Pretty(p.Number) }

// Hidden is the number with all but its last two digits hidden.
func (p Phone) Hidden() string { return phonenumber.Hidden(p.Number) }

// NormalizePhone gives a number in E.164 (ITU-T), the one form in which it is kept: +353860123456. It refuses with
// ErrPhone what is no number of a country's own plan, written with its country code, and with ErrPhoneKind one that
// costs whoever calls it: a form that anyone can send must not earn anyone money.
func NormalizePhone(s string) (string, error) {
	n, err := phonenumber.Parse(s)
	return n.E164, err
}

// Texts says whether codes can be sent to phones, and whether calls can read them aloud.
func (i *Identity) Texts() (texts, voice bool) {
	return i.options.Texter != nil, i.options.Texter != nil && i.options.Voice
}

// Phone gives the number that a person has shown to be theirs; nil for none.
func (i *Identity) Phone(ctx context.Context, person tenant.PersonID) (p *Phone, err error) {
	err = tenant.DoPlatform(ctx, i.db, func(tx *tenant.PlatformTx) error {
		p, err = phoneOf(ctx, tx, person)
		return err
	})
	return p, err
}

// BeginPhone sends a code to a number that the bearer of the session says is theirs, as a text message or, with
// voice, by a call. request is what ConfirmPhone takes with the code. It fails with tenant.ErrNotSignedIn,
// ErrProofNeeded, ErrPhone, ErrPhoneKind, ErrNoTexts, ErrPhoneSoon, ErrPhoneLimit, and ErrText when the gateway does
// not take the message.
func (i *Identity) BeginPhone(ctx context.Context, session, number string, voice bool, from RequestInfo) (request string, err error) {
	if i.options.Texter == nil {
		return "", ErrNoTexts
	}
	number, err = NormalizePhone(number)
	if err != nil {
		return "", err
	}
	c, err := i.newCode(forPhone, number, from)
	if err != nil {
		return "", err
	}
	err = tenant.DoPlatform(ctx, i.db, func(tx *tenant.PlatformTx) error {
		p, err := i.proved(ctx, tx, session)
		if err != nil {
			return err
		}
		c.person = p.ID
		if err := i.spendText(ctx, tx, number, c.network); err != nil {
			return err
		}
		return insertCode(ctx, tx, c)
	})
	if err != nil {
		return "", err
	}
	if err := i.options.Texter.Text(ctx, c.text(voice && i.options.Voice)); err != nil {
		return "", ErrText.Because(err)
	}
	return c.request, nil
}

// ConfirmPhone takes the code that BeginPhone sent: the number is the person's from then on, in place of any other.
// It tells the person. A code is good for ten minutes, for five tries and once. It fails with tenant.ErrNotSignedIn
// and ErrPhoneCode.
func (i *Identity) ConfirmPhone(ctx context.Context, session, request, code string) (Phone, error) {
	hash, ok := HashToken(session)
	if !ok {
		return Phone{}, tenant.ErrNotSignedIn
	}
	var p tenant.Person
	var made Phone
	var refused error
	err := tenant.DoPlatform(ctx, i.db, func(tx *tenant.PlatformTx) error {
		row, err := personBySession(ctx, tx, hash)
		if err != nil {
			return err
		}
		p = row.person()
		kept, err := i.checkPhoneCode(ctx, tx, forPhone, request, code)
		if errors.Is(err, ErrPhoneCode) || err == nil && kept.person != p.ID {
			refused = ErrPhoneCode // and the try stays counted
			return nil
		} else if err != nil {
			return err
		}
		made = Phone{Number: kept.number, Since: tx.Now()}
		return storePhone(ctx, tx, p.ID, kept.number)
	})
	if err == nil {
		err = refused
	}
	if err != nil {
		return Phone{}, err
	}
	i.tell(ctx, i.phoneMail(p, "The phone number "+made.Hidden()+" was added to your account. A new password can be set with a code that is sent to it."))
	return made, nil
}

// RemovePhone takes a person's number away, and tells them. Where there is none that is not an error. It fails with
// tenant.ErrNotSignedIn and ErrProofNeeded.
func (i *Identity) RemovePhone(ctx context.Context, session string) error {
	var p tenant.Person
	var removed bool
	err := tenant.DoPlatform(ctx, i.db, func(tx *tenant.PlatformTx) (err error) {
		if p, err = i.proved(ctx, tx, session); err != nil {
			return err
		}
		removed, err = deletePhone(ctx, tx, p.ID)
		return err
	})
	if err == nil && removed {
		i.tell(ctx, i.phoneMail(p, "Your phone number was removed from your account."))
	}
	return err
}

func (i *Identity) phoneMail(p tenant.Person, what string) Mail {
	return Mail{
		Kind: "phone_changed", To: p.Email, Subject: "The phone number of your Countinghouse account",
		Text: what + "\n\nIf it was not you, set a new password here at once:\n\n" + i.options.Origin + "/recover\n",
	}
}
