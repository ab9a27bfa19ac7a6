package web

import (
	"context"

	"github.com/google/uuid"

	"github.com/countinghouse/countinghouse/authz"
	"github.com/countinghouse/countinghouse/billing/money"
	"github.com/countinghouse/countinghouse/billing/report"
	"github.com/countinghouse/countinghouse/tenant"
)

// ReportView is a report in one currency, whose figures stand in columns.
type ReportView struct {
	Currency   string              `json:"currency"`
	Currencies []string            `json:"currencies" doc:"In which there is anything to report, the base currency first"`
	Columns    []ReportColumnView  `json:"columns"`
	Sections   []ReportSectionView `json:"sections"`
	Sums       []ReportRowView     `json:"sums" doc:"What the sections come to"`
}

// ReportColumnView is a column of a report.
type ReportColumnView struct {
	Key  string  `json:"key"`
	From *string `json:"from" doc:"The first day; null: the figures are of the end of the last day"`
	To   string  `json:"to" doc:"The last day"`
}

// ReportSectionView is a part of a report.
type ReportSectionView struct {
	Key  string          `json:"key"`
	Rows []ReportRowView `json:"rows"`
	Sum  []Money         `json:"sum" doc:"Of the rows, for each column"`
}

// ReportRowView is a row of a report, about an account, a customer, a product, or what its key says.
type ReportRowView struct {
	Key       string  `json:"key,omitempty"`
	AccountID string  `json:"account_id,omitempty"`
	Customer  string  `json:"customer_id,omitempty"`
	Payee     string  `json:"payee_id,omitempty"`
	Product   string  `json:"product_id,omitempty"`
	Code      string  `json:"code,omitempty"`
	Name      string  `json:"name"`
	Amounts   []Money `json:"amounts" doc:"For each column"`
}

// SaleView is a document behind a figure of the sales.
type SaleView struct {
	DocumentID string `json:"document_id"`
	Kind       string `json:"kind" doc:"invoice or credit_note"`
	Number     string `json:"number"`
	Customer   string `json:"customer"`
	Date       string `json:"date"`
	Net        Money  `json:"net"`
	EntryID    string `json:"journal_entry_id"`
}

// TableInput asks for a report of a period.
type TableInput struct {
	From     string `query:"from" doc:"Left out, the first day of the year" maxLength:"10"`
	To       string `query:"to" doc:"Left out, today" maxLength:"10"`
	Currency string `query:"currency" doc:"Left out, the base currency" maxLength:"3"`
}

func (in TableInput) ask(name string) string {
	return map[string]string{"from": in.From, "to": in.To, "currency": in.Currency}[name]
}

// SalesInput asks for the sales of a period.
type SalesInput struct {
	TableInput
	By string `query:"by" enum:"customer,product" default:"customer"`
}

func (in SalesInput) ask(name string) string {
	if name == "by" {
		return in.By
	}
	return in.TableInput.ask(name)
}

type agedInput struct {
	AsOf     string `query:"as_of" doc:"Left out, today" maxLength:"10"`
	Currency string `query:"currency" doc:"Left out, the base currency" maxLength:"3"`
}

func (in agedInput) ask(name string) string {
	return map[string]string{"as_of": in.AsOf, "currency": in.Currency}[name]
}

type salesDocumentsInput struct {
	SalesInput
	ID string `query:"id" doc:"The customer or product; left out, what was sold without a product" maxLength:"36"`
}

func viewReport(t report.Table, by string) ReportView {
	v := ReportView{Currency: t.Currency.Code(), Currencies: []string{}, Columns: []ReportColumnView{}, Sections: []ReportSectionView{}, Sums: []ReportRowView{}}
	for _, c := range t.Currencies {
		v.Currencies = append(v.Currencies, c.Code())
	}
	for _, c := range t.Columns {
		v.Columns = append(v.Columns, ReportColumnView{c.Key, dateText(c.Period.From), c.Period.To.String()})
	}
	for _, s := range t.Sections {
		section := ReportSectionView{Key: s.Key, Rows: []ReportRowView{}, Sum: moneysOf(s.Sum)}
		for _, r := range s.Rows {
			section.Rows = append(section.Rows, viewReportRow(r, by))
		}
		v.Sections = append(v.Sections, section)
	}
	for _, r := range t.Sums {
		v.Sums = append(v.Sums, viewReportRow(r, by))
	}
	return v
}

func viewReportRow(r report.Row, by string) ReportRowView {
	v := ReportRowView{Key: r.Key, AccountID: idText(r.Account), Code: r.Code, Name: r.Name, Amounts: moneysOf(r.Amounts)}
	if r.About != uuid.Nil {
		switch by {
		case report.ByProduct:
			v.Product = r.About.String()
		case byPayee:
			v.Payee = r.About.String()
		default:
			v.Customer = r.About.String()
		}
	}
	return v
}

func (s *Server) registerReportTableAPI() {
	for _, r := range tableReports {
		switch {
		case r.oneDay:
			tableOperation[agedInput](s, r)
		case r.by:
			tableOperation[SalesInput](s, r)
		default:
			tableOperation[TableInput](s, r)
		}
	}
	op := operation{id: "sales-documents", method: "GET", path: "/v1/reports/sales/documents", right: rightTo(authz.Read, authz.Reports), tag: "Reports", summary: "The documents behind a figure of the sales"}
	handle(s, op, func(ctx context.Context, c *call, in *salesDocumentsInput) (*Body[List[SaleView]], error) {
		out := &Body[List[SaleView]]{Body: List[SaleView]{Items: []SaleView{}}}
		about, err := bodyID[report.Row]("id", in.ID)
		if err != nil {
			return nil, err
		}
		err = c.do(ctx, func(tx *tenant.Tx) error {
			asked, err := tableReport{by: true}.askTable(ctx, tx, in.ask)
			if err != nil {
				return err
			}
			if asked.currency.IsZero() {
				t, err := report.Sales(ctx, tx, asked.by, asked.period, asked.currency)
				if err != nil {
					return err
				}
				asked.currency = t.Currency
			}
			sales, err := report.SalesDocuments(ctx, tx, asked.by, about.UUID, asked.period, asked.currency)
			out.Body.Items = out.Body.Items[:0] // it may run twice
			for _, d := range sales {
				out.Body.Items = append(out.Body.Items, SaleView{d.Document.String(), d.Kind, d.Number, d.Customer, d.Date.String(), moneyOf(d.Net), d.Entry.String()})
			}
			return err
		})
		return out, err
	})
}

// tableOperation puts a table on the API.
func tableOperation[In interface{ ask(name string) string }](s *Server, r tableReport) {
	op := operation{id: r.key, method: "GET", path: "/v1/reports/" + r.key, right: rightTo(authz.Read, authz.Reports), tag: "Reports", summary: r.say}
	handle(s, op, func(ctx context.Context, c *call, in *In) (*Body[ReportView], error) {
		out := &Body[ReportView]{}
		err := c.do(ctx, func(tx *tenant.Tx) error {
			asked, err := r.askTable(ctx, tx, (*in).ask)
			if err != nil {
				return err
			}
			t, err := r.read(ctx, tx, asked)
			out.Body = viewReport(t, asked.by)
			return err
		})
		return out, err
	})
}

func moneysOf(amounts []money.Amount) []Money {
	all := make([]Money, len(amounts))
	for i, a := range amounts {
		all[i] = moneyOf(a)
	}
	return all
}
