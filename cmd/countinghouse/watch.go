package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/mail"
	"os"

	"github.com/countinghouse/countinghouse/internal/audit"
	"github.com/countinghouse/countinghouse/internal/notify"
	"github.com/countinghouse/countinghouse/internal/watch"
	"github.com/countinghouse/countinghouse/tenant"
)

// securityFlags say who hears of security events beside the owners.
type securityFlags struct {
	SecurityLog             string `env:"COUNTINGHOUSE_SECURITY_LOG" placeholder:"FILE" help:"A file that each security event is added to as a line of JSON; - is standard output."`
	SecurityMail            string `env:"COUNTINGHOUSE_SECURITY_MAIL" placeholder:"ADDRESS" help:"An address of yours that medium and high security events are mailed to."`
	SecurityWebhook         string `env:"COUNTINGHOUSE_SECURITY_WEBHOOK" placeholder:"URL" help:"An address of yours that medium and high security events are posted to, signed."`
	SecurityWebhookKeyFile  string `env:"COUNTINGHOUSE_SECURITY_WEBHOOK_KEY_FILE" type:"path" placeholder:"FILE" help:"The key that signs them: 64 hex digits."`
	SecurityWebhookInternal bool   `env:"COUNTINGHOUSE_SECURITY_WEBHOOK_INTERNAL" help:"The webhook is inside your own network, where none is posted to otherwise."`
}

// securityOut is where security events go.
type securityOut struct {
	log     io.Writer
	file    *os.File
	staff   string
	webhook *watch.Webhook
}

func (f securityFlags) openSecurity() (o securityOut, err error) {
	if f.SecurityMail != "" {
		if _, err := mail.ParseAddress(f.SecurityMail); err != nil {
			return o, wrong("security-mail", fmt.Errorf("%q is no address", f.SecurityMail))
		}
	}
	o.staff = f.SecurityMail
	if f.SecurityWebhook != "" {
		if f.SecurityWebhookKeyFile == "" {
			return o, errors.New("with --security-webhook, give the key that signs: --security-webhook-key-file")
		}
		key, err := loadKey(f.SecurityWebhookKeyFile)
		if err != nil {
			return o, wrong("security-webhook-key-file", err)
		}
		o.webhook, err = watch.NewWebhook(watch.WebhookOptions{URL: f.SecurityWebhook, Key: key, Internal: f.SecurityWebhookInternal})
		if err != nil {
			return o, wrong("security-webhook", err)
		}
	}
	switch f.SecurityLog {
	case "":
		return o, nil
	case "-":
		o.log = os.Stdout
		return o, nil
	}
	if o.file, err = os.OpenFile(f.SecurityLog, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600); err != nil {
		return o, wrong("security-log", err)
	}
	o.log = o.file
	return o, nil
}

func (o securityOut) close() error {
	if o.file == nil {
		return nil
	}
	return o.file.Close()
}

// guard hears of what looks like an attack.
func (p parts) guard(db *tenant.DB) *watch.Watch {
	return watch.New(db, watch.Options{Log: p.security.log})
}

// outlets are where the guard's events are sent.
func (p parts) outlets() watch.Outlets {
	return watch.Outlets{Staff: p.security.staff, Webhook: p.security.webhook, Origin: p.origin,
		Mail: func(ctx context.Context, to, subject, text string) error {
			return p.mail.Send(ctx, notify.Mail{Kind: "security", To: to, Subject: subject, Text: text})
		}}
}

func (w work) deliver(ctx context.Context) error {
	return w.guard(w.db).DeliverWaiting(ctx, w.outlets())
}

func (w work) seal(ctx context.Context, s tenant.Scope) error {
	_, err := audit.Seal(ctx, w.db, s)
	return err
}

func (w work) mailHead(ctx context.Context, s tenant.Scope) error {
	return audit.MailHead(ctx, w.db, s, w.outlets().Mail)
}

type orgCanary struct {
	orgDatabase
	Off  bool   `help:"Take the mark away."`
	Slug string `arg:"" help:"The organization's address: the acme of /o/acme."`
}

// Run marks an organization whose only use is to be left alone.
func (c orgCanary) Run(ctx context.Context) error {
	return c.use(ctx, func(db *tenant.DB) error { return tenant.SetCanary(ctx, db, c.Slug, !c.Off) })
}
