package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/countinghouse/countinghouse/billing/proof"
	"github.com/countinghouse/countinghouse/secrets"
	"github.com/countinghouse/countinghouse/tenant"
)

// firstRow is before every row of a column of sealed values.
const firstRow = "00000000-0000-0000-0000-000000000000"

// proveBooks proves the books of every organization that is not about to be deleted, and opens a secret of each.
func (d *drill) proveBooks(ctx context.Context, db *tenant.DB) error {
	opened := 0
	for _, slug := range d.report.slugs {
		n, err := d.proveOne(ctx, db, slug)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil { // such as a table that is gone
			d.report.fail("books", slug+" cannot be proved: "+sayFault(err))
		}
		opened += n
	}
	proved := fmt.Sprintf("%s, %s, %s of the chains", several(len(d.report.slugs), "organizations"), several(int(d.report.Entries), "entries"), several(int(d.report.Rows), "rows"))
	d.report.pass("books", proved)
	for _, c := range proof.Checks() {
		d.report.pass(c.Key, "")
	}
	switch {
	case d.keyring == nil:
		d.report.skip("keys", "no keyring was named")
	case opened == 0:
		d.report.skip("keys", "no organization has a secret")
	default:
		d.report.pass("keys", several(opened, "secrets")+" opened")
	}
	return nil
}

// proveOne proves one organization's books, and gives how many of its secrets opened.
func (d *drill) proveOne(ctx context.Context, db *tenant.DB, slug string) (opened int, err error) {
	scope, err := tenant.EnterOperator(ctx, db, slug)
	if err != nil {
		return 0, err
	}
	scope = scope.WhileSuspended()
	// Before anything is written here.
	err = tenant.Do(ctx, db, scope, func(tx *tenant.Tx) error {
		at, err := tenant.LatestAct(ctx, tx)
		d.report.reach(at)
		return err
	})
	if err != nil {
		return 0, err
	}
	p, err := proof.Prove(ctx, db, scope)
	if err != nil {
		return 0, err
	}
	d.report.Entries += p.Entries
	d.report.Rows += p.Seals
	for _, f := range p.Findings {
		d.report.fail(f.Check, slug+": "+f.Say)
	}
	if p.Found > len(p.Findings) {
		d.report.fail("books", fmt.Sprintf("%s: %d findings more are not named.", slug, p.Found-len(p.Findings)))
	}
	return d.openSecrets(ctx, db, scope)
}

// openSecrets opens the first secret of each column that an organization has any in.
func (d *drill) openSecrets(ctx context.Context, db *tenant.DB, scope tenant.Scope) (opened int, err error) {
	if d.keyring == nil {
		return 0, nil
	}
	organization := scope.Organization()
	for _, column := range sealedColumns {
		var kept []tenant.SealedValue
		err := tenant.Do(ctx, db, scope, func(tx *tenant.Tx) (err error) {
			kept, err = tenant.ListSealed(ctx, tx, column, firstRow, 1)
			return err
		})
		if err != nil {
			return opened, err
		}
		if len(kept) == 0 {
			continue
		}
		_, err = d.keyring.Open(ctx, secrets.Place{Organization: organization.ID.String(), Table: string(column.Table), Column: string(column.Column), Row: kept[0].Row}, kept[0].Text)
		switch {
		case errors.Is(err, secrets.ErrUnavailable): // that says nothing of the backup
			d.report.skip("keys", "the keyring cannot be reached")
			d.keyring = nil
			return opened, nil
		case err != nil:
			d.report.fail("keys", fmt.Sprintf("%s: %s does not open: %s", organization.Slug, column, sayFault(err)))
		default:
			opened++
		}
	}
	return opened, nil
}

// openServiceSecrets opens one of each kind of what the service's own key sealed.
func (d *drill) openServiceSecrets(ctx context.Context, db *tenant.DB) error {
	if d.key == nil {
		d.report.skip("service_key", "no key was named")
		return nil
	}
	keys, err := newSealer(db, d.key)
	if err != nil {
		return err
	}
	opened := 0
	for _, column := range platformSealed {
		var kept []tenant.PlatformSealedValue
		err := tenant.DoPlatform(ctx, db, func(tx *tenant.PlatformTx) (err error) {
			kept, err = tenant.ListPlatformSealed(ctx, tx, column, "", 1)
			return err
		})
		if err != nil {
			return err
		}
		for _, v := range kept {
			if _, err := keys.Open(column.Place+v.Row, v.Sealed); err != nil {
				d.report.fail("service_key", fmt.Sprintf("%s does not open: %s", column, sayFault(err)))
				continue
			}
			opened++
		}
	}
	if opened == 0 {
		d.report.skip("service_key", "nobody has a second factor, and no setting is secret")
		return nil
	}
	d.report.pass("service_key", several(opened, "secrets")+" opened")
	return nil
}
