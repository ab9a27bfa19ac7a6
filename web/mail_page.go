package web

import (
	"context"
	"net/http"
	"net/url"

	"github.com/google/uuid"

	"github.com/countinghouse/countinghouse/authz"
	"github.com/countinghouse/countinghouse/billing"
	"github.com/countinghouse/countinghouse/tenant"
	"github.com/countinghouse/countinghouse/web/page"
)

// post is a kind of document as it is mailed.
type post struct {
	path, list string
	// read gives a document's number and customer, and what goes along; an error where it is not mailed.
	read func(ctx context.Context, tx *tenant.Tx, document uuid.UUID) (number string, customer billing.CustomerID, what string, err error)
	send func(ctx context.Context, tx *tenant.Tx, document uuid.UUID, in billing.MailInput) (billing.Mailing, error)
	show func(v *visit, status int, form page.Form) error
}

var invoicePost = post{path: "invoices", list: "Invoices", show: showInvoice,
	read: func(ctx context.Context, tx *tenant.Tx, document uuid.UUID) (string, billing.CustomerID, string, error) {
		i, err := billing.InvoiceByID(ctx, tx, billing.InvoiceID{UUID: document})
		if err == nil && i.State == billing.Draft {
			err = billing.ErrMailDraft
		}
		what := "the invoice as PDF"
		if !i.Open().IsZero() {
			what += " and a link to see and pay it, good for 60 days"
		}
		return i.Number, i.Customer.ID, what, err
	},
	send: func(ctx context.Context, tx *tenant.Tx, document uuid.UUID, in billing.MailInput) (billing.Mailing, error) {
		return billing.MailInvoice(ctx, tx, billing.InvoiceID{UUID: document}, in)
	}}

var quotePost = post{path: "quotes", list: "Quotes", show: showQuote,
	read: func(ctx context.Context, tx *tenant.Tx, document uuid.UUID) (string, billing.CustomerID, string, error) {
		q, err := billing.QuoteByID(ctx, tx, billing.QuoteID{UUID: document})
		if err == nil && q.State == billing.Draft {
			err = billing.ErrMailDraft
		}
		return q.Number, q.Customer.ID, "the quote as PDF and a link to accept or decline it", err
	},
	send: func(ctx context.Context, tx *tenant.Tx, document uuid.UUID, in billing.MailInput) (billing.Mailing, error) {
		return billing.MailQuote(ctx, tx, billing.QuoteID{UUID: document}, in)
	}}

var creditNotePost = post{path: "credit-notes", list: "Credit notes", show: showCreditNote,
	read: func(ctx context.Context, tx *tenant.Tx, document uuid.UUID) (string, billing.CustomerID, string, error) {
		n, err := billing.CreditNoteByID(ctx, tx, billing.CreditNoteID{UUID: document})
		if err == nil && n.State == billing.Draft {
			err = billing.ErrMailDraft
		}
		return n.Number, n.Customer.ID, "the credit note as PDF", err
	},
	send: func(ctx context.Context, tx *tenant.Tx, document uuid.UUID, in billing.MailInput) (billing.Mailing, error) {
		return billing.MailCreditNote(ctx, tx, billing.CreditNoteID{UUID: document}, in)
	}}

func (s *Server) registerMailPages() {
	for _, p := range []post{invoicePost, quotePost, creditNotePost} {
		at := "/" + p.path + "/:id/"
		s.member("GET", at+"send", rightTo(authz.Approve, authz.Invoices), func(v *visit) error { return p.showForm(v, http.StatusOK, nil) })
		s.member("POST", at+"send", rightTo(authz.Approve, authz.Invoices), p.sendForm)
		s.member("POST", at+"mailings/:mailing/retry", rightTo(authz.Approve, authz.Invoices), p.sendAgain)
	}
}

func (p post) showForm(v *visit, status int, sent *page.Form) error {
	document, err := idParam[billing.Document](v, "id")
	if err != nil {
		return err
	}
	return v.show(status, "mail-edit", func(tx *tenant.Tx) (any, error) {
		data := page.MailForm{List: p.list, ListURL: v.at(p.path), Action: v.at(p.path, document.String(), "send"), Back: v.at(p.path, document.String())}
		var of billing.CustomerID
		var err error
		if data.Number, of, data.What, err = p.read(v.ctx, tx, document.UUID); err != nil {
			return nil, err
		}
		customer, err := billing.CustomerByID(v.ctx, tx, of)
		if err != nil {
			return nil, err
		}
		data.Form = orFresh(sent, func() page.Form { return keyed(page.NewForm("to", customer.Email)) })
		if p.path == invoicePost.path {
			files, err := billing.AttachedFiles(v.ctx, tx, billing.InvoiceID(document))
			if err != nil {
				return nil, err
			}
			for _, f := range files {
				if f.Mailed {
					data.Files = append(data.Files, page.File{Name: f.Name, Size: sizeText(f.Size)})
				}
			}
		}
		data.Shell, err = v.frame(tx, "Send "+data.Number, p.path)
		return data, err
	})
}

func (p post) sendForm(v *visit) error {
	document, err := idParam[billing.Document](v, "id")
	if err != nil {
		return err
	}
	to := ""
	return v.send(nil, func(tx *tenant.Tx, sent url.Values) (uuid.UUID, error) {
		m, err := p.send(v.ctx, tx, document.UUID, billing.MailInput{To: sent.Get("to"), Message: sent.Get("message")})
		to = m.Email
		return m.ID.UUID, err
	}, func(uuid.UUID) string {
		if to != "" {
			say(v.c, "On its way to "+to)
		}
		return v.at(p.path, document.String())
	}, func(form page.Form) error { return p.showForm(v, http.StatusUnprocessableEntity, &form) })
}

func (p post) sendAgain(v *visit) error {
	document, err := idParam[billing.Document](v, "id")
	if err != nil {
		return err
	}
	mailing, err := idParam[billing.Mailing](v, "mailing")
	if err != nil {
		return err
	}
	return v.send(nil, func(tx *tenant.Tx, _ url.Values) (uuid.UUID, error) {
		m, err := billing.RetryMailing(v.ctx, tx, mailing)
		if err == nil && m.Document.UUID != document.UUID {
			err = billing.ErrMailNotFound
		}
		return uuid.Nil, err
	}, func(uuid.UUID) string {
		say(v.c, "On its way once more")
		return v.at(p.path, document.String())
	}, func(form page.Form) error { return p.show(v, http.StatusUnprocessableEntity, form) })
}

// fillMail finds what is attached to an invoice, and what was mailed of it.
func fillMail(v *visit, tx *tenant.Tx, data *page.Invoice) error {
	i := data.Invoice
	files, err := billing.AttachedFiles(v.ctx, tx, i.ID)
	if err != nil {
		return err
	}
	for _, f := range files {
		shown := page.File{Name: f.Name, Size: sizeText(f.Size), Mailed: f.Mailed, URL: v.at("invoices", i.ID.String(), "files", f.ID.String())}
		if isSupport(v.scope) {
			shown.URL = ""
		}
		if v.may(rightTo(authz.Change, authz.Invoices)) {
			shown.Acts = []page.Act{{URL: v.at("invoices", i.ID.String(), "files", f.ID.String(), "remove"), Label: "Remove", Icon: "trash-2",
				Class: "btn-small", Ask: "The file is deleted.", Does: "Remove the file", Key: newFormKey()}}
		}
		data.Files = append(data.Files, shown)
	}
	data.FileKey = newFormKey()
	data.Mails, err = mailsOf(v, tx, "invoices", i.ID.UUID)
	return err
}

// mailsOf is what was mailed of a document, for its timeline.
func mailsOf(v *visit, tx *tenant.Tx, path string, document uuid.UUID) ([]page.MailShown, error) {
	mailings, err := billing.Mailings(v.ctx, tx, billing.InvoiceID{UUID: document})
	var mails []page.MailShown
	for _, m := range mailings {
		shown := page.MailShown{Mailing: m}
		if m.State == billing.MailFailed && m.Problem != "mail.settled" && m.Problem != "mail.answered" && v.may(rightTo(authz.Approve, authz.Invoices)) {
			shown.Acts = []page.Act{{URL: v.at(path, document.String(), "mailings", m.ID.String(), "retry"), Label: "Send again", Icon: "send",
				Class: "btn-small", Key: newFormKey()}}
		}
		mails = append(mails, shown)
	}
	return mails, err
}
