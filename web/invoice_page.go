package web

import (
	"context"
	"net/http"

	"github.com/countinghouse/countinghouse/authz"
	"github.com/countinghouse/countinghouse/billing"
	"github.com/countinghouse/countinghouse/billing/report"
	"github.com/countinghouse/countinghouse/tenant"
	"github.com/countinghouse/countinghouse/web/page"
)

func (s *Server) registerInvoicePages() {
	s.registerInvoiceListPages()
	s.member("POST", "/invoices/preview", rightTo(authz.Read, authz.Invoices), showInvoicePreview)
	s.registerDesk(invoiceDesk) // before what could take "new" for an id
	s.member("GET", "/invoices/:id", rightTo(authz.Read, authz.Invoices), func(v *visit) error { return showInvoice(v, http.StatusOK, page.Form{}) })
	s.member("POST", "/invoices/:id/void", rightTo(authz.Approve, authz.Invoices), func(v *visit) error {
		return sendInvoiceAct(v, "Voided", billing.VoidInvoice)
	})
	s.member("POST", "/invoices/:id/write-off", rightTo(authz.Approve, authz.Invoices), func(v *visit) error {
		return sendInvoiceAct(v, "Written off", billing.WriteOffInvoice)
	})
}

// fillInvoices finds what stands around the list: the tabs, and whose invoices they are.
func fillInvoices(v *visit, tx *tenant.Tx, filter billing.InvoiceFilter, data *page.Invoices) error {
	counts, err := billing.InvoiceCounts(v.ctx, tx)
	if err != nil {
		return err
	}
	data.Tabs = invoiceTabs(v, filter, counts)
	if !filter.CustomerID.IsZero() {
		customer, err := billing.CustomerByID(v.ctx, tx, filter.CustomerID)
		if err != nil {
			return err
		}
		data.Customer = customer.Name
		data.All = v.kept("invoices", []string{"standing", "q", "period", "from", "to"})
	}
	return nil
}

// owedPage leaves out the currencies in which nothing is owed.
func owedPage(figures []report.OwedFigure) []page.Owed {
	var owed []page.Owed
	for _, f := range figures {
		if !f.Total.IsZero() || f.Invoices > 0 {
			owed = append(owed, page.Owed{Amount: f.Total, Overdue: f.Overdue, Invoices: f.Invoices})
		}
	}
	return owed
}

func invoiceTabs(v *visit, filter billing.InvoiceFilter, counts map[billing.Standing]int) page.Tabs {
	all := 0
	for _, n := range counts {
		all += n
	}
	tabs := page.Tabs{Label: "Invoices by state"}
	for _, t := range []struct {
		label    string
		standing billing.Standing
		count    int
	}{
		{"All", "", all},
		{"Drafts", billing.StandingDraft, counts[billing.StandingDraft]},
		{"Open", billing.StandingOpen, counts[billing.StandingOpen]},
		{"Part paid", billing.StandingPartPaid, counts[billing.StandingPartPaid]},
		{"Overdue", billing.StandingOverdue, counts[billing.StandingOverdue]},
		{"Paid", billing.StandingPaid, counts[billing.StandingPaid]},
		{"Written off", billing.StandingWrittenOff, counts[billing.StandingWrittenOff]},
		{"Void", billing.StandingVoid, counts[billing.StandingVoid]},
	} {
		if t.count == 0 && filter.Standing != t.standing && (t.standing == billing.StandingVoid || t.standing == billing.StandingWrittenOff) {
			continue // most have none
		}
		address := v.kept("invoices", []string{"customer", "q", "period", "from", "to"}, "standing", string(t.standing))
		// The counts are of all invoices: with a customer or a search they would be of another list.
		counted := filter.CustomerID.IsZero() && filter.Search == "" && !v.narrowedByDay()
		tabs.Tabs = append(tabs.Tabs, page.Tab{Label: t.label, URL: address, Count: t.count, Counted: counted, Current: filter.Standing == t.standing})
	}
	return tabs
}

func showInvoice(v *visit, status int, form page.Form) error {
	invoice, err := idParam[billing.Invoice](v, "id")
	if err != nil {
		return err
	}
	return v.show(status, "invoice", func(tx *tenant.Tx) (any, error) {
		data := page.Invoice{Form: form}
		var err error
		if data.Invoice, err = billing.InvoiceByID(v.ctx, tx, invoice); err != nil {
			return nil, err
		}
		title := data.Invoice.Number
		if title == "" {
			title = "Draft invoice"
		}
		if data.Shell, err = v.frame(tx, title, "invoices"); err != nil {
			return nil, err
		}
		if err := fillCharges(v, tx, &data); err != nil {
			return nil, err
		}
		if data.Settings, err = billing.LoadSettings(v.ctx, tx); err != nil {
			return nil, err
		}
		if err := fillCollection(v, tx, &data); err != nil {
			return nil, err
		}
		if err := fillMail(v, tx, &data); err != nil {
			return nil, err
		}
		if data.Fees, err = billing.LateFeesOf(v.ctx, tx, invoice); err != nil {
			return nil, err
		}
		data.Acts = invoiceActs(v, data.Invoice)
		if data.Invoice.State == billing.Issued {
			if data.Creditable, err = creditable(v, tx, data.Invoice); err != nil {
				return nil, err
			}
			if !data.Invoice.Open().IsZero() && v.may(rightTo(authz.Create, authz.Payments)) {
				if data.Credit, err = creditRows(v, tx, data.Invoice.Customer.ID, data.Invoice.Currency); err != nil {
					return nil, err
				}
			}
		}
		return data, err
	})
}

// fillCharges finds what was ordered at gateways for an invoice, and what can be.
func fillCharges(v *visit, tx *tenant.Tx, data *page.Invoice) (err error) {
	i := data.Invoice
	if v.server.Till == nil || i.State != billing.Issued {
		return nil
	}
	data.Taken = true
	if data.Charges, err = billing.InvoiceIntents(v.ctx, tx, i.ID); err != nil {
		return err
	}
	if i.Customer.Email == "" { // what an issued invoice says of its customer has no e-mail address
		customer, err := billing.CustomerByID(v.ctx, tx, i.Customer.ID)
		if err != nil {
			return err
		}
		data.Invoice.Customer.Email = customer.Email
	}
	methods, err := billing.PaymentMethods(v.ctx, tx, i.Customer.ID)
	for _, m := range methods {
		if m.Chargeable() && (m.Kind != billing.MethodCard || v.server.Till.CardNumbers != "") {
			data.Methods = append(data.Methods, page.ChargeMethod{PaymentMethod: m, Key: newFormKey()})
		}
	}
	return err
}

// invoiceActs are the buttons of an invoice that change it as a whole.
func invoiceActs(v *visit, i billing.Invoice) []page.Act {
	if i.State == billing.Draft {
		return draftActs(v, invoiceDesk(), i.ID.UUID, i.Version, "It gets its number, is posted, and does not change any more.")
	}
	if i.State != billing.Issued || !v.may(rightTo(authz.Approve, authz.Invoices)) {
		return nil
	}
	var acts []page.Act
	at := func(act string) string { return v.at("invoices", i.ID.String(), act) }
	if !i.Open().IsZero() {
		acts = append(acts, page.Act{URL: at("write-off"), Label: "Write off", Icon: "archive", Does: "Write off what is open", Key: newFormKey(), Version: i.Version,
			Ask: "What is open becomes a bad debt. If it is paid after all, record the payment here."})
	}
	if i.Settled.IsZero() {
		acts = append(acts, page.Act{URL: at("void"), Label: "Void", Icon: "ban", Class: "btn-danger", Does: "Void the invoice", Key: newFormKey(), Version: i.Version,
			Ask: "Its number stays, its entry is undone, and nothing is owed."})
	}
	return acts
}

// sendInvoiceAct does something to an invoice as a whole.
func sendInvoiceAct(v *visit, done string, do func(context.Context, *tenant.Tx, billing.InvoiceID, int) (billing.Invoice, error)) error {
	invoice, err := idParam[billing.Invoice](v, "id")
	if err != nil {
		return err
	}
	return v.act(func(tx *tenant.Tx, version int) error {
		_, err := do(v.ctx, tx, invoice, version)
		return err
	}, func() string {
		say(v.c, done)
		return v.at("invoices", invoice.String())
	}, func(form page.Form) error { return showInvoice(v, http.StatusUnprocessableEntity, form) })
}
