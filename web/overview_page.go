package web

import (
	"errors"
	"fmt"
	"net/http"

	"github.com/countinghouse/countinghouse/authz"
	"github.com/countinghouse/countinghouse/billing"
	"github.com/countinghouse/countinghouse/billing/money"
	"github.com/countinghouse/countinghouse/billing/proof"
	"github.com/countinghouse/countinghouse/billing/report"
	"github.com/countinghouse/countinghouse/internal/cursor"
	"github.com/countinghouse/countinghouse/tenant"
	"github.com/countinghouse/countinghouse/web/page"
)

// How many invoices the overview shows of each sort.
const (
	shownOverdue = 5
	shownRecent  = 5
)

func (s *Server) registerOverviewPage() {
	s.member("GET", "", rightTo(authz.Read, authz.Invoices), showOverview)
}

// figures reads what is owed, had and earned, in a transaction of its own: amounts that add up to more than can be shown
// must cost the figures and not the page. ok is false for such.
func (v *visit) figures() (figures report.Figures, ok bool, err error) {
	err = v.run(func(tx *tenant.Tx) (err error) {
		figures, err = report.FiguresOf(v.ctx, tx)
		return err
	})
	if errors.Is(err, report.ErrSumTooLarge) {
		return report.Figures{}, false, nil
	}
	return figures, err == nil, err
}

func showOverview(v *visit) error {
	figures, ok, err := v.figures()
	if err != nil {
		return err
	}
	return v.show(http.StatusOK, "overview", func(tx *tenant.Tx) (any, error) {
		data := page.Overview{Books: ok && v.may(rightTo(authz.Read, authz.Reports)), TooLarge: !ok}
		var err error
		if data.Shell, err = v.frame(tx, "Overview", "overview"); err != nil {
			return nil, err
		}
		settings, err := billing.LoadSettings(v.ctx, tx)
		if err != nil {
			return nil, err
		}
		fillFigures(figures, settings, &data)
		if err := fillRecent(v, tx, settings, &data); err != nil {
			return nil, err
		}
		if err := fillProof(v, tx, &data); err != nil {
			return nil, err
		}
		return data, fillSetUp(v, tx, &data)
	})
}

func fillFigures(figures report.Figures, settings billing.Settings, data *page.Overview) {
	data.Owed = owedPage(figures.Owed)
	late := 0
	for _, o := range figures.Owed {
		late += o.OverdueInvoices
	}
	switch {
	case late == 1:
		data.Say = "One invoice is overdue."
	case late > 1:
		data.Say = fmt.Sprintf("%d invoices are overdue.", late)
	case len(data.Owed) > 0:
		data.Say = "Nothing is overdue."
	}
	if !data.Books {
		return
	}
	data.Owing = owedPage(figures.Owing)
	for i, cash := range figures.Cash {
		if i == 0 || !cash.IsZero() {
			data.Cash = append(data.Cash, cash)
		}
	}
	months := make([]page.Month, len(figures.Months))
	for i, m := range figures.Months {
		months[i] = page.Month{Label: m.First.Month().String()[:3], Income: m.Income, Expenses: m.Expenses}
	}
	if len(months) > 0 {
		data.Month = []money.Amount{months[len(months)-1].Income}
	}
	data.Chart = page.NewChart(settings.BaseCurrency, months)
}

func fillRecent(v *visit, tx *tenant.Tx, settings billing.Settings, data *page.Overview) error {
	overdue, err := billing.Overdue(v.ctx, tx, shownOverdue)
	if err != nil {
		return err
	}
	data.Overdue = page.NewInvoiceTable(data.Shell, settings.BaseCurrency, overdue)
	latest, err := billing.Invoices(v.ctx, tx, billing.InvoiceFilter{}, cursor.Query{Limit: 4 * shownRecent})
	if err != nil {
		return err
	}
	var issued []billing.InvoiceHead
	for _, h := range latest.Items {
		if h.State == billing.Issued && len(issued) < shownRecent {
			issued = append(issued, h)
		}
	}
	data.Recent = page.NewInvoiceTable(data.Shell, settings.BaseCurrency, issued)
	return nil
}

// fillProof tells readers of reports what the last night's proof came to.
func fillProof(v *visit, tx *tenant.Tx, data *page.Overview) error {
	if !v.may(rightTo(authz.Read, authz.Reports)) {
		return nil
	}
	p, err := proof.Latest(v.ctx, tx)
	if err != nil {
		return err
	}
	data.Proof = page.Proved{At: p.At, WholeAt: p.WholeAt, Entries: int(p.Entries), More: p.Found - len(p.Findings)}
	for _, f := range p.Findings {
		data.Proof.Findings = append(data.Proof.Findings, page.Disagreement{Say: f.Say, URL: v.findingURL(f)})
	}
	return nil
}

// findingURL is where to look at what does not agree.
func (v *visit) findingURL(f proof.Finding) string {
	switch {
	case f.Kind == "credit_note" && v.may(rightTo(authz.Read, authz.Invoices)):
		return v.at("credit-notes", f.ID.String())
	case f.Kind == "bank" && v.may(rightTo(authz.Read, authz.Bank)):
		return v.at("bank", f.ID.String())
	case f.Kind == "":
		return ""
	}
	return v.objectURL(f.Kind, f.ID)
}

// fillSetUp looks in the books for what has been done; nothing is ticked by hand.
func fillSetUp(v *visit, tx *tenant.Tx, data *page.Overview) error {
	one := cursor.Query{Limit: 1}
	customers, err := billing.Customers(v.ctx, tx, billing.CustomerFilter{}, one)
	if err != nil {
		return err
	}
	products, err := billing.Products(v.ctx, tx, billing.ProductFilter{}, one)
	if err != nil {
		return err
	}
	counts, err := billing.InvoiceCounts(v.ctx, tx)
	if err != nil {
		return err
	}
	payments, err := billing.Payments(v.ctx, tx, billing.PaymentFilter{}, one)
	if err != nil {
		return err
	}
	issued := 0
	for standing, n := range counts {
		if standing != billing.StandingDraft {
			issued += n
		}
	}
	step := func(done bool, right authz.Right, label, say, way string, path ...string) page.Step {
		s := page.Step{Label: label, Say: say, Way: way, Done: done}
		if v.may(right) {
			s.URL = v.at(path...)
		}
		return s
	}
	data.SetUp = []page.Step{
		step(len(customers.Items) > 0, rightTo(authz.Create, authz.Customers), "Add a customer", "Whom you sell to", "Add customer", "customers", "new"),
		step(len(products.Items) > 0, rightTo(authz.Create, authz.Products), "Add a product", "What you sell, so that a line is a choice away", "Add product", "products", "new"),
		step(issued > 0, rightTo(authz.Create, authz.Invoices), "Issue an invoice", "It stays a draft until you issue it", "New invoice", "invoices", "new"),
		step(len(payments.Items) > 0, rightTo(authz.Create, authz.Payments), "Record a payment", "Open the invoice that was paid", "Go to invoices", "invoices"),
	}
	data.SetUpEnd = data.Done() == len(data.SetUp)
	return nil
}
