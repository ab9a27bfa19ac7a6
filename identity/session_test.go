package identity

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/countinghouse/countinghouse/tenant"
	"github.com/countinghouse/countinghouse/tenant/tenanttest"
)

func TestSignIn(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	t.Run("gives the same refusal to a wrong password and to an unknown address", func(t *testing.T) {
		t.Parallel()
		i, _, _ := newIdentity(t)
		p := addPerson(t, i)
		var said string
		for _, c := range [][2]string{
			{p.Email, strong + "x"}, {p.Email, ""}, {p.Email, strings.ToUpper(strong)}, {p.Email, strings.Repeat("x", 5000)},
			{p.Email, "\xff"}, {newEmail(), strong}, {"", ""}, {"mara", strong}, {p.Email + "\x00", strong}, {"' OR true --", strong},
		} {
			got, session, err := i.SignIn(ctx, c[0], c[1], RequestInfo{})
			wants(t, fmt.Sprintf("%.40q", c), err, ErrRefused)
			if said == "" {
				said = err.Error()
			}
			if err.Error() != said || session != "" || got != (tenant.Person{}) {
				t.Errorf("%.40q: %+v, %q, %v", c, got, session, err)
			}
		}
	})
	t.Run("does the work of a password check whether or not the address is known", func(t *testing.T) {
		t.Parallel()
		i, _, _ := newIdentity(t)
		p := addPerson(t, i)
		i.hasher = newHasher(0) // whoever checks a password meets us first
		for _, email := range []string{p.Email, newEmail(), "mara", ""} {
			answer := make(chan error, 1)
			go func() {
				_, _, err := i.SignIn(ctx, email, "not the password", RequestInfo{})
				answer <- err
			}()
			select {
			case <-i.hasher.places:
				i.hasher.places <- struct{}{}
				wants(t, email, <-answer, ErrRefused)
			case err := <-answer:
				t.Errorf("%q was answered without a check: %v", email, err)
			}
		}
	})
	t.Run("finds the person however the address and the password are typed", func(t *testing.T) {
		t.Parallel()
		i, _, _ := newIdentity(t)
		p, err := i.AddPerson(ctx, newEmail(), "Zoë Brun", "Příliš žluťoučký kůň")
		if err != nil {
			t.Fatal(err)
		}
		const decomposed = "Pr\u030ci\u0301lis\u030c z\u030clut\u030couc\u030cky\u0301 ku\u030an\u030c"
		if got, _, err := i.SignIn(ctx, " "+strings.ToUpper(p.Email), decomposed, RequestInfo{}); err != nil || got != p {
			t.Errorf("got %+v, %v", got, err)
		}
	})
	t.Run("keeps only a digest of the token, and where it was opened", func(t *testing.T) {
		t.Parallel()
		i, _, _ := newIdentity(t)
		p := addPerson(t, i)
		for _, c := range []struct{ network, agent, wantNetwork, wantAgent string }{
			{"192.0.2.7", "Firefox", "192.0.2.7", "Firefox"},
			{"::ffff:192.0.2.7", "Fire\x00fox\xff\n", "192.0.2.7", "Firefox"},
			{"fe80::1%eth0", strings.Repeat("ů", 500), "fe80::1", strings.Repeat("ů", 300)},
			{"unix socket", "", "", ""},
		} {
			_, session, err := i.SignIn(ctx, p.Email, strong, RequestInfo{Network: c.network, UserAgent: c.agent})
			if err != nil {
				t.Fatal(err)
			}
			hash, _ := HashToken(session)
			var row struct {
				Network string
				Agent   string
				Plain   bool
			}
			err = tenant.DoPlatform(ctx, i.db, func(tx *tenant.PlatformTx) error {
				return tx.Get(ctx, &row, `SELECT coalesce(host(s.network), '') AS network, s.user_agent AS agent,
					position($2 in s::text) > 0 AS plain FROM platform.session s WHERE token_hash = $1`, hash[:], session)
			})
			if err != nil || row.Network != c.wantNetwork || row.Agent != c.wantAgent || row.Plain {
				t.Errorf("%q: got %+v, %v", c.network, row, err)
			}
		}
	})
	t.Run("gives another token each time", func(t *testing.T) {
		t.Parallel()
		i, _, _ := newIdentity(t)
		p := addPerson(t, i)
		_, one, err := i.SignIn(ctx, p.Email, strong, RequestInfo{})
		if err != nil {
			t.Fatal(err)
		}
		_, two, err := i.SignIn(ctx, p.Email, strong, RequestInfo{})
		if err != nil || one == two {
			t.Fatalf("%v, the same: %v", err, one == two)
		}
		if err := i.SignOut(ctx, one); err != nil {
			t.Fatal(err)
		}
		if _, err := i.PersonBySession(ctx, two); err != nil {
			t.Errorf("signing out of one ended the other: %v", err)
		}
	})
}

func TestSignOut(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	i, _, _ := newIdentity(t)
	p := addPerson(t, i)
	_, session, err := i.SignIn(ctx, p.Email, strong, RequestInfo{})
	if err != nil {
		t.Fatal(err)
	}
	slug := "org-" + tenanttest.Random(8)
	err = tenant.Found(ctx, i.db, p, slug, "Tidewater Studios", func(tx *tenant.Tx) error {
		return tx.SetMember(ctx, p, "owner", tenant.Active)
	})
	if err != nil {
		t.Fatal(err)
	}
	hash, _ := HashToken(session)
	scope, err := tenant.EnterMember(ctx, i.db, hash, slug)
	if err != nil {
		t.Fatal(err)
	}
	if err := i.SignOut(ctx, session); err != nil {
		t.Fatal(err)
	}
	_, err = i.PersonBySession(ctx, session)
	wants(t, "outside the organization", err, tenant.ErrNotSignedIn)
	err = tenant.Do(ctx, i.db, scope, func(*tenant.Tx) error { return nil })
	wants(t, "inside, with a scope from before", err, tenant.ErrStale)
	_, err = tenant.EnterMember(ctx, i.db, hash, slug)
	wants(t, "inside, entering again", err, tenant.ErrNotSignedIn)
	for _, again := range []string{session, "", "x", strings.Repeat("A", 43)} {
		if err := i.SignOut(ctx, again); err != nil {
			t.Errorf("%q: %v", again, err)
		}
	}
}

// However people sign in and out and time goes by, a session is accepted exactly when a plain model says so.
func TestSessionLife(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	i, _, clock := newIdentity(t)
	people := []tenant.Person{addPerson(t, i), addPerson(t, i)}
	rapid.Check(t, func(r *rapid.T) {
		type life struct {
			person       tenant.Person
			token        string
			opened, used time.Time
			ended        bool
		}
		var lives []*life
		var now time.Time // as far as the clock was moved: the machine's own progress is far below a minute
		pick := func(r *rapid.T) *life {
			if len(lives) == 0 {
				r.Skip("no session yet")
			}
			return rapid.SampledFrom(lives).Draw(r, "session")
		}
		r.Repeat(map[string]func(*rapid.T){
			"open": func(r *rapid.T) {
				l := &life{person: rapid.SampledFrom(people).Draw(r, "person"), opened: now, used: now}
				err := tenant.DoPlatform(ctx, i.db, func(tx *tenant.PlatformTx) (err error) {
					l.token, _, err = i.newSession(ctx, tx, l.person.ID, RequestInfo{})
					return err
				})
				if err != nil {
					r.Fatal(err)
				}
				lives = append(lives, l)
			},
			"sign out": func(r *rapid.T) {
				l := pick(r)
				l.ended = true
				if err := i.SignOut(ctx, l.token); err != nil {
					r.Fatal(err)
				}
			},
			"wait": func(r *rapid.T) {
				// The odd minutes keep every sum away from the limits, so that the machine's own time does not decide.
				d := time.Duration(rapid.SampledFrom([]int{1, 5, 15, 17, 200, 719, 721}).Draw(r, "half hours"))*30*time.Minute + 7*time.Minute
				clock.Advance(d)
				now = now.Add(d)
			},
			"use": func(r *rapid.T) {
				l := pick(r)
				alive := !l.ended && now.Sub(l.used) < 8*time.Hour && now.Sub(l.opened) < 30*24*time.Hour
				p, err := i.PersonBySession(ctx, l.token)
				if alive != (err == nil) || alive && p != l.person {
					r.Fatalf("alive %v, got %+v, %v", alive, p, err)
				}
				if alive {
					l.used = now
				} else {
					wants(t, "a session that is over", err, tenant.ErrNotSignedIn)
				}
			},
		})
	})
}

func TestSessionEndsAfterItsLifetimeHoweverBusy(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	i, _, clock := newIdentity(t)
	_, session, err := i.SignIn(ctx, addPerson(t, i).Email, strong, RequestInfo{})
	if err != nil {
		t.Fatal(err)
	}
	for at := time.Duration(0); at < 30*24*time.Hour-7*time.Hour; at += 7 * time.Hour {
		if _, err := i.PersonBySession(ctx, session); err != nil {
			t.Fatalf("after %v: %v", at, err)
		}
		clock.Advance(7 * time.Hour)
	}
	if _, err := i.PersonBySession(ctx, session); err != nil {
		t.Fatal(err)
	}
	clock.Advance(7 * time.Hour)
	_, err = i.PersonBySession(ctx, session)
	wants(t, "after 30 days", err, tenant.ErrNotSignedIn)
}

func TestOrganizations(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	i, _, _ := newIdentity(t)
	p := addPerson(t, i)
	if all, err := i.Organizations(ctx, p.ID); err != nil || len(all) != 0 {
		t.Fatalf("nobody's: %v, %v", all, err)
	}
	other := addPerson(t, i)
	var slugs []string
	for n, name := range []string{"tidewater", "Alpine Ltd", "Shut"} {
		slug := "org-" + tenanttest.Random(8)
		err := tenant.Found(ctx, i.db, p, slug, name, func(tx *tenant.Tx) error {
			if err := tx.SetMember(ctx, other, "owner", tenant.Active); err != nil { // an organization keeps one
				return err
			}
			return tx.SetMember(ctx, p, "owner", []string{tenant.Active, tenant.Active, tenant.Denied}[n])
		})
		if err != nil {
			t.Fatal(err)
		}
		slugs = append(slugs, slug)
	}
	tenanttest.Found(t, tenanttest.DB(), nil)
	all, err := i.Organizations(ctx, p.ID)
	if err != nil || len(all) != 2 || all[0].Organization.Slug != slugs[1] || all[1].Organization.Name != "tidewater" || all[0].Role != "owner" {
		t.Errorf("got %+v, %v", all, err)
	}
}
