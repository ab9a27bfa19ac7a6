package web

import (
	"context"
	"strings"

	"github.com/countinghouse/countinghouse/billing/ledger"
	"github.com/countinghouse/countinghouse/billing/money"
	"github.com/countinghouse/countinghouse/billing/report"
	"github.com/countinghouse/countinghouse/tenant"
)

// tableReport is a report that comes as a table: page, files and API all show the same one.
type tableReport struct {
	key, title, icon string
	say              string // what it is for, in a sentence
	oneDay           bool   // it is of a day, not of a period
	by               bool   // it is asked for by something
	payees           bool   // its rows are about payees
	read             func(ctx context.Context, tx *tenant.Tx, a askedTable) (report.Table, error)
}

// byPayee says that rows are about payees.
const byPayee = "payee"

// askedTable is what a table is asked for.
type askedTable struct {
	period   report.Period
	currency money.Currency
	by       string
}

var tableReports = []tableReport{
	{key: "profit-and-loss", title: "Profit and loss", icon: "chart-column",
		say: "What was earned and spent, and what is left of it.",
		read: func(ctx context.Context, tx *tenant.Tx, a askedTable) (report.Table, error) {
			return report.ProfitAndLoss(ctx, tx, a.period, a.currency)
		}},
	{key: "balance-sheet", title: "Balance sheet", icon: "scale",
		say: "What there is, what is owed, and what belongs to the owners, at the end of a day.",
		read: func(ctx context.Context, tx *tenant.Tx, a askedTable) (report.Table, error) {
			return report.BalanceSheet(ctx, tx, a.period, a.currency)
		}},
	{key: "cash-flow", title: "Cash flow", icon: "wallet",
		say: "What money came and went, and what for.",
		read: func(ctx context.Context, tx *tenant.Tx, a askedTable) (report.Table, error) {
			return report.CashFlow(ctx, tx, a.period, a.currency)
		}},
	{key: "aged-receivables", title: "Aged receivables", icon: "clock-alert", oneDay: true,
		say: "What each customer owes, by how late it is.",
		read: func(ctx context.Context, tx *tenant.Tx, a askedTable) (report.Table, error) {
			return report.AgedReceivables(ctx, tx, a.period.To, a.currency)
		}},
	{key: "aged-payables", title: "Aged payables", icon: "clock-alert", oneDay: true, payees: true,
		say: "What you owe each payee, by how late it is.",
		read: func(ctx context.Context, tx *tenant.Tx, a askedTable) (report.Table, error) {
			return report.AgedPayables(ctx, tx, a.period.To, a.currency)
		}},
	{key: "sales", title: "Sales", icon: "hand-coins", by: true,
		say: "What was sold, without taxes, by customer or by product.",
		read: func(ctx context.Context, tx *tenant.Tx, a askedTable) (report.Table, error) {
			return report.Sales(ctx, tx, a.by, a.period, a.currency)
		}},
}

// askTable reads what a table is asked for, whether by an address or by the API. Days that are left out are filled in by
// the organization's day.
func (r tableReport) askTable(ctx context.Context, tx *tenant.Tx, query func(name string) string) (a askedTable, err error) {
	if code := strings.TrimSpace(query("currency")); code != "" {
		if a.currency, err = money.ParseCurrency(code); err != nil {
			return a, at("currency", err)
		}
	}
	if a.by = query("by"); a.by == "" {
		a.by = report.ByCustomer
	}
	if r.payees {
		a.by = byPayee
	}
	today, err := ledger.Today(ctx, tx)
	if err != nil {
		return a, err
	}
	if r.oneDay {
		if a.period.To, err = bodyDate("as_of", query("as_of")); a.period.To.IsZero() {
			a.period.To = today
		}
		return a, err
	}
	if a.period, err = (PeriodInput{query("from"), query("to")}).period(); err != nil {
		return a, err
	}
	a.period, err = a.period.Filled(today)
	return a, err
}
