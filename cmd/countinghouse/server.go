package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"sync"
	"time"

	"github.com/countinghouse/countinghouse/authz"
	"github.com/countinghouse/countinghouse/billing/gateway/fake"
	"github.com/countinghouse/countinghouse/billing/plan"
	"github.com/countinghouse/countinghouse/billing/shop"
	"github.com/countinghouse/countinghouse/identity"
	"github.com/countinghouse/countinghouse/internal/metric"
	"github.com/countinghouse/countinghouse/internal/notify"
	"github.com/countinghouse/countinghouse/internal/place"
	"github.com/countinghouse/countinghouse/internal/ready"
	"github.com/countinghouse/countinghouse/internal/setting"
	"github.com/countinghouse/countinghouse/internal/trace"
	"github.com/countinghouse/countinghouse/internal/webhook"
	"github.com/countinghouse/countinghouse/secrets"
	"github.com/countinghouse/countinghouse/tenant"
	"github.com/countinghouse/countinghouse/web"
)

// mailer is what both an SMTP server and the outbox of dev do.
type mailer interface {
	Send(ctx context.Context, m notify.Mail) error
}

// mailOut lets identity send through notify without knowing it.
type mailOut struct{ mailer }

func (m mailOut) Send(ctx context.Context, mail identity.Mail) error {
	return m.mailer.Send(ctx, notify.Mail{Kind: mail.Kind, To: mail.To, Subject: mail.Subject, Text: mail.Text})
}

// parts is what a running service is made of.
type parts struct {
	database tenant.Config
	key      []byte
	origin   string
	mail     mailer
	outbox   *notify.Outbox // dev alone
	texts    texter         // nil: no text messages
	voice    bool           // and calls
	// textsKept keeps those from organizations' customers.
	textsKept bool
	places    *place.Places // nil: none
	keyring   secrets.Keyring
	kept      retentionFlags
	refused   identity.RefusedPasswords // the operator's own list
	gateways  gatewayFlags
	practice  *fake.House // dev alone
	// cardNumbers is who accepted that card numbers are kept; empty: none are.
	cardNumbers string
	log         *slog.Logger
	security    securityOut
	// keepLogins is for how long the record of who signed in is kept.
	keepLogins time.Duration
	// What follows is nil and nothing in dev.
	ready   *ready.Ready
	meter   *metric.Meter
	tracer  *trace.Tracer
	limits  web.Limits
	proxies []netip.Prefix

	securityContact string
}

// assemble opens the database, which Migrate has brought to this version, and puts the service together.
func (p parts) assemble(ctx context.Context) (*tenant.DB, *identity.Identity, *web.Server, error) {
	p.database.NewKey, p.database.Billed, p.database.Recorded = p.keyring.CreateKey, plan.Settle, webhook.Note
	if p.cardNumbers != "" {
		p.log.Warn("card numbers are kept here, sealed: PCI DSS applies to this service", "accepted_by", p.cardNumbers)
	}
	db, err := tenant.Open(ctx, p.database)
	if err != nil {
		return nil, nil, nil, err
	}
	people, server, err := p.wire(db)
	if err != nil {
		return nil, nil, nil, errors.Join(err, db.Close())
	}
	if p.meter != nil {
		p.observe(db)
	}
	return db, people, server, nil
}

func (p parts) wire(db *tenant.DB) (*identity.Identity, *web.Server, error) {
	seals, err := newSealer(db, p.key)
	if err != nil {
		return nil, nil, err
	}
	logins, err := derive(p.key, "login digests")
	if err != nil {
		return nil, nil, err
	}
	guard := p.guard(db)
	settings := setting.NewKeeper(db, seals)
	people, err := identity.New(db, mailOut{p.mail}, p.reach(identity.Options{Origin: p.origin, Sealer: seals, Key: logins, Log: p.log,
		Watch: guard, Rules: rulesOf(settings, p.refused)}))
	if err != nil {
		return nil, nil, err
	}
	policy, err := authz.Compile()
	if err != nil {
		return nil, nil, err
	}
	digests, err := derive(p.key, "request digests")
	if err != nil {
		return nil, nil, err
	}
	tasks, err := newCaptcha(p.key, db)
	if err != nil {
		return nil, nil, err
	}
	phones, err := p.phones()
	if err != nil {
		return nil, nil, err
	}
	server, err := web.New(web.Config{
		DB: db, Identity: people, Policy: policy, Log: p.log, Origin: p.origin, Key: digests,
		Outbox: p.outbox, Mail: p.mail, Version: version, Watch: guard, Settings: settings, Captcha: tasks, Till: p.till(),
		Ready: p.ready, Meter: p.meter, Tracer: p.tracer, Limits: p.limits, Proxies: p.proxies, SecurityContact: p.securityContact,
		Webhooks: p.webhooks(), Phones: phones, Shop: p.shop(),
	})
	return people, server, err
}

// shop is the shop of every organization, with all that may keep an order back.
func (p parts) shop() *shop.Shop {
	guarded := shop.Guarded()
	if p.places != nil {
		guarded.Country = p.places.Country
	}
	return guarded
}

// serve answers on the listener and runs work, which may be nil, until ctx ends or one of them
// fails; requests and jobs in flight are finished.
func serve(ctx context.Context, db *tenant.DB, server *web.Server, l net.Listener, log *slog.Logger, work func(context.Context) error) error {
	ctx, cancel := context.WithCancel(ctx)
	var background sync.WaitGroup
	failed := make(chan error, 2)
	background.Go(func() { failed <- server.Serve(l) })
	if work != nil {
		background.Go(func() {
			if err := work(ctx); err != nil {
				failed <- fmt.Errorf("running jobs: %w", err)
			}
		})
	}
	var err error
	select {
	case err = <-failed:
	case <-ctx.Done():
	}
	cancel() // the others are to end as well
	drain, done := context.WithTimeout(context.WithoutCancel(ctx), 20*time.Second)
	defer done()
	if stopped := server.Shutdown(drain); stopped != nil {
		err = errors.Join(err, fmt.Errorf("letting requests finish: %w", stopped))
	}
	background.Wait()
	server.Identity.Flush()
	server.Desk.Flush()
	server.Flush()
	return err
}
