package identity

import (
	"context"
	"errors"
	"log/slog"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/countinghouse/countinghouse/tenant"
)

var recoveryShape = regexp.MustCompile(`https://books\.example/recover/set\?token=(\S+)`)

// lastToken reads the newest recovery link out of the mails to an address.
func lastToken(t interface {
	Helper()
	Fatalf(format string, args ...any)
}, i *Identity, post *postbox, email string) string {
	t.Helper()
	i.Flush()
	token := ""
	for _, m := range post.to(email) {
		if found := recoveryShape.FindStringSubmatch(m.Text); found != nil {
			token = found[1]
		}
	}
	if token == "" {
		t.Fatalf("no link came to %s", email)
	}
	return token
}

func recoveryToken(t testing.TB, i *Identity, post *postbox, email string) string {
	t.Helper()
	if err := i.RequestRecovery(context.Background(), email); err != nil {
		t.Fatal(err)
	}
	return lastToken(t, i, post, email)
}

func TestRequestRecovery(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	t.Run("mails a known address three times an hour, an unknown one never, and leaves the same rows", func(t *testing.T) {
		t.Parallel()
		i, post, clock := newIdentity(t)
		known, unknown := addPerson(t, i).Email, newEmail()
		for _, email := range []string{known, unknown} {
			var all sync.WaitGroup
			for range 12 {
				all.Go(func() {
					if err := i.RequestRecovery(ctx, " "+strings.ToUpper(email)); err != nil {
						t.Error(err)
					}
				})
			}
			all.Wait()
			var rows int
			err := tenant.DoPlatform(ctx, i.db, func(tx *tenant.PlatformTx) (err error) {
				rows, err = countRecoveries(ctx, tx, email, time.Time{})
				return err
			})
			if err != nil || rows != 3 {
				t.Errorf("%d rows, %v", rows, err)
			}
		}
		i.Flush()
		if n, m := len(post.to(known)), len(post.to(unknown)); n != 3 || m != 0 {
			t.Errorf("%d mails to the known address, %d to the unknown one", n, m)
		}
		clock.Advance(time.Hour + time.Minute)
		recoveryToken(t, i, post, known)
	})
	t.Run("answers the same when no mail can be sent", func(t *testing.T) {
		t.Parallel()
		i, post, _ := newIdentity(t)
		i.options.Log = slog.New(slog.DiscardHandler)
		post.fail = errors.New("the relay is down")
		for _, email := range []string{addPerson(t, i).Email, newEmail()} {
			if err := i.RequestRecovery(ctx, email); err != nil {
				t.Errorf("got %v", err)
			}
		}
		i.Flush()
		wants(t, "no address", i.RequestRecovery(ctx, "mara"), ErrEmail)
	})
}

func TestRecover(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	t.Run("takes a link once, also from many at once, and ends the older ones", func(t *testing.T) {
		t.Parallel()
		i, post, _ := newIdentity(t)
		quickly(i)
		p := addPerson(t, i)
		older, token := recoveryToken(t, i, post, p.Email), recoveryToken(t, i, post, p.Email)
		session := signIn(t, i, p.Email, RequestInfo{})
		var won atomic.Int32
		var all sync.WaitGroup
		for n := range 6 {
			all.Go(func() {
				err := i.Recover(ctx, token, nthPassword(n), RequestInfo{})
				if err == nil {
					won.Add(1)
				} else if !errors.Is(err, ErrLink) {
					t.Error(err)
				}
			})
		}
		all.Wait()
		if won.Load() != 1 {
			t.Errorf("%d of them set a password", won.Load())
		}
		wants(t, "the older link", i.Recover(ctx, older, nthPassword(9), RequestInfo{}), ErrLink)
		_, err := i.PersonBySession(ctx, session)
		wants(t, "the session from before", err, tenant.ErrNotSignedIn)
		_, _, err = i.SignIn(ctx, p.Email, strong, RequestInfo{})
		wants(t, "the old password", err, ErrRefused)
	})
	t.Run("refuses a link that is half an hour old, is none, or is for something else", func(t *testing.T) {
		t.Parallel()
		i, post, clock := newIdentity(t)
		p := addPerson(t, i)
		late := recoveryToken(t, i, post, p.Email)
		clock.Advance(30*time.Minute + time.Second)
		signUp := requestLink(t, i, post, newEmail())
		for _, bad := range []string{late, signUp, "", "x", late[:42], "' OR true --"} {
			_, err := i.CheckRecovery(ctx, bad)
			wants(t, "looking at "+bad, err, ErrLink)
			wants(t, "using "+bad, i.Recover(ctx, bad, nthPassword(1), RequestInfo{}), ErrLink)
		}
		_, err := i.CheckSignUp(ctx, recoveryToken(t, i, post, p.Email))
		wants(t, "signing up with it", err, ErrLink)
	})
	t.Run("leaves the link good when the password is refused", func(t *testing.T) {
		t.Parallel()
		i, post, _ := newIdentity(t)
		p := addPerson(t, i)
		token := recoveryToken(t, i, post, p.Email)
		wants(t, "short", i.Recover(ctx, token, "short", RequestInfo{}), ErrPasswordShort)
		wants(t, "the present one", i.Recover(ctx, token, strong, RequestInfo{}), ErrPasswordReused)
		if err := i.Recover(ctx, token, nthPassword(1), RequestInfo{}); err != nil {
			t.Error(err)
		}
	})
	t.Run("lets the owner in while the account is locked and stays under attack, and forgets the thief's device", func(t *testing.T) {
		t.Parallel()
		i, post, _ := newIdentity(t)
		p := addPerson(t, i)
		stolen, own := newDevice(t), newDevice(t)
		signIn(t, i, p.Email, RequestInfo{Device: stolen})
		for range 6 {
			guess(t, i, p.Email, RequestInfo{})
		}
		if err := i.Recover(ctx, recoveryToken(t, i, post, p.Email), nthPassword(1), RequestInfo{Device: own}); err != nil {
			t.Fatal(err)
		}
		for range 6 {
			guess(t, i, p.Email, RequestInfo{})
		}
		if guess(t, i, p.Email, RequestInfo{Device: stolen}) == 0 {
			t.Error("a device from before the recovery has tries of its own")
		}
		if _, _, err := i.SignIn(ctx, p.Email, nthPassword(1), RequestInfo{Device: own}); err != nil {
			t.Errorf("the owner: %v", err)
		}
		i.Flush()
		mails := post.to(p.Email)
		if mails[len(mails)-1].Kind != "password_changed" && mails[len(mails)-2].Kind != "password_changed" {
			t.Errorf("nobody was told: %+v", mails)
		}
	})
}
