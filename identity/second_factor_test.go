package identity

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base32"
	"errors"
	"image/png"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pquerna/otp/totp"

	"github.com/countinghouse/countinghouse/internal/fault"
	"github.com/countinghouse/countinghouse/tenant"
	"github.com/countinghouse/countinghouse/tenant/tenanttest"
)

// plainSealer binds to the place and hides from a glance; it protects nothing.
type plainSealer struct{}

var errPlace = errors.New("sealed for another place")

func (plainSealer) Seal(place string, plain []byte) ([]byte, error) {
	head := sha256.Sum256([]byte(place))
	return append(head[:], turned(plain)...), nil
}

func (plainSealer) Open(place string, sealed []byte) ([]byte, error) {
	head := sha256.Sum256([]byte(place))
	text, ok := bytes.CutPrefix(sealed, head[:])
	if !ok {
		return nil, errPlace
	}
	return turned(text), nil
}

func turned(b []byte) []byte {
	b = bytes.Clone(b)
	for n := range b {
		b[n] ^= 0x5a
	}
	return b
}

// guarded is someone with an authenticator app, and what they hold.
type guarded struct {
	*Identity
	clock    *tenanttest.Clock
	person   tenant.Person
	session  string // as old as the clock was when it was opened
	secret   string
	enrolled string // the code that turned it on
	recovery []string
}

func newGuardable(t testing.TB) (*Identity, *tenanttest.Clock) {
	t.Helper()
	i, _, clock := newIdentity(t)
	i.options.Sealer = plainSealer{}
	return i, clock
}

// newGuarded sets the app up and moves on to the next step, so that the first code is behind.
func newGuarded(t testing.TB) guarded {
	t.Helper()
	i, clock := newGuardable(t)
	g := guarded{Identity: i, clock: clock, person: addPerson(t, i)}
	g.enrol(t)
	return g
}

func (g *guarded) enrol(t testing.TB) {
	t.Helper()
	ctx := context.Background()
	var err error
	if _, g.session, err = g.SignIn(ctx, g.person.Email, strong, RequestInfo{}); err != nil {
		t.Fatal(err)
	}
	if err := g.BeginTOTP(ctx, g.session); err != nil {
		t.Fatal(err)
	}
	key, err := g.NewTOTP(ctx, g.session)
	if err != nil {
		t.Fatal(err)
	}
	g.secret = key.Secret
	g.enrolled = g.code(t, 0)
	if g.recovery, err = g.ConfirmTOTP(ctx, g.session, g.enrolled); err != nil {
		t.Fatal(err)
	}
	g.clock.Advance(2 * totpPeriodSeconds * time.Second)
	// To just after a step's beginning, so that none ends between reading a code and sending it.
	const period = totpPeriodSeconds * time.Second
	g.clock.Advance(period + 2*time.Second - time.Duration(g.clock.Now().UnixNano())%period)
}

// code is what the app shows so many steps from now.
func (g *guarded) code(t testing.TB, steps int) string {
	t.Helper()
	code, err := totp.GenerateCode(g.secret, g.clock.Now().Add(time.Duration(steps*totpPeriodSeconds)*time.Second))
	if err != nil {
		t.Fatal(err)
	}
	return code
}

// wrong is a code that the app shows at no time near.
func (g *guarded) wrong(t testing.TB) string {
	t.Helper()
	near := []string{g.code(t, -2), g.code(t, -1), g.code(t, 0), g.code(t, 1), g.code(t, 2)}
	for _, c := range []string{"000000", "000001", "000002", "000003", "000004"} {
		if !slices.Contains(near, c) {
			return c
		}
	}
	return "000005"
}

// begin does the first step.
func (g *guarded) begin(t testing.TB) string {
	t.Helper()
	_, session, err := g.SignIn(context.Background(), g.person.Email, strong, RequestInfo{})
	var owed *SecondStepNeeded
	if !errors.As(err, &owed) || session != "" {
		t.Fatalf("a password alone: %q, %v", session, err)
	}
	return owed.Token
}

func (g *guarded) complete(token, code string) (string, error) {
	_, session, err := g.CompleteSecondStep(context.Background(), token, code, RequestInfo{})
	return session, err
}

func TestSecondStep(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	t.Run("stands between the password and the session", func(t *testing.T) {
		t.Parallel()
		g := newGuarded(t)
		token := g.begin(t)
		_, err := g.PersonBySession(ctx, token)
		wants(t, "its token as a session", err, tenant.ErrNotSignedIn)
		p, session, err := g.CompleteSecondStep(ctx, token, g.code(t, 0), RequestInfo{Network: "192.0.2.7"})
		if err != nil || p != g.person {
			t.Fatalf("%+v, %v", p, err)
		}
		if got, err := g.PersonBySession(ctx, session); err != nil || got != g.person {
			t.Errorf("the session is of %+v, %v", got, err)
		}
		g.clock.Advance(time.Minute)
		_, err = g.complete(token, g.code(t, 0))
		wants(t, "the token again", err, ErrSecondStepOver)
		logins, err := g.Logins(ctx, g.person.ID)
		if err != nil || len(logins) == 0 || logins[0].Method != ByTOTP || logins[0].Outcome != LoginSuccess {
			t.Errorf("the login history says %+v, %v", logins, err)
		}
	})
	t.Run("takes a code of the step before, now or after, and no other", func(t *testing.T) {
		t.Parallel()
		for steps, want := range map[int]error{-2: ErrSecondStep, -1: nil, 0: nil, 1: nil, 2: ErrSecondStep} {
			g := newGuarded(t)
			g.clock.Advance(time.Minute)
			_, err := g.complete(g.begin(t), g.code(t, steps))
			wants(t, "steps "+time.Duration(steps).String(), err, want)
		}
	})
	t.Run("takes a code once, however many send it at once", func(t *testing.T) {
		t.Parallel()
		g := newGuarded(t)
		tokens := make([]string, 4)
		for n := range tokens {
			tokens[n] = g.begin(t)
		}
		code := g.code(t, 0)
		opened := g.together(len(tokens), func(n int) error {
			_, err := g.complete(tokens[n], code)
			return err
		})
		if opened.good != 1 || opened.refused != len(tokens)-1 {
			t.Errorf("%d sessions for one code: %+v", opened.good, opened)
		}
		_, err := g.complete(g.begin(t), g.code(t, -1))
		wants(t, "the code before it, which nobody used", err, ErrSecondStep)
	})
	t.Run("does not take the code that turned it on", func(t *testing.T) {
		t.Parallel()
		i, clock := newGuardable(t)
		g := guarded{Identity: i, clock: clock, person: addPerson(t, i)}
		g.enrol(t)
		token := g.begin(t)
		for range 3 { // back to where it was shown
			g.clock.Advance(-totpPeriodSeconds * time.Second)
			_, err := g.complete(token, g.enrolled)
			wants(t, "the enrolment code", err, ErrSecondStep)
		}
	})
	t.Run("ends after five tries and after ten minutes", func(t *testing.T) {
		t.Parallel()
		g := newGuarded(t)
		token := g.begin(t)
		for range secondStepTries {
			_, err := g.complete(token, "not a code")
			wants(t, "a wrong code", err, ErrSecondStep)
		}
		_, err := g.complete(token, g.code(t, 0))
		wants(t, "the right code, too late", err, ErrSecondStepOver)
		token = g.begin(t)
		g.clock.Advance(10*time.Minute + time.Second)
		_, err = g.complete(token, g.code(t, 0))
		wants(t, "after ten minutes", err, ErrSecondStepOver)
		for _, none := range []string{"", "x", strings.Repeat("A", 43), g.session} {
			_, err = g.complete(none, g.code(t, 0))
			wants(t, "no token", err, ErrSecondStepOver)
		}
	})
	t.Run("is not asked of who has set nothing up", func(t *testing.T) {
		t.Parallel()
		i, _ := newGuardable(t)
		p := addPerson(t, i)
		_, session, err := i.SignIn(ctx, p.Email, strong, RequestInfo{})
		if err != nil {
			t.Fatal(err)
		}
		if err := i.BeginTOTP(ctx, session); err != nil {
			t.Fatal(err)
		}
		if _, again, err := i.SignIn(ctx, p.Email, strong, RequestInfo{}); err != nil || again == "" {
			t.Errorf("an app that was never confirmed keeps its owner out: %v", err)
		}
	})
}

type outcome struct{ good, refused, waiting, over, other int }

// together calls fn from n goroutines at once and counts what came of it.
func (g *guarded) together(n int, fn func(n int) error) (all outcome) {
	var mu sync.Mutex
	var wg sync.WaitGroup
	start := make(chan struct{})
	for k := range n {
		wg.Go(func() {
			<-start
			err := fn(k)
			mu.Lock()
			defer mu.Unlock()
			switch {
			case err == nil:
				all.good++
			case errors.Is(err, ErrSecondStep), errors.Is(err, ErrProof):
				all.refused++
			case errors.Is(err, ErrSecondStepWait):
				all.waiting++
			case errors.Is(err, ErrProofOver), errors.Is(err, tenant.ErrNotSignedIn):
				all.over++
			default:
				all.other++
			}
		})
	}
	close(start)
	wg.Wait()
	return all
}

func TestGuessingCodes(t *testing.T) {
	t.Parallel()
	t.Run("gets no more tries at once than one after the other", func(t *testing.T) {
		t.Parallel()
		g := newGuarded(t)
		tokens := make([]string, 8)
		for n := range tokens {
			tokens[n] = g.begin(t)
		}
		wrong := g.wrong(t)
		got := g.together(40, func(n int) error {
			_, err := g.complete(tokens[n%len(tokens)], wrong)
			return err
		})
		if want := (outcome{refused: totpFree, waiting: 40 - totpFree}); got != want {
			t.Errorf("got %+v, want %+v", got, want)
		}
	})
	t.Run("keeps the owner out for a while, and not with a recovery code", func(t *testing.T) {
		t.Parallel()
		g := newGuarded(t)
		token := g.begin(t)
		for range totpFree {
			_, err := g.complete(token, g.wrong(t))
			wants(t, "a wrong code", err, ErrSecondStep)
		}
		_, err := g.complete(g.begin(t), g.code(t, 0))
		wants(t, "the right code at once", err, ErrSecondStepWait)
		if _, err = g.complete(g.begin(t), g.recovery[0]); err != nil {
			t.Fatalf("a recovery code: %v", err)
		}
		if _, err = g.complete(g.begin(t), g.code(t, 0)); err != nil {
			t.Errorf("the right code after the owner was there: %v", err)
		}
	})
	t.Run("has to wait twice as long each time, up to six hours", func(t *testing.T) {
		t.Parallel()
		g := newGuarded(t)
		token := g.begin(t)
		for range totpFree {
			_, err := g.complete(token, g.wrong(t))
			wants(t, "a wrong code", err, ErrSecondStep)
		}
		for _, wait := range []time.Duration{1, 2, 4, 8, 16, 32, 64, 128, 256, 360, 360} {
			g.clock.Advance(wait*time.Minute - 30*time.Second)
			_, err := g.complete(g.begin(t), g.code(t, 0))
			wants(t, "just before the wait is over", err, ErrSecondStepWait)
			g.clock.Advance(30 * time.Second)
			_, err = g.complete(g.begin(t), g.wrong(t))
			wants(t, "when it is over", err, ErrSecondStep)
		}
		g.clock.Advance(6 * time.Hour)
		if _, err := g.complete(g.begin(t), g.code(t, 0)); err != nil {
			t.Fatalf("the right code when it is over: %v", err)
		}
		g.clock.Advance(time.Minute)
		_, err := g.complete(g.begin(t), g.wrong(t))
		wants(t, "a mistake later", err, ErrSecondStep)
		if _, err := g.complete(g.begin(t), g.code(t, 0)); err != nil {
			t.Errorf("the count began not afresh: %v", err)
		}
	})
}

func TestTOTPSetUp(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	begin := func(t *testing.T) guarded {
		i, clock := newGuardable(t)
		g := guarded{Identity: i, clock: clock, person: addPerson(t, i)}
		var err error
		if _, g.session, err = g.SignIn(ctx, g.person.Email, strong, RequestInfo{}); err != nil {
			t.Fatal(err)
		}
		if err = g.BeginTOTP(ctx, g.session); err != nil {
			t.Fatal(err)
		}
		key, err := g.NewTOTP(ctx, g.session)
		if err != nil {
			t.Fatal(err)
		}
		g.secret = key.Secret
		return g
	}
	t.Run("shows the same key until it is confirmed, as text and as a picture", func(t *testing.T) {
		t.Parallel()
		g := begin(t)
		key, err := g.NewTOTP(ctx, g.session)
		if err != nil || key.Secret != g.secret {
			t.Fatalf("%v, another key: %v", err, key.Secret != g.secret)
		}
		if raw, err := base32.StdEncoding.WithPadding(base32.NoPadding).DecodeString(key.Secret); err != nil || len(raw) != 20 {
			t.Errorf("a key of %d bytes, %v", len(raw), err)
		}
		for _, part := range []string{"otpauth://totp/Countinghouse:", g.secret, "issuer=Countinghouse", "period=30", "digits=6", "algorithm=SHA1"} {
			if !strings.Contains(key.key.URL(), part) {
				t.Errorf("the picture says %s, without %s", key.key.URL(), part)
			}
		}
		drawn, err := key.QR()
		if err != nil {
			t.Fatal(err)
		}
		picture, err := png.Decode(bytes.NewReader(drawn))
		if err != nil {
			t.Fatal(err)
		}
		if r, _, _, _ := picture.At(1, 1).RGBA(); r != 0xffff || picture.Bounds().Dx() != qrSide+2*qrMargin {
			t.Errorf("a margin of %x in a picture of %v", r, picture.Bounds())
		}
	})
	t.Run("keeps the key sealed, for its owner alone", func(t *testing.T) {
		t.Parallel()
		g, other := newGuarded(t), newGuarded(t)
		err := tenant.DoPlatform(ctx, g.db, func(tx *tenant.PlatformTx) error {
			var sealed []byte
			if err := tx.Get(ctx, &sealed, `SELECT sealed FROM platform.totp WHERE person_id = $1`, g.person.ID); err != nil {
				return err
			}
			if bytes.Contains(sealed, []byte(g.secret)) {
				t.Error("the key can be read")
			}
			_, err := tx.Exec(ctx, `UPDATE platform.totp SET sealed = $2 WHERE person_id = $1`, other.person.ID, sealed)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		if _, err = other.complete(other.begin(t), g.code(t, 0)); !errors.Is(err, errPlace) || fault.KindOf(err) != fault.Internal {
			t.Errorf("another's key in one's own row: %v", err)
		}
	})
	t.Run("is confirmed by a right code alone", func(t *testing.T) {
		t.Parallel()
		g := begin(t)
		for _, bad := range []string{"", g.wrong(t), g.code(t, 2), "12345", "1234567", "１２３４５６", strings.Repeat("1", 5000)} {
			codes, err := g.ConfirmTOTP(ctx, g.session, bad)
			wants(t, bad[:min(len(bad), 20)], err, ErrSecondStep)
			if codes != nil {
				t.Error("recovery codes were given")
			}
		}
		codes, err := g.ConfirmTOTP(ctx, g.session, g.code(t, 0)[:3]+" "+g.code(t, 0)[3:])
		if err != nil || len(codes) != 10 {
			t.Fatalf("%d codes, %v", len(codes), err)
		}
		_, err = g.ConfirmTOTP(ctx, g.session, g.code(t, 1))
		wants(t, "twice", err, ErrTOTPNone)
		wants(t, "another", g.BeginTOTP(ctx, g.session), ErrTOTPOn)
	})
	t.Run("is tried ten times at most, for a quarter of an hour", func(t *testing.T) {
		t.Parallel()
		g := begin(t)
		wrong := g.wrong(t)
		got := g.together(30, func(int) error {
			_, err := g.ConfirmTOTP(ctx, g.session, wrong)
			return err
		})
		if want := (outcome{refused: 10, waiting: 20}); got != want {
			t.Errorf("got %+v, want %+v", got, want)
		}
		if err := g.BeginTOTP(ctx, g.session); err != nil {
			t.Fatal(err)
		}
		key, err := g.NewTOTP(ctx, g.session)
		if err != nil || key.Secret == g.secret {
			t.Fatalf("%v, the same key: %v", err, key.Secret == g.secret)
		}
		g.clock.Advance(14 * time.Minute)
		session, err := g.Prove(ctx, g.session, Proof{Password: strong})
		if err != nil {
			t.Fatal(err)
		}
		if _, err = g.NewTOTP(ctx, session); err != nil {
			t.Error(err)
		}
		g.clock.Advance(time.Minute)
		_, err = g.NewTOTP(ctx, session)
		wants(t, "after a quarter of an hour", err, ErrTOTPNone)
		_, err = g.ConfirmTOTP(ctx, session, g.code(t, 0))
		wants(t, "confirming it then", err, ErrTOTPNone)
	})
	t.Run("is not offered without a key to seal with", func(t *testing.T) {
		t.Parallel()
		i, _, _ := newIdentity(t)
		i.options.Sealer = nil
		_, session, err := i.SignIn(ctx, addPerson(t, i).Email, strong, RequestInfo{})
		if err != nil {
			t.Fatal(err)
		}
		wants(t, "beginning", i.BeginTOTP(ctx, session), ErrNoSealer)
	})
	t.Run("can be turned off, with all that it kept", func(t *testing.T) {
		t.Parallel()
		g := newGuarded(t)
		if err := g.TurnOffTOTP(ctx, g.session); err != nil {
			t.Fatal(err)
		}
		if has, err := g.SecondFactors(ctx, g.person.ID); err != nil || has.On() || has.RecoveryCodes > 0 {
			t.Errorf("left is %+v, %v", has, err)
		}
		if _, session, err := g.SignIn(ctx, g.person.Email, strong, RequestInfo{}); err != nil || session == "" {
			t.Errorf("signing in after it: %v", err)
		}
	})
}

func TestRecoveryCodes(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	t.Run("are ten, each good once, in whatever way they are typed", func(t *testing.T) {
		t.Parallel()
		g := newGuarded(t)
		for n, code := range g.recovery {
			if slices.Index(g.recovery, code) != n || len(code) != 19 {
				t.Fatalf("code %d is %q", n, code)
			}
			typed := []string{code, strings.ToLower(code), strings.ReplaceAll(code, "-", " "), " " + strings.ReplaceAll(code, "-", "") + " "}[n%4]
			if _, err := g.complete(g.begin(t), typed); err != nil {
				t.Fatalf("%q: %v", typed, err)
			}
			_, err := g.complete(g.begin(t), code)
			wants(t, "again", err, ErrSecondStep)
			if has, err := g.SecondFactors(ctx, g.person.ID); err != nil || has.RecoveryCodes != 9-n || has.TOTPSince == nil {
				t.Fatalf("left is %+v, %v", has, err)
			}
		}
	})
	t.Run("open one session when they are sent many times at once", func(t *testing.T) {
		t.Parallel()
		g := newGuarded(t)
		tokens := make([]string, 8)
		for n := range tokens {
			tokens[n] = g.begin(t)
		}
		got := g.together(len(tokens), func(n int) error {
			_, err := g.complete(tokens[n], g.recovery[0])
			return err
		})
		if want := (outcome{good: 1, refused: len(tokens) - 1}); got != want {
			t.Errorf("got %+v, want %+v", got, want)
		}
	})
	t.Run("are good for nobody else, and not after new ones were made", func(t *testing.T) {
		t.Parallel()
		g, other := newGuarded(t), newGuarded(t)
		_, err := other.complete(other.begin(t), g.recovery[0])
		wants(t, "another's", err, ErrSecondStep)
		fresh, err := g.RenewRecoveryCodes(ctx, g.session)
		if err != nil || len(fresh) != 10 {
			t.Fatalf("%d codes, %v", len(fresh), err)
		}
		_, err = g.complete(g.begin(t), g.recovery[1])
		wants(t, "an old one", err, ErrSecondStep)
		if _, err = g.complete(g.begin(t), fresh[9]); err != nil {
			t.Errorf("a new one: %v", err)
		}
	})
	t.Run("are kept as digests alone", func(t *testing.T) {
		t.Parallel()
		g := newGuarded(t)
		var readable bool
		err := tenant.DoPlatform(ctx, g.db, func(tx *tenant.PlatformTx) error {
			return tx.Get(ctx, &readable, `
				SELECT bool_or(position(convert_to($2, 'UTF8') in code_hash) > 0 OR code_hash = convert_to($2, 'UTF8'))
				  FROM platform.recovery_code WHERE person_id = $1`, g.person.ID, strings.ReplaceAll(g.recovery[0], "-", ""))
		})
		if err != nil || readable {
			t.Errorf("readable: %v, %v", readable, err)
		}
	})
	t.Run("are not made for who has nothing to recover from", func(t *testing.T) {
		t.Parallel()
		i, _ := newGuardable(t)
		_, session, err := i.SignIn(ctx, addPerson(t, i).Email, strong, RequestInfo{})
		if err != nil {
			t.Fatal(err)
		}
		_, err = i.RenewRecoveryCodes(ctx, session)
		wants(t, "codes", err, ErrNoSecondFactor)
	})
}

func TestProve(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	old := func(t *testing.T) guarded {
		g := newGuarded(t)
		g.clock.Advance(11 * time.Minute)
		return g
	}
	t.Run("is asked for when the last proof is ten minutes old", func(t *testing.T) {
		t.Parallel()
		g := newGuarded(t)
		g.clock.Advance(7 * time.Minute)
		if fresh, err := g.Proved(ctx, g.session, 0); err != nil || !fresh {
			t.Errorf("after eight minutes: %v, %v", fresh, err)
		}
		if fresh, err := g.Proved(ctx, g.session, 5*time.Minute); err != nil || fresh {
			t.Errorf("after eight minutes, within five: %v, %v", fresh, err)
		}
		g.clock.Advance(3 * time.Minute)
		if fresh, err := g.Proved(ctx, g.session, 0); err != nil || fresh {
			t.Errorf("after eleven minutes: %v, %v", fresh, err)
		}
		wants(t, "beginning", g.BeginTOTP(ctx, g.session), ErrProofNeeded)
		wants(t, "turning off", g.TurnOffTOTP(ctx, g.session), ErrProofNeeded)
		_, err := g.RenewRecoveryCodes(ctx, g.session)
		wants(t, "new codes", err, ErrProofNeeded)
		_, err = g.NewTOTP(ctx, g.session)
		wants(t, "the key", err, ErrProofNeeded)
		_, err = g.ConfirmTOTP(ctx, g.session, g.code(t, 0))
		wants(t, "confirming", err, ErrProofNeeded)
	})
	t.Run("takes the password, a code or a recovery code, and renews the session's token", func(t *testing.T) {
		t.Parallel()
		for what, proof := range map[string]func(g guarded) Proof{
			"password": func(guarded) Proof { return Proof{Password: strong} },
			"code":     func(g guarded) Proof { return Proof{Code: g.code(t, 0)} },
			"recovery": func(g guarded) Proof { return Proof{Code: g.recovery[0]} },
		} {
			g := old(t)
			renewed, err := g.Prove(ctx, g.session, proof(g))
			if err != nil || renewed == g.session {
				t.Fatalf("%s: %v, the same token: %v", what, err, renewed == g.session)
			}
			if fresh, err := g.Proved(ctx, renewed, 0); err != nil || !fresh {
				t.Errorf("%s: afterwards %v, %v", what, fresh, err)
			}
			_, err = g.PersonBySession(ctx, g.session)
			wants(t, what+": the token from before", err, tenant.ErrNotSignedIn)
			if err := g.TurnOffTOTP(ctx, renewed); err != nil {
				t.Errorf("%s: turning off: %v", what, err)
			}
		}
	})
	t.Run("ends the session after five wrong answers, also at once", func(t *testing.T) {
		t.Parallel()
		g := old(t)
		for n := range proofTries - 1 {
			_, err := g.Prove(ctx, g.session, []Proof{{Password: strong + "x"}, {Code: "abc"}, {}}[n%3])
			wants(t, "a wrong answer", err, []error{ErrProof, ErrSecondStep, ErrSecondStep}[n%3])
		}
		_, err := g.Prove(ctx, g.session, Proof{Password: "no"})
		wants(t, "the fifth", err, ErrProofOver)
		_, err = g.PersonBySession(ctx, g.session)
		wants(t, "the session", err, tenant.ErrNotSignedIn)
		_, err = g.Prove(ctx, g.session, Proof{Password: strong})
		wants(t, "the right one then", err, tenant.ErrNotSignedIn)

		g = old(t)
		got := g.together(30, func(int) error {
			_, err := g.Prove(ctx, g.session, Proof{Password: "no"})
			return err
		})
		if got.refused > proofTries-1 || got.good+got.other+got.waiting > 0 {
			t.Errorf("thirty at once: %+v", got)
		}
		_, err = g.PersonBySession(ctx, g.session)
		wants(t, "the session after thirty at once", err, tenant.ErrNotSignedIn)
	})
	t.Run("forgets wrong answers after a right one", func(t *testing.T) {
		t.Parallel()
		g := old(t)
		for range 3 {
			for range proofTries - 1 {
				_, err := g.Prove(ctx, g.session, Proof{Password: "no"})
				wants(t, "a wrong answer", err, ErrProof)
			}
			var err error
			if g.session, err = g.Prove(ctx, g.session, Proof{Password: strong}); err != nil {
				t.Fatal(err)
			}
		}
	})
	t.Run("is for who is signed in", func(t *testing.T) {
		t.Parallel()
		g := old(t)
		g.clock.Advance(9 * time.Hour)
		for _, session := range []string{"", "x", strings.Repeat("A", 43), g.session} {
			_, err := g.Proved(ctx, session, 0)
			wants(t, "asking", err, tenant.ErrNotSignedIn)
			_, err = g.Prove(ctx, session, Proof{Password: strong})
			wants(t, "proving", err, tenant.ErrNotSignedIn)
			wants(t, "turning off", g.TurnOffTOTP(ctx, session), tenant.ErrNotSignedIn)
		}
	})
}

// Whatever is typed, only six ASCII digits are held against the app, and only letters that a code may have reach it.
func FuzzSecondStepCode(f *testing.F) {
	for _, seed := range []string{"123 456", "abcd-efgh-ijkl-mnop", "１２３４５６", "\xff", "", "ﬁ", "12\u00a034 56", strings.Repeat(" ", 99)} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, typed string) {
		folded := foldCode(typed)
		if strings.ContainsAny(folded, " -\t") || (len(typed) > 100 && folded != "") {
			t.Errorf("%q is folded to %q", typed, folded)
		}
		if foldCode(folded) != folded {
			t.Errorf("%q is folded twice to %q", folded, foldCode(folded))
		}
		if isTOTPCode(folded) != (len(folded) == 6 && strings.Trim(folded, "0123456789") == "") {
			t.Errorf("%q is a code: %v", folded, isTOTPCode(folded))
		}
	})
}
