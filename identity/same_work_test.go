package identity

import (
	"context"
	"testing"
)

// A password costs the same work whether or not anyone has the address, so that nobody learns from the time it takes.
func TestSignInDoesTheSameWorkForKnownAndUnknown(t *testing.T) {
	t.Parallel()
	i, _, _ := newIdentity(t)
	known := addPerson(t, i)
	for name, c := range map[string]struct{ email, password string }{
		"the right password":  {known.Email, strong},
		"a wrong password":    {known.Email, wrong},
		"an unknown address":  {newEmail(), wrong},
		"another unknown one": {newEmail(), strong},
	} {
		before := i.hasher.load.done.Load()
		_, session, err := i.SignIn(context.Background(), c.email, c.password, RequestInfo{})
		if (err == nil) != (session != "") {
			t.Fatalf("%s: %q, %v", name, session, err)
		}
		if n := i.hasher.load.done.Load() - before; n != 1 {
			t.Errorf("%s: argon2id ran %d times, not once", name, n)
		}
	}
}

// Where nobody recovers by themselves the operator's link is the way in.
func TestRecoveryLink(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	i, _, clock := newIdentity(t)
	p := addPerson(t, i)
	link, err := i.RecoveryLink(ctx, p.Email)
	if err != nil {
		t.Fatal(err)
	}
	found := recoveryShape.FindStringSubmatch(link)
	if found == nil {
		t.Fatalf("no link: %q", link)
	}
	if err := i.Recover(ctx, found[1], nthPassword(7), RequestInfo{}); err != nil {
		t.Fatal(err)
	}
	if _, _, err := i.SignIn(ctx, p.Email, nthPassword(7), RequestInfo{}); err != nil {
		t.Errorf("the new password: %v", err)
	}
	if err := i.Recover(ctx, found[1], nthPassword(8), RequestInfo{}); err == nil {
		t.Error("a link was used twice")
	}
	if link, err = i.RecoveryLink(ctx, p.Email); err != nil {
		t.Fatal(err)
	}
	clock.Advance(i.options.RecoveryLifetime + 1)
	if err := i.Recover(ctx, recoveryShape.FindStringSubmatch(link)[1], nthPassword(8), RequestInfo{}); err == nil {
		t.Error("a link was used after its time")
	}
	if link, err := i.RecoveryLink(ctx, newEmail()); err == nil {
		t.Errorf("a link for nobody: %q", link)
	}
}
