package identity

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/countinghouse/countinghouse/internal/cursor"
	"github.com/countinghouse/countinghouse/tenant"
	"github.com/countinghouse/countinghouse/tenant/tenanttest"
)

// sessionHash is under what a session is kept.
func sessionHash(t testing.TB, session string) tenant.Hash {
	t.Helper()
	hash, ok := HashToken(session)
	if !ok {
		t.Fatalf("%q is no session", session)
	}
	return hash
}

// join makes a person a member of an organization.
func join(t testing.TB, i *Identity, o tenanttest.Organization, p tenant.Person, role, state string) {
	t.Helper()
	tenanttest.Do(t, i.db, o, func(ctx context.Context, tx *tenant.Tx) error { return tx.SetMember(ctx, p, role, state) })
}

// inOrganization runs fn as the owner, whose rights may have changed meanwhile.
func inOrganization(t testing.TB, i *Identity, o tenanttest.Organization, fn func(ctx context.Context, tx *tenant.Tx) error) {
	t.Helper()
	tenanttest.Do(t, i.db, o, fn)
}

// held is in how many rows of the platform's tables something stands.
func held(t testing.TB, i *Identity, text string) (n int) {
	t.Helper()
	err := tenant.DoPlatform(context.Background(), i.db, func(tx *tenant.PlatformTx) error {
		return tx.Get(context.Background(), &n, `
			SELECT (SELECT count(*) FROM platform.person x WHERE position($1 in x::text) > 0)
			     + (SELECT count(*) FROM platform.credential x WHERE position($1 in x::text) > 0)
			     + (SELECT count(*) FROM platform.verification x WHERE position($1 in x::text) > 0)
			     + (SELECT count(*) FROM platform.session x WHERE position($1 in x::text) > 0)
			     + (SELECT count(*) FROM platform.login_event x WHERE position($1 in x::text) > 0)
			     + (SELECT count(*) FROM platform.device x WHERE position($1 in x::text) > 0)
			     + (SELECT count(*) FROM platform.former_password x WHERE position($1 in x::text) > 0)
			     + (SELECT count(*) FROM platform.totp x WHERE position($1 in x::text) > 0)
			     + (SELECT count(*) FROM platform.recovery_code x WHERE position($1 in x::text) > 0)
			     + (SELECT count(*) FROM platform.passkey x WHERE position($1 in x::text) > 0)
			     + (SELECT count(*) FROM platform.pending_login x WHERE position($1 in x::text) > 0)
			     + (SELECT count(*) FROM platform.phone x WHERE position($1 in x::text) > 0)
			     + (SELECT count(*) FROM platform.phone_code x WHERE position($1 in x::text) > 0)
			     + (SELECT count(*) FROM platform.entry x WHERE position($1 in x::text) > 0)`, text)
	})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func TestErasePerson(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	t.Run("takes the person out of everything and leaves a pseudonym in the books", func(t *testing.T) {
		t.Parallel()
		g := newGuarded(t)
		board := &switchboard{}
		g.options.Texter = board
		i, p := g.Identity, g.person
		network := newNetwork()
		number := addPhone(t, i, board, g.session)
		o, suspended, left := tenanttest.Found(t, i.db, nil), tenanttest.Found(t, i.db, nil), tenanttest.Found(t, i.db, nil)
		removed := tenanttest.Found(t, i.db, nil)
		join(t, i, removed, p, "administrator", tenant.Active)
		join(t, i, removed, p, "administrator", tenant.Removed)
		join(t, i, o, p, "administrator", tenant.Active)
		join(t, i, left, p, "administrator", tenant.Active)
		join(t, i, left, p, "administrator", tenant.Denied)
		join(t, i, suspended, p, "administrator", tenant.Active)
		session, err := g.complete(g.begin(t), g.code(t, 0))
		if err != nil {
			t.Fatal(err)
		}
		scope, err := tenant.EnterMember(ctx, i.db, sessionHash(t, session), o.Slug)
		if err != nil {
			t.Fatal(err)
		}
		if err := tenant.Seen(ctx, i.db, scope); err != nil {
			t.Fatal(err)
		}
		var secret string
		err = tenant.Do(ctx, i.db, scope, func(tx *tenant.Tx) (err error) {
			_, secret, err = AddToken(ctx, tx, TokenInput{Name: "import", Scopes: []string{"*:read"}}, anyScope)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		guess(t, i, p.Email, RequestInfo{Network: network})
		if n := held(t, i, p.ID.String()); n < 8 {
			t.Fatalf("only %d rows hold the person beforehand: this test shows nothing", n)
		}
		if err := i.ErasePerson(ctx, session); err != nil {
			t.Fatal(err)
		}
		if n := held(t, i, p.Email) + held(t, i, number); n != 0 {
			t.Errorf("%d rows still hold address or number", n)
		}
		if n := held(t, i, p.ID.String()); n != 1 {
			t.Errorf("%d rows name the person; the pseudonym's is to be the only one", n)
		}
		_, err = i.PersonBySession(ctx, session)
		wants(t, "the session", err, tenant.ErrNotSignedIn)
		_, err = i.PersonBySession(ctx, g.session)
		wants(t, "the other session", err, tenant.ErrNotSignedIn)
		_, err = enter(t, i.db, secret)
		wants(t, "the API token", err, tenant.ErrBadToken)
		_, _, err = i.SignIn(ctx, p.Email, strong, RequestInfo{})
		wants(t, "signing in", err, ErrRefused)
		name, address := Pseudonym(p.ID)
		for _, where := range []tenanttest.Organization{o, left, suspended, removed} {
			state := tenant.Denied
			if where == removed {
				state = tenant.Removed
			}
			inOrganization(t, i, where, func(ctx context.Context, tx *tenant.Tx) error {
				var got struct {
					Name  string `db:"name"`
					Email string `db:"email"`
					State string `db:"state"`
				}
				err := tx.Get(ctx, &got, `SELECT name, email, state FROM member WHERE person_id = $1`, p.ID)
				if got.Name != name || got.Email != address || got.State != state {
					t.Errorf("the member is %+v", got)
				}
				return err
			})
		}
		if !strings.HasPrefix(name, "Former member ") || strings.Contains(name+address, p.Name) || strings.Contains(address, p.Email) {
			t.Errorf("pseudonym %q at %q", name, address)
		}
		again, err := i.AddPerson(ctx, p.Email, p.Name, strong)
		if err != nil || again.ID == p.ID {
			t.Fatalf("the address anew: %+v, %v", again, err)
		}
		if logins, err := i.Logins(ctx, again.ID); err != nil || len(logins) != 0 {
			t.Errorf("the new account has a past: %+v, %v", logins, err)
		}
		if all, err := i.Organizations(ctx, again.ID); err != nil || len(all) != 0 {
			t.Errorf("the new account belongs to %+v, %v", all, err)
		}
	})
	t.Run("refuses the last owner of an organization, names it, and changes nothing", func(t *testing.T) {
		t.Parallel()
		i, _, _ := newIdentity(t)
		quickly(i)
		p := addPerson(t, i)
		session := signIn(t, i, p.Email, RequestInfo{})
		o, elsewhere := tenanttest.Found(t, i.db, nil), tenanttest.Found(t, i.db, nil)
		join(t, i, elsewhere, p, "administrator", tenant.Active)
		join(t, i, o, p, "owner", tenant.Active)
		join(t, i, o, o.Owner, "owner", tenant.Denied)
		err := i.ErasePerson(ctx, session)
		if wants(t, "the last owner", err, ErrLastOwner); err != nil && !strings.Contains(err.Error(), "Tidewater Studios") {
			t.Errorf("it does not say of what: %v", err)
		}
		if all, err := i.Organizations(ctx, p.ID); err != nil || len(all) != 2 {
			t.Errorf("they belong to %+v, %v", all, err)
		}
	})
	t.Run("lets one of two last owners go who leave at once", func(t *testing.T) {
		t.Parallel()
		i, _, _ := newIdentity(t)
		quickly(i)
		o := tenanttest.Found(t, i.db, nil)
		one, two := addPerson(t, i), addPerson(t, i)
		join(t, i, o, one, "owner", tenant.Active)
		join(t, i, o, two, "owner", tenant.Active)
		sessions := []string{signIn(t, i, one.Email, RequestInfo{}), signIn(t, i, two.Email, RequestInfo{})}
		join(t, i, o, o.Owner, "owner", tenant.Denied)
		done := make(chan error, 2)
		for _, s := range sessions {
			go func() { done <- i.ErasePerson(ctx, s) }()
		}
		first, second := <-done, <-done
		if first != nil {
			first, second = second, first
		}
		if first != nil || !errors.Is(second, ErrLastOwner) {
			t.Errorf("got %v and %v", first, second)
		}
	})
	t.Run("asks for proof again", func(t *testing.T) {
		t.Parallel()
		i, _, clock := newIdentity(t)
		session := signIn(t, i, addPerson(t, i).Email, RequestInfo{})
		clock.Advance(11 * time.Minute)
		wants(t, "after eleven minutes", i.ErasePerson(ctx, session), ErrProofNeeded)
		wants(t, "without a session", i.ErasePerson(ctx, ""), tenant.ErrNotSignedIn)
	})
}

func TestEntries(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	g := newGuarded(t)
	i, p := g.Identity, g.person
	o, other := tenanttest.Found(t, i.db, nil), tenanttest.Found(t, i.db, nil)
	join(t, i, o, p, "administrator", tenant.Active)
	join(t, i, other, p, "administrator", tenant.Active)
	network := newNetwork()
	g.clock.Advance(time.Minute)
	_, session, err := i.CompleteSecondStep(ctx, g.begin(t), g.code(t, 0), RequestInfo{Network: network, UserAgent: "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"})
	if err != nil {
		t.Fatal(err)
	}
	for range 3 { // however often they look around, and however often a process forgets
		scope, err := tenant.EnterMember(ctx, i.db, sessionHash(t, session), o.Slug)
		if err != nil {
			t.Fatal(err)
		}
		if err := tenant.Seen(ctx, i.db, scope); err != nil {
			t.Fatal(err)
		}
		join(t, i, o, p, "administrator", tenant.Active) // bumps the version
	}
	inOrganization(t, i, o, func(ctx context.Context, tx *tenant.Tx) error {
		page, err := Entries(ctx, tx, cursor.Query{})
		if err != nil || len(page.Items) != 1 {
			t.Fatalf("got %+v, %v", page, err)
		}
		if e := page.Items[0]; e.Person != p.ID || e.Name != p.Name || e.Network != show(network) || e.Agent() != "Firefox on Linux" || e.At.IsZero() {
			t.Errorf("got %+v", e)
		}
		all, err := Factors(ctx, tx)
		if err != nil || len(all) != 2 {
			t.Fatalf("got %+v, %v", all, err)
		}
		for _, f := range all {
			if f.On() != (f.Person == p.ID) {
				t.Errorf("second factors of %s: %+v", f.Name, f)
			}
		}
		return nil
	})
	inOrganization(t, i, other, func(ctx context.Context, tx *tenant.Tx) error {
		page, err := Entries(ctx, tx, cursor.Query{})
		if err != nil || len(page.Items) != 0 {
			t.Errorf("another organization sees %+v, %v", page, err)
		}
		return nil
	})
}

func TestEnterSelf(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	i, _, _ := newIdentity(t)
	quickly(i)
	o := tenanttest.Found(t, i.db, nil)
	p, stranger := addPerson(t, i), addPerson(t, i)
	session := sessionHash(t, signIn(t, i, p.Email, RequestInfo{}))
	join(t, i, o, p, "owner", tenant.Active)
	join(t, i, o, p, "owner", tenant.Denied)
	here := o.Scope.Organization().ID
	scope, err := tenant.EnterSelf(ctx, i.db, session, here)
	if err != nil || scope.Kind() != tenant.Self || scope.Person() != p || scope.Ceiling() == nil || len(scope.Ceiling()) != 0 {
		t.Fatalf("got %+v, %v", scope, err)
	}
	if _, err = tenant.EnterSelf(ctx, i.db, sessionHash(t, signIn(t, i, stranger.Email, RequestInfo{})), here); !errors.Is(err, tenant.ErrNoOrganization) {
		t.Errorf("a stranger: %v", err)
	}
	if err := i.EndOtherSessions(ctx, signIn(t, i, p.Email, RequestInfo{})); err != nil {
		t.Fatal(err)
	}
	wants(t, "after signing out", tenant.Do(ctx, i.db, scope, func(*tenant.Tx) error { return nil }), tenant.ErrStale)
	err = tenant.Do(ctx, i.db, o.Scope, func(tx *tenant.Tx) error { return tx.LeaveForGood(ctx, "Nobody", "nobody@deleted.invalid") })
	if err == nil {
		t.Error("a member's scope took a name away")
	}
}
