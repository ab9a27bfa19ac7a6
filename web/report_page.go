package web

import (
	"bytes"
	"net/http"

	"github.com/countinghouse/countinghouse/authz"
	"github.com/countinghouse/countinghouse/billing"
	"github.com/countinghouse/countinghouse/billing/ledger"
	"github.com/countinghouse/countinghouse/billing/money"
	"github.com/countinghouse/countinghouse/billing/report"
	"github.com/countinghouse/countinghouse/internal/civil"
	"github.com/countinghouse/countinghouse/internal/id"
	"github.com/countinghouse/countinghouse/tenant"
	"github.com/countinghouse/countinghouse/web/page"
)

func (s *Server) registerReportPages() {
	s.member("GET", "/reports/trial-balance", rightTo(authz.Read, authz.Reports), showTrialBalance)
	s.member("GET", "/reports/customer-balances", rightTo(authz.Read, authz.Reports), showCustomerBalances)
	for _, format := range fileFormats {
		s.member("GET", "/reports/trial-balance."+string(format), rightTo(authz.Export, authz.Reports), func(v *visit) error { return fetchTrialBalance(v, format) })
		s.member("GET", "/reports/customer-balances."+string(format), rightTo(authz.Export, authz.Reports), func(v *visit) error { return fetchCustomerBalances(v, format) })
	}
}

// asOf reads the day of the address; without one it is today.
func (v *visit) asOf(tx *tenant.Tx) (civil.Date, error) {
	day, err := bodyDate("as_of", v.query("as_of"))
	if err != nil || !day.IsZero() {
		return day, err
	}
	return ledger.Today(v.ctx, tx)
}

func (v *visit) csvOf(report string, day civil.Date) string {
	if !v.may(rightTo(authz.Export, authz.Reports)) {
		return ""
	}
	return v.at("reports", report+".csv") + "?as_of=" + day.String()
}

func showTrialBalance(v *visit) error {
	return v.show(http.StatusOK, "trial-balance", func(tx *tenant.Tx) (any, error) {
		var data page.TrialBalance
		var err error
		if data.Shell, err = v.frame(tx, "Trial balance", "trial-balance"); err != nil {
			return nil, err
		}
		if data.AsOf, err = v.asOf(tx); err != nil {
			return nil, err
		}
		settings, err := billing.LoadSettings(v.ctx, tx)
		if err != nil {
			return nil, err
		}
		balance, err := report.TrialBalanceOf(v.ctx, tx, report.Period{To: data.AsOf})
		if err != nil {
			return nil, err
		}
		var rows []page.LedgerAccount
		for _, r := range ledgerRows(balance) {
			if r.Closing.IsZero() {
				continue
			}
			side := ledger.Line{Amount: r.Closing}
			r.Debit, r.Credit = side.Debit(), side.Credit()
			r.URL = v.at("ledger") + "?account=" + r.Account.ID.String() + "&to=" + data.AsOf.String() + "#open"
			rows = append(rows, r)
		}
		data.Groups, data.Column = groupRows(rows, settings.BaseCurrency)
		for _, t := range balance.Totals {
			data.Sums = append(data.Sums, page.LedgerSum{Debit: t.ClosingDebit, Credit: t.ClosingCredit, Closing: t.Closing})
		}
		data.CSV = v.csvOf("trial-balance", data.AsOf)
		return data, nil
	})
}

func fetchTrialBalance(v *visit, format report.Format) error {
	var out bytes.Buffer
	var day civil.Date
	err := v.run(func(tx *tenant.Tx) (err error) {
		if day, err = v.asOf(tx); err != nil {
			return err
		}
		balance, err := report.TrialBalanceOf(v.ctx, tx, report.Period{To: day})
		if err != nil {
			return err
		}
		out.Reset()
		return report.WriteTrialBalance(&out, format, balance)
	})
	if err != nil {
		return err
	}
	return v.fileAs("trial-balance-"+day.String(), format, out.Bytes())
}

func showCustomerBalances(v *visit) error {
	return v.show(http.StatusOK, "customer-balances", func(tx *tenant.Tx) (any, error) {
		var data page.CustomerBalances
		var err error
		if data.Shell, err = v.frame(tx, "Customer balances", "customer-balances"); err != nil {
			return nil, err
		}
		if data.AsOf, err = v.asOf(tx); err != nil {
			return nil, err
		}
		settings, err := billing.LoadSettings(v.ctx, tx)
		if err != nil {
			return nil, err
		}
		balances, err := report.CustomerBalances(v.ctx, tx, data.AsOf)
		if err != nil {
			return nil, err
		}
		var owed []money.Amount
		for _, b := range balances {
			row := page.CustomerBalance{Customer: id.Of[billing.Customer]{UUID: b.Customer}, Name: b.Name,
				Owed: page.Owed{Amount: b.Owed, Overdue: b.Overdue, Invoices: b.Invoices}}
			data.Rows, owed = append(data.Rows, row), append(owed, b.Owed)
			if data.Sums, err = addOwed(data.Sums, row.Owed); err != nil {
				return nil, err
			}
		}
		data.Column = page.ColumnOf(settings.BaseCurrency, owed...)
		data.CSV = v.csvOf("customer-balances", data.AsOf)
		return data, nil
	})
}

// addOwed adds to the sum of the same currency, or begins one.
func addOwed(sums []page.Owed, more page.Owed) ([]page.Owed, error) {
	for i := range sums {
		if sums[i].Amount.Currency != more.Amount.Currency {
			continue
		}
		var err error
		if sums[i].Amount, err = sums[i].Amount.Add(more.Amount); err != nil {
			return nil, err
		}
		sums[i].Invoices += more.Invoices
		sums[i].Overdue, err = sums[i].Overdue.Add(more.Overdue)
		return sums, err
	}
	return append(sums, more), nil
}

func fetchCustomerBalances(v *visit, format report.Format) error {
	var out bytes.Buffer
	var day civil.Date
	err := v.run(func(tx *tenant.Tx) (err error) {
		if day, err = v.asOf(tx); err != nil {
			return err
		}
		balances, err := report.CustomerBalances(v.ctx, tx, day)
		if err != nil {
			return err
		}
		out.Reset()
		return report.WriteCustomerBalances(&out, format, balances)
	})
	if err != nil {
		return err
	}
	return v.fileAs("customer-balances-"+day.String(), format, out.Bytes())
}
