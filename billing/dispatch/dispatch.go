// Package dispatch mails to customers: it stands in front of the books, because a mail is drawn and handed over outside
// any transaction.
//
// What is to be mailed is a row before it is a mail, and a job brings it out. A process may die after the mail server took
// a mail and before that was kept; then it is sent once more, under the same Message-ID, so that mail readers show it once.
package dispatch

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/countinghouse/countinghouse/billing"
	"github.com/countinghouse/countinghouse/billing/invoicepdf"
	"github.com/countinghouse/countinghouse/internal/fault"
	"github.com/countinghouse/countinghouse/tenant"
)

// ErrRefused says that a mail server refused a mail for good: trying again does not help.
var ErrRefused = errors.New("dispatch: the mail was refused for good")

// atOnce bounds how many reminders one sweep queues in one transaction.
const atOnce = 200

// Mail is a mail to a customer, ready to be handed over.
type Mail struct {
	Kind     string
	ID       string // the same for the same mail, however often it is handed over
	From     string // whom it is from, without an address
	ReplyTo  string // empty: nowhere
	To       string
	Subject  string
	Text     string
	Attached []File
}

// File goes along with a mail.
type File struct {
	Name, MediaType string
	Bytes           []byte
}

// Dispatch mails to customers. It is safe for use by many goroutines.
type Dispatch struct {
	// Send hands a mail over. An error that is ErrRefused is final.
	Send func(ctx context.Context, m Mail) error
	// Link is the address of a link's secret.
	Link func(secret string) string
	// Offer is the address of the secret of a link to accept a quote.
	Offer func(secret string) string
}

// Do runs fn in one transaction of one organization. It may run fn twice.
type Do func(ctx context.Context, fn func(tx *tenant.Tx) error) error

// In enters one organization with a scope.
func In(db *tenant.DB, s tenant.Scope) Do {
	return func(ctx context.Context, fn func(tx *tenant.Tx) error) error { return tenant.Do(ctx, db, s, fn) }
}

// Job is the handler of billing.MailJob.
func (d *Dispatch) Job(ctx context.Context, do Do, args json.RawMessage) error {
	var in struct {
		Mailing billing.MailingID `json:"mailing"`
	}
	if err := json.Unmarshal(args, &in); err != nil {
		return fmt.Errorf("reading the arguments: %w", err)
	}
	return d.Deliver(ctx, do, in.Mailing)
}

// Deliver brings one mailing out. One that was sent already is left alone. An error means that it is worth another try.
func (d *Dispatch) Deliver(ctx context.Context, do Do, mailing billing.MailingID) error {
	var letter billing.Letter
	var ok bool
	err := do(ctx, func(tx *tenant.Tx) (err error) {
		letter, ok, err = billing.BeginMailing(ctx, tx, mailing)
		return err
	})
	if err != nil || !ok {
		return err
	}
	m, err := d.write(letter)
	if err == nil {
		err = d.Send(ctx, m)
	}
	if err == nil {
		return do(ctx, func(tx *tenant.Tx) error { return billing.EndMailing(ctx, tx, mailing) })
	}
	again := false
	kept := do(ctx, func(tx *tenant.Tx) (failed error) {
		again, failed = billing.FailMailing(ctx, tx, mailing, codeOf(err), errors.Is(err, ErrRefused))
		return failed
	})
	if kept != nil || again {
		return errors.Join(err, kept)
	}
	return nil
}

// codeOf is what the page tells of a failure; never what the mail server said, which may hold the address.
func codeOf(err error) string {
	var f *fault.Error
	switch {
	case errors.Is(err, ErrRefused):
		return "mail.refused"
	case errors.As(err, &f):
		return f.Code
	}
	return "mail.unreachable"
}

func (d *Dispatch) write(l billing.Letter) (Mail, error) {
	m := Mail{Kind: "customer", ID: l.Mailing.String(), From: l.From, ReplyTo: l.ReplyTo, To: l.To, Subject: l.Subject}
	link := ""
	if l.Secret != "" {
		link = d.Link(l.Secret)
	}
	if l.Offer {
		link = d.Offer(l.Secret)
	}
	m.Text = l.Text(link)
	var paper bytes.Buffer
	name := "statement.pdf"
	if l.Document != nil {
		if !l.Offer {
			l.Document.PayLink = link
		}
		name = invoicepdf.FileName(l.Document.Number)
		if err := invoicepdf.Write(&paper, *l.Document); err != nil {
			return m, err
		}
	} else if err := invoicepdf.WriteStatement(&paper, *l.Statement); err != nil {
		return m, err
	}
	m.Attached = append(m.Attached, File{Name: name, MediaType: "application/pdf", Bytes: paper.Bytes()})
	for i, f := range l.Attached {
		m.Attached = append(m.Attached, File{Name: f.Name, MediaType: f.MediaType, Bytes: l.Bytes[i]})
	}
	return m, nil
}

// Collect mails what collecting an invoice by itself has to say. Its try is taken already, and nobody makes it again.
func (d *Dispatch) Collect(ctx context.Context, r billing.Reminder) error {
	m, err := d.write(r.Letter())
	if err != nil {
		return err
	}
	return d.Send(ctx, m)
}

// Remind queues the reminders that are due in an organization.
func (d *Dispatch) Remind(ctx context.Context, do Do) error {
	for {
		queued := 0
		err := do(ctx, func(tx *tenant.Tx) (err error) {
			queued, err = billing.QueueReminders(ctx, tx, atOnce)
			return err
		})
		if err != nil || queued < atOnce {
			return err
		}
	}
}
