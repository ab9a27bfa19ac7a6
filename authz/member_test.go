package authz

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"

	"github.com/countinghouse/countinghouse/internal/cursor"
	"github.com/countinghouse/countinghouse/tenant"
	"github.com/countinghouse/countinghouse/tenant/tenanttest"
)

func TestAddMember(t *testing.T) {
	t.Parallel()
	db := tenanttest.DB()
	t.Run("lets the person in with the role, and is on record", func(t *testing.T) {
		t.Parallel()
		o := tenanttest.Found(t, db, nil)
		person, session := tenanttest.NewPerson(t, db)
		if _, err := tenant.EnterMember(context.Background(), db, session, o.Slug); !errors.Is(err, tenant.ErrNoOrganization) {
			t.Fatalf("a stranger: %v", err)
		}
		tenanttest.Do(t, db, o, func(ctx context.Context, tx *tenant.Tx) error { return AddMember(ctx, tx, person, "bookkeeper") })
		scope, err := tenant.EnterMember(context.Background(), db, session, o.Slug)
		if err != nil || scope.Role() != "bookkeeper" {
			t.Fatalf("got role %q, %v", scope.Role(), err)
		}
		tenanttest.Do(t, db, o, func(ctx context.Context, tx *tenant.Tx) error {
			var n int
			err := tx.Get(ctx, &n, `SELECT count(*) FROM audit_log WHERE action = 'member.add' AND object_id = $1 AND actor_id = $2`, person.ID, o.Owner.ID)
			if err == nil && n != 1 {
				err = fmt.Errorf("%d rows on record", n)
			}
			return err
		})
	})
	t.Run("refuses roles that are not a member's", func(t *testing.T) {
		t.Parallel()
		o := tenanttest.Found(t, db, nil)
		person, _ := tenanttest.NewPerson(t, db)
		for _, role := range []string{"operator", "", "*", "Owner", "support", "owner "} {
			err := tenant.Do(context.Background(), db, o.Scope, func(tx *tenant.Tx) error {
				return AddMember(context.Background(), tx, person, role)
			})
			if !errors.Is(err, ErrRoleUnknown) {
				t.Errorf("%q: got %v", role, err)
			}
		}
	})
	t.Run("does not change a member's role, even for two at once", func(t *testing.T) {
		t.Parallel()
		o := tenanttest.Found(t, db, nil)
		err := tenant.Do(context.Background(), db, o.Scope, func(tx *tenant.Tx) error {
			return AddMember(context.Background(), tx, o.Owner, "viewer")
		})
		if !errors.Is(err, ErrMember) {
			t.Fatalf("the owner: got %v", err)
		}
		person, session := tenanttest.NewPerson(t, db)
		answers := make([]error, 2)
		roles := []string{"viewer", "administrator"}
		var both sync.WaitGroup
		for n, role := range roles {
			both.Go(func() {
				add := func(scope tenant.Scope) error {
					return tenant.Do(context.Background(), db, scope, func(tx *tenant.Tx) error {
						return AddMember(context.Background(), tx, person, role)
					})
				}
				answers[n] = add(o.Scope)
				if errors.Is(answers[n], tenant.ErrStale) { // the other came first: enter anew, as the edge does
					scope, err := tenant.EnterMember(context.Background(), db, o.Session, o.Slug)
					if answers[n] = err; err == nil {
						answers[n] = add(scope)
					}
				}
			})
		}
		both.Wait()
		won := slices.IndexFunc(answers, func(err error) bool { return err == nil })
		if won < 0 || !errors.Is(answers[1-won], ErrMember) {
			t.Fatalf("got %v", answers)
		}
		if scope, err := tenant.EnterMember(context.Background(), db, session, o.Slug); err != nil || scope.Role() != roles[won] {
			t.Errorf("got role %q, %v", scope.Role(), err)
		}
	})
}

func TestListMembers(t *testing.T) {
	t.Parallel()
	db := tenanttest.DB()
	other := tenanttest.Found(t, db, nil)
	o := tenanttest.Found(t, db, nil)
	for _, name := range []string{"Tim Goyer", "astrid Gruber", "Zoe Brun", "astrid Gruber"} {
		p, _ := tenanttest.NewPerson(t, db)
		p.Name = name
		tenanttest.Do(t, db, o, func(ctx context.Context, tx *tenant.Tx) error { return AddMember(ctx, tx, p, "viewer") })
	}
	want := []string{"astrid Gruber", "astrid Gruber", "Mara Lindqvist", "Tim Goyer", "Zoe Brun"}
	tenanttest.Do(t, db, o, func(ctx context.Context, tx *tenant.Tx) error {
		var forth, back []string
		q := cursor.Query{Limit: 2}
		for {
			page, err := ListMembers(ctx, tx, q)
			if err != nil {
				return err
			}
			for _, m := range page.Items {
				if m.Person.ID == other.Owner.ID || m.State != tenant.Active || m.JoinedAt.IsZero() {
					t.Errorf("odd member %+v", m)
				}
				forth = append(forth, m.Person.Name)
			}
			q.After = page.Items[len(page.Items)-1].Person.ID.UUID
			if !page.HasMore {
				break
			}
		}
		q = cursor.Query{Limit: 2, Before: q.After}
		for {
			page, err := ListMembers(ctx, tx, q)
			if err != nil {
				return err
			}
			var names []string
			for _, m := range page.Items {
				names = append(names, m.Person.Name)
			}
			back = append(names, back...)
			q.Before = page.Items[0].Person.ID.UUID
			if !page.HasMore {
				break
			}
		}
		if !slices.Equal(forth, want) || !slices.Equal(back, want[:4]) {
			t.Errorf("forth %q, back %q", forth, back)
		}
		return nil
	})
}

func TestMemberChangesSayWhatBecameOfWhat(t *testing.T) {
	t.Parallel()
	o := owner(t, tenanttest.DB())
	who := o.hire("viewer")
	for _, err := range []error{o.giveRole(who, "accountant"), o.deny(who), o.allow(who), o.remove(who)} {
		if err != nil {
			t.Fatal(err)
		}
	}
	var told []string
	o.must(func(ctx context.Context, tx *tenant.Tx) error {
		return tx.Select(ctx, &told, `SELECT action || ', ' || before || 'became ' || after FROM audit_log WHERE object_id = $1 AND action <> 'member.add' ORDER BY id`, who.person.ID)
	})
	want := []string{"member.role, role: viewer\nbecame role: accountant\n", "member.deny, state: active\nbecame state: denied\n",
		"member.allow, state: denied\nbecame state: active\n", "member.remove, state: active\nbecame state: removed\n"}
	if !slices.Equal(told, want) {
		t.Errorf("on record: %q", told)
	}
}
