package report

import (
	"context"

	"github.com/countinghouse/countinghouse/billing/ledger"
	"github.com/countinghouse/countinghouse/billing/money"
	"github.com/countinghouse/countinghouse/tenant"
)

// ProfitAndLoss gives what was earned and spent, by account: sections "income" and "expenses", both without sign, and the
// sum "result". Entries that close a year are left out, so that a closed year still shows what it came to. Days that are
// left out are those of Period.Filled; without a currency it is the base currency. It fails with
// ledger.ErrDatesReversed and ErrSumTooLarge.
func ProfitAndLoss(ctx context.Context, tx *tenant.Tx, period Period, currency money.Currency) (Table, error) {
	period, err := fill(ctx, tx, period)
	if err != nil {
		return Table{}, err
	}
	t, err := openTable(ctx, tx, currency, compared(period))
	if err != nil {
		return t, err
	}
	rows, err := selectResult(ctx, tx, t.Columns)
	if err != nil {
		return t, err
	}
	t.begin("income", "Income")
	t.begin("expenses", "Expenses")
	for _, r := range rows {
		if !t.has(r.Currency) || r.empty() {
			continue
		}
		key, row := "expenses", r.row()
		if r.Kind == ledger.KindIncome {
			key = "income"
			if row.Amounts, err = subEach(t.zeros(), row.Amounts); err != nil {
				return t, err
			}
		}
		if err := t.put(key, row); err != nil {
			return t, err
		}
	}
	result, err := subEach(t.Section("income").Sum, t.Section("expenses").Sum)
	t.Sums = append(t.Sums, Row{Key: "result", Name: "Result", Amounts: result})
	t.drop()
	return t, err
}

// Unclosed is the key of the row of a balance sheet that has what was earned less what was spent in the years that are
// not yet closed. It is what makes a balance sheet balance on every day.
const Unclosed = "unclosed"

// BalanceSheet gives what there was at the end of a period's last day, at the end of the day before its first, and a year
// before its last, by account: sections "assets", "liabilities" and "equity", and the sum "funding" of the latter two,
// which is that of the first. Debits of assets are positive, and credits of the others. Days, currency and errors are as
// in ProfitAndLoss.
func BalanceSheet(ctx context.Context, tx *tenant.Tx, period Period, currency money.Currency) (Table, error) {
	period, err := fill(ctx, tx, period)
	if err != nil {
		return Table{}, err
	}
	t, err := openTable(ctx, tx, currency, []Column{{"end", "At the end", Period{To: period.To}},
		{"beginning", "At the beginning", Period{To: period.From.AddDays(-1)}}, {"year_before", "A year before", Period{To: period.YearBefore().To}}})
	if err != nil {
		return t, err
	}
	rows, err := selectBalances(ctx, tx, t.Columns)
	if err != nil {
		return t, err
	}
	t.begin("assets", "Assets")
	t.begin("liabilities", "Liabilities")
	t.begin("equity", "Equity")
	unclosed := Row{Key: Unclosed, Name: "Result of the years not yet closed", Amounts: t.zeros()}
	for _, r := range rows {
		if !t.has(r.Currency) || r.empty() {
			continue
		}
		if err := t.putBalance(r, &unclosed); err != nil {
			return t, err
		}
	}
	if err := t.put("equity", unclosed); err != nil {
		return t, err
	}
	funding, err := addEach(t.Section("liabilities").Sum, t.Section("equity").Sum)
	t.Sums = append(t.Sums, Row{Key: "funding", Name: "Liabilities and equity", Amounts: funding})
	t.drop()
	return t, err
}

func (t *Table) putBalance(r columnRow, unclosed *Row) error {
	row := r.row()
	if r.Kind == ledger.KindAsset {
		return t.put("assets", row)
	}
	var err error
	if row.Amounts, err = subEach(t.zeros(), row.Amounts); err != nil {
		return err
	}
	switch r.Kind {
	case ledger.KindLiability:
		return t.put("liabilities", row)
	case ledger.KindEquity:
		return t.put("equity", row)
	}
	unclosed.Amounts, err = addEach(unclosed.Amounts, row.Amounts)
	return err
}

// Balanced says whether a balance sheet balances in every column.
func (t Table) Balanced() bool {
	assets, funding := t.Section("assets").Sum, t.SumOf("funding")
	for i := range assets {
		if assets[i] != funding[i] {
			return false
		}
	}
	return true
}
