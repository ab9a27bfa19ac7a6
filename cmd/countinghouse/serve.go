package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/mail"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/countinghouse/countinghouse/internal/jobs"
	"github.com/countinghouse/countinghouse/internal/metric"
	"github.com/countinghouse/countinghouse/internal/notify"
	"github.com/countinghouse/countinghouse/internal/ready"
)

type serveCommand struct {
	serviceFlags
	edgeFlags
	traceFlags
	Work bool `env:"COUNTINGHOUSE_WORK" default:"true" negatable:"" help:"Run background jobs in this process too; with --no-work, 'countinghouse work' must run beside it."`
}

// serviceFlags say what the service is made of: the same for the web server and for the workers.
type serviceFlags struct {
	databaseFlags
	Origin     string        `env:"COUNTINGHOUSE_ORIGIN" required:"" placeholder:"URL" help:"The address that people use, such as https://countinghouse.example."`
	KeepLogins time.Duration `env:"COUNTINGHOUSE_KEEP_LOGINS" default:"8760h" help:"For how long the record of who signed in is kept: 90 days (2160h) at least."`
	keyringFlags
	retentionFlags
	mailFlags
	securityFlags
	smsFlags
	placeFlags
	passwordFlags
	gatewayFlags
	operatorFlags
}

// mailFlags say which server takes our mail.
type mailFlags struct {
	SMTPHost         string `env:"COUNTINGHOUSE_SMTP_HOST" required:"" placeholder:"HOST" help:"The server that takes our mail."`
	SMTPPort         int    `env:"COUNTINGHOUSE_SMTP_PORT" help:"Its port; left out, the usual one of --smtp-tls."`
	SMTPTLS          string `name:"smtp-tls" env:"COUNTINGHOUSE_SMTP_TLS" default:"starttls" enum:"starttls,tls,none" help:"starttls, tls, or none for a relay on the same machine."`
	SMTPUser         string `env:"COUNTINGHOUSE_SMTP_USER" help:"Left out, no password is sent."`
	SMTPPasswordFile string `env:"COUNTINGHOUSE_SMTP_PASSWORD_FILE" type:"path" placeholder:"FILE" help:"A file that holds the password."`
	MailFrom         string `env:"COUNTINGHOUSE_MAIL_FROM" required:"" placeholder:"ADDRESS" help:"The sender, such as 'Countinghouse <books@countinghouse.example>'."`
}

func (f mailFlags) mailer() (*notify.SMTP, error) {
	o := notify.SMTPOptions{Host: f.SMTPHost, Port: f.SMTPPort, TLS: notify.TLS(f.SMTPTLS), Username: f.SMTPUser, From: f.MailFrom}
	if f.SMTPPasswordFile != "" {
		password, err := os.ReadFile(f.SMTPPasswordFile)
		if err != nil {
			return nil, wrong("smtp-password-file", err)
		}
		o.Password = strings.TrimRight(string(password), "\r\n")
	}
	if strings.ContainsAny(f.SMTPHost, " /@:") {
		return nil, wrong("smtp-host", fmt.Errorf("%q is no name of a server, such as mail.example; its port is --smtp-port", f.SMTPHost))
	}
	if f.SMTPPort < 0 || f.SMTPPort > 65535 {
		return nil, wrong("smtp-port", errors.New("a port is 1 to 65535"))
	}
	if _, err := mail.ParseAddress(f.MailFrom); err != nil {
		return nil, wrong("mail-from", fmt.Errorf("%q is no address such as 'Countinghouse <books@countinghouse.example>'", f.MailFrom))
	}
	if o.Password != "" && f.SMTPTLS == "none" {
		return nil, wrong("smtp-tls", errors.New("a password does not go over an unencrypted connection: use tls or starttls"))
	}
	return notify.NewSMTP(o)
}

// check finds what is wrong before anything is opened. Each error names its setting.
func (f serviceFlags) check() error {
	if err := checkOrigin(f.Origin); err != nil {
		return err
	}
	for name, kept := range map[string]time.Duration{"database-backups-kept": f.DatabaseBackups, "key-backups-kept": f.KeyBackups} {
		if kept < 0 {
			return wrong(name, errors.New("give how long backups are kept, such as 840h"))
		}
	}
	if f.KeepLogins < 90*24*time.Hour {
		return wrong("keep-logins", errors.New("logins are kept for 90 days (2160h) at least"))
	}
	if f.StripeAPI != "" {
		if u, err := url.Parse(f.StripeAPI); err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" {
			return wrong("stripe-api", fmt.Errorf("%q is no address such as https://api.stripe.com", f.StripeAPI))
		}
	}
	return f.operatorFlags.check()
}

func (f serviceFlags) parts() (p parts, err error) {
	p = parts{ready: &ready.Ready{}, meter: metric.New(version), gateways: f.gatewayFlags, origin: f.Origin, kept: f.retentionFlags, log: slog.New(slog.NewJSONHandler(os.Stdout, nil))}
	if err = f.check(); err != nil {
		return p, err
	}
	if p.key, p.database, err = f.config(); err != nil {
		return p, err
	}
	p.database.Now = clock()
	if p.cardNumbers, err = f.accepted(); err != nil {
		return p, err
	}
	keyring, err := f.open()
	if err != nil {
		return p, err
	}
	p.keyring = &meteredKeyring{Keyring: keyring, count: p.meter.Keyring}
	p.keepLogins, p.voice, p.textsKept = f.KeepLogins, f.SMSVoice, !f.SMSCustomers
	if p.mail, err = f.mailer(); err != nil {
		return p, err
	}
	if p.texts, err = f.texter(); err != nil {
		return p, err
	}
	if p.places, err = f.placeFlags.database(); err != nil {
		return p, wrong("places", err)
	}
	if p.refused, err = f.refused(); err != nil {
		return p, wrong("refused-passwords", err)
	}
	p.security, err = f.openSecurity()
	return p, err
}

// Run serves until it is interrupted; requests in flight are finished.
func (c serveCommand) Run(ctx context.Context) (err error) {
	if err := errors.Join(c.edgeFlags.check(c.Origin), c.traceFlags.check()); err != nil {
		return err
	}
	p, err := c.parts()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, p.security.close()) }()
	if p.tracer, err = c.tell(ctx, p.log); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, shutTracer(ctx, p.tracer)) }()
	p.securityContact = c.SecurityContact
	p.database.FoundingsByPerson, p.database.FoundingsByNetwork = c.LimitFoundingPerson, c.LimitFoundingNetwork
	if p.limits, err = c.limits(); err != nil {
		return err
	}
	if p.proxies, err = c.proxies(); err != nil {
		return err
	}
	listener, err := net.Listen("tcp", c.Listen)
	if err != nil {
		return wrong("listen", err)
	}
	defer listener.Close()
	encrypted, challenge, err := c.encrypt(listener, c.Origin, p.log)
	if err != nil {
		return err
	}
	db, _, server, err := p.assemble(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	stopOperators, err := c.operate(ctx, p)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, stopOperators()) }()
	stopRedirect, err := c.redirect(ctx, c.Origin, challenge)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, stopRedirect()) }()
	p.log.Info("serving", "address", c.Listen, "origin", c.Origin, "version", version)
	var work func(context.Context) error
	if c.Work {
		if work, err = p.worker(db, server.Desk, jobs.Options{}); err != nil {
			return err
		}
	}
	later, forget := drained(ctx, p.ready, c.DrainDelay)
	defer forget()
	return serve(later, db, server, encrypted, p.log, work)
}
