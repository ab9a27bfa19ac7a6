package identity

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"runtime"
	"sync"
	"time"

	"github.com/go-webauthn/webauthn/webauthn"

	"github.com/countinghouse/countinghouse/internal/watch"
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
	// ProofLifetime is for how long a sign-in, or a proof after it, lets one change what guards an account: 10 minutes.
	ProofLifetime time.Duration
	// Sealer seals the keys of authenticator apps. Without one, none can be set up.
	Sealer Sealer
	// RecoveryLifetime is how long a mailed link is good that sets a new password: 30 minutes.
	RecoveryLifetime time.Duration
	// NetworkTries is how often one network may fail to sign in before it has to wait: 30.
	NetworkTries int
	// Key keys the digests under which addresses and networks are counted, so that who reads the table cannot
	// find an address by trying. It must stay the same.
	Key []byte
	// Texter sends codes to phones. Without one, nobody's number is asked for.
	Texter Texter
	// Voice says that the Texter also makes calls.
	Voice bool
	// TextsPerNumber bounds the codes that one number is sent in 24 hours: 5.
	TextsPerNumber int
	// TextsPerNetwork bounds the codes that one network asks for in 24 hours: 20.
	TextsPerNetwork int
	// Place says where a network address is, such as "Dublin, Ireland"; empty when it is not known. Nil knows nothing.
	Place func(network string) string
	// Between says how many kilometres two network addresses are apart at least; ok is false when it does not know.
	// With it, a login from a place that cannot be reached from the last one in time is told to Watch. Nil knows nothing.
	Between func(network, other string) (kilometres int, ok bool)
	// Password is what is asked of passwords beyond PasswordRules.
	Password PasswordPolicy
	// Watch hears of what looks like an attack; nil is nobody.
	Watch Watcher
	// Rules, where there is one, is asked each time in place of IdleTimeout, SessionLifetime, ProofLifetime and
	// Password, so that an operator may change them while we run.
	Rules func(ctx context.Context, tx *tenant.PlatformTx) (Rules, error)
	// Log hears of mails that could not be sent while nobody waited for them: slog.Default.
	Log *slog.Logger
}

// Rules is what an operator may change while we run.
type Rules struct {
	IdleTimeout, SessionLifetime, ProofLifetime time.Duration // as Options has them
	Password                                    PasswordPolicy
	// NoRecovery lets nobody set a forgotten password by mail.
	NoRecovery bool
}

func (i *Identity) rules(ctx context.Context, tx *tenant.PlatformTx) (Rules, error) {
	o := i.options
	if o.Rules == nil {
		return Rules{IdleTimeout: o.IdleTimeout, SessionLifetime: o.SessionLifetime, ProofLifetime: o.ProofLifetime, Password: o.Password}, nil
	}
	r, err := o.Rules(ctx, tx)
	if err != nil {
		return r, fmt.Errorf("reading the rules of sign-in: %w", err)
	}
	return r, nil
}

func (i *Identity) rulesNow(ctx context.Context) (r Rules, err error) {
	if i.options.Rules == nil {
		return i.rules(ctx, nil)
	}
	err = tenant.DoPlatform(ctx, i.db, func(tx *tenant.PlatformTx) error {
		r, err = i.rules(ctx, tx)
		return err
	})
	return r, err
}

// RequestInfo is what is kept of where a session was opened.
type RequestInfo struct {
	Network   string // the address of the caller; what is no IP address is not kept
	UserAgent string // cut to 300 characters
	Device    string // the token of NewDevice that the browser brought; may be empty
}

// Identity keeps people. It is safe for concurrent use.
type Identity struct {
	db      *tenant.DB
	mailer  Mailer
	options Options
	hasher  hasher
	// passkeys is nil where there can be none.
	passkeys *webauthn.WebAuthn
	sending  sync.WaitGroup
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
	o.ProofLifetime = orDefault(o.ProofLifetime, 10*time.Minute)
	o.RecoveryLifetime = orDefault(o.RecoveryLifetime, 30*time.Minute)
	if o.IdleTimeout < time.Minute || o.SessionLifetime < time.Minute || o.LinkLifetime < time.Minute || o.RecoveryLifetime < time.Minute {
		return nil, errors.New("a session and a link last a minute at least")
	}
	if o.MailsPerHour == 0 {
		o.MailsPerHour = 3
	}
	if o.NetworkTries == 0 {
		o.NetworkTries = 30
	}
	if o.TextsPerNumber == 0 {
		o.TextsPerNumber = 5
	}
	if o.TextsPerNetwork == 0 {
		o.TextsPerNetwork = 20
	}
	if o.Log == nil {
		o.Log = slog.Default()
	}
	passkeys, err := newRelyingParty(o.Origin)
	if err != nil {
		return nil, err
	}
	return &Identity{db: db, mailer: mailer, options: o, hasher: newHasher(runtime.GOMAXPROCS(0)), passkeys: passkeys}, nil
}

// tell sends a mail while the caller goes on: how long it takes would say whether an address is known.
func (i *Identity) tell(ctx context.Context, m Mail) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Minute)
	i.sending.Go(func() {
		defer cancel()
		if err := i.mailer.Send(ctx, m); err != nil {
			i.options.Log.Error("a mail was not sent", "kind", m.Kind, "error", err)
		}
	})
}

// Watcher hears of what looks like an attack.
type Watcher interface {
	Raise(ctx context.Context, e watch.Event) error
}

// raise tells the watch while the caller goes on, for the same reason as tell.
func (i *Identity) raise(ctx context.Context, e watch.Event) {
	if i.options.Watch == nil {
		return
	}
	ctx = context.WithoutCancel(ctx)
	i.sending.Go(func() {
		if err := i.options.Watch.Raise(ctx, e); err != nil {
			i.options.Log.Error("a security event was not kept", "kind", e.Kind, "error", err)
		}
	})
}

// Flush waits for the mails that are on their way: before the process ends, and in tests.
func (i *Identity) Flush() { i.sending.Wait() }

func orDefault(d, fallback time.Duration) time.Duration {
	if d == 0 {
		return fallback
	}
	return d
}
