package web

import (
	"net/http"
	"net/url"

	"github.com/google/uuid"

	"github.com/countinghouse/countinghouse/authz"
	"github.com/countinghouse/countinghouse/billing"
	"github.com/countinghouse/countinghouse/tenant"
	"github.com/countinghouse/countinghouse/web/page"
)

func (s *Server) registerMailPages() {
	s.member("GET", "/invoices/:id/send", rightTo(authz.Approve, authz.Invoices), func(v *visit) error { return showMailForm(v, http.StatusOK, nil) })
	s.member("POST", "/invoices/:id/send", rightTo(authz.Approve, authz.Invoices), sendMail)
	s.member("POST", "/invoices/:id/mailings/:mailing/retry", rightTo(authz.Approve, authz.Invoices), sendMailAgain)
}

func showMailForm(v *visit, status int, sent *page.Form) error {
	invoice, err := idParam[billing.Invoice](v, "id")
	if err != nil {
		return err
	}
	return v.show(status, "mail-edit", func(tx *tenant.Tx) (any, error) {
		i, err := billing.InvoiceByID(v.ctx, tx, invoice)
		if err != nil {
			return nil, err
		}
		if i.State == billing.Draft {
			return nil, billing.ErrMailDraft
		}
		customer, err := billing.CustomerByID(v.ctx, tx, i.Customer.ID)
		if err != nil {
			return nil, err
		}
		data := page.MailForm{Form: orFresh(sent, func() page.Form { return keyed(page.NewForm("to", customer.Email)) }), Invoice: i,
			Action: v.at("invoices", invoice.String(), "send"), Back: v.at("invoices", invoice.String())}
		files, err := billing.AttachedFiles(v.ctx, tx, invoice)
		if err != nil {
			return nil, err
		}
		for _, f := range files {
			if f.Mailed {
				data.Files = append(data.Files, page.File{Name: f.Name, Size: sizeText(f.Size)})
			}
		}
		data.Shell, err = v.frame(tx, "Send "+i.Number, "invoices")
		return data, err
	})
}

func sendMail(v *visit) error {
	invoice, err := idParam[billing.Invoice](v, "id")
	if err != nil {
		return err
	}
	to := ""
	return v.send(nil, func(tx *tenant.Tx, sent url.Values) (uuid.UUID, error) {
		m, err := billing.MailInvoice(v.ctx, tx, invoice, billing.MailInput{To: sent.Get("to"), Message: sent.Get("message")})
		to = m.Email
		return m.ID.UUID, err
	}, func(uuid.UUID) string {
		if to != "" {
			say(v.c, "On its way to "+to)
		}
		return v.at("invoices", invoice.String())
	}, func(form page.Form) error { return showMailForm(v, http.StatusUnprocessableEntity, &form) })
}

func sendMailAgain(v *visit) error {
	invoice, err := idParam[billing.Invoice](v, "id")
	if err != nil {
		return err
	}
	mailing, err := idParam[billing.Mailing](v, "mailing")
	if err != nil {
		return err
	}
	return v.send(nil, func(tx *tenant.Tx, _ url.Values) (uuid.UUID, error) {
		m, err := billing.RetryMailing(v.ctx, tx, mailing)
		if err == nil && m.Document != invoice {
			err = billing.ErrMailNotFound
		}
		return uuid.Nil, err
	}, func(uuid.UUID) string {
		say(v.c, "On its way once more")
		return v.at("invoices", invoice.String())
	}, func(form page.Form) error { return showInvoice(v, http.StatusUnprocessableEntity, form) })
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
	mailings, err := billing.Mailings(v.ctx, tx, i.ID)
	for _, m := range mailings {
		shown := page.MailShown{Mailing: m}
		if m.State == billing.MailFailed && m.Problem != "mail.settled" && v.may(rightTo(authz.Approve, authz.Invoices)) {
			shown.Acts = []page.Act{{URL: v.at("invoices", i.ID.String(), "mailings", m.ID.String(), "retry"), Label: "Send again", Icon: "send",
				Class: "btn-small", Key: newFormKey()}}
		}
		data.Mails = append(data.Mails, shown)
	}
	return err
}
