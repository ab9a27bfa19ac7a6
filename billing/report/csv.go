package report

import (
	"context"
	"io"

	"github.com/google/uuid"

	"github.com/countinghouse/countinghouse/billing/ledger"
	"github.com/countinghouse/countinghouse/billing/money"
	"github.com/countinghouse/countinghouse/tenant"
)

// The files are UTF-8 with commas, points in amounts and one header row (RFC 4180, with bare line feeds). Text that a
// spreadsheet would take for a formula gets an apostrophe before it (OWASP, "CSV Injection"); amounts never do.

// WriteLedger writes the general ledger of a period line by line as it is read; with a first day, each account
// begins with a row of its opening balance. It fails as GeneralLedger does and with what w fails
// with; w may have received a part by then.
func WriteLedger(ctx context.Context, tx *tenant.Tx, w io.Writer, format Format, period Period) error {
	g, err := NewGrid(w, format)
	if err != nil {
		return err
	}
	if err := LedgerRows(ctx, tx, g, period); err != nil {
		return err
	}
	return g.Close()
}

// LedgerRows is WriteLedger into a grid, which the caller closes.
func LedgerRows(ctx context.Context, tx *tenant.Tx, g Grid, period Period) error {
	err := g.Row("account", "account_name", "kind", "currency", "date", "entry", "description", "memo", "party", "debit", "credit", "balance")
	if err != nil {
		return err
	}
	begin := func(a LedgerAccount) error {
		if period.From.IsZero() {
			return nil
		}
		return g.Row(a.Code, a.Name, string(a.Kind), a.Currency.Code(), period.From, nil, "Opening balance", nil, nil, nil, nil, a.Opening)
	}
	return walkLedger(ctx, tx, period, begin, func(a LedgerAccount, l LedgerLine) error {
		side := ledger.Line{Amount: l.Amount}
		return g.Row(a.Code, a.Name, string(a.Kind), a.Currency.Code(), l.Date, ledger.NumberName(l.Number), l.Description, l.Memo, l.Party,
			orNothing(side.Debit()), orNothing(side.Credit()), l.Balance)
	})
}

// WriteLedgerCSV is WriteLedger in CSV.
func WriteLedgerCSV(ctx context.Context, tx *tenant.Tx, w io.Writer, period Period) error {
	return WriteLedger(ctx, tx, w, CSV, period)
}

// WriteTrialBalance writes the rows of a trial balance, without its totals. It fails with what w fails with.
func WriteTrialBalance(w io.Writer, format Format, b TrialBalance) error {
	rows := [][]any{{"account", "account_name", "kind", "currency", "opening", "debit", "credit", "closing"}}
	for _, r := range b.Rows {
		rows = append(rows, []any{r.Code, r.Name, string(r.Kind), r.Currency.Code(), r.Opening, r.Debit, r.Credit, r.Closing})
	}
	return writeRows(w, format, rows)
}

// WriteTrialBalanceCSV is WriteTrialBalance in CSV.
func WriteTrialBalanceCSV(w io.Writer, b TrialBalance) error { return WriteTrialBalance(w, CSV, b) }

// WriteCustomerBalances writes what customers owe. It fails with what w fails with.
func WriteCustomerBalances(w io.Writer, format Format, balances []CustomerBalance) error {
	rows := [][]any{{"customer_id", "customer", "currency", "owed", "overdue", "open_invoices"}}
	for _, b := range balances {
		customer := ""
		if b.Customer != uuid.Nil {
			customer = b.Customer.String()
		}
		rows = append(rows, []any{customer, b.Name, b.Currency.Code(), b.Owed, b.Overdue, b.Invoices})
	}
	return writeRows(w, format, rows)
}

// WriteCustomerBalancesCSV is WriteCustomerBalances in CSV.
func WriteCustomerBalancesCSV(w io.Writer, balances []CustomerBalance) error {
	return WriteCustomerBalances(w, CSV, balances)
}

// WriteTaxReport writes the rows of a tax report, without its sums. It fails with what w fails with.
func WriteTaxReport(w io.Writer, format Format, r TaxReport) error {
	rows := [][]any{{"basis", "code", "name", "kind", "percent", "currency", "documents", "base", "tax"}}
	for _, t := range r.Rows {
		rows = append(rows, []any{string(r.Basis), t.Code, t.Name, string(t.Kind), t.Percent.String(), t.Tax.Currency.Code(), t.Documents, t.Base, t.Tax})
	}
	return writeRows(w, format, rows)
}

// WriteTaxReportCSV is WriteTaxReport in CSV.
func WriteTaxReportCSV(w io.Writer, r TaxReport) error { return WriteTaxReport(w, CSV, r) }

// WriteStatement writes a customer's statement, each currency after the other. It fails with what w fails with.
func WriteStatement(w io.Writer, format Format, parts []Statement) error {
	rows := [][]any{{"currency", "date", "entry", "kind", "documents", "description", "amount", "balance"}}
	for _, part := range parts {
		rows = append(rows, []any{part.Currency.Code(), nil, nil, "opening", nil, nil, nil, part.Opening})
		for _, l := range part.Lines {
			rows = append(rows, []any{part.Currency.Code(), l.Date, ledger.NumberName(l.Number), string(l.Source), l.Numbers, l.Description, l.Amount, l.Balance})
		}
		rows = append(rows, []any{part.Currency.Code(), nil, nil, "closing", nil, nil, nil, part.Closing})
	}
	return writeRows(w, format, rows)
}

// WriteStatementCSV is WriteStatement in CSV.
func WriteStatementCSV(w io.Writer, parts []Statement) error { return WriteStatement(w, CSV, parts) }

func writeRows(w io.Writer, format Format, rows [][]any) error {
	g, err := NewGrid(w, format)
	if err != nil {
		return err
	}
	for _, row := range rows {
		if err := g.Row(row...); err != nil {
			return err
		}
	}
	return g.Close()
}

// orNothing leaves the cell of no amount empty.
func orNothing(a money.Amount) any {
	if a.IsZero() {
		return nil
	}
	return a
}
