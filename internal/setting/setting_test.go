package setting

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"errors"
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/countinghouse/countinghouse/internal/fault"
	"github.com/countinghouse/countinghouse/tenant"
	"github.com/countinghouse/countinghouse/tenant/tenanttest"
)

func TestMain(m *testing.M) { os.Exit(tenanttest.Main(m)) }

// gcmSeals is a real sealer under a key of the test.
type gcmSeals struct{ gcm cipher.AEAD }

func newSeals(t *testing.T, key byte) gcmSeals {
	t.Helper()
	block, err := aes.NewCipher([]byte(strings.Repeat(string(rune(key)), 32)))
	if err != nil {
		t.Fatal(err)
	}
	gcm, err := cipher.NewGCM(block)
	if err != nil {
		t.Fatal(err)
	}
	return gcmSeals{gcm}
}

func (s gcmSeals) Seal(place string, plain []byte) ([]byte, error) {
	nonce := []byte(tenanttest.Random(6))
	return s.gcm.Seal(nonce, nonce, plain, []byte(place)), nil
}

func (s gcmSeals) Open(place string, sealed []byte) ([]byte, error) {
	return s.gcm.Open(nil, sealed[:12], sealed[12:], []byte(place))
}

// newKeeper is one whose platform has all settings at their defaults. The platform is one: these tests run one by one.
func newKeeper(t *testing.T) *Keeper {
	t.Helper()
	k := NewKeeper(tenanttest.DB(), newSeals(t, 'a'))
	for _, family := range []string{"password", "captcha", "recovery", "sign_in", "session"} {
		if _, err := k.Reset(context.Background(), tenant.PersonID{}, family); err != nil {
			t.Fatal(err)
		}
	}
	return k
}

func to(name, value string) Change { return Change{Name: name, Value: &value} }

func set(t *testing.T, k *Keeper, changes ...Change) Settings {
	t.Helper()
	s, err := k.Set(context.Background(), tenant.PersonID{}, Latest, changes)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func now(t *testing.T, k *Keeper) Settings {
	t.Helper()
	s, err := k.Now(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestSet(t *testing.T) {
	ctx := context.Background()
	t.Run("changes what is named and keeps the rest, here and for others", func(t *testing.T) {
		k := newKeeper(t)
		set(t, k, to("password.min_length", "16"), to("session.idle_minutes", "30"), to("sign_in.save_logins", "no"))
		for _, one := range []*Keeper{k, NewKeeper(tenanttest.DB(), nil)} {
			s := now(t, one)
			if s.PasswordMinLength != 16 || s.SessionIdleMinutes != 30 || s.SaveLogins || s.PasswordScore != 2 || !s.IsSet("password.min_length") || s.IsSet("password.score") {
				t.Errorf("got %+v", s)
			}
		}
	})
	t.Run("refuses what is out of bounds, each at its name, and changes nothing", func(t *testing.T) {
		k := newKeeper(t)
		_, err := k.Set(ctx, tenant.PersonID{}, Latest, []Change{to("password.min_length", "11"), to("captcha.provider", "mine"),
			to("sign_in.save_logins", "maybe"), to("session.days", "many"), to("password.score", "3")})
		var list fault.List
		if !errors.As(err, &list) || len(list) != 4 {
			t.Fatalf("got %v", err)
		}
		for n, field := range []string{"password.min_length", "captcha.provider", "sign_in.save_logins", "session.days"} {
			if list[n].Field != field || !errors.Is(list[n], ErrValue) {
				t.Errorf("%d: got %v at %s", n, list[n], list[n].Field)
			}
		}
		if s := now(t, k); s.PasswordScore != 2 {
			t.Error("the good one of them was taken")
		}
		if _, err := k.Set(ctx, tenant.PersonID{}, Latest, []Change{to("password.length", "20")}); !errors.Is(err, ErrUnknown) {
			t.Errorf("a name that there is not: %v", err)
		}
	})
	t.Run("refuses a CAPTCHA without its keys, and warnings after the end", func(t *testing.T) {
		k := newKeeper(t)
		for _, changes := range [][]Change{
			{to("captcha.provider", "turnstile"), to("captcha.sign_up", "yes")},
			{to("captcha.provider", "recaptcha"), to("captcha.recovery", "yes"), to("captcha.site_key", "k")},
			{to("password.block_days", "90"), to("password.warn_days", "90")},
		} {
			if _, err := k.Set(ctx, tenant.PersonID{}, Latest, changes); fault.KindOf(err) != fault.Invalid {
				t.Errorf("%v: got %v", *changes[0].Value, err)
			}
		}
		set(t, k, to("captcha.provider", "turnstile"), to("captcha.site_key", "k"), to("captcha.secret", "s"), to("captcha.sign_up", "yes"))
	})
	t.Run("lets one of many who looked at the same state change it", func(t *testing.T) {
		k := newKeeper(t)
		version := set(t, k, to("password.score", "3")).Version
		var all sync.WaitGroup
		answers := make([]error, 8)
		for n := range answers {
			all.Go(func() {
				other := NewKeeper(tenanttest.DB(), nil)
				_, answers[n] = other.Set(ctx, tenant.PersonID{}, version, []Change{to("session.days", []string{"41", "42", "43", "44", "45", "46", "47", "48"}[n])})
			})
		}
		all.Wait()
		good := 0
		for _, err := range answers {
			if err == nil {
				good++
			} else if !errors.Is(err, ErrChanged) {
				t.Error(err)
			}
		}
		if good != 1 {
			t.Errorf("%d of 8 changed it", good)
		}
	})
	t.Run("keeps who changed what, and writes nothing where nothing changes", func(t *testing.T) {
		k := newKeeper(t)
		person, _ := tenanttest.NewPerson(t, tenanttest.DB())
		before := now(t, k).Version
		s, err := k.Set(ctx, person.ID, Latest, []Change{to("session.days", "7"), to("session.idle_minutes", "480")})
		if err != nil {
			t.Fatal(err)
		}
		if s.Version != before+1 {
			t.Errorf("%d rows were written for one change", s.Version-before)
		}
		past, err := k.History(ctx, 1)
		if err != nil || len(past) != 1 || past[0].Name != "session.days" || past[0].Value != "7" || past[0].Person != person.Name {
			t.Errorf("got %+v, %v", past, err)
		}
	})
}

func TestSecret(t *testing.T) {
	ctx := context.Background()
	k := newKeeper(t)
	set(t, k, to("captcha.secret", "0x4AAA-very-secret"))
	if s := now(t, NewKeeper(tenanttest.DB(), newSeals(t, 'a'))); s.CaptchaSecret != "0x4AAA-very-secret" {
		t.Errorf("another process opened %q", s.CaptchaSecret)
	}
	n, err := find("captcha.secret")
	if err != nil || now(t, k).Value(n) != "set" {
		t.Errorf("it is shown as %q, %v", now(t, k).Value(n), err)
	}
	// What lies in the database.
	var found int
	err = tenant.DoPlatform(ctx, tenanttest.DB(), func(tx *tenant.PlatformTx) error {
		return tx.Get(ctx, &found, `
			SELECT (SELECT count(*) FROM platform.setting s WHERE s::text LIKE '%very-secret%')
			     + (SELECT count(*) FROM platform.setting_secret s WHERE position('very-secret'::bytea IN s.sealed) > 0)`)
	})
	if err != nil || found != 0 {
		t.Errorf("%d rows hold it in the clear, %v", found, err)
	}
	// The service got another key: the secret is none, and everything else still works.
	if s := now(t, NewKeeper(tenanttest.DB(), newSeals(t, 'b'))); s.CaptchaSecret != "" || s.CaptchaProvider != Altcha {
		t.Errorf("under another key: %+v", s)
	}
	if _, err := k.Reset(ctx, tenant.PersonID{}, "captcha"); err != nil {
		t.Fatal(err)
	}
	if s := now(t, k); s.CaptchaSecret != "" {
		t.Error("it is still there")
	}
}

func TestReset(t *testing.T) {
	ctx := context.Background()
	t.Run("puts a family back and leaves the others", func(t *testing.T) {
		k := newKeeper(t)
		set(t, k, to("captcha.site_key", "k"), to("captcha.secret", "s"), to("captcha.provider", "recaptcha"), to("captcha.sign_up", "yes"), to("password.score", "3"))
		changed, err := k.Reset(ctx, tenant.PersonID{}, "captcha")
		if err != nil || len(changed) != 4 {
			t.Fatalf("got %v, %v", changed, err)
		}
		s := now(t, k)
		if s.CaptchaProvider != Altcha || s.CaptchaSignUp || s.CaptchaSiteKey != "" || s.PasswordScore != 3 {
			t.Errorf("got %+v", s)
		}
		if _, err := k.Reset(ctx, tenant.PersonID{}, "capt"); !errors.Is(err, ErrUnknown) {
			t.Errorf("half a name: %v", err)
		}
	})
	t.Run("gets out of a value that cannot be read", func(t *testing.T) {
		k := newKeeper(t)
		version := set(t, k, to("password.score", "3")).Version
		err := tenant.DoPlatform(ctx, tenanttest.DB(), func(tx *tenant.PlatformTx) error {
			_, err := tx.Exec(ctx, `INSERT INTO platform.setting (version, name, value, at) VALUES ($1, 'session.days', 'four score', $2)`, version+1, tx.Now())
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		fresh := NewKeeper(tenanttest.DB(), nil)
		if _, err := fresh.Now(ctx); err == nil || !strings.Contains(err.Error(), "settings reset session.days") {
			t.Errorf("it was read as %v", err)
		}
		if _, err := fresh.Reset(ctx, tenant.PersonID{}, "session.days"); err != nil {
			t.Fatal(err)
		}
		if s := now(t, fresh); s.SessionDays != 30 || s.PasswordScore != 3 {
			t.Errorf("got %+v", s)
		}
	})
}

// Every setting takes its own default and says what it takes.
func TestGroups(t *testing.T) {
	seen := map[string]bool{}
	for _, g := range Groups() {
		for _, n := range g.Names {
			s := Defaults()
			if err := n.put(&s, n.Default()); err != nil {
				t.Errorf("%s refuses its default: %v", n.Name, err)
			}
			if seen[n.Name] || n.Say == "" || n.Title == "" || n.Takes() == "" {
				t.Errorf("%s is named twice, or says nothing of itself", n.Name)
			}
			seen[n.Name] = true
		}
	}
	if err := Defaults().check(); err != nil {
		t.Error(err)
	}
}
