package identity

import (
	"context"

	"github.com/countinghouse/countinghouse/tenant"
)

// AddInvited makes a person and their password, and opens a session, whose token it gives. The caller vouches that
// whoever asks has read a mail to the address: they brought the secret of an open invitation. It fails with
// ErrSignedUp, and a fault.List as CompleteSignUp does.
func (i *Identity) AddInvited(ctx context.Context, email, name, password string, from RequestInfo) (p tenant.Person, session string, err error) {
	if email, err = NormalizeEmail(email); err != nil {
		return p, "", err
	}
	p, fresh, err := i.newPerson(ctx, email, name, password)
	if err != nil {
		return tenant.Person{}, "", err
	}
	session, err = i.settle(ctx, p, fresh, from, func(*tenant.PlatformTx) error { return nil })
	if err != nil {
		return tenant.Person{}, "", err
	}
	return p, session, nil
}
