package identity

import (
	"context"

	"github.com/countinghouse/countinghouse/tenant"
)

// The people of an organization's customers are no persons of the platform: the organization keeps them. What guards
// their passwords is what guards everyone's.

// CustomerAccount is what one of a customer's people signs in with: an address, in one organization.
type CustomerAccount struct {
	Organization tenant.OrganizationID
	Email        string
}

func (a CustomerAccount) parts() []string {
	return []string{a.Organization.String(), typedAddress(a.Email)}
}

// customerBudget has the tries of an account.
func customerBudget() budget {
	b := accountBudget()
	b.kind = "customer"
	return b
}

// HashCustomerPassword checks a new password as CheckPassword does and gives what is to be kept of it, a PHC string.
func (i *Identity) HashCustomerPassword(ctx context.Context, password, email, name string) (string, error) {
	if err := i.CheckPassword(ctx, password, email, name); err != nil {
		return "", err
	}
	plain, ok := normalizePassword(password)
	if !ok {
		return "", ErrPasswordCharacters
	}
	return i.hasher.hash(ctx, plain)
}

// TryCustomerPassword says whether a password is the one that phc was made of. It takes a try from the account and the
// network before any work is done and gives it back to who was right; for an account that does not exist phc is empty, and
// the work is the same. It fails with ErrRefused and, after too many failures, with a *Wait.
func (i *Identity) TryCustomerPassword(ctx context.Context, a CustomerAccount, password, phc string, from RequestInfo) error {
	var taken []try
	err := tenant.DoPlatform(ctx, i.db, func(tx *tenant.PlatformTx) error {
		taken = nil
		if network := networkOf(from.Network); network != "" {
			t, err := i.take(ctx, tx, networkBudget(i.options.NetworkTries), network)
			if err != nil {
				return err
			}
			taken = append(taken, t)
		}
		t, err := i.take(ctx, tx, customerBudget(), a.parts()...)
		taken = append(taken, t)
		return err
	})
	if err != nil {
		return err
	}
	known := phc != ""
	if !known {
		phc = i.hasher.decoy
	}
	plain, typed := normalizePassword(password)
	good, err := i.hasher.matches(ctx, plain, phc)
	if err != nil {
		return err
	}
	if !good || !typed || !known {
		return ErrRefused
	}
	return tenant.DoPlatform(ctx, i.db, func(tx *tenant.PlatformTx) error { return giveBack(ctx, tx, taken) })
}

// ForgetCustomerTries lets an account be tried afresh: whoever came through its mail is not kept out by others' guesses.
func (i *Identity) ForgetCustomerTries(ctx context.Context, a CustomerAccount) error {
	return tenant.DoPlatform(ctx, i.db, func(tx *tenant.PlatformTx) error {
		return clearTries(ctx, tx, i.subject(customerBudget().kind, a.parts()...))
	})
}
