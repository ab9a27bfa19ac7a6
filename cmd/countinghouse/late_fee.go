package main

import (
	"context"

	"github.com/countinghouse/countinghouse/billing/dispatch"
	"github.com/countinghouse/countinghouse/tenant"
)

// chargeLate charges the late fees of an organization that are due.
func (w work) chargeLate(ctx context.Context, s tenant.Scope) error {
	return dispatch.ChargeLateFees(ctx, dispatch.In(w.db, s))
}
