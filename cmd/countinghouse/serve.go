package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"strings"
	"time"

	"github.com/countinghouse/countinghouse/internal/jobs"
	"github.com/countinghouse/countinghouse/internal/notify"
)

type serveCommand struct {
	serviceFlags
	Listen string `env:"COUNTINGHOUSE_LISTEN" default:"127.0.0.1:8080" help:"The address to answer on."`
	Work   bool   `env:"COUNTINGHOUSE_WORK" default:"true" negatable:"" help:"Run background jobs in this process too; with --no-work, 'countinghouse work' must run beside it."`
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
			return nil, fmt.Errorf("reading the mail password: %w", err)
		}
		o.Password = strings.TrimRight(string(password), "\r\n")
	}
	return notify.NewSMTP(o)
}

func (f serviceFlags) parts() (p parts, err error) {
	p = parts{gateways: f.gatewayFlags, origin: f.Origin, kept: f.retentionFlags, log: slog.New(slog.NewJSONHandler(os.Stdout, nil))}
	if p.key, p.database, err = f.config(); err != nil {
		return p, err
	}
	if p.cardNumbers, err = f.accepted(); err != nil {
		return p, err
	}
	if p.keyring, err = f.open(); err != nil {
		return p, err
	}
	p.keepLogins, p.voice = f.KeepLogins, f.SMSVoice
	if p.mail, err = f.mailer(); err != nil {
		return p, err
	}
	if p.texts, err = f.texter(); err != nil {
		return p, err
	}
	if p.places, err = f.placeFlags.database(); err != nil {
		return p, err
	}
	if p.refused, err = f.refused(); err != nil {
		return p, err
	}
	p.security, err = f.openSecurity()
	return p, err
}

// Run serves until it is interrupted; requests in flight are finished.
func (c serveCommand) Run(ctx context.Context) (err error) {
	p, err := c.parts()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, p.security.close()) }()
	listener, err := net.Listen("tcp", c.Listen)
	if err != nil {
		return fmt.Errorf("cannot answer on %s: %w", c.Listen, err)
	}
	defer listener.Close()
	db, _, server, err := p.assemble(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	p.log.Info("serving", "address", c.Listen, "origin", c.Origin, "version", version)
	var work func(context.Context) error
	if c.Work {
		if work, err = p.worker(db, server.Desk, jobs.Options{}); err != nil {
			return err
		}
	}
	return serve(ctx, db, server, listener, p.log, work)
}
