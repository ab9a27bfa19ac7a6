package main

import (
	"context"
	"errors"

	"github.com/countinghouse/countinghouse/secrets/custody"
	"github.com/countinghouse/countinghouse/tenant"
)

func (w work) tend(ctx context.Context) error { return errors.Join(w.tendOnce(ctx, w.db)...) }

// tendOnce ends the organizations whose time of grace is over, goes on with rotations that were cut short, and begins
// those that are due. One that fails does not keep the others.
func (p parts) tendOnce(ctx context.Context, db *tenant.DB) []error {
	shredder, err := newShredder(db, p.keyring, p.key, p.kept)
	if err != nil {
		return []error{err}
	}
	ended, failed := shredder.ShredDue(ctx)
	for _, c := range ended {
		p.log.Info("an organization was deleted", "organization", c.Organization.String())
	}
	if err := p.tendServiceKey(ctx, db); err != nil {
		failed = append(failed, err)
	}
	due, err := custody.DueRotations(ctx, db, rotateAfter)
	if err != nil {
		return append(failed, err)
	}
	rotator := custody.Rotator{DB: db, Keyring: p.keyring, Columns: sealedColumns}
	for _, slug := range due {
		scope, err := tenant.EnterOperator(ctx, db, slug)
		if err == nil {
			_, err = rotator.RotateIfOlder(ctx, scope, rotateAfter)
		}
		if err != nil && !errors.Is(err, custody.ErrUnderWay) && !errors.Is(err, tenant.ErrNoOrganization) {
			failed = append(failed, err)
		}
	}
	return failed
}

// tendServiceKey renews the service's own key when it is due, or goes on with it.
func (p parts) tendServiceKey(ctx context.Context, db *tenant.DB) error {
	keys, err := newSealer(db, p.key)
	if err != nil {
		return err
	}
	outcome, err := custody.ServiceRotator{Keys: keys, Columns: platformSealed}.RotateIfOlder(ctx, rotateAfter)
	if err == nil && outcome.Rewrapped > 0 {
		p.log.Info("the service's key is renewed", "version", outcome.Version, "sealed_anew", outcome.Rewrapped, "unreadable", outcome.Unreadable, "done", outcome.Done)
	}
	return err
}
