package page

import (
	"github.com/countinghouse/countinghouse/billing/money"
	"github.com/countinghouse/countinghouse/billing/report"
)

// TaxReport is the data of "tax-report".
type TaxReport struct {
	Shell
	Period  Period
	Basis   string
	Bases   []Option
	Rows    []TaxReportRow
	Sums    []report.TaxSum
	Remit   money.Amount // in the base currency
	Foreign bool         // some of it is in another
	Unrated int          // documents that have no rate
	Column  Column
	CSV     string
}

// Accrual says whether taxes count by the day of their documents.
func (r TaxReport) Accrual() bool { return r.Basis == string(report.Accrual) }

// TaxReportRow is one rate, with the address that opens or closes it.
type TaxReportRow struct {
	report.TaxRow
	URL       string
	Open      bool
	Documents []TaxReportDocument
	Count     int
}

// TaxReportDocument is a document behind a row. URL is where it is; empty where its reader may not go.
type TaxReportDocument struct {
	report.TaxDocument
	URL string
}
