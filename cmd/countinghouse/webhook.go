package main

import (
	"context"
	"encoding/json"

	"github.com/countinghouse/countinghouse/internal/notify"
	"github.com/countinghouse/countinghouse/internal/outward"
	"github.com/countinghouse/countinghouse/internal/webhook"
	"github.com/countinghouse/countinghouse/secrets"
	"github.com/countinghouse/countinghouse/tenant"
)

// webhookSealer lets webhooks seal by the organization's own key without knowing the keyring.
type webhookSealer struct{ keyring secrets.Keyring }

func (s webhookSealer) Seal(ctx context.Context, at webhook.Place, plain []byte) (string, error) {
	return s.keyring.Seal(ctx, secrets.Place(at), plain)
}

func (s webhookSealer) Open(ctx context.Context, at webhook.Place, sealed string) ([]byte, error) {
	return s.keyring.Open(ctx, secrets.Place(at), sealed)
}

// webhooks wires what organizations are told by. Addresses of this machine and its networks are for dev alone, where
// whoever runs it is the only one who can add them.
func (p parts) webhooks() *webhook.Sender {
	dev := p.outbox != nil
	return &webhook.Sender{Sealer: webhookSealer{p.keyring}, Client: outward.NewClient(outward.Options{Internal: dev}), Internal: dev, Origin: p.origin,
		Mail: func(ctx context.Context, to, subject, text string) error {
			return p.mail.Send(ctx, notify.Mail{Kind: "webhook", To: to, Subject: subject, Text: text})
		}}
}

func (w work) deliverWebhook(ctx context.Context, s tenant.Scope, args json.RawMessage) error {
	return w.webhooks().DeliverNow(ctx, w.db, s, args)
}

func (w work) tellOfWebhook(ctx context.Context, s tenant.Scope, args json.RawMessage) error {
	return w.webhooks().Tell(ctx, w.db, s, args)
}

func (w work) sweepWebhooks(ctx context.Context, s tenant.Scope) error {
	return webhook.Sweep(ctx, w.db, s)
}
