package main

import (
	"context"
	"encoding/json"
	"errors"

	"github.com/countinghouse/countinghouse/billing/dispatch"
	"github.com/countinghouse/countinghouse/internal/notify"
	"github.com/countinghouse/countinghouse/tenant"
	"github.com/countinghouse/countinghouse/web"
)

// dispatch wires the mail to customers.
func (p parts) dispatch() *dispatch.Dispatch {
	return &dispatch.Dispatch{
		Link:  func(secret string) string { return web.PayAddress(p.origin, secret) },
		Offer: func(secret string) string { return web.OfferAddress(p.origin, secret) },
		Send: func(ctx context.Context, m dispatch.Mail) error {
			mail := notify.Mail{Kind: m.Kind, ID: m.ID, FromName: m.From, ReplyTo: m.ReplyTo, To: m.To, Subject: m.Subject, Text: m.Text}
			for _, f := range m.Attached {
				mail.Attachments = append(mail.Attachments, notify.Attachment{Name: f.Name, Type: f.MediaType, Bytes: f.Bytes})
			}
			err := p.mail.Send(ctx, mail)
			if errors.Is(err, notify.ErrMalformed) || errors.Is(err, notify.ErrRefused) {
				return errors.Join(dispatch.ErrRefused, err)
			}
			return err
		},
	}
}

// bringOut delivers one mail to a customer.
func (w work) bringOut(ctx context.Context, s tenant.Scope, args json.RawMessage) error {
	d := w.dispatch()
	if _, sample, err := tenant.SampleAt(ctx, w.db, s.Organization().Slug); err != nil {
		return err
	} else if sample { // its customers are somebody
		d.Send = func(context.Context, dispatch.Mail) error { return nil }
	}
	return d.Job(ctx, dispatch.In(w.db, s), args)
}

// remind queues the reminders of an organization that are due.
func (w work) remind(ctx context.Context, s tenant.Scope) error {
	return w.dispatch().Remind(ctx, dispatch.In(w.db, s))
}
