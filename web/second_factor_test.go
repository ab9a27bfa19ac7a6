package web_test

import (
	"bytes"
	"context"
	"image/png"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/pquerna/otp/totp"

	"github.com/countinghouse/countinghouse/identity"
	"github.com/countinghouse/countinghouse/tenant"
	"github.com/countinghouse/countinghouse/tenant/tenanttest"
)

// sealedInTest stands where the service's sealer does: what these tests ask is not whether it can be read.
type sealedInTest struct{}

func (sealedInTest) Seal(_ string, plain []byte) ([]byte, error)  { return plain, nil }
func (sealedInTest) Open(_ string, sealed []byte) ([]byte, error) { return sealed, nil }

var (
	shownKey   = regexp.MustCompile(`<code>([A-Z2-7 ]+)</code>`)
	shownCodes = regexp.MustCompile(`[A-Z2-7]{4}(?:-[A-Z2-7]{4}){3}`)
)

func wantRedirect(t testing.TB, what string, a answer, to string) {
	t.Helper()
	if a.status != http.StatusSeeOther || a.header.Get("Location") != to {
		t.Fatalf("%s: %d to %q, want %q: %s", what, a.status, a.header.Get("Location"), to, a.body)
	}
}

// secondFactor sets an authenticator app up through the pages and gives its key and the recovery codes.
func (b *browser) secondFactor(t testing.TB) (key string, recovery []string) {
	t.Helper()
	wantRedirect(t, "beginning", b.post(t, "/account/second-step/app"), "/account/second-step/app")
	a := b.get(t, "/account/second-step/app")
	found := shownKey.FindSubmatch(a.body)
	if a.status != http.StatusOK || found == nil {
		t.Fatalf("the key: %d %s", a.status, a.body)
	}
	key = strings.ReplaceAll(string(found[1]), " ", "")
	a = b.post(t, "/account/second-step/app/confirm", "code", appCode(t, key, 0))
	if a.status != http.StatusCreated {
		t.Fatalf("confirming: %d %s", a.status, a.body)
	}
	return key, shownCodes.FindAllString(string(a.body), -1)
}

// appCode is what an app shows so many steps from now. The next step's code is good already, and so a test has two
// codes to use without waiting.
func appCode(t testing.TB, key string, steps int) string {
	t.Helper()
	code, err := totp.GenerateCode(key, time.Now().Add(time.Duration(steps)*30*time.Second))
	if err != nil {
		t.Fatal(err)
	}
	return code
}

// ageProof makes a session one that was opened an hour ago.
func (b *browser) ageProof(t testing.TB) {
	t.Helper()
	hash, ok := identity.HashToken(b.cookies["__Host-session"])
	if !ok {
		t.Fatal("no session")
	}
	err := tenant.DoPlatform(context.Background(), tenanttest.DB(), func(tx *tenant.PlatformTx) error {
		_, err := tx.Exec(context.Background(), `UPDATE platform.session SET authenticated_at = authenticated_at - interval '1 hour' WHERE token_hash = $1`, hash[:])
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestSecondFactorPages(t *testing.T) {
	t.Parallel()
	h := open(t)
	o := h.signUp(t)
	next := o.path("/invoices?standing=draft")

	a := o.get(t, "/account/second-step")
	if a.status != http.StatusOK || !bytes.Contains(a.body, []byte("Set up an authenticator app")) {
		t.Fatalf("the page: %d %s", a.status, a.body)
	}
	wantRedirect(t, "setting up what was not begun", o.get(t, "/account/second-step/app"), "/account/second-step")
	wantRedirect(t, "beginning", o.post(t, "/account/second-step/app"), "/account/second-step/app")
	a = o.get(t, "/account/second-step/app")
	if !bytes.Contains(a.body, []byte(`src="/account/second-step/app/qr.png"`)) {
		t.Errorf("no picture in %s", a.body)
	}
	a = o.get(t, "/account/second-step/app/qr.png")
	if a.header.Get("Content-Type") != "image/png" || a.header.Get("Cache-Control") != "no-store" {
		t.Errorf("the picture is %s, %s", a.header.Get("Content-Type"), a.header.Get("Cache-Control"))
	}
	if _, err := png.Decode(bytes.NewReader(a.body)); err != nil {
		t.Errorf("the picture: %v", err)
	}
	if a = o.post(t, "/account/second-step/app/confirm", "code", "12"); a.status != http.StatusUnprocessableEntity || !bytes.Contains(a.body, []byte("This code is not right")) {
		t.Errorf("a wrong first code: %d %s", a.status, a.body)
	}
	key, recovery := o.secondFactor(t)
	if len(recovery) != 10 {
		t.Fatalf("%d recovery codes", len(recovery))
	}
	a = o.get(t, "/account/second-step")
	if !bytes.Contains(a.body, []byte("10 codes left")) || bytes.Contains(a.body, []byte(recovery[0])) {
		t.Errorf("the page afterwards: %s", a.body)
	}

	// In another browser the password is now half the way.
	b := h.browser()
	wantRedirect(t, "the password", b.post(t, "/sign-in", "email", o.email, "password", goodPassword, "next", next), "/sign-in/second-step?next="+url.QueryEscape(next))
	if b.cookies["__Host-session"] != "" {
		t.Fatal("the password alone gave a session")
	}
	wantRedirect(t, "going on without the second step", b.get(t, "/"), "/sign-in")
	b.cookies["__Host-session"] = b.cookies["__Host-second-step"]
	wantRedirect(t, "passing the one cookie as the other", b.get(t, "/"), "/sign-in")
	delete(b.cookies, "__Host-session")
	if a = b.get(t, "/sign-in/second-step?next="+url.QueryEscape(next)); a.status != http.StatusOK {
		t.Fatalf("the second step: %d %s", a.status, a.body)
	}
	if a = b.post(t, "/sign-in/second-step", "code", "no", "next", next); a.status != http.StatusUnprocessableEntity || b.cookies["__Host-session"] != "" {
		t.Errorf("a wrong code: %d %s", a.status, a.body)
	}
	wantRedirect(t, "the right code", b.post(t, "/sign-in/second-step", "code", appCode(t, key, 1), "next", next), next)
	if b.cookies["__Host-second-step"] != "" {
		t.Error("the cookie of the second step stays")
	}
	if a = b.get(t, next); a.status != http.StatusOK {
		t.Errorf("inside: %d", a.status)
	}

	// Turned off, the password is enough again.
	wantRedirect(t, "turning off", b.post(t, "/account/second-step/app/turn-off"), "/account/second-step")
	wantRedirect(t, "the password then", h.browser().post(t, "/sign-in", "email", o.email, "password", goodPassword), "/")
}

func TestRecoveryCodePages(t *testing.T) {
	t.Parallel()
	h := open(t)
	o := h.signUp(t)
	_, recovery := o.secondFactor(t)
	b := h.browser()
	wantRedirect(t, "the password", b.post(t, "/sign-in", "email", o.email, "password", goodPassword), "/sign-in/second-step")
	wantRedirect(t, "a recovery code", b.post(t, "/sign-in/second-step", "code", strings.ToLower(recovery[3]), "next", "https://evil.example/"), "/")
	if a := b.get(t, "/account/second-step"); !bytes.Contains(a.body, []byte("9 codes left")) {
		t.Errorf("the count left: %s", a.body)
	}
	a := b.post(t, "/account/second-step/codes")
	fresh := shownCodes.FindAllString(string(a.body), -1)
	if a.status != http.StatusCreated || len(fresh) != 10 {
		t.Fatalf("new codes: %d %s", a.status, a.body)
	}
	b = h.browser()
	wantRedirect(t, "the password", b.post(t, "/sign-in", "email", o.email, "password", goodPassword), "/sign-in/second-step")
	for n, code := range []string{recovery[4], recovery[3], "x", "x", "x"} {
		if a = b.post(t, "/sign-in/second-step", "code", code); a.status != http.StatusUnprocessableEntity {
			t.Errorf("try %d: %d %s", n, a.status, a.body)
		}
	}
	a = b.post(t, "/sign-in/second-step", "code", fresh[0])
	if a.status != http.StatusUnprocessableEntity || !bytes.Contains(a.body, []byte("Sign in again.")) || b.cookies["__Host-second-step"] != "" {
		t.Errorf("the sixth try: %d %s", a.status, a.body)
	}
	wantRedirect(t, "the second step without a first", b.get(t, "/sign-in/second-step"), "/sign-in?next=%2Fsign-in%2Fsecond-step")
}

func TestProvePage(t *testing.T) {
	t.Parallel()
	h := open(t)
	o := h.signUp(t)
	o.secondFactor(t)
	o.ageProof(t)
	if a := o.get(t, "/account/second-step"); a.status != http.StatusOK {
		t.Fatalf("looking takes no proof: %d", a.status)
	}
	const prove = "/account/prove?next=%2Faccount%2Fsecond-step"
	wantRedirect(t, "turning off", o.post(t, "/account/second-step/app/turn-off"), prove)
	wantRedirect(t, "new codes", o.post(t, "/account/second-step/codes"), prove)
	wantRedirect(t, "another app", o.post(t, "/account/second-step/app"), prove)
	if a := o.get(t, "/account/second-step/app/qr.png"); a.status != http.StatusForbidden {
		t.Errorf("the key as a picture: %d", a.status)
	}
	if a := o.get(t, prove); a.status != http.StatusOK || !bytes.Contains(a.body, []byte(`name="code"`)) {
		t.Fatalf("the question: %d %s", a.status, a.body)
	}
	if a := o.post(t, "/account/prove", "password", "no", "next", "/account/second-step"); a.status != http.StatusUnprocessableEntity || bytes.Contains(a.body, []byte(`value="no"`)) {
		t.Errorf("a wrong password: %d %s", a.status, a.body)
	}
	before := o.cookies["__Host-session"]
	wantRedirect(t, "the password", o.post(t, "/account/prove", "password", goodPassword, "next", "//evil.example/"), "/")
	thief := h.browser()
	thief.cookies["__Host-session"] = before
	wantRedirect(t, "the token from before", thief.get(t, "/"), "/sign-in")
	if a := o.post(t, "/account/second-step/codes"); a.status != http.StatusCreated {
		t.Errorf("new codes after the proof: %d %s", a.status, a.body)
	}
	if a := o.get(t, o.path("")); a.status != http.StatusOK {
		t.Errorf("the organization with the new token: %d", a.status)
	}

	o.ageProof(t)
	for range 4 {
		if a := o.post(t, "/account/prove", "password", "no"); a.status != http.StatusUnprocessableEntity {
			t.Errorf("a wrong password: %d", a.status)
		}
	}
	wantRedirect(t, "the fifth wrong password", o.post(t, "/account/prove", "password", "no"), "/sign-in")
	wantRedirect(t, "the session after it", o.get(t, "/"), "/sign-in")
}

func TestSecondFactorPagesAreForWhoIsSignedIn(t *testing.T) {
	t.Parallel()
	h := open(t)
	for _, route := range h.Routes() {
		if !strings.HasPrefix(route.Path, "/account/second-step") && route.Path != "/account/prove" {
			continue
		}
		b := h.browser()
		b.cookies["__Host-session"] = strings.Repeat("A", 43)
		a := b.post(t, route.Path, "code", "123456", "password", goodPassword)
		if route.Method == http.MethodGet {
			a = b.get(t, route.Path)
		}
		if a.status != http.StatusSeeOther || !strings.HasPrefix(a.header.Get("Location"), "/sign-in") {
			t.Errorf("%s %s: %d to %q", route.Method, route.Path, a.status, a.header.Get("Location"))
		}
	}
}
