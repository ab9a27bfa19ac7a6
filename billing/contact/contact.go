// Package contact keeps the people of a customer: who they are, what each may do at the organization's own host, and how
// they get in there.
//
// They are no members and no persons of the platform. An organization's customers are its own: who is known to one is
// unknown to every other, even with the same address, and leaves with its schema. Their rights are few and plain, chosen
// one by one, and stand in the session's own row, so that what was taken away is gone with the next request.
//
// Passwords are hashed by whoever calls: no hashing is done inside a transaction.
package contact

import (
	"context"
	"errors"
	"time"

	"github.com/google/uuid"

	"github.com/countinghouse/countinghouse/billing"
	"github.com/countinghouse/countinghouse/internal/fault"
	"github.com/countinghouse/countinghouse/internal/id"
	"github.com/countinghouse/countinghouse/internal/locale"
	"github.com/countinghouse/countinghouse/internal/text"
	"github.com/countinghouse/countinghouse/tenant"
)

// What is refused about contacts.
var (
	ErrNotFound   = fault.New(fault.NotFound, "contact.not_found", "There is no such person.")
	ErrChanged    = fault.New(fault.Conflict, "contact.changed", "Someone else changed this person in the meantime. Look at them again, then repeat your change.")
	ErrEmailTaken = fault.New(fault.Conflict, "contact.email_taken", "Someone with this address has access already. Use another address.").At("email")
	ErrJoined     = fault.New(fault.Conflict, "contact.joined", "They have set a password already. They can set a new one from the sign-in page.")
	ErrTooMany    = fault.New(fault.Conflict, "contact.too_many", "A customer has at most 50 people. Remove one first.")
	ErrLetters    = fault.New(fault.TooMany, "contact.letters", "This address was sent several letters within the hour. Wait a while, then send it again.")
	ErrNotHeld    = fault.New(fault.Forbidden, "contact.not_held", "You can give and take only what you may do yourself.")
	ErrLastPerson = fault.New(fault.Conflict, "contact.last", "Somebody has to look after the people here. Give that to someone else first.")
	ErrSignUpShut = fault.New(fault.Forbidden, "contact.sign_up_shut", "People are invited here. Ask for an invitation.")
	// ErrMailNotSent says that the invitation stands and its letter did not go out.
	ErrMailNotSent = fault.New(fault.Unavailable, "contact.mail_not_sent", "They are on the list, but the mail did not go out. Send it again in a few minutes.")
)

// Lasts is how long a session lasts: a working day without use, 30 days at most (NIST SP 800-63B-4 section 2.1.3).
var Lasts = tenant.CustomerSession{Idle: 8 * time.Hour, Lifetime: 30 * 24 * time.Hour}

const (
	// InviteLifetime, RecoveryLifetime and SignUpLifetime are how long links are good.
	InviteLifetime   = 7 * 24 * time.Hour
	RecoveryLifetime = 30 * time.Minute
	SignUpLifetime   = 24 * time.Hour

	lettersPerHour = 3
	maxPeople      = 50
	nameLength     = 100

	linkInvite, linkRecover, linkSignUp = "invite", "recover", "sign_up"
)

// ID names a contact.
type ID = id.Of[Contact]

// Contact is one of a customer's people.
type Contact struct {
	ID           ID
	Customer     billing.CustomerID
	CustomerSay  string // the customer's company, or name
	Name         string // empty until they came, where nobody gave one
	Email        string
	Rights       Rights
	Joined       bool // they have set a password
	Removed      bool
	Language     locale.Language // of letters to them: the customer's
	CreatedAt    time.Time
	SeenAt       time.Time // when they last signed in; zero for never
	Version      int
	passwordHash string
}

// PasswordHash is the PHC string of the password; empty where none was set.
func (c Contact) PasswordHash() string { return c.passwordHash }

// Input is what is written of a contact. Email is normalized.
type Input struct {
	Customer billing.CustomerID
	Name     string
	Email    string
	Rights   Rights
}

// Invite lets someone in: it keeps them, without a password, and gives the secret part of the link that they are to be
// mailed. Somebody who is a customer's person themselves invites to their own customer alone, and gives no right that they
// do not hold. It fails with what is wrong with the input, billing.ErrCustomerNotFound, ErrEmailTaken, ErrNotHeld,
// ErrTooMany and ErrLetters.
func Invite(ctx context.Context, tx *tenant.Tx, in Input) (Contact, string, error) {
	if of := tx.Scope(); of.Kind() == tenant.Customer {
		in.Customer = billing.CustomerID{UUID: of.Subject()}
	}
	name, err := text.Line("name", in.Name, nameLength)
	if err != nil {
		return Contact{}, "", err
	}
	if err := held(tx, in.Rights); err != nil {
		return Contact{}, "", err
	}
	customer, err := billing.CustomerByID(ctx, tx, in.Customer)
	if err != nil {
		return Contact{}, "", err
	}
	if customer.Archived {
		return Contact{}, "", billing.ErrCustomerArchived
	}
	all, err := selectContacts(ctx, tx, in.Customer)
	if err != nil {
		return Contact{}, "", err
	}
	if len(all) >= maxPeople {
		return Contact{}, "", ErrTooMany
	}
	in.Name = name
	made := id.New[Contact]()
	if err := insertContact(ctx, tx, made, in); err != nil {
		return Contact{}, "", err
	}
	if err := record(ctx, tx, "invite", made, tenant.Change{Field: "email", After: in.Email, Personal: true},
		tenant.Change{Field: "rights", After: in.Rights.String()}); err != nil {
		return Contact{}, "", err
	}
	return letIn(ctx, tx, made)
}

// letIn opens a link by which someone who was invited sets their first password.
func letIn(ctx context.Context, tx *tenant.Tx, contact ID) (Contact, string, error) {
	c, err := selectContact(ctx, tx, contact)
	if err != nil {
		return c, "", err
	}
	secret, ok, err := tx.OpenContactLink(ctx, tenant.ContactLink{Kind: linkInvite, Email: c.Email, Contact: contact.UUID},
		tx.Now().Add(InviteLifetime), tx.Now().Add(-time.Hour), lettersPerHour)
	if err == nil && !ok {
		err = ErrLetters
	}
	return c, secret, err
}

// InviteAgain gives a new link to someone who has not come yet; the one before is good no more. It fails with ErrNotFound,
// ErrJoined and ErrLetters.
func InviteAgain(ctx context.Context, tx *tenant.Tx, contact ID) (Contact, string, error) {
	c, err := lockOwn(ctx, tx, contact)
	if err != nil {
		return c, "", err
	}
	if c.Joined {
		return c, "", ErrJoined
	}
	if err := tx.EndContactLinks(ctx, contact.UUID); err != nil {
		return c, "", err
	}
	if err := record(ctx, tx, "invite_again", contact); err != nil {
		return c, "", err
	}
	return letIn(ctx, tx, contact)
}

// ChangeInput is what may be changed of a contact by others.
type ChangeInput struct {
	Name   string
	Rights Rights
}

// Change gives someone another name and other rights, from their next request on. version is the one that the change was
// made on; 0 is any. It fails with what is wrong with the name, ErrNotFound, ErrChanged, ErrNotHeld and ErrLastPerson.
func Change(ctx context.Context, tx *tenant.Tx, contact ID, version int, in ChangeInput) (Contact, error) {
	name, err := text.Line("name", in.Name, nameLength)
	if err != nil {
		return Contact{}, err
	}
	was, err := lockOwn(ctx, tx, contact)
	switch {
	case err != nil:
		return Contact{}, err
	case version != 0 && version != was.Version:
		return Contact{}, ErrChanged
	}
	if in.Rights != was.Rights {
		if err := held(tx, was.Rights^in.Rights); err != nil {
			return Contact{}, err
		}
	}
	if err := keepsOne(ctx, tx, was, in.Rights); err != nil {
		return Contact{}, err
	}
	in.Name = name
	if err := updateContact(ctx, tx, contact, in); err != nil {
		return Contact{}, err
	}
	if err := tx.SetCustomerRights(ctx, contact.UUID, int(in.Rights)); err != nil {
		return Contact{}, err
	}
	if err := record(ctx, tx, "change", contact, tenant.Change{Field: "name", Before: was.Name, After: name, Personal: true},
		tenant.Change{Field: "rights", Before: was.Rights.String(), After: in.Rights.String()}); err != nil {
		return Contact{}, err
	}
	return selectContact(ctx, tx, contact)
}

// Remove takes someone's access away: their sessions and links end with this transaction, and their address is free
// again. It fails with ErrNotFound, ErrNotHeld and ErrLastPerson.
func Remove(ctx context.Context, tx *tenant.Tx, contact ID) error {
	c, err := lockOwn(ctx, tx, contact)
	if err != nil {
		return err
	}
	if err := held(tx, c.Rights); err != nil {
		return err
	}
	if err := keepsOne(ctx, tx, c, None); err != nil {
		return err
	}
	if err := updateRemoved(ctx, tx, contact); err != nil {
		return err
	}
	if _, err := tx.EndCustomerSessions(ctx, contact.UUID); err != nil {
		return err
	}
	if err := tx.EndContactLinks(ctx, contact.UUID); err != nil {
		return err
	}
	return record(ctx, tx, "remove", contact)
}

// held refuses one of a customer's people who gives or takes what they do not hold. Members of the organization may give
// everything.
func held(tx *tenant.Tx, rights Rights) error {
	if of := tx.Scope(); of.Kind() == tenant.Customer && !Rights(of.CustomerRights()).Has(rights) {
		return ErrNotHeld
	}
	return nil
}

// keepsOne refuses one of a customer's people who would leave nobody to look after the others. The organization may.
func keepsOne(ctx context.Context, tx *tenant.Tx, c Contact, rights Rights) error {
	if tx.Scope().Kind() != tenant.Customer || !c.Rights.Has(People) || rights.Has(People) {
		return nil
	}
	all, err := lockContacts(ctx, tx, c.Customer)
	if err != nil {
		return err
	}
	for _, other := range all {
		if other.ID != c.ID && other.Joined && other.Rights.Has(People) {
			return nil
		}
	}
	return ErrLastPerson
}

// ByID gives one contact that was not removed; ErrNotFound, also to one of a customer's people for another customer's.
func ByID(ctx context.Context, tx *tenant.Tx, contact ID) (Contact, error) {
	c, err := selectContact(ctx, tx, contact)
	return own(tx, c, err)
}

func lockOwn(ctx context.Context, tx *tenant.Tx, contact ID) (Contact, error) {
	c, err := lockContact(ctx, tx, contact)
	return own(tx, c, err)
}

func own(tx *tenant.Tx, c Contact, err error) (Contact, error) {
	if err == nil && (c.Removed || tx.Scope().Kind() == tenant.Customer && c.Customer.UUID != tx.Scope().Subject()) {
		return Contact{}, ErrNotFound
	}
	return c, err
}

// Of lists a customer's people, the first first: 50 at most.
func Of(ctx context.Context, tx *tenant.Tx, customer billing.CustomerID) ([]Contact, error) {
	return selectContacts(ctx, tx, customer)
}

// Current is whoever the scope is of; tenant.ErrNotSignedIn when they were removed.
func Current(ctx context.Context, tx *tenant.Tx) (Contact, error) {
	c, err := ByID(ctx, tx, ID{UUID: tx.Scope().Contact()})
	if errors.Is(err, ErrNotFound) {
		return c, tenant.ErrNotSignedIn
	}
	return c, err
}

func record(ctx context.Context, tx *tenant.Tx, verb string, contact ID, changes ...tenant.Change) error {
	return tx.Record(ctx, tenant.Act{Action: "contact." + verb, Object: "contact", ID: contact.UUID, Changes: changes})
}

// noContact is of links that nobody's address led to.
var noContact = uuid.Nil
