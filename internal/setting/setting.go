package setting

import (
	"time"

	"github.com/countinghouse/countinghouse/internal/fault"
)

// Settings is what is in force. The zero value is of no use: Defaults is what nobody changed.
type Settings struct {
	Version int64 // grows with each change

	PasswordMinLength                                            int
	PasswordLower, PasswordUpper, PasswordDigit, PasswordSpecial bool
	PasswordScore                                                int
	PasswordHistory                                              int
	PasswordRefuseCommon                                         bool
	PasswordWarnDays, PasswordBlockDays                          int

	CaptchaProvider                string
	CaptchaSignUp, CaptchaRecovery bool
	CaptchaSiteKey                 string
	CaptchaSecret                  string // opened; never shown
	CaptchaDifficulty              int

	RecoveryByOneself bool
	SaveLogins        bool

	SessionIdleMinutes, SessionDays, ProofMinutes int

	set map[string]bool // the names that are not at their default
}

// The CAPTCHAs that there are.
const (
	Altcha    = "altcha"
	Recaptcha = "recaptcha"
	Turnstile = "turnstile"
)

// Idle is after how long without use a session ends.
func (s Settings) Idle() time.Duration { return time.Duration(s.SessionIdleMinutes) * time.Minute }

// Lifetime is after how long any session ends.
func (s Settings) Lifetime() time.Duration { return days(s.SessionDays) }

// Proof is for how long a proof of who someone is counts as fresh.
func (s Settings) Proof() time.Duration { return time.Duration(s.ProofMinutes) * time.Minute }

// PasswordWarn and PasswordBlock are the ages after which a password is warned of, and has to be changed; zero is never.
func (s Settings) PasswordWarn() time.Duration { return days(s.PasswordWarnDays) }

// PasswordBlock is described at PasswordWarn.
func (s Settings) PasswordBlock() time.Duration { return days(s.PasswordBlockDays) }

func days(n int) time.Duration { return time.Duration(n) * 24 * time.Hour }

var (
	errAges = fault.New(fault.Invalid, "setting.ages", "Warn before you block: give fewer days, or 0 for no warning.").At("password.warn_days")
	errKeys = fault.New(fault.Invalid, "setting.captcha_keys", "This CAPTCHA needs a site key and a secret key before it is asked for. Set captcha.site_key and captcha.secret first, or choose altcha, which needs none.").At("captcha.provider")
)

// check holds the settings against each other.
func (s Settings) check() error {
	var broken fault.List
	if s.PasswordBlockDays > 0 && s.PasswordWarnDays >= s.PasswordBlockDays {
		broken = append(broken, errAges)
	}
	if s.CaptchaProvider != Altcha && (s.CaptchaSignUp || s.CaptchaRecovery) && (s.CaptchaSiteKey == "" || s.CaptchaSecret == "") {
		broken = append(broken, errKeys)
	}
	return broken.Err()
}
