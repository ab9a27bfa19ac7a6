package identity

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/countinghouse/countinghouse/tenant"
	"github.com/countinghouse/countinghouse/tenant/tenanttest"
)

// quickly makes passwords cheap to check, for tests that check hundreds.
func quickly(i *Identity) { i.hasher = newHasherOf(2, 64) }

// nthPassword is one of many that keep to the rules.
func nthPassword(n int) string { return fmt.Sprintf("nine wet otters %d dance", 7919*n+13) }

func TestChangePassword(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	t.Run("takes none of the last five, and the sixth again", func(t *testing.T) {
		t.Parallel()
		i, _, _ := newIdentity(t)
		quickly(i)
		p := addPerson(t, i)
		session, present := signIn(t, i, p.Email, RequestInfo{}), strong
		for n := range 5 {
			var err error
			for _, used := range append([]string{strong}, all(n)...) {
				_, err := i.ChangePassword(ctx, session, present, used, RequestInfo{})
				wants(t, "used before", err, ErrPasswordReused)
			}
			if session, err = i.ChangePassword(ctx, session, present, nthPassword(n), RequestInfo{}); err != nil {
				t.Fatal(err)
			}
			present = nthPassword(n)
		}
		if _, err := i.ChangePassword(ctx, session, present, strong, RequestInfo{}); err != nil {
			t.Errorf("the sixth last: %v", err)
		}
	})
	t.Run("gives whoever finds a session open five guesses, and then makes them wait", func(t *testing.T) {
		t.Parallel()
		i, _, _ := newIdentity(t)
		session := signIn(t, i, addPerson(t, i).Email, RequestInfo{})
		var looked, waited int
		var mu sync.Mutex
		var all sync.WaitGroup
		for range 40 {
			all.Go(func() {
				_, err := i.ChangePassword(ctx, session, wrong, nthPassword(1), RequestInfo{})
				mu.Lock()
				defer mu.Unlock()
				switch {
				case errors.Is(err, ErrPresentPassword):
					looked++
				case errors.Is(err, ErrWait):
					waited++
				default:
					t.Error(err)
				}
			})
		}
		all.Wait()
		if looked != 5 || waited != 35 {
			t.Errorf("%d were looked at, %d had to wait", looked, waited)
		}
	})
	t.Run("lets one of two changes made at once win", func(t *testing.T) {
		t.Parallel()
		i, _, _ := newIdentity(t)
		p := addPerson(t, i)
		session := signIn(t, i, p.Email, RequestInfo{})
		answers := make([]error, 2)
		var both sync.WaitGroup
		for n := range answers {
			both.Go(func() { _, answers[n] = i.ChangePassword(ctx, session, strong, nthPassword(n), RequestInfo{}) })
		}
		both.Wait()
		if (answers[0] == nil) == (answers[1] == nil) {
			t.Errorf("got %v", answers)
		}
	})
	t.Run("asks who must change by mail alone, and only until they have", func(t *testing.T) {
		t.Parallel()
		i, post, _ := newIdentity(t)
		p := addPerson(t, i)
		if err := i.RequirePasswordChange(ctx, p.ID); err != nil {
			t.Fatal(err)
		}
		_, _, err := i.SignIn(ctx, p.Email, wrong, RequestInfo{})
		wants(t, "a wrong password", err, ErrRefused)
		_, session, err := i.SignIn(ctx, p.Email, strong, RequestInfo{})
		wants(t, "the right one", err, ErrMustChange)
		if session != "" {
			t.Error("a session was opened")
		}
		if err := i.Recover(ctx, recoveryToken(t, i, post, p.Email), nthPassword(1), RequestInfo{}); err != nil {
			t.Fatal(err)
		}
		if _, _, err := i.SignIn(ctx, p.Email, nthPassword(1), RequestInfo{}); err != nil {
			t.Error(err)
		}
	})
	t.Run("asks for another password when it is older than the policy allows", func(t *testing.T) {
		t.Parallel()
		i, _, clock := newIdentity(t)
		i.options.Password.MaxAge = 90 * 24 * time.Hour
		p := addPerson(t, i)
		clock.Advance(80 * 24 * time.Hour)
		if _, err := i.ChangePassword(ctx, signIn(t, i, p.Email, RequestInfo{}), strong, nthPassword(1), RequestInfo{}); err != nil {
			t.Fatal(err)
		}
		clock.Advance(80 * 24 * time.Hour)
		if _, _, err := i.SignIn(ctx, p.Email, nthPassword(1), RequestInfo{}); err != nil {
			t.Errorf("a change made it no younger: %v", err)
		}
		clock.Advance(11 * 24 * time.Hour)
		_, _, err := i.SignIn(ctx, p.Email, nthPassword(1), RequestInfo{})
		var change *ChangeNeeded
		if !errors.As(err, &change) {
			t.Fatalf("after 91 days: got %v", err)
		}
	})
}

// all are the first n of nthPassword.
func all(n int) []string {
	var those []string
	for k := range n {
		those = append(those, nthPassword(k))
	}
	return those
}

func TestCheckPassword(t *testing.T) {
	t.Parallel()
	list, err := ReadRefusedPasswords(strings.NewReader("#! ours\r\n\nTidewater Studios 2026\nCORRECT horse battery Staple\n"))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		policy   PasswordPolicy
		password string
		want     error
	}{
		{PasswordPolicy{}, strong, nil},
		{PasswordPolicy{Refused: list}, "correct Horse battery staple", ErrPasswordRefused},
		{PasswordPolicy{Refused: list}, "correct horse battery stapler", nil},
		{PasswordPolicy{MinLength: 25}, strong, ErrPasswordShort},
		{PasswordPolicy{MinLength: 21}, strong, nil},
		{PasswordPolicy{Upper: true}, strong, ErrPasswordClasses},
		{PasswordPolicy{Upper: true}, "nine wet Øtters dance", nil},
		{PasswordPolicy{Digit: true}, strong, ErrPasswordClasses},
		{PasswordPolicy{Special: true}, "ninewetottersdance", ErrPasswordClasses},
		{PasswordPolicy{Special: true, Lower: true}, strong, nil},
		{PasswordPolicy{Lower: true}, "NINE WET OTTERS DANCE", ErrPasswordClasses},
		{PasswordPolicy{Score: 4}, "otters2dance", ErrPasswordGuessable},
		{PasswordPolicy{}, "otters2dance", nil},
		{PasswordPolicy{Upper: true}, "\xff", ErrPasswordCharacters},
	} {
		i := &Identity{options: Options{Password: c.policy}}
		if err := i.CheckPassword(context.Background(), c.password, "", ""); !errors.Is(err, c.want) || (err == nil) != (c.want == nil) {
			t.Errorf("%q under %+v: got %v, want %v", c.password, c.policy, err, c.want)
		}
		rules, err := i.PasswordRules(context.Background())
		if c.want == ErrPasswordClasses && (err != nil || len(rules) != 4) {
			t.Errorf("the rules do not tell: %v, %v", rules, err)
		}
	}
	if _, err := ReadRefusedPasswords(strings.NewReader("ok\n\xff\n")); err == nil || !strings.Contains(err.Error(), "line 2") {
		t.Errorf("a line that is no text: %v", err)
	}
}

func FuzzReadRefusedPasswords(f *testing.F) {
	f.Add("password\n#! x\r\n")
	f.Add("\x00\n\xff")
	f.Fuzz(func(t *testing.T, file string) {
		list, err := ReadRefusedPasswords(strings.NewReader(file))
		for line := range strings.SplitSeq(file, "\n") {
			line = strings.TrimRight(line, "\r")
			if err == nil && line != "" && !strings.HasPrefix(line, "#!") && !list.has(line) {
				t.Errorf("%q was on the list and is not refused", line)
			}
		}
	})
}

// life is a session as a plain model of the rules knows it.
type life struct {
	owner        *owner
	token        string
	id           SessionID
	opened, used time.Time
	ended        bool
}

type owner struct {
	tenant.Person
	slug     string
	password string
	held     bool // must change it
	changes  int
}

// world is the model beside the real thing.
type world struct {
	i     *Identity
	post  *postbox
	clock *tenanttest.Clock
	now   time.Time
	lives []*life
	past  []*life // with the tokens that sessions had before they were given another
}

func (w *world) alive(l *life) bool {
	return !l.ended && w.now.Sub(l.used) < 8*time.Hour && w.now.Sub(l.opened) < 30*24*time.Hour
}

func (w *world) end(owner *owner, except *life) {
	for _, l := range w.lives {
		if l.owner == owner && l != except {
			l.ended = true
		}
	}
}

func (w *world) opened(r *rapid.T, owner *owner, token string) {
	l := &life{owner: owner, token: token, opened: w.now, used: w.now}
	open, err := w.i.Sessions(context.Background(), owner.ID, token)
	if err != nil {
		r.Fatal(err)
	}
	for _, s := range open {
		if s.Current {
			l.id = s.ID
		}
	}
	if l.id.IsZero() {
		r.Fatal("a session that was just opened is not listed")
	}
	w.lives = append(w.lives, l)
}

// accepted says whether a session opens anything: the account, or the organization.
func (w *world) accepted(r *rapid.T, l *life) bool {
	ctx := context.Background()
	_, err := w.i.PersonBySession(ctx, l.token)
	if err != nil && !errors.Is(err, tenant.ErrNotSignedIn) {
		r.Fatal(err)
	}
	outside, inside := err == nil, false
	hash, _ := HashToken(l.token)
	for range 2 { // a scope that is remembered may be stale, once
		scope, err := tenant.EnterMember(ctx, w.i.db, hash, l.owner.slug)
		if err == nil && tenant.Do(ctx, w.i.db, scope, func(*tenant.Tx) error { return nil }) == nil {
			inside = true
		}
	}
	if outside != inside {
		r.Fatalf("accepted outside: %v, inside: %v", outside, inside)
	}
	return outside
}

// Whatever people do in whatever order, a session that was signed out, revoked, outlived or opened by a password
// that was changed since is never accepted again, and every other one is.
func TestNoRevokedSessionIsAccepted(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	i, post, clock := newIdentity(t)
	quickly(i)
	i.options.MailsPerHour = 1_000_000
	i.options.Password.History = -1
	var owners []*owner
	for range 2 {
		p := addPerson(t, i)
		o := &owner{Person: p, slug: "org-" + tenanttest.Random(8), password: strong}
		err := tenant.Found(ctx, i.db, p, o.slug, "Tidewater Studios", func(tx *tenant.Tx) error {
			return tx.SetMember(ctx, p, "owner", tenant.Active)
		})
		if err != nil {
			t.Fatal(err)
		}
		owners = append(owners, o)
	}
	rapid.Check(t, func(r *rapid.T) {
		w := &world{i: i, post: post, clock: clock}
		i.Flush()
		post.empty()
		for _, o := range owners { // each run begins with nobody signed in
			if err := tenant.DoPlatform(ctx, i.db, func(tx *tenant.PlatformTx) error { return endSessions(ctx, tx, o.ID, tenant.Hash{}) }); err != nil {
				r.Fatal(err)
			}
		}
		acts := w.actions(owners)
		names := slices.Sorted(maps.Keys(acts))
		for range rapid.IntRange(3, 10).Draw(r, "steps") {
			acts[rapid.SampledFrom(names).Draw(r, "act")](r)
		}
		for n, l := range w.lives {
			if alive := w.alive(l); alive != w.accepted(r, l) {
				r.Fatalf("session %d: alive %v", n, alive)
			}
		}
		for n, l := range w.past {
			if w.accepted(r, l) {
				r.Fatalf("token %d is accepted after another was given for it", n)
			}
		}
	})
}

func (w *world) actions(owners []*owner) map[string]func(*rapid.T) {
	ctx := context.Background()
	signIn := func(r *rapid.T) {
		o := rapid.SampledFrom(owners).Draw(r, "person")
		_, token, err := w.i.SignIn(ctx, o.Email, o.password, RequestInfo{})
		if o.held && !errors.Is(err, ErrMustChange) || !o.held && err != nil {
			r.Fatalf("held %v, answered %v", o.held, err)
		}
		if err == nil {
			w.opened(r, o, token)
		}
	}
	// with runs act for a session, once there is one.
	with := func(act func(r *rapid.T, l *life)) func(*rapid.T) {
		return func(r *rapid.T) {
			if len(w.lives) == 0 {
				signIn(r)
			}
			if len(w.lives) > 0 {
				act(r, rapid.SampledFrom(w.lives).Draw(r, "session"))
			}
		}
	}
	// must holds the answer to something done with a session against the model.
	must := func(r *rapid.T, l *life, err error) bool {
		alive := w.alive(l)
		if alive && err != nil || !alive && !errors.Is(err, tenant.ErrNotSignedIn) {
			r.Fatalf("alive %v, answered %v", alive, err)
		}
		return alive
	}
	return map[string]func(*rapid.T){
		"sign in": signIn,
		"sign out": with(func(r *rapid.T, l *life) {
			l.ended = true
			if err := w.i.SignOut(ctx, l.token); err != nil {
				r.Fatal(err)
			}
		}),

		"revoke": with(func(r *rapid.T, l *life) {
			l.ended = true
			if err := w.i.EndSession(ctx, l.owner.ID, l.id); err != nil {
				r.Fatal(err)
			}
		}),

		"revoke the others": with(func(r *rapid.T, l *life) {
			if must(r, l, w.i.EndOtherSessions(ctx, l.token)) {
				w.end(l.owner, l)
			}
		}),

		"disown": with(func(r *rapid.T, l *life) {
			other := rapid.SampledFrom(w.lives).Draw(r, "disowned")
			if l.owner != other.owner {
				return
			}
			if must(r, l, w.i.Disown(ctx, l.token, other.id, RequestInfo{})) {
				w.end(l.owner, l)
				other.ended, l.owner.held = true, true
			}
		}),

		"prove": with(func(r *rapid.T, l *life) {
			token, err := w.i.Prove(ctx, l.token, Proof{Password: l.owner.password})
			if must(r, l, err) {
				w.past = append(w.past, &life{owner: l.owner, token: l.token})
				l.token, l.used = token, w.now
			}
		}),

		"change the password": with(func(r *rapid.T, l *life) {
			next := nthPassword(l.owner.changes + 1)
			token, err := w.i.ChangePassword(ctx, l.token, l.owner.password, next, RequestInfo{})
			if must(r, l, err) {
				w.end(l.owner, nil)
				l.owner.password, l.owner.held = next, false
				l.owner.changes++
				w.opened(r, l.owner, token)
			}
		}),

		"recover": func(r *rapid.T) {
			o := rapid.SampledFrom(owners).Draw(r, "person")
			next := nthPassword(o.changes + 1)
			w.i.Flush() // an older link that is still on its way must not come after this one
			w.post.empty()
			if err := w.i.RequestRecovery(ctx, o.Email); err != nil {
				r.Fatal(err)
			}
			if err := w.i.Recover(ctx, lastToken(r, w.i, w.post, o.Email), next, RequestInfo{}); err != nil {
				r.Fatal(err)
			}
			w.end(o, nil)
			o.password, o.held = next, false
			o.changes++
		},
		"wait": func(r *rapid.T) {
			// The odd minutes keep every sum away from the limits, so that the machine's own time does not decide.
			d := time.Duration(rapid.SampledFrom([]int{1, 5, 15, 17, 200, 719, 721}).Draw(r, "half hours"))*30*time.Minute + 7*time.Minute
			w.clock.Advance(d)
			w.now = w.now.Add(d)
		},
		"use": with(func(r *rapid.T, l *life) {
			alive := w.alive(l)
			if alive != w.accepted(r, l) {
				r.Fatalf("alive %v, and that is not what was answered", alive)
			}
			if alive {
				l.used = w.now
			}
		}),
	}
}
