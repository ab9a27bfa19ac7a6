package web

import (
	"fmt"
	"net/http"
	"net/url"

	"github.com/google/uuid"

	"github.com/countinghouse/countinghouse/authz"
	"github.com/countinghouse/countinghouse/billing"
	"github.com/countinghouse/countinghouse/tenant"
	"github.com/countinghouse/countinghouse/web/page"
)

func (s *Server) registerCollectionPages() {
	if s.Till == nil {
		return
	}
	s.member("POST", "/invoices/:id/collection/stop", rightTo(authz.Change, authz.Payments), func(v *visit) error {
		return sendCollection(v, "It is not collected by itself any more", func(tx *tenant.Tx, i billing.InvoiceID) error { return billing.StopCollection(v.ctx, tx, i) })
	})
	s.member("POST", "/invoices/:id/collection/start", rightTo(authz.Change, authz.Payments), func(v *visit) error {
		return sendCollection(v, "It is collected by itself", func(tx *tenant.Tx, i billing.InvoiceID) error { return billing.ResumeCollection(v.ctx, tx, i) })
	})
}

func sendCollection(v *visit, done string, do func(tx *tenant.Tx, i billing.InvoiceID) error) error {
	invoice, err := idParam[billing.Invoice](v, "id")
	if err != nil {
		return err
	}
	return v.send(nil, func(tx *tenant.Tx, _ url.Values) (uuid.UUID, error) { return invoice.UUID, do(tx, invoice) },
		func(uuid.UUID) string {
			say(v.c, done)
			return v.at("invoices", invoice.String())
		}, func(form page.Form) error { return showInvoice(v, http.StatusUnprocessableEntity, form) })
}

// fillCollection says how far an invoice that is open is collected by itself.
func fillCollection(v *visit, tx *tenant.Tx, data *page.Invoice) error {
	i := data.Invoice
	if v.server.Till == nil || i.State == billing.Draft || i.Open().IsZero() {
		return nil
	}
	c, err := billing.CollectionOf(v.ctx, tx, i.ID)
	if err != nil {
		return err
	}
	on, running := data.Settings.CollectAutomatically, c.State == billing.CollectionRunning
	act := page.Act{URL: v.at("invoices", i.ID.String(), "collection", "stop"), Label: "Stop collecting", Icon: "ban", Class: "btn-small"}
	switch {
	case !on && !running:
		return nil
	case !on:
		data.Collect.Say = "Collecting by itself is off in the settings: this invoice waits."
	case running:
		data.Collect.Say = fmt.Sprintf("Collected by itself: tried %d of %d times, next on %s.", c.Step, billing.CollectionTries, c.NextOn)
	case c.State == "":
		data.Collect.Say = fmt.Sprintf("Collected by itself from %s on.", i.DueDate)
	default:
		data.Collect.Say = "Not collected by itself"
		if c.Reason != "" {
			data.Collect.Say += ": " + c.Reason
		}
		data.Collect.Say += "."
		act.URL, act.Label, act.Icon = v.at("invoices", i.ID.String(), "collection", "start"), "Collect again", "refresh-cw"
	}
	if v.may(rightTo(authz.Change, authz.Payments)) {
		act.Key = newFormKey()
		data.Collect.Acts = []page.Act{act}
	}
	return nil
}
