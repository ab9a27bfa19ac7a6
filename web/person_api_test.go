package web_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/countinghouse/countinghouse/identity"
	"github.com/countinghouse/countinghouse/web"
)

// ask is a request of the page's own script.
func (b *browser) ask(t testing.TB, method, path string, into any) answer {
	t.Helper()
	a := b.do(t, httptest.NewRequest(method, path, http.NoBody))
	if into != nil {
		if a.status != http.StatusOK {
			t.Fatalf("%s %s: %d %s", method, path, a.status, a.body)
		}
		a.decode(t, into)
	}
	return a
}

// present is the session that the browser holds.
func (o owner) present(t testing.TB) web.SessionView {
	t.Helper()
	var sessions web.List[web.SessionView]
	o.browser.ask(t, "GET", "/v1/account/sessions", &sessions)
	at := slices.IndexFunc(sessions.Items, func(s web.SessionView) bool { return s.Current })
	if at < 0 {
		t.Fatalf("none is the present one: %+v", sessions)
	}
	return sessions.Items[at]
}

func TestAccountAPI(t *testing.T) {
	t.Parallel()
	h := open(t)
	o := h.signUp(t)
	number := o.browser.addPhone(t)
	var who web.PersonView
	o.browser.ask(t, "GET", "/v1/account", &who)
	if who.Email != o.email || who.Name != "Mara Lindqvist" || len(who.Organizations) != 1 || who.Organizations[0] != (web.PersonMembership{Name: "Tidewater Studios", Slug: o.slug, Role: "owner"}) {
		t.Errorf("who: %+v", who)
	}
	var phone web.PhoneView
	a := o.browser.ask(t, "GET", "/v1/account/phone", &phone)
	if !phone.Verified || phone.Since == nil || strings.Contains(string(a.body), number[:6]) || !strings.HasSuffix(phone.Number, number[len(number)-2:]) {
		t.Errorf("phone: %s", a.body)
	}
	var factors web.FactorsView
	if o.browser.ask(t, "GET", "/v1/account/second-factors", &factors); factors.On || factors.Passkeys == nil {
		t.Errorf("second factors before any: %+v", factors)
	}
	key, at := newSoftKey(), "/account/second-step/passkeys"
	ceremony, options := o.challenge(t, at)
	o.post(t, at, "ceremony", ceremony, "response", key.make(t, options), "name", "Work phone")
	if o.browser.ask(t, "GET", "/v1/account/second-factors", &factors); !factors.On || factors.RecoveryCodes != 10 || len(factors.Passkeys) != 1 || factors.Passkeys[0].Name != "Work phone" {
		t.Errorf("second factors: %+v", factors)
	}
	var data identity.PersonData
	a = o.browser.ask(t, "GET", "/v1/account/data", &data)
	if data.Email != o.email || data.Phone == nil || data.Phone.Number != number || strings.Contains(string(a.body), "$schema") {
		t.Errorf("export: %s", a.body)
	}
	o.browser.ageProof(t)
	if a = o.browser.ask(t, "GET", "/v1/account/data", nil); a.status != http.StatusForbidden || a.problem(t).Code != "proof.needed" {
		t.Errorf("export without a fresh proof: %d %s", a.status, a.body)
	}
	if a = o.browser.ask(t, "GET", "/v1/account/logins?wrong=1", nil); a.status != http.StatusUnprocessableEntity {
		t.Errorf("an unknown parameter: %d", a.status)
	}
}

func TestAccountAPIEndsSessions(t *testing.T) {
	t.Parallel()
	h := open(t)
	o := h.signUp(t)
	b := []*browser{h.browser(), h.browser(), h.browser()}
	for n := range b {
		wantRedirect(t, "signing in", b[n].post(t, "/sign-in", "email", o.email, "password", goodPassword), "/")
	}
	alive := func() (all []bool) {
		for n := range b {
			all = append(all, b[n].get(t, o.path("")).status == http.StatusOK)
		}
		return all
	}
	one := owner{browser: b[0]}.present(t)
	if a := h.signUp(t).browser.ask(t, "POST", "/v1/account/sessions/"+one.ID+"/end", nil); a.status != http.StatusNoContent || !alive()[0] {
		t.Errorf("another's session: %d, alive %v", a.status, alive())
	}
	if a := o.browser.ask(t, "POST", "/v1/account/sessions/"+one.ID+"/end", nil); a.status != http.StatusNoContent || !slices.Equal(alive(), []bool{false, true, true}) {
		t.Errorf("ending one: %d, alive %v", a.status, alive())
	}
	for _, id := range []string{"x", "%20", one.ID + "0"} {
		if a := o.browser.ask(t, "POST", "/v1/account/sessions/"+id+"/end", nil); a.status != http.StatusNotFound && a.status != http.StatusUnprocessableEntity {
			t.Errorf("the id %s: %d", id, a.status)
		}
	}
	var logins web.List[web.LoginView]
	o.browser.ask(t, "GET", "/v1/account/logins", &logins)
	if len(logins.Items) != 4 || logins.Items[0].SessionID != (owner{browser: b[2]}).present(t).ID || !logins.Items[0].Open || logins.Items[2].Open || logins.Items[0].Outcome != "success" {
		t.Errorf("logins: %+v", logins)
	}
	if a := o.browser.ask(t, "POST", "/v1/account/sessions/end-others", nil); a.status != http.StatusNoContent || !slices.Equal(alive(), []bool{false, false, false}) {
		t.Errorf("ending the others: %d, alive %v", a.status, alive())
	}
	if a := o.browser.ask(t, "POST", "/v1/account/sessions/"+logins.Items[0].SessionID+"/disown", nil); a.status != http.StatusNoContent {
		t.Errorf("disowning: %d %s", a.status, a.body)
	}
	if a := o.program.call(t, "GET", "/v1/customers", nil); a.status != http.StatusUnauthorized {
		t.Errorf("the API token after disowning: %d", a.status)
	}
	o.browser.ask(t, "GET", "/v1/account/logins", &logins)
	if !slices.ContainsFunc(logins.Items, func(l web.LoginView) bool { return l.Disowned }) {
		t.Errorf("no login is disowned: %+v", logins)
	}
}

func TestTheDocumentationTellsSessionsFromTokens(t *testing.T) {
	t.Parallel()
	h := open(t)
	var doc struct {
		Components struct {
			SecuritySchemes map[string]struct{ Type, In, Name, Scheme string } `json:"securitySchemes"`
		}
		Security []map[string][]string
		Paths    map[string]map[string]struct {
			Security json.RawMessage
		}
	}
	h.browser().get(t, "/openapi.json").decode(t, &doc)
	if s := doc.Components.SecuritySchemes; s["session"].In != "cookie" || s["session"].Name != "__Host-session" || s["token"].Scheme != "bearer" {
		t.Errorf("schemes: %+v", s)
	}
	told := 0
	for _, r := range h.Routes() {
		if !strings.HasPrefix(r.Path, "/v1/") {
			continue
		}
		if account := strings.HasPrefix(r.Path, "/v1/account/") || r.Path == "/v1/account"; account != r.Person {
			t.Errorf("%s %s: of a person %v", r.Method, r.Path, r.Person)
		}
		says := string(doc.Paths[described(r.Path)][strings.ToLower(r.Method)].Security)
		if says == `[{"session":[]}]` != r.Person {
			t.Errorf("%s %s is documented with %q", r.Method, r.Path, says)
		}
		if r.Person {
			told++
		}
	}
	if told < 9 {
		t.Errorf("only %d operations of a person", told)
	}
}

// A 401 names how one may be known there, RFC 9110 section 15.5.2, and no other way.
func TestChallengeOfThe401(t *testing.T) {
	t.Parallel()
	h := open(t)
	o := h.signUp(t)
	for _, r := range h.Routes() {
		if !strings.HasPrefix(r.Path, "/v1/") {
			continue
		}
		wanted := "Bearer "
		if r.Person {
			wanted = "Cookie "
		}
		path := strings.ReplaceAll(r.Path, ":id", "0197a1f0-0000-7000-8000-000000000000")
		asked := map[string]answer{"a stranger": program{h: h}.call(t, r.Method, path, nil)}
		if r.Person {
			asked["a token"] = o.program.call(t, r.Method, path, nil)
			asked["a session of nobody"] = (&browser{h, map[string]string{"__Host-session": o.token}}).ask(t, r.Method, path, nil)
		}
		for who, a := range asked {
			if got := a.header["Www-Authenticate"]; a.status != http.StatusUnauthorized || len(got) != 1 || !strings.HasPrefix(got[0], wanted) || r.Person && strings.Contains(got[0], "Bearer") {
				t.Errorf("%s %s by %s: %d, %q", r.Method, path, who, a.status, got)
			}
		}
	}
}

func TestAccountAPIChanges(t *testing.T) {
	t.Parallel()
	h := open(t)
	o := h.signUp(t)
	send := func(path string, body any) answer {
		t.Helper()
		text, err := json.Marshal(body)
		if err != nil {
			t.Fatal(err)
		}
		r := httptest.NewRequest("POST", "/v1/account"+path, strings.NewReader(string(text)))
		r.Header.Set("Content-Type", "application/json")
		return o.browser.do(t, r)
	}
	is := func(what string, a answer, status int, code string) answer {
		t.Helper()
		if a.status != status || code != "" && a.problem(t).Code != code {
			t.Fatalf("%s: %d %s", what, a.status, a.body)
		}
		return a
	}
	// What guards the account is not changed by whoever finds it open.
	o.browser.ageProof(t)
	for _, path := range []string{"/second-factors/app", "/second-factors/recovery-codes", "/second-factors/app/turn-off", "/phone/remove"} {
		is(path+" without a fresh proof", o.browser.ask(t, "POST", "/v1/account"+path, nil), http.StatusForbidden, "proof.needed")
	}
	is("a phone without a fresh proof", send("/phone", web.PhoneBody{Number: newNumber()}), http.StatusForbidden, "proof.needed")
	is("deletion without a fresh proof", send("/delete", web.DeleteBody{Email: o.email}), http.StatusForbidden, "proof.needed")
	is("a wrong proof", send("/proof", web.ProofBody{Password: "wrong"}), http.StatusUnprocessableEntity, "proof.refused")
	before := o.cookies["__Host-session"]
	is("a proof", send("/proof", web.ProofBody{Password: goodPassword}), http.StatusNoContent, "")
	if o.cookies["__Host-session"] == before {
		t.Error("the session keeps its token")
	}

	var key web.AppKeyView
	is("an app", o.browser.ask(t, "POST", "/v1/account/second-factors/app", nil), http.StatusCreated, "").decode(t, &key)
	is("a wrong code", send("/second-factors/app/confirm", web.CodeBody{Code: "x"}), http.StatusUnprocessableEntity, "second_step.refused")
	var codes web.RecoveryCodesView
	is("its first code", send("/second-factors/app/confirm", web.CodeBody{Code: appCode(t, key.Secret, 0)}), http.StatusOK, "").decode(t, &codes)
	if len(codes.Codes) != 10 {
		t.Errorf("%d recovery codes", len(codes.Codes))
	}
	old := codes.Codes[0]
	is("new codes", o.browser.ask(t, "POST", "/v1/account/second-factors/recovery-codes", nil), http.StatusCreated, "").decode(t, &codes)
	is("an old code as proof", send("/proof", web.ProofBody{Code: old}), http.StatusUnprocessableEntity, "")
	is("a new code as proof", send("/proof", web.ProofBody{Code: codes.Codes[0]}), http.StatusNoContent, "")
	var factors struct{ Items []web.MemberFactorsView }
	o.program.call(t, "GET", "/v1/member-second-factors", nil).decode(t, &factors)
	if len(factors.Items) != 1 || !factors.Items[0].On || !factors.Items[0].App || factors.Items[0].Name != "Mara Lindqvist" {
		t.Errorf("what the owner sees: %+v", factors)
	}
	is("turning it off", o.browser.ask(t, "POST", "/v1/account/second-factors/app/turn-off", nil), http.StatusNoContent, "")

	number := newNumber()
	var request web.PhoneRequestView
	is("a phone", send("/phone", web.PhoneBody{Number: number}), http.StatusAccepted, "").decode(t, &request)
	var phone web.PhoneView
	is("its code", send("/phone/confirm", web.PhoneCodeBody{Request: request.Request, Code: h.codeFor(t, number)}), http.StatusOK, "").decode(t, &phone)
	if !phone.Verified || !strings.HasSuffix(phone.Number, number[len(number)-2:]) || strings.Contains(phone.Number, number[:6]) {
		t.Errorf("phone: %+v", phone)
	}
	is("taking it away", o.browser.ask(t, "POST", "/v1/account/phone/remove", nil), http.StatusNoContent, "")

	elsewhere := h.browser()
	wantRedirect(t, "signing in elsewhere", elsewhere.post(t, "/sign-in", "email", o.email, "password", goodPassword), "/")
	is("a short password", send("/password", web.PasswordBody{Present: goodPassword, Password: "short"}), http.StatusUnprocessableEntity, "")
	is("a wrong present one", send("/password", web.PasswordBody{Present: newPassword, Password: newPassword}), http.StatusUnprocessableEntity, "")
	is("a new password", send("/password", web.PasswordBody{Present: goodPassword, Password: newPassword}), http.StatusNoContent, "")
	if !o.browser.in(t) || elsewhere.in(t) {
		t.Error("the wrong sessions ended")
	}

	is("deletion of another", send("/delete", web.DeleteBody{Email: "mara@tidewater.example"}), http.StatusUnprocessableEntity, "person.not_typed")
	is("deletion of the last owner", send("/delete", web.DeleteBody{Email: o.email}), http.StatusConflict, "")
	guest, _ := h.invitedAs(t, o, "viewer")
	o = guest
	is("deletion", send("/delete", web.DeleteBody{Email: guest.email}), http.StatusNoContent, "")
	if guest.browser.in(t) || guest.cookies["__Host-session"] != "" {
		t.Error("one is signed in after the deletion")
	}
}

func TestEntriesAPI(t *testing.T) {
	t.Parallel()
	h := open(t)
	o, other := h.signUp(t), h.signUp(t)
	guest, _ := h.invitedAs(t, o, "viewer")
	o.browser.get(t, o.path(""))
	guest.browser.get(t, o.path(""))
	other.browser.get(t, other.path(""))
	var found web.List[web.MemberEntryView]
	o.program.call(t, "GET", "/v1/member-entries", nil).decode(t, &found)
	names := map[string]int{}
	for _, e := range found.Items {
		names[e.Name]++
	}
	if len(found.Items) != 2 || names["Mara Lindqvist"] != 1 || names["Tim Goyer"] != 1 || found.Items[0].At.IsZero() {
		t.Errorf("%+v", found)
	}
	o.program.call(t, "GET", "/v1/member-entries?limit=1", nil).decode(t, &found)
	if len(found.Items) != 1 || !found.HasMore {
		t.Errorf("one of two: %+v", found)
	}
}

func TestTokensTakeAFreshProof(t *testing.T) {
	t.Parallel()
	h := open(t)
	o := h.signUp(t)
	o.browser.ageProof(t)
	for _, path := range []string{"/tokens/new", "/tokens"} {
		send := o.browser.get
		if path == "/tokens" {
			send = func(t testing.TB, path string) answer {
				return o.browser.post(t, path, "name", "Shop", "scopes", "*:read", "idempotency_key", "k1")
			}
		}
		wantRedirect(t, path, send(t, o.path(path)), "/account/prove?next="+url.QueryEscape(o.path("/tokens/new")))
	}
	var all web.List[web.TokenView]
	o.program.call(t, "GET", "/v1/tokens", nil).decode(t, &all)
	if len(all.Items) != 1 { // that of the test itself
		t.Errorf("a token was made: %+v", all.Items)
	}
	rotate := o.path("/tokens/" + all.Items[0].ID + "/rotate")
	prove := "/account/prove?next=" + url.QueryEscape(rotate)
	wantRedirect(t, "the form of a new secret", o.browser.get(t, rotate), prove)
	wantRedirect(t, "a new secret", o.browser.post(t, rotate, "overlap", "0", "idempotency_key", "k2"), prove)
	if a := o.program.call(t, "GET", "/v1/tokens", nil); a.status != http.StatusOK {
		t.Errorf("the old secret is over: %d", a.status)
	}
	wantRedirect(t, "proving", o.browser.post(t, "/account/prove", "password", goodPassword, "next", rotate), rotate)
	if a := o.browser.get(t, rotate); a.status != http.StatusOK {
		t.Errorf("after the proof: %d", a.status)
	}
}
