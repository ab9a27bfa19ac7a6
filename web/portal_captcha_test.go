package web_test

import (
	"net/http"
	"testing"

	"github.com/countinghouse/countinghouse/internal/setting"
	"github.com/countinghouse/countinghouse/tenant/tenanttest"
)

// The portal's forms that send mail ask for the task, take a solution once, and that of their own form alone.
func TestCaptchaBeforeThePortalsMails(t *testing.T) {
	t.Parallel()
	founded := open(t)
	o := founded.signUp(t)
	if a := o.program.call(t, "PUT", "/v1/portal", map[string]any{"sign_up": true, "shop_open": false}); a.status != http.StatusOK {
		t.Fatalf("%d %s", a.status, a.body)
	}
	known, other := o.buyer(t, "invoices"), o.buyer(t, "invoices")
	h := openGate(t, func(s *setting.Settings) { s.CaptchaSignUp, s.CaptchaRecovery, s.CaptchaDifficulty = true, true, 1_000 })
	for _, form := range []struct{ path, task, wrongTask, mail, email, second string }{
		{"/sign-up", "portal_sign_up", "portal_recovery", "contact_sign_up", tenanttest.Random(6) + "@pear.example", tenanttest.Random(6) + "@pear.example"},
		{"/recover", "portal_recovery", "portal_sign_up", "contact_recovery", known.email, other.email},
	} {
		b := h.at(o.slug)
		b.get(t, form.path).holds(t, `data-captcha="/captcha?for=`+form.task+`"`)
		refused := func(what, email string, pairs ...string) {
			t.Helper()
			if a := b.post(t, form.path, append(pairs, "email", email)...); a.status != http.StatusUnprocessableEntity {
				t.Errorf("%s %s: %d", form.path, what, a.status)
			}
			if _, ok := h.mailTo(email, form.mail); ok {
				t.Errorf("%s %s: a mail went out", form.path, what)
			}
		}
		refused("without", form.email)
		refused("made up", form.email, "captcha", "eyJ9")
		refused("of another form", form.email, "captcha", b.solved(t, form.wrongTask))
		solution := b.solved(t, form.task)
		if a := b.post(t, form.path, "email", form.email, "captcha", solution); a.status != http.StatusOK {
			t.Fatalf("%s solved: %d %s", form.path, a.status, a.body)
		}
		if _, ok := h.mailTo(form.email, form.mail); !ok {
			t.Errorf("%s solved: no mail", form.path)
		}
		refused("once more", form.second, "captcha", solution)
	}
}
