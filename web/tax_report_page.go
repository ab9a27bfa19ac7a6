package web

import (
	"bytes"
	"net/http"
	"net/url"

	"github.com/countinghouse/countinghouse/authz"
	"github.com/countinghouse/countinghouse/billing"
	"github.com/countinghouse/countinghouse/billing/money"
	"github.com/countinghouse/countinghouse/billing/report"
	"github.com/countinghouse/countinghouse/billing/tax"
	"github.com/countinghouse/countinghouse/internal/id"
	"github.com/countinghouse/countinghouse/tenant"
	"github.com/countinghouse/countinghouse/web/page"
)

func (s *Server) registerTaxReportPages() {
	s.member("GET", "/reports/taxes", rightTo(authz.Read, authz.Reports), showTaxReport)
	for _, format := range fileFormats {
		s.member("GET", "/reports/taxes."+string(format), rightTo(authz.Export, authz.Reports), func(v *visit) error { return fetchTaxReport(v, format) })
	}
}

var taxBases = []page.Option{{Value: string(report.Accrual), Label: "By the day of the document (accrual)"},
	{Value: string(report.Cash), Label: "As it is paid (cash)"}}

// basis reads the basis of the address; without one it is accrual.
func (v *visit) basis() report.Basis {
	if asked := v.query("basis"); asked != "" {
		return report.Basis(asked)
	}
	return report.Accrual
}

// taxReport reads what the address asks for.
func (v *visit) taxReport(tx *tenant.Tx) (r report.TaxReport, period report.Period, settings billing.Settings, err error) {
	if settings, err = billing.LoadSettings(v.ctx, tx); err != nil {
		return r, period, settings, err
	}
	if period, err = v.period(settings.Today(tx)); err != nil {
		return r, period, settings, err
	}
	r, err = report.TaxesOf(v.ctx, tx, v.basis(), period)
	return r, period, settings, err
}

func showTaxReport(v *visit) error {
	return v.show(http.StatusOK, "tax-report", func(tx *tenant.Tx) (any, error) {
		var data page.TaxReport
		var err error
		if data.Shell, err = v.frame(tx, "Tax report", "tax-report"); err != nil {
			return nil, err
		}
		found, period, settings, err := v.taxReport(tx)
		if err != nil {
			return nil, err
		}
		data.Period, data.Basis, data.Bases, data.Sums = page.Period(period), string(found.Basis), taxBases, found.Sums
		data.Remit, data.Foreign, data.Unrated = found.Remit, found.Foreign(), found.Unrated
		asked := url.Values{"from": {period.From.String()}, "to": {period.To.String()}, "basis": {data.Basis}}
		if v.may(rightTo(authz.Export, authz.Reports)) {
			data.CSV = v.at("reports", "taxes.csv") + "?" + asked.Encode()
		}
		var amounts []money.Amount
		for _, r := range found.Rows {
			row, err := v.taxReportRow(tx, found.Basis, period, r, asked)
			if err != nil {
				return nil, err
			}
			data.Rows, amounts = append(data.Rows, row), append(amounts, r.Tax)
		}
		for _, s := range found.Sums {
			amounts = append(amounts, s.Posted)
		}
		data.Column = page.ColumnOf(settings.BaseCurrency, amounts...)
		return data, nil
	})
}

// taxReportRow is one rate's row, with its documents when the address opens it.
func (v *visit) taxReportRow(tx *tenant.Tx, basis report.Basis, period report.Period, r report.TaxRow, asked url.Values) (page.TaxReportRow, error) {
	row := page.TaxReportRow{TaxRow: r, Count: r.Documents, Open: v.query("rate") == r.Rate.String() && v.query("percent") == r.Percent.String() && (v.query("input") != "") == r.Input}
	at := url.Values{"rate": {r.Rate.String()}, "percent": {r.Percent.String()}}
	if r.Input {
		at.Set("input", "yes")
	}
	row.URL = v.at("reports", "taxes") + "?" + asked.Encode() + "&" + at.Encode() + "#open"
	if !row.Open {
		return row, nil
	}
	row.URL = v.at("reports", "taxes") + "?" + asked.Encode()
	documents, err := report.TaxDocuments(v.ctx, tx, basis, period, report.TaxFilter{Rate: r.Rate, Percent: r.Percent, Input: r.Input})
	for _, d := range documents {
		if d.Tax.Currency != r.Tax.Currency {
			continue
		}
		shown := page.TaxReportDocument{TaxDocument: d}
		if d.Kind == "invoice" && v.may(rightTo(authz.Read, authz.Invoices)) {
			shown.URL = v.at("invoices", d.ID.String())
		}
		if path := map[string]string{"bill": "bills", "payee_credit": "payee-credits"}[d.Kind]; path != "" && v.may(rightTo(authz.Read, authz.Bills)) {
			shown.URL = v.at(path, d.ID.String())
		}
		row.Documents = append(row.Documents, shown)
	}
	return row, err
}

func fetchTaxReport(v *visit, format report.Format) error {
	var out bytes.Buffer
	var period report.Period
	err := v.run(func(tx *tenant.Tx) (err error) {
		var found report.TaxReport
		if found, period, _, err = v.taxReport(tx); err != nil {
			return err
		}
		out.Reset()
		return report.WriteTaxReport(&out, format, found)
	})
	if err != nil {
		return err
	}
	return v.fileAs("taxes-"+period.From.String()+"-"+period.To.String(), format, out.Bytes())
}

// taxRateID reads a rate named in an address.
func taxRateID(text string) (tax.RateID, error) {
	i, ok := id.Parse[tax.Rate](text)
	if !ok {
		return i, errIDShape.At("rate_id")
	}
	return i, nil
}
