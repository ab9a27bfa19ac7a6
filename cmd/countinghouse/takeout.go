package main

import (
	"context"
	"fmt"

	"github.com/countinghouse/countinghouse/billing"
	"github.com/countinghouse/countinghouse/billing/takeout"
	"github.com/countinghouse/countinghouse/internal/notify"
	"github.com/countinghouse/countinghouse/tenant"
)

// packer wires the making of exports.
func (w work) packer() *takeout.Packer {
	return &takeout.Packer{
		DB:  w.db,
		May: func(s tenant.Scope, right string) bool { return allowJob(w.policy, s, right) == nil },
		Tell: func(ctx context.Context, n takeout.Notice) error {
			return w.mail.Send(ctx, notify.Mail{
				Kind: "export", ID: n.Export.ID.String(), To: n.To.Email, Subject: "Your export of " + n.Organization.Name + " is ready",
				Text: fmt.Sprintf("%s can be fetched until %s, from\n\n%s/o/%s/settings/exports\n\nYou will be asked to sign in. "+
					"If you did not ask for this export, tell an owner of %s.\n",
					n.Export.Name, n.Export.ExpiresAt.Format("2 January 2006"), w.origin, n.Organization.Slug, n.Organization.Name),
			})
		},
	}
}

// clearExports deletes the exports of an organization that have expired.
func (w work) clearExports(ctx context.Context, s tenant.Scope) error {
	return takeout.Clear(ctx, func(fn func(tx *tenant.Tx) error) error { return tenant.Do(ctx, w.db, s, fn) })
}

// eraseOverdue erases what was kept of customers whose data were erased, once its time is over.
func (w work) eraseOverdue(ctx context.Context, s tenant.Scope) error {
	const atOnce = 50
	for {
		erased := 0
		err := tenant.Do(ctx, w.db, s, func(tx *tenant.Tx) (err error) {
			erased, err = billing.EraseOverdue(ctx, tx, atOnce)
			return err
		})
		if err != nil || erased < atOnce {
			return err
		}
	}
}
