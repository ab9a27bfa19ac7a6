package web

import (
	"context"
	"errors"
	"slices"

	"github.com/countinghouse/countinghouse/authz"
	"github.com/countinghouse/countinghouse/tenant"
)

// call is one request into an organization: how its caller gets in, and what its route asks of them.
type call struct {
	server *Server
	route  Route
	enter  func(ctx context.Context) (tenant.Scope, error)
	scope  tenant.Scope
	digest func() []byte // of the request, for its Idempotency-Key
	key    string        // the Idempotency-Key, or ""
	thing  string        // the id of the path, for what support looks at; may be empty
}

// admit lets the caller in or says why not. What it decides may be a moment old: do decides again. What a support
// person asks for is on the organization's record, for good, before anything of it is answered; so is what they are
// refused.
func (c *call) admit(ctx context.Context) error {
	for tries := 0; ; tries++ {
		scope, err := c.enter(ctx)
		if err != nil {
			return err
		}
		if !slices.Contains(c.route.Kinds, scope.Kind()) {
			return tenant.ErrNoOrganization
		}
		verdict := c.server.Policy.Decide(scope.Role(), scope.Ceiling(), isSupport(scope), c.route.Right)
		if isSupport(scope) {
			err := c.account(ctx, scope, verdict.Allowed)
			if errors.Is(err, tenant.ErrStale) && tries == 0 {
				continue // the grant has changed since it was remembered
			} else if errors.Is(err, tenant.ErrStale) {
				return tenant.ErrNoOrganization
			} else if err != nil {
				return err
			}
		}
		if !verdict.Allowed {
			return authz.Forbidden(c.route.Right)
		}
		c.scope = scope
		return nil
	}
}

func isSupport(s tenant.Scope) bool { return s.Kind() == tenant.Support }

// do runs fn in the organization. If what the caller may do has changed since admit, it is decided anew, and fn
// runs only if they still may. fn may run twice, the first time without any effect.
func (c *call) do(ctx context.Context, fn func(tx *tenant.Tx) error) error {
	err := tenant.Do(ctx, c.server.DB, c.scope, fn)
	switch {
	case errors.Is(err, tenant.ErrStale):
		if err := c.admit(ctx); err != nil {
			return err
		}
	case tenant.SQLState(err) == deadlock: // two callers took the same two numbers the other way round
	default:
		return err
	}
	if err = tenant.Do(ctx, c.server.DB, c.scope, fn); errors.Is(err, tenant.ErrStale) {
		return tenant.ErrUnavailable.Because(err) // rights that change faster than we can ask for them
	}
	return err
}

// deadlock is Postgres's word for a transaction that it undid so that another could go on.
const deadlock = "40P01"

type callKey struct{}

func callFrom(ctx context.Context) *call {
	c, _ := ctx.Value(callKey{}).(*call)
	return c
}
