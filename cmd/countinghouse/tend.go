package main

import (
	"context"
	"errors"
	"time"

	"github.com/countinghouse/countinghouse/secrets/custody"
	"github.com/countinghouse/countinghouse/tenant"
)

// tendEvery is how often keys that grow old and organizations whose end has come are looked for.
const tendEvery = time.Hour

// tend looks after keys until stop is called: of several replicas one works on an organization at a time.
func (p parts) tend(ctx context.Context, db *tenant.DB) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		tick := time.NewTicker(tendEvery)
		defer tick.Stop()
		for {
			for _, err := range p.tendOnce(ctx, db) {
				if ctx.Err() == nil {
					p.log.Error("looking after keys", "error", err)
				}
			}
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
			}
		}
	}()
	return func() { cancel(); <-ended }
}

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
