package identity

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/countinghouse/countinghouse/tenant"
)

// needsChange signs in and gives the token of the change that is asked for.
func needsChange(t testing.TB, i *Identity, email, password string) string {
	t.Helper()
	_, session, err := i.SignIn(context.Background(), email, password, RequestInfo{})
	var needed *ChangeNeeded
	if !errors.As(err, &needed) || session != "" {
		t.Fatalf("got %q, %v", session, err)
	}
	return needed.Token
}

func TestCompleteChange(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	t.Run("lets in with a new password, and the token opens nothing else", func(t *testing.T) {
		t.Parallel()
		i, post, _ := newIdentity(t)
		p := addPerson(t, i)
		open := signIn(t, i, p.Email, RequestInfo{})
		if err := i.RequireChangeAtLogin(ctx, p.ID); err != nil {
			t.Fatal(err)
		}
		if _, err := i.PersonBySession(ctx, open); err != nil {
			t.Errorf("a session that was open: %v", err)
		}
		token := needsChange(t, i, p.Email, strong)
		_, err := i.PersonBySession(ctx, token)
		wants(t, "the token as a session", err, tenant.ErrNotSignedIn)
		_, _, err = i.CompleteSecondStep(ctx, token, "123456", RequestInfo{})
		wants(t, "the token as a second step", err, ErrSecondStepOver)
		_, _, err = i.CompleteChange(ctx, token, strong, RequestInfo{})
		wants(t, "the same password", err, ErrPasswordReused)
		_, _, err = i.CompleteChange(ctx, token, "short", RequestInfo{})
		wants(t, "a short one", err, ErrPasswordShort)
		_, session, err := i.CompleteChange(ctx, token, nthPassword(1), RequestInfo{})
		if err != nil {
			t.Fatal(err)
		}
		if got, err := i.PersonBySession(ctx, session); err != nil || got.ID != p.ID {
			t.Errorf("got %v, %v", got, err)
		}
		_, err = i.PersonBySession(ctx, open)
		wants(t, "the session from before", err, tenant.ErrNotSignedIn)
		_, _, err = i.CompleteChange(ctx, token, nthPassword(2), RequestInfo{})
		wants(t, "the token again", err, ErrChangeOver)
		if _, _, err := i.SignIn(ctx, p.Email, nthPassword(1), RequestInfo{}); err != nil {
			t.Errorf("signing in afterwards: %v", err)
		}
		i.Flush()
		if len(post.to(p.Email)) == 0 {
			t.Error("nobody was told")
		}
	})
	t.Run("refuses the present password even where former ones are not kept", func(t *testing.T) {
		t.Parallel()
		i, _, _ := newIdentity(t)
		i.options.Password.History = -1
		p := addPerson(t, i)
		if err := i.RequireChangeAtLogin(ctx, p.ID); err != nil {
			t.Fatal(err)
		}
		_, _, err := i.CompleteChange(ctx, needsChange(t, i, p.Email, strong), strong, RequestInfo{})
		wants(t, "the present one", err, ErrPasswordReused)
	})
	t.Run("ends after half an hour, and with any other change of the password", func(t *testing.T) {
		t.Parallel()
		i, post, clock := newIdentity(t)
		p := addPerson(t, i)
		if err := i.RequireChangeAtLogin(ctx, p.ID); err != nil {
			t.Fatal(err)
		}
		late := needsChange(t, i, p.Email, strong)
		clock.Advance(31 * time.Minute)
		_, _, err := i.CompleteChange(ctx, late, nthPassword(1), RequestInfo{})
		wants(t, "after 31 minutes", err, ErrChangeOver)
		other := needsChange(t, i, p.Email, strong)
		if err := i.Recover(ctx, recoveryToken(t, i, post, p.Email), nthPassword(2), RequestInfo{}); err != nil {
			t.Fatal(err)
		}
		_, _, err = i.CompleteChange(ctx, other, nthPassword(3), RequestInfo{})
		wants(t, "after a recovery", err, ErrChangeOver)
	})
	t.Run("lets one of many who hold the same token through", func(t *testing.T) {
		t.Parallel()
		i, _, _ := newIdentity(t)
		p := addPerson(t, i)
		if err := i.RequireChangeAtLogin(ctx, p.ID); err != nil {
			t.Fatal(err)
		}
		token := needsChange(t, i, p.Email, strong)
		var all sync.WaitGroup
		answers := make([]error, 4)
		for n := range answers {
			all.Go(func() { _, _, answers[n] = i.CompleteChange(ctx, token, nthPassword(n+1), RequestInfo{}) })
		}
		all.Wait()
		good := 0
		for _, err := range answers {
			if err == nil {
				good++
			} else if !errors.Is(err, ErrChangeOver) {
				t.Error(err)
			}
		}
		if good != 1 {
			t.Errorf("%d got in", good)
		}
	})
	t.Run("leaves who is exempt their old password", func(t *testing.T) {
		t.Parallel()
		i, _, clock := newIdentity(t)
		i.options.Password.MaxAge, i.options.Password.WarnAge = 90*24*time.Hour, 80*24*time.Hour
		p, exempt := addPerson(t, i), addPerson(t, i)
		if err := i.ExemptFromAge(ctx, exempt.ID, true); err != nil {
			t.Fatal(err)
		}
		clock.Advance(81 * 24 * time.Hour)
		if a, err := i.PasswordAge(ctx, p.ID); err != nil || !a.Warn || a.Until.IsZero() {
			t.Errorf("after 81 days: %+v, %v", a, err)
		}
		if a, err := i.PasswordAge(ctx, exempt.ID); err != nil || a.Warn || !a.Until.IsZero() {
			t.Errorf("exempt, after 81 days: %+v, %v", a, err)
		}
		clock.Advance(10 * 24 * time.Hour)
		needsChange(t, i, p.Email, strong)
		if _, _, err := i.SignIn(ctx, exempt.Email, strong, RequestInfo{}); err != nil {
			t.Errorf("exempt, after 91 days: %v", err)
		}
		if err := i.ExemptFromAge(ctx, exempt.ID, false); err != nil {
			t.Fatal(err)
		}
		needsChange(t, i, exempt.Email, strong)
	})
}

func TestRules(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	i, post, clock := newIdentity(t)
	rules := Rules{IdleTimeout: 10 * time.Minute, SessionLifetime: time.Hour, ProofLifetime: time.Minute, NoRecovery: true,
		Password: PasswordPolicy{RefuseCommon: true}}
	i.options.Rules = func(context.Context, *tenant.PlatformTx) (Rules, error) { return rules, nil }
	p := addPerson(t, i)
	wants(t, "asking for recovery", i.RequestRecovery(ctx, p.Email), ErrNoRecovery)
	_, err := i.RequestRecoveryByText(ctx, p.Email, false, RequestInfo{})
	wants(t, "asking for it by text message", err, ErrNoRecovery)
	i.Flush()
	if len(post.to(p.Email)) != 0 {
		t.Error("a link was mailed all the same")
	}
	session := signIn(t, i, p.Email, RequestInfo{})
	clock.Advance(2 * time.Minute)
	if fresh, err := i.Proved(ctx, session, 0); err != nil || fresh {
		t.Errorf("a proof of two minutes is fresh: %v, %v", fresh, err)
	}
	clock.Advance(9 * time.Minute)
	_, err = i.PersonBySession(ctx, session)
	wants(t, "after eleven minutes unused", err, tenant.ErrNotSignedIn)
	rules.IdleTimeout = time.Hour
	longer := signIn(t, i, p.Email, RequestInfo{})
	clock.Advance(50 * time.Minute)
	if _, err := i.PersonBySession(ctx, longer); err != nil {
		t.Errorf("the new limit is not in force: %v", err)
	}
}

func TestRefuseCommon(t *testing.T) {
	t.Parallel()
	policy := PasswordPolicy{RefuseCommon: true}
	for _, bad := range []string{"Password", "trustno1", "dragon", "Mustang!!!!!!!!2026", "--letmein--123456789", "monkeymonkeymonkey"} {
		if err := policy.check(bad, "", ""); !errors.Is(err, ErrPasswordRefused) {
			t.Errorf("%q: got %v", bad, err)
		}
	}
	for _, good := range []string{strong, "dragon otter mustang", "otters2dance"} {
		if err := policy.check(good, "", ""); err != nil {
			t.Errorf("%q: got %v", good, err)
		}
	}
}

func TestTryPassword(t *testing.T) {
	t.Parallel()
	i := &Identity{options: Options{Password: PasswordPolicy{Digit: true, RefuseCommon: true}}}
	for _, c := range []struct {
		password string
		broken   []string
	}{
		{"", []string{"password.too_short", "password.personal", "password.guessable", "password.classes", "password.on_list"}},
		{"seven", []string{"password.too_short", "password.guessable", "password.classes"}},
		{strong, []string{"password.classes"}},
		{strong + " 7", nil},
		{"mara@tidewater 7 otters", []string{"password.personal"}},
	} {
		rules, err := i.TryPassword(context.Background(), c.password, "mara@tidewater", "")
		if err != nil {
			t.Fatal(err)
		}
		var broken []string
		for _, r := range rules {
			if !r.Kept {
				broken = append(broken, r.Code)
			}
		}
		if len(broken) != len(c.broken) {
			t.Errorf("%q: got %v, want %v", c.password, broken, c.broken)
			continue
		}
		for n := range broken {
			if broken[n] != c.broken[n] {
				t.Errorf("%q: got %v, want %v", c.password, broken, c.broken)
			}
		}
	}
}
