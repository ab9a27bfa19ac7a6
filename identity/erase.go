package identity

import (
	"context"
	"errors"
	"strings"

	"github.com/countinghouse/countinghouse/internal/fault"
	"github.com/countinghouse/countinghouse/tenant"
)

// ErrLastOwner keeps someone from leaving an organization that nobody else could run. Its sentence names it.
var ErrLastOwner = fault.New(fault.Conflict, "person.last_owner", "You are the last owner of an organization. Make someone else an owner there first.")

// Pseudonym is what stands in place of a person's name once their account is deleted, and of their address, which is
// nobody's (RFC 2606 section 2). Both are made of their id: the same everywhere, and nothing that tells who it was.
func Pseudonym(person tenant.PersonID) (name, address string) {
	text := strings.ReplaceAll(person.String(), "-", "")
	return "Former member " + text[len(text)-4:], "former-" + text + "@deleted.invalid"
}

// ErasePerson deletes the account whose session it is: name, address, password, second factors, phone, devices,
// sessions and login history are gone, and the address can sign up anew. API tokens of the person end. What they did
// in an organization stays there under a pseudonym, because the books must. It tells the person once more.
//
// It leaves one organization after the other, each in a transaction of its own, and erases the person last: what fails
// on the way can be done again. It fails with tenant.ErrNotSignedIn, ErrProofNeeded and ErrLastOwner.
func (i *Identity) ErasePerson(ctx context.Context, session string) error {
	hash, ok := HashToken(session)
	if !ok {
		return tenant.ErrNotSignedIn
	}
	var p tenant.Person
	var belongs []tenant.OrganizationID
	err := tenant.DoPlatform(ctx, i.db, func(tx *tenant.PlatformTx) (err error) {
		if p, err = i.proved(ctx, tx, session); err != nil {
			return err
		}
		alone, err := ownedAlone(ctx, tx, p.ID)
		if err != nil {
			return err
		}
		if len(alone) > 0 {
			return lastOwnerOf(alone...)
		}
		belongs, err = membershipsEver(ctx, tx, p.ID)
		return err
	})
	if err != nil {
		return err
	}
	name, address := Pseudonym(p.ID)
	for _, o := range belongs {
		if err := i.leave(ctx, hash, o, name, address); err != nil {
			return err
		}
	}
	err = tenant.DoPlatform(ctx, i.db, func(tx *tenant.PlatformTx) error {
		if _, err := personBySession(ctx, tx, hash); err != nil {
			return err // ended while we worked
		}
		return erasePerson(ctx, tx, p.ID, name, address)
	})
	if err != nil {
		return err
	}
	i.tell(ctx, Mail{Kind: "person_erased", To: p.Email, Subject: "Your Countinghouse account is deleted",
		Text: "Your account is deleted, and what we held of you with it. What you did in the books of an organization stays there under " +
			"the name “" + name + "”.\n\nThis is the last mail that you get from us.\n"})
	return nil
}

// leave takes a person's name out of one organization. Each departure changes what the session may do, so that the
// scope is made anew for each, and once more when someone else changed it in this very moment.
func (i *Identity) leave(ctx context.Context, session tenant.Hash, o tenant.OrganizationID, name, address string) error {
	var err error
	for range 3 {
		var scope tenant.Scope
		if scope, err = tenant.EnterSelf(ctx, i.db, session, o); err != nil {
			return err
		}
		err = tenant.Do(ctx, i.db, scope, func(tx *tenant.Tx) error { return tx.LeaveForGood(ctx, name, address) })
		if errors.Is(err, tenant.ErrSoleOwner) {
			return lastOwnerOf(scope.Organization().Name)
		}
		if !errors.Is(err, tenant.ErrStale) {
			return err
		}
	}
	return tenant.ErrUnavailable.Because(err)
}

func lastOwnerOf(names ...string) error {
	return ErrLastOwner.Sayf("You are the last owner of %s. Make someone else an owner there first, or have it closed.", strings.Join(names, ", "))
}
