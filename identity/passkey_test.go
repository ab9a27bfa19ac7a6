package identity

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/descope/virtualwebauthn"

	"github.com/countinghouse/countinghouse/internal/id"
	"github.com/countinghouse/countinghouse/tenant"
	"github.com/countinghouse/countinghouse/tenant/tenanttest"
)

// holder is someone at a browser with an authenticator made of software.
type holder struct {
	*Identity
	clock   *tenanttest.Clock
	person  tenant.Person
	session string
	party   virtualwebauthn.RelyingParty
	device  virtualwebauthn.Authenticator
	key     virtualwebauthn.Credential
}

// newSoftwareKey makes keys until both coordinates of one fill their 32 bytes: the library writes a shorter one
// without its leading zero, which RFC 9053 section 7.1.1 forbids.
func newSoftwareKey() virtualwebauthn.Credential {
	const whole = 77 // bytes of a COSE key of P-256
	for {
		if key := virtualwebauthn.NewCredential(virtualwebauthn.KeyTypeEC2); len(key.Key.AttestationData()) == whole {
			return key
		}
	}
}

func newHolder(t testing.TB) *holder {
	t.Helper()
	i, clock := newGuardable(t)
	h := &holder{Identity: i, clock: clock, person: addPerson(t, i),
		party: virtualwebauthn.RelyingParty{ID: "books.example", Name: "Countinghouse", Origin: origin},
		key:   newSoftwareKey()}
	h.device = virtualwebauthn.NewAuthenticatorWithOptions(virtualwebauthn.AuthenticatorOptions{UserHandle: h.person.ID.UUID[:]})
	var err error
	if _, h.session, err = i.SignIn(context.Background(), h.person.Email, strong, RequestInfo{}); err != nil {
		t.Fatal(err)
	}
	return h
}

// add adds a key and gives the recovery codes that came with it.
func (h *holder) add(t testing.TB, key virtualwebauthn.Credential) ([]string, error) {
	t.Helper()
	c, err := h.BeginPasskey(context.Background(), h.session)
	if err != nil {
		return nil, err
	}
	return h.AddPasskey(context.Background(), h.session, c.Ceremony, "Work phone", h.made(t, c, key))
}

// made answers a challenge with a new key.
func (h *holder) made(t testing.TB, c Challenge, key virtualwebauthn.Credential) []byte {
	t.Helper()
	options, err := virtualwebauthn.ParseAttestationOptions(string(c.Options))
	if err != nil {
		t.Fatal(err)
	}
	return []byte(virtualwebauthn.CreateAttestationResponse(h.party, h.device, key, *options))
}

// answer signs a challenge with the key, whose count goes on.
func (h *holder) answer(t testing.TB, c Challenge) []byte {
	t.Helper()
	options, err := virtualwebauthn.ParseAssertionOptions(string(c.Options))
	if err != nil {
		t.Fatal(err)
	}
	h.key.Counter++
	return []byte(virtualwebauthn.CreateAssertionResponse(h.party, h.device, h.key, *options))
}

func newKeyed(t testing.TB) *holder {
	t.Helper()
	h := newHolder(t)
	if codes, err := h.add(t, h.key); err != nil || len(codes) != 10 {
		t.Fatalf("%d recovery codes, %v", len(codes), err)
	}
	return h
}

func (h *holder) challenge(t testing.TB) Challenge {
	t.Helper()
	c, err := h.BeginPasskeyLogin(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func (h *holder) login(c Challenge, response []byte) error {
	p, session, err := h.CompletePasskeyLogin(context.Background(), c.Ceremony, response, RequestInfo{})
	if err != nil {
		return err
	}
	if got, err := h.PersonBySession(context.Background(), session); err != nil || got != h.person || p != h.person {
		return tenant.ErrNotSignedIn
	}
	return nil
}

func TestPasskeyLogin(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	t.Run("needs no password and no second step", func(t *testing.T) {
		t.Parallel()
		h := newKeyed(t)
		for range 2 {
			c := h.challenge(t)
			if err := h.login(c, h.answer(t, c)); err != nil {
				t.Fatal(err)
			}
		}
		has, err := h.SecondFactors(ctx, h.person.ID)
		if err != nil || len(has.Passkeys) != 1 || has.Passkeys[0].Name != "Work phone" || has.Passkeys[0].LastUsedAt == nil || has.RecoveryCodes != 10 {
			t.Errorf("%+v, %v", has, err)
		}
		logins, err := h.Logins(ctx, h.person.ID)
		if err != nil || logins[0].Method != ByPasskey || logins[0].Outcome != LoginSuccess {
			t.Errorf("the login history says %+v, %v", logins, err)
		}
	})
	t.Run("takes an answer once, and within five minutes", func(t *testing.T) {
		t.Parallel()
		h := newKeyed(t)
		c := h.challenge(t)
		response := h.answer(t, c)
		if err := h.login(c, response); err != nil {
			t.Fatal(err)
		}
		wants(t, "again", h.login(c, response), ErrPasskey)
		wants(t, "the same answer to another challenge", h.login(h.challenge(t), response), ErrPasskey)
		c = h.challenge(t)
		response = h.answer(t, c)
		h.clock.Advance(5*time.Minute + time.Second)
		wants(t, "later", h.login(c, response), ErrPasskey)
		step := Challenge{Ceremony: "x"}
		for _, bad := range []string{"", "{}", "null", "[]", "\xff", strings.Repeat("x", responseMax+1)} {
			wants(t, "no answer", h.login(step, []byte(bad)), ErrPasskey)
		}
	})
	t.Run("refuses who is not verified, another site, another's key and a copy", func(t *testing.T) {
		t.Parallel()
		for what, spoil := range map[string]func(h *holder){
			"a finger that nobody asked for": func(h *holder) { h.device.Options.UserNotVerified = true },
			"nobody there":                   func(h *holder) { h.device.Options.UserNotPresent = true },
			"another site":                   func(h *holder) { h.party.Origin = "https://books.example.evil" },
			"a host below ours":              func(h *holder) { h.party.Origin = "https://acme.books.example" },
			"another party":                  func(h *holder) { h.party.ID = "evil.example" },
			"another key under its name": func(h *holder) {
				other := newSoftwareKey()
				h.key.Key = other.Key
			},
			"a key that nobody added": func(h *holder) { h.key = newSoftwareKey() },
			"another person": func(h *holder) {
				other := id.New[tenant.Person]()
				h.device.Options.UserHandle = other.UUID[:]
			},
			"no person": func(h *holder) { h.device.Options.UserHandle = nil },
			"a count that went back": func(h *holder) {
				h.key.Counter = 0
			},
		} {
			h := newKeyed(t)
			for range 3 {
				c := h.challenge(t)
				if err := h.login(c, h.answer(t, c)); err != nil {
					t.Fatal(err)
				}
			}
			spoil(h)
			c := h.challenge(t)
			wants(t, what, h.login(c, h.answer(t, c)), ErrPasskey)
		}
	})
	t.Run("opens one session when an answer is sent many times at once", func(t *testing.T) {
		t.Parallel()
		h := newKeyed(t)
		c := h.challenge(t)
		response := h.answer(t, c)
		g := guarded{Identity: h.Identity}
		if got := g.together(10, func(int) error { return h.login(c, response) }); got.good != 1 {
			t.Errorf("got %+v", got)
		}
	})
}

func TestPasskeyAsSecondStep(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	h := newKeyed(t)
	g := guarded{Identity: h.Identity, clock: h.clock, person: h.person}
	token := g.begin(t)
	c, err := h.BeginPasskeyStep(ctx, token)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(c.Options), "allowCredentials") {
		t.Errorf("any passkey will do: %s", c.Options)
	}
	response := h.answer(t, c)
	wants(t, "as a login of its own", h.login(c, response), ErrPasskey)
	other := newKeyed(t)
	otherToken := (&guarded{Identity: other.Identity, clock: other.clock, person: other.person}).begin(t)
	_, _, err = other.CompletePasskeyStep(ctx, otherToken, c.Ceremony, response, RequestInfo{})
	wants(t, "for another's sign-in", err, ErrPasskey)
	p, session, err := h.CompletePasskeyStep(ctx, token, c.Ceremony, response, RequestInfo{})
	if err != nil || p != h.person || session == "" {
		t.Fatalf("%+v, %v", p, err)
	}
	_, err = h.BeginPasskeyStep(ctx, token)
	wants(t, "the token again", err, ErrSecondStepOver)

	_, err = g.complete(g.begin(t), "123456")
	wants(t, "a code of an app that there is not", err, ErrSecondStep)

	token = g.begin(t)
	for range secondStepTries {
		if c, err = h.BeginPasskeyStep(ctx, token); err != nil {
			t.Fatal(err)
		}
		response = h.answer(t, c)
		_, _, err = h.CompletePasskeyStep(ctx, token, strings.Repeat("A", 43), response, RequestInfo{})
		wants(t, "another challenge", err, ErrPasskey)
	}
	_, _, err = h.CompletePasskeyStep(ctx, token, c.Ceremony, response, RequestInfo{})
	wants(t, "the sixth try", err, ErrSecondStepOver)
}

func TestPasskeys(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	t.Run("are added by their owner, each once, after a proof", func(t *testing.T) {
		t.Parallel()
		h := newKeyed(t)
		_, err := h.add(t, h.key)
		wants(t, "the same again", err, ErrPasskey)
		second := newSoftwareKey()
		if codes, err := h.add(t, second); err != nil || codes != nil {
			t.Errorf("a second: %v, %v", codes, err)
		}
		other := newHolder(t)
		c, err := h.BeginPasskey(ctx, h.session)
		if err != nil {
			t.Fatal(err)
		}
		response := h.made(t, c, newSoftwareKey())
		_, err = other.AddPasskey(ctx, other.session, c.Ceremony, "Mine now", response)
		wants(t, "to another's account", err, ErrPasskey)
		h.clock.Advance(11 * time.Minute)
		_, err = h.BeginPasskey(ctx, h.session)
		wants(t, "without a proof", err, ErrProofNeeded)
		_, err = h.AddPasskey(ctx, h.session, c.Ceremony, "Mine", response)
		wants(t, "answering without a proof", err, ErrProofNeeded)
	})
	t.Run("are twenty at most", func(t *testing.T) {
		t.Parallel()
		h := newHolder(t)
		for n := range passkeysMost {
			if _, err := h.add(t, newSoftwareKey()); err != nil {
				t.Fatalf("passkey %d: %v", n+1, err)
			}
		}
		_, err := h.add(t, h.key)
		wants(t, "one more", err, ErrPasskeyMany)
	})
	t.Run("are removed by their owner alone, and open nothing then", func(t *testing.T) {
		t.Parallel()
		h, other := newKeyed(t), newKeyed(t)
		has, err := h.SecondFactors(ctx, h.person.ID)
		if err != nil {
			t.Fatal(err)
		}
		wants(t, "another's", other.RemovePasskey(ctx, other.session, has.Passkeys[0].ID), ErrNoPasskey)
		if err := h.RemovePasskey(ctx, h.session, has.Passkeys[0].ID); err != nil {
			t.Fatal(err)
		}
		c := h.challenge(t)
		wants(t, "signing in with it", h.login(c, h.answer(t, c)), ErrPasskey)
		if has, err = h.SecondFactors(ctx, h.person.ID); err != nil || has.On() || has.RecoveryCodes > 0 {
			t.Errorf("left is %+v, %v", has, err)
		}
		if _, session, err := h.SignIn(ctx, h.person.Email, strong, RequestInfo{}); err != nil || session == "" {
			t.Errorf("the password alone: %v", err)
		}
	})
	t.Run("stay, with the recovery codes, when the app is turned off", func(t *testing.T) {
		t.Parallel()
		h := newKeyed(t)
		if err := h.TurnOffTOTP(ctx, h.session); err != nil {
			t.Fatal(err)
		}
		if has, err := h.SecondFactors(ctx, h.person.ID); err != nil || !has.On() || has.RecoveryCodes != 10 {
			t.Errorf("left is %+v, %v", has, err)
		}
	})
	t.Run("are not offered at a bare address", func(t *testing.T) {
		t.Parallel()
		i, err := New(tenanttest.DB(), &postbox{}, Options{Origin: "http://127.0.0.1:8080"})
		if err != nil {
			t.Fatal(err)
		}
		_, err = i.BeginPasskeyLogin(ctx)
		wants(t, "signing in", err, ErrNoPasskeys)
		_, _, err = i.CompletePasskeyLogin(ctx, "", nil, RequestInfo{})
		wants(t, "answering", err, ErrNoPasskeys)
	})
}
