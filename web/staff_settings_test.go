package web_test

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"

	"github.com/countinghouse/countinghouse/authz"
	"github.com/countinghouse/countinghouse/internal/setting"
	"github.com/countinghouse/countinghouse/tenant/tenanttest"
)

// It alone of these tests changes the settings of the platform, which no other house here reads.
func TestStaffSettings(t *testing.T) {
	t.Parallel()
	const path = "/staff/settings"
	keeper := setting.NewKeeper(tenanttest.DB(), sealedInTest{})
	h := openKept(t, keeper)
	boss := h.hire(t, authz.StaffAdministrator, true)
	version := func() string {
		now, err := keeper.Now(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return strconv.FormatInt(now.Version, 10)
	}
	// filled is the form as the page has it, with these changes.
	filled := func(pairs ...string) []string {
		all := url.Values{"version": {version()}}
		for _, g := range setting.Groups() {
			for _, n := range g.Names {
				if n.Kind != setting.Secret {
					all.Set(n.Name, n.Default())
				}
			}
		}
		for i := 0; i < len(pairs); i += 2 {
			all.Set(pairs[i], pairs[i+1])
		}
		var sent []string
		for name := range all {
			sent = append(sent, name, all.Get(name))
		}
		return sent
	}

	t.Run("shows every setting with what it means and why", func(t *testing.T) {
		body := string(boss.get(t, path).body)
		for _, g := range setting.Groups() {
			for _, n := range g.Names {
				if !strings.Contains(body, `name="`+n.Name+`"`) {
					t.Errorf("%s cannot be set", n.Name)
				}
			}
		}
		if !strings.Contains(body, "NIST SP 800-63B-4") {
			t.Error("nothing is explained")
		}
	})
	t.Run("saves them, shows no secret again, and tells who changed what", func(t *testing.T) {
		wantRedirect(t, "saving", boss.post(t, path, filled("password.min_length", "15", "captcha.secret", "0x4AAA-very-secret", "password.digit", "yes")...), path)
		now, err := keeper.Now(t.Context())
		if err != nil || now.PasswordMinLength != 15 || !now.PasswordDigit || now.CaptchaSecret != "0x4AAA-very-secret" {
			t.Fatalf("%+v, %v", now, err)
		}
		body := string(boss.get(t, path).body)
		if strings.Contains(body, "very-secret") || !strings.Contains(body, "one is set") || !strings.Contains(body, "Nadia Brandt") {
			t.Errorf("%s", body)
		}
		wantRedirect(t, "saving with the secret left empty", boss.post(t, path, filled()...), path)
		if now, err = keeper.Now(t.Context()); err != nil || now.CaptchaSecret == "" || now.PasswordMinLength != 12 || now.PasswordDigit {
			t.Errorf("then: %+v, %v", now, err)
		}
	})
	t.Run("refuses what is out of bounds, beside its field", func(t *testing.T) {
		before := version()
		a := boss.post(t, path, filled("password.min_length", "5")...)
		if a.status != http.StatusUnprocessableEntity || !strings.Contains(string(a.body), `id="f-password-min-length-e"`) || version() != before {
			t.Errorf("%d", a.status)
		}
	})
	t.Run("refuses whoever looked before somebody else changed them, and shows what holds now", func(t *testing.T) {
		late := filled("password.score", "4")
		wantRedirect(t, "the first", boss.post(t, path, filled("password.min_length", "20")...), path)
		a := boss.post(t, path, late...)
		if a.status != http.StatusConflict || !strings.Contains(string(a.body), `name="password.min_length" required aria-describedby="f-password-min-length-h" type="text" value="20"`) {
			t.Errorf("%d %s", a.status, a.body)
		}
		if now, err := keeper.Now(t.Context()); err != nil || now.PasswordScore != 2 || now.PasswordMinLength != 20 {
			t.Errorf("%+v, %v", now, err)
		}
	})
	t.Run("is closed to support", func(t *testing.T) {
		nadia := h.hire(t, authz.StaffSupport, true)
		if a := nadia.get(t, path); a.status != http.StatusForbidden {
			t.Errorf("reading: %d", a.status)
		}
		if a := nadia.post(t, path, filled("password.score", "3")...); a.status != http.StatusForbidden {
			t.Errorf("changing: %d", a.status)
		}
	})
}
