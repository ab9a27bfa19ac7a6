package web

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"net/url"

	"github.com/google/uuid"

	"github.com/countinghouse/countinghouse/authz"
	"github.com/countinghouse/countinghouse/billing/ledger"
	"github.com/countinghouse/countinghouse/billing/report"
	"github.com/countinghouse/countinghouse/tenant"
	"github.com/countinghouse/countinghouse/web/page"
)

func (s *Server) registerReportTablePages() {
	s.member("GET", "/reports", rightTo(authz.Read, authz.Reports), showReports)
	for _, r := range tableReports {
		s.member("GET", "/reports/"+r.key, rightTo(authz.Read, authz.Reports), func(v *visit) error { return showTable(v, r) })
		for _, format := range fileFormats {
			s.member("GET", "/reports/"+r.key+"."+string(format), rightTo(authz.Export, authz.Reports), func(v *visit) error { return fetchTable(v, r, format) })
		}
	}
}

func showReports(v *visit) error {
	return v.show(http.StatusOK, "reports", func(tx *tenant.Tx) (any, error) {
		shell, err := v.frame(tx, "Reports", "reports")
		data := page.Reports{Shell: shell}
		for _, r := range tableReports {
			data.Items = append(data.Items, page.ReportItem{Title: r.title, Icon: r.icon, Say: r.say, URL: v.at("reports", r.key)})
		}
		data.Items = append(data.Items, []page.ReportItem{
			{Title: "General ledger", Icon: "book-open-text", Say: "Every account with what was booked on it, line by line.", URL: v.at("ledger")},
			{Title: "Trial balance", Icon: "scale", Say: "The balance of every account, and that debits and credits are the same.", URL: v.at("reports", "trial-balance")},
			{Title: "Customer balances", Icon: "contact", Say: "What each customer owes; their statements are on their own pages.", URL: v.at("reports", "customer-balances")},
			{Title: "Tax report", Icon: "percent", Say: "The taxes of a period to remit, with the documents behind them.", URL: v.at("reports", "taxes")},
		}...)
		return data, err
	})
}

// query is the part of the address that asks for the same table again.
func (r tableReport) query(a askedTable, t report.Table) url.Values {
	q := url.Values{"currency": {t.Currency.Code()}}
	if r.by {
		q.Set("by", a.by)
	}
	if r.oneDay {
		q.Set("as_of", a.period.To.String())
	} else {
		q.Set("from", a.period.From.String())
		q.Set("to", a.period.To.String())
	}
	return q
}

func showTable(v *visit, r tableReport) error {
	return v.show(http.StatusOK, "report-table", func(tx *tenant.Tx) (any, error) {
		data := page.ReportTable{Path: r.key, Say: r.say, OneDay: r.oneDay}
		var err error
		if data.Shell, err = v.frame(tx, r.title, page.ReportNav(r.key)); err != nil {
			return nil, err
		}
		asked, err := r.askTable(v.ctx, tx, v.query)
		if err != nil {
			return nil, err
		}
		t, err := r.read(v.ctx, tx, asked)
		if err != nil {
			return nil, err
		}
		data.Period, data.Table = page.Period(asked.period), t
		if r.by {
			data.By, data.Bys = asked.by, []page.Option{{Value: report.ByCustomer, Label: "By customer"}, {Value: report.ByProduct, Label: "By product"}}
		}
		query := r.query(asked, t)
		if v.may(rightTo(authz.Export, authz.Reports)) {
			data.CSV, data.XLSX = v.at("reports", r.key+".csv")+"?"+query.Encode(), v.at("reports", r.key+".xlsx")+"?"+query.Encode()
		}
		links := tableLinks{v: v, tx: tx, report: r, asked: asked, query: query, columns: t.Columns}
		if links.owed, err = owedAccount(v.ctx, tx, r); err != nil {
			return nil, err
		}
		for _, s := range t.Sections {
			section := page.ReportSection{Section: s}
			for _, row := range s.Rows {
				shown, err := links.row(row)
				if err != nil {
					return nil, err
				}
				section.Shown = append(section.Shown, shown)
			}
			data.Parts = append(data.Parts, section)
		}
		return data, nil
	})
}

// owedAccount is the account that a report about debts is of.
func owedAccount(ctx context.Context, tx *tenant.Tx, r tableReport) (ledger.AccountID, error) {
	if r.payees {
		a, err := ledger.AccountFor(ctx, tx, ledger.Payable)
		if errors.Is(err, tenant.ErrNoRows) { // opened with the first bill
			err = nil
		}
		return a.ID, err
	}
	a, err := ledger.AccountFor(ctx, tx, ledger.Receivable)
	return a.ID, err
}

// tableLinks leads from the figures of a table to what they come from.
type tableLinks struct {
	v       *visit
	tx      *tenant.Tx
	report  tableReport
	asked   askedTable
	query   url.Values
	columns []report.Column
	owed    ledger.AccountID // where debts stand
}

func (l tableLinks) row(r report.Row) (page.ReportRow, error) {
	shown := page.ReportRow{Row: r}
	for i, column := range l.columns {
		shown.URLs = append(shown.URLs, l.to(r, column))
		if !l.report.by || l.v.query("open") != aboutText(r.About) || l.v.query("column") != column.Key {
			continue
		}
		sales, err := report.SalesDocuments(l.v.ctx, l.tx, l.asked.by, r.About, column.Period, r.Amounts[i].Currency)
		if err != nil {
			return shown, err
		}
		shown.Open, shown.Sales = true, make([]page.ReportSale, len(sales))
		for n, s := range sales {
			shown.Sales[n] = page.ReportSale{Sale: s, Column: i}
			if s.Kind == "invoice" && l.v.may(rightTo(authz.Read, authz.Invoices)) {
				shown.Sales[n].URL = l.v.at("invoices", s.Document.String())
			}
		}
	}
	return shown, nil
}

// to is where the entries or documents of a figure are.
func (l tableLinks) to(r report.Row, c report.Column) string {
	from, to := c.Period.From, c.Period.To.String()
	account := r.Account
	switch {
	case l.report.by:
		q := url.Values{"open": {aboutText(r.About)}, "column": {c.Key}}
		return l.v.at("reports", l.report.key) + "?" + l.query.Encode() + "&" + q.Encode() + "#open"
	case r.Key == report.Unclosed:
		return l.v.at("reports", "trial-balance") + "?as_of=" + to
	case l.report.payees && r.About != uuid.Nil:
		return l.v.at("bills") + "?" + url.Values{"payee": {r.About.String()}}.Encode()
	case l.report.oneDay && r.About != uuid.Nil:
		q := url.Values{"from": {c.Period.YearBefore().To.String()}, "to": {to}}
		return l.v.at("customers", r.About.String(), "statement") + "?" + q.Encode()
	case l.report.oneDay:
		account = l.owed
	}
	q := url.Values{"account": {account.String()}, "to": {to}}
	if !from.IsZero() {
		q.Set("from", from.String())
	}
	return l.v.at("ledger") + "?" + q.Encode() + "#open"
}

// aboutText is how an address names what a row is about; "none" for nothing.
func aboutText(about uuid.UUID) string {
	if about == uuid.Nil {
		return "none"
	}
	return about.String()
}

func fetchTable(v *visit, r tableReport, format report.Format) error {
	var t report.Table
	var asked askedTable
	err := v.run(func(tx *tenant.Tx) (err error) {
		if asked, err = r.askTable(v.ctx, tx, v.query); err != nil {
			return err
		}
		t, err = r.read(v.ctx, tx, asked)
		return err
	})
	if err != nil {
		return err
	}
	var out bytes.Buffer
	if err := report.WriteTable(&out, format, t); err != nil {
		return err
	}
	name := r.key + "-" + t.Currency.Code() + "-" + asked.period.To.String()
	if !r.oneDay {
		name = r.key + "-" + t.Currency.Code() + "-" + asked.period.From.String() + "-to-" + asked.period.To.String()
	}
	return v.fileAs(name, format, out.Bytes())
}

// fileAs answers with a file to keep.
func (v *visit) fileAs(name string, format report.Format, content []byte) error {
	v.c.Set("Content-Type", mediaTypes[format])
	v.c.Set("Content-Disposition", `attachment; filename="`+name+`.`+string(format)+`"`)
	return v.c.Send(content)
}

// fileFormats are what every report can be fetched as.
var fileFormats = []report.Format{report.CSV, report.XLSX}

var mediaTypes = map[report.Format]string{
	report.CSV:  "text/csv; charset=utf-8",
	report.XLSX: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
