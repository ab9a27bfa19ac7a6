package web_test

import (
	"bytes"
	"fmt"
	"html"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/countinghouse/countinghouse/tenant/tenanttest"
)

const (
	newPassword = "eleven slow badgers hum"
	firefox     = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
)

// signInAs sends the form of the sign-in page.
func (b *browser) signInAs(t testing.TB, email, password string) answer {
	t.Helper()
	form := url.Values{"email": {email}, "password": {password}}
	r := httptest.NewRequest("POST", "/sign-in", strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("User-Agent", firefox)
	return b.do(t, r)
}

func (b *browser) wantIn(t testing.TB, email, password string) {
	t.Helper()
	if a := b.signInAs(t, email, password); a.status != http.StatusSeeOther {
		t.Fatalf("signing in: %d %s", a.status, a.body)
	}
}

// in says whether the browser is signed in.
func (b *browser) in(t testing.TB) bool {
	t.Helper()
	return b.get(t, "/account").status == http.StatusOK
}

// mailed is the newest mail of a kind to an address; empty for none.
func (h *house) mailed(kind, email string) string {
	h.Identity.Flush()
	for _, m := range h.outbox.All() {
		if m.To == email && m.Kind == kind {
			return m.Text
		}
	}
	return ""
}

var recoveryLink = regexp.MustCompile(regexp.QuoteMeta(origin) + `(/recover/set\?token=(\S+))`)

func TestSignInLockout(t *testing.T) {
	t.Parallel()
	h := open(t)
	o := h.signUp(t)
	unknown := tenanttest.Random(6) + "@tidewater.example"
	var said []string
	for _, email := range []string{o.email, unknown} {
		stranger := h.browser()
		for n := range 5 {
			if a := stranger.signInAs(t, email, "wrong"); a.status != http.StatusUnprocessableEntity {
				t.Fatalf("failure %d: %d %s", n, a.status, a.body)
			}
		}
		a := stranger.signInAs(t, email, goodPassword)
		seconds, err := strconv.Atoi(a.header.Get("Retry-After"))
		if a.status != http.StatusTooManyRequests || err != nil || seconds < 1 || seconds > 30 {
			t.Fatalf("the sixth: %d, Retry-After %q: %s", a.status, a.header.Get("Retry-After"), a.body)
		}
		if want := fmt.Sprintf("Wait %d second", seconds); !bytes.Contains(a.body, []byte(want)) {
			t.Errorf("the page says not %q: %s", want, a.body)
		}
		text := strings.ReplaceAll(string(a.body), email, "")
		said = append(said, regexp.MustCompile(`Wait \d+ seconds?`).ReplaceAllString(text, ""))
		if len(stranger.cookies) != 0 {
			t.Errorf("a stranger got cookies: %v", stranger.cookies)
		}
	}
	if said[0] != said[1] {
		t.Errorf("a known address is told from an unknown one:\n%s\n%s", said[0], said[1])
	}
	if h.mailed("guessed", o.email) == "" || h.mailed("guessed", unknown) != "" {
		t.Error("not the owner, or not the owner alone, was told")
	}
	delete(o.cookies, "__Host-session")
	o.wantIn(t, o.email, goodPassword) // the owner's own browser
}

func TestSecurityPage(t *testing.T) {
	t.Parallel()
	h := open(t)
	t.Run("tells of logins and sessions, and ends them", func(t *testing.T) {
		t.Parallel()
		o := h.signUp(t)
		phone, library := h.browser(), h.browser()
		phone.wantIn(t, o.email, goodPassword)
		library.wantIn(t, o.email, goodPassword)
		h.browser().signInAs(t, o.email, "wrong")
		a := o.browser.get(t, "/account")
		for _, want := range []string{"Firefox on Linux", "0.0.0.0", "Signing up", "Password", "Refused", "Now, here", "Sign out everywhere else"} {
			if !strings.Contains(string(a.body), want) {
				t.Errorf("the page lacks %q: %s", want, a.body)
			}
		}
		if h.mailed("new_device", o.email) == "" {
			t.Error("nobody was told of a new device")
		}
		ends := regexp.MustCompile(`/account/sessions/[0-9a-f-]{36}/end"`).FindAllString(string(a.body), -1)
		if len(ends) != 2 {
			t.Fatalf("%d sessions to end: %s", len(ends), a.body)
		}
		wantRedirect(t, "ending one", o.browser.post(t, strings.TrimSuffix(ends[0], `"`)), "/account")
		if phone.in(t) == library.in(t) {
			t.Error("not one of two was signed out")
		}
		wantRedirect(t, "ending the rest", o.browser.post(t, "/account/sessions/end-others"), "/account")
		if phone.in(t) || library.in(t) || !o.browser.in(t) {
			t.Error("the wrong ones are signed in")
		}
		if a := library.get(t, "/o/"+o.slug); a.status != http.StatusSeeOther {
			t.Errorf("the organization is still open: %d", a.status)
		}
	})
	t.Run("secures the account when a login was someone else's", func(t *testing.T) {
		t.Parallel()
		o := h.signUp(t)
		thief := h.browser()
		thief.wantIn(t, o.email, goodPassword)
		a := o.browser.get(t, "/account")
		disown := regexp.MustCompile(`/account/sessions/[0-9a-f-]{36}/disown`).FindString(string(a.body))
		if disown == "" || strings.Count(string(a.body), "disown") != 1 {
			t.Fatalf("not one login can be disowned: %s", a.body)
		}
		if a := h.signUp(t).browser.post(t, disown); a.status != http.StatusNotFound || !thief.in(t) {
			t.Errorf("someone else disowns it: %d", a.status)
		}
		wantRedirect(t, "disowning", o.browser.post(t, disown), "/account/password")
		if thief.in(t) {
			t.Error("the thief is still in")
		}
		if a := o.program.call(t, "GET", "/v1/customers", nil); a.status != http.StatusUnauthorized {
			t.Errorf("the API token still works: %d", a.status)
		}
		if a := thief.signInAs(t, o.email, goodPassword); a.status != http.StatusUnprocessableEntity || thief.in(t) {
			t.Errorf("the thief is back with the old password: %d %s", a.status, a.body)
		}
		if a := o.browser.get(t, "/account"); !bytes.Contains(a.body, []byte("Not you")) || bytes.Contains(a.body, []byte("/disown")) {
			t.Errorf("the history does not tell of it: %s", a.body)
		}
		if h.mailed("disowned", o.email) == "" || !recoveryLink.MatchString(h.mailed("recovery", o.email)) {
			t.Error("the owner was not told, or has no way back")
		}
		wantRedirect(t, "setting another password", o.browser.post(t, "/account/password", "present", goodPassword, "password", newPassword), "/account")
		h.browser().wantIn(t, o.email, newPassword)
	})
	t.Run("is for who is signed in", func(t *testing.T) {
		t.Parallel()
		o := h.signUp(t)
		session := regexp.MustCompile(`[0-9a-f-]{36}`).FindString("00000000-0000-7000-8000-000000000000")
		for _, r := range [][2]string{{"GET", "/account"}, {"GET", "/account/password"}, {"POST", "/account/password"}, {"POST", "/account/sessions/end-others"},
			{"POST", "/account/sessions/" + session + "/end"}, {"POST", "/account/sessions/" + session + "/disown"}} {
			q := httptest.NewRequest(r[0], r[1], strings.NewReader(""))
			q.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			if a := h.browser().do(t, q); a.status != http.StatusSeeOther || !strings.HasPrefix(a.header.Get("Location"), "/sign-in") {
				t.Errorf("%s %s: %d to %q", r[0], r[1], a.status, a.header.Get("Location"))
			}
		}
		other := h.signUp(t)
		other2 := h.browser()
		other2.wantIn(t, other.email, goodPassword)
		end := regexp.MustCompile(`/account/sessions/[0-9a-f-]{36}/end`).FindString(string(other.browser.get(t, "/account").body))
		o.browser.post(t, end)
		if end == "" || !other2.in(t) {
			t.Error("someone else ended a session")
		}
	})
}

func TestPasswordPage(t *testing.T) {
	t.Parallel()
	h := open(t)
	o := h.signUp(t)
	other := h.browser()
	other.wantIn(t, o.email, goodPassword)
	before := o.cookies["__Host-session"]
	for _, c := range [][3]string{
		{"wrong", newPassword, "not your present password"}, {goodPassword, "short", "12 characters or more"},
		{goodPassword, goodPassword, "used this password before"}, {goodPassword, "password1234", "guessed quickly"},
	} {
		a := o.browser.post(t, "/account/password", "present", c[0], "password", c[1])
		if text := html.UnescapeString(string(a.body)); a.status != http.StatusUnprocessableEntity || !strings.Contains(text, c[2]) || strings.Contains(text, c[1]+`"`) {
			t.Errorf("%q: %d %s", c, a.status, text)
		}
	}
	wantRedirect(t, "changing", o.browser.post(t, "/account/password", "present", goodPassword, "password", newPassword), "/account")
	if after := o.cookies["__Host-session"]; after == before || !o.browser.in(t) {
		t.Error("the session has the token that it had, or is over")
	}
	if other.in(t) {
		t.Error("another session lives on")
	}
	o.cookies["__Host-session"] = before
	if o.browser.in(t) {
		t.Error("the token from before is good")
	}
	if h.mailed("password_changed", o.email) == "" {
		t.Error("nobody was told")
	}
	if a := h.browser().signInAs(t, o.email, goodPassword); a.status != http.StatusUnprocessableEntity {
		t.Errorf("the old password: %d", a.status)
	}
	h.browser().wantIn(t, o.email, newPassword)
}

func TestRecovery(t *testing.T) {
	t.Parallel()
	h := open(t)
	o := h.signUp(t)
	unknown := tenanttest.Random(6) + "@tidewater.example"
	stranger := h.browser()
	for range 6 {
		stranger.signInAs(t, o.email, "wrong")
	}
	var said []string
	for _, email := range []string{o.email, unknown} {
		a := h.browser().post(t, "/recover", "email", email)
		if a.status != http.StatusOK {
			t.Fatalf("%d %s", a.status, a.body)
		}
		said = append(said, strings.ReplaceAll(string(a.body), email, ""))
	}
	if said[0] != said[1] || h.mailed("recovery", unknown) != "" {
		t.Error("a known address is told from an unknown one")
	}
	if a := h.browser().post(t, "/recover", "email", "mara"); a.status != http.StatusUnprocessableEntity {
		t.Errorf("no address: %d", a.status)
	}
	link := recoveryLink.FindStringSubmatch(h.mailed("recovery", o.email))
	if link == nil {
		t.Fatal("no link")
	}
	b := h.browser()
	if a := b.get(t, link[1]); a.status != http.StatusOK || !bytes.Contains(a.body, []byte(o.email)) {
		t.Fatalf("the link: %d %s", a.status, a.body)
	}
	if a := b.post(t, "/recover/set", "token", link[2], "password", "short"); a.status != http.StatusUnprocessableEntity || !bytes.Contains(a.body, []byte(link[2])) {
		t.Errorf("a short password: %d %s", a.status, a.body)
	}
	if a := b.post(t, "/recover/set", "token", link[2], "password", newPassword); a.status != http.StatusOK {
		t.Fatalf("setting: %d %s", a.status, a.body)
	}
	if o.browser.in(t) || b.in(t) {
		t.Error("somebody is signed in after a recovery")
	}
	for range 6 { // the guessing goes on
		stranger.signInAs(t, o.email, "wrong")
	}
	b.wantIn(t, o.email, newPassword)
	for _, a := range []answer{b.get(t, link[1]), b.post(t, "/recover/set", "token", link[2], "password", "nine wet otters dance"), b.get(t, "/recover/set")} {
		if a.status != http.StatusNotFound {
			t.Errorf("the link again, or none: %d", a.status)
		}
	}
	if h.mailed("password_changed", o.email) == "" {
		t.Error("nobody was told")
	}
}

func TestLastLoginLine(t *testing.T) {
	t.Parallel()
	h := open(t)
	o := h.signUp(t)
	b := h.browser()
	b.wantIn(t, o.email, goodPassword)
	b.post(t, "/sign-out")
	b.signInAs(t, o.email, "wrong")
	b.wantIn(t, o.email, goodPassword)
	a := b.get(t, "/o/"+o.slug)
	if !regexp.MustCompile(`Last signed in (today|yesterday) \d\d:\d\d UTC from Firefox on Linux, 0\.0\.0\.0\. Refused since: 1 try\.`).Match(a.body) {
		t.Errorf("the page does not tell: %s", a.body)
	}
	if a := b.get(t, "/o/"+o.slug); bytes.Contains(a.body, []byte("Last signed in")) {
		t.Error("it tells twice")
	}
}
