package web

import (
	"cmp"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/google/uuid"

	"github.com/countinghouse/countinghouse/authz"
	"github.com/countinghouse/countinghouse/billing"
	"github.com/countinghouse/countinghouse/internal/id"
	"github.com/countinghouse/countinghouse/tenant"
	"github.com/countinghouse/countinghouse/web/page"
)

func showNewDocument(v *visit, d desk) error {
	customer := cmp.Or(v.query("customer"), v.query("payee"))
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
		if d.fill != nil {
			if err := d.fill(v.ctx, tx, uuid.Nil, &form); err != nil {
				return nil, err
			}
		}
		return documentEditor(v, tx, d, uuid.Nil, 0, form, editing{})
	})
}

func showDocumentEdit(v *visit, d desk) error {
	document, err := idParam[billing.Document](v, "id")
	if err != nil {
		return err
	}
	if err := v.findOthers(); err != nil {
		return err
	}
	issued := false
	var data any
	err = v.run(func(tx *tenant.Tx) error {
		draft, err := d.read(v.ctx, tx, document.UUID)
		if err != nil {
			return err
		}
		if issued = draft.State != billing.Draft; issued {
			return nil
		}
		form := keyed(documentForm(draft))
		if d.fill != nil {
			if err := d.fill(v.ctx, tx, document.UUID, &form); err != nil {
				return err
			}
		}
		data, err = documentEditor(v, tx, d, document.UUID, draft.Version, form, editing{})
		return err
	})
	if err != nil {
		return err
	}
	if issued {
		return v.c.Redirect(v.at(d.path, document.String()), http.StatusSeeOther)
	}
	return render(v.c, http.StatusOK, "invoice-edit", data)
}

// handleEditor does what the pressed button of the editor says: only save and issue keep something. No document is a
// new one.
func handleEditor(v *visit, d desk, document uuid.UUID) error {
	sent, err := readLines(v, "tax_codes")
	if err != nil {
		return err
	}
	action := sent.Get("action")
	if action == "keep" && !d.repeats {
		return keepDraft(v, d, document, sent)
	}
	if action != "save" && (action != "issue" || d.repeats) {
		return reshapeEditor(v, d, document, sent, action)
	}
	if d.with != nil {
		d = d.with(sent)
	}
	said := "Saved"
	return v.send([]string{"tax_codes"}, func(tx *tenant.Tx, sent url.Values) (uuid.UUID, error) {
		made, version, err := saveDraft(v, tx, d, document, sent)
		if err != nil || action == "save" {
			said = cmp.Or(d.words.Saved, "Draft saved")
			return made, err
		}
		if err := v.need(tx, rightTo(authz.Approve, d.module)); err != nil {
			return uuid.Nil, err
		}
		number, err := d.issue(v.ctx, tx, made, version)
		said = d.done + " " + number
		return made, err
	}, func(made uuid.UUID) string {
		say(v.c, said)
		return v.at(d.path, made.String())
	}, func(form page.Form) error {
		return showEditor(v, http.StatusUnprocessableEntity, d, document, form, editing{unsaved: true})
	})
}

func showEditor(v *visit, status int, d desk, document uuid.UUID, form page.Form, how editing) error {
	return v.show(status, "invoice-edit", func(tx *tenant.Tx) (any, error) {
		if document == uuid.Nil {
			return documentEditor(v, tx, d, uuid.Nil, 0, form, how)
		}
		draft, err := d.read(v.ctx, tx, document)
		if err != nil {
			return nil, err
		}
		renewVersion(&form, draft.Version)
		return documentEditor(v, tx, d, document, draft.Version, form, how)
	})
}

// reshapeEditor adds and removes lines and finds customers and products; nothing is kept.
func reshapeEditor(v *visit, d desk, document uuid.UUID, sent url.Values, action string) error {
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
		version := 0
		if document != uuid.Nil {
			found, err := d.read(v.ctx, tx, document)
			if err != nil {
				return nil, err
			}
			version = found.Version
		}
		return documentEditor(v, tx, d, document, version, keyed(page.FormOf(sent)), how)
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

// documentInput reads the editor's form, without the lines in which nothing stands. All that is wrong in it comes at once.
func documentInput(sent url.Values, draft bool) (in billing.DocumentInput, version int, err error) {
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

// documentForm is a draft as the editor shows it.
func documentForm(draft billing.Document) page.Form {
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
