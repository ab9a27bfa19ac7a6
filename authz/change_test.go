package authz

import (
	"context"
	"crypto/sha256"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/countinghouse/countinghouse/internal/id"
	"github.com/countinghouse/countinghouse/tenant"
	"github.com/countinghouse/countinghouse/tenant/tenanttest"
)

// someone is a person with a session, and what they can do in one organization.
type someone struct {
	t       testing.TB
	db      *tenant.DB
	slug    string
	person  tenant.Person
	session tenant.Hash
}

// owner is the founder of a new organization.
func owner(t testing.TB, db *tenant.DB) someone {
	t.Helper()
	o := tenanttest.Found(t, db, nil)
	return someone{t, db, o.Slug, o.Owner, o.Session}
}

// stranger is someone else, not yet in it.
func (s someone) stranger() someone {
	s.person, s.session = tenanttest.NewPerson(s.t, s.db)
	return s
}

// with is the same person by another replica.
func (s someone) with(db *tenant.DB) someone { s.db = db; return s }

// do enters as the edge does, anew when rights have changed meanwhile.
func (s someone) do(fn func(ctx context.Context, tx *tenant.Tx) error) error {
	ctx := context.Background()
	var err error
	for range 10 {
		var scope tenant.Scope
		if scope, err = tenant.EnterMember(ctx, s.db, s.session, s.slug); err != nil {
			return err
		}
		if err = tenant.Do(ctx, s.db, scope, func(tx *tenant.Tx) error { return fn(ctx, tx) }); !errors.Is(err, tenant.ErrStale) {
			return err
		}
	}
	return err
}

func (s someone) must(fn func(ctx context.Context, tx *tenant.Tx) error) {
	s.t.Helper()
	if err := s.do(fn); err != nil {
		s.t.Fatal(err)
	}
}

// hire makes a new member with a role.
func (s someone) hire(role string) someone {
	s.t.Helper()
	who := s.stranger()
	s.must(func(ctx context.Context, tx *tenant.Tx) error { return join(ctx, tx, who.person, role) })
	return who
}

// role makes a role of the organization's own with rights such as "invoices:read".
func (s someone) role(name string, rights ...string) OwnRole {
	s.t.Helper()
	var r OwnRole
	s.must(func(ctx context.Context, tx *tenant.Tx) (err error) {
		r, err = compiled.AddRole(ctx, tx, input(s.t, name, rights...))
		return err
	})
	return r
}

func input(t testing.TB, name string, rights ...string) RoleInput {
	t.Helper()
	ticks, err := ParseTicks(rights)
	if err != nil {
		t.Fatal(err)
	}
	return RoleInput{Name: name, Ticks: ticks}
}

func (s someone) giveRole(who someone, role string) error {
	return s.do(func(ctx context.Context, tx *tenant.Tx) error {
		return compiled.ChangeMemberRole(ctx, tx, who.person.ID, role)
	})
}

func (s someone) deny(who someone) error {
	return s.do(func(ctx context.Context, tx *tenant.Tx) error { return compiled.DenyMember(ctx, tx, who.person.ID) })
}

func (s someone) allow(who someone) error {
	return s.do(func(ctx context.Context, tx *tenant.Tx) error { return compiled.AllowMember(ctx, tx, who.person.ID) })
}

func (s someone) remove(who someone) error {
	return s.do(func(ctx context.Context, tx *tenant.Tx) error { return compiled.RemoveMember(ctx, tx, who.person.ID) })
}

func (s someone) changeRole(r OwnRole, name string, rights ...string) error {
	return s.do(func(ctx context.Context, tx *tenant.Tx) error {
		_, err := compiled.ChangeRole(ctx, tx, r.ID, 0, input(s.t, name, rights...))
		return err
	})
}

func (s someone) invite(email, role string) (i Invitation, secret string, err error) {
	err = s.do(func(ctx context.Context, tx *tenant.Tx) (err error) {
		i, secret, err = compiled.InviteMember(ctx, tx, Invite{email, role})
		return err
	})
	return i, secret, err
}

func (s someone) offer(who someone) (secret string, err error) {
	err = s.do(func(ctx context.Context, tx *tenant.Tx) (err error) {
		_, secret, err = compiled.OfferOwnership(ctx, tx, who.person.ID)
		return err
	})
	return secret, err
}

func (s someone) accept(secret string) error {
	ctx, hash := context.Background(), tenant.Hash(sha256.Sum256([]byte(secret)))
	var err error
	for range 10 {
		var scope tenant.Scope
		if scope, err = tenant.EnterInvited(ctx, s.db, s.session, hash); err != nil {
			return err
		}
		err = tenant.Do(ctx, s.db, scope, func(tx *tenant.Tx) error { return compiled.AcceptInvitation(ctx, tx, hash) })
		if !errors.Is(err, tenant.ErrStale) {
			return err
		}
	}
	return err
}

// may is a request: whether the person gets in and may do it.
func (s someone) may(right string) bool {
	s.t.Helper()
	r, ok := ParseRight(right)
	if !ok {
		s.t.Fatalf("%s is no right", right)
	}
	allowed := false
	err := s.do(func(_ context.Context, tx *tenant.Tx) error {
		allowed = compiled.May(tx.Scope(), r).Allowed
		return nil
	})
	if err != nil && !errors.Is(err, tenant.ErrNoOrganization) {
		s.t.Fatal(err)
	}
	return err == nil && allowed
}

func refusedWith(t testing.TB, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Errorf("got %v, want %v", err, want)
	}
}

func TestAnOwnRole(t *testing.T) {
	t.Parallel()
	db := tenanttest.DB()
	replica := tenanttest.OpenWith(t, &tenanttest.Clock{})
	t.Run("holds what is ticked and nothing else, and an edit holds from the next request on every replica", func(t *testing.T) {
		t.Parallel()
		mara := owner(t, db)
		r := mara.role("Front desk", "invoices:read", "invoices:create", "customers:read")
		tim := mara.hire(r.Role())
		for _, who := range []someone{tim, tim.with(replica)} {
			if !who.may("invoices:create") || who.may("invoices:approve") || who.may("payments:read") {
				t.Error("not as ticked")
			}
		}
		if err := mara.changeRole(r, "Front desk", "payments:read"); err != nil {
			t.Fatal(err)
		}
		for _, who := range []someone{tim.with(replica), tim} {
			if who.may("invoices:create") || !who.may("payments:read") {
				t.Error("the edit does not hold")
			}
		}
	})
	t.Run("has all boxes off at first, and one tick gives full access but for letting support in", func(t *testing.T) {
		t.Parallel()
		mara := owner(t, db)
		none, all := mara.hire(mara.role("Nothing").Role()), mara.hire(mara.role("Everything", "*").Role())
		for _, group := range Rights() {
			for _, g := range group.Rights {
				want := g.Right.Module != Support || g.Right.Action == Read || g.Right.Action == Delete
				if none.may(g.Right.String()) || all.may(g.Right.String()) != want {
					t.Errorf("%s: with nothing %v, with everything %v", g.Right, none.may(g.Right.String()), all.may(g.Right.String()))
				}
			}
		}
	})
	t.Run("cannot be made, edited or deleted beyond what its editor holds", func(t *testing.T) {
		t.Parallel()
		mara := owner(t, db)
		boss := mara.role("Boss", "roles:read", "roles:create", "roles:change", "roles:delete", "invoices:read")
		ben := mara.hire(boss.Role())
		big := mara.role("Big", "payments:delete")
		refusedWith(t, ben.changeRole(boss, "Boss", "roles:change", "payments:delete"), ErrRoleExceeds)
		refusedWith(t, ben.changeRole(boss, "Boss", "*"), ErrRoleExceeds)
		refusedWith(t, ben.changeRole(big, "Big"), ErrRoleExceeds)
		refusedWith(t, ben.do(func(ctx context.Context, tx *tenant.Tx) error {
			_, err := compiled.AddRole(ctx, tx, input(t, "Mine", "payments:read"))
			return err
		}), ErrRoleExceeds)
		refusedWith(t, ben.do(func(ctx context.Context, tx *tenant.Tx) error { return compiled.DeleteRole(ctx, tx, big.ID) }), ErrRoleExceeds)
		if ben.may("payments:read") || ben.may("payments:delete") {
			t.Error("he may more than before")
		}
		ben.role("Reader", "invoices:read")
	})
	t.Run("is not deleted while members have it, and can be after", func(t *testing.T) {
		t.Parallel()
		mara := owner(t, db)
		r := mara.role("Front desk", "invoices:read")
		tim := mara.hire(r.Role())
		drop := func(ctx context.Context, tx *tenant.Tx) error { return compiled.DeleteRole(ctx, tx, r.ID) }
		refusedWith(t, mara.do(drop), ErrRoleInUse)
		if err := mara.remove(tim); err != nil {
			t.Fatal(err)
		}
		mara.must(drop)
		refusedWith(t, mara.giveRole(mara.hire("viewer"), r.Role()), ErrRoleUnknown)
	})
	t.Run("has a name of its own", func(t *testing.T) {
		t.Parallel()
		mara := owner(t, db)
		mara.role("Front desk")
		for _, name := range []string{"front DESK", "Owner", "bookkeeper"} {
			refusedWith(t, mara.do(func(ctx context.Context, tx *tenant.Tx) error {
				_, err := compiled.AddRole(ctx, tx, RoleInput{Name: name})
				return err
			}), ErrRoleName)
		}
	})
	t.Run("is of its organization alone", func(t *testing.T) {
		t.Parallel()
		mara, other := owner(t, db), owner(t, db)
		r := mara.role("Front desk", "*")
		refusedWith(t, other.giveRole(other.hire("viewer"), r.Role()), ErrRoleUnknown)
		refusedWith(t, other.changeRole(r, "Mine"), ErrNoRole)
	})
}

func TestChangingMembers(t *testing.T) {
	t.Parallel()
	db := tenanttest.DB()
	replica := tenanttest.OpenWith(t, &tenanttest.Clock{})
	t.Run("denies, allows and removes from the next request on, on every replica", func(t *testing.T) {
		t.Parallel()
		mara := owner(t, db)
		tim := mara.hire("bookkeeper")
		both := func(want bool) {
			t.Helper()
			if tim.may("invoices:read") != want || tim.with(replica).may("invoices:read") != want {
				t.Errorf("may read invoices: want %v on both", want)
			}
		}
		both(true)
		for _, step := range []struct {
			do   func(someone) error
			want bool
		}{{mara.deny, false}, {mara.allow, true}, {mara.with(replica).remove, false}} {
			if err := step.do(tim); err != nil {
				t.Fatal(err)
			}
			both(step.want)
		}
		refusedWith(t, mara.allow(tim), ErrNoMember)
	})
	t.Run("gives nobody more than the giver holds, and does not touch who may more", func(t *testing.T) {
		t.Parallel()
		mara := owner(t, db)
		ada := mara.hire("administrator")
		tim := ada.hire("viewer")
		refusedWith(t, ada.giveRole(tim, "owner"), ErrRoleExceeds)
		refusedWith(t, ada.giveRole(ada, "owner"), ErrRoleExceeds)
		for _, act := range []func(someone) error{ada.deny, ada.remove, func(s someone) error { return ada.giveRole(s, "viewer") }} {
			refusedWith(t, act(mara), ErrMayMore)
		}
		lead := mara.hire(mara.role("Lead", "members:read", "members:change", "members:delete", "invoices:read").Role())
		refusedWith(t, lead.giveRole(tim, "bookkeeper"), ErrMayMore)
		refusedWith(t, lead.deny(ada), ErrMayMore)
		refusedWith(t, lead.giveRole(lead, "administrator"), ErrRoleExceeds)
	})
	t.Run("keeps the last owner, from two at once too", func(t *testing.T) {
		t.Parallel()
		mara := owner(t, db)
		for _, act := range []func(someone) error{mara.deny, mara.remove, func(s someone) error { return mara.giveRole(s, "viewer") }} {
			refusedWith(t, act(mara), ErrLastOwner)
		}
		for range 5 {
			second := mara.hire("owner")
			var both sync.WaitGroup
			answers := make([]error, 2)
			both.Go(func() { answers[0] = mara.giveRole(second, "viewer") })
			both.Go(func() { answers[1] = second.with(replica).giveRole(mara, "viewer") })
			both.Wait()
			if (answers[0] == nil) == (answers[1] == nil) {
				t.Fatalf("of two owners who demote each other one succeeds: %v", answers)
			}
			if answers[0] != nil {
				mara, second = second, mara
			}
			if !mara.may("support:approve") || second.may("support:approve") {
				t.Fatal("not one owner is left")
			}
		}
	})
	t.Run("revokes the tokens of who is removed, for good", func(t *testing.T) {
		t.Parallel()
		mara := owner(t, db)
		tim := mara.hire("bookkeeper")
		hash := tenant.Hash(sha256.Sum256([]byte(tenanttest.Random(16))))
		tim.must(func(ctx context.Context, tx *tenant.Tx) error {
			_, err := tx.Exec(ctx, `SELECT platform.add_api_token($1, $2, $3, 'x', 'ch_x', '{*:write}', $4, NULL)`, hash[:], id.New[Member](), tim.person.ID, tx.Now())
			return err
		})
		if _, err := tenant.EnterToken(context.Background(), replica, hash); err != nil {
			t.Fatal(err)
		}
		if err := mara.remove(tim); err != nil {
			t.Fatal(err)
		}
		mara.must(func(ctx context.Context, tx *tenant.Tx) error { return AddMember(ctx, tx, tim.person, "viewer") })
		if _, err := tenant.EnterToken(context.Background(), db, hash); !errors.Is(err, tenant.ErrBadToken) {
			t.Errorf("the old token opens again: %v", err)
		}
		if !tim.may("invoices:read") || tim.may("invoices:create") {
			t.Error("not the new role")
		}
	})
}

func TestInvitation(t *testing.T) {
	t.Parallel()
	clock := &tenanttest.Clock{}
	db := tenanttest.DB()
	t.Run("lets its address in once, with its role", func(t *testing.T) {
		t.Parallel()
		mara := owner(t, db)
		tim, eve := mara.stranger(), mara.stranger()
		_, secret, err := mara.invite(tim.person.Email, "bookkeeper")
		if err != nil {
			t.Fatal(err)
		}
		_, _, err = mara.invite(tim.person.Email, "viewer")
		refusedWith(t, err, ErrInvited)
		refusedWith(t, eve.accept(secret), ErrInvitedOther)
		refusedWith(t, tim.accept(strings.Repeat("A", 43)), tenant.ErrNoOrganization)
		if tim.may("invoices:read") {
			t.Fatal("in before accepting")
		}
		if err := tim.accept(secret); err != nil {
			t.Fatal(err)
		}
		if !tim.may("invoices:approve") || tim.may("members:read") {
			t.Error("not a bookkeeper")
		}
		refusedWith(t, tim.accept(secret), tenant.ErrNoOrganization)
		_, _, err = mara.invite(tim.person.Email, "viewer")
		refusedWith(t, err, ErrMember)
		if err := mara.remove(tim); err != nil {
			t.Fatal(err)
		}
		refusedWith(t, tim.accept(secret), tenant.ErrNoOrganization)
	})
	t.Run("is accepted once by two at once", func(t *testing.T) {
		t.Parallel()
		mara := owner(t, db)
		tim := mara.stranger()
		_, secret, err := mara.invite(tim.person.Email, "viewer")
		if err != nil {
			t.Fatal(err)
		}
		var all sync.WaitGroup
		answers := make([]error, 4)
		for n := range answers {
			all.Go(func() { answers[n] = tim.accept(secret) })
		}
		all.Wait()
		good := 0
		for _, err := range answers {
			if err == nil {
				good++
			}
		}
		if good != 1 {
			t.Errorf("accepted %d times: %v", good, answers)
		}
	})
	t.Run("runs out, is renewed with a new link, and is revoked", func(t *testing.T) {
		t.Parallel()
		moved := tenanttest.OpenWith(t, clock)
		mara := owner(t, moved)
		ben := mara.hire("administrator")
		tim := mara.stranger()
		i, secret, err := mara.invite(tim.person.Email, "viewer")
		if err != nil {
			t.Fatal(err)
		}
		clock.Advance(InvitationLifetime + time.Second)
		defer clock.Advance(-InvitationLifetime)
		mara, ben, tim = mara.renewed(), ben.renewed(), tim.renewed()
		refusedWith(t, tim.accept(secret), tenant.ErrNoOrganization)
		var again string
		ben.must(func(ctx context.Context, tx *tenant.Tx) (err error) {
			_, again, err = compiled.RenewInvitation(ctx, tx, i.ID)
			return err
		})
		refusedWith(t, tim.accept(secret), tenant.ErrNoOrganization)
		mara.must(func(ctx context.Context, tx *tenant.Tx) error { return RevokeInvitation(ctx, tx, i.ID) })
		refusedWith(t, tim.accept(again), tenant.ErrNoOrganization)
		_, third, err := mara.invite(tim.person.Email, "viewer")
		if err == nil {
			err = tim.accept(third)
		}
		if err != nil || !tim.may("invoices:read") {
			t.Errorf("the next one does not open: %v", err)
		}
	})
	t.Run("gives no more than its sender holds, on the day that it is accepted", func(t *testing.T) {
		t.Parallel()
		mara := owner(t, db)
		for name, undo := range map[string]func(mara, ada someone) error{
			"removed": func(mara, ada someone) error { return mara.remove(ada) },
			"denied":  func(mara, ada someone) error { return mara.deny(ada) },
			"demoted, and promoted again": func(mara, ada someone) error {
				return errors.Join(mara.giveRole(ada, "viewer"), mara.giveRole(ada, "administrator"))
			},
		} {
			ada, tim := mara.hire("administrator"), mara.stranger()
			_, _, err := ada.invite(tim.person.Email, "owner")
			refusedWith(t, err, ErrRoleExceeds)
			_, secret, err := ada.invite(tim.person.Email, "accountant")
			if err == nil {
				err = undo(mara, ada)
			}
			if err != nil {
				t.Fatal(name, err)
			}
			if err := tim.accept(secret); err == nil || tim.may("invoices:read") {
				t.Errorf("%s: the invitation still opens: %v", name, err)
			}
		}
	})
	t.Run("is void when the role behind it shrinks or grows past its sender", func(t *testing.T) {
		t.Parallel()
		mara := owner(t, db)
		lead := mara.role("Lead", "members:read", "members:create", "invoices:read")
		desk := mara.role("Desk", "invoices:read")
		lena, tim, tom := mara.hire(lead.Role()), mara.stranger(), mara.stranger()
		_, first, err := lena.invite(tim.person.Email, desk.Role())
		if err == nil {
			err = mara.changeRole(desk, "Desk", "invoices:read", "payments:delete")
		}
		if err != nil {
			t.Fatal(err)
		}
		if tim.accept(first) == nil || tim.may("payments:delete") {
			t.Error("a role that grew past its sender is given")
		}
		if err := mara.changeRole(desk, "Desk", "invoices:read"); err != nil {
			t.Fatal(err)
		}
		_, second, err := lena.invite(tom.person.Email, desk.Role())
		if err == nil {
			err = mara.changeRole(lead, "Lead", "members:create")
		}
		if err != nil {
			t.Fatal(err)
		}
		if tom.accept(second) == nil || tom.may("invoices:read") {
			t.Error("a sender who holds it no more still gives it")
		}
	})
	t.Run("does not lift a denial", func(t *testing.T) {
		t.Parallel()
		mara := owner(t, db)
		tim := mara.hire("viewer")
		if err := mara.deny(tim); err != nil {
			t.Fatal(err)
		}
		_, _, err := mara.invite(tim.person.Email, "viewer")
		refusedWith(t, err, ErrMember)
	})
}

// renewed is the same person with a session that is open by the clock of their database.
func (s someone) renewed() someone {
	s.t.Helper()
	s.session = tenant.Hash(sha256.Sum256([]byte(tenanttest.Random(16))))
	err := tenant.DoPlatform(context.Background(), s.db, func(tx *tenant.PlatformTx) error {
		_, err := tx.Exec(context.Background(), `
			INSERT INTO platform.session (token_hash, id, person_id, created_at, authenticated_at, last_seen_at, idle_seconds, expires_at)
			VALUES ($1, $2, $3, $4, $4, $4, 3600, $5)`, s.session[:], id.New[Member](), s.person.ID, tx.Now(), tx.Now().Add(time.Hour))
		return err
	})
	if err != nil {
		s.t.Fatal(err)
	}
	return s
}

func TestHandover(t *testing.T) {
	t.Parallel()
	db := tenanttest.DB()
	mara := owner(t, db)
	ada, vic := mara.hire("administrator"), mara.hire("viewer")
	_, err := ada.offer(vic)
	refusedWith(t, err, ErrHandover)
	_, err = mara.offer(mara)
	refusedWith(t, err, ErrHandoverSelf)
	secret, err := mara.offer(vic)
	if err != nil {
		t.Fatal(err)
	}
	refusedWith(t, ada.accept(secret), ErrInvitedOther)
	if vic.may("support:approve") || !mara.may("support:approve") {
		t.Fatal("handed over without consent")
	}
	if err := vic.accept(secret); err != nil {
		t.Fatal(err)
	}
	if !vic.may("support:approve") || mara.may("support:approve") || !mara.may("members:delete") {
		t.Error("not the one owner and the other administrator")
	}
	refusedWith(t, vic.accept(secret), tenant.ErrNoOrganization)
	back, err := vic.offer(mara)
	if err == nil {
		err = vic.remove(mara)
	}
	if err != nil {
		t.Fatal(err)
	}
	if mara.accept(back) == nil || mara.may("invoices:read") {
		t.Error("who was removed meanwhile takes over")
	}
}

func TestParseTicks(t *testing.T) {
	t.Parallel()
	for _, bad := range [][]string{{"invoices"}, {"invoices:read", "invoices:read"}, {"support:all"}, {""}, {"reports:delete"}, {"invoices:*"}} {
		if _, err := ParseTicks(bad); !errors.Is(err, ErrTicks) {
			t.Errorf("%q is taken", bad)
		}
	}
	var every []string
	for _, group := range Rights() {
		for _, g := range group.Rights {
			every = append(every, g.Right.String())
		}
	}
	ticks, err := ParseTicks(every)
	if err != nil || len(ticks.Text()) > 1000 {
		t.Fatalf("all rights take %d characters, %v", len(ticks.Text()), err)
	}
	if back := readTicks(ticks.Text()); strings.Join(back.Words(), " ") != strings.Join(every, " ") || back.Full {
		t.Errorf("they read back as %v", back.Words())
	}
}
