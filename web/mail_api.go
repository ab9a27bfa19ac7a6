package web

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/google/uuid"

	"github.com/countinghouse/countinghouse/authz"
	"github.com/countinghouse/countinghouse/billing"
	"github.com/countinghouse/countinghouse/billing/ledger"
	"github.com/countinghouse/countinghouse/billing/report"
	"github.com/countinghouse/countinghouse/tenant"
)

// BrandingBody is what may be changed of how documents look.
type BrandingBody struct {
	Colour    string `json:"colour,omitempty" doc:"Of heading and rules, #rrggbb, dark enough to be read on white; left out, ours" example:"#1f5e4a"`
	PayTo     string `json:"pay_to,omitempty" doc:"How to pay, several lines"`
	Foot      string `json:"foot,omitempty" doc:"The small print at the end of each document"`
	ReplyTo   string `json:"reply_to,omitempty" doc:"Where an answer to a mail goes"`
	Reminders []int  `json:"reminder_days,omitempty" doc:"When open invoices are reminded of, in days from the due date: -3 is three days before" maxItems:"6" nullable:"false"`
}

type brandingChange struct {
	IfMatch
	Body BrandingBody
}

// MailBody says where a mail goes.
type MailBody struct {
	To      string `json:"to,omitempty" doc:"Left out, the customer's address"`
	Message string `json:"message,omitempty" doc:"Your own words in place of ours, at most 2,000 characters"`
}

// StatementMailBody says which statement goes where.
type StatementMailBody struct {
	MailBody
	From  string `json:"from,omitempty" doc:"Left out, from the beginning" example:"2026-10-01"`
	Until string `json:"until,omitempty" doc:"Left out, today" example:"2026-11-21"`
}

// MailingView is a mail to a customer.
type MailingView struct {
	ID        string     `json:"id"`
	Kind      string     `json:"kind" doc:"document, reminder or statement"`
	State     string     `json:"state" doc:"queued, sent (a mail server took it over) or failed"`
	To        string     `json:"to"`
	StepDays  *int       `json:"step_days,omitempty" doc:"Of a reminder: days after the due date"`
	Problem   string     `json:"problem,omitempty" doc:"Why the last try failed: mail.refused, mail.unreachable, mail.settled, mail.answered"`
	CreatedAt time.Time  `json:"created_at"`
	SentAt    *time.Time `json:"sent_at,omitempty"`
}

func viewMailing(m billing.Mailing) MailingView {
	v := MailingView{ID: m.ID.String(), Kind: string(m.Kind), State: string(m.State), To: m.Email, Problem: m.Problem, CreatedAt: m.CreatedAt, SentAt: m.SentAt}
	if m.Kind == billing.MailReminder {
		v.StepDays = &m.StepDays
	}
	return v
}

type mailOrder[T any] struct {
	IdempotencyKey string `header:"Idempotency-Key" doc:"Your own name for this request; sent again, it is done once" maxLength:"100"`
	ID             string `path:"id" maxLength:"36"`
	Body           T
}

// StatementView is a customer's account in one currency.
type StatementView struct {
	Opening Money               `json:"opening"`
	Lines   []StatementLineView `json:"lines"`
	Closing Money               `json:"closing" doc:"What the customer owes at the end"`
	Overdue Money               `json:"overdue"`
}

// StatementLineView is one thing that happened.
type StatementLineView struct {
	Date        string `json:"date"`
	Kind        string `json:"kind" doc:"Where its entry comes from: invoice, payment, ..."`
	Documents   string `json:"documents,omitempty" doc:"Numbers of the documents that it is about"`
	Description string `json:"description"`
	EntryID     string `json:"journal_entry_id"`
	Amount      Money  `json:"amount" doc:"What the customer owes more by it; below zero, less"`
	Balance     Money  `json:"balance"`
}

type statementInput struct {
	PeriodInput
	ID string `path:"id" maxLength:"36"`
}

func (s *Server) registerMailAPI() {
	const tag = "Settings"
	handle(s, operation{id: "get-branding", method: "GET", path: "/v1/branding", right: rightTo(authz.Read, authz.Settings), tag: tag, summary: "Read how documents look and when customers are reminded"},
		func(ctx context.Context, c *call, _ *struct{}) (out *Versioned[BrandingBody], err error) {
			err = c.do(ctx, func(tx *tenant.Tx) error {
				b, err := billing.LoadBranding(ctx, tx)
				out = versioned(viewBranding(b), b.Version)
				return err
			})
			return out, err
		})
	handle(s, operation{id: "change-branding", method: "PUT", path: "/v1/branding", right: rightTo(authz.Change, authz.Settings), tag: tag, summary: "Write anew how documents look and when customers are reminded"},
		func(ctx context.Context, c *call, in *brandingChange) (out *Versioned[BrandingBody], err error) {
			version, err := in.version()
			if err != nil {
				return nil, err
			}
			b := in.Body
			err = c.do(ctx, func(tx *tenant.Tx) error {
				is, err := billing.ChangeBranding(ctx, tx, version, billing.BrandingInput{Colour: b.Colour, PayTo: b.PayTo, Foot: b.Foot, ReplyTo: b.ReplyTo,
					Reminders: billing.WriteReminders(b.Reminders)})
				out = versioned(viewBranding(is), is.Version)
				return err
			})
			return out, err
		})
	s.registerPostAPI(invoicePost, "invoice", "Invoices", "Mail an issued invoice as PDF, with a link to see and pay it")
	s.registerPostAPI(quotePost, "quote", "Quotes", "Mail a quote that stands as PDF, with a link to accept or decline it")
	s.registerPostAPI(creditNotePost, "credit-note", "Credit notes", "Mail an issued credit note as PDF")
	s.registerStatementAPI()
}

// registerPostAPI mails a kind of document, and tells what was mailed.
func (s *Server) registerPostAPI(p post, name, tag, summary string) {
	handle(s, operation{id: "send-" + name, method: "POST", path: "/v1/" + p.path + "/{id}/send", right: rightTo(authz.Approve, authz.Invoices), tag: tag, summary: summary, status: http.StatusAccepted},
		func(ctx context.Context, c *call, in *mailOrder[MailBody]) (*Versioned[MailingView], error) {
			document, err := pathID[billing.Document](in.ID)
			if err != nil {
				return nil, err
			}
			return create(ctx, c, func(tx *tenant.Tx) (uuid.UUID, error) {
				m, err := p.send(ctx, tx, document.UUID, billing.MailInput{To: in.Body.To, Message: in.Body.Message})
				return m.ID.UUID, err
			}, readMailing(ctx))
		})
	handle(s, operation{id: "list-" + name + "-mailings", method: "GET", path: "/v1/" + p.path + "/{id}/mailings", right: rightTo(authz.Read, authz.Invoices), tag: tag, summary: "List what was mailed of it, the newest first"},
		func(ctx context.Context, c *call, in *ByID) (*Versioned[List[MailingView]], error) {
			return read(ctx, c, in.ID, func(tx *tenant.Tx, i billing.DocumentID) (List[MailingView], int, error) {
				out := List[MailingView]{Items: []MailingView{}}
				if _, _, _, err := p.read(ctx, tx, i.UUID); err != nil && !errors.Is(err, billing.ErrMailDraft) {
					return out, 0, err
				}
				all, err := billing.Mailings(ctx, tx, billing.InvoiceID(i))
				for _, m := range all {
					out.Items = append(out.Items, viewMailing(m))
				}
				return out, 0, err
			})
		})
}

func (s *Server) registerStatementAPI() {
	handle(s, operation{id: "get-statement", method: "GET", path: "/v1/customers/{id}/statement", right: rightTo(authz.Read, authz.Reports), tag: "Reports", summary: "Read a customer's statement, a part for each currency"},
		func(ctx context.Context, c *call, in *statementInput) (*Versioned[List[StatementView]], error) {
			period, err := in.period()
			if err != nil {
				return nil, err
			}
			return read(ctx, c, in.ID, func(tx *tenant.Tx, i billing.CustomerID) (List[StatementView], int, error) {
				out := List[StatementView]{Items: []StatementView{}}
				if _, err := billing.CustomerByID(ctx, tx, i); err != nil {
					return out, 0, err
				}
				parts, err := report.StatementOf(ctx, tx, i.UUID, period)
				for _, p := range parts {
					out.Items = append(out.Items, viewStatement(p))
				}
				return out, 0, err
			})
		})
	handle(s, operation{id: "send-statement", method: "POST", path: "/v1/customers/{id}/statement/send", right: rightTo(authz.Approve, authz.Invoices), tag: "Reports", summary: "Mail a customer's statement as PDF", status: http.StatusAccepted},
		func(ctx context.Context, c *call, in *mailOrder[StatementMailBody]) (*Versioned[MailingView], error) {
			customer, err := pathID[billing.Customer](in.ID)
			if err != nil {
				return nil, err
			}
			period, err := PeriodInput{in.Body.From, in.Body.Until}.period()
			if err != nil {
				return nil, err
			}
			return create(ctx, c, func(tx *tenant.Tx) (uuid.UUID, error) {
				if period.To.IsZero() {
					if period.To, err = ledger.Today(ctx, tx); err != nil {
						return uuid.Nil, err
					}
				}
				m, err := billing.MailStatementOf(ctx, tx, customer, period.From, period.To, billing.MailInput{To: in.Body.To, Message: in.Body.Message})
				return m.ID.UUID, err
			}, readMailing(ctx))
		})
}

func readMailing(ctx context.Context) func(tx *tenant.Tx, made uuid.UUID) (MailingView, int, error) {
	return func(tx *tenant.Tx, made uuid.UUID) (MailingView, int, error) {
		m, err := billing.MailingByID(ctx, tx, billing.MailingID{UUID: made})
		return viewMailing(m), 0, err
	}
}

func viewBranding(b billing.Branding) BrandingBody {
	return BrandingBody{Colour: b.Colour, PayTo: b.PayTo, Foot: b.Foot, ReplyTo: b.ReplyTo, Reminders: b.Reminders}
}

func viewStatement(p report.Statement) StatementView {
	v := StatementView{Opening: moneyOf(p.Opening), Closing: moneyOf(p.Closing), Overdue: moneyOf(p.Overdue), Lines: []StatementLineView{}}
	for _, l := range p.Lines {
		v.Lines = append(v.Lines, StatementLineView{l.Date.String(), string(l.Source), l.Numbers, l.Description, l.Entry.String(), moneyOf(l.Amount), moneyOf(l.Balance)})
	}
	return v
}
