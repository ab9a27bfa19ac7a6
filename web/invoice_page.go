package web

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/google/uuid"

	"github.com/countinghouse/countinghouse/authz"
	"github.com/countinghouse/countinghouse/billing"
	"github.com/countinghouse/countinghouse/billing/report"
	"github.com/countinghouse/countinghouse/internal/id"
	"github.com/countinghouse/countinghouse/tenant"
	"github.com/countinghouse/countinghouse/web/page"
)

func (s *Server) registerInvoicePages() {
	s.member("GET", "/invoices", rightTo(authz.Read, authz.Invoices), showInvoices)
	s.member("GET", "/invoices/new", rightTo(authz.Create, authz.Invoices), showNewInvoice)
	s.member("POST", "/invoices", rightTo(authz.Create, authz.Invoices), sendInvoice)
	s.member("POST", "/invoices/preview", rightTo(authz.Read, authz.Invoices), showInvoicePreview)
	s.member("GET", "/invoices/:id", rightTo(authz.Read, authz.Invoices), func(v *visit) error { return showInvoice(v, http.StatusOK, page.Form{}) })
	s.member("GET", "/invoices/:id/edit", rightTo(authz.Change, authz.Invoices), showInvoiceEdit)
	s.member("POST", "/invoices/:id", rightTo(authz.Change, authz.Invoices), sendInvoiceChange)
	s.member("POST", "/invoices/:id/issue", rightTo(authz.Approve, authz.Invoices), sendInvoiceIssue)
	s.member("POST", "/invoices/:id/discard", rightTo(authz.Delete, authz.Invoices), sendInvoiceDiscard)
}

func showInvoices(v *visit) error {
	q, err := v.page()
	if err != nil {
		return err
	}
	filter := billing.InvoiceFilter{Standing: billing.Standing(v.query("standing"))}
	if filter.CustomerID, err = bodyID[billing.Customer]("customer", v.query("customer")); err != nil {
		return err
	}
	find := v.find("invoices", "Number, order number or customer", "standing", "customer")
	filter.Search = find.Search
	data := page.Invoices{Find: find, Narrowed: filter != billing.InvoiceFilter{}}
	// What is owed in all stands over the whole list alone: it costs as much as the list.
	if v.first() && filter.CustomerID.IsZero() && filter.Search == "" {
		figures, ok, err := v.figures()
		if err != nil {
			return err
		}
		data.Told, data.Owed = ok, owedPage(figures.Owed)
	}
	return v.show(http.StatusOK, "invoices", func(tx *tenant.Tx) (any, error) {
		var err error
		if data.Shell, err = v.frame(tx, "Invoices", "invoices"); err != nil {
			return nil, err
		}
		if err := fillInvoices(v, tx, filter, &data); err != nil {
			return nil, err
		}
		settings, err := billing.LoadSettings(v.ctx, tx)
		if err != nil {
			return nil, err
		}
		found, err := billing.Invoices(v.ctx, tx, filter, q)
		data.Table = page.NewInvoiceTable(data.Shell, settings.BaseCurrency, found.Items)
		data.Pager = pager(v, q, found, func(h billing.InvoiceHead) uuid.UUID { return h.ID.UUID }, "")
		return data, err
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
		data.All = v.at("invoices")
		if filter.Standing != "" {
			data.All += "?standing=" + url.QueryEscape(string(filter.Standing))
		}
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
	} {
		query := url.Values{}
		for name, value := range map[string]string{"standing": string(t.standing), "customer": v.query("customer"), "q": v.query("q")} {
			if value != "" {
				query.Set(name, value)
			}
		}
		address := v.at("invoices")
		if len(query) > 0 {
			address += "?" + query.Encode()
		}
		// The counts are of all invoices: with a customer or a search they would be of another list.
		counted := filter.CustomerID.IsZero() && filter.Search == ""
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
		if data.Invoice.State == billing.Draft {
			data.Acts = discardAct(v, data.Invoice.InvoiceHead)
			if v.may(rightTo(authz.Approve, authz.Invoices)) {
				data.Acts = append(data.Acts, page.Act{URL: v.at("invoices", invoice.String(), "issue"), Label: "Issue", Icon: "stamp",
					Class: "btn-primary", Ask: "It gets its number, is posted, and does not change any more.", Does: "Issue the invoice",
					Key: newFormKey(), Version: data.Invoice.Version})
			}
		}
		return data, err
	})
}

// fillCharges finds what was ordered at gateways for an invoice, and what can be.
func fillCharges(v *visit, tx *tenant.Tx, data *page.Invoice) (err error) {
	i := data.Invoice
	if v.server.Till == nil || i.State == billing.Draft {
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

func discardAct(v *visit, h billing.InvoiceHead) []page.Act {
	if !v.may(rightTo(authz.Delete, authz.Invoices)) {
		return nil
	}
	return []page.Act{{URL: v.at("invoices", h.ID.String(), "discard"), Label: "Discard", Icon: "trash-2", Class: "btn-danger",
		Ask: "Nothing of this draft is kept.", Does: "Discard the draft", Key: newFormKey(), Version: h.Version}}
}

func sendInvoiceIssue(v *visit) error {
	invoice, err := idParam[billing.Invoice](v, "id")
	if err != nil {
		return err
	}
	done := "Issued"
	return v.act(func(tx *tenant.Tx, version int) error {
		issued, err := billing.IssueInvoice(v.ctx, tx, invoice, version)
		done = "Issued " + issued.Number
		return err
	}, func() string {
		say(v.c, done)
		return v.at("invoices", invoice.String())
	}, func(form page.Form) error { return showInvoice(v, http.StatusUnprocessableEntity, form) })
}

func sendInvoiceDiscard(v *visit) error {
	invoice, err := idParam[billing.Invoice](v, "id")
	if err != nil {
		return err
	}
	return v.act(func(tx *tenant.Tx, version int) error { return billing.DiscardInvoice(v.ctx, tx, invoice, version) },
		func() string {
			say(v.c, "Draft discarded")
			return v.at("invoices")
		}, func(form page.Form) error { return showInvoice(v, http.StatusUnprocessableEntity, form) })
}

func showNewInvoice(v *visit) error {
	customer := v.query("customer")
	if _, ok := id.Parse[billing.Customer](customer); !ok {
		customer = ""
	}
	return v.show(http.StatusOK, "invoice-edit", func(tx *tenant.Tx) (any, error) {
		settings, err := billing.LoadSettings(v.ctx, tx)
		if err != nil {
			return nil, err
		}
		form := keyed(page.NewForm("customer_id", customer, "issue_date", settings.Today(tx).String(),
			"currency", settings.BaseCurrency.Code(), lineName(0, "quantity"), "1"))
		return invoiceEditor(v, tx, nil, form, editing{})
	})
}

func showInvoiceEdit(v *visit) error {
	invoice, err := idParam[billing.Invoice](v, "id")
	if err != nil {
		return err
	}
	issued := false
	var data any
	err = v.run(func(tx *tenant.Tx) error {
		draft, err := billing.InvoiceByID(v.ctx, tx, invoice)
		if err != nil {
			return err
		}
		if issued = draft.State != billing.Draft; issued {
			return nil
		}
		data, err = invoiceEditor(v, tx, &draft, keyed(invoiceForm(draft)), editing{})
		return err
	})
	if err != nil {
		return err
	}
	if issued {
		return v.c.Redirect(v.at("invoices", invoice.String()), http.StatusSeeOther)
	}
	return render(v.c, http.StatusOK, "invoice-edit", data)
}

func sendInvoice(v *visit) error {
	return handleEditor(v, nil, func(tx *tenant.Tx, in billing.InvoiceInput, _ int) (billing.Invoice, error) {
		return billing.DraftInvoice(v.ctx, tx, in)
	})
}

func sendInvoiceChange(v *visit) error {
	invoice, err := idParam[billing.Invoice](v, "id")
	if err != nil {
		return err
	}
	return handleEditor(v, &invoice, func(tx *tenant.Tx, in billing.InvoiceInput, version int) (billing.Invoice, error) {
		return billing.ReviseInvoice(v.ctx, tx, invoice, version, in)
	})
}

// handleEditor does what the pressed button of the editor says: only save and issue keep something.
func handleEditor(v *visit, invoice *billing.InvoiceID, save func(*tenant.Tx, billing.InvoiceInput, int) (billing.Invoice, error)) error {
	sent, err := readLines(v, "tax_codes")
	if err != nil {
		return err
	}
	action := sent.Get("action")
	if action != "save" && action != "issue" {
		return reshapeEditor(v, invoice, sent, action)
	}
	said := "Saved"
	return v.send([]string{"tax_codes"}, func(tx *tenant.Tx, sent url.Values) (uuid.UUID, error) {
		in, version, err := invoiceInput(sent, invoice != nil)
		if err != nil {
			return uuid.Nil, err
		}
		made, err := save(tx, in, version)
		if err != nil || action == "save" {
			said = "Draft saved"
			return made.ID.UUID, err
		}
		if err := v.need(tx, rightTo(authz.Approve, authz.Invoices)); err != nil {
			return uuid.Nil, err
		}
		made, err = billing.IssueInvoice(v.ctx, tx, made.ID, made.Version)
		said = "Issued " + made.Number
		return made.ID.UUID, err
	}, func(made uuid.UUID) string {
		say(v.c, said)
		return v.at("invoices", made.String())
	}, func(form page.Form) error {
		return showEditor(v, http.StatusUnprocessableEntity, invoice, form, editing{unsaved: true})
	})
}

func showEditor(v *visit, status int, invoice *billing.InvoiceID, form page.Form, how editing) error {
	return v.show(status, "invoice-edit", func(tx *tenant.Tx) (any, error) {
		if invoice == nil {
			return invoiceEditor(v, tx, nil, form, how)
		}
		draft, err := billing.InvoiceByID(v.ctx, tx, *invoice)
		if err != nil {
			return nil, err
		}
		renewVersion(&form, draft.Version)
		return invoiceEditor(v, tx, &draft, form, how)
	})
}

// reshapeEditor adds and removes lines and finds customers and products; nothing is kept.
func reshapeEditor(v *visit, invoice *billing.InvoiceID, sent url.Values, action string) error {
	drop := removed(action)
	count := orderLines(sent, func(index int, _ url.Values) bool { return index == drop })
	how := editing{unsaved: true, found: action == "find"}
	return v.show(http.StatusOK, "invoice-edit", func(tx *tenant.Tx) (any, error) {
		switch chosen, ok := id.Parse[billing.Product](sent.Get("choose_product")); {
		case action == "add":
			setLine(sent, count, url.Values{"quantity": {"1"}, "tax_codes": sent[lineName(count-1, "tax_codes")]})
			how.added = true
		case action == "add-product" && ok:
			if err := addProductLine(v, tx, sent, count, chosen); err != nil {
				return nil, err
			}
			how.added = true
		}
		var draft *billing.Invoice
		if invoice != nil {
			found, err := billing.InvoiceByID(v.ctx, tx, *invoice)
			if err != nil {
				return nil, err
			}
			draft = &found
		}
		return invoiceEditor(v, tx, draft, keyed(page.FormOf(sent)), how)
	})
}

// addProductLine takes an empty last line, or adds one. A price in another currency would be another price.
func addProductLine(v *visit, tx *tenant.Tx, sent url.Values, count int, product billing.ProductID) error {
	p, err := billing.ProductByID(v.ctx, tx, product)
	if err != nil {
		return err
	}
	taxes := sent[lineName(count-1, "tax_codes")]
	if count > 0 && sent.Get(lineName(count-1, "description")) == "" && sent.Get(lineName(count-1, "unit_price")) == "" {
		count--
	}
	line := url.Values{"product_id": {p.ID.String()}, "description": {p.Name}, "quantity": {"1"}, "tax_codes": taxes}
	if p.Currency.Code() == sent.Get("currency") {
		line.Set("unit_price", page.PlainPrice(p.UnitPrice, p.Currency))
	}
	setLine(sent, count, line)
	sent.Del("choose_product")
	sent.Del("find_product")
	return nil
}

func showInvoicePreview(v *visit) error {
	sent, err := readLines(v, "tax_codes")
	if err != nil {
		return err
	}
	count := orderLines(sent, func(int, url.Values) bool { return false })
	var totals page.Totals
	err = v.run(func(tx *tenant.Tx) (err error) {
		totals, err = previewTotals(v.ctx, tx, page.FormOf(sent), count)
		return err
	})
	if err != nil {
		return err
	}
	return v.part("invoice-edit", "preview", totals)
}

// invoiceInput reads the editor's form, without the lines in which nothing stands. All that is wrong in it comes at once.
func invoiceInput(sent url.Values, draft bool) (in billing.InvoiceInput, version int, err error) {
	count := orderLines(sent, func(_ int, line url.Values) bool {
		return blank(line, "description", "unit_price", "product_id", "discount_percent")
	})
	if draft {
		if version, err = versionOf(sent); err != nil {
			return in, 0, err
		}
	}
	body := InvoiceBody{ExternalID: sent.Get("external_id"), CustomerID: sent.Get("customer_id"), IssueDate: sent.Get("issue_date"),
		DueDate: sent.Get("due_date"), Currency: sent.Get("currency"), Reference: sent.Get("reference"), Note: sent.Get("note")}.whole(sent)
	for i := range count {
		body.Lines = append(body.Lines, lineBody(sent, i))
	}
	in, err = body.input()
	return in, version, err
}

// whole adds what the editor says of the document as a whole.
func (b InvoiceBody) whole(sent url.Values) InvoiceBody {
	get := func(name string) string { return strings.TrimSpace(sent.Get(name)) }
	b.PurchaseOrder, b.Language, b.PricesWithTax = sent.Get("purchase_order"), get("language"), get("prices_with_tax") != ""
	b.DiscountPercent, b.Discount = get("discount_percent"), get("discount")
	return b
}

func lineBody(sent url.Values, index int) InvoiceLineBody {
	get := func(name string) string { return strings.TrimSpace(sent.Get(lineName(index, name))) }
	return InvoiceLineBody{ProductID: get("product_id"), Description: sent.Get(lineName(index, "description")), Quantity: get("quantity"),
		UnitPrice: get("unit_price"), DiscountPercent: get("discount_percent"), AccountID: get("account_id"), TaxCodes: sent[lineName(index, "tax_codes")]}
}

// invoiceForm is a draft as the editor shows it.
func invoiceForm(draft billing.Invoice) page.Form {
	form := page.NewForm("customer_id", draft.Customer.ID.String(), "issue_date", draft.IssueDate.String(), "due_date", draft.DueDate.String(),
		"currency", draft.Currency.Code(), "reference", draft.Reference, "purchase_order", draft.PurchaseOrder, "language", string(draft.Language), "note", draft.Note, "external_id", draft.ExternalID,
		"version", strconv.Itoa(draft.Version))
	if draft.PricesWithTax {
		form.Values.Set("prices_with_tax", "yes")
	}
	if !draft.DiscountPercent.IsZero() {
		form.Values.Set("discount_percent", draft.DiscountPercent.String())
	} else if !draft.Discount.IsZero() {
		form.Values.Set("discount", draft.Discount.String())
	}
	for i, l := range draft.Lines {
		line := url.Values{"description": {l.Description}, "quantity": {l.Quantity.String()},
			"unit_price": {page.PlainPrice(l.UnitPrice, draft.Currency)}, "account_id": {l.Account.String()}}
		if !l.Product.IsZero() {
			line.Set("product_id", l.Product.String())
		}
		if !l.DiscountPercent.IsZero() {
			line.Set("discount_percent", l.DiscountPercent.String())
		}
		for _, t := range l.Taxes {
			line.Add("tax_codes", t.Code)
		}
		setLine(form.Values, i, line)
	}
	return form
}
