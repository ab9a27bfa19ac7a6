package watch_test

import (
	"context"
	"errors"
	"testing"

	"github.com/countinghouse/countinghouse/internal/watch"
	"github.com/countinghouse/countinghouse/tenant/tenanttest"
)

// What cannot be delivered waits, and keeps nobody else.
func TestDeliverWaiting(t *testing.T) {
	t.Parallel()
	db, ctx := tenanttest.DB(), context.Background()
	mine, theirs := tenanttest.Found(t, db, nil), tenanttest.Found(t, db, nil)
	w := watch.New(db, watch.Options{})
	for _, o := range []tenanttest.Organization{mine, theirs} {
		raise(t, w, watch.Event{Kind: watch.RevokedToken, Organization: o.Scope.Organization().ID})
	}
	down := errors.New("no such mailbox")
	got := map[string]int{}
	refuse := mine.Owner.Email
	out := watch.Outlets{Origin: "https://books.example", Mail: func(_ context.Context, to, _, _ string) error {
		if to == refuse {
			return down
		}
		got[to]++
		return nil
	}}
	if err := w.DeliverWaiting(ctx, out); !errors.Is(err, down) {
		t.Fatalf("a mail that was not taken over: %v", err)
	}
	if got[mine.Owner.Email] != 0 || got[theirs.Owner.Email] != 1 {
		t.Fatalf("%v", got)
	}
	refuse = ""
	for range 2 {
		if err := w.DeliverWaiting(ctx, out); err != nil {
			t.Fatal(err)
		}
	}
	if got[mine.Owner.Email] != 1 || got[theirs.Owner.Email] != 1 {
		t.Fatalf("%v", got)
	}
}
