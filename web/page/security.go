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
	Due         []PasswordDue
	SecondSteps bool // a second factor is on
	Phone       *identity.Phone
	Texts       bool // codes can be sent to phones
	Sessions    []SessionRow
	Others      bool // there are sessions beside the present one
	Logins      []LoginRow
}

// PasswordDue is an organization whose own rules will shut its member out for the age of their password.
type PasswordDue struct {
	Organization string
	Until        time.Time
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

// SignInChange is the data of "sign-in-change", between a sign-in and the session of who has to change their password
// first. Its form sends password and next.
type SignInChange struct {
	Gate
	Form  Form
	Email string
	Hint  string
}

// OldPassword tells someone that their password is older than it should be.
func OldPassword(now time.Time, age identity.PasswordAge) string {
	days := int(now.Sub(age.Since).Hours() / 24)
	say := fmt.Sprintf("Your password is %d days old: change it under Sign-in and security", days)
	if age.Until.IsZero() {
		return say + "."
	}
	left := int(age.Until.Sub(now).Hours()/24) + 1
	if left == 1 {
		return say + ", by tomorrow at the latest."
	}
	return fmt.Sprintf("%s, within %d days.", say, left)
}

// Recover is the data of "recover". Its form sends email, and by where there is a choice.
type Recover struct {
	Gate
	Form    Form
	Captcha *Captcha // nil for none
	Ways    []Option // how the way in can be sent; none when there is one alone
}

// RecoverCode is the data of "recover-code", where the code that came to a phone is typed: the same whether or not the
// address is known and has a number. Its form sends request, email and code.
type RecoverCode struct {
	Gate
	Form   Form
	Email  string
	Outbox string // where messages can be read, in dev; empty elsewhere
}

// Phone is the data of "phone". Its form sends number and by.
type Phone struct {
	Gate
	Flash Flash
	Form  Form
	Today time.Time
	Has   *identity.Phone
	Ways  []Option // how the code can be sent; none when there is one alone
}

// Remove is the button that takes the number away.
func (Phone) Remove() Act {
	return Act{URL: "/account/phone/remove", Label: "Remove", Icon: "trash-2", Class: "btn-danger",
		Ask: "A new password then comes by e-mail alone.", Does: "Remove the number"}
}

// PhoneCode is the data of "phone-code". Its form sends request, number and code.
type PhoneCode struct {
	Gate
	Form   Form
	Number string
	Outbox string
}

// Disown is the data of "disown", where a person looks at one login and may say that it was not theirs.
type Disown struct {
	Gate
	Today  time.Time
	Login  identity.Login
	Action string
}

// Data is the data of "account-data": what a person can take along, and how they leave.
type Data struct {
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
	if where := l.Where(); where != "" {
		said = fmt.Sprintf("Last signed in %s from %s, %s.", spokenTime(now, l.At), l.Agent(), where)
	}
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
	named := speech{}.near(today, day)
	if named == "Today" || named == "Yesterday" {
		named = strings.ToLower(named)
	}
	return named + " " + at.Format("15:04") + " UTC"
}
