package captcha

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/countinghouse/countinghouse/internal/fault"
	"github.com/countinghouse/countinghouse/tenant/tenanttest"
)

func TestMain(m *testing.M) { os.Exit(tenanttest.Main(m)) }

var key = []byte(strings.Repeat("k", 32))

func newCaptcha(t testing.TB, o Options) (*Captcha, *tenanttest.Clock) {
	t.Helper()
	clock := &tenanttest.Clock{}
	c, err := New(tenanttest.OpenWith(t, clock), key, o)
	if err != nil {
		t.Fatal(err)
	}
	return c, clock
}

var signUp = Task{Provider: Altcha, Difficulty: 1_000, For: "sign_up"}

// solve does what a browser does.
func solve(t testing.TB, c Challenge) payload {
	t.Helper()
	for n := range c.MaxNumber + 1 {
		if hashOf(c.Salt, int64(n)) == c.Challenge {
			return payload{c.Algorithm, c.Challenge, int64(n), c.Salt, c.Signature}
		}
	}
	t.Fatal("the task has no solution")
	return payload{}
}

func set(t testing.TB, c *Captcha, task Task) payload {
	t.Helper()
	challenge, err := c.Challenge(task)
	if err != nil {
		t.Fatal(err)
	}
	return solve(t, challenge)
}

func (p payload) encode(t testing.TB) string {
	t.Helper()
	text, err := json.Marshal(p)
	if err != nil {
		t.Fatal(err)
	}
	return base64.StdEncoding.EncodeToString(text)
}

func TestAltcha(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	refuses := func(t *testing.T, c *Captcha, task Task, response string, want error) {
		t.Helper()
		if err := c.Check(ctx, task, response); !errors.Is(err, want) {
			t.Errorf("got %v, want %v", err, want)
		}
	}
	t.Run("takes a solved task once", func(t *testing.T) {
		t.Parallel()
		c, _ := newCaptcha(t, Options{})
		response := set(t, c, signUp).encode(t)
		if err := c.Check(ctx, signUp, response); err != nil {
			t.Fatal(err)
		}
		refuses(t, c, signUp, response, ErrRefused)
		other, _ := newCaptcha(t, Options{}) // another replica
		refuses(t, other, signUp, response, ErrRefused)
	})
	t.Run("takes it once of many who bring it at the same time", func(t *testing.T) {
		t.Parallel()
		c, _ := newCaptcha(t, Options{})
		response := set(t, c, signUp).encode(t)
		answers := make([]error, 12)
		var all sync.WaitGroup
		for n := range answers {
			all.Go(func() { answers[n] = c.Check(ctx, signUp, response) })
		}
		all.Wait()
		good := 0
		for _, err := range answers {
			if err == nil {
				good++
			} else if !errors.Is(err, ErrRefused) {
				t.Error(err)
			}
		}
		if good != 1 {
			t.Errorf("%d got through", good)
		}
	})
	t.Run("refuses what is over", func(t *testing.T) {
		t.Parallel()
		c, clock := newCaptcha(t, Options{})
		soon, late := set(t, c, signUp).encode(t), set(t, c, signUp).encode(t)
		clock.Advance(9 * time.Minute)
		if err := c.Check(ctx, signUp, soon); err != nil {
			t.Errorf("after nine minutes: %v", err)
		}
		clock.Advance(2 * time.Minute)
		refuses(t, c, signUp, late, ErrRefused)
	})
	t.Run("refuses a later end that is spliced out of the number", func(t *testing.T) {
		t.Parallel()
		c, _ := newCaptcha(t, Options{})
		p := set(t, c, signUp)
		// As in tasks whose salt has no separator at its end: the number's first digit becomes the salt's last.
		p.Salt = strings.TrimSuffix(p.Salt, "&") + "1"
		p.Challenge = hashOf(p.Salt, p.Number)
		p.Signature = c.sign(p.Challenge)
		refuses(t, c, signUp, p.encode(t), ErrRefused)
	})
	t.Run("refuses what it did not sign, and what was changed", func(t *testing.T) {
		t.Parallel()
		c, _ := newCaptcha(t, Options{})
		for name, change := range map[string]func(p *payload){
			"signature": func(p *payload) { p.Signature = strings.Repeat("0", 64) },
			"none":      func(p *payload) { p.Signature = "" },
			"number":    func(p *payload) { p.Number++ },
			"negative":  func(p *payload) { p.Number = -p.Number - 1 },
			"salt":      func(p *payload) { p.Salt = strings.Replace(p.Salt, "expires=1", "expires=2", 1) },
			"algorithm": func(p *payload) { p.Algorithm = "SHA-1" },
			"own task": func(p *payload) {
				p.Salt = "aa?expires=9999999999&for=sign_up&max=1000&"
				p.Number = 0
				p.Challenge = hashOf(p.Salt, 0)
			},
		} {
			p := set(t, c, signUp)
			change(&p)
			if err := c.Check(ctx, signUp, p.encode(t)); !errors.Is(err, ErrRefused) {
				t.Errorf("%s: got %v", name, err)
			}
		}
		stranger, err := New(tenanttest.DB(), []byte(strings.Repeat("x", 32)), Options{})
		if err != nil {
			t.Fatal(err)
		}
		refuses(t, c, signUp, set(t, stranger, signUp).encode(t), ErrRefused)
	})
	t.Run("refuses one for another form, and one that was easier", func(t *testing.T) {
		t.Parallel()
		c, _ := newCaptcha(t, Options{})
		recovery, harder := signUp, signUp
		recovery.For, harder.Difficulty = "recovery", 1_500
		refuses(t, c, recovery, set(t, c, signUp).encode(t), ErrRefused)
		refuses(t, c, harder, set(t, c, signUp).encode(t), ErrRefused)
	})
	t.Run("refuses nothing and nonsense", func(t *testing.T) {
		t.Parallel()
		c, _ := newCaptcha(t, Options{})
		refuses(t, c, signUp, "", ErrMissing)
		for _, bad := range []string{"x", "bm9uc2Vuc2U=", "e30=", "bnVsbA==", strings.Repeat("A", payloadMax+4)} {
			refuses(t, c, signUp, bad, ErrRefused)
		}
		refuses(t, c, Task{Provider: "mine"}, "x", ErrUnavailable)
	})
}

// FuzzParsePayload looks for what panics, and for a payload that says one thing and is read as another.
func FuzzParsePayload(f *testing.F) {
	good := payload{algorithm, "00", 7, "aa?expires=1700000000&for=sign_up&max=1000&", "00"}
	for _, p := range []payload{good, {}, {Algorithm: algorithm, Salt: "?&"}, {Algorithm: algorithm, Salt: "a?expires=-1&max=9223372036854775807&", Number: 1 << 62}} {
		text, err := json.Marshal(p)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(base64.StdEncoding.EncodeToString(text))
	}
	f.Add("")
	f.Add("e30=")
	f.Fuzz(func(t *testing.T, response string) {
		p, _, _, most, ok := parsePayload(response)
		if ok && (p.Number < 0 || p.Number > most || !strings.HasSuffix(p.Salt, "&") || p.Algorithm != algorithm) {
			t.Errorf("read as %+v of %d", p, most)
		}
	})
}

// siteverify behaves as the services do: it knows one secret, and each of its tokens once.
func siteverify(t *testing.T, tokens ...string) *httptest.Server {
	t.Helper()
	var mu sync.Mutex
	open := map[string]bool{}
	for _, token := range tokens {
		open[token] = true
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		answer := map[string]any{"success": false}
		switch token := r.PostFormValue("response"); {
		case r.Method != http.MethodPost || r.Header.Get("Content-Type") != "application/x-www-form-urlencoded":
			answer["error-codes"] = []string{"bad-request"}
		case r.PostFormValue("secret") != "0x-secret":
			answer["error-codes"] = []string{"invalid-input-secret"}
		case !open[token]:
			answer["error-codes"] = []string{"timeout-or-duplicate"}
		default:
			delete(open, token)
			answer = map[string]any{"success": true, "hostname": "books.example"}
		}
		w.Header().Set("Content-Type", "application/json")
		if err := json.NewEncoder(w).Encode(answer); err != nil {
			t.Error(err)
		}
	}))
	t.Cleanup(server.Close)
	return server
}

func TestSiteverify(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	for _, provider := range []Provider{Recaptcha, Turnstile} {
		t.Run(string(provider), func(t *testing.T) {
			t.Parallel()
			server := siteverify(t, "token-1")
			// The other's address leads nowhere: who asks there is told.
			o := Options{RecaptchaURL: server.URL, TurnstileURL: "http://127.0.0.1:1"}
			if provider == Turnstile {
				o.RecaptchaURL, o.TurnstileURL = o.TurnstileURL, o.RecaptchaURL
			}
			c, _ := newCaptcha(t, o)
			task := Task{Provider: provider, Secret: "0x-secret", For: "sign_up"}
			if err := c.Check(ctx, task, "token-1"); err != nil {
				t.Fatal(err)
			}
			for response, want := range map[string]error{"token-1": ErrRefused, "token-2": ErrRefused, "": ErrMissing, strings.Repeat("x", tokenMax+1): ErrRefused} {
				if err := c.Check(ctx, task, response); !errors.Is(err, want) {
					t.Errorf("%.20q: got %v, want %v", response, err, want)
				}
			}
			task.Secret = "0x-wrong"
			err := c.Check(ctx, task, "token-2")
			if !errors.Is(err, ErrUnavailable) || strings.Contains(err.Error(), "0x-") {
				t.Errorf("with a wrong secret: got %v", err)
			}
			var f *fault.Error
			if !errors.As(err, &f) || f.Unwrap() == nil || !strings.Contains(f.Unwrap().Error(), "invalid-input-secret") || strings.Contains(f.Unwrap().Error(), "0x-") {
				t.Errorf("the log would say %v", f.Unwrap())
			}
		})
	}
	t.Run("says so when the service does not answer, or answers nonsense", func(t *testing.T) {
		t.Parallel()
		for name, answer := range map[string]http.HandlerFunc{
			"an error": func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadGateway) },
			"a page":   func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("<html>")) },
			"silence": func(_ http.ResponseWriter, r *http.Request) {
				if err := r.ParseForm(); err == nil { // only then is it seen that the caller goes away
					<-r.Context().Done()
				}
			},
		} {
			server := httptest.NewServer(answer)
			t.Cleanup(server.Close)
			c, _ := newCaptcha(t, Options{TurnstileURL: server.URL, Client: &http.Client{Timeout: 200 * time.Millisecond}})
			if err := c.Check(ctx, Task{Provider: Turnstile, Secret: "s"}, "token"); !errors.Is(err, ErrUnavailable) {
				t.Errorf("%s: got %v", name, err)
			}
		}
	})
}

func TestNew(t *testing.T) {
	t.Parallel()
	if _, err := New(tenanttest.DB(), []byte("short"), Options{}); err == nil {
		t.Error("a short key was taken")
	}
	if _, err := New(nil, key, Options{}); err == nil {
		t.Error("no database was taken")
	}
}
