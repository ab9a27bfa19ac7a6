package contact

import (
	"context"
	"errors"
	"time"

	"github.com/countinghouse/countinghouse/billing"
	"github.com/countinghouse/countinghouse/billing/phone"
	"github.com/countinghouse/countinghouse/internal/id"
	"github.com/countinghouse/countinghouse/internal/locale"
	"github.com/countinghouse/countinghouse/internal/text"
	"github.com/countinghouse/countinghouse/tenant"
)

// ByEmail gives whoever signs in with a normalized address; ok is false where nobody does.
func ByEmail(ctx context.Context, tx *tenant.Tx, email string) (c Contact, ok bool, err error) {
	c, err = selectByEmail(ctx, tx, email)
	if errors.Is(err, ErrNotFound) {
		return Contact{}, false, nil
	}
	return c, err == nil, err
}

// SignIn opens a session for someone whose password was found right, if it still is that one, and gives its token. It
// fails with ErrNotFound when they were removed, or the password changed, in the meantime.
func SignIn(ctx context.Context, tx *tenant.Tx, was Contact) (string, error) {
	c, err := lockContact(ctx, tx, was.ID)
	switch {
	case err != nil:
		return "", err
	case c.Removed || c.passwordHash == "" || c.passwordHash != was.passwordHash:
		return "", ErrNotFound
	}
	return enter(ctx, tx, c, "sign_in")
}

func enter(ctx context.Context, tx *tenant.Tx, c Contact, verb string) (string, error) {
	if err := updateSeen(ctx, tx, c.ID); err != nil {
		return "", err
	}
	token, err := tx.OpenCustomerSession(ctx, c.ID.UUID, c.Customer.UUID, int(c.Rights), Lasts)
	if err != nil {
		return "", err
	}
	return token, record(ctx, tx, verb, c.ID)
}

// SignOut ends the session of the scope.
func SignOut(ctx context.Context, tx *tenant.Tx) error {
	if err := tx.EndCustomerSession(ctx); err != nil {
		return err
	}
	return record(ctx, tx, "sign_out", ID{UUID: tx.Scope().Contact()})
}

// SignOutEverywhere ends all sessions of whoever the scope is of, this one too.
func SignOutEverywhere(ctx context.Context, tx *tenant.Tx) error {
	contact := ID{UUID: tx.Scope().Contact()}
	if _, err := tx.EndCustomerSessions(ctx, contact.UUID); err != nil {
		return err
	}
	return record(ctx, tx, "sign_out_everywhere", contact)
}

// Rename gives whoever the scope is of another name. It fails with what is wrong with it.
func Rename(ctx context.Context, tx *tenant.Tx, name string) error {
	name, err := text.Required("name", name, nameLength)
	if err != nil {
		return err
	}
	was, err := lockOwn(ctx, tx, ID{UUID: tx.Scope().Contact()})
	if err != nil {
		return err
	}
	if err := updateContact(ctx, tx, was.ID, ChangeInput{Name: name, Rights: was.Rights}); err != nil {
		return err
	}
	return record(ctx, tx, "rename", was.ID, tenant.Change{Field: "name", Before: was.Name, After: name, Personal: true})
}

// ChangePassword keeps a new password of whoever the scope is of, if the present one still is that of before, ends every
// session and gives the token of a new one. It fails with ErrChanged.
func ChangePassword(ctx context.Context, tx *tenant.Tx, before Contact, hash string) (string, error) {
	c, err := lockOwn(ctx, tx, ID{UUID: tx.Scope().Contact()})
	switch {
	case err != nil:
		return "", err
	case c.ID != before.ID || c.passwordHash != before.passwordHash:
		return "", ErrChanged
	}
	if err := setPassword(ctx, tx, c, hash); err != nil {
		return "", err
	}
	return enter(ctx, tx, c, "change_password")
}

// setPassword keeps it, and ends whatever was opened with the one before.
func setPassword(ctx context.Context, tx *tenant.Tx, c Contact, hash string) error {
	if err := updatePassword(ctx, tx, c.ID, hash); err != nil {
		return err
	}
	if _, err := tx.EndCustomerSessions(ctx, c.ID.UUID); err != nil {
		return err
	}
	return tx.EndContactLinks(ctx, c.ID.UUID)
}

// Link is what someone who follows a link is asked: to set a password, and for a sign-up who they are.
type Link struct {
	Email  string
	Name   string // as it is known; may be empty
	SignUp bool   // nobody is known yet
	First  bool   // it is their first password
}

// CheckLink says what a link is for, without using it up. It fails with tenant.ErrNoDoor.
func CheckLink(ctx context.Context, tx *tenant.Tx, secret string) (Link, error) {
	found, err := tx.CheckContactLink(ctx, secret)
	if err != nil {
		return Link{}, err
	}
	return linkOf(ctx, tx, found)
}

func linkOf(ctx context.Context, tx *tenant.Tx, found tenant.ContactLink) (Link, error) {
	if found.Kind == linkSignUp {
		s, err := billing.LoadPortal(ctx, tx)
		if err == nil && !s.SignUp {
			err = tenant.ErrNoDoor
		}
		return Link{Email: found.Email, SignUp: true, First: true}, err
	}
	if found.Contact == noContact {
		return Link{}, tenant.ErrNoDoor
	}
	c, err := selectContact(ctx, tx, ID{UUID: found.Contact})
	if errors.Is(err, ErrNotFound) || err == nil && (c.Removed || c.Email != found.Email) {
		err = tenant.ErrNoDoor
	}
	return Link{Email: c.Email, Name: c.Name, First: found.Kind == linkInvite}, err
}

// Entrant is what someone says of themselves who follows a link. Company is asked at a sign-up alone.
type Entrant struct{ Name, Company string }

// Follow uses a link up: it keeps the password, makes who signs up by themselves a customer whose first person they are,
// and gives the token of a session to those who came for the first time. Who recovers signs in afterwards. It fails with
// tenant.ErrNoDoor and with what is wrong with the entrant.
func Follow(ctx context.Context, tx *tenant.Tx, secret string, who Entrant, hash string) (c Contact, session string, err error) {
	found, err := tx.UseContactLink(ctx, secret)
	if err != nil {
		return c, "", err
	}
	link, err := linkOf(ctx, tx, found)
	if err != nil {
		return c, "", err
	}
	if link.First {
		if who.Name, err = text.Required("name", who.Name, nameLength); err != nil {
			return c, "", err
		}
	}
	if link.SignUp {
		if c, err = register(ctx, tx, found.Email, who); err != nil {
			return c, "", err
		}
	} else if c, err = lockContact(ctx, tx, ID{UUID: found.Contact}); err != nil {
		return c, "", err
	} else if c.Removed {
		return c, "", tenant.ErrNoDoor
	}
	if err := setPassword(ctx, tx, c, hash); err != nil {
		return c, "", err
	}
	if !link.First {
		return c, "", record(ctx, tx, "recover", c.ID)
	}
	if err := updateContact(ctx, tx, c.ID, ChangeInput{Name: who.Name, Rights: c.Rights}); err != nil {
		return c, "", err
	}
	session, err = enter(ctx, tx, c, "join")
	return c, session, err
}

// register makes a customer of someone who showed that an address is theirs.
func register(ctx context.Context, tx *tenant.Tx, email string, who Entrant) (Contact, error) {
	customer, err := billing.AddCustomer(ctx, tx, billing.CustomerInput{Name: who.Name, Company: who.Company, Email: email})
	if err != nil {
		return Contact{}, err
	}
	if err := phone.MarkJoined(ctx, tx, customer.ID.UUID); err != nil {
		return Contact{}, err
	}
	made := id.New[Contact]()
	if err := insertContact(ctx, tx, made, Input{Customer: customer.ID, Name: who.Name, Email: email, Rights: All}); err != nil {
		return Contact{}, err
	}
	return lockContact(ctx, tx, made)
}

// Letter is what an address is to be sent.
type Letter struct {
	To       string
	Secret   string // of the link
	Known    bool   // at a sign-up: the address has access already
	Language locale.Language
}

// AskRecovery opens a link by which a forgotten password is set anew. ok is false where nothing is to be sent: nobody has
// the address, or it was sent several letters within the hour. The caller's answer is the same.
func AskRecovery(ctx context.Context, tx *tenant.Tx, email string) (l Letter, ok bool, err error) {
	c, known, err := ByEmail(ctx, tx, email)
	if err != nil {
		return l, false, err
	}
	// For an unknown address the row only counts the request: its secret is told to nobody.
	secret, kept, err := tx.OpenContactLink(ctx, tenant.ContactLink{Kind: linkRecover, Email: email, Contact: c.ID.UUID},
		tx.Now().Add(RecoveryLifetime), tx.Now().Add(-time.Hour), lettersPerHour)
	return Letter{To: email, Secret: secret, Language: c.Language}, kept && known, err
}

// AskSignUp opens a link by which someone makes themselves a customer, where the organization lets them; whoever has
// access already is to be told so by mail, and by nothing else. ok is as with AskRecovery. It fails with ErrSignUpShut.
func AskSignUp(ctx context.Context, tx *tenant.Tx, email string) (l Letter, ok bool, err error) {
	s, err := billing.LoadPortal(ctx, tx)
	if err != nil {
		return l, false, err
	}
	if !s.SignUp {
		return l, false, ErrSignUpShut
	}
	c, known, err := ByEmail(ctx, tx, email)
	if err != nil {
		return l, false, err
	}
	link := tenant.ContactLink{Kind: linkSignUp, Email: email}
	if known { // it leads nowhere, and only counts
		link = tenant.ContactLink{Kind: linkRecover, Email: email}
	}
	secret, kept, err := tx.OpenContactLink(ctx, link, tx.Now().Add(SignUpLifetime), tx.Now().Add(-time.Hour), lettersPerHour)
	return Letter{To: email, Secret: secret, Known: known, Language: c.Language}, kept, err
}
