package main

import (
	"context"
	"encoding/json"

	"github.com/countinghouse/countinghouse/billing/plan"
	"github.com/countinghouse/countinghouse/tenant"
)

// plans has the organization that bills the others, where there is one, see to their accounts.
func (w work) plans(ctx context.Context) error {
	return tenant.DoPlatform(ctx, w.db, func(tx *tenant.PlatformTx) error { return plan.Enqueue(ctx, tx) })
}

// tendPlans sees to the accounts of all organizations, in the one that bills them.
func (w work) tendPlans(ctx context.Context, s tenant.Scope, _ json.RawMessage) error {
	return plan.Tend(ctx, w.db, s)
}
