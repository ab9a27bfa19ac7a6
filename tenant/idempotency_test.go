package tenant_test

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/google/uuid"

	"github.com/countinghouse/countinghouse/tenant"
	"github.com/countinghouse/countinghouse/tenant/tenanttest"
)

// TestOnceTogether sends each request from many callers at the same moment.
func TestOnceTogether(t *testing.T) {
	t.Parallel()
	o := tenanttest.Found(t, tenanttest.DB(), nil)
	for range 100 {
		key, mac := tenanttest.Random(8), []byte(tenanttest.Random(16))
		var made atomic.Int64
		var answers sync.Map
		var all sync.WaitGroup
		for range 8 {
			all.Go(func() {
				ctx := context.Background()
				var got uuid.UUID
				err := tenant.Do(ctx, tenanttest.DB(), o.Scope, func(tx *tenant.Tx) (err error) {
					got, _, err = tx.Once(ctx, key, mac, func() (uuid.UUID, error) {
						made := uuid.Must(uuid.NewV7())
						return made, tx.Record(ctx, tenant.Act{Action: "test.make", Object: "thing", ID: made, Detail: key})
					})
					return err
				})
				switch {
				case err == nil:
					made.Add(1)
					answers.Store(got, true)
				case !errors.Is(err, tenant.ErrKeyInFlight):
					t.Error(err)
				}
			})
		}
		all.Wait()
		different := 0
		answers.Range(func(any, any) bool { different++; return true })
		var kept int
		tenanttest.Do(t, tenanttest.DB(), o, func(ctx context.Context, tx *tenant.Tx) error {
			return tx.Get(ctx, &kept, `SELECT count(*) FROM audit_log WHERE detail = $1`, key)
		})
		if kept != 1 || different != 1 {
			t.Fatalf("%d things were made, and %d answers name %d", kept, made.Load(), different)
		}
	}
}
