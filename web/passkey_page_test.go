package web_test

import (
	"bytes"
	"encoding/json"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/descope/virtualwebauthn"
)

// softKey is an authenticator made of software, in the hands of whoever has the browser.
type softKey struct {
	party  virtualwebauthn.RelyingParty
	device virtualwebauthn.Authenticator
	key    virtualwebauthn.Credential
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

func newSoftKey() *softKey {
	return &softKey{
		party:  virtualwebauthn.RelyingParty{ID: "books.example", Name: "Countinghouse", Origin: origin},
		device: virtualwebauthn.NewAuthenticator(), key: newSoftwareKey(),
	}
}

// challenge fetches what app.js fetches.
func (b *browser) challenge(t testing.TB, form string) (ceremony string, options string) {
	t.Helper()
	a := b.post(t, form+"/challenge")
	if a.status != http.StatusOK || !strings.HasPrefix(a.header.Get("Content-Type"), "application/json") {
		t.Fatalf("the challenge of %s: %d %s", form, a.status, a.body)
	}
	var c struct {
		Ceremony string
		Options  json.RawMessage
	}
	a.decode(t, &c)
	return c.Ceremony, string(c.Options)
}

// make answers a challenge with a new passkey, for the person that the challenge names.
func (k *softKey) make(t testing.TB, options string) string {
	t.Helper()
	asked, err := virtualwebauthn.ParseAttestationOptions(options)
	if err != nil {
		t.Fatal(err)
	}
	k.device.Options.UserHandle = []byte(asked.UserID)
	return virtualwebauthn.CreateAttestationResponse(k.party, k.device, k.key, *asked)
}

func (k *softKey) sign(t testing.TB, options string) string {
	t.Helper()
	asked, err := virtualwebauthn.ParseAssertionOptions(options)
	if err != nil {
		t.Fatal(err)
	}
	k.key.Counter++
	return virtualwebauthn.CreateAssertionResponse(k.party, k.device, k.key, *asked)
}

var removeForm = regexp.MustCompile(`action="(/account/second-step/passkeys/[0-9a-f-]+/remove)"`)

func TestPasskeyPages(t *testing.T) {
	t.Parallel()
	const passkeys = "/account/second-step/passkeys"
	h := open(t)
	o := h.signUp(t)
	key := newSoftKey()
	ceremony, options := o.challenge(t, passkeys)
	a := o.post(t, passkeys, "ceremony", ceremony, "response", key.make(t, options), "name", "Work <phone>")
	if a.status != http.StatusCreated || len(shownCodes.FindAll(a.body, -1)) != 10 {
		t.Fatalf("adding: %d %s", a.status, a.body)
	}
	if a = o.get(t, "/account/second-step"); !bytes.Contains(a.body, []byte("Work &lt;phone&gt;")) {
		t.Errorf("the passkey is not listed: %s", a.body)
	}
	if a = o.post(t, passkeys, "ceremony", ceremony, "response", "{}"); a.status != http.StatusConflict || !bytes.Contains(a.body, []byte("This passkey does not open")) {
		t.Errorf("a wrong answer: %d %s", a.status, a.body)
	}

	// In place of the password.
	b := h.browser()
	ceremony, options = b.challenge(t, "/sign-in/passkey")
	response := key.sign(t, options)
	wantRedirect(t, "the passkey alone", b.post(t, "/sign-in/passkey", "ceremony", ceremony, "response", response, "next", o.path("")), o.path(""))
	if a = b.get(t, o.path("")); a.status != http.StatusOK {
		t.Errorf("inside: %d", a.status)
	}
	thief := h.browser()
	if a = thief.post(t, "/sign-in/passkey", "ceremony", ceremony, "response", response); a.status != http.StatusUnprocessableEntity || thief.cookies["__Host-session"] != "" {
		t.Errorf("the same answer again: %d %s", a.status, a.body)
	}

	// After the password.
	b = h.browser()
	wantRedirect(t, "the password", b.post(t, "/sign-in", "email", o.email, "password", goodPassword), "/sign-in/second-step")
	if a = b.get(t, "/sign-in/second-step"); !bytes.Contains(a.body, []byte(`action="/sign-in/second-step/passkey"`)) {
		t.Errorf("no way to use a passkey in %s", a.body)
	}
	const step = "/sign-in/second-step/passkey"
	ceremony, options = b.challenge(t, step)
	if a = b.post(t, step, "ceremony", ceremony, "response", newSoftKey().sign(t, options)); a.status != http.StatusUnprocessableEntity || b.cookies["__Host-session"] != "" {
		t.Errorf("a stranger's passkey: %d %s", a.status, a.body)
	}
	ceremony, options = b.challenge(t, step)
	wantRedirect(t, "the passkey", b.post(t, step, "ceremony", ceremony, "response", key.sign(t, options), "next", o.path("/invoices")), o.path("/invoices"))
	wantRedirect(t, "a challenge without a first step", h.browser().post(t, step+"/challenge"), "/sign-in")

	// Removed.
	found := removeForm.FindSubmatch(b.get(t, "/account/second-step").body)
	if found == nil {
		t.Fatal("no way to remove it")
	}
	other := h.signUp(t)
	if a = other.post(t, string(found[1])); a.status != http.StatusNotFound {
		t.Errorf("removing another's: %d", a.status)
	}
	b.ageProof(t)
	wantRedirect(t, "removing it without a proof", b.post(t, string(found[1])), "/account/prove?next=%2Faccount%2Fsecond-step")
	wantRedirect(t, "the proof", b.post(t, "/account/prove", "password", goodPassword, "next", "/account/second-step"), "/account/second-step")
	wantRedirect(t, "removing it", b.post(t, string(found[1])), "/account/second-step")
	wantRedirect(t, "the password alone then", h.browser().post(t, "/sign-in", "email", o.email, "password", goodPassword), "/")
}

// A passkey shows as well as the password that it is still the same person.
func TestProofByPasskey(t *testing.T) {
	t.Parallel()
	const passkeys, prove = "/account/second-step/passkeys", "/account/prove/passkey"
	h := open(t)
	o := h.signUp(t)
	if a := o.get(t, "/account/prove"); bytes.Contains(a.body, []byte(prove)) {
		t.Error("a passkey is asked for that nobody has")
	}
	if a := o.post(t, prove+"/challenge"); a.status != http.StatusNotFound {
		t.Errorf("a challenge without a passkey: %d", a.status)
	}
	key := newSoftKey()
	ceremony, options := o.challenge(t, passkeys)
	o.post(t, passkeys, "ceremony", ceremony, "response", key.make(t, options), "name", "Work phone")
	if a := o.get(t, "/account/prove?next=/account/data"); !bytes.Contains(a.body, []byte(`action="`+prove+`"`)) {
		t.Fatalf("no way to use it in %s", a.body)
	}
	o.ageProof(t)
	wantRedirect(t, "what takes a proof", o.post(t, "/account/data/export"), "/account/prove?next=%2Faccount%2Fdata")
	before := o.cookies["__Host-session"]
	ceremony, options = o.challenge(t, prove)
	response := key.sign(t, options)
	wantRedirect(t, "the proof", o.post(t, prove, "ceremony", ceremony, "response", response, "next", "/account/data"), "/account/data")
	if a := o.post(t, "/account/data/export"); a.status != http.StatusOK || o.cookies["__Host-session"] == before {
		t.Errorf("after the proof: %d, with the same token %v", a.status, o.cookies["__Host-session"] == before)
	}
	o.ageProof(t)
	if a := o.post(t, prove, "ceremony", ceremony, "response", response); a.status != http.StatusUnprocessableEntity || !bytes.Contains(a.body, []byte("This passkey does not open")) {
		t.Errorf("the same answer again: %d", a.status)
	}
	ceremony, options = h.browser().challenge(t, "/sign-in/passkey")
	if a := o.post(t, prove, "ceremony", ceremony, "response", key.sign(t, options)); a.status != http.StatusUnprocessableEntity {
		t.Errorf("the answer to another question: %d", a.status)
	}
	key.device.Options.UserNotVerified = true
	ceremony, options = o.challenge(t, prove)
	if a := o.post(t, prove, "ceremony", ceremony, "response", key.sign(t, options)); a.status != http.StatusUnprocessableEntity {
		t.Errorf("from whoever holds the key, without their finger: %d", a.status)
	}
	key.device.Options.UserNotVerified = false
	other := h.signUp(t)
	ceremony, options = o.challenge(t, prove)
	if a := other.post(t, prove, "ceremony", ceremony, "response", key.sign(t, options)); a.status != http.StatusUnprocessableEntity {
		t.Errorf("for someone else: %d", a.status)
	}
	wantRedirect(t, "what takes a proof, after none was good", o.post(t, "/account/data/export"), "/account/prove?next=%2Faccount%2Fdata")
	ceremony, options = o.challenge(t, prove)
	if a := o.post(t, prove, "ceremony", ceremony, "response", newSoftKey().sign(t, options)); a.status != http.StatusUnprocessableEntity {
		t.Errorf("a stranger's passkey: %d", a.status)
	}
	ceremony, options = o.challenge(t, prove)
	wantRedirect(t, "the fifth in a row", o.post(t, prove, "ceremony", ceremony, "response", newSoftKey().sign(t, options)), "/sign-in")
	wantRedirect(t, "the session after it", o.get(t, "/"), "/sign-in")
}
