package web

import (
	"cmp"
	"context"
	"net/http"
	"net/url"

	"github.com/google/uuid"

	"github.com/countinghouse/countinghouse/authz"
	"github.com/countinghouse/countinghouse/billing"
	"github.com/countinghouse/countinghouse/internal/cursor"
	"github.com/countinghouse/countinghouse/internal/fault"
	"github.com/countinghouse/countinghouse/tenant"
	"github.com/countinghouse/countinghouse/web/page"
)

var errNoneChosen = fault.New(fault.Invalid, "chosen.none", "Tick the invoices first, then say what to do with them.")

// invoiceFields are what the address of the list says, beside where its page begins.
var invoiceFields = []string{"standing", "customer", "q", "period", "from", "to"}

func (s *Server) registerInvoiceListPages() {
	s.member("GET", "/invoices", rightTo(authz.Read, authz.Invoices), func(v *visit) error { return showInvoices(v, http.StatusOK, page.Form{}) })
	s.member("GET", "/invoices.csv", rightTo(authz.Export, authz.Invoices), sendInvoicesCSV)
	s.member("POST", "/invoices/chosen", rightTo(authz.Approve, authz.Invoices), func(v *visit) error { return sendChosen(v, chosenInvoices()) })
}

// invoiceFilter reads what the address leaves of the list.
func (v *visit) invoiceFilter(tx *tenant.Tx) (f billing.InvoiceFilter, err error) {
	f = billing.InvoiceFilter{Standing: billing.Standing(v.query("standing")), Search: v.find("invoices", "").Search}
	if f.CustomerID, err = bodyID[billing.Customer]("customer", v.query("customer")); err != nil {
		return f, err
	}
	f.From, f.To, err = v.listDays(tx)
	return f, err
}

func showInvoices(v *visit, status int, form page.Form) error {
	q, err := v.page()
	if err != nil {
		return err
	}
	find := v.find("invoices", "Number, order number or customer", "standing", "customer", "period", "from", "to")
	data := page.Invoices{Find: find, Form: form, Narrowed: v.query("standing") != "" || v.query("customer") != "" || find.Search != "" || v.narrowedByDay()}
	// What is owed in all stands over the whole list alone: it costs as much as the list.
	if v.first() && v.query("customer") == "" && find.Search == "" && !v.narrowedByDay() {
		figures, ok, err := v.figures()
		if err != nil {
			return err
		}
		data.Told, data.Owed = ok, owedPage(figures.Owed)
	}
	return v.show(status, "invoices", func(tx *tenant.Tx) (any, error) {
		var err error
		if data.Shell, err = v.frame(tx, "Invoices", "invoices"); err != nil {
			return nil, err
		}
		filter, err := v.invoiceFilter(tx)
		if err != nil {
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
		if err != nil {
			return nil, err
		}
		sums, err := billing.InvoiceSums(v.ctx, tx, filter)
		data.Table = page.NewInvoiceTable(data.Shell, settings.BaseCurrency, found.Items).WithSums(settings.BaseCurrency, sums)
		data.Periods = v.periods("invoices", "Issued", "standing", "customer", "q")
		if v.may(rightTo(authz.Approve, authz.Invoices)) {
			data.Table.Choose, data.ChosenURL, data.ChosenKey = "chosen", v.kept("invoices/chosen", invoiceFields), newFormKey()
		}
		if v.may(rightTo(authz.Export, authz.Invoices)) {
			data.CSV = v.kept("invoices.csv", invoiceFields)
		}
		if status == http.StatusOK { // beside a refusal the address is not the list's
			data.Pager = pager(v, q, found, func(h billing.InvoiceHead) uuid.UUID { return h.ID.UUID }, "")
		}
		return data, err
	})
}

// sendInvoicesCSV gives exactly the invoices that the address leaves of the list.
func sendInvoicesCSV(v *visit) error {
	var filter billing.InvoiceFilter
	return sendListFile(v, listFile[billing.InvoiceHead]{
		name: "invoices.csv", object: "invoice",
		head:   []any{"number", "state", "customer", "company", "order_number", "reference", "issued", "due", "currency", "net", "tax", "total", "open"},
		narrow: func(tx *tenant.Tx) (err error) { filter, err = v.invoiceFilter(tx); return err },
		read: func(ctx context.Context, tx *tenant.Tx, q cursor.Query) (cursor.Page[billing.InvoiceHead], error) {
			return billing.Invoices(ctx, tx, filter, q)
		},
		id: func(h billing.InvoiceHead) uuid.UUID { return h.ID.UUID },
		row: func(h billing.InvoiceHead) []any {
			return []any{h.Number, string(h.Standing(h.Today)), h.Customer.Name, h.Customer.Company, h.PurchaseOrder, h.Reference,
				h.IssueDate, h.DueDate, h.Currency.Code(), h.Net, h.Tax, h.Total, h.Open()}
		},
	})
}

// chosenInvoices are what can be done with several invoices at once.
func chosenInvoices() chosenList {
	return chosenList{path: "invoices", fields: invoiceFields, one: "invoice", many: "invoices", none: errNoneChosen, show: showInvoices,
		name: func(ctx context.Context, tx *tenant.Tx, thing uuid.UUID) (string, error) {
			i, err := billing.InvoiceByID(ctx, tx, billing.InvoiceID{UUID: thing})
			return cmp.Or(i.Number, "the draft for "+i.Customer.Name), err
		},
		acts: map[string]chosenAct{
			"issue": {"Issued", func(ctx context.Context, tx *tenant.Tx, thing uuid.UUID, _ url.Values) error {
				_, err := billing.IssueInvoice(ctx, tx, billing.InvoiceID{UUID: thing}, 0)
				return err
			}},
			"mail": {"Mailed", func(ctx context.Context, tx *tenant.Tx, thing uuid.UUID, _ url.Values) error {
				_, err := billing.MailInvoice(ctx, tx, billing.InvoiceID{UUID: thing}, billing.MailInput{})
				return err
			}},
			"void": {"Voided", func(ctx context.Context, tx *tenant.Tx, thing uuid.UUID, _ url.Values) error {
				_, err := billing.VoidInvoice(ctx, tx, billing.InvoiceID{UUID: thing}, 0)
				return err
			}},
		}}
}
