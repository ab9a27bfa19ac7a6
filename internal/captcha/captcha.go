// Package captcha asks whoever fills in a form for something that costs a program more than a person, and checks
// what they bring.
//
// There are two sorts behind one door. ALTCHA's proof of work is set and checked here: no third party sees the
// visitor, and no key has to be had from anyone. reCAPTCHA and Turnstile are asked over HTTP whether what the browser
// brought is theirs. Which one it is comes with each call, since an operator may change it while we run: a CAPTCHA
// whose keys are wrong lets nobody pass.
package captcha

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/countinghouse/countinghouse/internal/fault"
	"github.com/countinghouse/countinghouse/tenant"
)

// Why nobody passes. The form's field is named captcha.
var (
	ErrMissing     = fault.New(fault.Invalid, "captcha.missing", "Wait until the check that you are no program is done, then send this again. It takes JavaScript.").At("captcha")
	ErrRefused     = fault.New(fault.Invalid, "captcha.refused", "The check that you are no program was not passed, or took too long. Send this once more.").At("captcha")
	ErrUnavailable = fault.New(fault.Unavailable, "captcha.unavailable", "Nobody can check right now that you are no program. Try again in a few minutes.")
)

// Provider is who sets the task.
type Provider string

// The providers.
const (
	Altcha    Provider = "altcha"
	Recaptcha Provider = "recaptcha"
	Turnstile Provider = "turnstile"
)

// Task is what is asked for: by whom and how hard.
type Task struct {
	Provider   Provider
	SiteKey    string // of the others: the public one
	Secret     string // of the others
	Difficulty int    // of Altcha: how many numbers there are to try
	// For names the form, so that what was solved for one opens no other: small letters and underscores.
	For string
}

// Options is what the checks need. Its zero value reaches the real services.
type Options struct {
	RecaptchaURL string // of its siteverify
	TurnstileURL string // of its siteverify
	Client       *http.Client
}

// Captcha sets and checks tasks. It is safe for concurrent use.
type Captcha struct {
	db      *tenant.DB
	key     []byte
	options Options
}

// askFor bounds one question to a third party: a person waits for it.
const askFor = 5 * time.Second

// New makes one. key signs the tasks that are set here: 32 random bytes or more, the same on every replica.
func New(db *tenant.DB, key []byte, o Options) (*Captcha, error) {
	if db == nil || len(key) < 32 {
		return nil, errors.New("captcha needs a database and a key of 32 bytes")
	}
	if o.RecaptchaURL == "" {
		o.RecaptchaURL = "https://www.google.com/recaptcha/api/siteverify"
	}
	if o.TurnstileURL == "" {
		o.TurnstileURL = "https://challenges.cloudflare.com/turnstile/v0/siteverify"
	}
	if o.Client == nil {
		o.Client = &http.Client{Timeout: askFor}
	}
	return &Captcha{db: db, key: key, options: o}, nil
}

// Check says whether the response that a form brought solves the task, and takes it once. It fails with ErrMissing,
// ErrRefused, and ErrUnavailable when a third party does not answer or does not know our keys.
func (c *Captcha) Check(ctx context.Context, t Task, response string) error {
	if response == "" {
		return ErrMissing
	}
	switch t.Provider {
	case Altcha:
		return c.checkAltcha(ctx, t, response)
	case Recaptcha:
		return c.ask(ctx, c.options.RecaptchaURL, t.Secret, response)
	case Turnstile:
		return c.ask(ctx, c.options.TurnstileURL, t.Secret, response)
	}
	return ErrUnavailable.Because(errors.New("no such CAPTCHA: " + string(t.Provider)))
}
