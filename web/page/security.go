package page

import (
	"fmt"
	"strings"
	"time"

	"github.com/countinghouse/countinghouse/identity"
)

// Security is the data of "security": how a person signs in, where they are signed in, and who tried.
type Security struct {
	Gate
	Flash       Flash
	Today       time.Time
	SecondSteps bool // a second factor is on
	Sessions    []SessionRow
	Others      bool // there are sessions beside the present one
	Logins      []LoginRow
}

// SessionRow is one open session, and how to end it.
type SessionRow struct {
	identity.Session
	Acts []Act
}

// LoginRow is one login, what came of it, and how to disown it.
type LoginRow struct {
	identity.Login
	State string
	Acts  []Act
}

// PasswordEdit is the data of "password-edit". Its form sends present and password.
type PasswordEdit struct {
	Gate
	Flash Flash
	Form  Form
	Hint  string // the password policy in a sentence
}

// Recover is the data of "recover". Its form sends email.
type Recover struct {
	Gate
	Form Form
}

// RecoverSent is the data of "recover-sent": the same answer whether or not the address is known.
type RecoverSent struct {
	Gate
	Email  string
	Outbox string // where mails can be read, in dev; empty elsewhere
}

// RecoverSet is the data of "recover-set", where the mailed link leads. Its form sends token and password.
type RecoverSet struct {
	Gate
	Form  Form
	Email string
	Hint  string
}

var loginWays = map[string]string{
	"password": "Password", "sign_up": "Signing up", "recovery": "Link by e-mail", "totp": "Password and app",
	"recovery_code": "Password and recovery code", "passkey": "Passkey",
}

// loginBy names the way in which someone signed in.
func loginBy(method string) string {
	if name, ok := loginWays[method]; ok {
		return name
	}
	name := strings.ReplaceAll(method, "_", " ")
	return strings.ToUpper(name[:min(1, len(name))]) + name[min(1, len(name)):]
}

// LastLogin is the sentence for who has just signed in: "Last signed in Friday 16:41 from Firefox on Linux."
func LastLogin(now time.Time, l identity.LastLogin) string {
	said := fmt.Sprintf("Last signed in %s from %s.", spokenTime(now, l.At), l.Agent())
	if l.Refused > 0 {
		said += fmt.Sprintf(" Refused since: %s.", plural(l.Refused, "try", "tries"))
	}
	return said
}

// spokenTime is a moment within a sentence, in UTC, because a person has no time zone of their own.
func spokenTime(now, at time.Time) string {
	now, at = now.UTC(), at.UTC()
	today, _, _ := calendarDay(now)
	day, _, _ := calendarDay(at)
	named := near(today, day)
	if named == "Today" || named == "Yesterday" {
		named = strings.ToLower(named)
	}
	return named + " " + at.Format("15:04") + " UTC"
}
