package identity

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"runtime"
	"time"

	"github.com/countinghouse/countinghouse/tenant"
)

// Mail is a message to one person.
type Mail struct {
	Kind    string // what it is about: "sign_up", "sign_up_known"
	To      string
	Subject string
	Text    string
}

// Mailer sends mail. An error means that the message was not taken over.
type Mailer interface {
	Send(ctx context.Context, m Mail) error
}

// MailerFunc is a function as a Mailer.
type MailerFunc func(ctx context.Context, m Mail) error

// Send calls it.
func (f MailerFunc) Send(ctx context.Context, m Mail) error { return f(ctx, m) }

// Options is what an operator may set. The zero value of each field but Origin means its default.
type Options struct {
	// Origin is the address that links in mails begin with, such as https://countinghouse.example. It is never
	// taken from a request: who writes the Host header would else choose where the link leads.
	Origin string
	// IdleTimeout ends a session that nobody used for so long: 8 hours, a working day.
	IdleTimeout time.Duration
	// SessionLifetime ends any session: 30 days, as NIST SP 800-63B-4 section 2.1.3 has it for AAL1.
	SessionLifetime time.Duration
	// LinkLifetime is how long a mailed link is good: 24 hours, as NIST SP 800-63A-4 has it for mailed codes.
	LinkLifetime time.Duration
	// MailsPerHour bounds what one address is sent: 3. What goes beyond is not sent, and nobody is told.
	MailsPerHour int
}

// RequestInfo is what is kept of where a session was opened.
type RequestInfo struct {
	Network   string // the address of the caller; what is no IP address is not kept
	UserAgent string // cut to 300 characters
}

// Identity keeps people. It is safe for concurrent use.
type Identity struct {
	db      *tenant.DB
	mailer  Mailer
	options Options
	hasher  hasher
}

// New makes one. It fails when Options.Origin is not of the form https://host.
func New(db *tenant.DB, mailer Mailer, o Options) (*Identity, error) {
	if db == nil || mailer == nil {
		return nil, errors.New("identity needs a database and a mailer")
	}
	u, err := url.Parse(o.Origin)
	if err != nil || u.Host == "" || u.User != nil || u.Path != "" || u.RawQuery != "" || u.Fragment != "" ||
		(u.Scheme != "http" && u.Scheme != "https") {
		return nil, fmt.Errorf("the origin %q is not of the form https://host", o.Origin)
	}
	o.IdleTimeout = orDefault(o.IdleTimeout, 8*time.Hour)
	o.SessionLifetime = orDefault(o.SessionLifetime, 30*24*time.Hour)
	o.LinkLifetime = orDefault(o.LinkLifetime, 24*time.Hour)
	if o.IdleTimeout < time.Minute || o.SessionLifetime < time.Minute || o.LinkLifetime < time.Minute {
		return nil, errors.New("a session and a link last a minute at least")
	}
	if o.MailsPerHour == 0 {
		o.MailsPerHour = 3
	}
	return &Identity{db: db, mailer: mailer, options: o, hasher: newHasher(runtime.GOMAXPROCS(0))}, nil
}

func orDefault(d, fallback time.Duration) time.Duration {
	if d == 0 {
		return fallback
	}
	return d
}
