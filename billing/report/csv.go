package report

import (
	"context"
	"encoding/csv"
	"fmt"
	"io"
	"strings"

	"github.com/google/uuid"

	"github.com/countinghouse/countinghouse/billing/ledger"
	"github.com/countinghouse/countinghouse/billing/money"
	"github.com/countinghouse/countinghouse/tenant"
)

// The files are UTF-8 with commas, points in amounts and one header row (RFC 4180, with bare line feeds). Text that a
// spreadsheet would take for a formula gets an apostrophe before it (OWASP, "CSV Injection"); amounts never do.

// WriteLedgerCSV writes the general ledger of a period line by line as it is read; with a first day, each account
// begins with a row of its opening balance. It fails as GeneralLedger does, and with what w fails with; w may have
// received a part by then.
func WriteLedgerCSV(ctx context.Context, tx *tenant.Tx, w io.Writer, period Period) error {
	out := csv.NewWriter(w)
	err := out.Write([]string{"account", "account_name", "kind", "currency", "date", "entry", "description", "memo",
		"party", "debit", "credit", "balance"})
	if err != nil {
		return writing(err)
	}
	begin := func(a LedgerAccount) error {
		if period.From.IsZero() {
			return nil
		}
		return writing(out.Write([]string{plain(a.Code), plain(a.Name), string(a.Kind), a.Currency.Code(), period.From.String(),
			"", "Opening balance", "", "", "", "", a.Opening.String()}))
	}
	err = walkLedger(ctx, tx, period, begin, func(a LedgerAccount, l LedgerLine) error {
		side := ledger.Line{Amount: l.Amount}
		return writing(out.Write([]string{plain(a.Code), plain(a.Name), string(a.Kind), a.Currency.Code(), l.Date.String(),
			ledger.NumberName(l.Number), plain(l.Description), plain(l.Memo), plain(l.Party),
			orEmpty(side.Debit()), orEmpty(side.Credit()), l.Balance.String()}))
	})
	if err != nil {
		return err
	}
	out.Flush()
	return writing(out.Error())
}

// WriteTrialBalanceCSV writes the rows of a trial balance, without its totals. It fails with what w fails with.
func WriteTrialBalanceCSV(w io.Writer, b TrialBalance) error {
	rows := [][]string{{"account", "account_name", "kind", "currency", "opening", "debit", "credit", "closing"}}
	for _, r := range b.Rows {
		rows = append(rows, []string{plain(r.Code), plain(r.Name), string(r.Kind), r.Currency.Code(),
			r.Opening.String(), r.Debit.String(), r.Credit.String(), r.Closing.String()})
	}
	return writing(csv.NewWriter(w).WriteAll(rows))
}

// WriteCustomerBalancesCSV writes what customers owe. It fails with what w fails with.
func WriteCustomerBalancesCSV(w io.Writer, balances []CustomerBalance) error {
	rows := [][]string{{"customer_id", "customer", "currency", "owed", "overdue", "open_invoices"}}
	for _, b := range balances {
		customer := ""
		if b.Customer != uuid.Nil {
			customer = b.Customer.String()
		}
		rows = append(rows, []string{customer, plain(b.Name), b.Currency.Code(), b.Owed.String(), b.Overdue.String(),
			fmt.Sprint(b.Invoices)})
	}
	return writing(csv.NewWriter(w).WriteAll(rows))
}

// WriteTaxReportCSV writes the rows of a tax report, without its sums. It fails with what w fails with.
func WriteTaxReportCSV(w io.Writer, r TaxReport) error {
	rows := [][]string{{"basis", "code", "name", "kind", "percent", "currency", "documents", "base", "tax"}}
	for _, t := range r.Rows {
		rows = append(rows, []string{string(r.Basis), plain(t.Code), plain(t.Name), string(t.Kind), t.Percent.String(), t.Tax.Currency.Code(),
			fmt.Sprint(t.Documents), t.Base.String(), t.Tax.String()})
	}
	return writing(csv.NewWriter(w).WriteAll(rows))
}

// WriteStatementCSV writes a customer's statement, each currency after the other. It fails with what w fails with.
func WriteStatementCSV(w io.Writer, parts []Statement) error {
	rows := [][]string{{"currency", "date", "entry", "kind", "documents", "description", "amount", "balance"}}
	for _, part := range parts {
		rows = append(rows, []string{part.Currency.Code(), "", "", "opening", "", "", "", part.Opening.String()})
		for _, l := range part.Lines {
			rows = append(rows, []string{part.Currency.Code(), l.Date.String(), ledger.NumberName(l.Number), string(l.Source), plain(l.Numbers),
				plain(l.Description), l.Amount.String(), l.Balance.String()})
		}
		rows = append(rows, []string{part.Currency.Code(), "", "", "closing", "", "", "", part.Closing.String()})
	}
	return writing(csv.NewWriter(w).WriteAll(rows))
}

// plain makes text harmless that a spreadsheet would run as a formula.
func plain(s string) string {
	if s != "" && strings.ContainsRune("=+-@\t\r\n", rune(s[0])) {
		return "'" + s
	}
	return s
}

func orEmpty(a money.Amount) string {
	if a.IsZero() {
		return ""
	}
	return a.String()
}

func writing(err error) error {
	if err != nil {
		return fmt.Errorf("writing CSV: %w", err)
	}
	return nil
}
