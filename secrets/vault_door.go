package secrets

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/hashicorp/vault/api"
)

// door lets the service into Vault and keeps it in: a token is renewed after two thirds of its time, and where it
// cannot be, or is no longer good, there is a new login. It does so when a call is made and not in the
// background, so that nothing runs while nothing is asked.
type door struct {
	client *api.Client
	method api.AuthMethod
	now    func() time.Time

	turn    chan struct{} // held by the one who looks at or changes what follows
	entered int           // how many logins there were: which token a call was made with
	lease   time.Duration // of the token at its login; 0: it does not end
	renewAt time.Time
	endsAt  time.Time
	renews  bool
}

// fresh is a method that is made anew for each login.
type fresh func() (api.AuthMethod, error)

// Login is api.AuthMethod's.
func (f fresh) Login(ctx context.Context, client *api.Client) (*api.Secret, error) {
	method, err := f()
	if err != nil {
		return nil, err
	}
	return method.Login(ctx, client)
}

// enter sees to a good token and says which it is.
func (d *door) enter(ctx context.Context) (which int, err error) {
	select {
	case d.turn <- struct{}{}:
	case <-ctx.Done():
		return 0, ctx.Err()
	}
	defer func() { <-d.turn }()
	switch now := d.now(); {
	case d.entered == 0, d.lease > 0 && !now.Before(d.endsAt):
		err = d.login(ctx)
	case d.lease > 0 && !now.Before(d.renewAt):
		err = d.renew(ctx)
	}
	return d.entered, err
}

// again is for a call that was refused with a token: it sees whether that token is still good, and gets another
// if not. It answers errForbidden when the token is good, so that the refusal was meant.
func (d *door) again(ctx context.Context, which int) error {
	select {
	case d.turn <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	defer func() { <-d.turn }()
	if which != d.entered {
		return nil // another call has got a new one meanwhile
	}
	_, err := d.client.Auth().Token().LookupSelfWithContext(ctx)
	if err == nil {
		return errForbidden
	}
	if statusOf(err) != http.StatusForbidden {
		return err
	}
	return d.login(ctx)
}

func (d *door) login(ctx context.Context) error {
	d.client.ClearToken()
	secret, err := d.client.Auth().Login(ctx, d.method)
	if err != nil {
		if status := statusOf(err); status == http.StatusBadRequest || status == http.StatusForbidden {
			return notReached(ErrRefused, fmt.Errorf("logging in: %w", err))
		}
		return fmt.Errorf("logging in: %w", err)
	}
	d.entered++
	d.lease = 0
	d.keep(secret)
	return nil
}

func (d *door) keep(secret *api.Secret) {
	now, lease := d.now(), time.Duration(secret.Auth.LeaseDuration)*time.Second
	d.renews, d.endsAt, d.renewAt = secret.Auth.Renewable, now.Add(lease), now.Add(lease*2/3)
	if d.lease == 0 {
		d.lease = lease
	}
}

// renew falls back to a login, which a token that cannot be renewed, or that nears its last end, needs anyway. While
// Vault is away the token that there is stays in use.
func (d *door) renew(ctx context.Context) error {
	if d.renews {
		secret, err := d.client.Auth().Token().RenewSelfWithContext(ctx, int(d.lease/time.Second))
		if err == nil && secret != nil && secret.Auth != nil && time.Duration(secret.Auth.LeaseDuration)*time.Second > d.lease/2 {
			d.keep(secret)
			return nil
		}
		var answered *api.ResponseError
		if err != nil && !errors.As(err, &answered) {
			return ctx.Err()
		}
	}
	return d.login(ctx)
}
