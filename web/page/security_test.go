package page

import (
	"testing"
	"time"

	"github.com/countinghouse/countinghouse/identity"
	"github.com/countinghouse/countinghouse/internal/id"
)

const firefox = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"

func securitySamples() map[string]any {
	session := id.New[identity.Session]()
	login := func(outcome, method string, acts ...Act) LoginRow {
		return LoginRow{identity.Login{ID: id.New[identity.Login](), At: now.Add(-time.Hour), Network: "192.0.2.7", UserAgent: firefox, Method: method,
			Outcome: outcome, Session: session}, outcome, acts}
	}
	return map[string]any{
		"security": Security{Due: []PasswordDue{{"Tidewater <Studios>", now.Add(oneDay)}}, Gate: Gate{Title: "Sign-in and security", Person: mara}, Flash: Flash{Say: "Signed out there."}, Today: now, SecondSteps: true, Texts: true, Phone: &identity.Phone{Number: "+353860123456", Since: now}, Others: true,
			Sessions: []SessionRow{{identity.Session{ID: session, CreatedAt: now, SeenAt: now, Network: "192.0.2.7", UserAgent: firefox, Current: true}, nil},
				{identity.Session{ID: session, CreatedAt: now, SeenAt: now}, []Act{sampleAct()}}},
			Logins: []LoginRow{login(identity.LoginSuccess, identity.ByPassword, sampleAct()), login(identity.LoginRefused, "totp"), login(identity.LoginHeld, "passkey"),
				login(identity.LoginDisowned, "something_new"), login(identity.LoginRecovered, identity.ByRecovery), login(identity.LoginChanged, "")}},
		"sign-in-change":  SignInChange{Gate{Title: "Set a new password", Person: nobody}, refused(NewForm("next", "/o/tidewater"), identity.ErrPasswordShort), "mara@tidewater.studio", "At least 12 characters."},
		"password-edit":   PasswordEdit{Gate{Title: "Change password", Person: mara}, Flash{Say: "Now set a new password."}, refused(NewForm(), identity.ErrPresentPassword, identity.ErrPasswordShort), "At least 12 characters."},
		"recover":         Recover{Gate{Title: "Set a new password", Person: nobody}, refused(NewForm("email", "mara", "by", "text"), identity.ErrEmail), nil, []Option{{Value: "mail", Label: "E-mail"}, {Value: "text", Label: "Text message"}}},
		"recover-sent":    RecoverSent{Gate{Title: "Look in your mail", Person: nobody}, "mara@tidewater.example", "/dev/outbox"},
		"recover-set":     RecoverSet{Gate{Title: "Set a new password", Person: nobody}, refused(NewForm("token", "t0ken"), identity.ErrPasswordReused), "mara@tidewater.example", "At least 12 characters."},
		"recover-code":    RecoverCode{Gate{Title: "Look at your phone", Person: nobody}, refused(NewForm("request", "t0ken", "email", "mara@tidewater.example"), identity.ErrPhoneCode), "mara@tidewater.example", "/dev/outbox"},
		"phone":           Phone{Gate{Title: "Phone", Person: mara}, Flash{Say: "Number verified."}, refused(NewForm("number", "086", "by", "text"), identity.ErrPhone), now, &identity.Phone{Number: "+353860123456", Since: now}, []Option{{Value: "text", Label: "Text message"}, {Value: "call", Label: "Call"}}},
		"phone-code":      PhoneCode{Gate{Title: "Type the code", Person: mara}, refused(NewForm("request", "t0ken", "number", "+353 86 012 3456"), identity.ErrPhoneCode), "+353 86 012 3456", "/dev/outbox"},
		"account-data":    Data{Gate{Title: "Your data", Person: mara}, refused(NewForm("email", "mara"), identity.ErrLastOwner)},
		"account-deleted": Gate{Title: "Your account is deleted", Person: nobody},
		"disown":          Disown{Gate{Title: "Was this you?", Person: mara}, now, identity.Login{At: now.Add(-time.Hour), Network: "192.0.2.7", Place: "Dublin, Ireland", UserAgent: firefox}, "/account/sessions/x/disown"},
		"recover-done":    SignIn{Gate{Title: "Your password is set", Person: nobody, NoSave: true}, NewForm()},
	}
}

func TestLastLogin(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		ago     time.Duration
		agent   string
		refused int
		want    string
	}{
		{10 * time.Minute, firefox, 0, "Last signed in today 09:02 UTC from Firefox on Linux."},
		{20 * time.Hour, firefox, 1, "Last signed in yesterday 13:12 UTC from Firefox on Linux. Refused since: 1 try."},
		{72 * time.Hour, "", 2, "Last signed in Friday 09:12 UTC from an unknown program. Refused since: 2 tries."},
		{400 * 24 * time.Hour, firefox, 0, "Last signed in 19 Oct 2025 09:12 UTC from Firefox on Linux."},
	} {
		if got := LastLogin(now, identity.LastLogin{Login: identity.Login{At: now.Add(-c.ago), UserAgent: c.agent}, Refused: c.refused}); got != c.want {
			t.Errorf("got %q, want %q", got, c.want)
		}
	}
}
