package web

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"

	"github.com/google/uuid"

	"github.com/countinghouse/countinghouse/authz"
	"github.com/countinghouse/countinghouse/billing"
	"github.com/countinghouse/countinghouse/billing/money"
	"github.com/countinghouse/countinghouse/billing/proof"
	"github.com/countinghouse/countinghouse/billing/report"
	"github.com/countinghouse/countinghouse/internal/civil"
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
	s.anyMember("GET", "", showOverview)
	s.answerMember(Route{Method: "POST", Path: "/o/:slug/first-steps", AnyRight: true, Kinds: []tenant.Kind{tenant.Member, tenant.Support}, Closed: true}, sendFirstSteps)
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

// cashByWeek reads cash over time, in a transaction of its own as figures does.
func (v *visit) cashByWeek() (days []page.CashDay, err error) {
	if !v.may(rightTo(authz.Read, authz.Reports)) {
		return nil, nil
	}
	err = v.run(func(tx *tenant.Tx) error {
		found, err := report.CashByWeek(v.ctx, tx)
		days = nil // it may run twice
		for _, d := range found {
			days = append(days, page.CashDay(d))
		}
		return err
	})
	if errors.Is(err, report.ErrSumTooLarge) {
		return nil, nil
	}
	return days, err
}

// guarded says whether the reader has a second step. What guards support is not asked here.
func (v *visit) guarded() (bool, error) {
	if isSupport(v.scope) {
		return false, nil
	}
	f, err := v.server.Identity.SecondFactors(v.ctx, v.scope.Person().ID)
	return f.On(), err
}

func showOverview(v *visit) error {
	figures, ok, err := v.figures()
	if err != nil {
		return err
	}
	cash, err := v.cashByWeek()
	if err != nil {
		return err
	}
	guarded, err := v.guarded()
	if err != nil {
		return err
	}
	return v.show(http.StatusOK, "overview", func(tx *tenant.Tx) (any, error) {
		data := page.Overview{Books: ok && v.may(rightTo(authz.Read, authz.Reports)), Sales: v.may(rightTo(authz.Read, authz.Invoices)),
			Purchases: v.may(rightTo(authz.Read, authz.Bills)), TooLarge: !ok}
		var err error
		if data.Shell, err = v.frame(tx, "Overview", "overview"); err != nil {
			return nil, err
		}
		settings, err := billing.LoadSettings(v.ctx, tx)
		if err != nil {
			return nil, err
		}
		fillFigures(v, figures, settings, &data)
		data.CashTime = page.NewCashChart(cash)
		if err := fillRecent(v, tx, settings, &data); err != nil {
			return nil, err
		}
		if err := fillProof(v, tx, &data); err != nil {
			return nil, err
		}
		return data, fillSetUp(v, tx, guarded, &data)
	})
}

// fillFigures puts in what the reader may see: what is owed to you for who reads invoices, what you owe for who reads
// bills, all else for who reads reports.
func fillFigures(v *visit, figures report.Figures, settings billing.Settings, data *page.Overview) {
	if data.Sales {
		data.Owed = owedPage(figures.Owed)
		data.Say = saidOverdue(figures.Owed)
	}
	if data.Purchases {
		data.Owing = owedPage(figures.Owing)
	}
	if !data.Books {
		return
	}
	for i, cash := range figures.Cash {
		if i == 0 || !cash.IsZero() {
			data.Cash = append(data.Cash, cash)
		}
	}
	months := make([]page.Month, len(figures.Months))
	for i, m := range figures.Months {
		months[i] = page.Month{First: m.First, Income: m.Income, Expenses: m.Expenses,
			URL: v.at("reports", "profit-and-loss") + "?" + url.Values{"from": {m.First.String()}, "to": {civil.On(m.First.Year(), m.First.Month()+1, 0).String()}}.Encode()}
	}
	if len(months) > 0 {
		data.Month = []money.Amount{months[len(months)-1].Income}
	}
	data.Chart = page.NewChart(settings.BaseCurrency, months)
}

// saidOverdue says what is overdue; nothing where nothing is owed.
func saidOverdue(owed []report.OwedFigure) string {
	late := 0
	for _, o := range owed {
		late += o.OverdueInvoices
	}
	switch {
	case late == 1:
		return "One invoice is overdue."
	case late > 1:
		return fmt.Sprintf("%d invoices are overdue.", late)
	case len(owed) > 0:
		return "Nothing is overdue."
	}
	return ""
}

func fillRecent(v *visit, tx *tenant.Tx, settings billing.Settings, data *page.Overview) error {
	if !data.Sales {
		return nil
	}
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

// fillSetUp looks in the books for what has been done; nothing is ticked by hand. What the reader may not do is not
// asked of them.
func fillSetUp(v *visit, tx *tenant.Tx, guarded bool, data *page.Overview) error {
	f, err := billing.FirstStepsOf(v.ctx, tx, tx.Scope().Person().ID)
	if err != nil {
		return err
	}
	step := func(done bool, right authz.Right, label, say, way string, path ...string) {
		if !v.may(right) {
			return
		}
		data.SetUp = append(data.SetUp, page.Step{Label: label, Say: say, Way: way, Done: done, URL: v.at(path...)})
	}
	step(f.Address && f.TaxNumber, rightTo(authz.Change, authz.Settings), "Say who you are", "Address and tax number, as they stand on your documents", "Fill in", "settings")
	step(f.Logo, rightTo(authz.Change, authz.Settings), "Add your logo", "It heads your documents and mail", "Add logo", "settings", "branding")
	step(f.Customer, rightTo(authz.Create, authz.Customers), "Add a customer", "Whom you sell to, by hand or from a file of another program", "Add customer", "customers", "new")
	if n := len(data.SetUp); n > 0 && !f.Customer && v.may(rightTo(authz.Create, authz.Imports)) {
		data.SetUp[n-1].Other, data.SetUp[n-1].OtherURL = "Import", v.at("settings", "imports")
	}
	step(f.Product, rightTo(authz.Create, authz.Products), "Add a product", "What you sell, so that a line is a choice away", "Add product", "products", "new")
	step(f.Issued, rightTo(authz.Create, authz.Invoices), "Issue an invoice", "It stays a draft until you issue it", "New invoice", "invoices", "new")
	step(f.Gateway, rightTo(authz.Create, authz.Gateways), "Let customers pay by a link", "By card or transfer, booked by itself", "Choose a way", "settings", "gateways")
	step(f.Paid, rightTo(authz.Create, authz.Payments), "Record a payment", "Open the invoice that was paid", "Go to invoices", "invoices")
	step(f.Bank, rightTo(authz.Create, authz.Bank), "Bring in your bank’s statement", "Its lines find their invoices", "Go to the bank", "bank")
	step(f.Colleagues, rightTo(authz.Create, authz.Members), "Invite your bookkeeper", "You choose what they may see and do", "Invite", "members")
	if !isSupport(v.scope) {
		data.SetUp = append(data.SetUp, page.Step{Label: "Turn on a second step", Say: "Two minutes, with an app or a passkey: your password alone opens nothing then", Way: "Turn on", Done: guarded, URL: "/account/second-step"})
	}
	data.SetUpEnd = data.Done() == len(data.SetUp)
	data.Away = f.Away
	data.Put = page.Act{URL: v.at("first-steps"), Label: "Put away", Class: "btn-small btn-quiet", Icon: "x", Key: newFormKey()}
	if f.Away {
		data.Put.Label, data.Put.Icon, data.Put.URL = "Show the first steps", "list-checks", data.Put.URL+"?back=yes"
	}
	return nil
}

// sendFirstSteps puts the list of first steps away for its reader, or brings it back.
func sendFirstSteps(v *visit) error {
	return v.send(nil, func(tx *tenant.Tx, _ url.Values) (uuid.UUID, error) {
		return uuid.Nil, billing.PutFirstSteps(v.ctx, tx, tx.Scope().Person().ID, v.query("back") == "")
	}, func(uuid.UUID) string { return v.home() }, func(page.Form) error { return v.c.Redirect(v.home(), http.StatusSeeOther) })
}
