package web

import (
	"github.com/countinghouse/countinghouse/billing"
	"github.com/countinghouse/countinghouse/billing/money"
	"github.com/countinghouse/countinghouse/tenant"
	"github.com/countinghouse/countinghouse/web/page"
)

// standingTab is one way to see a list of documents.
type standingTab struct {
	label    string
	standing billing.Standing
}

// documentTabs are the ways to see a list, with how many stand so. The counts are of all: with a search they would be of
// another list.
func documentTabs(v *visit, path, label string, counts map[billing.Standing]int, tabs ...standingTab) page.Tabs {
	all := 0
	for _, n := range counts {
		all += n
	}
	drawn := page.Tabs{Label: label}
	for _, t := range append([]standingTab{{"All", ""}}, tabs...) {
		address, count := v.kept(path, []string{"q", "customer", "payee", "period", "from", "to"}, "standing", string(t.standing)), all
		if t.standing != "" {
			count = counts[t.standing]
		}
		drawn.Tabs = append(drawn.Tabs, page.Tab{Label: t.label, URL: address, Count: count,
			Counted: v.query("q") == "" && v.query("customer") == "" && v.query("payee") == "" && !v.narrowedByDay(), Current: v.query("standing") == string(t.standing)})
	}
	return drawn
}

// documentList fills in what lists of documents have in common.
func documentList(v *visit, tx *tenant.Tx, title, path string) (page.Documents, error) {
	data := page.Documents{NewURL: v.at(path, "new"), Find: v.find(path, "Number, order number or customer", "standing", "customer", "period", "from", "to"),
		Periods: v.periods(path, "Issued", "standing", "customer", "q")}
	data.Narrowed = v.query("standing") != "" || v.query("customer") != "" || data.Find.Search != "" || v.narrowedByDay()
	var err error
	data.Shell, err = v.frame(tx, title, path)
	data.Table.Shell = data.Shell
	return data, err
}

// documentColumn looks how the amounts of a list are to be written.
func documentColumn(v *visit, tx *tenant.Tx, rows []page.DocumentRow) (page.Column, error) {
	settings, err := billing.LoadSettings(v.ctx, tx)
	totals := make([]money.Amount, len(rows))
	for i, r := range rows {
		totals[i] = r.Total
	}
	return page.ColumnOf(settings.BaseCurrency, totals...), err
}

// openInvoices are a customer's open invoices in a currency to choose from, the oldest first.
func openInvoices(v *visit, tx *tenant.Tx, customer billing.CustomerID, currency money.Currency) ([]page.Option, error) {
	open, err := billing.OpenInvoices(v.ctx, tx, customer, currency)
	var options []page.Option
	for _, i := range open {
		options = append(options, page.Option{Value: i.ID.String(), Label: i.Number + ", " + i.Open().String() + " open, due " + i.DueDate.String()})
	}
	return options, err
}
