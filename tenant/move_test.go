package tenant_test

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/countinghouse/countinghouse/tenant"
	"github.com/countinghouse/countinghouse/tenant/tenanttest"
)

// An organization is moved to and fro while many use it: every call that is let in does what it should, and afterwards one
// compartment alone may enter.
func TestMoveOrganization(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	db := tenanttest.OpenWith(t, &tenanttest.Clock{})
	o := tenanttest.Found(t, db, nil)
	work, stop := context.WithCancel(ctx)
	var callers sync.WaitGroup
	var served, moved atomic.Int64
	for range 4 {
		callers.Go(func() {
			for work.Err() == nil {
				scope, err := tenant.EnterMember(ctx, db, o.Session, o.Slug)
				for err == nil && work.Err() == nil {
					var schema string
					err = tenant.Do(ctx, db, scope, func(tx *tenant.Tx) error {
						return tx.Get(ctx, &schema, `SELECT current_schema()`)
					})
					if err == nil {
						served.Add(1)
					}
				}
				if errors.Is(err, tenant.ErrStale) {
					moved.Add(1)
				} else if err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	for i := range 12 {
		if err := tenant.MoveOrganization(ctx, db, o.Slug, 1+i%2); err != nil {
			t.Error(err)
		}
	}
	stop()
	callers.Wait()
	if served.Load() < 20 || moved.Load() == 0 {
		t.Errorf("%d calls were served, %d were told to enter anew", served.Load(), moved.Load())
	}
	var who []string
	err := tenant.DoPlatform(ctx, db, func(tx *tenant.PlatformTx) error {
		return tx.Select(ctx, &who, `SELECT m.rolname FROM platform.organization o JOIN pg_roles r ON r.rolname = o.schema_name
			JOIN pg_auth_members a ON a.roleid = r.oid JOIN pg_roles m ON m.oid = a.member WHERE o.slug = $1`, o.Slug)
	})
	if err != nil || len(who) != 1 || who[0] != "countinghouse_c02" {
		t.Errorf("it may be entered by %v (%v)", who, err)
	}
	if err := tenant.MoveOrganization(ctx, db, o.Slug, 99); !errors.Is(err, tenant.ErrNoCompartment) {
		t.Errorf("to nowhere: %v", err)
	}
	if err := tenant.MoveOrganization(ctx, db, "nobody-"+tenanttest.Random(4), 1); !errors.Is(err, tenant.ErrNoOrganization) {
		t.Errorf("nobody: %v", err)
	}
}
