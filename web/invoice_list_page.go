package web

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"

	"github.com/google/uuid"

	"github.com/countinghouse/countinghouse/authz"
	"github.com/countinghouse/countinghouse/billing"
	"github.com/countinghouse/countinghouse/billing/sheet"
	"github.com/countinghouse/countinghouse/internal/cursor"
	"github.com/countinghouse/countinghouse/internal/fault"
	"github.com/countinghouse/countinghouse/internal/id"
	"github.com/countinghouse/countinghouse/tenant"
	"github.com/countinghouse/countinghouse/web/page"
)

var (
	errNoneChosen = fault.New(fault.Invalid, "chosen.none", "Tick the invoices first, then say what to do with them.")
	errChosenAct  = fault.New(fault.Invalid, "chosen.act", "This list cannot do that. Open the page again.")
)

// mostChosen is a page of the list.
const mostChosen = 100

// invoiceFields are what the address of the list says, beside where its page begins.
var invoiceFields = []string{"standing", "customer", "q", "period", "from", "to"}

func (s *Server) registerInvoiceListPages() {
	s.member("GET", "/invoices", rightTo(authz.Read, authz.Invoices), func(v *visit) error { return showInvoices(v, http.StatusOK, page.Form{}) })
	s.member("GET", "/invoices.csv", rightTo(authz.Export, authz.Invoices), sendInvoicesCSV)
	s.member("POST", "/invoices/chosen", rightTo(authz.Approve, authz.Invoices), sendChosenInvoices)
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

// sendInvoicesCSV gives exactly the invoices that the address leaves of the list, and has it on record that someone took
// them.
func sendInvoicesCSV(v *visit) error {
	var filter billing.InvoiceFilter
	err := v.run(func(tx *tenant.Tx) (err error) {
		if filter, err = v.invoiceFilter(tx); err != nil {
			return err
		}
		if _, err = billing.Invoices(v.ctx, tx, filter, cursor.Query{Limit: 1}); err != nil {
			return err
		}
		return tx.Record(v.ctx, tenant.Act{Action: "invoice.export", Object: "invoice", Detail: "invoices.csv"})
	})
	if err != nil {
		return err
	}
	return v.stream("invoices.csv", "text/csv; charset=utf-8", func(ctx context.Context, run func(fn func(tx *tenant.Tx) error) error, w io.Writer) error {
		g, err := sheet.New(w, sheet.CSV)
		if err != nil {
			return err
		}
		if err := writeInvoices(ctx, run, g, filter); err != nil {
			return err
		}
		return g.Close()
	})
}

func writeInvoices(ctx context.Context, run func(fn func(tx *tenant.Tx) error) error, g sheet.Grid, filter billing.InvoiceFilter) error {
	if err := g.Row("number", "state", "customer", "company", "order_number", "reference", "issued", "due", "currency", "net", "tax", "total", "open"); err != nil {
		return err
	}
	q := cursor.Query{Limit: cursor.Max}
	for {
		var found cursor.Page[billing.InvoiceHead]
		err := run(func(tx *tenant.Tx) (err error) {
			found, err = billing.Invoices(ctx, tx, filter, q)
			return err
		})
		if err != nil {
			return err
		}
		for _, h := range found.Items {
			err := g.Row(h.Number, string(h.Standing(h.Today)), h.Customer.Name, h.Customer.Company, h.PurchaseOrder, h.Reference,
				h.IssueDate, h.DueDate, h.Currency.Code(), h.Net, h.Tax, h.Total, h.Open())
			if err != nil {
				return err
			}
		}
		if !found.HasMore || len(found.Items) == 0 {
			return nil
		}
		q.After = found.Items[len(found.Items)-1].ID.UUID
	}
}

// chosenActs are what can be done with several invoices at once, by the value of the button.
var chosenActs = map[string]struct {
	said string
	do   func(ctx context.Context, tx *tenant.Tx, invoice billing.InvoiceID) error
}{
	"issue": {"Issued", func(ctx context.Context, tx *tenant.Tx, i billing.InvoiceID) error {
		_, err := billing.IssueInvoice(ctx, tx, i, 0)
		return err
	}},
	"mail": {"Mailed", func(ctx context.Context, tx *tenant.Tx, i billing.InvoiceID) error {
		_, err := billing.MailInvoice(ctx, tx, i, billing.MailInput{})
		return err
	}},
	"void": {"Voided", func(ctx context.Context, tx *tenant.Tx, i billing.InvoiceID) error {
		_, err := billing.VoidInvoice(ctx, tx, i, 0)
		return err
	}},
}

// sendChosenInvoices does one thing to all that were ticked, or to none of them: a list of which half is done is worse to
// put right than one that was refused.
func sendChosenInvoices(v *visit) error {
	sent, err := readForm(v.c, "chosen")
	if err != nil {
		return err
	}
	act, known := chosenActs[sent.Get("act")]
	count := len(sent["chosen"])
	return v.perform(sent, func(tx *tenant.Tx, sent url.Values) (uuid.UUID, error) {
		switch {
		case !known:
			return uuid.Nil, errChosenAct
		case count == 0:
			return uuid.Nil, errNoneChosen
		case count > mostChosen:
			return uuid.Nil, errChosenAct
		}
		for _, text := range sent["chosen"] {
			invoice, ok := id.Parse[billing.Invoice](text)
			if !ok {
				return uuid.Nil, errNoID
			}
			if err := act.do(v.ctx, tx, invoice); err != nil {
				return uuid.Nil, nameInvoice(v, tx, invoice, err)
			}
		}
		return uuid.Nil, nil
	}, func(uuid.UUID) string {
		if count == 1 {
			say(v.c, act.said+" one invoice")
		} else {
			say(v.c, act.said+" "+page.Plural(count, "invoice", "invoices"))
		}
		return v.kept("invoices", invoiceFields)
	}, func(form page.Form) error { return showInvoices(v, http.StatusUnprocessableEntity, form) })
}

// nameInvoice says in a refusal which of several invoices it was about.
func nameInvoice(v *visit, tx *tenant.Tx, invoice billing.InvoiceID, refused error) error {
	var f *fault.Error
	if !errors.As(refused, &f) || f.Kind == fault.NotFound {
		return refused
	}
	i, err := billing.InvoiceByID(v.ctx, tx, invoice)
	if err != nil {
		return errors.Join(refused, err)
	}
	name := i.Number
	if name == "" {
		name = "the draft for " + i.Customer.Name
	}
	return f.Sayf("Nothing was done, because of %s: %s", name, f.Say)
}
