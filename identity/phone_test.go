package identity

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"regexp"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/countinghouse/countinghouse/tenant"
	"github.com/countinghouse/countinghouse/tenant/tenanttest"
)

// switchboard is a texter that keeps what it is given, or refuses it.
type switchboard struct {
	mu    sync.Mutex
	texts []Text
	fail  error
}

func (s *switchboard) Text(_ context.Context, t Text) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.fail != nil {
		return s.fail
	}
	s.texts = append(s.texts, t)
	return nil
}

func (s *switchboard) to(number string) []Text {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(s.texts), func(t Text) bool { return t.To != number })
}

var codeShape = regexp.MustCompile(`\b(\d{6}|\d{8})\b`)

// lastCode reads the newest code out of the messages to a number.
func (s *switchboard) lastCode(t testing.TB, i *Identity, number string) string {
	t.Helper()
	i.Flush()
	all := s.to(number)
	if len(all) == 0 {
		t.Fatalf("no message came to %s", number)
	}
	return codeShape.FindString(all[len(all)-1].Say)
}

func newPhones(t testing.TB) (*Identity, *postbox, *switchboard, *tenanttest.Clock) {
	t.Helper()
	i, post, clock := newIdentity(t)
	board := &switchboard{}
	i.options.Texter, i.options.Voice = board, true
	quickly(i)
	return i, post, board, clock
}

func newNumber() string { return fmt.Sprintf("+35386%07d", 1_000_000+rand.IntN(8_999_999)) }

// addPhone gives a person a number of their own.
func addPhone(t testing.TB, i *Identity, board *switchboard, session string) string {
	t.Helper()
	number := newNumber()
	request, err := i.BeginPhone(context.Background(), session, number, false, RequestInfo{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := i.ConfirmPhone(context.Background(), session, request, board.lastCode(t, i, number)); err != nil {
		t.Fatal(err)
	}
	return number
}

// wrongCode is a code as long as the one given, and another.
func wrongCode(code string, n int) string {
	other := fmt.Sprintf("%0*d", len(code), n)
	if other == code {
		return fmt.Sprintf("%0*d", len(code), n+500)
	}
	return other
}

func TestNormalizePhone(t *testing.T) {
	t.Parallel()
	for typed, want := range map[string]string{
		"+353 86 012 3456": "+353860123456", " +353 (0)86 012 3456 ": "+353860123456", "+1 (202) 555-0143": "+12025550143", "+44 7400 123456": "+447400123456",
	} {
		if got, err := NormalizePhone(typed); err != nil || got != want {
			t.Errorf("%q: got %q, %v", typed, got, err)
		}
	}
	for _, bad := range []string{"", "086 012 3456", "+", "+353", "+999 1234567", "00353860123456", "+353860123456;ext=5", "+353860123456 ext 5", "+1 800 FLOWERS",
		"+35386012345678901234", "+353 86\x00012 3456", "\xff+353860123456", "+３５３860123456", strings.Repeat("+", 41)} {
		if got, err := NormalizePhone(bad); !errors.Is(err, ErrPhone) {
			t.Errorf("%q: got %q, %v", bad, got, err)
		}
	}
	// Who calls these pays someone.
	for _, dear := range []string{"+353 1550 123456", "+44 909 8790000", "+1 900 234 5678"} {
		if got, err := NormalizePhone(dear); !errors.Is(err, ErrPhoneKind) {
			t.Errorf("%q: got %q, %v", dear, got, err)
		}
	}
	if got := (Phone{Number: "+353860123456"}).Hidden(); got != "+••• •• ••• ••56" {
		t.Errorf("hidden: %q", got)
	}
}

func TestPhone(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	t.Run("is a person's once they have typed the code, and is told them by mail", func(t *testing.T) {
		t.Parallel()
		i, post, board, _ := newPhones(t)
		p := addPerson(t, i)
		session := signIn(t, i, p.Email, RequestInfo{})
		number := newNumber()
		request, err := i.BeginPhone(ctx, session, number[:6]+" "+number[6:], false, RequestInfo{})
		if err != nil {
			t.Fatal(err)
		}
		code := board.lastCode(t, i, number)
		if got, err := i.Phone(ctx, p.ID); err != nil || got != nil {
			t.Fatalf("before the code: %+v, %v", got, err)
		}
		typed := " " + code[:3] + "-" + code[3:]
		if got, err := i.ConfirmPhone(ctx, session, request, typed); err != nil || got.Number != number {
			t.Fatalf("got %+v, %v", got, err)
		}
		if got, err := i.Phone(ctx, p.ID); err != nil || got == nil || got.Number != number {
			t.Errorf("got %+v, %v", got, err)
		}
		_, err = i.ConfirmPhone(ctx, session, request, code)
		wants(t, "the code again", err, ErrPhoneCode)
		i.Flush()
		mails := post.to(p.Email)
		if last := mails[len(mails)-1]; last.Kind != "phone_changed" || strings.Contains(last.Text, number) {
			t.Errorf("told: %+v", last)
		}
		if err := i.RemovePhone(ctx, session); err != nil {
			t.Fatal(err)
		}
		if got, err := i.Phone(ctx, p.ID); err != nil || got != nil {
			t.Errorf("after removal: %+v, %v", got, err)
		}
	})
	t.Run("calls and reads the code aloud where asked to", func(t *testing.T) {
		t.Parallel()
		i, _, board, clock := newPhones(t)
		session := signIn(t, i, addPerson(t, i).Email, RequestInfo{})
		number := newNumber()
		for _, voice := range []bool{true, false} {
			if _, err := i.BeginPhone(ctx, session, number, voice, RequestInfo{}); err != nil {
				t.Fatal(err)
			}
			if all := board.to(number); all[len(all)-1].Voice != voice {
				t.Errorf("asked for voice %v: %+v", voice, all)
			}
			clock.Advance(codeDelay)
		}
	})
	t.Run("looks at five codes of fifty that come at once", func(t *testing.T) {
		t.Parallel()
		i, _, board, _ := newPhones(t)
		session := signIn(t, i, addPerson(t, i).Email, RequestInfo{})
		number := newNumber()
		request, err := i.BeginPhone(ctx, session, number, false, RequestInfo{})
		if err != nil {
			t.Fatal(err)
		}
		code := board.lastCode(t, i, number)
		var all sync.WaitGroup
		for n := range 50 {
			all.Go(func() {
				if _, err := i.ConfirmPhone(ctx, session, request, wrongCode(code, n)); !errors.Is(err, ErrPhoneCode) {
					t.Errorf("a wrong code: %v", err)
				}
			})
		}
		all.Wait()
		if n := triesOf(t, i, request); n != codeTries {
			t.Errorf("%d codes were looked at", n)
		}
		_, err = i.ConfirmPhone(ctx, session, request, code)
		wants(t, "the right one after them", err, ErrPhoneCode)
	})
	t.Run("takes a code for ten minutes, from the person who asked, for this and nothing else", func(t *testing.T) {
		t.Parallel()
		i, _, board, clock := newPhones(t)
		p := addPerson(t, i)
		session, stranger := signIn(t, i, p.Email, RequestInfo{}), signIn(t, i, addPerson(t, i).Email, RequestInfo{})
		number := newNumber()
		request, err := i.BeginPhone(ctx, session, number, false, RequestInfo{})
		if err != nil {
			t.Fatal(err)
		}
		code := board.lastCode(t, i, number)
		_, err = i.ConfirmPhone(ctx, stranger, request, wrongCode(code, 1))
		wants(t, "a stranger's try", err, ErrPhoneCode)
		_, err = i.ConfirmRecovery(ctx, request, code)
		wants(t, "setting a password with it", err, ErrPhoneCode)
		clock.Advance(codeLifetime)
		_, err = i.ConfirmPhone(ctx, session, request, code)
		wants(t, "ten minutes later", err, ErrPhoneCode)
		for _, bad := range []string{"", "x", request[1:], session} {
			_, err = i.ConfirmPhone(ctx, session, bad, code)
			wants(t, "request "+bad, err, ErrPhoneCode)
		}
	})
	t.Run("sends a number one code a minute and five a day, and a network twenty", func(t *testing.T) {
		t.Parallel()
		i, _, board, clock := newPhones(t)
		i.options.ProofLifetime, i.options.IdleTimeout = 100*time.Hour, 100*time.Hour
		session := signIn(t, i, addPerson(t, i).Email, RequestInfo{})
		number := newNumber()
		home := RequestInfo{Network: newNetwork()}
		for n := range 5 {
			var sent atomic.Int32
			var all sync.WaitGroup
			for range 4 {
				all.Go(func() {
					switch _, err := i.BeginPhone(ctx, session, number, false, home); {
					case err == nil:
						sent.Add(1)
					case !errors.Is(err, ErrPhoneSoon) && !errors.Is(err, ErrPhoneLimit):
						t.Error(err)
					}
				})
			}
			all.Wait()
			if sent.Load() != 1 {
				t.Fatalf("round %d: %d codes were sent at once", n, sent.Load())
			}
			clock.Advance(codeDelay)
		}
		_, err := i.BeginPhone(ctx, session, number, false, RequestInfo{})
		wants(t, "a sixth code", err, ErrPhoneLimit)
		for range 15 {
			if _, err := i.BeginPhone(ctx, session, newNumber(), false, home); err != nil {
				t.Fatal(err)
			}
		}
		_, err = i.BeginPhone(ctx, session, newNumber(), false, home)
		wants(t, "the network's 21st", err, ErrPhoneLimit)
		if n := len(board.to(number)); n != 5 {
			t.Errorf("%d messages came", n)
		}
		clock.Advance(25 * time.Hour)
		if _, err := i.BeginPhone(ctx, session, number, false, home); err != nil {
			t.Errorf("a day later: %v", err)
		}
	})
	t.Run("asks for proof again, and tells when nothing can be sent", func(t *testing.T) {
		t.Parallel()
		i, _, board, clock := newPhones(t)
		p := addPerson(t, i)
		session := signIn(t, i, p.Email, RequestInfo{})
		board.fail = errors.New("the gateway is down")
		_, err := i.BeginPhone(ctx, session, newNumber(), false, RequestInfo{})
		wants(t, "without a gateway", err, ErrText)
		clock.Advance(10*time.Minute + time.Second)
		_, err = i.BeginPhone(ctx, session, newNumber(), false, RequestInfo{})
		wants(t, "after ten minutes", err, ErrProofNeeded)
		wants(t, "removing", i.RemovePhone(ctx, session), ErrProofNeeded)
		_, err = i.BeginPhone(ctx, "", newNumber(), false, RequestInfo{})
		wants(t, "without a session", err, tenant.ErrNotSignedIn)
		i.options.Texter = nil
		_, err = i.BeginPhone(ctx, session, newNumber(), false, RequestInfo{})
		wants(t, "without a texter", err, ErrNoTexts)
	})
	t.Run("keeps no code that can be found by trying", func(t *testing.T) {
		t.Parallel()
		i, _, _ := newIdentity(t)
		other, _, _ := newIdentity(t)
		other.options.Key = []byte("another key")
		request := tenant.Hash{1}
		if slices.Equal(i.codeDigest(request, "123456"), other.codeDigest(request, "123456")) {
			t.Error("the digest does not depend on the service's key")
		}
		if slices.Equal(i.codeDigest(request, "123456"), i.codeDigest(tenant.Hash{2}, "123456")) {
			t.Error("the digest does not depend on the request")
		}
	})
}

func triesOf(t testing.TB, i *Identity, request string) (n int) {
	t.Helper()
	hash, _ := HashToken(request)
	err := tenant.DoPlatform(context.Background(), i.db, func(tx *tenant.PlatformTx) error {
		return tx.Get(context.Background(), &n, `SELECT tries FROM platform.phone_code WHERE token_hash = $1`, hash[:])
	})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func TestRecoverByText(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	t.Run("sets a password by a code to the phone, ends the sessions, and tells the person", func(t *testing.T) {
		t.Parallel()
		i, post, board, clock := newPhones(t)
		p := addPerson(t, i)
		session := signIn(t, i, p.Email, RequestInfo{})
		number := addPhone(t, i, board, session)
		clock.Advance(codeDelay)
		i.Flush()
		post.empty()
		request, err := i.RequestRecoveryByText(ctx, strings.ToUpper(p.Email), false, RequestInfo{})
		if err != nil {
			t.Fatal(err)
		}
		code := board.lastCode(t, i, number)
		if len(code) != 8 || len(post.to(p.Email)) != 0 {
			t.Fatalf("code %q, mails %+v", code, post.to(p.Email))
		}
		_, err = i.ConfirmRecovery(ctx, request, wrongCode(code, 1))
		wants(t, "a wrong code", err, ErrPhoneCode)
		link, err := i.ConfirmRecovery(ctx, request, code)
		if err != nil {
			t.Fatal(err)
		}
		_, err = i.ConfirmRecovery(ctx, request, code)
		wants(t, "the code again", err, ErrPhoneCode)
		if who, err := i.CheckRecovery(ctx, link); err != nil || who.ID != p.ID {
			t.Fatalf("the link is of %+v, %v", who, err)
		}
		if err := i.Recover(ctx, link, nthPassword(1), RequestInfo{}); err != nil {
			t.Fatal(err)
		}
		_, err = i.PersonBySession(ctx, session)
		wants(t, "the session from before", err, tenant.ErrNotSignedIn)
		i.Flush()
		if mails := post.to(p.Email); len(mails) != 1 || mails[0].Kind != "password_changed" {
			t.Errorf("told: %+v", mails)
		}
	})
	t.Run("not by a code to a phone that was taken away since", func(t *testing.T) {
		t.Parallel()
		i, _, board, clock := newPhones(t)
		p := addPerson(t, i)
		session := signIn(t, i, p.Email, RequestInfo{})
		number := addPhone(t, i, board, session)
		clock.Advance(codeDelay)
		request, err := i.RequestRecoveryByText(ctx, p.Email, false, RequestInfo{})
		if err != nil {
			t.Fatal(err)
		}
		code := board.lastCode(t, i, number)
		if err := i.RemovePhone(ctx, session); err != nil {
			t.Fatal(err)
		}
		_, err = i.ConfirmRecovery(ctx, request, code)
		wants(t, "the code to the number that was removed", err, ErrPhoneCode)
		addPhone(t, i, board, session)
		_, err = i.ConfirmRecovery(ctx, request, code)
		wants(t, "the code to the number before", err, ErrPhoneCode)
	})
	t.Run("does not pass by a second factor", func(t *testing.T) {
		t.Parallel()
		g := newGuarded(t)
		i, p, board := g.Identity, g.person, &switchboard{}
		i.options.Texter = board
		addPhone(t, i, board, g.session)
		g.clock.Advance(codeDelay)
		request, err := i.RequestRecoveryByText(ctx, p.Email, false, RequestInfo{})
		if err != nil {
			t.Fatal(err)
		}
		phone, err := i.Phone(ctx, p.ID)
		if err != nil {
			t.Fatal(err)
		}
		link, err := i.ConfirmRecovery(ctx, request, board.lastCode(t, i, phone.Number))
		if err != nil {
			t.Fatal(err)
		}
		if err := i.Recover(ctx, link, nthPassword(1), RequestInfo{}); err != nil {
			t.Fatal(err)
		}
		var owed *SecondStepNeeded
		if _, _, err := i.SignIn(ctx, p.Email, nthPassword(1), RequestInfo{}); !errors.As(err, &owed) {
			t.Errorf("signing in afterwards: %v", err)
		}
	})
	t.Run("answers and writes the same for an unknown address, and looks at five codes of fifty", func(t *testing.T) {
		t.Parallel()
		i, post, board, clock := newPhones(t)
		p := addPerson(t, i)
		number := addPhone(t, i, board, signIn(t, i, p.Email, RequestInfo{}))
		clock.Advance(codeDelay)
		i.Flush()
		post.empty()
		for _, email := range []string{p.Email, newEmail()} {
			request, err := i.RequestRecoveryByText(ctx, email, false, RequestInfo{})
			if err != nil || len(request) != secretLength {
				t.Fatalf("got %q, %v", request, err)
			}
			i.Flush()
			code := ""
			if email == p.Email {
				code = board.lastCode(t, i, number)
			}
			var all sync.WaitGroup
			for n := range 50 {
				all.Go(func() {
					if _, err := i.ConfirmRecovery(ctx, request, wrongCode(code+"12345678"[len(code):], n)); !errors.Is(err, ErrPhoneCode) {
						t.Errorf("a wrong code: %v", err)
					}
				})
			}
			all.Wait()
			if n := triesOf(t, i, request); n != codeTries {
				t.Errorf("%s: %d codes were looked at", email, n)
			}
			if code != "" {
				_, err = i.ConfirmRecovery(ctx, request, code)
				wants(t, "the right code after them", err, ErrPhoneCode)
			}
		}
		if n := len(post.mails); n != 0 {
			t.Errorf("%d mails went out", n)
		}
		_, err := i.RequestRecoveryByText(ctx, "mara", false, RequestInfo{})
		wants(t, "no address", err, ErrEmail)
	})
	t.Run("goes by e-mail to who has no number, when the gateway fails, and after too many codes", func(t *testing.T) {
		t.Parallel()
		i, post, board, clock := newPhones(t)
		i.options.Log = slog.New(slog.DiscardHandler)
		without, with := addPerson(t, i), addPerson(t, i)
		number := addPhone(t, i, board, signIn(t, i, with.Email, RequestInfo{}))
		ask := func(p tenant.Person) string {
			t.Helper()
			i.Flush()
			post.empty()
			if _, err := i.RequestRecoveryByText(ctx, p.Email, false, RequestInfo{}); err != nil {
				t.Fatal(err)
			}
			return lastToken(t, i, post, p.Email)
		}
		if err := i.Recover(ctx, ask(without), nthPassword(1), RequestInfo{}); err != nil {
			t.Error(err)
		}
		if err := i.Recover(ctx, ask(with), nthPassword(1), RequestInfo{}); err != nil { // a code went a moment ago
			t.Error(err)
		}
		clock.Advance(2 * time.Hour)
		board.fail = errors.New("the gateway is down")
		if err := i.Recover(ctx, ask(with), nthPassword(2), RequestInfo{}); err != nil {
			t.Error(err)
		}
		board.fail = nil
		i.options.TextsPerNumber = 2 // both were sent, or tried
		clock.Advance(2 * time.Hour)
		if err := i.Recover(ctx, ask(with), nthPassword(3), RequestInfo{}); err != nil {
			t.Error(err)
		}
		if n := len(board.to(number)); n != 1 {
			t.Errorf("%d messages came", n)
		}
	})
	t.Run("takes three requests an hour, by whichever way", func(t *testing.T) {
		t.Parallel()
		i, post, board, clock := newPhones(t)
		p := addPerson(t, i)
		number := addPhone(t, i, board, signIn(t, i, p.Email, RequestInfo{}))
		i.Flush()
		post.empty()
		for range 4 {
			clock.Advance(codeDelay)
			if _, err := i.RequestRecoveryByText(ctx, p.Email, false, RequestInfo{}); err != nil {
				t.Fatal(err)
			}
			if err := i.RequestRecovery(ctx, p.Email); err != nil {
				t.Fatal(err)
			}
		}
		i.Flush()
		if texts, mails := len(board.to(number))-1, len(post.to(p.Email)); texts != 2 || mails != 1 {
			t.Errorf("%d messages, %d mails", texts, mails)
		}
	})
}

func FuzzNormalizePhone(f *testing.F) {
	for _, s := range []string{"+353 86 012 3456", "+1 (202) 555-0143", "+", "0860123456", "+00", "+353860123456\n", "+999999999999999"} {
		f.Add(s)
	}
	shape := regexp.MustCompile(`^\+[1-9][0-9]{6,14}$`)
	f.Fuzz(func(t *testing.T, s string) {
		got, err := NormalizePhone(s)
		if err != nil {
			if got != "" {
				t.Errorf("%q is refused and gives %q", s, got)
			}
			return
		}
		if !shape.MatchString(got) {
			t.Errorf("%q gives %q", s, got)
		}
		if again, err := NormalizePhone(got); err != nil || again != got {
			t.Errorf("%q gives %q, which gives %q, %v", s, got, again, err)
		}
	})
}

func FuzzTidyCode(f *testing.F) {
	for _, s := range []string{"123456", "123 456", "1234-5678", "", "١٢٣٤٥٦", "123456\x00", strings.Repeat(" ", 50)} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		for purpose, digits := range codeDigits {
			if code, ok := tidyCode(purpose, s); ok && (len(code) != digits || strings.Trim(code, "0123456789") != "") {
				t.Errorf("%q gives %q", s, code)
			}
		}
	})
}
