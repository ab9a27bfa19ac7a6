package main

import (
	"context"

	"github.com/countinghouse/countinghouse/billing/payables"
	"github.com/countinghouse/countinghouse/tenant"
)

// makeBills makes the bills of recurring ones that are due in an organization.
func (w work) makeBills(ctx context.Context, s tenant.Scope) error {
	return payables.MakeBills(ctx, func(ctx context.Context, fn func(tx *tenant.Tx) error) error { return tenant.Do(ctx, w.db, s, fn) })
}
