package web

import (
	"context"
	"net/http"
	"time"

	"github.com/google/uuid"

	"github.com/countinghouse/countinghouse/authz"
	"github.com/countinghouse/countinghouse/billing"
	"github.com/countinghouse/countinghouse/internal/fault"
	"github.com/countinghouse/countinghouse/internal/notify"
	"github.com/countinghouse/countinghouse/tenant"
)

// PayLinkView is a link by which a customer sees and pays one invoice.
type PayLinkView struct {
	URL       string    `json:"url" doc:"It is shown this once: only its digest is kept"`
	ExpiresAt time.Time `json:"expires_at"`
}

// MailedView says where a mail went.
type MailedView struct {
	Sent      bool       `json:"sent" doc:"false where this request was sent before: then nothing is mailed again"`
	To        string     `json:"to,omitempty"`
	ExpiresAt *time.Time `json:"expires_at,omitempty" doc:"Until when the link in it works"`
}

var errNotMailed = fault.New(fault.Unavailable, "mail.unavailable", "The mail could not be sent just now. Try again shortly, or make the link and send it yourself.")

// mailInput is a request that mails once for its key.
type mailInput struct {
	ByID
	IdempotencyKey string `header:"Idempotency-Key" doc:"Your own name for this request; sent again, nothing is mailed again" maxLength:"100"`
}

func mailPayLink(ctx context.Context, c *call, in *mailInput) (*Body[MailedView], error) {
	invoice, err := pathID[billing.Invoice](in.ID)
	if err != nil {
		return nil, err
	}
	var mail notify.Mail
	out := &Body[MailedView]{}
	_, err = create(ctx, c, func(tx *tenant.Tx) (_ uuid.UUID, err error) {
		until := tx.Now().Add(linkLifetime)
		if mail, err = c.server.payLinkMail(ctx, tx, invoice); err == nil {
			out.Body = MailedView{Sent: true, To: mail.To, ExpiresAt: &until}
		}
		return invoice.UUID, err
	}, func(*tenant.Tx, uuid.UUID) (struct{}, int, error) { return struct{}{}, 0, nil })
	if err != nil || mail.To == "" {
		return out, err
	}
	if err := c.server.Mail.Send(ctx, mail); err != nil {
		return nil, errNotMailed.Because(err)
	}
	return out, nil
}

func (s *Server) registerPayLinkAPI() {
	if s.Till == nil {
		return
	}
	handle(s, operation{id: "make-pay-link", method: "POST", path: "/v1/invoices/{id}/pay-link", right: authz.Right{Module: authz.Payments, Action: authz.Create}, tag: "Invoices", summary: "Make a link by which the customer sees and pays an issued invoice", status: http.StatusCreated},
		func(ctx context.Context, c *call, in *ByID) (*Versioned[PayLinkView], error) {
			return read(ctx, c, in.ID, func(tx *tenant.Tx, i billing.InvoiceID) (PayLinkView, int, error) {
				_, link, err := c.server.payLink(ctx, tx, i)
				return PayLinkView{link, tx.Now().Add(linkLifetime)}, 0, err
			})
		})
	handle(s, operation{id: "mail-pay-link", method: "POST", path: "/v1/invoices/{id}/pay-link/mail", right: authz.Right{Module: authz.Payments, Action: authz.Create}, tag: "Invoices", summary: "Mail the customer of an issued invoice a link by which they see and pay it"},
		mailPayLink)
}
