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
	slug   string // of the address; "" where the credential names the organization
	scope  tenant.Scope
	digest func() []byte // of the request, for its Idempotency-Key
	key    string        // the Idempotency-Key, or ""
	thing  string        // the id of the path, for what support looks at; may be empty
}

// admit lets the caller in or says why not. Where it lets them in, what it goes by may be a moment old: do decides
// again. What a support person asks for is on the organization's record, for good, before anything of it is answered;
// so is what they are refused.
func (c *call) admit(ctx context.Context) error {
	kind := tenant.Member
	for range attempts {
		scope, err := c.enter(ctx)
		if err != nil {
			c.server.watchRefused(ctx, c.slug, err)
			return err
		}
		c.server.watchEntered(ctx, scope)
		if kind = scope.Kind(); !slices.Contains(c.route.Kinds, kind) {
			return tenant.ErrNoOrganization
		}
		allowed := c.route.admits(c.server.Policy, scope) && !(c.route.Closed && isSupport(scope))
		switch {
		case isSupport(scope):
			err = c.account(ctx, scope.WhileSuspended(), allowed)
		case !allowed, scope.ReadOnly() && !c.route.goesOn(): // what they were given since does not show in what is remembered: ask
			err = tenant.Do(ctx, c.server.DB, scope, func(*tenant.Tx) error { return nil })
		}
		switch {
		case errors.Is(err, tenant.ErrStale):
			continue
		case err != nil:
			return err
		case !allowed:
			return authz.Forbidden(c.route.Right)
		}
		if scope.ReadOnly() && !c.route.goesOn() {
			return tenant.ErrSuspended
		}
		scope = scope.WhileSuspended()
		c.scope = scope
		return nil
	}
	if kind == tenant.Support {
		return tenant.ErrNoOrganization
	}
	return tenant.ErrUnavailable // rights that change faster than we can ask for them
}

func isSupport(s tenant.Scope) bool { return s.Kind() == tenant.Support }

// do runs fn in the organization. If what the caller may do has changed since admit, it is decided anew, and fn
// runs only if they still may. fn may run several times, all but the last without any effect.
func (c *call) do(ctx context.Context, fn func(tx *tenant.Tx) error) error {
	return c.doBy(ctx, tenant.Do, fn)
}

// glance is do for an fn that only reads, most often by one statement.
func (c *call) glance(ctx context.Context, fn func(tx *tenant.Tx) error) error {
	return c.doBy(ctx, tenant.Glance, fn)
}

func (c *call) doBy(ctx context.Context, do func(context.Context, *tenant.DB, tenant.Scope, func(*tenant.Tx) error) error,
	fn func(tx *tenant.Tx) error) error {
	for range attempts - 1 {
		err := do(ctx, c.server.DB, c.scope, fn)
		switch {
		case errors.Is(err, tenant.ErrStale):
			if err := c.admit(ctx); err != nil {
				return err
			}
		case tenant.SQLState(err) == deadlock: // two callers took the same two numbers the other way round
		default:
			return err
		}
	}
	err := do(ctx, c.server.DB, c.scope, fn)
	if errors.Is(err, tenant.ErrStale) {
		return tenant.ErrUnavailable.Because(err) // rights that change faster than we can ask for them
	}
	return err
}

// attempts is enough for several people who change rights in one organization at the same moment.
const attempts = 5

// deadlock is Postgres's word for a transaction that it undid so that another could go on.
const deadlock = "40P01"

type callKey struct{}

func callFrom(ctx context.Context) *call {
	c, _ := ctx.Value(callKey{}).(*call)
	return c
}
