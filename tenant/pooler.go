package tenant

import (
	"context"
	"errors"
	"fmt"
	"net/url"
)

// Login is one of the service's own logins into the database.
type Login struct {
	Name, Password string
}

// PooledLogins lists the logins that come through a pooler, for its list of users. It asks the database which compartments
// there are.
func PooledLogins(ctx context.Context, config Config) (all []Login, err error) {
	owner, err := openPool(config, ownerLogin, 1, nil)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, owner.Close()) }()
	var names []string
	if err := owner.SelectContext(ctx, &names, `SELECT login FROM platform.compartment ORDER BY id`); err != nil {
		return nil, reached(ctx, fmt.Errorf("listing compartments: %w", err))
	}
	for _, name := range append([]string{appLogin}, names...) {
		all = append(all, Login{name, config.password(name)})
	}
	return all, nil
}

// pooled leads an address to the pooler, for the logins that go through it. The owner's, by which the fleet is migrated and
// provisioned, and the worker's hold locks for longer than a transaction.
func (c Config) pooled(login string, u *url.URL, q url.Values) {
	if c.Pooler == "" || login == ownerLogin || login == workLogin {
		return
	}
	u.Host = c.Pooler
	q.Del("host")
	q.Del("port")
	q.Del("hostaddr")
	q.Del("target_session_attrs") // that is the pooler's to see to
}
