package web

import (
	"context"

	"github.com/countinghouse/countinghouse/authz"
	"github.com/countinghouse/countinghouse/billing/report"
	"github.com/countinghouse/countinghouse/tenant"
)

// TaxReportView is the taxes of a period to remit.
type TaxReportView struct {
	Basis   string             `json:"basis"`
	Rows    []TaxReportRowView `json:"rows" doc:"One for each rate, percent and currency: invoices less credit notes"`
	Totals  []TaxReportSumView `json:"totals" doc:"One for each currency"`
	Remit   Money              `json:"remit" doc:"All in the base currency, foreign documents at the rates of their days"`
	Unrated int                `json:"unrated" doc:"Documents without an exchange rate, which are not in remit"`
}

// TaxReportRowView is what one rate comes to.
type TaxReportRowView struct {
	RateID    string `json:"tax_rate_id"`
	Code      string `json:"code"`
	Name      string `json:"name"`
	Kind      string `json:"kind"`
	Percent   string `json:"percent"`
	Base      Money  `json:"base"`
	Tax       Money  `json:"tax"`
	Documents int    `json:"documents"`
	Input     bool   `json:"input" doc:"Of bills: it is taken off what is to be remitted"`
}

// TaxReportSumView is the sum of a currency.
type TaxReportSumView struct {
	Tax    Money `json:"tax" doc:"To remit"`
	Posted Money `json:"posted" doc:"What the accounts for taxes moved in the ledger; on a cash basis nothing"`
	Other  Money `json:"other" doc:"What of it comes from no document, such as payments to the tax office"`
}

// TaxDocumentView is a document behind a row.
type TaxDocumentView struct {
	DocumentID string `json:"document_id"`
	Kind       string `json:"kind" doc:"invoice, credit_note, bill or payee_credit"`
	Number     string `json:"number"`
	Customer   string `json:"customer"`
	Date       string `json:"date" doc:"On a cash basis of the last payment in the period"`
	Base       Money  `json:"base"`
	Tax        Money  `json:"tax"`
	EntryID    string `json:"journal_entry_id,omitempty"`
}

// TaxReportInput asks for a tax report.
type TaxReportInput struct {
	PeriodInput
	Basis string `query:"basis" doc:"By the day of the document, or as it is paid" enum:"accrual,cash" default:"accrual"`
}

type taxDocumentsInput struct {
	TaxReportInput
	RateID  string `query:"tax_rate_id" required:"true" maxLength:"36"`
	Percent string `query:"percent" required:"true" doc:"As the row has it" maxLength:"12"`
	Input   bool   `query:"input" doc:"As the row has it"`
}

func viewTaxReport(r report.TaxReport) TaxReportView {
	v := TaxReportView{Basis: string(r.Basis), Rows: []TaxReportRowView{}, Totals: []TaxReportSumView{}, Remit: moneyOf(r.Remit), Unrated: r.Unrated}
	for _, row := range r.Rows {
		v.Rows = append(v.Rows, TaxReportRowView{row.Rate.String(), row.Code, row.Name, string(row.Kind), row.Percent.String(), moneyOf(row.Base), moneyOf(row.Tax), row.Documents, row.Input})
	}
	for _, s := range r.Sums {
		v.Totals = append(v.Totals, TaxReportSumView{moneyOf(s.Tax), moneyOf(s.Posted), moneyOf(s.Other)})
	}
	return v
}

func (s *Server) registerTaxReportAPI() {
	const tag = "Reports"
	right := authz.Right{Module: authz.Reports, Action: authz.Read}
	handle(s, operation{id: "tax-report", method: "GET", path: "/v1/reports/taxes", right: right, tag: tag, summary: "The taxes of a period to remit"},
		func(ctx context.Context, c *call, in *TaxReportInput) (*Body[TaxReportView], error) {
			period, err := in.period()
			if err != nil {
				return nil, err
			}
			out := &Body[TaxReportView]{}
			err = c.do(ctx, func(tx *tenant.Tx) error {
				found, err := report.TaxesOf(ctx, tx, report.Basis(in.Basis), period)
				out.Body = viewTaxReport(found)
				return err
			})
			return out, err
		})
	handle(s, operation{id: "tax-report-documents", method: "GET", path: "/v1/reports/taxes/documents", right: right, tag: tag, summary: "The documents behind a row of the tax report"},
		func(ctx context.Context, c *call, in *taxDocumentsInput) (*Body[List[TaxDocumentView]], error) {
			period, err := in.period()
			if err != nil {
				return nil, err
			}
			filter := report.TaxFilter{Input: in.Input}
			if filter.Rate, err = taxRateID(in.RateID); err != nil {
				return nil, err
			}
			if filter.Percent, err = bodyPercent("percent", in.Percent); err != nil {
				return nil, err
			}
			out := &Body[List[TaxDocumentView]]{Body: List[TaxDocumentView]{Items: []TaxDocumentView{}}}
			err = c.do(ctx, func(tx *tenant.Tx) error {
				documents, err := report.TaxDocuments(ctx, tx, report.Basis(in.Basis), period, filter)
				out.Body.Items = out.Body.Items[:0] // it may run twice
				for _, d := range documents {
					out.Body.Items = append(out.Body.Items, TaxDocumentView{d.ID.String(), d.Kind, d.Number, d.Customer, d.Date.String(), moneyOf(d.Base), moneyOf(d.Tax), idText(d.Entry)})
				}
				return err
			})
			return out, err
		})
}
