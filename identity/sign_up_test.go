package identity

import (
	"context"
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/countinghouse/countinghouse/internal/fault"
	"github.com/countinghouse/countinghouse/internal/text"
	"github.com/countinghouse/countinghouse/tenant"
)

func TestRequestSignUp(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	t.Run("answers a known address like an unknown one, and leaves the same rows", func(t *testing.T) {
		t.Parallel()
		i, post, _ := newIdentity(t)
		known, unknown := addPerson(t, i).Email, newEmail()
		rows := map[string]int{}
		for _, email := range []string{known, unknown} {
			if err := i.RequestSignUp(ctx, " "+strings.ToUpper(email)+" "); err != nil {
				t.Fatal(err)
			}
			err := tenant.DoPlatform(ctx, i.db, func(tx *tenant.PlatformTx) (err error) {
				rows[email], err = countVerifications(ctx, tx, email, time.Time{})
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
		}
		if rows[known] != 1 || rows[unknown] != 1 {
			t.Errorf("rows: %d for the known address, %d for the unknown one", rows[known], rows[unknown])
		}
		mail := post.to(known)
		if len(mail) != 1 || strings.Contains(mail[0].Text, "token") || !strings.Contains(mail[0].Text, origin+"/sign-in") {
			t.Errorf("the known address got %q", mail)
		}
		mail = post.to(unknown)
		if len(mail) != 1 || !linkShape.MatchString(mail[0].Text) {
			t.Errorf("the unknown address got %q", mail)
		}
	})
	t.Run("mails an address three times an hour, also when asked by many at once, and keeps that to itself", func(t *testing.T) {
		t.Parallel()
		i, post, clock := newIdentity(t)
		for _, email := range []string{newEmail(), addPerson(t, i).Email} {
			var all sync.WaitGroup
			for range 12 {
				all.Go(func() {
					if err := i.RequestSignUp(ctx, email); err != nil {
						t.Error(err)
					}
				})
			}
			all.Wait()
			if n := len(post.to(email)); n != 3 {
				t.Errorf("%d mails", n)
			}
			clock.Advance(time.Hour + time.Minute)
			if err := i.RequestSignUp(ctx, email); err != nil || len(post.to(email)) != 4 {
				t.Errorf("an hour later: %v, %d mails", err, len(post.to(email)))
			}
		}
	})
	t.Run("says so when the mail cannot be sent, and when there is no such address", func(t *testing.T) {
		t.Parallel()
		i, post, _ := newIdentity(t)
		post.fail = errors.New("the relay is down")
		err := i.RequestSignUp(ctx, newEmail())
		wants(t, "no relay", err, ErrMail)
		if strings.Contains(err.Error(), "relay") {
			t.Errorf("the person reads %q", err)
		}
		wants(t, "no address", i.RequestSignUp(ctx, "mara"), ErrEmail)
	})
}

func TestCompleteSignUp(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	t.Run("makes a person who is signed in and can sign in again", func(t *testing.T) {
		t.Parallel()
		i, post, _ := newIdentity(t)
		email := newEmail()
		token := requestLink(t, i, post, email)
		if got, err := i.CheckSignUp(ctx, token); err != nil || got != email {
			t.Fatalf("got %q, %v", got, err)
		}
		p, session, err := i.CompleteSignUp(ctx, token, " Zoë Brun ", strong, RequestInfo{Network: "192.0.2.7", UserAgent: "Firefox"})
		if err != nil || p.Name != "Zoë Brun" || p.Email != email {
			t.Fatalf("got %+v, %v", p, err)
		}
		if got, err := i.PersonBySession(ctx, session); err != nil || got != p {
			t.Errorf("by session: %+v, %v", got, err)
		}
		if got, _, err := i.SignIn(ctx, email, strong, RequestInfo{}); err != nil || got != p {
			t.Errorf("by password: %+v, %v", got, err)
		}
	})
	t.Run("takes a link once, also from many at once", func(t *testing.T) {
		t.Parallel()
		i, post, _ := newIdentity(t)
		token := requestLink(t, i, post, newEmail())
		var won atomic.Int32
		var all sync.WaitGroup
		for range 6 {
			all.Go(func() {
				_, _, err := i.CompleteSignUp(ctx, token, "Zoë Brun", strong, RequestInfo{})
				if err == nil {
					won.Add(1)
				} else if !errors.Is(err, ErrLink) {
					t.Error(err)
				}
			})
		}
		all.Wait()
		if won.Load() != 1 {
			t.Errorf("%d of them signed up", won.Load())
		}
	})
	t.Run("makes one person of two links to the same address", func(t *testing.T) {
		t.Parallel()
		i, post, _ := newIdentity(t)
		email := newEmail()
		tokens := []string{requestLink(t, i, post, email), requestLink(t, i, post, email)}
		answers := make([]error, 2)
		var both sync.WaitGroup
		for n, token := range tokens {
			both.Go(func() { _, _, answers[n] = i.CompleteSignUp(ctx, token, "Zoë Brun", strong, RequestInfo{}) })
		}
		both.Wait()
		lost := 0
		if answers[0] == nil {
			lost = 1
		}
		if answers[1-lost] != nil || !errors.Is(answers[lost], ErrSignedUp) {
			t.Fatalf("got %v", answers)
		}
		_, err := i.CheckSignUp(ctx, tokens[lost])
		wants(t, "the other link", err, ErrSignedUp)
	})
	t.Run("leaves the link good when name or password is refused, and says both", func(t *testing.T) {
		t.Parallel()
		i, post, _ := newIdentity(t)
		token := requestLink(t, i, post, newEmail())
		_, _, err := i.CompleteSignUp(ctx, token, " ", "short", RequestInfo{})
		wants(t, "name", err, text.ErrMissing)
		wants(t, "password", err, ErrPasswordShort)
		for _, name := range []string{"Zoë\nBrun", "Zoë\x00", "Zoë\u202enurB", strings.Repeat("x", 201), "\xff"} {
			_, _, err := i.CompleteSignUp(ctx, token, name, strong, RequestInfo{})
			if fault.KindOf(err) != fault.Invalid {
				t.Errorf("%q: got %v", name, err)
			}
		}
		if _, _, err := i.CompleteSignUp(ctx, token, "Zoë Brun", strong, RequestInfo{}); err != nil {
			t.Error(err)
		}
	})
	t.Run("refuses a link that is too old, or none", func(t *testing.T) {
		t.Parallel()
		i, post, clock := newIdentity(t)
		token := requestLink(t, i, post, newEmail())
		clock.Advance(24*time.Hour + time.Second)
		made, _, err := newSecret()
		if err != nil {
			t.Fatal(err)
		}
		for _, bad := range []string{token, "", "x", made, token[:42], "' OR true --"} {
			_, err := i.CheckSignUp(ctx, bad)
			wants(t, "looking at "+bad, err, ErrLink)
			_, _, err = i.CompleteSignUp(ctx, bad, "Zoë Brun", strong, RequestInfo{})
			wants(t, "using "+bad, err, ErrLink)
		}
	})
	t.Run("opens no door with the row that only counts a mail to a known address", func(t *testing.T) {
		t.Parallel()
		i, post, _ := newIdentity(t)
		p := addPerson(t, i)
		if err := i.RequestSignUp(ctx, p.Email); err != nil {
			t.Fatal(err)
		}
		for _, m := range post.to(p.Email) {
			for word := range strings.FieldsSeq(m.Text) {
				if _, ok := HashToken(word[max(0, len(word)-43):]); ok {
					t.Errorf("the mail holds a token: %q", m.Text)
				}
			}
		}
	})
}

func TestAddPerson(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	i, _, _ := newIdentity(t)
	p := addPerson(t, i)
	_, err := i.AddPerson(ctx, strings.ToUpper(p.Email), "Another", strong)
	wants(t, "the same address", err, ErrSignedUp)
	_, err = i.AddPerson(ctx, "mara", "Another", strong)
	wants(t, "no address", err, ErrEmail)
	_, err = i.AddPerson(ctx, newEmail(), "Another", "password1234")
	wants(t, "a weak password", err, ErrPasswordGuessable)
	if got, err := i.PersonByEmail(ctx, " "+strings.ToUpper(p.Email)); err != nil || got != p {
		t.Errorf("got %+v, %v", got, err)
	}
	_, err = i.PersonByEmail(ctx, newEmail())
	wants(t, "nobody", err, ErrPerson)
}
