package web_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/countinghouse/countinghouse/authz"
	"github.com/countinghouse/countinghouse/identity"
	"github.com/countinghouse/countinghouse/internal/captcha"
	"github.com/countinghouse/countinghouse/internal/notify"
	"github.com/countinghouse/countinghouse/internal/setting"
	"github.com/countinghouse/countinghouse/tenant"
	"github.com/countinghouse/countinghouse/tenant/tenanttest"
	"github.com/countinghouse/countinghouse/web"
)

// inForce is settings of one house alone: those of the platform are shared by all tests.
type inForce struct {
	web.Settings
	now setting.Settings
}

func (s inForce) Now(context.Context) (setting.Settings, error) { return s.now, nil }

// openGate is a house with settings of its own.
func openGate(t testing.TB, change func(s *setting.Settings)) *house {
	t.Helper()
	settings := setting.Defaults()
	change(&settings)
	return openKept(t, inForce{now: settings})
}

// openKept is a house whose settings somebody keeps.
func openKept(t testing.TB, settings web.Settings) *house {
	t.Helper()
	outbox := &notify.Outbox{}
	policy, err := compiled()
	if err != nil {
		t.Fatal(err)
	}
	people, err := identity.New(tenanttest.DB(), identity.MailerFunc(func(ctx context.Context, m identity.Mail) error {
		return outbox.Send(ctx, notify.Mail{Kind: m.Kind, To: m.To, Subject: m.Subject, Text: m.Text})
	}), identity.Options{Origin: origin, Sealer: sealedInTest{}, NetworkTries: 10_000})
	if err != nil {
		t.Fatal(err)
	}
	tasks, err := captcha.New(tenanttest.DB(), bytes.Repeat([]byte("c"), 32), captcha.Options{TurnstileURL: "http://127.0.0.1:1"})
	if err != nil {
		t.Fatal(err)
	}
	s, err := web.New(web.Config{DB: tenanttest.DB(), Identity: people, Policy: policy, Origin: origin, Captcha: tasks, Settings: settings,
		Key: bytes.Repeat([]byte("k"), 32), Outbox: outbox, Mail: outbox, Log: slog.New(slog.NewTextHandler(t.Output(), nil)), Version: "test"})
	if err != nil {
		t.Fatal(err)
	}
	return &house{Server: s, outbox: outbox}
}

// solved fetches a task for a form and solves it, as the page's script does.
func (b *browser) solved(t testing.TB, form string) string {
	t.Helper()
	var task captcha.Challenge
	b.get(t, "/captcha?for="+form).decode(t, &task)
	for n := range task.MaxNumber + 1 {
		if fmt.Sprintf("%x", sha256.Sum256([]byte(fmt.Sprintf("%s%d", task.Salt, n)))) != task.Challenge {
			continue
		}
		text, err := json.Marshal(map[string]any{"algorithm": task.Algorithm, "challenge": task.Challenge, "number": n, "salt": task.Salt, "signature": task.Signature})
		if err != nil {
			t.Fatal(err)
		}
		return base64.StdEncoding.EncodeToString(text)
	}
	t.Fatal("the task has no solution")
	return ""
}

func TestCaptchaBeforeSignUp(t *testing.T) {
	t.Parallel()
	h := openGate(t, func(s *setting.Settings) { s.CaptchaSignUp, s.CaptchaDifficulty = true, 1_000 })
	b := h.browser()
	email := tenanttest.Random(6) + "@tidewater.example"
	b.get(t, "/sign-up").holds(t, `data-captcha="/captcha?for=sign_up"`, "takes JavaScript")
	b.post(t, "/sign-up", "email", email).holds(t, "Wait until the check")
	response := b.solved(t, "sign_up")
	if a := b.post(t, "/sign-up", "email", email, "captcha", response); a.status != http.StatusOK || h.mailed("sign_up", email) == "" {
		t.Fatalf("solved: %d", a.status)
	}
	other := tenanttest.Random(6) + "@tidewater.example"
	if a := b.post(t, "/sign-up", "email", other, "captcha", response); a.status != http.StatusUnprocessableEntity || h.mailed("sign_up", other) != "" {
		t.Errorf("the same again: %d", a.status)
	}
	if a := b.get(t, "/captcha?for=recovery"); a.status != http.StatusNotFound {
		t.Errorf("a task for a form that asks for none: %d", a.status)
	}
	if a := b.post(t, "/recover", "email", email); a.status != http.StatusOK {
		t.Errorf("recovery, which asks for none: %d", a.status)
	}
}

func TestCaptchaOfAThirdParty(t *testing.T) {
	t.Parallel()
	h := openGate(t, func(s *setting.Settings) {
		s.CaptchaRecovery, s.CaptchaProvider, s.CaptchaSiteKey, s.CaptchaSecret = true, setting.Turnstile, "0x-site", "0x-secret"
	})
	b := h.browser()
	a := b.get(t, "/recover")
	a.holds(t, `data-sitekey="0x-site"`)
	policy := a.header.Get("Content-Security-Policy")
	if !strings.Contains(policy, "script-src 'self' https://challenges.cloudflare.com;") || !strings.Contains(policy, "frame-src https://challenges.cloudflare.com") || strings.Contains(string(a.body), "0x-secret") {
		t.Errorf("the page's policy is %s", policy)
	}
	for _, path := range []string{"/sign-up", "/sign-in"} {
		if p := b.get(t, path).header.Get("Content-Security-Policy"); strings.Contains(p, "cloudflare") {
			t.Errorf("%s lets it in too: %s", path, p)
		}
	}
	b.post(t, "/recover", "email", "mara@tidewater.example", "cf-turnstile-response", "x").holds(t, "Nobody can check right now")
}

func TestChangeAtSignIn(t *testing.T) {
	t.Parallel()
	h := open(t)
	o := h.signUp(t)
	person, err := h.Identity.PersonByEmail(context.Background(), o.email)
	if err != nil {
		t.Fatal(err)
	}
	if err := h.Identity.RequireChangeAtLogin(context.Background(), person.ID); err != nil {
		t.Fatal(err)
	}
	b := h.browser()
	if a := b.post(t, "/sign-in", "email", o.email, "password", goodPassword, "next", o.path("/customers")); a.went(t) != "/sign-in/change?next="+strings.ReplaceAll(o.path("/customers"), "/", "%2F") {
		t.Fatalf("led to %q", a.header.Get("Location"))
	}
	if b.in(t) || b.get(t, o.path("/customers")).status == http.StatusOK {
		t.Error("one gets something before the change")
	}
	b.get(t, "/sign-in/change").holds(t, o.email, "12 to 128 characters")
	b.post(t, "/sign-in/change", "password", goodPassword).holds(t, "You have used this password before")
	var rules []struct {
		Say  string
		Kept bool
	}
	b.post(t, "/password-check", "password", o.email).decode(t, &rules)
	if len(rules) != 3 || !rules[0].Kept || rules[1].Kept {
		t.Errorf("one's own address: %+v", rules)
	}
	if to := b.post(t, "/sign-in/change", "password", newPassword, "next", o.path("/customers")).went(t); to != o.path("/customers") {
		t.Errorf("afterwards led to %s", to)
	}
	if b.get(t, o.path("/customers")).status != http.StatusOK {
		t.Error("one does not get in afterwards")
	}
}

func TestSecurityRulesByForm(t *testing.T) {
	t.Parallel()
	h := open(t)
	o, guest := h.signUp(t), h.signUp(t)
	person, err := h.Identity.PersonByEmail(context.Background(), guest.email)
	if err != nil {
		t.Fatal(err)
	}
	hash, _ := identity.HashToken(o.cookies["__Host-session"])
	scope, err := tenant.EnterMember(context.Background(), tenanttest.DB(), hash, o.slug)
	if err == nil {
		err = tenant.Do(context.Background(), tenanttest.DB(), scope, func(tx *tenant.Tx) error {
			return authz.AddMember(context.Background(), tx, person, "administrator")
		})
	}
	if err != nil {
		t.Fatal(err)
	}
	path := o.path("/settings/security")
	send := func(more ...string) answer {
		form := o.browser.get(t, path)
		return o.browser.post(t, path, append([]string{"idempotency_key", field(t, form, "idempotency_key"), "version", field(t, form, "version"),
			"second_factor", "yes", "password_length", "12", "password_score", "2"}, more...)...)
	}
	send().holds(t, "set up your own second factor first")
	o.browser.secondFactor(t)
	send().holds(t, "1 of 2 members has no second factor", "Save the rules all the same")
	if to := send("confirm", "yes").went(t); to != path {
		t.Fatalf("led to %s", to)
	}
	a := guest.browser.get(t, o.path("/customers"))
	if a.went(t) != "/account/second-step" {
		t.Errorf("a member without a second factor: led to %s", a.header.Get("Location"))
	}
	guest.browser.get(t, "/account/second-step").holds(t, "asks for a second factor. Set one up to get in.")
	if guest.browser.get(t, guest.path("/customers")).status != http.StatusOK {
		t.Error("their own organization is closed to them")
	}
	guest.browser.secondFactor(t)
	if a := guest.browser.get(t, o.path("/customers")); a.status != http.StatusOK {
		t.Errorf("with one: %d", a.status)
	}
	// By the API.
	got := o.program.call(t, "GET", "/v1/settings/security", nil)
	var view web.AdmissionView
	got.decode(t, &view)
	if !view.SecondFactor || view.Effect.Members != 2 || view.Effect.NoSecondFactor != 0 {
		t.Errorf("got %s", got.body)
	}
	view.IdleMinutes = 15
	if a := o.program.call(t, "PUT", "/v1/settings/security", view.AdmissionBody, "If-Match", got.header.Get("ETag")); a.status != http.StatusOK {
		t.Errorf("changing it: %d %s", a.status, a.body)
	}
	var left struct{ Idle, End int }
	guest.browser.get(t, "/session/left?organization="+o.slug).decode(t, &left)
	if left.Idle < 14*60 || left.Idle > 15*60 {
		t.Errorf("left: %+v", left)
	}
	h.browser().get(t, "/session/left?organization="+o.slug).decode(t, &left)
	if left.Idle != 0 || left.End != 0 {
		t.Errorf("for nobody: %+v", left)
	}
}

var passwordInput = regexp.MustCompile(`<input[^>]* name="(?:password|present)"[^>]*>`)

// passwordForms are all pages that have a form with a password in it, by their address.
func (h *house) passwordForms(t testing.TB) map[string]answer {
	t.Helper()
	o := h.signUp(t)
	all := map[string]answer{"sign-in": h.browser().get(t, "/sign-in"), "change": o.browser.get(t, "/account/password"), "prove": o.browser.get(t, "/account/prove")}
	email := tenanttest.Random(6) + "@tidewater.example"
	h.browser().post(t, "/sign-up", "email", email)
	all["set-up"] = h.browser().get(t, h.linkFor(t, email))
	guest := tenanttest.Random(6) + "@tidewater.example"
	o.made(t, "/v1/invitations", map[string]any{"email": guest, "role": "viewer"})
	all["join"] = h.browser().get(t, "/join?token="+h.invitation(t, guest))
	h.browser().post(t, "/recover", "email", o.email)
	link := recoveryLink.FindStringSubmatch(h.mailed("recovery", o.email))
	if link == nil {
		t.Fatal("no link")
	}
	all["recover"] = h.browser().get(t, link[1])
	person, err := h.Identity.PersonByEmail(context.Background(), o.email)
	if err == nil {
		err = h.Identity.RequireChangeAtLogin(context.Background(), person.ID)
	}
	if err != nil {
		t.Fatal(err)
	}
	b := h.browser()
	b.post(t, "/sign-in", "email", o.email, "password", goodPassword)
	all["change at sign-in"] = b.get(t, "/sign-in/change")
	o.browser.secondFactor(t)
	all["prove, with a code as well"] = o.browser.get(t, "/account/prove")
	return all
}

func TestLoginsAreSavedOrNot(t *testing.T) {
	t.Parallel()
	t.Run("saved", func(t *testing.T) {
		t.Parallel()
		for name, a := range openGate(t, func(*setting.Settings) {}).passwordForms(t) {
			fields := passwordInput.FindAllString(string(a.body), -1)
			if len(fields) == 0 {
				t.Errorf("%s: no password in %d %s", name, a.status, a.body)
			}
			for _, field := range fields {
				if !strings.Contains(field, ` type="password"`) || !strings.Contains(field, ` autocomplete="current-password"`) && !strings.Contains(field, ` autocomplete="new-password"`) {
					t.Errorf("%s: a password manager is not told what %s is", name, field)
				}
			}
		}
	})
	t.Run("not saved", func(t *testing.T) {
		t.Parallel()
		h := openGate(t, func(s *setting.Settings) { s.SaveLogins = false })
		for name, a := range h.passwordForms(t) {
			page := string(a.body)
			fields := passwordInput.FindAllString(page, -1)
			if len(fields) == 0 {
				t.Errorf("%s: no password in %d %s", name, a.status, page)
			}
			for _, field := range fields {
				for _, mark := range []string{` class="input masked"`, ` type="text"`, ` autocomplete="off"`, ` data-1p-ignore`, ` data-lpignore="true"`, ` data-bwignore`, ` spellcheck="false"`} {
					if !strings.Contains(field, mark) {
						t.Errorf("%s: %s has no%s", name, field, mark)
					}
				}
			}
			// By any of these a browser would know that there is a login to save.
			for _, mark := range []string{`type="password"`, `autocomplete="username"`, `autocomplete="current-password"`, `autocomplete="new-password"`} {
				if strings.Contains(page, mark) {
					t.Errorf("%s: it has %s", name, mark)
				}
			}
			if form := page[:strings.Index(page, fields[0])]; !strings.Contains(form[strings.LastIndex(form, "<form"):], ` autocomplete="off" novalidate`) {
				t.Errorf("%s: the form itself may be saved", name)
			}
		}
		if a := h.browser().post(t, "/sign-in", "email", "mara@tidewater.example", "password", "secret-typed"); strings.Contains(string(a.body), "secret-typed") {
			t.Error("what was typed is sent back")
		}
	})
}

func TestPasswordThatAnOrganizationFindsOld(t *testing.T) {
	t.Parallel()
	clock := &tenanttest.Clock{}
	h := openOn(t, tenanttest.OpenWith(t, clock))
	o := h.signUp(t)
	easy := "org-" + tenanttest.Random(6)
	if to := o.browser.post(t, "/open", "organization", "Elm Row", "slug", easy, "country", "IE", "currency", "EUR", "time_zone", "Europe/Dublin").went(t); to != "/o/"+easy {
		t.Fatalf("led to %s", to)
	}
	rules := o.program.call(t, "GET", "/v1/settings/security", nil)
	if a := o.program.call(t, "PUT", "/v1/settings/security", web.AdmissionBody{PasswordLength: 12, PasswordScore: 2, PasswordDays: 30}, "If-Match", rules.header.Get("ETag")); a.status != http.StatusOK {
		t.Fatalf("the rule: %d %s", a.status, a.body)
	}
	const words = "Your password must be changed by <time"
	// later signs in after days, and tells where there is a warning by then.
	later := func(days int) (b *browser, warned [3]bool) {
		t.Helper()
		clock.Advance(time.Duration(days) * 24 * time.Hour)
		b = h.browser()
		wantRedirect(t, "signing in", b.post(t, "/sign-in", "email", o.email, "password", goodPassword), "/")
		for n, path := range []string{o.path("/customers"), "/account", "/o/" + easy + "/customers"} {
			a := b.get(t, path)
			if a.status != http.StatusOK {
				t.Fatalf("%s: %d", path, a.status)
			}
			warned[n] = strings.Contains(string(a.body), words)
		}
		return b, warned
	}
	if _, warned := later(15); warned != [3]bool{} {
		t.Errorf("15 days before: %v", warned)
	}
	b, warned := later(2)
	if warned != [3]bool{true, true, false} {
		t.Errorf("13 days before: %v", warned)
	}
	b.get(t, o.path("/customers")).holds(t, "to enter Tidewater Studios.", `<a href="/account/password">Change password</a>`)
	var who web.PersonView
	b.ask(t, "GET", "/v1/account", &who)
	for _, m := range who.Organizations {
		if m.Slug == easy && m.PasswordUntil != nil {
			t.Errorf("where there is no rule: %v", m.PasswordUntil)
		}
		if m.Slug == o.slug && (m.PasswordUntil == nil || m.PasswordUntil.Sub(clock.Now()).Round(24*time.Hour) != 13*24*time.Hour) {
			t.Errorf("until %v", m.PasswordUntil)
		}
	}
	// It is told in time: on that day it shuts.
	clock.Advance(7 * time.Hour) // within what a session may be idle
	b.get(t, "/account")
	if to := b.post(t, "/account/password", "present", goodPassword, "password", newPassword).went(t); to != "/account" {
		t.Fatalf("led to %s", to)
	}
	for _, path := range []string{o.path("/customers"), "/account"} {
		if a := b.get(t, path); a.status != http.StatusOK || strings.Contains(string(a.body), words) {
			t.Errorf("%s with a new one: %d", path, a.status)
		}
	}
	clock.Advance(30 * 24 * time.Hour)
	b = h.browser()
	wantRedirect(t, "signing in", b.post(t, "/sign-in", "email", o.email, "password", newPassword), "/")
	wantRedirect(t, "30 days later", b.get(t, o.path("/customers")), "/account/password")
	if a := b.get(t, "/o/"+easy+"/customers"); a.status != http.StatusOK {
		t.Errorf("elsewhere: %d", a.status)
	}
	b.ask(t, "GET", "/v1/account", &who)
	for _, m := range who.Organizations {
		if m.Slug == o.slug && (m.PasswordUntil == nil || m.PasswordUntil.After(clock.Now())) {
			t.Errorf("shut since %v", m.PasswordUntil)
		}
	}
}
